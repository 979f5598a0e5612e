//! Exact numbers: what a recipe writes is a fraction, and stays one until it is an amount.

use std::fmt;

use crate::words::Language;

/// The most digits of a whole number: nobody weighs more than that.
const DIGITS: usize = 12;

/// A number that is not negative, as a fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    over: u64,
    under: u64,
}

const fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Number {
    /// Nothing.
    pub const ZERO: Self = Self { over: 0, under: 1 };
    /// One.
    pub const ONE: Self = Self { over: 1, under: 1 };

    /// A whole number.
    #[must_use]
    pub const fn whole(number: u32) -> Self {
        Self { over: number as u64, under: 1 }
    }

    /// `over / under`; `None` where nothing is divided by.
    #[must_use]
    pub const fn fraction(over: u64, under: u64) -> Option<Self> {
        if under == 0 {
            return None;
        }
        let shared = divisor(over, under);
        Some(Self { over: over / shared, under: under / shared })
    }

    /// The sum, where it can be written.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let over = self.over.checked_mul(other.under)?.checked_add(other.over.checked_mul(self.under)?)?;
        Self::fraction(over, self.under.checked_mul(other.under)?)
    }

    /// The product, where it can be written.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let (a, b) = (divisor(self.over, other.under).max(1), divisor(other.over, self.under).max(1));
        let over = (self.over / a).checked_mul(other.over / b)?;
        Self::fraction(over, (self.under / b).checked_mul(other.under / a)?)
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.over == 0
    }

    /// `self * over / under`, rounded half up, as the amounts that are reckoned with.
    #[must_use]
    pub fn scaled(self, over: u64, under: u64) -> Option<i64> {
        let (over, under) = (u128::from(self.over) * u128::from(over), u128::from(self.under) * u128::from(under));
        let rounded = over.checked_mul(2)?.checked_add(under)?.checked_div(under.checked_mul(2)?)?;
        i64::try_from(rounded).ok()
    }

    /// The least whole number that is not less.
    #[must_use]
    pub const fn up(self) -> u64 {
        self.over.div_ceil(self.under)
    }

    /// Its two parts: over, under.
    #[must_use]
    pub const fn parts(self) -> (u64, u64) {
        (self.over, self.under)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let left = u128::from(self.over) * u128::from(other.under);
        left.cmp(&(u128::from(other.over) * u128::from(self.under)))
    }
}

/// As people write it: `2`, `1 1/2`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.over / self.under, self.over % self.under) {
            (whole, 0) => write!(f, "{whole}"),
            (0, over) => write!(f, "{over}/{}", self.under),
            (whole, over) => write!(f, "{whole} {over}/{}", self.under),
        }
    }
}

/// The fraction that one character is.
#[must_use]
pub fn vulgar(character: char) -> Option<Number> {
    let (over, under) = match character {
        '½' => (1, 2),
        '⅓' => (1, 3),
        '⅔' => (2, 3),
        '¼' => (1, 4),
        '¾' => (3, 4),
        '⅕' => (1, 5),
        '⅖' => (2, 5),
        '⅗' => (3, 5),
        '⅘' => (4, 5),
        '⅙' => (1, 6),
        '⅚' => (5, 6),
        '⅐' => (1, 7),
        '⅛' => (1, 8),
        '⅜' => (3, 8),
        '⅝' => (5, 8),
        '⅞' => (7, 8),
        '⅑' => (1, 9),
        '⅒' => (1, 10),
        _ => return None,
    };
    Number::fraction(over, under)
}

/// Reads digits with a point or a comma at the start of `text`: `1.5`, `0,5`, `1,000` (a thousand in English), `1.000`
/// (a thousand in German). Gives the number and how many bytes it took.
#[must_use]
pub fn decimal(text: &str, language: Language) -> Option<(Number, usize)> {
    let bytes = text.as_bytes();
    let run = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let whole = run(0);
    if whole == 0 || whole > DIGITS {
        return None;
    }
    let integer: u64 = text.get(..whole)?.parse().ok()?;
    let mark = bytes.get(whole).copied().filter(|byte| matches!(byte, b'.' | b','));
    let after = mark.map_or(0, |_| run(whole + 1));
    let Some(mark) = mark.filter(|_| (1..=DIGITS).contains(&after)) else {
        return Some((Number { over: integer, under: 1 }, whole));
    };
    let digits: u64 = text.get(whole + 1..whole + 1 + after)?.parse().ok()?;
    let thousands = if language == Language::German { b'.' } else { b',' };
    let end = whole + 1 + after;
    if mark == thousands && after == 3 && (1..=3).contains(&whole) && integer > 0 {
        return Some((Number { over: integer * 1_000 + digits, under: 1 }, end));
    }
    let under = 10_u64.checked_pow(u32::try_from(after).ok()?)?;
    let over = integer.checked_mul(under)?.checked_add(digits)?;
    Some((Number::fraction(over, under)?, end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(over: u64, under: u64) -> Number {
        Number::fraction(over, under).unwrap()
    }

    #[test]
    fn points_and_commas_are_read_as_the_language_has_them() {
        let read = |text, language| decimal(text, language).map(|(number, _)| number);
        for (text, english, german) in [
            ("1.5", number(3, 2), number(3, 2)),
            ("0,5", number(1, 2), number(1, 2)),
            ("1,000", number(1_000, 1), number(1, 1)),
            ("1.000", number(1, 1), number(1_000, 1)),
            ("0.125", number(1, 8), number(1, 8)),
            ("0,125", number(1, 8), number(1, 8)),
            ("12", number(12, 1), number(12, 1)),
        ] {
            assert_eq!(read(text, Language::English), Some(english), "{text}");
            assert_eq!(read(text, Language::German), Some(german), "{text}");
        }
        assert_eq!(decimal("2. Knead", Language::English), Some((number(2, 1), 1)), "a point may end a sentence");
        assert_eq!(decimal("1234567890123", Language::English), None);
        assert_eq!(decimal("x", Language::English), None);
    }

    proptest! {
        #[test]
        fn sums_and_products_are_exact(a in 0_u64..1_000, b in 1_u64..100, c in 0_u64..1_000, d in 1_u64..100) {
            let (one, two) = (number(a, b), number(c, d));
            prop_assert_eq!(one.plus(two), two.plus(one));
            prop_assert_eq!(one.times(two), Number::fraction(a * c, b * d));
            prop_assert_eq!(one.plus(two).unwrap().parts(), number(a * d + c * b, b * d).parts());
            prop_assert_eq!(one.cmp(&two), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn nothing_panics(text in ".{0,24}", over in any::<u64>(), under in any::<u64>(), by in any::<u64>()) {
            let _ = decimal(&text, Language::German);
            if let Some(number) = Number::fraction(over, under) {
                let _ = (number.scaled(by, under), number.plus(number), number.times(number), number.up(), number.to_string());
            }
        }
    }
}
