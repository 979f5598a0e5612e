//! Values as plain JSON, as Things exchange them.

use serde_json::{Value as Json, json};
use thiserror::Error;
use vestibule_model::{Value, ValueError, ValueType};

/// Why JSON is no value of a type.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum JsonError {
    /// JSON of another kind than values have here.
    #[error("expected {expected}")]
    Kind {
        /// The type asked for.
        expected: String,
    },
    /// A value that the type does not take.
    #[error(transparent)]
    Value(#[from] ValueError),
}

/// A value as JSON; bytes as the reference to them.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(yes) => json!(yes),
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Color(_) => json!(value.to_string()),
        Value::Blob(blob) => json!({ "hash": blob.hash.to_string(), "size": blob.size, "media": blob.media }),
    }
}

/// The value of type `value_type` that some JSON is.
///
/// # Errors
/// [`JsonError`] says what it is not.
pub fn from_json(json: &Json, value_type: &ValueType) -> Result<Value, JsonError> {
    let kind = || JsonError::Kind { expected: value_type.to_string() };
    let value = match (value_type, json) {
        (ValueType::Bool, Json::Bool(yes)) => Value::Bool(*yes),
        (ValueType::Number { .. } | ValueType::AnyNumber, Json::Number(number)) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().ok_or_else(kind)?),
        },
        (ValueType::Text { .. } | ValueType::OneOf(_), Json::String(text)) => Value::Text(text.clone()),
        (ValueType::Color, Json::String(text)) => Value::Color(color(text).ok_or_else(kind)?),
        // Bytes come from twin systems only.
        _ => return Err(kind()),
    };
    value_type.accepts(&value)?;
    Ok(value)
}

/// Reads `#rrggbb`.
fn color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let part = |at: usize| {
        let part = digits.get(at..at + 2)?;
        part.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(part, 16).ok())?
    };
    Some([part(0)?, part(2)?, part(4)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_hexadecimal() {
        assert_eq!(from_json(&json!("#0aFF10"), &ValueType::Color), Ok(Value::Color([10, 255, 16])));
        for wrong in ["#0aff1", "0aff10", "#+aff10", "#0aff1ä", "#\u{e4}\u{e4}\u{e4}", ""] {
            assert!(from_json(&json!(wrong), &ValueType::Color).is_err(), "{wrong}");
        }
        assert_eq!(to_json(&Value::Color([10, 255, 16])), json!("#0aff10"));
    }

    #[test]
    fn another_kind_is_refused() {
        assert!(from_json(&json!("true"), &ValueType::Bool).is_err());
        assert!(from_json(&json!(null), &ValueType::AnyNumber).is_err());
        assert!(from_json(&json!(7), &ValueType::Number { min: 0.0, max: 1.0, step: 0.1 }).is_err());
        assert!(from_json(&json!({ "hash": "" }), &ValueType::Blob { media: "image/png".to_owned() }).is_err());
    }
}
