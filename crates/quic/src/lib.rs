//! QUIC between worlds, twin systems and the enabler.
//!
//! **Does**: gives each program an identity, a self-signed certificate that it keeps ([`Identity`]); makes two
//! of them known to each other with six digits that never cross the wire ([`pair`]); carries
//! [`vestibule_protocol::Link`] over a connection that only the paired enabler can be at the other end of
//! ([`QuicLink`]); fetches content, checked and resumed; listens, with limits to everything that a client can use
//! ([`QuicServer`], [`ServerConnection`]).
//!
//! **Does not**: know what a request means (`vestibule-protocol` does), decide who a fingerprint is or whether a code
//! is out (the enabler does), trust any certificate authority, resume with 0-RTT, hide who talks to whom.
//!
//! A connection: ALPN `vestibule/1`, TLS 1.3, a certificate from both sides. Streams begin with a byte for their kind.
//! Frames are a length (u32, little endian) and so many bytes. The client opens bidirectional streams: a request and
//! its answer each, pairing, the wish for content. The server opens unidirectional ones: one for all events, one for
//! each content (hash, offset, total, bytes). Datagrams are hot state as it is. Whoever sends anything else is cut off
//! with a [`CloseCode`] and words.
//!
//! ```
//! use vestibule_protocol::{Link, LinkCommand, LinkEvent};
//! use vestibule_quic::{Exchange, Identity, LinkConfig, QuicLink, QuicServer, ServerLimits};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let server = QuicServer::bind(([127, 0, 0, 1], 0).into(), &Identity::generate()?, ServerLimits::default())?;
//! let (target, pin) = (server.address().to_string(), server.fingerprint());
//! tokio::spawn(async move {
//!     while let Some(client) = server.accept().await {
//!         while let Ok(stream) = client.accept().await {
//!             if let Ok(Exchange::Request { frame, reply }) = stream.read().await {
//!                 let _ = reply.send(&frame).await;
//!             }
//!         }
//!     }
//! });
//!
//! let config = LinkConfig { target, server: pin, identity: Identity::generate()?, wake: None };
//! let mut link = QuicLink::spawn(&tokio::runtime::Handle::current(), config);
//! link.send(LinkCommand::Connect)?;
//! let answer = loop {
//!     match link.poll() {
//!         Some(LinkEvent::Connected) => link.send(LinkCommand::Request { id: 1, frame: b"echo".to_vec() })?,
//!         Some(LinkEvent::Response { frame, .. }) => break frame?,
//!         Some(LinkEvent::Closed { reason, .. }) => return Err(reason.into()),
//!         _ => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
//!     }
//! };
//! assert_eq!(answer, b"echo");
//! # Ok(()) })
//! # }
//! ```

mod connection;
mod dial;
mod driver;
mod error;
mod fetch;
mod gate;
mod identity;
mod known;
mod link;
mod pairing;
mod server;
mod tls;
mod validity;
mod wire;

/// What reads bytes of a peer, without a connection: for those who throw bytes at it (`cargo xtask fuzz`).
#[doc(hidden)]
pub mod raw {
    pub use crate::{
        pairing::{name_of, proved, yes},
        wire::{ContentHead, fit, frame_length},
    };
}

pub use connection::{ClientStream, EventStream, Exchange, FetchStream, Reply, ServerConnection};
pub use dial::{control, dial};
pub use error::{Disconnect, QuicError};
pub use fetch::MAX_CONTENT;
pub use gate::ServerLimits;
pub use identity::{BadFingerprint, Fingerprint, Identity, IdentityError};
pub use known::{KnownError, KnownServers};
pub use link::{LinkConfig, QuicLink, Wake};
pub use pairing::{PairError, PairProof, PairStream, Paired, pair};
pub use server::QuicServer;
pub use tls::https;
pub use validity::Validity;
pub use wire::{CloseCode, FrameError};
