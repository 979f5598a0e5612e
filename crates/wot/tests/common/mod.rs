#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use vestibule_model::*;

/// Ids with everything that an id may have.
fn id() -> impl Strategy<Value = String> {
    "[a-z0-9_.:-]{1,8}"
}

fn words() -> impl Strategy<Value = String> {
    "[ -~äß°\"\\\\\u{1F6AA}]{0,12}"
}

fn kind() -> impl Strategy<Value = FeatureKind> {
    use FeatureKind::*;
    prop::sample::select(vec![
        Lock,
        Cover,
        Event,
        Camera,
        Image,
        BinarySensor,
        Sensor,
        Light,
        Switch,
        Climate,
        Button,
        Number,
        Select,
    ])
}

pub fn value_type() -> impl Strategy<Value = ValueType> {
    prop_oneof![
        Just(ValueType::Bool),
        Just(ValueType::AnyNumber),
        Just(ValueType::Color),
        (-100_i32..0, 0_i32..100, 0_i32..10).prop_map(|(min, max, step)| ValueType::Number {
            min: f64::from(min),
            max: f64::from(max),
            step: f64::from(step) / 4.0
        }),
        (0_u32..4096).prop_map(|max| ValueType::Text { max }),
        btree_set(words(), 1..5).prop_map(|options| ValueType::OneOf(options.into_iter().collect())),
        words().prop_map(|media| ValueType::Blob { media }),
    ]
}

fn property() -> impl Strategy<Value = PropertyInfo> {
    (value_type(), of(words()), of(1_u64..100_000), any::<bool>(), of((0_u32..4_000).prop_map(|n| f64::from(n) / 4.0)))
        .prop_map(|(value, unit, period_ms, assumed, tolerance)| PropertyInfo {
            value,
            unit,
            period_ms,
            assumed,
            tolerance,
        })
}

fn feature() -> impl Strategy<Value = FeatureInfo> {
    let parts = (
        words(),
        kind(),
        of(words()),
        btree_map(id(), property(), 0..4),
        vec((id(), of(value_type()), of(1_u64..60_000), any::<prop::sample::Index>(), 0_u8..4), 0..4),
        btree_set(id(), 0..3),
    );
    parts.prop_map(|(name, kind, class, properties, actions, events)| {
        let properties: BTreeMap<_, _> =
            properties.into_iter().map(|(id, info)| (PropertyId::new(id).unwrap(), info)).collect();
        let actions = actions.into_iter().map(|(id, input, takes_ms, which, how)| {
            let action = action(&properties, input, takes_ms, which, how);
            (ActionId::new(id).unwrap(), action)
        });
        let actions = actions.collect();
        let events = events.into_iter().map(|id| EventKind::new(id).unwrap()).collect();
        FeatureInfo { name, kind, class, properties, actions, events }
    })
}

/// An action that sometimes sets a property to what it is given, or to yes or no.
fn action(
    properties: &BTreeMap<PropertyId, PropertyInfo>,
    input: Option<ValueType>,
    takes_ms: Option<u64>,
    which: prop::sample::Index,
    how: u8,
) -> ActionInfo {
    if properties.is_empty() {
        return ActionInfo { input, effects: Vec::new(), takes_ms };
    }
    let (property, info) = properties.iter().nth(which.index(properties.len())).unwrap();
    let effect = |expect| vec![Effect { property: property.clone(), expect }];
    match how {
        0 => ActionInfo { input: Some(info.value.clone()), effects: effect(Expect::Input), takes_ms },
        1 => ActionInfo { input: None, effects: effect(Expect::Value(Value::Bool(true))), takes_ms },
        2 => ActionInfo { input: None, effects: effect(Expect::Value(Value::Bool(false))), takes_ms },
        _ => ActionInfo { input, effects: Vec::new(), takes_ms },
    }
}

/// Any sound twin.
pub fn twin() -> impl Strategy<Value = TwinInfo> {
    let physical = vec((words(), words()), 0..3);
    let parts = (id(), id(), words(), of(words()), of(words()), physical, btree_map(id(), feature(), 0..4));
    parts.prop_map(|(system, local, name, manufacturer, model, physical, features)| {
        let mut info = TwinInfo::new(TwinId::new(format!("{system}/{local}")).unwrap(), name);
        (info.manufacturer, info.model) = (manufacturer, model);
        info.physical_ids = physical.into_iter().map(|(kind, value)| PhysicalId { kind, value }).collect();
        info.features = features.into_iter().map(|(id, feature)| (FeatureId::new(id).unwrap(), feature)).collect();
        info
    })
}
