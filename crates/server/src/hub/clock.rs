//! The only clock of the enabler.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use vestibule_model::Timestamp;

/// What time it is. Never steps back while the process lives, so that an order of decisions is an order of times.
#[derive(Clone, Debug)]
pub struct Clock {
    latest: Arc<AtomicU64>,
    manual: bool,
}

impl Clock {
    /// The computer's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { latest: Arc::new(AtomicU64::new(0)), manual: false }
    }

    /// A clock that stands until it is moved: for tests.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self { latest: Arc::new(AtomicU64::new(now.0)), manual: true }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        if self.manual {
            return Timestamp(self.latest.load(Ordering::SeqCst));
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.latest.fetch_max(now, Ordering::SeqCst).max(now))
    }

    /// Moves a manual clock; a system clock moves by itself.
    pub fn advance(&self, millis: u64) {
        if self.manual {
            self.latest.fetch_add(millis, Ordering::SeqCst);
        }
    }

    /// How long to sleep until `at`; a manual clock is looked at again soon.
    pub(super) fn until(&self, at: Timestamp) -> Duration {
        let wait = Duration::from_millis(at.since(self.now()));
        if self.manual { wait.min(Duration::from_millis(2)) } else { wait }
    }
}
