use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{LeaseId, RuleId, Timestamp, TwinId, UserId};

/// Milliseconds that a lease lasts at most without being renewed, where its twin does not say otherwise.
pub const DEFAULT_LONGEST_LEASE_MS: u64 = 10 * 60 * 1_000;
/// The shortest and the longest that a twin can say: a second, a day.
pub const LONGEST_LEASE_BOUNDS_MS: (u64, u64) = (1_000, 24 * 60 * 60 * 1_000);

/// How a twin lets itself be integrated with its physical object (FGMV-28 7.1.3, REQ-DT-08).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Integration {
    /// Only a holder may act on it; otherwise anybody whom the rules let, while nobody holds it.
    #[serde(default)]
    pub exclusive: bool,
    /// Who asks with a higher priority takes it from its holder.
    #[serde(default)]
    pub preempt: bool,
    /// Milliseconds that a lease lasts at most without being renewed, and in all while others wait; `None`:
    /// [`DEFAULT_LONGEST_LEASE_MS`].
    #[serde(default)]
    pub longest_ms: Option<u64>,
}

impl Integration {
    /// Milliseconds that a lease lasts at most.
    #[must_use]
    pub fn longest(&self) -> u64 {
        self.longest_ms.unwrap_or(DEFAULT_LONGEST_LEASE_MS)
    }
}

/// A wish to be the one whose twin is integrated with its physical object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseRequest {
    /// Idempotency key: 16 random bytes, chosen once.
    pub id: LeaseId,
    /// The twin. Twins that share a physical id are one object, which has one holder.
    pub twin: TwinId,
    /// How important it is to the asker; the rules may let it count for less, never for more.
    pub priority: u8,
    /// Milliseconds for which it is wanted, until renewed. The twin's longest cuts it.
    pub ttl_ms: u64,
    /// Milliseconds that the asker waits in the queue; 0: a refusal instead.
    pub wait_ms: u64,
}

/// How far a lease is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaseStatus {
    /// It has a place in the queue.
    Waiting {
        /// 1 is the next one.
        position: u32,
        /// Milliseconds until its turn, if nobody before it gives back early or renews.
        expected_ms: u64,
    },
    /// It holds the object; the twin's system has not confirmed yet.
    Granted,
    /// The twin's system has confirmed: this user, and nobody else, has the physical object.
    Integrated,
    /// It is over.
    Ended {
        /// Why.
        reason: LeaseEnd,
    },
}

/// Why a lease is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaseEnd {
    /// Its user gave it back, or left the queue.
    Released,
    /// It was not renewed in time.
    Expired,
    /// Its turn did not come within the time that its user would wait.
    GaveUp,
    /// Somebody with a higher priority took it, as the twin allows.
    Preempted,
    /// Its user may no longer act on the twin.
    Forbidden {
        /// The rule that decided, where one did.
        rule: Option<RuleId>,
    },
    /// The twin is no longer maintained.
    TwinGone,
    /// Its twin turned out to be the same physical object as another one, which had a holder.
    SameObject,
    /// The twin's system could not do it.
    NotIntegrated {
        /// What it said.
        reason: String,
    },
}

impl fmt::Display for LeaseEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Released => f.write_str("it was given back"),
            Self::Expired => f.write_str("it was not renewed in time"),
            Self::GaveUp => f.write_str("its turn did not come in time"),
            Self::Preempted => f.write_str("somebody with a higher priority took it"),
            Self::Forbidden { rule: Some(rule) } => write!(f, "rule {rule} no longer lets its user act"),
            Self::Forbidden { rule: None } => f.write_str("no rule lets its user act any more"),
            Self::TwinGone => f.write_str("the twin is no longer maintained"),
            Self::SameObject => f.write_str("another twin of the same physical object had a holder"),
            Self::NotIntegrated { reason } => write!(f, "the twin's system could not do it: {reason}"),
        }
    }
}

impl fmt::Display for LeaseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting { position, expected_ms } => {
                write!(f, "place {position} in the queue, about {} s", expected_ms.div_ceil(1_000))
            }
            Self::Granted => f.write_str("granted, not confirmed yet"),
            Self::Integrated => f.write_str("integrated"),
            Self::Ended { reason } => write!(f, "over: {reason}"),
        }
    }
}

/// How far a lease is, for one who may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseUpdate {
    /// The lease.
    pub lease: LeaseId,
    /// The twin.
    pub twin: TwinId,
    /// Whose it is; `None`: somebody else's, and the reader may not know whose.
    pub user: Option<UserId>,
    /// What it counts for.
    pub priority: u8,
    /// How far it is.
    pub status: LeaseStatus,
    /// The fencing token while it is held: each grant has a larger one than all before.
    pub fence: Option<u64>,
    /// When it ends unless renewed; while it waits, when its user gives up.
    pub until: Option<Timestamp>,
    /// Since when it is so.
    pub at: Timestamp,
}
