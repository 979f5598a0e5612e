//! What digital twin systems and the enabler tell each other (DII).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{
    CommandId, CommandStatus, FeatureId, InquiryId, LeaseId, PropertyId, PropertyValue, Refusal, SystemInfo, Timestamp,
    TwinId, TwinInfo, TwinPermission, UserId, Value,
};

use crate::{Execution, Occurrence};

/// What a digital twin system tells the enabler (DII).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DiiUp {
    /// DTSR: this is me (P2.1). The first message of a digital twin system.
    Register(SystemInfo),
    /// DTSR: this system is gone for good, and its twins with it. Its id stays its own.
    Deregister,
    /// A sign of life, promised by [`SystemInfo::heartbeat_ms`].
    Heartbeat,
    /// A twin, new or changed (P2.1, P2.10).
    Describe(Box<TwinInfo>),
    /// A twin is no longer maintained.
    Gone(TwinId),
    /// All twins of this system are described: others that the enabler remembers of it are no longer maintained.
    Complete {
        /// Every twin that there is.
        twins: Vec<TwinId>,
    },
    /// Whether the twin's device is connected to its system. Until told, it is not, and all its features are with it.
    Reachable {
        /// The twin.
        twin: TwinId,
        /// One part of it that can be away by itself; `None`: the twin as a whole.
        feature: Option<FeatureId>,
        /// Whether it is.
        reachable: bool,
    },
    /// What the thing says (P2.14). Hot: never written to the log.
    Report(Report),
    /// Something happened.
    Occurred(Occurrence),
    /// How an execution went (P2.18): [`CommandStatus::Executed`] or [`CommandStatus::Failed`].
    Outcome {
        /// The command.
        command: CommandId,
        /// How it went.
        status: CommandStatus,
    },
    /// To [`DiiDown::Inquire`] (P2.10).
    Inquired {
        /// Which inquiry.
        inquiry: InquiryId,
        /// The twin as it is now, or why not.
        answer: InquiryAnswer,
    },
    /// Bytes that a later report or description refers to by their hash.
    Blob {
        /// The bytes.
        bytes: Vec<u8>,
        /// Their media type.
        media: String,
    },
    /// To [`DiiDown::Integrate`]: the twin is integrated with its object under this fencing token, and no lower one is
    /// obeyed any more.
    Integrated {
        /// The twin.
        twin: TwinId,
        /// The token.
        fence: u64,
    },
    /// To [`DiiDown::Integrate`]: that cannot be done.
    NotIntegrated {
        /// The twin.
        twin: TwinId,
        /// The token.
        fence: u64,
        /// Why not.
        reason: String,
    },
}

/// What a digital twin system answers when it is asked for one of its twins (P2.10).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InquiryAnswer {
    /// This is it.
    Twin {
        /// Its properties.
        info: Box<TwinInfo>,
        /// What the user who asked may do with it, by its system's own rules (REQ-DT-05).
        permission: TwinPermission,
    },
    /// It is not told, and why.
    Refused(Refusal),
}

/// What the thing says of one property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// The property.
    pub property: PropertyId,
    /// The value; `None`: the thing says that nobody knows.
    #[schema(value_type = Option<PropertyValue>)]
    pub value: Option<Value>,
    /// When the twin system heard it; `None`: somebody had kept it for whoever comes later, nobody knows since when.
    pub at: Option<Timestamp>,
    /// Whether the thing stands by it: it has said so since it was last out of reach, or says that it is there.
    pub fresh: bool,
    /// Grows with each report of the twin, also over restarts of its system (milliseconds of the clock at least).
    pub revision: u64,
}

/// What the enabler tells a digital twin system (DII).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiiDown {
    /// Registered (P2.3). Describe your twins now.
    Registered,
    /// What was said is not taken, and why; the connection goes on.
    Refused(Refusal),
    /// Have the thing do this (P2.17).
    Execute(Execution),
    /// Report everything that you know of this twin now.
    Refresh(TwinId),
    /// Properties of this twin, and what this user may do with it? (P2.9)
    Inquire {
        /// Names the question; the answer names it too.
        inquiry: InquiryId,
        /// The twin.
        twin: TwinId,
        /// Who asks.
        user: UserId,
    },
    /// Somebody holds the twin's physical object from now on (or still does, after a reconnect or a renewal): obey
    /// executions with this fencing token only, and none after `until`.
    Integrate {
        /// The twin.
        twin: TwinId,
        /// The lease.
        lease: LeaseId,
        /// Larger than every one before.
        fence: u64,
        /// When it ends unless this comes again.
        until: Timestamp,
    },
    /// Whoever held it up to this fencing token does no longer: obey none of theirs any more.
    Released {
        /// The twin.
        twin: TwinId,
        /// The token.
        fence: u64,
    },
}
