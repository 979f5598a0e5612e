use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ActionId, CommandId, CommandStatus, FeatureId, LeaseUpdate, PropertyValue, RuleId, Timestamp, UserId, Value,
};

/// One decision about a twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PastEntry {
    /// Its line in the log.
    pub sequence: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided.
    pub what: PastFact,
}

/// What was decided about a twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PastFact {
    /// It was described, or described differently.
    Described,
    /// It was no longer maintained.
    Gone,
    /// A command was accepted: who, from where, under which rule.
    Accepted {
        /// The command.
        command: CommandId,
        /// Whose it was.
        user: UserId,
        /// The name of the device that it came from, where one is known.
        device: Option<String>,
        /// The rule that let them.
        rule: RuleId,
        /// The feature.
        feature: FeatureId,
        /// What it should do.
        action: ActionId,
        /// With what.
        #[schema(value_type = Option<PropertyValue>)]
        input: Option<Value>,
    },
    /// A command came further.
    Came {
        /// The command.
        command: CommandId,
        /// How far.
        status: CommandStatus,
    },
    /// Somebody asked to hold it, held it, or does no longer: how far their lease was then, with their place in the queue
    /// and why it ended. Whose it was is there for who may know.
    Lease(LeaseUpdate),
    /// Anything else, in the log's own words.
    Other(String),
}
