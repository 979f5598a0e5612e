//! What goes over streams: kinds, frames, reasons for closing.

use std::time::Duration;

use quinn::{RecvStream, SendStream, VarInt};
use thiserror::Error;
use tokio::time::timeout;
use vestibule_model::ContentHash;

/// First byte of a stream that the client opens: one request, one answer.
pub(crate) const REQUEST: u8 = 0;
/// First byte of a stream that the client opens: pairing.
pub(crate) const PAIR: u8 = 1;
/// First byte of a stream that the client opens: content is wanted.
pub(crate) const FETCH: u8 = 2;
/// First byte of a stream that the client opens: the enabler's own program asks something.
pub(crate) const CONTROL: u8 = 3;

/// First byte of a stream that the server opens: events.
pub(crate) const EVENTS: u8 = 0;
/// First byte of a stream that the server opens: content.
pub(crate) const CONTENT: u8 = 1;

/// A frame may rest so long; and it must come with at least [`SLOWEST`] bytes a second.
const FRAME_PAUSE: Duration = Duration::from_secs(10);
/// Bytes a second: a bad mobile network. Whoever is slower holds memory for nothing.
const SLOWEST: usize = 16 * 1024;
/// Read at once; a frame's buffer grows with what has come, never with what was promised.
const CHUNK: usize = 64 * 1024;

/// Why no frame came.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Longer than allowed.
    #[error("a frame of {length} bytes came, {limit} are allowed")]
    TooLong {
        /// Bytes announced.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// It stopped in the middle.
    #[error("a frame broke off")]
    Truncated,
    /// It came too slowly.
    #[error("a frame came too slowly")]
    TooSlow,
    /// Bytes that mean nothing here.
    #[error("unexpected bytes: {0}")]
    Garbage(&'static str),
    /// The stream or the connection ended.
    #[error("the connection ended: {0}")]
    Lost(String),
}

/// Why a side closes a connection; the words that come with it say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum CloseCode {
    /// It is done.
    Bye = 0,
    /// The peer sent what cannot be read.
    Garbage = 1,
    /// The peer reads or writes too slowly.
    TooSlow = 2,
    /// Too much at once.
    Overloaded = 3,
    /// This side shuts down.
    ShuttingDown = 4,
    /// Nobody knows the peer, and it did not pair in time.
    Unknown = 5,
    /// The enabler decided so.
    Decided = 6,
}

impl CloseCode {
    pub(crate) fn var(self) -> VarInt {
        VarInt::from_u32(self as u32)
    }
}

/// The most bytes of words in a close: fits one packet with its headers.
const CLOSE_WORDS: usize = 256;

pub(crate) fn close(connection: &quinn::Connection, code: CloseCode, words: &str) {
    let cut = (0..=CLOSE_WORDS.min(words.len())).rev().find(|&at| words.is_char_boundary(at)).unwrap_or_default();
    connection.close(code.var(), &words.as_bytes()[..cut]);
}

/// The peer's words for closing, made fit for a person: they come from outside.
pub(crate) fn close_words(close: &quinn::ApplicationClose) -> String {
    let words = fit(&close.reason);
    if words.is_empty() { format!("the other side closed the connection ({})", close.error_code) } else { words }
}

/// Words from outside, as many as a person reads, without what is no word.
#[must_use]
pub fn fit(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(256).collect()
}

/// Lets something take `limit` at the most.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, FrameError> {
    timeout(limit, work).await.map_err(|_| FrameError::TooSlow)
}

fn read_failed(error: &quinn::ReadExactError) -> FrameError {
    match error {
        quinn::ReadExactError::FinishedEarly(_) | quinn::ReadExactError::ReadError(quinn::ReadError::Reset(_)) => {
            FrameError::Truncated
        }
        quinn::ReadExactError::ReadError(error) => FrameError::Lost(error.to_string()),
    }
}

