//! Twins for tests.

use std::{collections::BTreeMap, sync::Arc};

use vestibule_twin::{
    Reading, TwinState,
    model::{
        ActionId, ActionInfo, Effect, Expect, FeatureId, FeatureInfo, FeatureKind, PropertyId, PropertyInfo, Truth,
        TwinId, TwinInfo, Value, ValueType,
    },
};

pub(crate) fn feature(name: &str, kind: FeatureKind) -> FeatureInfo {
    FeatureInfo {
        name: name.to_owned(),
        kind,
        class: None,
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: std::collections::BTreeSet::new(),
    }
}

fn becomes(property: &str, value: &str) -> ActionInfo {
    let effect = Effect { property: PropertyId::slug(property), expect: Expect::Value(Value::Text(value.to_owned())) };
    ActionInfo { input: None, effects: vec![effect], takes_ms: Some(5_000) }
}

/// A front door with a lock (lock, unlock, open), a leaf (open, close, stop, set_position) and a battery.
pub(crate) fn door() -> TwinInfo {
    let mut info = TwinInfo::new(TwinId::new("home/front_door").unwrap(), "Front door");
    info.manufacturer = Some("Acme".to_owned());
    info.model = Some("VD-1".to_owned());
    let word = || PropertyInfo::new(ValueType::Text { max: 32 });
    let mut lock = feature("Lock", FeatureKind::Lock);
    lock.properties.insert(PropertyId::slug("state"), word());
    lock.actions.insert(ActionId::slug("lock"), becomes("state", "locked"));
    lock.actions.insert(ActionId::slug("unlock"), becomes("state", "unlocked"));
    lock.actions.insert(ActionId::slug("open"), becomes("state", "unlocked"));
    let mut leaf = feature("Front door", FeatureKind::Cover);
    leaf.properties.insert(PropertyId::slug("state"), word());
    let percent = ValueType::Number { min: 0.0, max: 100.0, step: 1.0 };
    leaf.properties.insert(PropertyId::slug("position"), PropertyInfo::new(percent.clone()));
    leaf.actions.insert(ActionId::slug("open"), becomes("state", "open"));
    leaf.actions.insert(ActionId::slug("close"), becomes("state", "closed"));
    leaf.actions.insert(ActionId::slug("stop"), ActionInfo::default());
    let position = Effect { property: PropertyId::slug("position"), expect: Expect::Input };
    let set = ActionInfo { input: Some(percent), effects: vec![position], takes_ms: Some(8_000) };
    leaf.actions.insert(ActionId::slug("set_position"), set);
    let mut battery = feature("Battery", FeatureKind::Sensor);
    let mut value = PropertyInfo::new(ValueType::AnyNumber);
    value.unit = Some("%".to_owned());
    battery.properties.insert(PropertyId::slug("value"), value);
    info.features.insert(FeatureId::slug("lock"), lock);
    info.features.insert(FeatureId::slug("door"), leaf);
    info.features.insert(FeatureId::slug("battery"), battery);
    info
}

pub(crate) fn reading(value: Value) -> Reading {
    Reading { value: Some(value), desired: None, truth: Truth::Live, reported_at: Some(0.0), revision: 1 }
}

/// A reachable twin that reported these.
pub(crate) fn state(readings: impl IntoIterator<Item = (&'static str, &'static str, Reading)>) -> TwinState {
    let readings = readings.into_iter().map(|(f, p, r)| ((FeatureId::slug(f), PropertyId::slug(p)), r)).collect();
    TwinState { readings: Arc::new(readings), reachable: true, ..TwinState::default() }
}

/// The door of [`door`], closed, its lock in `lock`.
pub(crate) fn closed_door(lock: &str) -> TwinState {
    state([
        ("lock", "state", reading(Value::Text(lock.to_owned()))),
        ("door", "state", reading(Value::Text("closed".to_owned()))),
        ("door", "position", reading(Value::Int(0))),
        ("battery", "value", reading(Value::Int(87))),
    ])
}
