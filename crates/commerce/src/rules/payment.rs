//! What was promised, taken and given back. At every moment `held + captured - refunded` is what the order costs with
//! everything that changed since.

use super::Broken;

/// The money of one order, in the smallest unit of its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Payment {
    /// The most that the buyer agreed to.
    pub(crate) authorized: i64,
    /// What will be taken when it is shipped.
    pub(crate) held: i64,
    /// What was taken.
    pub(crate) captured: i64,
    /// What of it was given back.
    pub(crate) refunded: i64,
}

impl Payment {
    /// The buyer agreed to `total`, and to `most` where goods are weighed later.
    ///
    /// # Errors
    /// [`Broken`] where it is less than nothing.
    pub(crate) fn authorize(total: i64, most: i64) -> Result<Self, Broken> {
        if total < 0 || most < total {
            return Err(Broken("nobody agrees to less than nothing".to_owned()));
        }
        Ok(Self { authorized: most, held: total, captured: 0, refunded: 0 })
    }

    /// What the order costs now.
    pub(crate) const fn net(&self) -> i64 {
        self.held + self.captured - self.refunded
    }

    /// It costs so much more, or less (below zero). Never more than was agreed to, and never less than nothing: gives
    /// by how much it changed. What was taken already is given back; more is not taken twice.
    pub(crate) fn change(&mut self, by: i64) -> i64 {
        if by >= 0 {
            let room = if self.captured > 0 { 0 } else { self.authorized - self.held };
            let more = by.min(room.max(0));
            self.held += more;
            return more;
        }
        let less = by.saturating_neg().min(self.net());
        let from_held = less.min(self.held);
        self.held -= from_held;
        self.refunded += less - from_held;
        -less
    }

    /// Takes what is held.
    pub(crate) fn capture(&mut self) {
        self.captured += self.held;
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever happens in whatever order: nobody pays more than they agreed to, nobody gets back more than they
        /// paid, and what changed is what is told.
        #[test]
        fn money_is_neither_made_nor_lost(
            total in 0_i64..10_000, more in 0_i64..500, steps in proptest::collection::vec((any::<bool>(), -12_000_i64..12_000), 0..20),
        ) {
            let mut payment = Payment::authorize(total, total + more).unwrap();
            let mut changed = 0;
            for (capture, by) in steps {
                if capture { payment.capture() } else { changed += payment.change(by) }
                prop_assert_eq!(payment.net(), total + changed);
                prop_assert!(payment.net() >= 0 && payment.held >= 0);
                prop_assert!(payment.captured + payment.held <= payment.authorized);
                prop_assert!(payment.refunded <= payment.captured);
            }
            payment.change(i64::MIN);
            prop_assert_eq!(payment.net(), 0);
        }
    }

    #[test]
    fn nobody_agrees_to_less_than_nothing() {
        assert!(Payment::authorize(-1, 10).is_err() && Payment::authorize(5, 4).is_err());
    }
}
