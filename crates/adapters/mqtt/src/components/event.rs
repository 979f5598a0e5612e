//! Happenings: a doorbell's press.

use serde_json::Value as Json;
use vestibule_model::{EventKind, FeatureInfo, FeatureKind, Value};

use super::feature::feature;
use super::number::value_of;
use super::{Component, Decoded, Inlet, Message, filters, is_unknown, text};
use crate::discovery::{ConfigProblem, Fields, cut, json};

/// Most details that one happening has.
const MAX_DETAILS: usize = 32;
/// Longest name of a detail in bytes.
const MAX_DETAIL_NAME: usize = 64;

#[derive(Debug)]
pub(super) struct Event {
    info: FeatureInfo,
    state: Option<Inlet>,
    kinds: Vec<String>,
}

impl Event {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let state = Some(fields.required("state_topic", fields.inlet("state_topic", "value_template")?)?);
        let kinds = fields.required("event_types", fields.list("event_types")?)?;
        let mut info = feature(fields, FeatureKind::Event)?;
        info.events = kinds.iter().map(|kind| EventKind::slug(kind)).collect();
        Ok(Self { info, state, kinds })
    }
}

/// A detail as a value; what nests stays JSON.
fn detail(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => value_of(number.as_f64()?),
        Json::String(text) => Value::Text(cut(text)),
        nested => Value::Text(cut(&nested.to_string())),
    })
}

impl Component for Event {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        // A retained press happened at another time: nobody rings now.
        if message.retained {
            return out;
        }
        let Some(payload) = text(&mut self.state, message, &mut out) else { return out };
        if payload.trim().is_empty() || payload == "{}" || is_unknown(&payload) {
            return out;
        }
        let Some(Json::Object(mut details)) = json(payload.as_bytes()) else {
            out.push(Decoded::Problem("a happening has to be a JSON object with `event_type`".to_owned()));
            return out;
        };
        let kind = match details.remove("event_type") {
            Some(Json::String(kind)) => kind,
            Some(other) => other.to_string(),
            None => {
                out.push(Decoded::Problem("`event_type` is missing in a happening".to_owned()));
                return out;
            }
        };
        if !self.kinds.contains(&kind) {
            out.push(Decoded::Problem(format!("{:?} is not one of its `event_types`", cut(&kind))));
            return out;
        }
        let details = details.iter().filter(|(name, _)| name.len() <= MAX_DETAIL_NAME);
        let details = details.filter_map(|(name, json)| Some((name.clone(), detail(json)?)));
        out.push(Decoded::Happened(kind, details.take(MAX_DETAILS).collect()));
        out
    }
}
