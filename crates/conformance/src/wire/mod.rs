//! How parties reach an enabler: each row is written once and played over any of these.

mod http;
mod quic;

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use vestibule_model::{BlobRef, Refusal};
use vestibule_protocol::{Interest, Party, Request, Response, Welcome};
use vestibule_quic::Identity;

pub use http::{Http, Trust};
pub(crate) use http::{Raw, Sent, Stream};
pub use quic::Quic;

use crate::Notes;

/// What an enabler says to a question: the answer, or a refusal.
pub type Answer = Result<Response, Refusal>;

/// What makes a party the one that was paired.
#[derive(Clone)]
pub enum Key {
    /// A certificate with its key (QUIC).
    Certificate(Box<Identity>),
    /// A bearer token (HTTP).
    Token(Arc<str>),
}

/// What a party wants to be on a connection.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which part it takes.
    pub party: Party,
    /// Which twins a metaverse system wants to hear of.
    pub interest: Interest,
}

/// A party's connection.
pub struct Connected {
    /// To ask and to listen.
    pub wire: Arc<dyn Wire>,
    /// How the enabler greeted.
    pub welcome: Welcome,
    /// When it did, by the clock of this machine.
    pub at: Instant,
}

/// A party's way to the enabler.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Asks, and waits for the answer.
    async fn ask(&self, request: Request) -> Answer;

    /// Fetches content by its hash.
    ///
    /// # Errors
    /// Why there is none, in words.
    async fn fetch(&self, blob: &BlobRef) -> Result<Vec<u8>, String>;

    /// What was heard.
    fn notes(&self) -> &Notes;
}

/// A way for many parties to one enabler.
#[async_trait]
pub trait Transport: Send + Sync {
    /// What it is called in reports: `quic://host:port`.
    fn name(&self) -> String;

    /// The enabler over HTTP, where this is a way to it: some rows are about HTTP itself.
    fn http(&self) -> Option<&Http> {
        None
    }

    /// Pairs one more device.
    ///
    /// # Errors
    /// What the enabler said instead, in words.
    async fn pair(&self, code: &str, name: &str) -> Result<Key, String>;

    /// A key that the enabler has never seen.
    ///
    /// # Errors
    /// Why there is none.
    fn stranger(&self) -> Result<Key, String>;

    /// Connects somebody.
    ///
    /// # Errors
    /// Why there is no connection, in words.
    async fn connect(&self, key: &Key, part: Part) -> Result<Connected, String>;
}
