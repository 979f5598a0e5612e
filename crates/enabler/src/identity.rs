//! Who speaks: a certificate that was paired, or an adapter of this very process.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use vestibule_model::{ContentHash, RoleId, SystemId, UserId};
use vestibule_protocol::Party;

/// The hash of a peer's certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<ContentHash>().map(|hash| Self(hash.0)).map_err(D::Error::custom)
    }
}

/// Who a connection is, proven before anything was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Holds the key of this certificate.
    Certificate(Fingerprint),
    /// An adapter in the enabler's process that maintains the twins of this system.
    Local(SystemId),
}

/// A device that was paired: whose it is and what that one may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Whose.
    pub user: UserId,
    /// With which roles.
    pub roles: Vec<RoleId>,
    /// Its name, for people.
    #[serde(with = "vestibule_model::personal")]
    pub device: String,
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
}

impl Actor {
    /// A peer after its handshake.
    #[must_use]
    pub const fn greeted(identity: Identity, party: Party) -> Self {
        Self { identity, party: Some(party), system: None }
    }
}
