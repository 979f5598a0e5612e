use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{
    ActionId, CommandId, CommandStatus, FeatureId, PropertyValue, Timestamp, TraceId, TwinId, UserId, Value,
};

/// A decided command for a digital twin system. It comes once; late ones must not be executed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Execution {
    /// Idempotency key.
    pub command: CommandId,
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// What it should do.
    pub action: ActionId,
    /// With what.
    #[schema(value_type = Option<PropertyValue>)]
    pub input: Option<Value>,
    /// After this moment it must not be executed.
    pub not_after: Timestamp,
    /// Names in traces the click that it follows from.
    #[serde(default)]
    pub trace: Option<TraceId>,
    /// The fencing token of the holder on whose behalf it comes; `None`: nobody holds the twin. One that is lower than
    /// any seen before must not be executed.
    #[serde(default)]
    pub fence: Option<u64>,
}

/// How far a command has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandUpdate {
    /// The command.
    pub command: CommandId,
    /// Whose it is.
    pub user: UserId,
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// What it should do.
    pub action: ActionId,
    /// How far it is.
    pub status: CommandStatus,
    /// When that was.
    pub at: Timestamp,
}
