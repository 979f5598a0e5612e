//! Logins that were begun and not finished.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use vestibule_model::Timestamp;

use super::provider::Asked;

/// Milliseconds in which a person types a password and finds their second factor.
const LIFE_MS: u64 = 10 * 60 * 1_000;
/// Begun logins at once; whoever begins more pushes out the oldest, which has been waiting longest.
const MOST: usize = 256;

/// Oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<VecDeque<(Timestamp, Asked)>>);

impl Pending {
    pub(super) fn keep(&self, now: Timestamp, asked: Asked) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() >= MOST {
            pending.pop_front();
        }
        pending.push_back((now, asked));
    }

    /// The login that `state` names, once.
    pub(super) fn take(&self, now: Timestamp, state: &str) -> Option<Asked> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|(begun, _)| now.since(*begun) <= LIFE_MS);
        let place = pending.iter().position(|(_, asked)| asked.state == state)?;
        pending.remove(place).map(|(_, asked)| asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(state: &str) -> Asked {
        Asked { state: state.to_owned(), nonce: String::new(), verifier: String::new() }
    }

    #[test]
    fn a_login_is_finished_once_and_in_time() {
        let pending = Pending::default();
        pending.keep(Timestamp(0), asked("a"));
        assert!(pending.take(Timestamp(1), "b").is_none());
        assert!(pending.take(Timestamp(LIFE_MS), "a").is_some());
        assert!(pending.take(Timestamp(LIFE_MS), "a").is_none(), "once");
        pending.keep(Timestamp(0), asked("a"));
        assert!(pending.take(Timestamp(LIFE_MS + 1), "a").is_none(), "in time");
        (0..=MOST).for_each(|number| pending.keep(Timestamp(0), asked(&number.to_string())));
        assert!(pending.take(Timestamp(0), "0").is_none() && pending.take(Timestamp(0), "1").is_some());
    }
}
