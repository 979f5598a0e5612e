use thiserror::Error;
use vestibule_model::ContentHash;

/// What a session wants its link to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkCommand {
    /// Connect. Answered by [`LinkEvent::Connected`] or [`LinkEvent::Closed`].
    Connect,
    /// Open a bidirectional stream, send one frame, wait for one.
    Request {
        /// Comes back with the answer.
        id: u64,
        /// An encoded [`Request`](crate::Request).
        frame: Vec<u8>,
    },
    /// Send a datagram; it may be lost.
    Datagram(Vec<u8>),
    /// Fetch content by its hash; the link resumes after losses, checks the hash and refuses more than `size` bytes.
    Fetch {
        /// What it hashes to.
        hash: ContentHash,
        /// How many bytes it has.
        size: u64,
        /// Whether a link with a disk may keep it for the next time: models, never what a camera saw.
        keep: bool,
    },
    /// Close.
    Close,
}

/// What a link tells its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// There is a connection.
    Connected,
    /// The answer to a request.
    Response {
        /// The request.
        id: u64,
        /// An encoded [`Response`](crate::Response), or why there is none.
        frame: Result<Vec<u8>, String>,
    },
    /// A frame of the subscription's stream: an encoded [`Event`](crate::Event).
    Event(Vec<u8>),
    /// A datagram.
    Datagram(Vec<u8>),
    /// Content that was fetched.
    Content {
        /// Its hash.
        hash: ContentHash,
        /// The bytes, or why there are none.
        bytes: Result<Vec<u8>, String>,
    },
    /// The connection ended, or could not be made.
    Closed {
        /// For a person.
        reason: String,
        /// Whether trying again can help: not where the peer is the wrong one.
        retry: bool,
    },
}

/// The link's queue is full: ask again in the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the link is busy")]
pub struct LinkBusy;

/// A way to the enabler that never blocks: QUIC in production, a pair of queues in tests.
pub trait Link: Send + 'static {
    /// Takes a command, or says that its queue is full.
    ///
    /// # Errors
    /// [`LinkBusy`]; the command was not taken.
    fn send(&mut self, command: LinkCommand) -> Result<(), LinkBusy>;

    /// The next thing that happened.
    fn poll(&mut self) -> Option<LinkEvent>;
}
