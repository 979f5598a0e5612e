//! Who speaks: a certificate that was paired, or an adapter of this very process.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
pub use vestibule_model::Fingerprint;
use vestibule_model::{Login, RoleId, SystemId, Timestamp, UserId};
use vestibule_protocol::Party;

use crate::Grant;

/// Who a connection is, proven before anything was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Holds the key of this certificate.
    Certificate(Fingerprint),
    /// An adapter in the enabler's process that maintains the twins of this system.
    Local(SystemId),
    /// The enabler's own program, run by whoever may read the data folder.
    Console,
}

/// A user, beyond their devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// For people.
    #[serde(with = "vestibule_model::personal")]
    pub name: String,
    /// What they may be on every device.
    pub roles: Vec<RoleId>,
    /// Who else vouches for them.
    pub login: Option<Login>,
    /// When they became known: tokens of somebody who had their name before are void.
    pub since: Timestamp,
}

/// A device that was paired: whose it is and what that one may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Whose.
    pub user: UserId,
    /// With which roles, besides those of its user.
    pub roles: Vec<RoleId>,
    /// Its name, for people.
    #[serde(with = "vestibule_model::personal")]
    pub device: String,
    /// When it became known.
    pub since: Timestamp,
    /// Until when it is known; `None`: until it is revoked.
    pub until: Option<Timestamp>,
}

/// Who asks, on which connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Proven by the transport.
    pub identity: Identity,
    /// The part taken in the handshake; `None` before it.
    pub party: Option<Party>,
    /// The system that this connection has registered.
    pub system: Option<SystemId>,
    /// Tokens that were presented on this connection.
    pub tokens: Vec<Arc<Grant>>,
}

impl Actor {
    /// A peer before its handshake.
    #[must_use]
    pub const fn new(identity: Identity) -> Self {
        Self { identity, party: None, system: None, tokens: Vec::new() }
    }

    /// A peer after its handshake.
    #[must_use]
    pub const fn greeted(identity: Identity, party: Party) -> Self {
        Self { identity, party: Some(party), system: None, tokens: Vec::new() }
    }
}
