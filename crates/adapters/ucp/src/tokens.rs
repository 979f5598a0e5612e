use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use vestibule_model::{PurchaseId, Timestamp};
use vestibule_ucp::{TokenizeAnswer, moment};

use crate::limits::TOKENS;

/// Tokens with which purchases are paid that are in doubt: asked again, a request is the same to its merchant only with
/// the same token. None outlives the doubt or the process, and nobody prints one.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<PurchaseId, TokenizeAnswer>>);

impl Tokens {
    fn known(&self) -> MutexGuard<'_, BTreeMap<PurchaseId, TokenizeAnswer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of a purchase, as long as it is good.
    pub(crate) fn get(&self, purchase: &PurchaseId, now: Timestamp) -> Option<String> {
        let known = self.known();
        let answer = known.get(purchase)?;
        let is_good = moment(&answer.expires_at).is_some_and(|until| until > now);
        is_good.then(|| answer.token.clone())
    }

    pub(crate) fn put(&self, purchase: PurchaseId, answer: TokenizeAnswer) {
        let mut known = self.known();
        if known.len() >= TOKENS {
            // Any: its purchase is asked for with another one.
            known.pop_first();
        }
        known.insert(purchase, answer);
    }

    pub(crate) fn forget(&self, purchase: &PurchaseId) {
        self.known().remove(purchase);
    }
}
