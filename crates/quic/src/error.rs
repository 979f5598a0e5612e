use std::{io, net::SocketAddr};

use thiserror::Error;

use crate::wire::FrameError;

/// Why a connection or a server could not be made or used.
#[derive(Debug, Error)]
pub enum QuicError {
    /// The address is taken.
    #[error("{0} is in use: another enabler, or another program, listens there")]
    InUse(SocketAddr),
    /// No socket.
    #[error("cannot open a UDP socket on {addr}: {source}")]
    Socket {
        /// Where.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The key or certificate cannot be used.
    #[error("cannot use this identity: {0}")]
    Identity(#[from] rustls::Error),
    /// Limits that QUIC does not know.
    #[error("cannot set QUIC up: {0}")]
    Setup(String),
    /// No connection.
    #[error("{0}")]
    Connect(Disconnect),
    /// A stream broke, or brought something else.
    #[error("{0}")]
    Stream(#[from] FrameError),
}

/// Why there is no connection (any more), in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Disconnect {
    /// For a person.
    pub reason: String,
    /// Whether trying again can help.
    pub retry: bool,
}

impl Disconnect {
    pub(crate) fn again(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: true }
    }

    pub(crate) fn never(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: false }
    }
}

/// TLS alert 120, no_application_protocol, as QUIC's transport error.
const NO_PROTOCOL: u64 = 0x100 + 120;

/// What went wrong with a connection to `target`, for a person.
pub(crate) fn words(error: &quinn::ConnectionError, target: &str, established: bool) -> Disconnect {
    use quinn::ConnectionError as E;
    match error {
        E::VersionMismatch => Disconnect::never(format!("{target} speaks another version of QUIC")),
        E::TransportError(error) if u64::from(error.code) == NO_PROTOCOL => other_protocol(target),
        E::ConnectionClosed(close) if u64::from(close.error_code) == NO_PROTOCOL => other_protocol(target),
        E::ConnectionClosed(close) if close.error_code == quinn::TransportErrorCode::CONNECTION_REFUSED => {
            Disconnect::again(format!("{target} takes no more connections at the moment"))
        }
        E::TransportError(error) => Disconnect::again(format!("the connection to {target} broke: {error}")),
        E::ConnectionClosed(close) => Disconnect::again(format!("{target} ended the connection: {close}")),
        E::ApplicationClosed(close) => Disconnect::again(crate::wire::close_words(close)),
        E::Reset => Disconnect::again(format!("{target} knows this connection no more; it may have started anew")),
        E::TimedOut if established => Disconnect::again(format!("{target} does not answer any more")),
        E::TimedOut => nobody(target),
        E::LocallyClosed => Disconnect::again("the connection was closed here"),
        E::CidsExhausted => Disconnect::again("too many connections from here"),
    }
}

pub(crate) fn nobody(target: &str) -> Disconnect {
    Disconnect::again(format!("nobody answers at {target}: is the enabler running, and does a firewall let UDP pass?"))
}

fn other_protocol(target: &str) -> Disconnect {
    Disconnect::never(format!("{target} is no enabler, or one of another generation: it does not speak vestibule/1"))
}