/// A fixed number of bytes that must come now.
pub(crate) async fn read_array<const N: usize>(stream: &mut RecvStream) -> Result<[u8; N], FrameError> {
    let mut bytes = [0; N];
    within(FRAME_PAUSE, stream.read_exact(&mut bytes)).await?.map_err(|error| read_failed(&error))?;
    Ok(bytes)
}

/// A frame that must come now: its length has begun, or the peer was asked.
pub(crate) async fn read_frame(stream: &mut RecvStream, limit: usize) -> Result<Vec<u8>, FrameError> {
    let length = frame_length(read_array(stream).await?, limit)?;
    read_body(stream, length).await
}

/// The length in a frame's first four bytes.
///
/// # Errors
/// [`FrameError::TooLong`] where it is more than `limit`.
pub fn frame_length(prefix: [u8; 4], limit: usize) -> Result<usize, FrameError> {
    let length = usize::try_from(u32::from_le_bytes(prefix)).unwrap_or(usize::MAX);
    if length > limit { Err(FrameError::TooLong { length, limit }) } else { Ok(length) }
}

/// The rest of a frame after its length.
pub(crate) async fn read_body(stream: &mut RecvStream, length: usize) -> Result<Vec<u8>, FrameError> {
    let allowed = FRAME_PAUSE + Duration::from_secs((length / SLOWEST) as u64);
    let body = async {
        let mut bytes = Vec::with_capacity(length.min(CHUNK));
        while bytes.len() < length {
            match within(FRAME_PAUSE, stream.read_chunk((length - bytes.len()).min(CHUNK), true)).await? {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk.bytes),
                Ok(None) | Err(quinn::ReadError::Reset(_)) => return Err(FrameError::Truncated),
                Err(error) => return Err(FrameError::Lost(error.to_string())),
            }
        }
        Ok(bytes)
    };
    within(allowed, body).await?
}

/// Nothing may follow.
pub(crate) async fn read_end(stream: &mut RecvStream) -> Result<(), FrameError> {
    match within(FRAME_PAUSE, stream.read_chunk(1, true)).await? {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(FrameError::Garbage("a stream goes on after its frame")),
        Err(quinn::ReadError::Reset(_)) => Err(FrameError::Truncated),
        Err(error) => Err(FrameError::Lost(error.to_string())),
    }
}

/// Writes bytes to whoever reads them at least as fast as [`SLOWEST`].
pub(crate) async fn write(stream: &mut SendStream, bytes: &[u8]) -> Result<(), FrameError> {
    for chunk in bytes.chunks(CHUNK) {
        let lost = |error: quinn::WriteError| FrameError::Lost(error.to_string());
        within(FRAME_PAUSE, stream.write_all(chunk)).await?.map_err(lost)?;
    }
    Ok(())
}

/// Writes a frame.
pub(crate) async fn write_frame(stream: &mut SendStream, frame: &[u8]) -> Result<(), FrameError> {
    let length = u32::try_from(frame.len())
        .map_err(|_| FrameError::TooLong { length: frame.len(), limit: u32::MAX as usize })?;
    let mut head = Vec::with_capacity(4 + frame.len().min(CHUNK));
    head.extend_from_slice(&length.to_le_bytes());
    // Small frames go in one piece.
    if frame.len() < CHUNK {
        head.extend_from_slice(frame);
        return write(stream, &head).await;
    }
    write(stream, &head).await?;
    write(stream, frame).await
}

/// What a client asks for on a fetching stream, and what stands before content: the hash and two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHead {
    /// Which content.
    pub hash: ContentHash,
    /// From which byte on.
    pub offset: u64,
    /// All bytes of the content; in a request the most that the client takes.
    pub total: u64,
}

impl ContentHead {
    /// Bytes that it takes.
    pub const LENGTH: usize = 48;

    /// As it is sent.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..32].copy_from_slice(&self.hash.0);
        bytes[32..40].copy_from_slice(&self.offset.to_le_bytes());
        bytes[40..].copy_from_slice(&self.total.to_le_bytes());
        bytes
    }

    /// As it comes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(&bytes[..32]);
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(number)
        };
        Self { hash: ContentHash(hash), offset: number(32), total: number(40) }
    }
}
