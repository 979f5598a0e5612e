//! The physical objects of a run, as their twins describe them.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{
    ActionId, ActionInfo, Effect, EventKind, Expect, FeatureId, FeatureInfo, FeatureKind, Place, PropertyId,
    PropertyInfo, TwinId, TwinInfo, Value, ValueType,
};

fn feature(name: &str, kind: FeatureKind) -> FeatureInfo {
    FeatureInfo {
        name: name.to_owned(),
        kind,
        class: None,
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: BTreeSet::new(),
    }
}

fn becomes(property: &str, value: Value) -> ActionInfo {
    let effect = Effect { property: PropertyId::slug(property), expect: Expect::Value(value) };
    ActionInfo { input: None, effects: vec![effect], takes_ms: None }
}

fn takes(property: &str, kind: ValueType) -> ActionInfo {
    let effect = Effect { property: PropertyId::slug(property), expect: Expect::Input };
    ActionInfo { input: Some(kind), effects: vec![effect], takes_ms: None }
}

fn add(feature: &mut FeatureInfo, property: &str, kind: ValueType) {
    feature.properties.insert(PropertyId::slug(property), PropertyInfo::new(kind));
}

fn can(feature: &mut FeatureInfo, action: &str, about: ActionInfo) {
    feature.actions.insert(ActionId::slug(action), about);
}

const fn share() -> ValueType {
    ValueType::Number { min: 0.0, max: 1.0, step: 0.01 }
}

/// `light`: `on`, `brightness`, `color`; `turn_on`, `turn_off`, `set_brightness`, `set_color`.
#[must_use]
pub fn lamp(id: &TwinId) -> TwinInfo {
    let mut light = feature("Light", FeatureKind::Light);
    add(&mut light, "on", ValueType::Bool);
    add(&mut light, "brightness", share());
    add(&mut light, "color", ValueType::Color);
    can(&mut light, "turn_on", becomes("on", Value::Bool(true)));
    can(&mut light, "turn_off", becomes("on", Value::Bool(false)));
    can(&mut light, "set_brightness", takes("brightness", share()));
    can(&mut light, "set_color", takes("color", ValueType::Color));
    let mut info = TwinInfo::new(id.clone(), "A lamp of the conformance kit");
    info.features.insert(FeatureId::slug("light"), light);
    info
}

/// `lock`: `state`; `lock`, `unlock`. `bell`: rings with `press`. `camera`: `picture`. It stands somewhere.
#[must_use]
pub fn door(id: &TwinId) -> TwinInfo {
    let states = ["locked", "unlocked", "locking", "unlocking"].map(str::to_owned).to_vec();
    let mut lock = feature("Lock", FeatureKind::Lock);
    add(&mut lock, "state", ValueType::OneOf(states));
    can(&mut lock, "lock", becomes("state", Value::Text("locked".to_owned())));
    can(&mut lock, "unlock", becomes("state", Value::Text("unlocked".to_owned())));
    let mut bell = feature("Bell", FeatureKind::Event);
    bell.events.insert(EventKind::slug("press"));
    let mut camera = feature("Camera", FeatureKind::Camera);
    add(&mut camera, "picture", ValueType::Blob { media: "image/*".to_owned() });
    let mut info = TwinInfo::new(id.clone(), "A door of the conformance kit");
    info.features.insert(FeatureId::slug("lock"), lock);
    info.features.insert(FeatureId::slug("bell"), bell);
    info.features.insert(FeatureId::slug("camera"), camera);
    info.place = Some(place([1.0, 0.0, 2.0]));
    info
}

/// Where a thing of the kit stands.
#[must_use]
pub fn place(position: [f32; 3]) -> Place {
    Place { space: "kit".to_owned(), position, rotation: [0.0, 0.0, 0.0, 1.0] }
}
