//! What was decided about purchases: this room's part of the fold of the log.

use std::sync::Arc;

use vestibule_model::{PurchaseId, Timestamp, UserId};

use super::PurchaseRecord;
use crate::{LogEvent, State};

/// Milliseconds for which an ended purchase is remembered: two years, as long as a guarantee lasts.
const REMEMBERED_MS: u64 = 2 * 366 * 24 * 60 * 60 * 1_000;
/// Ended purchases of one user that are remembered: one a day for nearly three years.
const MOST_ENDED: usize = 1_024;

impl State {
    /// Takes what was decided at `at` about purchases. What makes no sense changes nothing.
    pub(crate) fn apply_purchases(&mut self, at: Timestamp, event: &LogEvent) {
        self.forget_purchases_until(at);
        match event {
            LogEvent::PurchaseConfirmed { user, by, confirmation, contents } => {
                let session = (confirmation.system.clone(), confirmation.checkout.clone());
                if self.purchases.contains_key(&confirmation.id) || self.by_session.contains_key(&session) {
                    return;
                }
                let id = confirmation.id;
                let record =
                    PurchaseRecord::new(at, user.clone(), by.clone(), confirmation.as_ref().clone(), contents.clone());
                self.by_session.insert(session, id);
                self.open_purchases.insert(id, ());
                self.purchases_by_user.insert((user.clone(), at, id), ());
                self.purchases.insert(id, Arc::new(record));
            }
            LogEvent::PurchaseAsked { purchase, what, attempt, .. } => {
                self.change_purchase(*purchase, |record| record.asked(at, *what, *attempt));
            }
            LogEvent::PurchaseTold { purchase, told, .. } => {
                self.change_purchase(*purchase, |record| record.told(at, told));
            }
            LogEvent::PurchaseCancelAsked { purchase, .. } => {
                self.change_purchase(*purchase, |record| record.cancel_asked(at));
            }
            LogEvent::PurchaseEnded { purchase, state, .. } => {
                self.change_purchase(*purchase, |record| record.ended(at, state));
            }
            _ => {}
        }
    }

    fn change_purchase(&mut self, purchase: PurchaseId, change: impl FnOnce(&mut PurchaseRecord)) {
        let Some(record) = self.purchases.get_mut(&purchase) else { return };
        change(Arc::make_mut(record));
        let (is_open, at, user, orphan) = (record.is_open(), record.at, record.user.clone(), record.orphan);
        let was_open = self.open_purchases.contains_key(&purchase);
        if is_open && !was_open {
            // Its merchant has ordered it after all.
            self.open_purchases.insert(purchase, ());
        } else if !is_open && was_open {
            self.open_purchases.remove(&purchase);
            self.forget_purchases.insert((at.plus(REMEMBERED_MS), purchase), ());
            if orphan {
                self.forget_purchase(purchase);
            } else {
                self.forget_oldest(&user);
            }
        }
    }

    fn forget_oldest(&mut self, user: &UserId) {
        let first = (user.clone(), Timestamp(0), PurchaseId([0; 16]));
        let mine = self.purchases_by_user.range(first..).map(|(key, ())| key).take_while(|key| key.0 == *user);
        let ended: Vec<PurchaseId> = mine.map(|key| key.2).filter(|id| !self.open_purchases.contains_key(id)).collect();
        let many = ended.len().saturating_sub(MOST_ENDED);
        ended.into_iter().take(many).for_each(|id| self.forget_purchase(id));
    }

    fn forget_purchases_until(&mut self, at: Timestamp) {
        while let Some(key) = self.forget_purchases.first().map(|(key, ())| *key).filter(|(moment, _)| *moment < at) {
            self.forget_purchases.remove(&key);
            // One that was opened again has another end to come.
            if !self.open_purchases.contains_key(&key.1) {
                self.forget_purchase(key.1);
            }
        }
    }

    fn forget_purchase(&mut self, purchase: PurchaseId) {
        let Some(record) = self.purchases.get(&purchase).cloned() else { return };
        let said = &record.confirmation;
        self.by_session.remove(&(said.system.clone(), said.checkout.clone()));
        self.purchases_by_user.remove(&(record.user.clone(), record.confirmed, purchase));
        self.purchases.remove(&purchase);
    }

    /// Purchases of a user who is not there any more: what has ended is forgotten, what is ordered goes on and is nobody's.
    pub(crate) fn orphan_purchases(&mut self, user: &UserId) {
        let mine = self.purchases.iter().filter(|(_, record)| record.user == *user);
        let mine: Vec<(PurchaseId, bool)> = mine.map(|(id, record)| (*id, record.is_open())).collect();
        for (purchase, is_open) in mine {
            if !is_open {
                self.forget_purchase(purchase);
                continue;
            }
            if let Some(record) = self.purchases.get_mut(&purchase) {
                let record = Arc::make_mut(record);
                record.orphan = true;
                self.purchases_by_user.remove(&(record.user.clone(), record.confirmed, purchase));
            }
        }
    }

    /// The purchases of a user that were confirmed before a moment, the newest first.
    pub(crate) fn purchases_of<'a>(
        &'a self,
        user: &'a UserId,
        before: Option<Timestamp>,
    ) -> impl Iterator<Item = &'a PurchaseRecord> {
        let first = (user.clone(), Timestamp(0), PurchaseId([0; 16]));
        let end = (user.clone(), before.unwrap_or(Timestamp(u64::MAX)), PurchaseId([0; 16]));
        let mine: Vec<PurchaseId> = self.purchases_by_user.range(first..end).map(|(key, ())| key.2).collect();
        mine.into_iter().rev().filter_map(move |id| self.purchases.get(&id)).map(AsRef::as_ref)
    }
}
