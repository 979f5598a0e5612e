use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::{Currency, Money};

use crate::{Amount, More, limits::MAX_TOTALS};

/// Well-known kinds of entries.
pub mod kind {
    /// All lines together.
    pub const SUBTOTAL: &str = "subtotal";
    /// Taken off; below zero.
    pub const DISCOUNT: &str = "discount";
    /// Taken off single lines; below zero.
    pub const ITEMS_DISCOUNT: &str = "items_discount";
    /// For bringing it.
    pub const FULFILLMENT: &str = "fulfillment";
    /// Taxes.
    pub const TAX: &str = "tax";
    /// Other charges.
    pub const FEE: &str = "fee";
    /// What is paid.
    pub const TOTAL: &str = "total";
}

/// Which rule totals break.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TotalsError {
    /// More than [`MAX_TOTALS`] entries, or lines of one.
    #[error("totals have at most {MAX_TOTALS} entries, and each at most as many lines")]
    TooMany,
    /// Not exactly one of what is there once.
    #[error("totals have exactly one {0}")]
    NotOne(&'static str),
    /// A discount that adds, or a charge that takes off.
    #[error("the sign of {0} is wrong")]
    Sign(String),
    /// A kind that nobody can show without words.
    #[error("{0} is not well known and has no text")]
    NoText(String),
    /// Lines that are not what stands above them.
    #[error("the lines of {0} do not add up to it")]
    Lines(String),
    /// Entries that are not the total: it is shown as it is, and nobody pays it without a person who looks.
    #[error("the entries add up to {sum}, and the total says {total}")]
    Sum {
        /// What the entries add up to.
        sum: i64,
        /// What the total says.
        total: i64,
    },
}

/// A line below an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubLine {
    /// What for.
    pub display_text: String,
    /// Minor units; below zero: taken off.
    pub amount: Amount,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// An entry of totals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// See [`kind`]; others are possible.
    #[serde(rename = "type")]
    pub kind: String,
    /// What for, as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_text: Option<String>,
    /// Minor units; below zero: taken off.
    pub amount: Amount,
    /// What it is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<SubLine>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Total {
    /// An entry without text.
    #[must_use]
    pub fn new(kind: &str, amount: Amount) -> Self {
        Self { kind: kind.to_owned(), display_text: None, amount, lines: None, more: More::new() }
    }

    /// With what it is called.
    #[must_use]
    pub fn called(self, text: impl Into<String>) -> Self {
        Self { display_text: Some(text.into()), ..self }
    }

    /// What is shown: its own text first.
    #[must_use]
    pub fn label(&self) -> &str {
        self.display_text.as_deref().or_else(|| well_known(&self.kind)).unwrap_or(&self.kind)
    }

    fn check(&self) -> Result<(), TotalsError> {
        let amount = self.amount.get();
        let fits = match self.kind.as_str() {
            kind::DISCOUNT | kind::ITEMS_DISCOUNT => amount < 0,
            kind::SUBTOTAL | kind::FULFILLMENT | kind::TAX | kind::FEE => amount >= 0,
            _ => true,
        };
        if !fits {
            return Err(TotalsError::Sign(self.kind.clone()));
        }
        if let Some(lines) = &self.lines {
            if lines.len() > MAX_TOTALS {
                return Err(TotalsError::TooMany);
            }
            // An empty list says that nothing is itemized, not that nothing is charged.
            if !lines.is_empty() && lines.iter().map(|line| line.amount.get()).sum::<i64>() != amount {
                return Err(TotalsError::Lines(self.kind.clone()));
            }
        }
        Ok(())
    }
}

fn well_known(kind: &str) -> Option<&'static str> {
    Some(match kind {
        kind::SUBTOTAL => "Subtotal",
        kind::DISCOUNT => "Discount",
        kind::ITEMS_DISCOUNT => "Item Discounts",
        kind::FULFILLMENT => "Shipping",
        kind::TAX => "Tax",
        kind::FEE => "Fee",
        kind::TOTAL => "Total",
        _ => return None,
    })
}

/// What something costs, in the order in which it is shown. Shown as given: nobody but its merchant computes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Totals(pub Vec<Total>);

impl Totals {
    /// The total, where there is exactly one.
    #[must_use]
    pub fn total(&self) -> Option<Amount> {
        self.one(kind::TOTAL).ok().map(|entry| entry.amount)
    }

    /// The total as money.
    #[must_use]
    pub fn money(&self, currency: Currency) -> Option<Money> {
        self.total().map(|total| Money::new(total.get(), currency))
    }

    /// Holds the entries against the rules for parts: of a line, of a delivery, of an adjustment. An adjustment's
    /// signs say in which direction money goes, so only its size is limited: see [`Totals::check_size`].
    ///
    /// # Errors
    /// [`TotalsError`].
    pub fn check_part(&self) -> Result<(), TotalsError> {
        self.check_size()?;
        self.0.iter().try_for_each(Total::check)
    }

