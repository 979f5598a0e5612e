//! Types of values as data schemas and back.

use serde_json::{Map, Value as Json, json};
use vestibule_model::ValueType;

use crate::discover::TdError;

/// What a control should step by. Not `multipleOf`: a value between two steps is taken all the same.
const STEP: &str = "vestibule:step";
/// The media type of values that are bytes.
const MEDIA: &str = "vestibule:media";
/// What a colour looks like.
const COLOR: &str = "^#[0-9a-fA-F]{6}$";

/// The data schema of a type.
pub(crate) fn of(value: &ValueType) -> Map<String, Json> {
    let schema = match value {
        ValueType::Bool => json!({ "type": "boolean" }),
        ValueType::AnyNumber => json!({ "type": "number" }),
        ValueType::Number { min, max, step } => {
            let mut schema = json!({ "type": "number" });
            // A bound that is no number bounds nothing.
            for (name, number) in [("minimum", min), ("maximum", max), (STEP, step)] {
                if number.is_finite() {
                    schema[name] = json!(number);
                }
            }
            schema
        }
        // A character has at least one byte; whatever is longer in bytes is refused with the reason.
        ValueType::Text { max } => json!({ "type": "string", "maxLength": max }),
        ValueType::OneOf(options) => {
            let mut different: Vec<&String> = Vec::new();
            options.iter().for_each(|option| {
                if !different.contains(&option) {
                    different.push(option);
                }
            });
            // A list of nothing is no schema; every value is refused by the enabler.
            if different.is_empty() {
                json!({ "type": "string", "maxLength": 0 })
            } else {
                json!({ "type": "string", "enum": different })
            }
        }
        ValueType::Color => json!({ "type": "string", "pattern": COLOR }),
        ValueType::Blob { media } => json!({ MEDIA: media }),
    };
    if let Json::Object(map) = schema { map } else { Map::new() }
}

/// The type of a data schema.
pub(crate) fn read(schema: &Json) -> Result<ValueType, TdError> {
    if let Some(media) = schema[MEDIA].as_str() {
        return Ok(ValueType::Blob { media: media.to_owned() });
    }
    match schema["type"].as_str() {
        Some("boolean") => Ok(ValueType::Bool),
        Some("number" | "integer") => {
            let bounds = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
            if bounds == (None, None) {
                return Ok(ValueType::AnyNumber);
            }
            let (min, max) = (bounds.0.unwrap_or(f64::MIN), bounds.1.unwrap_or(f64::MAX));
            Ok(ValueType::Number { min, max, step: schema[STEP].as_f64().unwrap_or_default() })
        }
        Some("string") => Ok(text(schema)),
        _ => Err(TdError::Schema),
    }
}

fn text(schema: &Json) -> ValueType {
    if let Some(options) = schema["enum"].as_array() {
        return ValueType::OneOf(options.iter().filter_map(|option| Some(option.as_str()?.to_owned())).collect());
    }
    if schema["pattern"] == COLOR {
        return ValueType::Color;
    }
    let longest = u64::try_from(vestibule_model::MAX_TEXT).unwrap_or(u64::MAX);
    let max = schema["maxLength"].as_u64().unwrap_or(longest);
    ValueType::Text { max: u32::try_from(max).unwrap_or(u32::MAX) }
}
