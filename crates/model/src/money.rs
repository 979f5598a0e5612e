use std::{fmt, num::NonZeroU64};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::Currency;

/// Whole minor units with their currency: `Money::new(2350, EUR)` is 23.50 EUR. Never a fraction of a binary number.
///
/// ```
/// use vestibule_model::{Currency, Money, Rounding};
/// let euro: Currency = "EUR".parse()?;
/// let lamp = Money::new(2350, euro);
/// assert_eq!(lamp.times(2)?.plus(Money::new(490, euro))?.to_string(), "51.90 EUR");
/// // 19 % of it, rounded once.
/// assert_eq!(lamp.share(19, 100.try_into()?, Rounding::HalfUp)?, Money::new(447, euro));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// In the currency's smallest unit: cents, yen. Below zero: what is given back.
    pub amount: i64,
    /// Which currency.
    pub currency: Currency,
}

/// Where a part of a minor unit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest unit; a half goes away from zero, as tills do it.
    HalfUp,
    /// Away from zero: nobody charges less than it costs.
    Up,
    /// Towards zero: nobody pays back more than was paid.
    Down,
}

/// Why amounts do not go together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Two currencies; nothing here knows what one is worth in the other.
    #[error("{0} and {1} cannot be added up")]
    Currencies(Currency, Currency),
    /// More than can be counted.
    #[error("an amount is beyond what can be counted")]
    TooMuch,
}

impl Money {
    /// So many minor units.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Both together.
    ///
    /// # Errors
    /// [`MoneyError`] where the currencies differ or the sum cannot be counted.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_add)
    }

    /// What is left of it without `other`.
    ///
    /// # Errors
    /// [`MoneyError`] where the currencies differ or the rest cannot be counted.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_sub)
    }

    /// So many times as much.
    ///
    /// # Errors
    /// [`MoneyError::TooMuch`].
    pub fn times(self, count: u32) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(i64::from(count)).ok_or(MoneyError::TooMuch)?;
        Ok(Self { amount, ..self })
    }

    /// `amount * numerator / denominator`, exact until it is rounded, once.
    ///
    /// # Errors
    /// [`MoneyError::TooMuch`].
    pub fn share(self, numerator: u64, denominator: NonZeroU64, rounding: Rounding) -> Result<Self, MoneyError> {
        // 63 and 64 bits: the product fits into 127.
        let product = i128::from(self.amount) * i128::from(numerator);
        let denominator = i128::from(denominator.get());
        let (whole, rest) = (product / denominator, (product % denominator).abs());
        let more = match rounding {
            Rounding::HalfUp => rest * 2 >= denominator,
            Rounding::Up => rest > 0,
            Rounding::Down => false,
        };
        let rounded = if more { whole + product.signum() } else { whole };
        let amount = i64::try_from(rounded).map_err(|_| MoneyError::TooMuch)?;
        Ok(Self { amount, ..self })
    }

    fn with(self, other: Self, how: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies(self.currency, other.currency));
        }
        how(self.amount, other.amount).map(|amount| Self { amount, ..self }).ok_or(MoneyError::TooMuch)
    }
}

