use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use vestibule_model::ContentHash;

use super::{Design, DesignError, DesignHash, MAX_BYTES};

/// What a canonical text says it is.
pub const FORMAT: &str = "vestibule-design/1";
/// A millionth of a millimetre: below it, two numbers are the same.
const GRAIN: f64 = 1e6;

#[derive(Serialize, Deserialize)]
struct Written<D> {
    design: D,
    format: String,
}

impl Design {
    /// The one text that this design has: JSON without white space, keys in order, numbers to a millionth. Names and
    /// guides are in it; history is not.
    ///
    /// # Errors
    /// [`DesignError`] where it is no design.
    pub fn canonical(&self) -> Result<String, DesignError> {
        self.resolve()?;
        let unreadable = |error: serde_json::Error| DesignError::Unreadable(error.to_string());
        let mut value =
            serde_json::to_value(Written { design: self, format: FORMAT.to_owned() }).map_err(unreadable)?;
        settle(&mut value);
        let text = value.to_string();
        if text.len() > MAX_BYTES {
            return Err(DesignError::TooMany { what: "bytes", count: text.len(), most: MAX_BYTES });
        }
        Ok(text)
    }

    /// What its canonical text hashes to.
    ///
    /// # Errors
    /// [`DesignError`] where it is no design.
    pub fn hash(&self) -> Result<DesignHash, DesignError> {
        Ok(DesignHash(ContentHash::of(self.canonical()?.as_bytes())))
    }

    /// Reads a text, canonical or not.
    ///
    /// # Errors
    /// [`DesignError`] where it is no design.
    pub fn read(text: &str) -> Result<Self, DesignError> {
        if text.len() > MAX_BYTES {
            return Err(DesignError::TooMany { what: "bytes", count: text.len(), most: MAX_BYTES });
        }
        let read = serde_json::from_str::<Written<Self>>(text);
        let written = read.map_err(|error| DesignError::Unreadable(error.to_string()))?;
        if written.format != FORMAT {
            return Err(DesignError::Unreadable(format!("its format is not {FORMAT}")));
        }
        written.design.resolve()?;
        Ok(written.design)
    }
}

/// Rounds every number, and writes whole ones as what they are.
fn settle(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(settle),
        Value::Object(fields) => {
            fields.values_mut().for_each(settle);
            fields.sort_keys();
        }
        Value::Number(number) => {
            if let Some(rounded) = number.as_f64().and_then(rounded) {
                *number = rounded;
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn rounded(value: f64) -> Option<Number> {
    // Adding zero makes -0 a 0.
    let value = (value * GRAIN).round() / GRAIN + 0.0;
    if value.fract() == 0.0 {
        // Exact: no size goes as far as 2^53.
        #[expect(clippy::cast_possible_truncation, reason = "whole, and at most 1e5")]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}
