use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use vestibule_model::Timestamp;

/// The time of day. Tests set it ahead; its clones go with it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicU64>,
}

impl Clock {
    /// Now. Before 1970 it is 1970.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let real = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Timestamp(real).plus(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// From now on it is so much later, in milliseconds.
    pub fn set_ahead(&self, millis: u64) {
        self.ahead_ms.fetch_add(millis, Ordering::Relaxed);
    }
}
