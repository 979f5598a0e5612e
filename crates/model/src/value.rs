use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::{BlobRef, MAX_TEXT};

/// How far a channel of a colour may be off that has gone through a lamp's own colour space and back.
const COLOR_TOLERANCE: u8 = 3;

/// A value of a property, an action's input or a detail of an event.
///
/// JSON has it as people write it: `true`, `21.5`, `"open"`, `{"color": [255, 128, 0]}`, `{"blob": {...}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number, in the property's unit.
    Float(f64),
    /// Text; one of a list where the type says so.
    Text(String),
    /// A colour in sRGB, 0 to 255 for each of red, green and blue.
    Color([u8; 3]),
    /// Bytes to fetch by their hash.
    Blob(BlobRef),
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ValueError {
    /// Not a number that one can reckon with.
    #[error("a number must be finite")]
    NotFinite,
    /// Too long a text.
    #[error("a text has at most {limit} bytes, this one has {length}")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
        /// Bytes given.
        length: usize,
    },
    /// Another type than the property or action has.
    #[error("expected {expected}, got {got}")]
    Type {
        /// The type asked for.
        expected: String,
        /// The value given.
        got: String,
    },
    /// Outside the range.
    #[error("{got} is outside {min} to {max}")]
    Range {
        /// The value given.
        got: f64,
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
    },
    /// Not on the list.
    #[error("{got:?} is not one of {}", options.join(", "))]
    NotAnOption {
        /// The value given.
        got: String,
        /// What could be chosen.
        options: Vec<String>,
    },
}

impl Value {
    /// Whether the value is fit to be stored and sent at all: finite, of bounded length.
    ///
    /// # Errors
    /// [`ValueError::NotFinite`], [`ValueError::TooLong`].
    pub fn check(&self) -> Result<(), ValueError> {
        let length = match self {
            Self::Float(number) if !number.is_finite() => return Err(ValueError::NotFinite),
            Self::Text(text) => text.len(),
            Self::Blob(blob) => blob.media.len(),
            _ => 0,
        };
        if length > MAX_TEXT { Err(ValueError::TooLong { limit: MAX_TEXT, length }) } else { Ok(()) }
    }

    /// The number in an `Int` or a `Float`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown to people and compared with a tolerance")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth in a `Bool`.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(yes) = self { Some(*yes) } else { None }
    }

    /// The text in a `Text`.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Whether a report of `self` fulfils the wish for `desired`.
    ///
    /// Devices round: numbers meet within half a hundredth of the wish or 0.01, whichever is more, colours within 3 of
    /// 255 in each channel.
    #[must_use]
    pub fn fulfils(&self, desired: &Self) -> bool {
        self.fulfils_within(desired, 0.0)
    }

    /// The same of a thing whose numbers come back within `tolerance`.
    #[must_use]
    pub fn fulfils_within(&self, desired: &Self, tolerance: f64) -> bool {
        if let (Self::Color(mine), Self::Color(wanted)) = (self, desired) {
            return mine.iter().zip(wanted).all(|(a, b)| a.abs_diff(*b) <= COLOR_TOLERANCE);
        }
        match (self.as_f64(), desired.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= (b.abs() * 0.005).max(0.01).max(tolerance),
            _ => self == desired,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(yes) => f.write_str(if *yes { "on" } else { "off" }),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => {
                let text = format!("{number:.2}");
                f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
            }
            Self::Text(text) => f.write_str(text),
            Self::Color([r, g, b]) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
            Self::Blob(blob) => write!(f, "{} of {} bytes", blob.media, blob.size),
        }
    }
}

/// What values a property can have or an action takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// [`Value::Bool`].
    #[serde(alias = "Bool")]
    Bool,
    /// [`Value::Int`] or [`Value::Float`] between two bounds, both included.
    #[serde(alias = "Number")]
    Number {
        /// Least value.
        #[serde(deserialize_with = "crate::number::read")]
        min: f64,
        /// Greatest value.
        #[serde(deserialize_with = "crate::number::read")]
        max: f64,
        /// What a control should step by.
        #[serde(deserialize_with = "crate::number::read")]
        step: f64,
    },
    /// [`Value::Int`] or [`Value::Float`] without bounds: what a sensor measures.
    #[serde(alias = "AnyNumber")]
    AnyNumber,
    /// [`Value::Text`] of at most so many bytes.
    #[serde(alias = "Text")]
    Text {
        /// Most bytes.
        max: u32,
    },
    /// [`Value::Text`], one of these.
    #[serde(alias = "OneOf")]
    OneOf(Vec<String>),
    /// [`Value::Color`].
    #[serde(alias = "Color")]
    Color,
    /// [`Value::Blob`] of this media type.
    #[serde(alias = "Blob")]
    Blob {
        /// The media type, or all of a kind: `image/*`.
        media: String,
    },
}

