//! Values as Python writes and reads them: devices and their templates were written against that.

use std::fmt::Write as _;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use crate::limits::MAX_TEMPLATE_OUTPUT;

/// `str(value)`: what `{{ value }}` prints.
pub(super) fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => repr(value),
    }
}

/// `repr(value)`: how values look inside of lists.
fn repr(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => String::new(),
        ValueKind::None => "None".to_owned(),
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.to_owned(),
        ValueKind::String => quoted(value.as_str().unwrap_or_default()),
        ValueKind::Number => number(value),
        ValueKind::Seq | ValueKind::Iterable => list(value),
        ValueKind::Map => map(value),
        _ => value.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str("\\\\"),
            _ if c == quote => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out.push(quote);
    out
}

fn number(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(float) if !value.is_integer() && float.is_nan() => "nan".to_owned(),
        Ok(float) if !value.is_integer() && float.is_infinite() => if float > 0.0 { "inf" } else { "-inf" }.to_owned(),
        _ => value.to_string(),
    }
}

fn list(value: &Value) -> String {
    let mut out = String::from("[");
    for (at, item) in value.try_iter().into_iter().flatten().enumerate() {
        if out.len() > MAX_TEMPLATE_OUTPUT {
            break;
        }
        let _ = write!(out, "{}{}", if at > 0 { ", " } else { "" }, repr(&item));
    }
    out + "]"
}

fn map(value: &Value) -> String {
    let mut out = String::from("{");
    for (at, key) in value.try_iter().into_iter().flatten().enumerate() {
        if out.len() > MAX_TEMPLATE_OUTPUT {
            break;
        }
        let item = value.get_item(&key).unwrap_or_default();
        let _ = write!(out, "{}{}: {}", if at > 0 { ", " } else { "" }, repr(&key), repr(&item));
    }
    out + "}"
}

/// `float(value)`.
pub(super) fn float(value: &Value) -> Option<f64> {
    if let Some(text) = value.as_str() {
        let text = text.trim().replace('_', "");
        return text.parse().ok();
    }
    match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        _ => None,
    }
}

/// `int(value)`, of a text in `base`; Home Assistant also takes texts such as `21.7`.
pub(super) fn int(value: &Value, base: u32) -> Option<i64> {
    if let Some(text) = value.as_str() {
        let text = text.trim();
        let minus = text.starts_with('-');
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let digits = match base {
            16 => digits.trim_start_matches("0x").trim_start_matches("0X"),
            2 => digits.trim_start_matches("0b"),
            _ => digits,
        };
        // Rust would take a second sign, and negate the least number there is.
        let signed = digits.starts_with(['-', '+']);
        if let (false, Ok(number)) = (signed, i64::from_str_radix(digits, base)) {
            return if minus { number.checked_neg() } else { Some(number) };
        }
        return if base == 10 { whole(text.parse().ok()?) } else { None };
    }
    value.as_i64().filter(|_| value.is_integer()).or_else(|| whole(float(value)?))
}

/// A number as templates have it: whole ones as such.
pub(super) fn plain(number: f64) -> Value {
    whole(number).filter(|_| number.fract() == 0.0).map_or_else(|| Value::from(number), Value::from)
}

/// A float without its fraction.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub(super) fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9.0e18).then(|| number.trunc() as i64)
}

/// `round(value, digits)`: halves go to the even neighbour.
pub(super) fn round(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits.clamp(-15, 15));
    let scaled = number * scale;
    if scaled.is_finite() { scaled.round_ties_even() / scale } else { number }
}

/// An error in words.
pub(super) fn refused(words: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, words.into())
}

/// JSON of a value, never longer than a template may make: what is shared in memory is written out each time.
pub(super) fn json(value: &Value) -> Result<Value, Error> {
    let mut out = super::Bounded(Vec::new());
    serde_json::to_writer(&mut out, value).map_err(|error| refused(error.to_string()))?;
    Ok(Value::from(String::from_utf8_lossy(&out.0).into_owned()))
}

/// The text, unless it is longer than a template may make.
pub(super) fn bounded(text: String) -> Result<Value, Error> {
    if text.len() > MAX_TEMPLATE_OUTPUT { Err(refused("the text becomes too long")) } else { Ok(Value::from(text)) }
}
