use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::{
    CallId, FeatureId, Json, JsonError, Pseudonym, ServiceId, StepKey, SystemId, Timestamp, TraceId, Transform, TwinId,
    UserId,
};

/// The most steps that one collaboration may have: each is somebody's work, and may have to be undone.
pub const MAX_STEPS: usize = 16;

/// What a user lets a third-party system know. Nothing else leaves for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sharing {
    /// Their name, not only a pseudonym.
    #[serde(default)]
    pub name: bool,
    /// Its twins may be asked for at any time, not only for a running call.
    #[serde(default)]
    pub standing: bool,
    /// Twins, and which features of each; no feature: all that the user may read.
    #[serde(default)]
    pub twins: BTreeMap<TwinId, BTreeSet<FeatureId>>,
    /// Other systems whose answers may be passed on to it.
    #[serde(default)]
    pub answers_of: BTreeSet<SystemId>,
}

impl Sharing {
    /// Whether a feature of a twin may be known; `None`: that the twin is there.
    #[must_use]
    pub fn has(&self, twin: &TwinId, feature: Option<&FeatureId>) -> bool {
        let features = self.twins.get(twin);
        features.is_some_and(|features| feature.is_none_or(|feature| features.is_empty() || features.contains(feature)))
    }
}

/// What a user has agreed with a third-party system, and the system with them (TPSAA).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Authorization {
    /// The system.
    pub system: SystemId,
    /// What it calls the user: another name at each system, so that they cannot be compared.
    pub pseudonym: Pseudonym,
    /// The services that it lets them use.
    pub services: BTreeSet<ServiceId>,
    /// What it may know.
    pub share: Sharing,
    /// Until when.
    pub until: Timestamp,
    /// What the user's account is called there, in the system's words.
    #[serde(default, with = "crate::personal::option")]
    pub account: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// One use of a service within a collaboration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallStep {
    /// Its name within the collaboration. With the call's id it is the key under which the service is used once.
    pub key: StepKey,
    /// Whose service.
    pub system: SystemId,
    /// Which service.
    pub service: ServiceId,
    /// How its input is made; none: it is the collaboration's input as it is.
    #[serde(default, with = "crate::sealed")]
    pub input: Vec<Transform>,
    /// How the input of the service that undoes it is made; none: `{"input": ..., "output": ...}` of the step.
    #[serde(default, with = "crate::sealed")]
    pub undo: Vec<Transform>,
    /// Milliseconds to wait for each answer; `None`: what the service says.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// Services of one or several systems used one after the other, each with what those before gave (SDC).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Collaboration {
    /// Idempotency key: however often it arrives, it is done once.
    pub id: CallId,
    /// What the user gives.
    #[serde(default, with = "crate::sealed")]
    pub input: Json,
    /// The steps, in order.
    pub steps: Vec<CallStep>,
    /// After this moment no further step begins; what was done is undone.
    pub not_after: Timestamp,
    /// Names what follows from this click in traces; says nothing about what is asked.
    #[serde(default)]
    pub trace: Option<TraceId>,
}

/// What a third-party system answered, not looked at yet: it may be too long, or no JSON at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(String);

impl Answer {
    /// An answer as it came.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The answer, where it is JSON within the limits.
    ///
    /// # Errors
    /// [`JsonError`] says what is wrong with it.
    pub fn check(&self) -> Result<Json, JsonError> {
        Json::new(&self.0)
    }
}

impl utoipa::PartialSchema for Answer {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Json::schema()
    }
}

impl ToSchema for Answer {}

impl From<&Json> for Answer {
    fn from(json: &Json) -> Self {
        Self::new(json.as_str())
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<serde_json::Value>(&self.0) {
            Ok(value) if serializer.is_human_readable() => value.serialize(serializer),
            _ => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            serde_json::Value::deserialize(deserializer).map(|value| Self(value.to_string()))
        } else {
            String::deserialize(deserializer).map(Self)
        }
    }
}

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Its turn has not come, or its system is away.
    Waiting,
    /// Its system has been asked.
    Running,
    /// It is done.
    Done,
    /// Its system said no, or it was never asked: nothing was done.
    Failed {
        /// Why.
        #[serde(with = "crate::sealed")]
        reason: String,
    },
    /// It was asked and has not answered in time: it may have been done.
    InDoubt {
        /// Why.
        #[serde(with = "crate::sealed")]
        reason: String,
    },
    /// Its system has been asked to take it back.
    Undoing,
    /// It was taken back.
    Undone,
    /// It was done, or may have been, and could not be taken back.
    NotUndone {
        /// Why.
        #[serde(with = "crate::sealed")]
        reason: String,
    },
    /// Its turn never came.
    Skipped,
}

/// How far a call has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// Steps are being done.
    Running,
    /// What was done is being taken back.
    Undoing {
        /// Why.
        #[serde(with = "crate::sealed")]
        reason: String,
    },
    /// Every step is done.
    Succeeded,
    /// A step failed. What was done before it has been taken back, where `kept` is empty.
    Failed {
        /// Why.
        #[serde(with = "crate::sealed")]
        reason: String,
        /// Steps that could not be taken back.
        kept: Vec<StepKey>,
    },
    /// The user took it back.
    Cancelled {
        /// Steps that could not be taken back.
        kept: Vec<StepKey>,
    },
    /// Its time ended.
    Expired {
        /// Steps that could not be taken back.
        kept: Vec<StepKey>,
    },
}

impl CallStatus {
    /// Whether nothing will follow.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Running | Self::Undoing { .. })
    }
}

impl fmt::Display for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = |f: &mut fmt::Formatter<'_>, kept: &[StepKey]| {
            if kept.is_empty() {
                return Ok(());
            }
            let names: Vec<&str> = kept.iter().map(StepKey::as_str).collect();
            write!(f, "; could not be taken back: {}", names.join(", "))
        };
        match self {
            Self::Running => f.write_str("running"),
            Self::Undoing { reason } => write!(f, "being taken back: {reason}"),
            Self::Succeeded => f.write_str("done"),
            Self::Failed { reason, kept: steps } => {
                write!(f, "failed: {reason}")?;
                kept(f, steps)
            }
            Self::Cancelled { kept: steps } => {
                f.write_str("cancelled")?;
                kept(f, steps)
            }
            Self::Expired { kept: steps } => {
                f.write_str("not done in time")?;
                kept(f, steps)
            }
        }
    }
}

/// How far one step has come, for whoever called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepUpdate {
    /// The step.
    pub key: StepKey,
    /// Whose service.
    pub system: SystemId,
    /// Which service.
    pub service: ServiceId,
    /// How far it is.
    pub status: StepStatus,
    /// How often its system was asked for it.
    pub attempts: u8,
    /// When that was.
    pub at: Timestamp,
}

/// How far a call has come, with each of its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallUpdate {
    /// The call.
    pub call: CallId,
    /// Whose it is.
    pub user: UserId,
    /// How far it is.
    pub status: CallStatus,
    /// Each step.
    pub steps: Vec<StepUpdate>,
    /// What the last step gave, once every step is done.
    pub output: Option<Json>,
    /// When that was.
    pub at: Timestamp,
}