impl ValueType {
    /// Whether `value` is of this type, whatever its bounds: those are for wishes, and a thing may stand beyond them.
    ///
    /// # Errors
    /// [`ValueError`] says what is wrong with it.
    pub fn is_a(&self, value: &Value) -> Result<(), ValueError> {
        match (self, value) {
            (Self::Number { .. }, Value::Int(_) | Value::Float(_)) => value.check(),
            _ => self.accepts(value),
        }
    }

    /// Whether `value` is of this type and within its bounds.
    ///
    /// # Errors
    /// [`ValueError`] says what is wrong with it.
    pub fn accepts(&self, value: &Value) -> Result<(), ValueError> {
        value.check()?;
        let mismatch = || ValueError::Type { expected: self.to_string(), got: value.to_string() };
        match (self, value) {
            (Self::Bool, Value::Bool(_)) | (Self::Color, Value::Color(_)) => Ok(()),
            (Self::AnyNumber, Value::Int(_) | Value::Float(_)) => Ok(()),
            (Self::Number { min, max, .. }, Value::Int(_) | Value::Float(_)) => {
                let got = value.as_f64().ok_or_else(mismatch)?;
                if got < *min || got > *max {
                    return Err(ValueError::Range { got, min: *min, max: *max });
                }
                Ok(())
            }
            (Self::Text { max }, Value::Text(text)) if text.len() <= *max as usize => Ok(()),
            (Self::Text { max }, Value::Text(text)) => {
                Err(ValueError::TooLong { limit: *max as usize, length: text.len() })
            }
            (Self::OneOf(options), Value::Text(text)) if !options.contains(text) => {
                Err(ValueError::NotAnOption { got: text.clone(), options: options.clone() })
            }
            (Self::OneOf(_), Value::Text(_)) => Ok(()),
            (Self::Blob { media }, Value::Blob(blob)) if is_media(media, &blob.media) => Ok(()),
            _ => Err(mismatch()),
        }
    }
}

/// Whether a media type is the one that is wanted, or of the kind that is.
fn is_media(wanted: &str, given: &str) -> bool {
    let kind = wanted.strip_suffix('*').filter(|kind| kind.ends_with('/'));
    wanted == given || kind.is_some_and(|kind| given.starts_with(kind))
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("on or off"),
            Self::Number { min, max, .. } => write!(f, "a number from {min} to {max}"),
            Self::AnyNumber => f.write_str("a number"),
            Self::Text { max } => write!(f, "a text of at most {max} bytes"),
            Self::OneOf(options) => write!(f, "one of {}", options.join(", ")),
            Self::Color => f.write_str("a colour"),
            Self::Blob { media } => f.write_str(media),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept() {
        let brightness = ValueType::Number { min: 0.0, max: 1.0, step: 0.01 };
        assert!(brightness.accepts(&Value::Float(0.5)).is_ok());
        assert!(brightness.accepts(&Value::Int(1)).is_ok());
        assert!(matches!(brightness.accepts(&Value::Float(1.5)), Err(ValueError::Range { .. })));
        assert_eq!(brightness.accepts(&Value::Float(f64::NAN)), Err(ValueError::NotFinite));
        assert!(matches!(brightness.accepts(&Value::Bool(true)), Err(ValueError::Type { .. })));
        assert!(brightness.is_a(&Value::Float(1.5)).is_ok(), "it may be more than can be asked for");
        assert!(brightness.is_a(&Value::Float(f64::INFINITY)).is_err() && brightness.is_a(&Value::Bool(true)).is_err());
        assert!(Value::Text("x".repeat(MAX_TEXT + 1)).check().is_err());
    }

    #[test]
    fn pictures_are_of_a_kind() {
        let picture = Value::Blob(BlobRef::of(b"x", "image/png"));
        for (media, fits) in
            [("image/png", true), ("image/*", true), ("image/jpeg", false), ("*", false), ("video/*", false)]
        {
            assert_eq!(ValueType::Blob { media: media.to_owned() }.accepts(&picture).is_ok(), fits, "{media}");
        }
    }

    #[test]
    fn devices_round() {
        assert!(Value::Int(50).fulfils(&Value::Float(50.2)));
        assert!(!Value::Int(49).fulfils(&Value::Float(50.0)));
        assert!(!Value::Bool(true).fulfils(&Value::Bool(false)));
        assert!(Value::Color([252, 3, 0]).fulfils(&Value::Color([255, 0, 0])));
        assert!(!Value::Color([251, 0, 0]).fulfils(&Value::Color([255, 0, 0])));
        assert!(Value::Int(97).fulfils_within(&Value::Int(100), 3.0));
        assert!(!Value::Int(96).fulfils_within(&Value::Int(100), 3.0));
    }
}
