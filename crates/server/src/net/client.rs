//! One client's connection: streams to requests, the hub's news to streams and datagrams.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinSet, time::sleep};
use vestibule_model::{Refusal, RefusalCode};
use vestibule_protocol::{Event, Party, Request, Response, decode, encode};
use vestibule_quic::{ClientStream, CloseCode, Exchange, FrameError, Reply, ServerConnection};

use super::{
    Shared,
    turns::{Turn, Turns},
};
use crate::{Outgoing, Peer, SessionHandle, ops::metrics};

/// Somebody whom nobody knows may stay so long: to pair. Then their place is for others.
const STRANGER: Duration = Duration::from_secs(60);

/// Events that wait for a slow network; then the hub's own queue fills, and it resynchronizes.
const EVENTS: usize = 64;

struct Client {
    connection: ServerConnection,
    session: SessionHandle,
    shared: Arc<Shared>,
    /// Systems' messages follow from each other: they are taken in the order in which they were sent. People's
    /// requests do not, and a slow one holds nobody up.
    in_order: AtomicBool,
}

/// Serves a client until its connection ends; says why it ended.
pub(super) async fn serve(connection: ServerConnection, shared: Arc<Shared>) -> String {
    let (session, outgoing) = match shared.hub.open(Peer::Certificate(connection.fingerprint().0)).await {
        Ok(opened) => opened,
        Err(error) => {
            connection.close(CloseCode::Overloaded, &error.to_string());
            return error.to_string();
        }
    };
    let _counted = metrics::Connected::over("quic");
    let client = Arc::new(Client { connection, session, shared, in_order: AtomicBool::new(false) });
    let mut parts = JoinSet::new();
    parts.spawn(streams(client.clone()));
    parts.spawn(tell(client.clone(), outgoing));
    parts.spawn(datagrams(client.clone()));
    parts.spawn(strangers(client.clone()));
    // Each part ends only with the connection, or ends it.
    let why = parts.join_next().await;
    parts.shutdown().await;
    why.and_then(Result::ok).unwrap_or_else(|| "a part of the connection broke".to_owned())
}

impl Client {
    fn end(&self, code: CloseCode, words: &str) -> String {
        self.connection.close(code, words);
        words.to_owned()
    }

    /// Ends the connection where the client did what clients must not do.
    fn judge(&self, error: &FrameError) {
        match error {
            // A stream that the client gave up, or a connection that is gone: nobody's fault.
            FrameError::Truncated | FrameError::Lost(_) => {}
            FrameError::TooSlow => self.connection.close(CloseCode::TooSlow, &error.to_string()),
            FrameError::TooLong { .. } | FrameError::Garbage(_) => {
                tracing::warn!(client = %self.connection.remote(), %error, "cut off");
                self.connection.close(CloseCode::Garbage, &error.to_string());
            }
        }
    }
}

async fn streams(client: Arc<Client>) -> String {
    // As many as QUIC lets the client open: each keeps its place until it is answered.
    let mut exchanges = JoinSet::new();
    let mut turns = Turns::default();
    loop {
        tokio::select! {
            stream = client.connection.accept() => match stream {
                Ok(stream) => {
                    let (client, turn) = (client.clone(), turns.next());
                    exchanges.spawn(async move {
                        if let Err(error) = exchange(&client, stream, turn).await {
                            client.judge(&error);
                        }
                    });
                }
                Err(why) => return why,
            },
            Some(_) = exchanges.join_next() => {}
        }
    }
}

async fn exchange(client: &Client, stream: ClientStream, turn: Turn) -> Result<(), FrameError> {
    match stream.read().await? {
        Exchange::Request { frame, reply } => request(client, &frame, reply, turn).await,
        Exchange::Pair(stream) => {
            drop(turn);
            client.shared.desk.pair(stream, &client.shared.hub, &client.session).await
        }
        Exchange::Fetch(fetch) => {
            drop(turn);
            let content = client.session.content(fetch.hash()).await;
            fetch.answer(content).await
        }
        Exchange::Control { .. } => Err(FrameError::Garbage("only the enabler's own program asks so")),
    }
}

async fn request(client: &Client, frame: &[u8], reply: Reply, turn: Turn) -> Result<(), FrameError> {
    let request: Request = decode(frame).map_err(|_| FrameError::Garbage("a request that cannot be read"))?;
    let greets = match &request {
        Request::Hello(hello) => Some(hello.party),
        _ => None,
    };
    let response = match request {
        Request::Pair { .. } => refused("a code is never sent: pair over a stream for it"),
        request if client.in_order.load(Ordering::Acquire) => turn.begin(client.session.request(request)).await,
        request => {
            drop(turn);
            client.session.request(request).await
        }
    };
    if let (Some(party), Response::Welcome(welcome)) = (greets, &response) {
        client.in_order.store(party != Party::Metaverse, Ordering::Release);
        if welcome.user.is_some() {
            client.connection.admit();
        }
    }
    // Whoever bears a token is somebody, with or without a known device.
    if matches!(response, Response::Me(_)) {
        client.connection.admit();
    }
    let frame = encode(&response).or_else(|error| encode(&refused(&error.to_string())));
    reply.send(&frame.unwrap_or_default()).await
}

fn refused(words: &str) -> Response {
    Response::Refused(Refusal::new(RefusalCode::Invalid, words))
}

/// Passes on what the hub says. Events go through a queue of their own: hot state never waits behind them.
async fn tell(client: Arc<Client>, mut outgoing: mpsc::Receiver<Outgoing>) -> String {
    let (events, queue) = mpsc::channel(EVENTS);
    let mut writer = pin!(write_events(&client, queue));
    loop {
        let news = tokio::select! {
            news = outgoing.recv() => news,
            error = &mut writer => return client.end(CloseCode::TooSlow, &format!("events are not read: {error}")),
        };
        match news {
            Some(Outgoing::Event(event)) => tokio::select! {
                // Fails only with the writer.
                _ = events.send(event) => {}
                error = &mut writer => return client.end(CloseCode::TooSlow, &format!("events are not read: {error}")),
            },
            Some(Outgoing::Datagram(bytes)) => {
                metrics::datagram();
                client.connection.send_datagram(bytes);
            }
            Some(Outgoing::Close(words)) => return client.end(CloseCode::Decided, &words),
            None => return client.end(CloseCode::ShuttingDown, super::GOODBYE),
        }
    }
}

/// Writes events until the client is gone or does not read.
async fn write_events(client: &Client, mut queue: mpsc::Receiver<Box<Event>>) -> FrameError {
    let mut opened = None;
    while let Some(event) = queue.recv().await {
        let Ok(frame) = encode(&event) else {
            tracing::error!("an event longer than a frame was left out");
            continue;
        };
        let stream = match &mut opened {
            Some(stream) => stream,
            None => match client.connection.events().await {
                Ok(stream) => opened.insert(stream),
                Err(error) => return error,
            },
        };
        if let Err(error) = stream.send(&frame).await {
            return error;
        }
    }
    FrameError::Lost("nobody tells any more".to_owned())
}

async fn datagrams(client: Arc<Client>) -> String {
    loop {
        match client.connection.read_datagram().await {
            Ok(bytes) => client.session.datagram(bytes.to_vec()),
            Err(why) => return why,
        }
    }
}

async fn strangers(client: Arc<Client>) -> String {
    sleep(STRANGER).await;
    if client.connection.is_admitted() {
        return client.connection.closed().await;
    }
    client.end(CloseCode::Unknown, "this device is not known to the enabler: pair it with a code")
}
