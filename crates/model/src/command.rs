use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::{ActionId, CommandId, FeatureId, LeaseId, RuleId, Timestamp, TraceId, TwinId, Value};

/// A wish that a physical object does something (P2.15).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Command {
    /// Idempotency key: however often it arrives, it is executed at most once.
    pub id: CommandId,
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// What it should do.
    pub action: ActionId,
    /// With what.
    pub input: Option<Value>,
    /// The feature's newest revision that the sender saw; refused where the thing has reported since. `None`: whatever
    /// it is now.
    pub expected_revision: Option<u64>,
    /// After this moment it is never executed.
    pub not_after: Timestamp,
    /// Names what follows from this click in traces; says nothing about what is asked.
    #[serde(default)]
    pub trace: Option<TraceId>,
    /// The lease under which the sender acts; needed where the twin is exclusive or somebody holds it.
    #[serde(default)]
    pub lease: Option<LeaseId>,
}

/// How far a command has come. The first three go on, the others are its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandStatus {
    /// Decided, written down, waiting for the twin's system.
    #[serde(alias = "Accepted")]
    Accepted,
    /// Given to the twin's system. It is never given twice.
    #[serde(alias = "Dispatched")]
    Dispatched,
    /// The twin's system has passed it on to the thing.
    #[serde(alias = "Executed")]
    Executed,
    /// The thing reports what was wanted.
    #[serde(alias = "Confirmed")]
    Confirmed,
    /// The thing was told and cannot report.
    #[serde(alias = "Commanded")]
    Commanded,
    /// The twin's system or the thing could not do it.
    #[serde(alias = "Failed")]
    Failed {
        /// What it said.
        reason: String,
    },
    /// Its time ended before it was confirmed.
    #[serde(alias = "Expired")]
    Expired,
}

impl CommandStatus {
    /// Whether nothing will follow.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Accepted | Self::Dispatched | Self::Executed)
    }
}

impl fmt::Display for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Dispatched => f.write_str("sent"),
            Self::Executed => f.write_str("passed on"),
            Self::Confirmed => f.write_str("confirmed"),
            Self::Commanded => f.write_str("commanded; the thing cannot report"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
            Self::Expired => f.write_str("not confirmed in time"),
        }
    }
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// Nobody with that identity is known.
    Unauthenticated,
    /// A rule, or the lack of one, forbids it.
    Forbidden,
    /// There is no such thing (or the asker may not know of it).
    NotFound,
    /// Somebody else has that name.
    Conflict,
    /// The thing has changed since the asker looked.
    RevisionMismatch,
    /// Somebody holds the thing, or nobody may act on it without holding it.
    Held,
    /// Too late.
    Expired,
    /// The request makes no sense.
    Invalid,
    /// Too much at once; try later.
    Overloaded,
    /// A part that is needed is away.
    Unavailable,
    /// The enabler cannot write its log: full disk, broken disk.
    Storage,
}

/// A refusal: what was wrong, which rule said so, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error, ToSchema)]
#[error("{message}{}", rule.as_ref().map(|rule| format!(" (rule {rule})")).unwrap_or_default())]
pub struct Refusal {
    /// The kind of refusal.
    pub code: RefusalCode,
    /// The rule that decided, where one did.
    pub rule: Option<RuleId>,
    /// For a person.
    pub message: String,
}

impl Refusal {
    /// A refusal without a rule.
    #[must_use]
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, rule: None, message: message.into() }
    }
}
