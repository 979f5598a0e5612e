use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{
    ActionId, ActionInfo, Effect, EventKind, Expect, FeatureId, FeatureInfo, FeatureKind, PropertyId, PropertyInfo,
    Truth, TwinId, TwinInfo, Value, ValueType,
};
use vestibule_protocol::{TwinView, WireReading};

fn feature(name: &str, kind: FeatureKind, class: Option<&str>) -> FeatureInfo {
    FeatureInfo {
        name: name.to_owned(),
        kind,
        class: class.map(str::to_owned),
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: BTreeSet::new(),
    }
}

fn id(text: &str) -> TwinId {
    TwinId::of(&vestibule_model::SystemId::slug("home"), text)
}

/// A front door. Its properties in the order of the wire: 0 camera.picture, 1 door.position, 2 door.state,
/// 3 lock.state.
#[must_use]
pub fn door() -> TwinInfo {
    let mut info = TwinInfo::new(id("front_door"), "Front door");
    let text = || PropertyInfo::new(ValueType::Text { max: 20 });
    let becomes = |property: &str, value: Value| ActionInfo {
        input: None,
        effects: vec![Effect { property: PropertyId::slug(property), expect: Expect::Value(value) }],
        takes_ms: Some(4_000),
    };
    let mut cover = feature("Door", FeatureKind::Cover, Some("door"));
    let percent = ValueType::Number { min: 0.0, max: 100.0, step: 1.0 };
    cover.properties.insert(PropertyId::slug("position"), PropertyInfo::new(percent));
    cover.properties.insert(PropertyId::slug("state"), text());
    cover.actions.insert(ActionId::slug("open"), becomes("state", Value::Text("open".to_owned())));
    let mut lock = feature("Lock", FeatureKind::Lock, None);
    lock.properties.insert(PropertyId::slug("state"), text());
    lock.actions.insert(ActionId::slug("unlock"), becomes("state", Value::Text("unlocked".to_owned())));
    let mut bell = feature("Doorbell", FeatureKind::Event, Some("doorbell"));
    bell.events.insert(EventKind::slug("press"));
    let mut camera = feature("Camera", FeatureKind::Camera, None);
    let picture = ValueType::Blob { media: "image/jpeg".to_owned() };
    camera.properties.insert(PropertyId::slug("picture"), PropertyInfo::new(picture));
    for (name, feature) in [("door", cover), ("lock", lock), ("doorbell", bell), ("camera", camera)] {
        info.features.insert(FeatureId::slug(name), feature);
    }
    info
}

/// A lamp. Property 0 is light.on.
#[must_use]
pub fn lamp() -> TwinInfo {
    let mut info = TwinInfo::new(id("lamp"), "Lamp");
    let mut light = feature("Light", FeatureKind::Light, None);
    light.properties.insert(PropertyId::slug("on"), PropertyInfo::new(ValueType::Bool));
    info.features.insert(FeatureId::slug("light"), light);
    info
}

/// A live reading, just made.
#[must_use]
pub fn reading(value: impl Into<Option<Value>>, revision: u64) -> WireReading {
    let value = value.into();
    let truth = if value.is_some() { Truth::Live } else { Truth::Stale };
    WireReading { age_ms: value.is_some().then_some(0), value, desired: None, truth, revision }
}

/// What the enabler shows of a twin before anything was reported, under this short id.
#[must_use]
pub fn view(info: TwinInfo, short: u32) -> TwinView {
    let readings = info.properties().map(|_| reading(None, 0)).collect();
    let (access, away) = (BTreeMap::new(), BTreeSet::new());
    TwinView { short, epoch: 1, info: info.into(), access, reachable: true, away, readings }
}
