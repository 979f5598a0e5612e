use std::fmt;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    Refused, TotalsError,
    limits::{MAX_BODY, MAX_DEPTH, MAX_ENTRIES, MAX_TEXT},
};

/// What a message has beyond what is known here: extensions, and what its sender's newer version says.
pub type More = Map<String, Value>;

/// Why a body is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Longer than [`MAX_BODY`].
    #[error("a body has at most {MAX_BODY} bytes, this has {0}")]
    TooLong(usize),
    /// Deeper than [`MAX_DEPTH`].
    #[error("arrays and objects lie at most {MAX_DEPTH} deep in each other")]
    TooDeep,
    /// Not JSON, twice the same member, more than is taken, or not of the shape that was expected.
    #[error("not what was expected: {0}")]
    Malformed(String),
    /// Of the right shape, and against a rule of the protocol.
    #[error("against the protocol: {0}")]
    Flaw(#[from] Flaw),
}

/// Which rule of the protocol a message breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// More of something than is taken.
    #[error("at most {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        most: usize,
    },
    /// Totals that are none.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// Another rule, in words.
    #[error("{0}")]
    Rule(&'static str),
}

/// A message could not be written. Nothing that is built of this crate's types does that; foreign `Serialize` may.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("could not be written: {0}")]
pub struct WriteError(String);

/// What a message must hold beyond its shape.
pub trait Check {
    /// Holds it against the protocol's rules and the limits.
    ///
    /// # Errors
    /// The first [`Flaw`] that is found.
    fn check(&self) -> Result<(), Flaw>;
}

/// `list` is not longer than is taken.
pub(crate) fn at_most<T>(what: &'static str, list: &[T], most: usize) -> Result<(), Flaw> {
    if list.len() > most { Err(Flaw::TooMany { what, most }) } else { Ok(()) }
}

/// No two say the same of themselves.
pub(crate) fn all_different<'a>(ids: impl Iterator<Item = &'a str>, rule: &'static str) -> Result<(), Flaw> {
    let mut seen = std::collections::BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Flaw::Rule(rule));
        }
    }
    Ok(())
}

/// Reads a message: limits first, then its shape, then the protocol's rules.
///
/// # Errors
/// [`ReadError`].
pub fn read<T: DeserializeOwned + Check>(body: &[u8]) -> Result<T, ReadError> {
    typed(value(body)?)
}

/// Reads any JSON within the limits; no member of an object is there twice.
///
/// # Errors
/// [`ReadError`].
pub fn value(body: &[u8]) -> Result<Value, ReadError> {
    if body.len() > MAX_BODY {
        return Err(ReadError::TooLong(body.len()));
    }
    if vestibule_model::json_depth(body) > MAX_DEPTH {
        return Err(ReadError::TooDeep);
    }
    let mut value = serde_json::from_slice::<Strict>(body).map_err(malformed)?.0;
    // What we do not know is kept, and given back as it was read.
    vestibule_model::settle_numbers(&mut value);
    Ok(value)
}

fn typed<T: DeserializeOwned + Check>(value: Value) -> Result<T, ReadError> {
    let message: T = serde_json::from_value(value).map_err(malformed)?;
    message.check()?;
    Ok(message)
}

fn malformed(error: impl fmt::Display) -> ReadError {
    ReadError::Malformed(error.to_string())
}

/// Writes a message as bytes, members sorted as they are declared.
///
/// # Errors
/// [`WriteError`].
pub fn write<T: Serialize>(message: &T) -> Result<Vec<u8>, WriteError> {
    serde_json::to_vec(message).map_err(|error| WriteError(error.to_string()))
}

/// What came with a status of success: what was asked for, or why there is none. Business outcomes are no HTTP errors.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// What was asked for.
    Is(T),
    /// Why not.
    Refused(Box<Refused>),
}

/// Reads what came with a status of success.
///
/// # Errors
/// [`ReadError`].
pub fn read_answer<T: DeserializeOwned + Check>(body: &[u8]) -> Result<Answer<T>, ReadError> {
    let value = value(body)?;
    if value.pointer("/ucp/status").and_then(Value::as_str) == Some("error") {
        typed(value).map(Box::new).map(Answer::Refused)
    } else {
        typed(value).map(Answer::Is)
    }
}

/// A value whose texts and lists are within the limits, and that means one thing only.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StrictSeed.deserialize(deserializer).map(Self)
    }
}

struct StrictSeed;

impl<'de> DeserializeSeed<'de> for StrictSeed {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        if value.len() > MAX_TEXT {
            return Err(E::custom(format_args!("a text has at most {MAX_TEXT} bytes")));
        }
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(StrictSeed)? {
            if values.len() == MAX_ENTRIES {
                return Err(A::Error::custom(format_args!("a list has at most {MAX_ENTRIES} entries")));
            }
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.len() == MAX_ENTRIES || name.len() > MAX_TEXT {
                return Err(A::Error::custom(format_args!("an object has at most {MAX_ENTRIES} members")));
            }
            let value = members.next_value_seed(StrictSeed)?;
            // Two readers of such a message would see two messages.
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(object.into())
    }
}

/// For what may be left out, and may be `null`, and is written again as it was.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_come_first() {
        assert_eq!(value(&vec![b' '; MAX_BODY + 1]), Err(ReadError::TooLong(MAX_BODY + 1)));
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes();
        assert!(value(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(value(&deep(MAX_DEPTH + 1)), Err(ReadError::TooDeep));
        assert_eq!(value(&vec![b'['; MAX_BODY]), Err(ReadError::TooDeep));
        let text = |length: usize| format!("{:?}", "x".repeat(length)).into_bytes();
        assert!(value(&text(MAX_TEXT)).is_ok() && value(&text(MAX_TEXT + 1)).is_err());
        let list = |length: usize| format!("[{}]", vec!["0"; length].join(",")).into_bytes();
        assert!(value(&list(MAX_ENTRIES)).is_ok() && value(&list(MAX_ENTRIES + 1)).is_err());
    }

    #[test]
    fn a_message_means_one_thing() {
        assert!(value(br#"{"total":1,"total":2}"#).is_err());
        assert!(value(br#"{"a":{"id":1,"i\u0064":2}}"#).is_err(), "however it is written");
        assert!(value(br#"{"a":1} {"a":2}"#).is_err());
        assert!(value(b"\xff").is_err() && value(b"").is_err() && value(b"{").is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_json_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = value(&bytes);
        }

        #[test]
        fn what_is_read_is_what_serde_reads(text in r#"[\[\]{}",:0-9a-c \\]{0,60}"#) {
            if let Ok(read) = value(text.as_bytes()) {
                prop_assert_eq!(read, serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
