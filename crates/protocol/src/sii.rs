//! What third-party systems and the enabler tell each other (SII).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{
    Answer, CallId, InquiryId, Json, Pseudonym, Refusal, ServiceId, Sharing, StepKey, SystemInfo, Timestamp, TraceId,
    TwinId, UserId,
};

/// What a third-party system tells the enabler (SII).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiiUp {
    /// TPSR: this is me (P1.1). The first message of a third-party system.
    Register(Box<SystemInfo>),
    /// TPSR: this system is gone for good. Its id stays its own.
    Deregister,
    /// A sign of life, promised by [`SystemInfo::heartbeat_ms`].
    Heartbeat,
    /// TPSAA: the answer to [`SiiDown::Authorize`] (P1.8).
    Authorized {
        /// Which inquiry.
        inquiry: InquiryId,
        /// User and permission information.
        answer: AuthorizationAnswer,
    },
    /// TPSAA: nothing is done for this user any more.
    Revoke {
        /// The user.
        user: Pseudonym,
    },
    /// SDC: how an invocation went.
    Result {
        /// The call.
        call: CallId,
        /// The step.
        step: StepKey,
        /// Whether it is the taking back of the step.
        undo: bool,
        /// How it went.
        result: CallResult,
    },
    /// DTDA: information of a twin, under the rights that a user has delegated (P1.15). Answered with
    /// [`Response::Twins`](crate::Response::Twins).
    Acquire {
        /// The twin.
        twin: TwinId,
        /// On whose behalf.
        user: Pseudonym,
        /// For which running call; `None`: where the user shares their twins without one.
        call: Option<CallId>,
    },
}

/// What a third-party system says of a user who wants to use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationAnswer {
    /// They may.
    Granted {
        /// Use these services, of those that were asked for.
        services: BTreeSet<ServiceId>,
        /// Until then, at most as long as was asked for.
        until: Timestamp,
        /// What it calls their account.
        account: Option<String>,
    },
    /// They may not.
    Refused {
        /// Why, for a person.
        reason: String,
    },
}

/// How an invocation went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// It is done, and this is what it gives.
    Done(Answer),
    /// It was not done, and nothing was changed.
    Failed {
        /// Why, for a person.
        reason: String,
    },
}

/// What the enabler tells a third-party system (SII).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiiDown {
    /// Registered (P1.3).
    Registered,
    /// What was said is not taken, and why; the connection goes on.
    Refused(Refusal),
    /// May this user use these services? (P1.7)
    Authorize {
        /// Names the question; the answer names it too.
        inquiry: InquiryId,
        /// The user: always the same here, another one at each other system.
        user: Pseudonym,
        /// Their name, where they share it.
        name: Option<UserId>,
        /// The services that they want to use.
        services: BTreeSet<ServiceId>,
        /// What they share.
        share: Sharing,
        /// Until when they want to.
        until: Timestamp,
    },
    /// Do this (P1.14).
    Invoke(Box<Invocation>),
    /// The answer to this step is not waited for any more. What it did is asked back by an invocation of its own.
    Cancel {
        /// The call.
        call: CallId,
        /// The step.
        step: StepKey,
    },
    /// This user takes back what they have agreed to: nothing of theirs may be used any more.
    Revoked {
        /// The user.
        user: Pseudonym,
    },
}

/// A decided use of a service. Two with the same call, step and `undo` are one: only a service that is idempotent is
/// ever asked twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invocation {
    /// The call.
    pub call: CallId,
    /// The step of it.
    pub step: StepKey,
    /// Whether the step is taken back. Where it was never done, there is nothing to do: that is a success.
    pub undo: bool,
    /// The service.
    pub service: ServiceId,
    /// Its input.
    pub input: Json,
    /// On whose behalf.
    pub user: Pseudonym,
    /// What the system said that their account is.
    pub account: Option<String>,
    /// 1, or more where it is asked again.
    pub attempt: u8,
    /// After this moment the answer is not waited for, and the service must not begin.
    pub not_after: Timestamp,
    /// Names in traces the click that it follows from.
    #[serde(default)]
    pub trace: Option<TraceId>,
}
