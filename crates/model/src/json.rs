use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};
use thiserror::Error;

use crate::number::settle;

/// The most bytes that a JSON text may have: a frame holds dozens of them.
pub const MAX_JSON: usize = 64 * 1024;
/// How deep arrays and objects may lie in each other: nobody means more, and recursion stays far from any stack's end.
pub const MAX_JSON_DEPTH: usize = 32;

/// Why a text is no JSON that is taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Longer than [`MAX_JSON`].
    #[error("JSON has at most {MAX_JSON} bytes here, this has {0}")]
    TooLong(usize),
    /// Deeper than [`MAX_JSON_DEPTH`].
    #[error("arrays and objects lie at most {MAX_JSON_DEPTH} deep in each other here")]
    TooDeep,
    /// Not JSON, or not of the shape that was expected.
    #[error("not the JSON that was expected: {0}")]
    Malformed(String),
}

/// A checked JSON text: what services take and give, and the schemas that describe it.
///
/// On the wire between our own programs it is its text; where people read (HTTP, the log) it is embedded as JSON. A number
/// with more digits than can be told apart is the one next to it that stays itself when written and read.
///
/// ```
/// use vestibule_model::Json;
/// let order = Json::new(r#"{ "item": "lamp", "count": 2 }"#)?;
/// assert_eq!(order.as_str(), r#"{"count":2,"item":"lamp"}"#.parse::<Json>()?.as_str());
/// assert!(Json::new("[".repeat(1_000)).is_err());
/// # Ok::<(), vestibule_model::JsonError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// Checks `text` and takes it, without the spaces between its parts.
    ///
    /// # Errors
    /// [`JsonError`] where it is too long, too deep or no JSON.
    pub fn new(text: impl AsRef<str>) -> Result<Self, JsonError> {
        let text = text.as_ref();
        if text.len() > MAX_JSON {
            return Err(JsonError::TooLong(text.len()));
        }
        if json_depth(text.as_bytes()) > MAX_JSON_DEPTH {
            return Err(JsonError::TooDeep);
        }
        let value = serde_json::from_str::<serde_json::Value>(text).map_err(|error| malformed(&error))?;
        // Checked above for the text; numbers may be written longer than they were.
        Self::compact(value)
    }

    /// `value` as JSON.
    ///
    /// # Errors
    /// [`JsonError`] where it cannot be written, or is too long or too deep then.
    pub fn of(value: &impl Serialize) -> Result<Self, JsonError> {
        let value = serde_json::to_value(value).map_err(|error| malformed(&error))?;
        Self::compact(value)
    }

    fn compact(mut value: serde_json::Value) -> Result<Self, JsonError> {
        settle(&mut value);
        let text = value.to_string();
        match (text.len(), json_depth(text.as_bytes())) {
            (bytes, _) if bytes > MAX_JSON => Err(JsonError::TooLong(bytes)),
            (_, depth) if depth > MAX_JSON_DEPTH => Err(JsonError::TooDeep),
            _ => Ok(Self(text.into())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it says, as a value to look into.
    #[must_use]
    pub fn value(&self) -> serde_json::Value {
        // Checked when it was made.
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// What it says, as `T`.
    ///
    /// # Errors
    /// [`JsonError::Malformed`] where it has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        serde_json::from_str(&self.0).map_err(|error| malformed(&error))
    }
}

impl utoipa::PartialSchema for Json {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some("Any JSON.")).into()
    }
}

impl utoipa::ToSchema for Json {}

fn malformed(error: &serde_json::Error) -> JsonError {
    JsonError::Malformed(error.to_string())
}

/// How deep arrays and objects of a JSON text lie in each other, by the brackets outside of its texts.
#[must_use]
pub fn json_depth(text: &[u8]) -> usize {
    let (mut deepest, mut depth, mut in_text, mut escaped) = (0, 0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl Default for Json {
    /// `null`.
    fn default() -> Self {
        Self("null".into())
    }
}

impl std::str::FromStr for Json {
    type Err = JsonError;
    fn from_str(text: &str) -> Result<Self, JsonError> {
        Self::new(text)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({})", self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let value: serde_json::Value = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
            value.serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Self::compact(serde_json::Value::deserialize(deserializer)?).map_err(D::Error::custom)
        } else {
            Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_come_first() {
        assert!(matches!(Json::new("1".repeat(MAX_JSON + 1)), Err(JsonError::TooLong(_))));
        assert_eq!(Json::new("[".repeat(60_000)), Err(JsonError::TooDeep));
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::new(deep(MAX_JSON_DEPTH)).is_ok() && Json::new(deep(MAX_JSON_DEPTH + 1)).is_err());
        assert!(serde_json::from_str::<Json>(&deep(MAX_JSON_DEPTH + 1)).is_err(), "embedded, it has the same limits");
        assert!(Json::new(r#"{"a": "[[[[\"[[["}"#).is_ok(), "brackets in texts are texts");
        assert!(Json::new("{").is_err() && Json::new("").is_err() && Json::new("1 2").is_err());
    }

    /// What a fuzzer found: each time it was read it was another one.
    #[test]
    fn a_number_of_many_digits_stays_the_same() {
        for text in ["444444444444444444444444444444444444442", "[-8.780814476419658e+102]", r#"{"a":1e-310}"#] {
            let json = Json::new(text).unwrap();
            assert_eq!(Json::new(json.as_str()).unwrap(), json);
            assert_eq!(serde_json::to_string(&json).unwrap(), json.as_str());
            assert_eq!(serde_json::from_str::<Json>(json.as_str()).unwrap(), json);
        }
    }

    proptest! {
        #[test]
        fn any_number_stays_the_same(text in "-?[1-9][0-9]{0,45}(\\.[0-9]{1,30})?(e-?[0-9]{1,3})?") {
            if let Ok(json) = Json::new(&text) {
                prop_assert_eq!(&Json::new(json.as_str()).unwrap(), &json);
                prop_assert_eq!(serde_json::to_string(&json).unwrap(), json.as_str());
            }
        }

        #[test]
        fn any_text_is_json_that_stays_the_same_or_refused(text in ".{0,200}") {
            if let Ok(json) = Json::new(&text) {
                prop_assert_eq!(&Json::new(json.as_str()).unwrap(), &json);
                let wire = postcard::to_stdvec(&json).unwrap();
                prop_assert_eq!(&postcard::from_bytes::<Json>(&wire).unwrap(), &json);
                let people = serde_json::to_string(&json).unwrap();
                prop_assert_eq!(people.as_str(), json.as_str(), "people see JSON, not a text with JSON in it");
                prop_assert_eq!(&serde_json::from_str::<Json>(&people).unwrap(), &json);
            }
        }

        #[test]
        fn bytes_from_outside_are_checked(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(json) = postcard::from_bytes::<Json>(&bytes) {
                prop_assert!(json.as_str().len() <= MAX_JSON);
            }
        }
    }
}
