//! Deadlines of leases: when a holder has to have renewed, when a waiter gives up.

use vestibule_model::{LeaseId, Timestamp, TwinId};

use crate::{Changes, Hot, LeasePhase, State, hot::Due};

impl Hot {
    /// Watches a lease's deadline as it is by now.
    pub(crate) fn watch_lease(&mut self, state: &State, id: LeaseId) {
        let next = state.leases.get(&id).and_then(|lease| lease.deadline());
        let before = match next {
            Some(at) => self.leases.insert(id, at),
            None => self.leases.remove(&id),
        };
        if let Some(at) = before {
            self.deadlines.remove(&(at, Due::Lease(id)));
        }
        self.deadlines.extend(next.map(|at| (at, Due::Lease(id))));
    }

    /// A lease changed: whoever stands in the same queue may have another place, or another wait.
    pub(crate) fn follow_lease(&mut self, state: &State, id: LeaseId, changes: &mut Changes) {
        self.watch_lease(state, id);
        changes.leases.insert(id);
        if let Some(lease) = state.leases.get(&id) {
            Self::queue_changed(state, &lease.request.twin, changes);
        }
    }

    /// Whoever waits for this twin's object may have another place, or another wait.
    pub(crate) fn queue_changed(state: &State, twin: &TwinId, changes: &mut Changes) {
        if state.leases.is_idle() {
            return;
        }
        let object = state.object_of(twin);
        let waiting = state.leases.on(&object).filter(|lease| lease.phase == LeasePhase::Waiting);
        changes.leases.extend(waiting.map(|lease| lease.request.id));
    }

    /// How many leases are live.
    #[must_use]
    pub fn live_leases(&self) -> usize {
        self.leases.len()
    }

    /// The time of a lease has come; what follows is decided by [`settle`](crate::settle).
    pub(crate) fn lease_due(&mut self, id: LeaseId, now: Timestamp, changes: &mut Changes) {
        // Asked again a second later, should nothing be decided: the disk may be full at the moment.
        let again = now.plus(1_000);
        self.leases.insert(id, again);
        self.deadlines.insert((again, Due::Lease(id)));
        changes.settle = true;
    }
}
