//! Purchases on their way: when their merchants are asked, and what is known of them since the start. What was asked and
//! said that counts is in the log; how long one waits for an answer is not.

use std::collections::BTreeSet;

use vestibule_model::{PurchaseId, Timestamp, UserId};

use crate::{
    Changes, Hot, LogEvent, PurchaseRecord, State,
    hot::Due,
    sif::purchase::{Waits, purchase_update},
};

/// Milliseconds after which an answer is not waited for any more: longer than whoever asks waits itself.
const PATIENCE_MS: u64 = 15_000;
/// Milliseconds until something that was not answered is asked again: doubled each time, up to this.
const RETRY_MS: (u64, u64) = (1_000, 60_000);
/// Milliseconds until an order is looked at the first time.
const FIRST_LOOK_MS: u64 = 2_000;
/// Milliseconds between two looks at an order while its user is there to see it.
const WATCHED_MS: u64 = 20_000;
/// The same while nobody is: webhooks tell most of it.
const UNWATCHED_MS: u64 = 5 * 60_000;
/// The same once everything is delivered.
const DELIVERED_MS: u64 = 60 * 60_000;

/// What is known of a purchase since the start.
#[derive(Clone, Debug)]
pub(crate) struct Trading {
    /// When something follows.
    due: Timestamp,
    /// Whether its merchant was asked and has not answered.
    waits: bool,
    /// Milliseconds between two questions where nothing is wrong.
    pace: u64,
    /// How often in a row there was no answer.
    failures: u32,
    /// When its merchant last answered.
    checked: Option<Timestamp>,
    /// Why it has not since.
    doubt: Option<String>,
}

/// Milliseconds to wait after so many questions in a row without an answer.
fn backoff(failures: u32) -> u64 {
    match failures {
        0 => 0,
        many => RETRY_MS.0.saturating_mul(1 << (many - 1).min(10)).min(RETRY_MS.1),
    }
}

impl Hot {
    /// After a start: every open purchase goes on at once. What its merchant was asked before may have been lost.
    pub(crate) fn restore_purchases(&mut self, state: &State, now: Timestamp) {
        state.open_purchases.keys().for_each(|id| self.purchase_at(*id, now));
    }

    /// Something was decided about purchases or products.
    pub(crate) fn follow_purchases(&mut self, state: &State, now: Timestamp, event: &LogEvent, changes: &mut Changes) {
        match event {
            LogEvent::PurchaseConfirmed { confirmation, .. } => {
                changes.refers = true;
                self.follow_purchase(state, now, confirmation.id, event, changes);
            }
            LogEvent::PurchaseAsked { purchase, .. }
            | LogEvent::PurchaseTold { purchase, .. }
            | LogEvent::PurchaseCancelAsked { purchase, .. }
            | LogEvent::PurchaseEnded { purchase, .. } => {
                // Its merchant may have ordered it after all.
                changes.refers |= matches!(event, LogEvent::PurchaseEnded { .. } | LogEvent::PurchaseTold { .. });
                self.follow_purchase(state, now, *purchase, event, changes);
            }
            LogEvent::ProductBound { user, product } => changes.bound.push((user.clone(), product.clone())),
            LogEvent::ProductKept { user, product, .. } => {
                changes.things = true;
                changes.bound.push((user.clone(), product.clone()));
            }
            LogEvent::ProductUnbound { user, serial } => {
                changes.things = true;
                changes.unbound.push((user.clone(), serial.clone()));
            }
            _ => {}
        }
    }

    fn follow_purchase(
        &mut self,
        state: &State,
        now: Timestamp,
        purchase: PurchaseId,
        event: &LogEvent,
        changes: &mut Changes,
    ) {
        let Some(record) = state.purchases.get(&purchase).filter(|record| record.is_open()) else {
            let checked = self.trading.get(&purchase).and_then(|known| known.checked);
            self.forget_trading(purchase);
            let update = state.purchases.get(&purchase).filter(|record| !record.orphan);
            changes.purchase_updates.extend(update.map(|record| record.update(checked, None)));
            return;
        };
        match event {
            LogEvent::PurchaseAsked { .. } => self.purchase_asked(purchase, now),
            _ => self.pace_purchase(purchase, now, self.pace(record, now), 0),
        }
        changes.purchases.insert(purchase);
        changes.purchase_updates.extend(purchase_update(state, self, purchase));
    }

    /// Milliseconds until something follows by itself: at once, unless all that is left is to look.
    fn pace(&self, record: &PurchaseRecord, now: Timestamp) -> u64 {
        match (record.waits(now), record.view.as_deref()) {
            (Waits::Nothing, _) => 0,
            (Waits::Checkout, _) => UNWATCHED_MS,
            (Waits::Order, None) => FIRST_LOOK_MS,
            (Waits::Order, Some(view)) => match (view.is_fulfilled(), self.watchers.contains(&record.user)) {
                (true, _) => DELIVERED_MS,
                (false, true) => WATCHED_MS,
                (false, false) => UNWATCHED_MS,
            },
        }
    }

