//! Numbers that JSON gives back as they are.
//!
//! Our reader of JSON is up to a few steps of the last bit off where a number has more than fifteen digits or a long
//! exponent (the one that is not would be another build of everything that reads JSON). So a number that is read, written
//! and read again could be another one each time, and a state read from a snapshot another one than the fold of the lines
//! before it. Whatever is read is therefore moved to the nearest number that stays what it is.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// How many steps of the last bit are looked at on both sides; among numbers of every size at most some dozens are
/// needed. A number that has none keeps its place.
const STEPS: u64 = 4_096;
/// Below it, whole numbers and thousandths have fifteen digits: those are read exactly.
const EXACT: f64 = 1e15;

/// The number that JSON makes of this one, again and again.
pub(crate) fn settled(number: f64) -> f64 {
    // What is no number is not written in JSON.
    if !number.is_finite() || is_short(number) {
        return number;
    }
    let mut nearest = number;
    for _ in 0..4 {
        match again(nearest) {
            Some(read) if read.to_bits() == nearest.to_bits() => return nearest,
            Some(read) => nearest = read,
            None => break,
        }
    }
    // It wanders, or goes back and forth.
    let bits = nearest.to_bits();
    let beside = (1..=STEPS).flat_map(|step| [bits.checked_add(step), bits.checked_sub(step)]);
    let mut beside = beside.flatten().map(f64::from_bits).filter(|beside| beside.is_finite());
    beside.find(|beside| again(*beside).is_some_and(|read| read.to_bits() == beside.to_bits())).unwrap_or(nearest)
}

/// Whether it has so few digits that it is read exactly.
fn is_short(number: f64) -> bool {
    let thousandths = number * 1_000.0;
    thousandths.abs() < EXACT && thousandths.fract() == 0.0 && thousandths / 1_000.0 == number
}

/// Whether JSON gives this number back to the bit.
pub(crate) fn is_settled(number: f64) -> bool {
    is_short(number) || number.is_finite() && again(number).is_some_and(|read| read.to_bits() == number.to_bits())
}

/// The same of a shorter one, which is not moved when it is read: it is written and read to know it.
pub(crate) fn is_settled_f32(number: f32) -> bool {
    // The longest has 16 characters.
    let mut text = [0_u8; 32];
    let mut rest = &mut text[..];
    if serde_json::to_writer(&mut rest, &number).is_err() {
        return false;
    }
    let left = rest.len();
    let read = serde_json::from_slice::<f32>(&text[..text.len() - left]);
    read.is_ok_and(|read| read.to_bits() == number.to_bits())
}

/// Written and read.
fn again(number: f64) -> Option<f64> {
    // The longest has 24 characters.
    let mut text = [0_u8; 32];
    let mut rest = &mut text[..];
    serde_json::to_writer(&mut rest, &number).ok()?;
    let left = rest.len();
    serde_json::from_slice(&text[..text.len() - left]).ok()
}

/// Moves every number in it to the nearest that stays what it is when it is written and read again as JSON.
pub fn settle(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let settled = number.as_f64().map(settled).and_then(serde_json::Number::from_f64);
            *number = settled.unwrap_or_else(|| number.clone());
        }
        Value::Array(parts) => parts.iter_mut().for_each(settle),
        Value::Object(parts) => parts.values_mut().for_each(settle),
        _ => {}
    }
}

/// `#[serde(deserialize_with)]` of a number: other formats than JSON have it exactly.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let people = deserializer.is_human_readable();
    let number = f64::deserialize(deserializer)?;
    Ok(if people { settled(number) } else { number })
}

/// The same where there need not be one.
pub(crate) fn read_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let people = deserializer.is_human_readable();
    let number = Option::<f64>::deserialize(deserializer)?;
    Ok(if people { number.map(settled) } else { number })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stays(number: f64) -> bool {
        again(number).is_some_and(|read| read.to_bits() == number.to_bits())
    }

    /// Without settling: what this file is for. Should it ever fail, the reader is exact and this file can go.
    #[test]
    fn json_alone_moves_a_number() {
        assert!(!stays(444_444_444_444_444_444_444_444_444_444_444_444_442.0));
    }

    #[test]
    fn the_ends_of_all_numbers_stay() {
        for number in [0.0, -0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::EPSILON, 0.1, 1e23, 1e15, 1e12] {
            assert!(stays(settled(number)), "{number:e}");
        }
    }

    #[test]
    fn what_people_write_is_not_touched() {
        for number in ["0.1", "21.5", "-40", "0.001", "3.14159265358979", "1e22", "1700000000000", "999999999999.999"] {
            let read: f64 = serde_json::from_str(number).unwrap();
            assert_eq!(settled(read).to_bits(), number.parse::<f64>().unwrap().to_bits(), "{number}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_settled_number_stays_and_is_near(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
            let settled = settled(number);
            prop_assert!(stays(settled), "{number:e} became {settled:e}");
            prop_assert!((settled - number).abs() <= number.abs() * 1e-12 || number.abs() < 1e-300, "{number:e}");
        }

        #[test]
        fn any_digits_settle(text in "-?[1-9][0-9]{0,45}(\\.[0-9]{1,30})?(e-?[0-9]{1,3})?") {
            if let Ok(read) = serde_json::from_str::<f64>(&text) {
                prop_assert!(stays(settled(read)), "{text}");
            }
        }
    }
}
