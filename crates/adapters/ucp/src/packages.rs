use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use vestibule_model::{ContentHash, SystemId};

use crate::limits::PACKAGES;

/// Which packages manufacturers have been given. What is forgotten here is only handed over once more.
#[derive(Debug, Default)]
pub(crate) struct Packages(Mutex<VecDeque<(SystemId, ContentHash)>>);

impl Packages {
    fn given(&self) -> MutexGuard<'_, VecDeque<(SystemId, ContentHash)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has(&self, system: &SystemId, package: &ContentHash) -> bool {
        self.given().iter().any(|(to, what)| (to, what) == (system, package))
    }

    pub(crate) fn put(&self, system: &SystemId, package: ContentHash) {
        if self.has(system, &package) {
            return;
        }
        let mut given = self.given();
        given.truncate(PACKAGES - 1);
        given.push_front((system.clone(), package));
    }
}
