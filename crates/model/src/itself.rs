//! Which descriptions JSON gives back as they are.
//!
//! What is written down counts as it will be read after a restart. Nearly everything reads as it was written: what may
//! not are numbers (see `number`) and what belongs to people (see `names`), of which a description has nothing. Where
//! the numbers stay, nobody has to read the whole to know it.

use crate::{
    ActionInfo, Effect, Expect, FeatureInfo, Integration, Place, PropertyInfo, TwinInfo, Value, ValueType,
    number::{is_settled, is_settled_f32},
};

impl TwinInfo {
    /// Whether this description, written as JSON and read again, is the same in every bit. `false`: it may be another.
    #[must_use]
    pub fn reads_as_itself(&self) -> bool {
        // By name, all of them: who adds a field decides here what JSON makes of it.
        let Self {
            id: _,
            name: _,
            manufacturer: _,
            model: _,
            physical_ids: _,
            features,
            visual: _,
            place,
            origin: _,
            problems: _,
            integration: Integration { exclusive: _, preempt: _, longest_ms: _ },
        } = self;
        features.values().all(feature) && place.as_ref().is_none_or(stands)
    }
}

fn stands(place: &Place) -> bool {
    let Place { space: _, position, rotation } = place;
    position.iter().chain(rotation).all(|number| is_settled_f32(*number))
}

fn feature(feature: &FeatureInfo) -> bool {
    let FeatureInfo { name: _, kind: _, class: _, properties, actions, events: _ } = feature;
    properties.values().all(property) && actions.values().all(action)
}

fn property(property: &PropertyInfo) -> bool {
    let PropertyInfo { value, unit: _, period_ms: _, assumed: _, tolerance } = property;
    kind(value) && tolerance.is_none_or(is_settled)
}

fn action(action: &ActionInfo) -> bool {
    let ActionInfo { input, effects, takes_ms: _ } = action;
    let expects = |effect: &Effect| {
        let Effect { property: _, expect } = effect;
        match expect {
            Expect::Value(Value::Float(number)) => is_settled(*number),
            Expect::Value(Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::Color(_) | Value::Blob(_))
            | Expect::Input => true,
        }
    };
    input.as_ref().is_none_or(kind) && effects.iter().all(expects)
}

fn kind(value: &ValueType) -> bool {
    match value {
        ValueType::Number { min, max, step } => [min, max, step].into_iter().all(|number| is_settled(*number)),
        ValueType::Bool
        | ValueType::AnyNumber
        | ValueType::Text { .. }
        | ValueType::OneOf(_)
        | ValueType::Color
        | ValueType::Blob { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ActionId, FeatureId, FeatureKind, PropertyId, TwinId};

    /// Any number there is, and those that people write.
    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), prop::num::f64::ANY, (-1_000_000_i32..1_000_000).prop_map(|n| f64::from(n) / 100.0)]
    }

    fn small() -> impl Strategy<Value = f32> {
        prop_oneof![prop::num::f32::ANY, (-10_000_i16..10_000).prop_map(|n| f32::from(n) / 100.0)]
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            number().prop_map(Value::Float),
            "\\PC{0,12}".prop_map(Value::Text),
            any::<[u8; 3]>().prop_map(Value::Color),
        ]
    }

    fn value_type() -> impl Strategy<Value = ValueType> {
        prop_oneof![
            Just(ValueType::Bool),
            Just(ValueType::AnyNumber),
            prop::collection::vec("\\PC{0,8}", 0..3).prop_map(ValueType::OneOf),
            (number(), number(), number()).prop_map(|(min, max, step)| ValueType::Number { min, max, step }),
        ]
    }

    fn one() -> impl Strategy<Value = FeatureInfo> {
        let property = (value_type(), prop::option::of(number())).prop_map(|(value, tolerance)| {
            let mut property = PropertyInfo::new(value);
            property.tolerance = tolerance;
            property
        });
        let effect = prop_oneof![value().prop_map(Expect::Value), Just(Expect::Input)];
        let effect = effect.prop_map(|expect| Effect { property: PropertyId::slug("p"), expect });
        let action = (prop::option::of(value_type()), prop::collection::vec(effect, 0..2));
        let action = action.prop_map(|(input, effects)| ActionInfo { input, effects, takes_ms: None });
        (property, action, "\\PC{0,12}").prop_map(|(property, action, name)| FeatureInfo {
            name,
            kind: FeatureKind::Sensor,
            class: None,
            properties: [(PropertyId::slug("p"), property)].into(),
            actions: [(ActionId::slug("a"), action)].into(),
            events: std::collections::BTreeSet::new(),
        })
    }

    fn description() -> impl Strategy<Value = TwinInfo> {
        let place = ("\\PC{0,8}", prop::array::uniform3(small()), prop::array::uniform4(small()));
        let place = place.prop_map(|(space, position, rotation)| Place { space, position, rotation });
        (one(), prop::option::of(place), "\\PC{0,20}").prop_map(|(feature, place, name)| {
            let mut info = TwinInfo::new(TwinId::new("home/lamp").unwrap(), name);
            info.features.insert(FeatureId::slug("f"), feature);
            info.place = place;
            info
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn what_reads_as_itself_does(info in description()) {
            let written = serde_json::to_vec(&info).unwrap();
            let read = serde_json::from_slice::<TwinInfo>(&written);
            if info.reads_as_itself() {
                let read = read.unwrap();
                prop_assert_eq!(&read, &info);
                // To the last bit: a negative zero equals the other one.
                prop_assert_eq!(serde_json::to_vec(&read).unwrap(), written);
            } else if let Ok(read) = read {
                // What was read once stays what it is, and nobody has to read it again. Numbers of 32 bits are not
                // moved when they are read.
                prop_assert!(read.reads_as_itself() || read.place.is_some(), "{read:?}");
            }
        }
    }

    #[test]
    fn what_is_no_number_does_not() {
        let mut info = TwinInfo::new(TwinId::new("home/lamp").unwrap(), "Lamp");
        assert!(info.reads_as_itself());
        info.place = Some(Place { space: "home".to_owned(), position: [f32::NAN, 0.0, 0.0], rotation: [0.0; 4] });
        assert!(!info.reads_as_itself());
    }
}
