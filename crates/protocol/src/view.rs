//! What is told of systems and twins: as one user may see them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{
    ActionId, FeatureId, PropertyValue, RuleId, ServiceId, SystemHealth, SystemInfo, Truth, TwinInfo, Value,
};

/// A registered system and its measured health.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemView {
    /// What it said of itself; shared with the registry, since a page has many.
    #[schema(value_type = SystemInfo)]
    pub info: Arc<SystemInfo>,
    /// What was measured.
    pub health: SystemHealth,
    /// The services that the asker may use, and which rule lets them.
    #[serde(default)]
    pub usable: BTreeMap<ServiceId, RuleId>,
}

/// A twin as one user may see it: what they may not read or do is not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TwinView {
    /// Names the twin in this session's datagrams.
    pub short: u32,
    /// Grows when the description changes, so that datagrams about the older one are told apart.
    pub epoch: u32,
    /// The description; shared with the registry where the user may see and do all of it.
    #[schema(value_type = TwinInfo)]
    pub info: Arc<TwinInfo>,
    /// Which rules admit the user, by feature.
    pub access: BTreeMap<FeatureId, FeatureAccess>,
    /// Whether the twin's system and device are connected.
    pub reachable: bool,
    /// Features that are away although the twin is not.
    pub away: BTreeSet<FeatureId>,
    /// One reading for each property, in the order of [`TwinInfo::properties`].
    pub readings: Vec<WireReading>,
}

/// Which rules admit a user to a feature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeatureAccess {
    /// The rule that lets them read.
    pub read: Option<RuleId>,
    /// The rule that lets them perform each action.
    pub act: BTreeMap<ActionId, RuleId>,
}

/// What is known of a property, with ages instead of moments, so that clocks need not agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WireReading {
    /// What the thing last reported; `None` before that, and where it reports that nobody knows.
    #[schema(value_type = Option<PropertyValue>)]
    pub value: Option<Value>,
    /// What was wanted and has not come true.
    #[schema(value_type = Option<PropertyValue>)]
    pub desired: Option<Value>,
    /// How far `value` is to be believed.
    pub truth: Truth,
    /// Milliseconds since the report when this was sent, where that is known.
    pub age_ms: Option<u64>,
    /// The twin's revision of the report.
    pub revision: u64,
}