    /// Not more entries than are taken.
    ///
    /// # Errors
    /// [`TotalsError::TooMany`].
    pub fn check_size(&self) -> Result<(), TotalsError> {
        let too_long = |entry: &Total| entry.lines.as_ref().is_some_and(|lines| lines.len() > MAX_TOTALS);
        if self.0.len() > MAX_TOTALS || self.0.iter().any(too_long) { Err(TotalsError::TooMany) } else { Ok(()) }
    }

    /// Holds the entries against the rules for a checkout or an order, but for their sum.
    ///
    /// # Errors
    /// [`TotalsError`].
    pub fn check(&self) -> Result<(), TotalsError> {
        self.check_part()?;
        self.one(kind::SUBTOTAL)?;
        self.one(kind::TOTAL)?;
        match self.0.iter().find(|entry| entry.display_text.is_none() && well_known(&entry.kind).is_none()) {
            Some(entry) => Err(TotalsError::NoText(entry.kind.clone())),
            None => Ok(()),
        }
    }

    /// All entries but the total add up to the total. What does not add up is shown, and never completed.
    ///
    /// # Errors
    /// [`TotalsError::Sum`], or [`TotalsError::NotOne`] where there is no total.
    pub fn check_sum(&self) -> Result<(), TotalsError> {
        self.check_size()?;
        let total = self.one(kind::TOTAL)?.amount.get();
        // MAX_TOTALS amounts of at most MAX_AMOUNT each: far from overflowing.
        let sum = self.0.iter().filter(|entry| entry.kind != kind::TOTAL).map(|entry| entry.amount.get()).sum();
        if sum == total { Ok(()) } else { Err(TotalsError::Sum { sum, total }) }
    }

    fn one(&self, kind: &'static str) -> Result<&Total, TotalsError> {
        let mut found = self.0.iter().filter(|entry| entry.kind == kind);
        match (found.next(), found.next()) {
            (Some(entry), None) => Ok(entry),
            _ => Err(TotalsError::NotOne(kind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::MAX_AMOUNT;

    fn entry(kind: &str, amount: i64) -> Total {
        Total::new(kind, Amount::new(amount).unwrap())
    }

    fn totals(entries: &[(&str, i64)]) -> Totals {
        Totals(entries.iter().map(|(kind, amount)| entry(kind, *amount)).collect())
    }

    #[test]
    fn each_rule_is_held() {
        let good = [("subtotal", 100), ("discount", -10), ("tax", 5), ("total", 95)];
        assert_eq!(totals(&good).check().and(totals(&good).check_sum()), Ok(()));
        for (entries, error) in [
            (&[("subtotal", 1)][..], TotalsError::NotOne("total")),
            (&[("total", 1)], TotalsError::NotOne("subtotal")),
            (&[("subtotal", 1), ("total", 1), ("total", 1)], TotalsError::NotOne("total")),
            (&[("subtotal", 1), ("subtotal", 1), ("total", 2)], TotalsError::NotOne("subtotal")),
            (&[("subtotal", 1), ("discount", 0), ("total", 1)], TotalsError::Sign("discount".into())),
            (&[("subtotal", 1), ("items_discount", 1), ("total", 2)], TotalsError::Sign("items_discount".into())),
            (&[("subtotal", 1), ("fee", -1), ("total", 0)], TotalsError::Sign("fee".into())),
            (&[("subtotal", 1), ("deposit", 1), ("total", 2)], TotalsError::NoText("deposit".into())),
            (&[("tax", 1); MAX_TOTALS + 1], TotalsError::TooMany),
        ] {
            assert_eq!(totals(entries).check(), Err(error));
        }
    }

    #[test]
    fn lines_are_what_stands_above_them() {
        let line =
            |amount| SubLine { display_text: "a".into(), amount: Amount::new(amount).unwrap(), more: More::new() };
        let fee = |lines| Totals(vec![Total { lines: Some(lines), ..entry("fee", 5) }]);
        assert_eq!(fee(vec![line(2), line(3)]).check_part(), Ok(()));
        assert_eq!(fee(vec![line(2), line(2)]).check_part(), Err(TotalsError::Lines("fee".into())));
        assert_eq!(fee(vec![line(0); MAX_TOTALS + 1]).check_part(), Err(TotalsError::TooMany));
    }

    proptest! {
        #[test]
        fn only_what_adds_up_can_be_paid(
            amounts in proptest::collection::vec(-MAX_AMOUNT..=MAX_AMOUNT, 0..8), off in -3_i64..=3,
        ) {
            let sum: i64 = amounts.iter().sum();
            prop_assume!((sum + off).abs() <= MAX_AMOUNT);
            let mut all: Vec<Total> = amounts.iter().map(|amount| entry("x", *amount).called("x")).collect();
            all.push(entry("total", sum + off));
            prop_assert_eq!(Totals(all).check_sum().is_ok(), off == 0);
        }
    }
}
