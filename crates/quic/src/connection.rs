use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use quinn::{Connection, RecvStream, SendStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vestibule_model::ContentHash;
use vestibule_protocol::MAX_FRAME;

use crate::{
    CloseCode, Fingerprint, FrameError, PairStream,
    gate::Place,
    wire::{
        CONTENT, CONTROL, ContentHead, EVENTS, FETCH, PAIR, REQUEST, close, close_words, frame_length, read_array,
        read_body, read_end, within, write, write_frame,
    },
};

/// The longest frame from somebody who is not admitted: a greeting.
const STRANGERS_FRAME: usize = 16 * 1024;
/// Bytes of frames that are being read or answered for one client: two of the longest.
const BUDGET: usize = 2 * MAX_FRAME;
/// Content that is sent to one client at the same time.
const FETCHES: usize = 4;
/// A client that lets us open no stream for so long does not want any.
const OPEN: Duration = Duration::from_secs(10);

/// What all clients are told when the server ends, once it does.
pub(crate) type Farewell = Arc<OnceLock<(CloseCode, String)>>;

/// A client's connection, at the server.
#[derive(Debug)]
pub struct ServerConnection {
    connection: Connection,
    fingerprint: Fingerprint,
    own: Fingerprint,
    admitted: Arc<AtomicBool>,
    budget: Arc<Semaphore>,
    fetches: Arc<Semaphore>,
    farewell: Farewell,
    place: Place,
}

impl Drop for ServerConnection {
    /// quinn tells connections of the endpoint's end one after the other; whoever lets go of one meanwhile would
    /// otherwise close it without a word.
    fn drop(&mut self) {
        if let Some((code, words)) = self.farewell.get() {
            close(&self.connection, *code, words);
        }
    }
}

impl ServerConnection {
    pub(crate) fn new(
        connection: Connection,
        fingerprint: Fingerprint,
        own: Fingerprint,
        farewell: Farewell,
        place: Place,
    ) -> Self {
        Self {
            connection,
            fingerprint,
            own,
            admitted: Arc::default(),
            budget: Arc::new(Semaphore::new(BUDGET)),
            fetches: Arc::new(Semaphore::new(FETCHES)),
            farewell,
            place,
        }
    }

    /// Who it is.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Where it is.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.connection.remote_address()
    }

    /// Whether it is the server's own program: it has the server's certificate and key.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.fingerprint == self.own
    }

    /// The client is known: it keeps its place, and from now on its frames may be as long as frames can be.
    pub fn admit(&self) {
        self.place.admit();
        self.admitted.store(true, Ordering::Release);
    }

    /// Whether [`admit`](Self::admit) was called.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.admitted.load(Ordering::Acquire)
    }

    /// The next stream that the client opens, in the order in which it opens them.
    ///
    /// # Errors
    /// Why the connection ended, in words.
    pub async fn accept(&self) -> Result<ClientStream, String> {
        let (send, recv) = self.connection.accept_bi().await.map_err(|error| ended(&error))?;
        Ok(ClientStream {
            send,
            recv,
            limit: if self.is_admitted() { MAX_FRAME } else { STRANGERS_FRAME },
            budget: self.budget.clone(),
            fetches: self.fetches.clone(),
            connection: self.connection.clone(),
            client: self.fingerprint,
            own: self.own,
        })
    }

    /// Opens the stream of events.
    ///
    /// # Errors
    /// [`FrameError`] where the client lets nobody open it.
    pub async fn events(&self) -> Result<EventStream, FrameError> {
        let mut stream = open(&self.connection).await?;
        // Before content: what happens matters more than how it looks.
        let _ = stream.set_priority(1);
        write(&mut stream, &[EVENTS]).await?;
        Ok(EventStream { stream })
    }

    /// Sends a datagram, which may be lost. What is too long for the path is dropped and written to the log.
    pub fn send_datagram(&self, bytes: Vec<u8>) {
        if let Err(error) = self.connection.send_datagram(bytes.into()) {
            tracing::debug!(client = %self.remote(), %error, "no datagram");
        }
    }

    /// The next datagram.
    ///
    /// # Errors
    /// Why the connection ended, in words.
    pub async fn read_datagram(&self) -> Result<Bytes, String> {
        self.connection.read_datagram().await.map_err(|error| ended(&error))
    }

    /// Ends the connection with words for a person.
    pub fn close(&self, code: CloseCode, words: &str) {
        close(&self.connection, code, words);
    }

    /// Waits for the end of the connection and says why it came.
    pub async fn closed(&self) -> String {
        ended(&self.connection.closed().await)
    }
}

fn ended(error: &quinn::ConnectionError) -> String {
    match error {
        quinn::ConnectionError::ApplicationClosed(close) => close_words(close),
        error => error.to_string(),
    }
}

async fn open(connection: &Connection) -> Result<SendStream, FrameError> {
    within(OPEN, connection.open_uni()).await?.map_err(|error| FrameError::Lost(error.to_string()))
}

/// A stream that a client opened and that has not been read yet.
#[derive(Debug)]
pub struct ClientStream {
    send: SendStream,
    recv: RecvStream,
    limit: usize,
    budget: Arc<Semaphore>,
    fetches: Arc<Semaphore>,
    connection: Connection,
    client: Fingerprint,
    own: Fingerprint,
}

