#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{runtime::Handle, time::sleep};
use vestibule_model::ContentHash;
use vestibule_protocol::{Link, LinkCommand, LinkEvent};
use vestibule_quic::*;

/// A server that does what a request's first byte says: E echo, V that many events, D a datagram back, X close,
/// S nothing for ever.
pub struct Bench {
    pub server: Arc<QuicServer>,
    pub identity: Identity,
    pub contents: Arc<Mutex<HashMap<ContentHash, Bytes>>>,
    /// Offsets that were asked for.
    pub offsets: Arc<Mutex<Vec<u64>>>,
    /// Connections closed because of what the client sent, with the words.
    pub garbage: Arc<Mutex<Vec<String>>>,
    pub accepted: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Bench {
    pub fn start() -> Self {
        Self::on(([127, 0, 0, 1], 0).into(), Identity::generate().unwrap())
    }

    pub fn on(addr: SocketAddr, identity: Identity) -> Self {
        Self::with(addr, identity, ServerLimits::default())
    }

    pub fn with(addr: SocketAddr, identity: Identity, limits: ServerLimits) -> Self {
        let server = Arc::new(QuicServer::bind(addr, &identity, limits).unwrap());
        let contents: Arc<Mutex<HashMap<_, _>>> = Arc::default();
        let (offsets, garbage): (Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>) = Default::default();
        let accepted: Arc<AtomicUsize> = Arc::default();
        let parts = (contents.clone(), offsets.clone(), garbage.clone());
        let (listening, count) = (server.clone(), accepted.clone());
        let task = tokio::spawn(async move {
            while let Some(client) = listening.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(Arc::new(client), parts.clone()));
            }
        });
        Self { server, identity, contents, offsets, garbage, accepted, task }
    }

    pub fn link(&self) -> QuicLink {
        link(self.server.address(), self.server.fingerprint())
    }

    pub fn put(&self, bytes: Vec<u8>) -> (ContentHash, u64) {
        let (hash, size) = (ContentHash::of(&bytes), bytes.len() as u64);
        self.contents.lock().unwrap().insert(hash, bytes.into());
        (hash, size)
    }

    /// Without a word, as a killed process does: the socket stays bound until everything is dropped.
    pub fn kill(self) {
        self.task.abort();
    }
}

type Parts = (Arc<Mutex<HashMap<ContentHash, Bytes>>>, Arc<Mutex<Vec<u64>>>, Arc<Mutex<Vec<String>>>);

async fn serve(client: Arc<ServerConnection>, (contents, offsets, garbage): Parts) {
    client.admit();
    let datagrams = client.clone();
    tokio::spawn(async move {
        while let Ok(bytes) = datagrams.read_datagram().await {
            datagrams.send_datagram(bytes.to_vec());
        }
    });
    while let Ok(stream) = client.accept().await {
        let (client, contents, offsets, garbage) = (client.clone(), contents.clone(), offsets.clone(), garbage.clone());
        tokio::spawn(async move {
            let result = match stream.read().await {
                Ok(Exchange::Request { frame, reply }) => request(&client, frame, reply).await,
                Ok(Exchange::Control { frame, reply }) => reply.send(&frame).await,
                Ok(Exchange::Pair(stream)) => stream.refuse("no code is out").await,
                Ok(Exchange::Fetch(fetch)) => {
                    offsets.lock().unwrap().push(fetch.offset());
                    let content = contents.lock().unwrap().get(&fetch.hash()).cloned();
                    fetch.answer(content).await
                }
                Err(error) => Err(error),
            };
            match result {
                Err(FrameError::Lost(_)) | Ok(()) => {}
                Err(error) => {
                    let code = if error == FrameError::TooSlow { CloseCode::TooSlow } else { CloseCode::Garbage };
                    client.close(code, &error.to_string());
                    garbage.lock().unwrap().push(error.to_string());
                }
            }
        });
    }
}

async fn request(client: &ServerConnection, frame: Vec<u8>, reply: Reply) -> Result<(), FrameError> {
    match frame.first() {
        Some(b'V') => {
            let mut events = client.events().await?;
            for number in 0..u32::from_le_bytes(frame[1..5].try_into().unwrap()) {
                // Of all lengths.
                let mut event = number.to_le_bytes().to_vec();
                event.resize(4 + (number as usize * 37) % 3000, 0);
                events.send(&event).await?;
            }
            reply.send(b"done").await?;
            // The stream lives as long as the connection.
            client.closed().await;
            Ok(())
        }
        Some(b'X') => {
            client.close(CloseCode::Decided, "the owner said so");
            Ok(())
        }
        Some(b'S') => {
            client.closed().await;
            drop(reply);
            Ok(())
        }
        _ => reply.send(&frame).await,
    }
}

pub fn link(addr: SocketAddr, server: Fingerprint) -> QuicLink {
    let config = LinkConfig { target: addr.to_string(), server, identity: Identity::generate().unwrap(), wake: None };
    QuicLink::spawn(&Handle::current(), config)
}

pub async fn next_within(link: &mut QuicLink, limit: Duration) -> Option<LinkEvent> {
    let until = Instant::now() + limit;
    loop {
        if let Some(event) = link.poll() {
            return Some(event);
        }
        if Instant::now() > until {
            return None;
        }
        sleep(Duration::from_millis(2)).await;
    }
}

pub async fn next(link: &mut QuicLink) -> LinkEvent {
    next_within(link, Duration::from_secs(20)).await.expect("nothing happened")
}

pub async fn connect(link: &mut QuicLink) {
    link.send(LinkCommand::Connect).unwrap();
    assert_eq!(next(link).await, LinkEvent::Connected);
}

pub fn request_of(id: u64, frame: &[u8]) -> LinkCommand {
    LinkCommand::Request { id, frame: frame.to_vec() }
}
