//! What goes into a Thing Description comes out of it; whatever else is said in JSON is refused, never a panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use vestibule_model::TwinInfo;
use vestibule_wot::{Affordance, Site, describe, discover, etag, from_json, to_json, writer};

fn site() -> Site {
    Site::new("https://enabler.example")
}

/// What a description does not tell.
fn without_effects(mut info: TwinInfo) -> TwinInfo {
    info.features.values_mut().flat_map(|f| f.actions.values_mut()).for_each(|action| action.effects.clear());
    info
}

fn json_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[#0-9a-z.]{0,8}".prop_map(Json::from)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::hash_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn discovery_finds_what_was_described(info in common::twin()) {
        let td = describe(&info, &site());
        let found = discover(&td).unwrap();
        for (feature, about) in &info.features {
            for property in about.properties.keys() {
                let named = Affordance::new(feature, property);
                prop_assert_eq!(found.writable.contains(&named), writer(about, property).is_some());
            }
        }
        prop_assert_eq!(&found.info, &without_effects(info.clone()));
        prop_assert_eq!(etag(&td), etag(&describe(&info, &site())));
        let mut renamed = info;
        renamed.name.push('x');
        prop_assert_ne!(etag(&td), etag(&describe(&renamed, &site())));
    }

    #[test]
    fn affordances_never_collide(info in common::twin()) {
        let td = describe(&info, &site());
        let count = |name: &str| td[name].as_object().map_or(0, serde_json::Map::len);
        prop_assert_eq!(count("properties"), info.properties().count());
        prop_assert_eq!(count("actions"), info.features.values().map(|f| f.actions.len()).sum::<usize>());
        prop_assert_eq!(count("events"), info.features.values().map(|f| f.events.len()).sum::<usize>());
    }

    #[test]
    fn any_change_of_a_description_is_read_or_refused(
        info in common::twin(), which in any::<prop::sample::Index>(), new in json_value(),
    ) {
        let mut td = describe(&info, &site());
        let mut pointers = Vec::new();
        collect(&td, String::new(), &mut pointers);
        let pointer = &pointers[which.index(pointers.len())];
        *td.pointer_mut(pointer).unwrap() = new;
        // Whatever is taken is sound.
        if let Ok(found) = discover(&td) {
            prop_assert_eq!(found.info.check(), Ok(()));
        }
    }

    #[test]
    fn values_survive(value_type in common::value_type(), json in json_value()) {
        if let Ok(value) = from_json(&json, &value_type) {
            prop_assert_eq!(value_type.accepts(&value), Ok(()));
            prop_assert_eq!(from_json(&to_json(&value), &value_type), Ok(value));
        }
    }

    #[test]
    fn writing_is_an_action_with_exactly_that_effect(info in common::twin(), json in json_value()) {
        for about in info.features.values() {
            for (property, described) in &about.properties {
                let Some(Ok((action, input))) = writer(about, property).map(|writer| writer.action(&json)) else { continue };
                let action = &about.actions[action];
                prop_assert_eq!(action.effects.len(), 1);
                prop_assert_eq!(&action.effects[0].property, property);
                prop_assert_eq!(action.input.is_some(), input.is_some());
                let wanted = from_json(&json, &described.value).unwrap();
                prop_assert_eq!(input.unwrap_or_else(|| wanted.clone()), wanted);
            }
        }
    }
}

fn collect(json: &Json, at: String, pointers: &mut Vec<String>) {
    pointers.push(at.clone());
    match json {
        Json::Object(map) => map.iter().for_each(|(name, inner)| {
            collect(inner, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), pointers);
        }),
        Json::Array(all) => {
            all.iter().enumerate().for_each(|(index, inner)| collect(inner, format!("{at}/{index}"), pointers));
        }
        _ => {}
    }
}

#[test]
fn two_actions_are_a_switch_and_two_effects_are_not() {
    use vestibule_model::*;
    let effect = |property: &str, expect| Effect { property: PropertyId::slug(property), expect };
    let act = |input, effects| ActionInfo { input, effects, takes_ms: None };
    let (on, level) = (PropertyId::slug("on"), PropertyId::slug("level"));
    let number = ValueType::Number { min: 0.0, max: 1.0, step: 0.01 };
    let mut light = FeatureInfo {
        name: "Light".to_owned(),
        kind: FeatureKind::Light,
        class: None,
        properties: [
            (on.clone(), PropertyInfo::new(ValueType::Bool)),
            (level.clone(), PropertyInfo::new(number.clone())),
        ]
        .into(),
        actions: [(ActionId::slug("turn_on"), act(None, vec![effect("on", Expect::Value(Value::Bool(true)))]))].into(),
        events: Default::default(),
    };
    assert!(writer(&light, &on).is_none(), "who may only switch it on does not write it");
    light.actions.insert(ActionId::slug("turn_off"), act(None, vec![effect("on", Expect::Value(Value::Bool(false)))]));
    let (action, input) = writer(&light, &on).unwrap().action(&json!(false)).unwrap();
    assert_eq!((action.as_str(), input), ("turn_off", None));
    let both = vec![effect("level", Expect::Input), effect("on", Expect::Value(Value::Bool(true)))];
    light.actions.insert(ActionId::slug("set_level"), act(Some(number.clone()), both));
    assert!(writer(&light, &level).is_none(), "it does more than set that property");
    light.actions.insert(ActionId::slug("dim"), act(Some(number), vec![effect("level", Expect::Input)]));
    let (action, input) = writer(&light, &level).unwrap().action(&json!(0.5)).unwrap();
    assert_eq!((action.as_str(), input), ("dim", Some(Value::Float(0.5))));
    assert!(writer(&light, &level).unwrap().action(&json!(2)).is_err());
}

#[test]
fn bounds_that_are_no_numbers_bound_nothing() {
    use vestibule_model::*;
    let mut info = TwinInfo::new(TwinId::new("a/b").unwrap(), "");
    let endless = ValueType::Number { min: f64::NEG_INFINITY, max: f64::NAN, step: f64::INFINITY };
    let properties = [(PropertyId::slug("x"), PropertyInfo::new(endless))].into();
    let feature = FeatureInfo {
        name: String::new(),
        kind: FeatureKind::Sensor,
        class: None,
        properties,
        actions: Default::default(),
        events: Default::default(),
    };
    info.features.insert(FeatureId::slug("f"), feature);
    let td = describe(&info, &site());
    assert_eq!(td["properties"]["f.x"].get("minimum"), None);
    assert_eq!(discover(&td).unwrap().info.properties().next().unwrap().2.value, ValueType::AnyNumber);
}
