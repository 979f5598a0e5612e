//! The task behind a [`QuicLink`](crate::QuicLink): one connection at a time, and everything that goes on in it.

use std::{sync::Arc, time::Duration};

use quinn::{Connection, RecvStream};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use vestibule_model::ContentHash;
use vestibule_protocol::{LinkCommand, LinkEvent, MAX_FRAME};

use crate::{
    CloseCode, Disconnect,
    dial::{ask, dial},
    error::words,
    fetch::{Fetches, Live},
    link::{Abandoned, LinkConfig, Out},
    wire::{CONTENT, ContentHead, EVENTS, FrameError, REQUEST, close, frame_length, read_array, read_body},
};

/// Requests of one connection that wait for a stream: as many as a session has at the most.
const REQUESTS: usize = 1024;
/// The close may arrive meanwhile.
const GOODBYE: Duration = Duration::from_millis(500);

/// Held by everything that goes on in a connection: when all of them are dropped, it is over.
type Guard = mpsc::Sender<()>;

/// A request on its way out.
type Wanted = (u64, Vec<u8>);

pub(crate) async fn run(config: LinkConfig, mut commands: mpsc::Receiver<LinkCommand>, out: Out) {
    let fetches = Fetches::new(out.clone());
    while let Some(command) = commands.recv().await {
        let goes_on = match command {
            LinkCommand::Connect => session(&config, &mut commands, &out, &fetches).await,
            other => offline(other, &out, &fetches).await,
        };
        if goes_on.is_err() {
            return;
        }
    }
}

/// Takes a command while there is no connection.
async fn offline(command: LinkCommand, out: &Out, fetches: &Fetches) -> Result<(), Abandoned> {
    match command {
        LinkCommand::Request { id, .. } => {
            let frame = Err("there is no connection to the enabler".to_owned());
            out.say(LinkEvent::Response { id, frame }, None).await
        }
        LinkCommand::Fetch { hash, size, .. } => {
            fetches.start(hash, size);
            Ok(())
        }
        // There is nothing to close, and a datagram may be lost. A second `Connect` is the first one.
        LinkCommand::Connect | LinkCommand::Datagram(_) | LinkCommand::Close => Ok(()),
    }
}

/// Connects, stays connected, says how it ended.
async fn session(
    config: &LinkConfig,
    commands: &mut mpsc::Receiver<LinkCommand>,
    out: &Out,
    fetches: &Fetches,
) -> Result<(), Abandoned> {
    let attempt = dial(&config.target, &config.identity, Some(config.server));
    tokio::pin!(attempt);
    let ended = loop {
        tokio::select! {
            result = &mut attempt => match result {
                Ok(connection) => break connected(config, connection, commands, out, fetches).await?,
                Err(why) => break why,
            },
            command = commands.recv() => match command {
                None => return Err(Abandoned),
                Some(LinkCommand::Close) => break closed_here(),
                Some(command) => offline(command, out, fetches).await?,
            },
        }
    };
    let Disconnect { reason, retry } = ended;
    out.say(LinkEvent::Closed { reason, retry }, None).await
}

fn closed_here() -> Disconnect {
    Disconnect::again("the connection was closed here")
}

async fn connected(
    config: &LinkConfig,
    connection: Connection,
    commands: &mut mpsc::Receiver<LinkCommand>,
    out: &Out,
    fetches: &Fetches,
) -> Result<Disconnect, Abandoned> {
    out.say(LinkEvent::Connected, None).await?;
    let live = Arc::new(Live::new(connection.clone()));
    fetches.connected(Some(live.clone()));
    let (requests, wanted) = mpsc::channel(REQUESTS);
    let (guard, mut over) = mpsc::channel(1);
    // Whichever ends first ends the connection; dropped, all of them end.
    let mut tasks = JoinSet::new();
    tasks.spawn(ask_in_order(connection.clone(), wanted, out.clone(), guard.clone()));
    tasks.spawn(take_streams(live, out.clone(), guard));
    tasks.spawn(take_datagrams(connection.clone(), out.clone()));
    let target = &config.target;
    let ended = loop {
        tokio::select! {
            ended = tasks.join_next() => {
                let Some(Ok(Some(garbage))) = ended else { break words(&connection.closed().await, target, true) };
                close(&connection, CloseCode::Garbage, &garbage);
                break Disconnect::again(format!("{target} sent what cannot be read: {garbage}"));
            }
            error = connection.closed() => break words(&error, target, true),
            command = commands.recv() => match command {
                Some(LinkCommand::Close) => break closed_here(),
                Some(LinkCommand::Request { id, frame }) => {
                    if requests.try_send((id, frame)).is_err() {
                        let frame = Err("too many requests wait for the enabler".to_owned());
                        // In a task: the way out may be full, and closing must stay possible.
                        let out = out.clone();
                        tokio::spawn(async move { out.say(LinkEvent::Response { id, frame }, None).await });
                    }
                }
                Some(LinkCommand::Datagram(bytes)) => drop(connection.send_datagram(bytes.into())),
                Some(LinkCommand::Fetch { hash, size, .. }) => fetches.start(hash, size),
                Some(LinkCommand::Connect) => {}
                None => {
                    fetches.connected(None);
                    close(&connection, CloseCode::Bye, "goodbye");
                    let _ = timeout(GOODBYE, connection.closed()).await;
                    return Err(Abandoned);
                }
            },
        }
    };
    close(&connection, CloseCode::Bye, "goodbye");
    fetches.connected(None);
    // Nothing of this connection comes after its end has been told: also what those tasks had started is over then.
    tasks.shutdown().await;
    over.recv().await;
    Ok(ended)
}

