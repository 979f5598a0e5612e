use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::{
    ActionId, BlobRef, EventKind, FeatureId, Integration, LONGEST_LEASE_BOUNDS_MS, MAX_FEATURES, MAX_PROPERTIES,
    MAX_TEXT, PropertyId, PropertyValue, TwinId, Value, ValueType,
};

/// What a digital twin is: the description that its system registers (FGMV-29 8.3.1) and that DTIA fetches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TwinInfo {
    /// Unique in a metaverse.
    pub id: TwinId,
    /// For people.
    pub name: String,
    /// Who made the physical object, where known.
    pub manufacturer: Option<String>,
    /// Which model it is, where known.
    pub model: Option<String>,
    /// What identifies the physical object itself: serial numbers, addresses.
    #[serde(default)]
    pub physical_ids: Vec<PhysicalId>,
    /// What can be read and done, by feature.
    #[serde(default)]
    pub features: BTreeMap<FeatureId, FeatureInfo>,
    /// How it looks, where its system knows.
    pub visual: Option<Visual>,
    /// Where it stands, where its system knows.
    pub place: Option<Place>,
    /// Which software described it.
    pub origin: Option<Origin>,
    /// Parts that were announced but cannot be offered, and why.
    #[serde(default)]
    pub problems: Vec<FeatureProblem>,
    /// Who may act on it at a time.
    #[serde(default)]
    pub integration: Integration,
}

/// An identity of the physical object, such as `("mac", "02:5b:26:a8:dc:12")` or `("id", "front_door")`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct PhysicalId {
    /// The kind of identity.
    pub kind: String,
    /// The identity.
    pub value: String,
}

/// Which software described a twin (Home Assistant's `origin`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    /// The software's name.
    pub name: String,
    /// Its version, where given.
    pub version: Option<String>,
    /// Where to get help, where given.
    pub url: Option<String>,
}

/// A part that was announced and cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeatureProblem {
    /// Its name, as announced.
    pub feature: String,
    /// What is wrong, for a person who can mend it.
    pub message: String,
}

/// How a twin looks: a glTF binary, and which node of it is the twin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Visual {
    /// The GLB, fetched by its hash.
    pub model: BlobRef,
    /// The node that is the twin; the whole scene where `None`.
    pub node: Option<String>,
}

/// Where a twin stands: metres in the space's frame (Y up, -Z forward, right-handed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// The space whose frame this is, such as `home`.
    pub space: String,
    /// Position in metres.
    #[schema(min_items = 3, max_items = 3)]
    pub position: [f32; 3],
    /// Unit quaternion x, y, z, w.
    #[schema(min_items = 4, max_items = 4)]
    pub rotation: [f32; 4],
}

/// What a feature is, in Home Assistant's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// `state` (`locked`, `unlocked`, `open`, `locking`, `unlocking`, `opening`, `jammed`); `lock`, `unlock`, `open`.
    Lock,
    /// `state` (`open`, `opening`, `closed`, `closing`, `stopped`), `position` (0 closed to 100 open); `open`,
    /// `close`, `stop`, `set_position`.
    Cover,
    /// Happenings without a value: a doorbell's press.
    Event,
    /// `picture`.
    Camera,
    /// `picture`.
    Image,
    /// `on`.
    BinarySensor,
    /// `value`.
    Sensor,
    /// `on`, `brightness` (0 to 1), `color`, `color_temp` (kelvin), `effect`; `turn_on`, `turn_off`,
    /// `set_brightness`, `set_color`, `set_color_temp`, `set_effect`.
    Light,
    /// `on`; `turn_on`, `turn_off`.
    Switch,
    /// `mode`, `target`, `current` (degrees Celsius), `action`; `set_mode`, `set_target`.
    Climate,
    /// `press`.
    Button,
    /// `value`; `set`.
    Number,
    /// `value`; `set`.
    Select,
}

impl FeatureKind {
    /// The words of `state` by which such a thing says that it is on its way and not there yet.
    #[must_use]
    pub const fn moving(self) -> &'static [&'static str] {
        match self {
            Self::Lock => &["locking", "unlocking", "opening"],
            Self::Cover => &["opening", "closing"],
            _ => &[],
        }
    }
}

/// One feature of a twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeatureInfo {
    /// For people.
    pub name: String,
    /// What it is.
    pub kind: FeatureKind,
    /// What it is in its kind (Home Assistant's `device_class`): `door`, `doorbell`, `battery`.
    pub class: Option<String>,
    /// What can be read.
    #[serde(default)]
    pub properties: BTreeMap<PropertyId, PropertyInfo>,
    /// Which behaviours it can perform (DTAC, FGMV-29 8.3.5).
    #[serde(default)]
    pub actions: BTreeMap<ActionId, ActionInfo>,
    /// What can happen.
    #[serde(default)]
    pub events: BTreeSet<EventKind>,
}

/// One property of a feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PropertyInfo {
    /// What values it can have.
    pub value: ValueType,
    /// Its unit, such as `°C`, where it has one.
    pub unit: Option<String>,
    /// Milliseconds within which the thing promises to report again; `None`: it reports changes only.
    pub period_ms: Option<u64>,
    /// The thing never reports it: what was commanded is all that is known.
    #[serde(default)]
    pub assumed: bool,
    /// How far a number may be off what was wanted and count as that: devices round and motors stop early. `None`: as
    /// [`Value::fulfils`] has it.
    #[serde(default, deserialize_with = "crate::number::read_option")]
    pub tolerance: Option<f64>,
}