/// What a client wants on a stream.
#[derive(Debug)]
pub enum Exchange {
    /// One request, one answer.
    Request {
        /// An encoded [`Request`](vestibule_protocol::Request).
        frame: Vec<u8>,
        /// Where the answer goes.
        reply: Reply,
    },
    /// The enabler's own program asks something; nobody else can.
    Control {
        /// The question.
        frame: Vec<u8>,
        /// Where the answer goes.
        reply: Reply,
    },
    /// Somebody wants to prove a pairing code.
    Pair(PairStream),
    /// Content is wanted.
    Fetch(FetchStream),
}

impl ClientStream {
    /// Reads what the client wants. Times out where it is slow, and holds no more memory than a client may use.
    ///
    /// # Errors
    /// [`FrameError`]; the connection is of no use after it.
    pub async fn read(mut self) -> Result<Exchange, FrameError> {
        let [kind] = read_array(&mut self.recv).await?;
        match kind {
            REQUEST => {
                let (frame, reply) = self.frame().await?;
                Ok(Exchange::Request { frame, reply })
            }
            CONTROL if self.client == self.own => {
                let (frame, reply) = self.frame().await?;
                Ok(Exchange::Control { frame, reply })
            }
            PAIR => {
                let Self { connection, client, own, send, recv, .. } = self;
                Ok(Exchange::Pair(PairStream { connection, client, server: own, send, recv }))
            }
            FETCH => {
                let length = frame_length(read_array(&mut self.recv).await?, ContentHead::LENGTH)?;
                if length != ContentHead::LENGTH {
                    return Err(FrameError::Garbage("no content request"));
                }
                let wanted = ContentHead::from_bytes(read_array(&mut self.recv).await?);
                read_end(&mut self.recv).await?;
                let Self { send, fetches, connection, .. } = self;
                Ok(Exchange::Fetch(FetchStream { send, wanted, fetches, connection }))
            }
            _ => Err(FrameError::Garbage("a stream of no known kind")),
        }
    }

    async fn frame(mut self) -> Result<(Vec<u8>, Reply), FrameError> {
        let length = frame_length(read_array(&mut self.recv).await?, self.limit)?;
        // Waits while the client's other frames take what it may use; they end, answered or timed out.
        let cost = u32::try_from(length).unwrap_or(u32::MAX);
        let held = self.budget.acquire_many_owned(cost).await.map_err(|error| FrameError::Lost(error.to_string()))?;
        let frame = read_body(&mut self.recv, length).await?;
        read_end(&mut self.recv).await?;
        Ok((frame, Reply { send: self.send, _held: held }))
    }
}

/// Where an answer goes. Dropped, the client learns that there is none.
#[derive(Debug)]
pub struct Reply {
    send: SendStream,
    _held: OwnedSemaphorePermit,
}

impl Reply {
    /// Answers.
    ///
    /// # Errors
    /// [`FrameError`] where the client is gone or does not read.
    pub async fn send(mut self, frame: &[u8]) -> Result<(), FrameError> {
        write_frame(&mut self.send, frame).await?;
        // Fails only where the client has stopped it.
        let _ = self.send.finish();
        Ok(())
    }
}

/// The stream of events: reliable, in order.
#[derive(Debug)]
pub struct EventStream {
    stream: SendStream,
}

impl EventStream {
    /// Sends an encoded [`Event`](vestibule_protocol::Event).
    ///
    /// # Errors
    /// [`FrameError::TooSlow`] where the client does not read, [`FrameError::Lost`] where it is gone.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        write_frame(&mut self.stream, frame).await
    }
}

/// A client wants content.
#[derive(Debug)]
pub struct FetchStream {
    send: SendStream,
    wanted: ContentHead,
    fetches: Arc<Semaphore>,
    connection: Connection,
}

impl FetchStream {
    /// Which content.
    #[must_use]
    pub const fn hash(&self) -> ContentHash {
        self.wanted.hash
    }

    /// From which byte on: what came before a loss is not sent again.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.wanted.offset
    }

    /// Sends the content, or says that there is none for this client.
    ///
    /// # Errors
    /// [`FrameError`] where the client is gone or does not read.
    pub async fn answer(mut self, content: Option<Bytes>) -> Result<(), FrameError> {
        let total = content.as_ref().map_or(0, |content| content.len() as u64);
        let rest = content.and_then(|content| {
            let from = usize::try_from(self.wanted.offset).ok().filter(|&from| from <= content.len())?;
            Some(content.slice(from..))
        });
        let mut answer = [0; 9];
        answer[0] = u8::from(rest.is_some());
        answer[1..].copy_from_slice(&total.to_le_bytes());
        let Some(rest) = rest.filter(|_| total <= self.wanted.total) else {
            // No content, or more than the client takes: the total tells which.
            return self.finish(answer).await;
        };
        let turn = self.fetches.clone().acquire_owned().await.map_err(|error| FrameError::Lost(error.to_string()))?;
        let mut stream = open(&self.connection).await?;
        let _ = stream.set_priority(-1);
        let head = ContentHead { total, ..self.wanted };
        self.finish(answer).await?;
        write(&mut stream, &[&[CONTENT], head.to_bytes().as_slice()].concat()).await?;
        write(&mut stream, &rest).await?;
        let _ = stream.finish();
        drop(turn);
        Ok(())
    }

    async fn finish(&mut self, answer: [u8; 9]) -> Result<(), FrameError> {
        write(&mut self.send, &answer).await?;
        let _ = self.send.finish();
        Ok(())
    }
}
