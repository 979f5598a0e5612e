//! What a thing says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{FeatureId, PropertyId, Timestamp, TwinId, Value};

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
    pub value: Option<Value>,
    /// When the twin system heard it; `None`: somebody had kept it for whoever comes later, nobody knows since when.
    pub at: Option<Timestamp>,
    /// Whether the thing stands by it: it has said so since it was last out of reach, or says that it is there.
    pub fresh: bool,
    /// Grows with each report of the twin, also over restarts of its system (milliseconds of the clock at least).
    pub revision: u64,
}