/// As people write it: `23.50 EUR`, `-1,290 JPY`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.currency.digits());
        let unit = 10_u64.pow(u32::from(self.currency.digits()));
        let amount = self.amount.unsigned_abs();
        if self.amount < 0 {
            f.write_str("-")?;
        }
        let whole = (amount / unit).to_string();
        for (position, digit) in whole.chars().enumerate() {
            if position > 0 && (whole.len() - position).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        if digits > 0 {
            write!(f, ".{:0digits$}", amount % unit)?;
        }
        write!(f, " {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(amount: i64, currency: &str) -> Money {
        Money::new(amount, currency.parse().unwrap())
    }

    #[test]
    fn people_read_it_as_they_write_it() {
        for (amount, currency, words) in [
            (2_350, "EUR", "23.50 EUR"),
            (-1_290, "JPY", "-1,290 JPY"),
            (5, "USD", "0.05 USD"),
            (-5, "USD", "-0.05 USD"),
            (0, "KWD", "0.000 KWD"),
            (1_234_567_890, "KWD", "1,234,567.890 KWD"),
            (i64::MIN, "JPY", "-9,223,372,036,854,775,808 JPY"),
            (i64::MAX, "EUR", "92,233,720,368,547,758.07 EUR"),
        ] {
            assert_eq!(of(amount, currency).to_string(), words);
        }
    }

    #[test]
    fn currencies_are_not_mixed_and_nothing_overflows() {
        let (euro, dollar) = (of(1, "EUR"), of(1, "USD"));
        assert_eq!(euro.plus(dollar), Err(MoneyError::Currencies(euro.currency, dollar.currency)));
        assert_eq!(euro.minus(dollar), Err(MoneyError::Currencies(euro.currency, dollar.currency)));
        let most = of(i64::MAX, "EUR");
        assert_eq!(most.plus(euro), Err(MoneyError::TooMuch));
        assert_eq!(of(i64::MIN, "EUR").minus(euro), Err(MoneyError::TooMuch));
        assert_eq!(most.times(2), Err(MoneyError::TooMuch));
        assert_eq!(most.share(2, NonZeroU64::MIN, Rounding::Down), Err(MoneyError::TooMuch));
        assert_eq!(most.share(u64::MAX, NonZeroU64::MAX, Rounding::Up), Ok(most));
    }

    #[test]
    fn it_is_rounded_as_tills_do_it() {
        let tenths =
            |amount, rounding| of(amount, "EUR").share(1, NonZeroU64::new(10).unwrap(), rounding).unwrap().amount;
        assert_eq!([14, 15, -14, -15].map(|a| tenths(a, Rounding::HalfUp)), [1, 2, -1, -2]);
        assert_eq!([10, 11, -11].map(|a| tenths(a, Rounding::Up)), [1, 2, -2]);
        assert_eq!([19, -19].map(|a| tenths(a, Rounding::Down)), [1, -1]);
    }

    #[test]
    fn a_fraction_is_no_amount() {
        assert!(serde_json::from_str::<Money>(r#"{"amount":1.0,"currency":"EUR"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount":9223372036854775808,"currency":"EUR"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount":1,"currency":"euro"}"#).is_err());
    }

    proptest! {
        #[test]
        fn what_is_added_can_be_taken_away(a: i64, b: i64) {
            let (a, b) = (of(a, "EUR"), of(b, "EUR"));
            prop_assert_eq!(a.plus(b), b.plus(a));
            if let Ok(sum) = a.plus(b) {
                prop_assert_eq!(sum.minus(b), Ok(a));
            }
        }

        #[test]
        fn times_is_plus_again_and_again(a in -1_000_000_i64..1_000_000, count in 0_u32..50) {
            let mut sum = of(0, "EUR");
            for _ in 0..count {
                sum = sum.plus(of(a, "EUR")).unwrap();
            }
            prop_assert_eq!(of(a, "EUR").times(count), Ok(sum));
        }

        #[test]
        fn a_share_is_next_to_the_exact_one(a: i64, numerator: u64, denominator in 1_u64..) {
            let exact = i128::from(a) * i128::from(numerator);
            let denominator = NonZeroU64::new(denominator).unwrap();
            let whole = i128::from(denominator.get());
            let share = |rounding| of(a, "EUR").share(numerator, denominator, rounding).map(|m| i128::from(m.amount));
            if let (Ok(down), Ok(half), Ok(up)) =
                (share(Rounding::Down), share(Rounding::HalfUp), share(Rounding::Up))
            {
                prop_assert!(down.abs() <= half.abs() && half.abs() <= up.abs() && up.abs() - down.abs() <= 1);
                // Divided, not multiplied: twice the product can need more than 127 bits.
                prop_assert_eq!(down, exact / whole);
                prop_assert_eq!(up == down, exact % whole == 0);
                prop_assert_eq!(half == down, (exact % whole).abs() * 2 < whole);
            }
        }

        #[test]
        fn it_is_read_as_it_was_written(amount: i64, letters in "[A-Z]{3}") {
            let money = of(amount, &letters);
            prop_assert_eq!(serde_json::from_str::<Money>(&serde_json::to_string(&money).unwrap()).unwrap(), money);
            let words = money.to_string();
            let digits: String = words.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
            prop_assert_eq!(digits.parse::<i64>().unwrap(), amount, "{}", words);
        }
    }
}
