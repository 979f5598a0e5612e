//! What the home has, how it is known, and how far that is to be believed.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use vestibule_model::{FeatureId, Timestamp, Truth, TwinId};

use crate::{
    table::{IngredientId, Permille},
    units::Amount,
};

const DAY: u64 = 86_400_000;

/// A line of a purchase: what the shop calls the order's line, and which purchase it belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineKey {
    /// The purchase's id, as text.
    pub purchase: Arc<str>,
    /// The line's id.
    pub line: Arc<str>,
}

impl LineKey {
    /// This line of that purchase.
    #[must_use]
    pub fn new(purchase: &str, line: &str) -> Self {
        Self { purchase: Arc::from(purchase), line: Arc::from(line) }
    }
}

impl fmt::Debug for LineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineKey({}/{})", self.purchase, self.line)
    }
}

/// How an amount is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockSource {
    /// It stands on a scale. The jar's weight is taken off already.
    Scale {
        /// Milligrams that were taken off.
        tare_mg: i64,
    },
    /// A thing that keeps a list: a fridge.
    Inventory,
    /// A person counted.
    Counted,
    /// It came with a delivery, and nothing at home has weighed or counted it since.
    Delivered(LineKey),
}

impl StockSource {
    /// How sure it is at first, and after how many milliseconds it says nothing any more.
    const fn trust(&self) -> (u64, u64) {
        match self {
            Self::Scale { .. } => (980, 7 * DAY),
            Self::Inventory => (900, 3 * DAY),
            Self::Counted => (800, 30 * DAY),
            Self::Delivered(_) => (950, 2 * DAY),
        }
    }

    /// Whether a thing at home reports it by itself.
    #[must_use]
    pub const fn is_thing(&self) -> bool {
        matches!(self, Self::Scale { .. } | Self::Inventory)
    }
}

/// So much of a food, at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stock {
    /// Of what.
    pub ingredient: IngredientId,
    /// The twin that tells.
    pub twin: TwinId,
    /// Its feature.
    pub feature: FeatureId,
    /// How much, as it tells.
    pub amount: Amount,
    /// How it knows.
    pub source: StockSource,
    /// When it told.
    pub reported: Timestamp,
    /// How far the value is to be believed at all.
    pub truth: Truth,
    /// Until when it is good.
    pub best_before: Option<Timestamp>,
}

/// How far a stock is to be believed at `now`, in thousandths: it falls evenly with its age, is halved where the report is
/// stale, and is nothing where the thing reports something else than it should.
///
/// ```
/// # use vestibule_kitchen::*;
/// # use vestibule_model::{FeatureId, Timestamp, Truth, TwinId};
/// let stock = Stock {
///     ingredient: IngredientId::new("rice")?,
///     twin: TwinId::new("home/shelf")?,
///     feature: FeatureId::new("left")?,
///     amount: "1 kg".parse()?,
///     source: StockSource::Counted,
///     reported: Timestamp(0),
///     truth: Truth::Live,
///     best_before: None,
/// };
/// assert_eq!(confidence(&stock, Timestamp(0)), 800);
/// assert_eq!(confidence(&stock, Timestamp(15 * 86_400_000)), 400);
/// assert_eq!(confidence(&stock, Timestamp(31 * 86_400_000)), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn confidence(stock: &Stock, now: Timestamp) -> Permille {
    let (first, last) = stock.source.trust();
    let left = last.saturating_sub(now.since(stock.reported));
    let by_age = first * left / last;
    let believed = match stock.truth {
        Truth::Live | Truth::Pending | Truth::Commanded => by_age,
        Truth::Stale => by_age / 2,
        Truth::Diverged => 0,
    };
    Permille::try_from(believed).unwrap_or(0)
}

/// One entry for each place: of two reports of the same feature the newer counts, of two of the same moment the less.
/// The others come second.
#[must_use]
pub fn once(stocks: &[Stock]) -> (Vec<&Stock>, Vec<&Stock>) {
    let mut newest: BTreeMap<(&TwinId, &FeatureId), &Stock> = BTreeMap::new();
    let mut others = Vec::new();
    for stock in stocks {
        let place = (&stock.twin, &stock.feature);
        match newest.get(&place).copied() {
            Some(known) if is_better(known, stock) => others.push(stock),
            Some(known) => {
                others.push(known);
                newest.insert(place, stock);
            }
            None => {
                newest.insert(place, stock);
            }
        }
    }
    (newest.into_values().collect(), others)
}

fn is_better(known: &Stock, other: &Stock) -> bool {
    // All fields decide in the end: the order in which stocks are given must not.
    let rank = |stock: &Stock| (stock.reported, std::cmp::Reverse(stock.amount.number()));
    (rank(known), known) >= (rank(other), other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stock(source: StockSource, truth: Truth, reported: u64) -> Stock {
        Stock {
            ingredient: IngredientId::new("rice").unwrap(),
            twin: TwinId::new("home/shelf").unwrap(),
            feature: FeatureId::new("left").unwrap(),
            amount: Amount::Mass(1_000),
            source,
            reported: Timestamp(reported),
            truth,
            best_before: None,
        }
    }

    #[test]
    fn belief_falls_with_age_and_truth() {
        let scale = || StockSource::Scale { tare_mg: 0 };
        for (source, truth, days, expected) in [
            (scale(), Truth::Live, 0, 980),
            (scale(), Truth::Stale, 0, 490),
            (scale(), Truth::Diverged, 0, 0),
            (scale(), Truth::Live, 7, 0),
            (StockSource::Inventory, Truth::Live, 0, 900),
            (StockSource::Inventory, Truth::Live, 3, 0),
            (StockSource::Delivered(LineKey::new("a", "1")), Truth::Live, 1, 475),
        ] {
            let name = format!("{source:?} {truth:?} {days}");
            assert_eq!(confidence(&stock(source, truth, 0), Timestamp(days * DAY)), expected, "{name}");
        }
        assert_eq!(confidence(&stock(scale(), Truth::Live, 5), Timestamp(0)), 980, "clocks step back");
    }

    #[test]
    fn a_place_counts_once() {
        let (old, mut new) =
            (stock(StockSource::Counted, Truth::Live, 1), stock(StockSource::Inventory, Truth::Live, 2));
        new.amount = Amount::Mass(5);
        let both = [old.clone(), new.clone()];
        let (used, others) = once(&both);
        assert_eq!((used, others), (vec![&new], vec![&old]));
        let turned = [new.clone(), old.clone()];
        assert_eq!(once(&turned).0, vec![&new]);
    }

    proptest! {
        #[test]
        fn belief_never_grows_with_age(reported in any::<u64>(), now in any::<u64>(), more in any::<u64>()) {
            let stock = stock(StockSource::Counted, Truth::Live, reported);
            let (sooner, later) = (Timestamp(now), Timestamp(now).plus(more));
            prop_assert!(confidence(&stock, sooner) >= confidence(&stock, later));
        }
    }
}
