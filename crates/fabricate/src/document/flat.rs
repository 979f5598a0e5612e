//! Shapes and repetitions as single fields, and back.
//!
//! `Block { size: [1, 2, 3], .. }` is `shape = block`, `p.size.0 = 1` and so on; a profile in it is `p.profile = rect`,
//! `p.profile.size.0`. What people cannot edit by halves stays one text: outlines as JSON, the keys of a hull.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Number, Value};

use super::field::{Path, Scalar};
use crate::design::DesignError;

/// Fields that hold JSON as one text.
const WHOLE: [&str; 2] = ["segments", "holes"];
/// The field of a hull with the keys of what it goes around.
const KEYS: &str = "of";

/// An enumeration's variant, and its fields by their paths.
pub(super) fn flat(of: &impl Serialize) -> (String, Vec<(Path, Scalar)>) {
    let mut fields = Vec::new();
    let Ok(Value::Object(variants)) = serde_json::to_value(of) else { return (String::new(), fields) };
    let Some((kind, Value::Object(inner))) = variants.into_iter().next() else { return (String::new(), fields) };
    for (name, value) in &inner {
        flatten(name, value, &mut fields);
    }
    (kind, fields)
}

fn flatten(path: &str, value: &Value, to: &mut Vec<(Path, Scalar)>) {
    let name = path.rsplit('.').next().unwrap_or_default();
    let mut push = |scalar| to.push((Path::known(path), scalar));
    match value {
        Value::Null => push(Scalar::Nothing),
        Value::Bool(flag) => push(Scalar::Flag(*flag)),
        Value::Number(number) => push(Scalar::Number(number.as_f64().unwrap_or_default())),
        Value::String(text) => push(Scalar::Text(text.clone())),
        Value::Array(_) if WHOLE.contains(&name) => push(Scalar::Text(value.to_string())),
        Value::Array(keys) if path == KEYS => {
            let keys: Vec<_> = keys.iter().filter_map(Value::as_str).collect();
            push(Scalar::Text(keys.join(" ")));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| flatten(&format!("{path}.{at}"), value, to));
        }
        Value::Object(variants) => {
            let Some((kind, Value::Object(inner))) = variants.iter().next() else { return };
            push(Scalar::Text(kind.clone()));
            inner.iter().for_each(|(name, value)| flatten(&format!("{path}.{name}"), value, to));
        }
    }
}

#[derive(Default)]
struct Node<'a> {
    own: Option<&'a Scalar>,
    below: BTreeMap<&'a str, Node<'a>>,
}

/// The value that a variant and its fields are. Fields of another variant that are still there do not matter.
pub(super) fn whole<'a, T: DeserializeOwned>(
    kind: &str,
    fields: impl IntoIterator<Item = (&'a Path, &'a Scalar)>,
) -> Result<T, DesignError> {
    let mut root = Node::default();
    for (path, scalar) in fields {
        let mut node = &mut root;
        for part in path.as_str().split('.') {
            node = node.below.entry(part).or_default();
        }
        node.own = Some(scalar);
    }
    let inner = root.below.iter().map(|(name, node)| ((*name).to_owned(), value(name, node, true))).collect();
    let variant = Value::Object(Map::from_iter([(kind.to_owned(), Value::Object(inner))]));
    serde_json::from_value(variant).map_err(|error| DesignError::Unreadable(error.to_string()))
}

/// Null where it cannot be said: whoever needs it refuses it.
fn value(name: &str, node: &Node<'_>, top: bool) -> Value {
    let text = node.own.and_then(Scalar::text);
    if node.below.is_empty() {
        return match node.own {
            Some(Scalar::Text(text)) if WHOLE.contains(&name) => serde_json::from_str(text).unwrap_or_default(),
            Some(Scalar::Text(keys)) if top && name == KEYS => {
                Value::Array(keys.split_ascii_whitespace().map(Value::from).collect())
            }
            Some(Scalar::Text(text)) => Value::String(text.clone()),
            Some(Scalar::Number(number)) => exact(*number),
            Some(Scalar::Flag(flag)) => Value::Bool(*flag),
            Some(Scalar::Nothing) | None => Value::Null,
        };
    }
    let children = || node.below.iter().map(|(name, node)| ((*name).to_owned(), value(name, node, false)));
    if node.below.contains_key("0") {
        let values = (0..10).map_while(|at| node.below.get(at.to_string().as_str()).map(|node| value("", node, false)));
        return Value::Array(values.collect());
    }
    let inner = Value::Object(children().collect());
    match text {
        Some(kind) => Value::Object(Map::from_iter([(kind.to_owned(), inner)])),
        None => inner,
    }
}

/// A whole number as one: some fields take nothing else.
fn exact(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Start,
        design::{FeatureKey, Profile, Repeat, Shape},
    };

    #[test]
    fn every_shape_of_the_starts_comes_back() {
        for feature in Start::ALL.into_iter().flat_map(|start| start.design().features) {
            let (kind, fields) = flat(&feature.shape);
            let back: Shape = whole(&kind, fields.iter().map(|(path, scalar)| (path, scalar))).unwrap();
            assert_eq!(back, feature.shape);
            if let Some(repeat) = feature.repeat {
                let (kind, fields) = flat(&repeat);
                let back: Repeat = whole(&kind, fields.iter().map(|(path, scalar)| (path, scalar))).unwrap();
                assert_eq!(back, repeat);
            }
        }
    }

    #[test]
    fn hulls_and_offsets_come_back_and_what_is_left_of_others_does_not_matter() {
        let hull = Shape::Hull { of: ["a", "b"].map(|key| FeatureKey::new(key).unwrap()).into() };
        let inner = Profile::Offset {
            of: Box::new(Profile::Rect { size: [1.0.into(), 2.0.into()], round: 0.25.into() }),
            by: (-0.5).into(),
        };
        let turned = Shape::Revolution {
            profile: Profile::Offset { of: Box::new(inner), by: 1.0.into() },
            angle: 90.0.into(),
            sides: 32,
        };
        let mut left = BTreeMap::new();
        for shape in [&hull, &turned, &hull, &turned] {
            let (kind, fields) = flat(shape);
            left.extend(fields);
            assert_eq!(&whole::<Shape>(&kind, &left).unwrap(), shape);
        }
    }

    #[test]
    fn what_is_missing_or_senseless_is_refused() {
        let path = |text| Path::new(text).unwrap();
        let one = (path("radius"), Scalar::Number(1.0));
        assert!(whole::<Shape>("ball", [(&one.0, &one.1)]).is_err());
        assert!(whole::<Shape>("nothing", [(&one.0, &one.1)]).is_err());
        let half = (path("sides"), Scalar::Number(12.5));
        assert!(whole::<Shape>("ball", [(&one.0, &one.1), (&half.0, &half.1)]).is_err());
    }
}