    /// Its merchant is asked at `now`.
    pub fn purchase_asked(&mut self, purchase: PurchaseId, now: Timestamp) {
        self.purchase_at(purchase, now.plus(PATIENCE_MS));
        if let Some(known) = self.trading.get_mut(&purchase) {
            known.waits = true;
        }
    }

    /// Its merchant has answered; with words, where that says nothing. What its user is to be told of that.
    pub fn purchase_answered(
        &mut self,
        state: &State,
        now: Timestamp,
        purchase: PurchaseId,
        doubt: Option<String>,
    ) -> Changes {
        let mut changes = Changes::default();
        let Some(record) = state.purchases.get(&purchase).filter(|record| record.is_open()) else { return changes };
        let Some(known) = self.trading.get_mut(&purchase) else { return changes };
        let is_new = known.doubt != doubt;
        known.waits = false;
        if doubt.is_none() {
            known.checked = Some(now);
        }
        known.failures = if doubt.is_some() { known.failures.saturating_add(1) } else { 0 };
        // What has no answer that counts is asked again after a while, even where an answer came.
        let retry = backoff(known.failures.max(1));
        known.doubt = doubt;
        self.pace_purchase(purchase, now, self.pace(record, now), retry);
        if is_new {
            changes.purchase_updates.extend(purchase_update(state, self, purchase));
        }
        changes
    }

    /// Its merchant is to be asked for the order at once.
    pub fn purchase_unclear(&mut self, purchase: PurchaseId, now: Timestamp) {
        if self.trading.get(&purchase).is_some_and(|known| !known.waits && known.due > now) {
            self.purchase_at(purchase, now);
        }
    }

    /// Who is there to see how far their purchases are. Who comes sees them as they are by now.
    pub fn watch_purchases(&mut self, state: &State, now: Timestamp, users: BTreeSet<UserId>) {
        let come = |user: &UserId, before: &BTreeSet<UserId>| users.contains(user) && !before.contains(user);
        let open = state.open_purchases.keys().filter_map(|id| state.purchases.get(id));
        let theirs = open.filter(|record| record.order.is_some() && come(&record.user, &self.watchers));
        let theirs: Vec<PurchaseId> = theirs.map(|record| record.confirmation.id).collect();
        for purchase in theirs {
            self.purchase_unclear(purchase, now);
        }
        self.watchers = users;
    }

    /// Something follows after its pace, and after `least` milliseconds at the earliest.
    fn pace_purchase(&mut self, purchase: PurchaseId, now: Timestamp, pace: u64, least: u64) {
        self.purchase_at(purchase, now.plus(pace.max(least)));
        if let Some(known) = self.trading.get_mut(&purchase) {
            known.pace = pace;
        }
    }

    fn purchase_at(&mut self, purchase: PurchaseId, at: Timestamp) {
        let fresh = Trading { due: at, waits: false, pace: 0, failures: 0, checked: None, doubt: None };
        let known = self.trading.entry(purchase).or_insert(fresh);
        let before = std::mem::replace(&mut known.due, at);
        self.deadlines.remove(&(before, Due::Purchase(purchase)));
        self.deadlines.insert((at, Due::Purchase(purchase)));
    }

    fn forget_trading(&mut self, purchase: PurchaseId) {
        if let Some(known) = self.trading.remove(&purchase) {
            self.deadlines.remove(&(known.due, Due::Purchase(purchase)));
        }
    }

    pub(crate) fn purchase_due(&mut self, purchase: PurchaseId, now: Timestamp, changes: &mut Changes) {
        let Some(known) = self.trading.get_mut(&purchase) else { return };
        if std::mem::take(&mut known.waits) {
            let wait = known.pace.max(backoff(known.failures));
            known.failures = known.failures.saturating_add(1);
            known.doubt = Some(format!("no answer within {PATIENCE_MS} ms"));
            // The first time at once: one answer was lost. Then less and less.
            if wait > 0 {
                return self.purchase_at(purchase, now.plus(wait));
            }
        }
        changes.purchases.insert(purchase);
    }

    /// Whether something follows for it by now.
    pub(crate) fn purchase_is_due(&self, purchase: PurchaseId, now: Timestamp) -> bool {
        self.trading.get(&purchase).is_some_and(|known| known.due <= now)
    }

    /// When its merchant last answered, and why it has not since.
    pub(crate) fn purchase_word(&self, purchase: PurchaseId) -> (Option<Timestamp>, Option<&str>) {
        self.trading.get(&purchase).map_or((None, None), |known| (known.checked, known.doubt.as_deref()))
    }
}
