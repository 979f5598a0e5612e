use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bevy_ecs::prelude::*;
use vestibule_model::{ActionId, FeatureId, PropertyId, RuleId, Truth, TwinId, TwinInfo, Value};

/// This entity mirrors that twin. Several entities may mirror one twin. Never changed in place: insert it anew.
#[derive(Component, Clone, Debug, PartialEq, Eq, Hash)]
#[component(immutable)]
pub struct Twin(pub TwinId);

/// The entity that the enabler's plugin spawned for a twin: exactly one for each twin that the user may see.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct TwinRoot;

/// What the twin is: only what the user may see and do. Absent until its system has been found.
#[derive(Component, Clone, Debug)]
pub struct TwinDescription(pub Arc<TwinInfo>);

/// Which rules of the enabler's access control let the user read each feature and perform each of its actions. Comes with
/// [`TwinDescription`], and like it holds nothing that the user may not see or do.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct TwinAccess(pub Arc<BTreeMap<FeatureId, FeatureRules>>);

/// The rules that admit the user to one feature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureRules {
    /// The rule that lets them read.
    pub read: Option<RuleId>,
    /// The rule that lets them perform each action.
    pub act: BTreeMap<ActionId, RuleId>,
}

/// What is known of the twin. Absent until the first news. Cheap to clone.
#[derive(Component, Clone, Debug, Default)]
pub struct TwinState {
    /// Readings by feature and property.
    pub readings: Arc<BTreeMap<(FeatureId, PropertyId), Reading>>,
    /// Whether the twin's system and device are connected.
    pub reachable: bool,
    /// Features that are away although the twin is not.
    pub away: Arc<BTreeSet<FeatureId>>,
}

impl TwinState {
    /// The reading of `property` of `feature`.
    #[must_use]
    pub fn reading(&self, feature: &str, property: &str) -> Option<&Reading> {
        // Ids are short texts: building two of them costs less than a second index.
        let key = (FeatureId::new(feature).ok()?, PropertyId::new(property).ok()?);
        self.readings.get(&key)
    }

    /// The value that the thing itself last reported, however old; `None` before the first report.
    #[must_use]
    pub fn reported(&self, feature: &str, property: &str) -> Option<&Value> {
        self.reading(feature, property)?.value.as_ref()
    }

    /// Whether `feature` of the twin can be reached.
    #[must_use]
    pub fn reaches(&self, feature: &FeatureId) -> bool {
        self.reachable && !self.away.contains(feature)
    }

    /// The most worrying truth among the twin's readings: what a card shows in one word.
    #[must_use]
    pub fn truth(&self) -> Truth {
        let worry = |truth: Truth| match truth {
            Truth::Live => 0,
            Truth::Commanded => 1,
            Truth::Pending => 2,
            Truth::Stale => 3,
            Truth::Diverged => 4,
        };
        let known = self.readings.values().filter(|r| r.value.is_some() || r.desired.is_some());
        let worst = known.map(|r| r.truth).max_by_key(|truth| worry(*truth));
        worst.unwrap_or(if self.reachable && self.readings.is_empty() { Truth::Live } else { Truth::Stale })
    }
}

/// What is known of one property, as the enabler said, in the app's own time.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What the thing last reported; `None` before its first report, and where it reports that nobody knows.
    pub value: Option<Value>,
    /// What was wanted and has not come true yet.
    pub desired: Option<Value>,
    /// How far `value` is to be believed.
    pub truth: Truth,
    /// Seconds of `Time<Real>` at which the report was made (may be negative: before the app started);
    /// `None` also where nobody knows when.
    pub reported_at: Option<f64>,
    /// The twin's own revision of the report.
    pub revision: u64,
}

impl Reading {
    /// Seconds since the report at `now` (seconds of `Time<Real>`); `None` before the first, and where nobody knows.
    #[must_use]
    pub fn age(&self, now: f64) -> Option<f64> {
        self.reported_at.map(|at| (now - at).max(0.0))
    }
}

/// A visible part of a twin: pointing at this entity (or a child of it) means that twin.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct TwinPart {
    /// The twin.
    pub twin: TwinId,
    /// What this part does for it.
    pub role: TwinRole,
}

/// What a part of a twin's visual does (docs/world-format.md).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TwinRole {
    /// Is pointed at and highlighted.
    Body,
    /// Turns about local Y: 0 closed, 1 at `open_angle` radians.
    Leaf {
        /// Radians about +Y when fully open.
        open_angle: f32,
    },
    /// Slides along local X by `travel` metres when locked.
    Bolt {
        /// Metres, signed.
        travel: f32,
    },
    /// Shows the camera's newest picture.
    Screen,
    /// Shines.
    Lamp {
        /// Lumens at full brightness.
        lumens: f32,
    },
    /// Scaled along local Y about its top: 1 closed, nearly 0 open.
    Blind,
    /// A small light that shows the truth state or a binary sensor.
    Indicator,
}
