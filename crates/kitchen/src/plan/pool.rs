//! What there is of one ingredient, and who takes it.

use vestibule_model::{Timestamp, TwinId};

use super::{DishId, From, Have, Ignored, Way};
use crate::units::Amount;

/// A part of the pool: from a place or a delivery, good from one moment to another.
#[derive(Clone, Debug)]
struct Lot {
    from: From,
    left: i64,
    since: Timestamp,
    until: Option<Timestamp>,
}

/// What is taken from one lot.
pub struct Taken {
    pub from: From,
    pub amount: i64,
    /// When it is there; `None`: nobody knows.
    pub arrives: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
pub struct Pool {
    lots: Vec<Lot>,
    pub have: Vec<Have>,
    pub ignored: Vec<(TwinId, Amount, Ignored)>,
    pub coming: Vec<Way>,
    pub needed: Vec<(DishId, i64)>,
    pub keep: i64,
    pub missing: i64,
    /// What dishes lack at which moment, in the order of their time.
    pub lacks: Vec<(Timestamp, i64)>,
    /// Some dish takes of what is on its way.
    pub from_coming: bool,
    /// Some dish wants some, and does not say how much.
    pub some: bool,
    /// Some dish wants it, and nobody has to buy it.
    pub optional: bool,
}

impl Pool {
    pub fn stock(&mut self, have: Have) {
        let from = From::Twin(have.twin.clone(), have.feature.clone());
        self.lots.push(Lot { from, left: have.amount.number(), since: Timestamp(0), until: have.best_before });
        self.have.push(have);
    }

    pub fn way(&mut self, way: Way) {
        let since = way.arrives.unwrap_or_default();
        self.lots.push(Lot { from: From::Line(way.key.clone()), left: way.amount.number(), since, until: None });
        self.coming.push(way);
    }

    /// Puts everything into the order in which it is used and shown: what spoils first, then what keeps, then what comes.
    pub fn settle(&mut self) {
        let last = |lot: &Lot| (lot.until.is_none(), lot.until, matches!(lot.from, From::Line(_)), lot.since);
        self.lots.sort_by(|a, b| (last(a), &a.from).cmp(&(last(b), &b.from)));
        self.have.sort_by(|a, b| (&a.twin, &a.feature).cmp(&(&b.twin, &b.feature)));
        self.ignored.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        self.coming.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// What is there at a moment.
    pub fn free(&self, at: Timestamp) -> i64 {
        self.lots.iter().filter(|lot| lot.is_good(at)).fold(0, |sum, lot| sum.saturating_add(lot.left))
    }

    /// What dishes are told to expect from what they take.
    pub fn take(&mut self, wanted: i64, at: Timestamp) -> (Vec<Taken>, i64) {
        let mut lacks = wanted;
        let mut taken = Vec::new();
        let ways = &self.coming;
        for lot in self.lots.iter_mut().filter(|lot| lot.left > 0 && lot.is_good(at)) {
            if lacks == 0 {
                break;
            }
            let amount = lot.left.min(lacks);
            lot.left -= amount;
            lacks -= amount;
            let arrives = match &lot.from {
                From::Line(key) => ways.iter().find(|way| way.key == *key).and_then(|way| way.arrives),
                From::Twin(..) => None,
            };
            taken.push(Taken { from: lot.from.clone(), amount, arrives });
        }
        (taken, lacks)
    }

    /// Takes of what comes after `at`, and tells what still lacks.
    pub fn take_late(&mut self, wanted: i64, at: Timestamp) -> i64 {
        let mut lacks = wanted;
        for lot in self.lots.iter_mut().filter(|lot| lot.since > at) {
            let amount = lot.left.min(lacks);
            (lot.left, lacks) = (lot.left - amount, lacks - amount);
        }
        lacks
    }

    /// A dish's need, added to what it needs already.
    pub fn need(&mut self, dish: DishId, amount: i64) {
        match self.needed.iter_mut().find(|(known, _)| *known == dish) {
            Some((_, sum)) => *sum = sum.saturating_add(amount),
            None => self.needed.push((dish, amount)),
        }
    }

    /// A dish lacks so much at that moment.
    pub fn lack(&mut self, amount: i64, at: Timestamp) {
        self.missing = self.missing.saturating_add(amount);
        self.lacks.push((at, amount));
    }
}

impl Lot {
    fn is_good(&self, at: Timestamp) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}
