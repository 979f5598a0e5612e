//! Numbers in decimals. They are nearly all of a file's bytes, so this does by itself what formatting does more slowly.

use std::io::Write as _;

/// Powers of ten that numbers are held against: beyond, nothing is exact any more.
const POWERS: [f64; 13] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];
/// Digits that most numbers have.
const USUAL: usize = 7;

/// A whole number.
pub(super) fn whole(number: u64, to: &mut Vec<u8>) {
    padded(number, 1, to);
}

/// A whole number with so many digits at least.
fn padded(mut number: u64, least: usize, to: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let end = at.saturating_sub(least);
    while number > 0 || at > end {
        at -= 1;
        // A digit is below ten.
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    to.extend_from_slice(&digits[at..]);
}

/// A number as `{}` writes it: with the fewest digits that are read back as the same one.
pub(super) fn real(number: f32, to: &mut Vec<u8>) {
    let Some((digits, decimals)) = shortest(number.abs()) else {
        // Writing into memory does not fail.
        let _ = write!(to, "{number}");
        return;
    };
    if number.is_sign_negative() {
        to.push(b'-');
    }
    let one = POWERS[decimals] as u64;
    whole(digits / one, to);
    if decimals > 0 {
        to.push(b'.');
        padded(digits % one, decimals, to);
    }
}

/// The fewest decimals of a number, and the number in units of the last of them; `None`: this does not know.
fn shortest(number: f32) -> Option<(u64, usize)> {
    if number == 0.0 {
        return Some((0, 0));
    }
    // Beyond a million a digit before the point may be one that does not count. A power of two has its lower neighbour
    // nearer than its upper one, and another decimal than the nearest may be read back as it.
    let is_power = number.to_bits().trailing_zeros() >= f32::MANTISSA_DIGITS - 1;
    if !(1e-3..1e6).contains(&number) || is_power {
        return None;
    }
    // Half of the way to its neighbours: what is nearer is read back as this one.
    let exponent = u64::from(number.to_bits() >> (f32::MANTISSA_DIGITS - 1)) + 1_023 - 127;
    let reach = f64::from_bits((exponent - u64::from(f32::MANTISSA_DIGITS)) << (f64::MANTISSA_DIGITS - 1));
    let number = f64::from(number);
    let mut before = 1;
    while before < 6 && number >= POWERS[before] {
        before += 1;
    }
    let mut decimals = USUAL - before;
    let mut found = read_back(number, reach, decimals)?;
    while found.is_none() {
        decimals += 1;
        if decimals == POWERS.len() {
            return None;
        }
        found = read_back(number, reach, decimals)?;
    }
    while decimals > 0 {
        let Some(fewer) = read_back(number, reach, decimals - 1)? else { break };
        (found, decimals) = (Some(fewer), decimals - 1);
    }
    found.map(|digits| (digits, decimals))
}

/// The nearest number with so many decimals, where it is read back as this one. `None` outside: two are as near, or it
/// is as near to two.
fn read_back(number: f64, reach: f64, decimals: usize) -> Option<Option<u64>> {
    let power = *POWERS.get(decimals)?;
    // Exact, all of it: 24 bits of the number, and at most 28 of the power of five.
    let (scaled, reach) = (number * power, reach * power);
    let below = scaled as u64;
    let rest = scaled - below as f64;
    let off = rest.min(1.0 - rest);
    if rest == 0.5 || off == reach {
        return None;
    }
    Some((off < reach).then_some(below + u64::from(rest > 0.5)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: f32) -> String {
        let mut bytes = Vec::new();
        real(number, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_are_written_as_formatting_writes_them() {
        for number in [0, 7, 10, 99, 1_234_567, u64::from(u32::MAX)] {
            let mut bytes = Vec::new();
            whole(number, &mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), number.to_string());
        }
        for number in
            [0.0, -0.0, 0.5, 0.1, 1e-3, 9.999_999e-4, 1e6, 999_999.94, 16_777_216.0, 1e-30, f32::MAX, f32::MIN_POSITIVE]
        {
            assert_eq!(written(number), number.to_string());
            assert_eq!(written(-number), (-number).to_string());
        }
        // Every number of some lengths, and those beside powers of two.
        for thousandth in 0..200_000_u32 {
            let number = thousandth as f32 / 1_000.0;
            assert_eq!(written(number), number.to_string());
        }
        for bits in (0x3a80_0000_u32..0x4980_0000).step_by(0x80_0000).flat_map(|power| power - 300..power + 300) {
            assert_eq!(written(f32::from_bits(bits)), f32::from_bits(bits).to_string());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_number_is_written_as_formatting_writes_it(bits in 0x3a00_0000_u32..0x4a00_0000, any in any::<u32>()) {
            for number in [f32::from_bits(bits), f32::from_bits(any)] {
                prop_assert_eq!(written(number), number.to_string());
            }
        }
    }
}
