//! What a twin was: decisions from the log, what the thing said from a history beside it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{ContentHash, FeatureId, PastEntry, PropertyId, PropertyValue, Timestamp, Value};

use crate::{CommandUpdate, TwinView};

/// One line of the log, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// Its place in the log.
    pub sequence: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided, as JSON.
    pub event: String,
    /// The hash that chains it to the line before.
    pub hash: ContentHash,
}

/// A page of what was decided about a twin, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TwinHistory {
    /// What the asker may see of it.
    pub entries: Vec<PastEntry>,
    /// Ask on after this line; `None`: this is all there is by now.
    pub next: Option<u64>,
    /// The log begins behind this line: what was before is kept no longer. 0: it is whole.
    pub begins: u64,
}

/// What a twin's properties said, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PastReadings {
    /// Changes that the asker may see.
    pub readings: Vec<PastReading>,
    /// Ask on from this moment; `None`: this is all.
    pub next: Option<Timestamp>,
    /// Times in which every change was kept, within what was asked. What is not in one of them is a gap: something may
    /// have been said that nobody wrote down.
    pub covered: Vec<(Timestamp, Timestamp)>,
}

/// A property's value became another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PastReading {
    /// The feature.
    pub feature: FeatureId,
    /// The property.
    pub property: PropertyId,
    /// What it became; `None`: the thing says that nobody knows.
    #[schema(value_type = Option<PropertyValue>)]
    pub value: Option<Value>,
    /// When the enabler heard it.
    pub at: Timestamp,
}

/// A twin at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastTwin {
    /// The moment.
    pub at: Timestamp,
    /// The last line of the log that counts for it.
    pub sequence: u64,
    /// The twin as the asker may see it, its readings with their ages at the moment; `None`: there was none then.
    pub view: Option<TwinView>,
    /// Commands that were open.
    pub commands: Vec<CommandUpdate>,
    /// Whether every change of a reading was kept from the oldest value in the view to the moment. Where not, values
    /// are shown as stale: they are the last ones known.
    pub covered: bool,
}