impl PropertyInfo {
    /// A property that is reported when it changes.
    #[must_use]
    pub const fn new(value: ValueType) -> Self {
        Self { value, unit: None, period_ms: None, assumed: false, tolerance: None }
    }

    /// Whether a report of `reported` fulfils the wish for `desired`.
    #[must_use]
    pub fn fulfils(&self, reported: &Value, desired: &Value) -> bool {
        // What is no number is not helped by a tolerance; a hostile one helps nobody either.
        reported.fulfils_within(desired, self.tolerance.filter(|within| within.is_finite()).unwrap_or_default())
    }

    /// The same, promised to be reported at least every `millis` milliseconds.
    #[must_use]
    pub const fn reported_every(mut self, millis: u64) -> Self {
        self.period_ms = Some(millis);
        self
    }
}

/// One behaviour of a feature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ActionInfo {
    /// What it takes; `None`: nothing.
    pub input: Option<ValueType>,
    /// What should be reported once it has worked; empty: the twin system's word is all there is.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// Milliseconds that the thing takes at most, where known; a command's validity should not be shorter.
    pub takes_ms: Option<u64>,
}

/// A report to expect after an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Effect {
    /// A property of the same feature.
    pub property: PropertyId,
    /// What it should become.
    pub expect: Expect,
}

/// What an effect's value is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Always this.
    #[serde(alias = "Value")]
    Value(PropertyValue),
    /// Whatever the action was given.
    #[serde(alias = "Input")]
    Input,
}

/// Why a description is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TwinError {
    /// More of something than a twin may have.
    #[error("twin {twin} has {count} {what}, at most {limit} are allowed")]
    TooMany {
        /// The twin.
        twin: TwinId,
        /// What there is too much of.
        what: &'static str,
        /// How many were given.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// A text longer than [`MAX_TEXT`].
    #[error("twin {twin}: {what} is longer than {MAX_TEXT} bytes")]
    TooLong {
        /// The twin.
        twin: TwinId,
        /// Which text.
        what: &'static str,
    },
    /// An effect on a property that the feature does not have.
    #[error("twin {twin}: action {action} of {feature} expects an effect on {property}, which {feature} does not have")]
    UnknownEffect {
        /// The twin.
        twin: TwinId,
        /// The feature.
        feature: FeatureId,
        /// The action.
        action: ActionId,
        /// The property that is missing.
        property: PropertyId,
    },
    /// A place that is nowhere.
    #[error("twin {0}: its place has a coordinate that is not a finite number")]
    Place(TwinId),
    /// Leases of a length that makes no sense.
    #[error("twin {0}: a lease lasts at most between a second and a day")]
    Lease(TwinId),
}

impl TwinInfo {
    /// A twin without features.
    #[must_use]
    pub fn new(id: TwinId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            manufacturer: None,
            model: None,
            physical_ids: Vec::new(),
            features: BTreeMap::new(),
            visual: None,
            place: None,
            origin: None,
            problems: Vec::new(),
            integration: Integration::default(),
        }
    }

    /// Every property with its feature, in the order that the wire numbers them by.
    pub fn properties(&self) -> impl Iterator<Item = (&FeatureId, &PropertyId, &PropertyInfo)> {
        self.features.iter().flat_map(|(feature, info)| info.properties.iter().map(move |(id, p)| (feature, id, p)))
    }

    /// One property's description.
    #[must_use]
    pub fn property(&self, feature: &FeatureId, property: &PropertyId) -> Option<&PropertyInfo> {
        self.features.get(feature)?.properties.get(property)
    }

    /// Whether the description keeps the limits and is sound in itself.
    ///
    /// # Errors
    /// [`TwinError`] names the first thing that is wrong.
    pub fn check(&self) -> Result<(), TwinError> {
        let twin = || self.id.clone();
        let limit = |what, count, limit| {
            if count > limit { Err(TwinError::TooMany { twin: twin(), what, count, limit }) } else { Ok(()) }
        };
        limit("features", self.features.len(), MAX_FEATURES)?;
        limit("properties", self.properties().count(), MAX_PROPERTIES)?;
        limit("physical ids", self.physical_ids.len(), 64)?;
        limit("problems", self.problems.len(), MAX_FEATURES)?;
        let texts = self.physical_ids.iter().flat_map(|id| [&id.kind, &id.value]);
        let texts = texts.chain(self.features.values().map(|f| &f.name)).chain([&self.name]);
        let texts = texts.chain(self.manufacturer.iter()).chain(self.model.iter());
        if texts.chain(self.problems.iter().map(|p| &p.message)).any(|text| text.len() > MAX_TEXT) {
            return Err(TwinError::TooLong { twin: twin(), what: "a name" });
        }
        let place = self.place.iter().flat_map(|p| p.position.iter().chain(&p.rotation));
        if place.into_iter().any(|number| !number.is_finite()) {
            return Err(TwinError::Place(twin()));
        }
        let (least, most) = LONGEST_LEASE_BOUNDS_MS;
        if !(least..=most).contains(&self.integration.longest()) {
            return Err(TwinError::Lease(twin()));
        }
        self.check_effects()
    }

    fn check_effects(&self) -> Result<(), TwinError> {
        for (feature, info) in &self.features {
            for (action, about) in &info.actions {
                let missing = about.effects.iter().find(|e| !info.properties.contains_key(&e.property));
                if let Some(effect) = missing {
                    return Err(TwinError::UnknownEffect {
                        twin: self.id.clone(),
                        feature: feature.clone(),
                        action: action.clone(),
                        property: effect.property.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}
