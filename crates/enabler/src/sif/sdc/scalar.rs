//! Numbers, texts and amounts of money written in another way. Money never becomes a binary fraction.

use serde_json::{Number, Value};
use vestibule_model::{Shape, Unit};

use super::TransformError;

/// Decimal digits that any currency has at most.
const MOST_DIGITS: u8 = 6;

fn bad(value: &Value, wanted: &'static str) -> TransformError {
    TransformError::Scalar { wanted, got: value.to_string().chars().take(64).collect() }
}

/// `value` in another shape.
pub(super) fn write(value: &Value, shape: Shape) -> Result<Value, TransformError> {
    match shape {
        Shape::Number => number(value),
        Shape::Text => match value {
            Value::String(_) => Ok(value.clone()),
            Value::Number(_) | Value::Bool(_) => Ok(Value::String(value.to_string())),
            _ => Err(bad(value, "a number or a text")),
        },
        Shape::Bool => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::String(text) if text == "true" => Ok(Value::Bool(true)),
            Value::String(text) if text == "false" => Ok(Value::Bool(false)),
            _ => Err(bad(value, "true or false")),
        },
        Shape::Minor { digits } => minor(value, digits),
        Shape::Major { digits } => major(value, digits),
    }
}

fn number(value: &Value) -> Result<Value, TransformError> {
    let wanted = "a number";
    match value {
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) => {
            let text = text.trim();
            if let Ok(whole) = text.parse::<i64>() {
                return Ok(Value::from(whole));
            }
            // Rust reads "inf" and "nan", which are no numbers to anybody else.
            let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
            let float = text.parse::<f64>().ok().filter(|float| plain && float.is_finite());
            float.and_then(Number::from_f64).map(Value::Number).ok_or_else(|| bad(value, wanted))
        }
        _ => Err(bad(value, wanted)),
    }
}

/// An amount such as `12.30` as whole minor units.
fn minor(value: &Value, digits: u8) -> Result<Value, TransformError> {
    let wanted = "an amount with no more digits than its currency has";
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        // As it was written: the shortest decimal that is this number.
        Value::Number(number) => number.to_string(),
        _ => return Err(bad(value, wanted)),
    };
    let (sign, amount) = text.strip_prefix('-').map_or((1, text.as_str()), |amount| (-1, amount));
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    let part = part.trim_end_matches('0');
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits <= MOST_DIGITS && !whole.is_empty() && part.len() <= usize::from(digits);
    if !fits || !is_digits(whole) || !is_digits(part) || amount.ends_with('.') {
        return Err(bad(value, wanted));
    }
    let padded = format!("{whole}{part:0<width$}", width = usize::from(digits));
    let units = padded.parse::<i64>().ok().and_then(|units| units.checked_mul(sign));
    units.map(Value::from).ok_or_else(|| bad(value, wanted))
}

/// Whole minor units as an amount.
fn major(value: &Value, digits: u8) -> Result<Value, TransformError> {
    let wanted = "whole minor units";
    let units = value.as_i64().filter(|_| digits <= MOST_DIGITS).ok_or_else(|| bad(value, wanted))?;
    let width = usize::from(digits);
    let all = format!("{:0>width$}", units.unsigned_abs(), width = width + 1);
    let (whole, part) = all.split_at(all.len() - width);
    let sign = if units < 0 { "-" } else { "" };
    let point = if width == 0 { "" } else { "." };
    Ok(Value::String(format!("{sign}{whole}{point}{part}")))
}

/// A number in one unit as one in another.
pub(super) fn convert(value: &Value, from: Unit, to: Unit) -> Result<Value, TransformError> {
    let number = value.as_f64().ok_or_else(|| bad(value, "a number"))?;
    let converted = from.convert(number, to)?;
    // What is whole is written so: not every system takes 1.0 for 1.
    #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
    let whole = (converted.fract() == 0.0 && converted.abs() < 9e15).then(|| Number::from(converted as i64));
    let number = whole.or_else(|| Number::from_f64(converted));
    number.map(Value::Number).ok_or_else(|| bad(value, "a number"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn money_is_exact_or_refused() {
        let cents = Shape::Minor { digits: 2 };
        for (amount, units) in [
            (json!("12.30"), 1_230),
            (json!(12.3), 1_230),
            (json!("0.07"), 7),
            (json!("-0.5"), -50),
            (json!(1), 100),
            (json!("1.230"), 123),
            (json!(0.29), 29),
        ] {
            assert_eq!(write(&amount, cents), Ok(json!(units)), "{amount}");
        }
        for amount in ["1.234", "", ".5", "5.", "1e3", "--1", "1,50", "٣", "99999999999999999999"] {
            assert!(write(&json!(amount), cents).is_err(), "{amount}");
        }
        assert!(write(&json!(1e300), cents).is_err() && write(&json!(null), cents).is_err());
        assert_eq!(write(&json!(1_230), Shape::Major { digits: 2 }), Ok(json!("12.30")));
        assert_eq!(write(&json!(-7), Shape::Major { digits: 2 }), Ok(json!("-0.07")));
        assert_eq!(write(&json!(500), Shape::Major { digits: 0 }), Ok(json!("500")));
        assert!(write(&json!(12.5), Shape::Major { digits: 2 }).is_err());
    }

    #[test]
    fn scalars() {
        assert_eq!(write(&json!(" 12 "), Shape::Number), Ok(json!(12)));
        assert_eq!(write(&json!("1.5e2"), Shape::Number), Ok(json!(150.0)));
        for text in ["inf", "NaN", "1e999", "", "12 kg"] {
            assert!(write(&json!(text), Shape::Number).is_err(), "{text}");
        }
        assert_eq!(write(&json!(12), Shape::Text), Ok(json!("12")));
        assert_eq!(write(&json!("true"), Shape::Bool), Ok(json!(true)));
        assert!(write(&json!("yes"), Shape::Bool).is_err() && write(&json!([1]), Shape::Text).is_err());
        assert_eq!(convert(&json!(1500), Unit::Gram, Unit::Kilogram), Ok(json!(1.5)));
        assert_eq!(convert(&json!(1000), Unit::Gram, Unit::Kilogram), Ok(json!(1)));
        let error = convert(&json!(1), Unit::Gram, Unit::Metre).unwrap_err();
        assert!(matches!(error, TransformError::Unit(_)), "{error}");
    }

    proptest! {
        #[test]
        fn money_comes_back(units in any::<i64>(), digits in 0_u8..=6) {
            if let Ok(amount) = write(&json!(units), Shape::Major { digits }) {
                match write(&amount, Shape::Minor { digits }) {
                    Ok(back) => prop_assert_eq!(back, json!(units)),
                    Err(_) => prop_assert_eq!(units, i64::MIN),
                }
            }
        }

        #[test]
        fn no_text_breaks_it(text in ".{0,40}", digits in any::<u8>()) {
            for shape in [Shape::Number, Shape::Bool, Shape::Minor { digits }, Shape::Major { digits }] {
                let _ = write(&json!(text), shape);
            }
        }
    }
}
