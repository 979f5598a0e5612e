//! Describing features.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{
    ActionId, ActionInfo, Effect, Expect, FeatureInfo, FeatureKind, PropertyId, PropertyInfo, Value, ValueType,
};

use crate::discovery::{ConfigProblem, Fields, cut};

/// A feature without properties and actions, with the names that the component gives.
pub(super) fn feature(fields: Fields<'_>, kind: FeatureKind) -> Result<FeatureInfo, ConfigProblem> {
    let class = fields.text("device_class")?.map(|class| cut(&class)).filter(|class| !class.is_empty());
    let name = match fields.text("name")? {
        Some(name) if !name.trim().is_empty() => cut(&name),
        // Home Assistant: a component that says that it has no name is the device itself.
        _ if fields.is_null("name") => cut(fields.device),
        _ => titled(class.as_deref().unwrap_or(word(kind))),
    };
    Ok(FeatureInfo {
        name,
        kind,
        class,
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: BTreeSet::new(),
    })
}

const fn word(kind: FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Lock => "lock",
        FeatureKind::Cover => "cover",
        FeatureKind::Event => "event",
        FeatureKind::Camera => "camera",
        FeatureKind::Image => "image",
        FeatureKind::BinarySensor | FeatureKind::Sensor => "sensor",
        FeatureKind::Light => "light",
        FeatureKind::Switch => "switch",
        FeatureKind::Climate => "climate",
        FeatureKind::Button => "button",
        FeatureKind::Number => "number",
        FeatureKind::Select => "select",
    }
}

fn titled(word: &str) -> String {
    let words = word.replace('_', " ");
    let mut letters = words.chars();
    let head: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    head + letters.as_str()
}

/// Adds a property.
pub(super) fn property<'a>(
    info: &'a mut FeatureInfo,
    id: &str,
    value: ValueType,
    assumed: bool,
) -> &'a mut PropertyInfo {
    let mut property = PropertyInfo::new(value);
    property.assumed = assumed;
    info.properties.entry(PropertyId::slug(id)).insert_entry(property).into_mut()
}

/// Adds an action that takes nothing and makes properties become values.
pub(super) fn simple(info: &mut FeatureInfo, id: &str, effects: &[(&str, Value)], takes_ms: Option<u64>) {
    let effects = effects
        .iter()
        .map(|(property, value)| Effect { property: PropertyId::slug(property), expect: Expect::Value(value.clone()) })
        .collect();
    info.actions.insert(ActionId::slug(id), ActionInfo { input: None, effects, takes_ms });
}

/// Adds an action that makes a property become what it is given.
pub(super) fn setter(
    info: &mut FeatureInfo,
    id: &str,
    input: ValueType,
    property: Option<&str>,
    takes_ms: Option<u64>,
) {
    let effects = property
        .map(|property| Effect { property: PropertyId::slug(property), expect: Expect::Input })
        .into_iter()
        .collect();
    info.actions.insert(ActionId::slug(id), ActionInfo { input: Some(input), effects, takes_ms });
}

/// One of some words.
pub(super) fn one_of<const N: usize>(words: [&str; N]) -> ValueType {
    ValueType::OneOf(words.iter().map(|word| (*word).to_owned()).collect())
}

/// A text as a value.
pub(super) fn said(word: &str) -> Value {
    Value::Text(word.to_owned())
}
