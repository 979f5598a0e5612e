//! What a consumer learns from a Thing Description of ours.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use thiserror::Error;
use vestibule_model::{
    ActionId, ActionInfo, EventKind, FeatureId, FeatureInfo, PhysicalId, PropertyId, PropertyInfo, TwinError, TwinInfo,
};

use crate::{Affordance, CONTEXT, NameError, schema, twin_of};

/// What a Thing Description says.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovered {
    /// The twin, without what a description does not tell: effects of actions, place, look and origin.
    pub info: TwinInfo,
    /// Properties that can be written.
    pub writable: BTreeSet<Affordance<PropertyId>>,
}

/// Why a Thing Description is not taken.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TdError {
    /// Not a Thing Description 1.1.
    #[error("the first context is not {CONTEXT}")]
    Context,
    /// Something is missing or of another kind.
    #[error("{0} is missing, or is not what it should be")]
    Member(&'static str),
    /// A name that is none of ours.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An affordance of a feature that is not described.
    #[error("there is no feature {0}")]
    Feature(FeatureId),
    /// A data schema of a kind that values do not have here.
    #[error("a data schema of another kind than values have")]
    Schema,
    /// The twin is not sound in itself.
    #[error(transparent)]
    Twin(#[from] TwinError),
}

/// Reads a Thing Description.
///
/// # Errors
/// [`TdError`] names the first thing that is wrong.
pub fn discover(td: &Json) -> Result<Discovered, TdError> {
    let context = td["@context"].as_array().and_then(|all| all.first()).unwrap_or(&td["@context"]);
    if context != CONTEXT {
        return Err(TdError::Context);
    }
    let mut info = TwinInfo::new(twin_of(text(td, "id")?)?, text(td, "title")?);
    info.manufacturer = td["schema:manufacturer"].as_str().map(str::to_owned);
    info.model = td["schema:model"].as_str().map(str::to_owned);
    for id in td["vestibule:physicalIds"].as_array().into_iter().flatten() {
        info.physical_ids.push(PhysicalId { kind: text(id, "kind")?.to_owned(), value: text(id, "value")?.to_owned() });
    }
    for (id, about) in members(td, "vestibule:features")? {
        info.features.insert(id.parse().map_err(NameError::from)?, feature(about)?);
    }
    let mut writable = BTreeSet::new();
    for (name, described) in members(td, "properties")? {
        let name: Affordance<PropertyId> = name.parse()?;
        let property = PropertyInfo {
            value: schema::read(described)?,
            unit: described["unit"].as_str().map(str::to_owned),
            period_ms: described["vestibule:periodMs"].as_u64(),
            assumed: described["vestibule:assumed"] == true,
            tolerance: described["vestibule:tolerance"].as_f64(),
        };
        of(&mut info, &name.feature)?.properties.insert(name.name.clone(), property);
        if described["readOnly"] == false {
            writable.insert(name);
        }
    }
    for (name, described) in members(td, "actions")? {
        let name: Affordance<ActionId> = name.parse()?;
        let input = described.get("input").map(schema::read).transpose()?;
        let takes_ms = described["vestibule:takesMs"].as_u64();
        let action = ActionInfo { input, takes_ms, ..ActionInfo::default() };
        of(&mut info, &name.feature)?.actions.insert(name.name, action);
    }
    for (name, _) in members(td, "events")? {
        let name: Affordance<EventKind> = name.parse()?;
        of(&mut info, &name.feature)?.events.insert(name.name);
    }
    info.check()?;
    Ok(Discovered { info, writable })
}

fn text<'a>(json: &'a Json, name: &'static str) -> Result<&'a str, TdError> {
    json[name].as_str().ok_or(TdError::Member(name))
}

/// The members of an object that may be missing.
fn members<'a>(json: &'a Json, name: &'static str) -> Result<impl Iterator<Item = (&'a String, &'a Json)>, TdError> {
    let map = match json.get(name) {
        None => None,
        Some(Json::Object(map)) => Some(map),
        Some(_) => return Err(TdError::Member(name)),
    };
    Ok(map.into_iter().flat_map(Map::iter))
}

fn feature(about: &Json) -> Result<FeatureInfo, TdError> {
    Ok(FeatureInfo {
        name: text(about, "name")?.to_owned(),
        kind: serde_json::from_value(about["kind"].clone()).map_err(|_| TdError::Member("kind"))?,
        class: about["class"].as_str().map(str::to_owned),
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: BTreeSet::new(),
    })
}

fn of<'a>(info: &'a mut TwinInfo, feature: &FeatureId) -> Result<&'a mut FeatureInfo, TdError> {
    info.features.get_mut(feature).ok_or_else(|| TdError::Feature(feature.clone()))
}