/// Opens a stream for each request, in their order: the enabler takes them in the order of their streams.
async fn ask_in_order(
    connection: Connection,
    mut wanted: mpsc::Receiver<Wanted>,
    out: Out,
    guard: Guard,
) -> Option<String> {
    let mut asking = JoinSet::new();
    while let Some((id, frame)) = wanted.recv().await {
        // Waits while the enabler has as many under way as it takes.
        let Ok(streams) = connection.open_bi().await else { break };
        let (out, guard) = (out.clone(), guard.clone());
        asking.spawn(async move {
            let _guard = guard;
            let frame = ask(streams, REQUEST, &frame, MAX_FRAME).await.map_err(|error| error.to_string());
            let held = match &frame {
                Ok(frame) => out.room(frame.len()).await.ok(),
                Err(_) => None,
            };
            let _ = out.say(LinkEvent::Response { id, frame }, held).await;
        });
        while asking.try_join_next().is_some() {}
    }
    connection.closed().await;
    None
}

async fn take_datagrams(connection: Connection, out: Out) -> Option<String> {
    while let Ok(bytes) = connection.read_datagram().await {
        out.offer(LinkEvent::Datagram(bytes.to_vec()));
    }
    None
}

/// Takes the streams that the enabler opens. Says what was wrong with one, where something was.
async fn take_streams(live: Arc<Live>, out: Out, guard: Guard) -> Option<String> {
    let mut reading = JoinSet::new();
    let mut events = false;
    loop {
        tokio::select! {
            stream = live.connection().accept_uni() => {
                let Ok(mut stream) = stream else { return None };
                // The kind comes with the stream's first packet.
                match read_array(&mut stream).await {
                    Ok([EVENTS]) if !events => {
                        events = true;
                        reading.spawn(take_events(stream, out.clone(), guard.clone()));
                    }
                    Ok([CONTENT]) => {
                        let live = live.clone();
                        reading.spawn(async move { give_content(stream, &live).await });
                    }
                    Ok(_) => return Some("a stream of no known kind".to_owned()),
                    Err(FrameError::Lost(_) | FrameError::Truncated) => {}
                    Err(error) => return Some(error.to_string()),
                }
            }
            Some(ended) = reading.join_next() => {
                if let Ok(Some(garbage)) = ended {
                    return Some(garbage);
                }
            }
        }
    }
}

async fn take_events(mut stream: RecvStream, out: Out, _guard: Guard) -> Option<String> {
    loop {
        // Between events there is all the time in the world; inside of one there is not.
        let mut first = [0; 1];
        match stream.read_exact(&mut first).await {
            Ok(()) => {}
            Err(quinn::ReadExactError::FinishedEarly(_)) => return Some("the events end".to_owned()),
            Err(quinn::ReadExactError::ReadError(_)) => return None,
        }
        let frame = async {
            let [b, c, d] = read_array(&mut stream).await?;
            let length = frame_length([first[0], b, c, d], MAX_FRAME)?;
            let held = out.room(length).await;
            Ok((read_body(&mut stream, length).await?, held))
        };
        match frame.await {
            Ok((frame, held)) => out.say(LinkEvent::Event(frame), held.ok()).await.ok()?,
            Err(FrameError::Lost(_)) => return None,
            Err(error) => return Some(error.to_string()),
        }
    }
}

async fn give_content(mut stream: RecvStream, live: &Live) -> Option<String> {
    let head: Result<[u8; ContentHead::LENGTH], _> = read_array(&mut stream).await;
    let head = ContentHead::from_bytes(head.ok()?);
    let hash: ContentHash = head.hash;
    // Nobody waits for it (any more): dropping the stream stops it.
    drop(live.take(hash)?.send((head, stream)));
    None
}
