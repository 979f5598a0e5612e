//! What was decided about agreements and calls: this room's part of the fold of the log.

use std::sync::Arc;

use vestibule_model::{CallId, CallStatus, Pseudonym, StepKey, SystemId, Timestamp, TwinId, UserId};

use super::{
    sdc::{CallRecord, StepEnd},
    terms::Terms,
    tpsaa::Agreement,
};
use crate::{LogEvent, State};

/// Milliseconds beyond its validity and its end for which an ended call answers its repetitions with its end.
const REMEMBERED_MS: u64 = 10 * 60 * 1_000;

impl State {
    /// Takes what was decided at `at` about agreements and calls. What makes no sense changes nothing.
    pub(crate) fn apply_sif(&mut self, at: Timestamp, event: &LogEvent) {
        self.forget_calls_until(at);
        match event {
            LogEvent::PseudonymsSalted { salt } => self.salt = Some(*salt),
            LogEvent::Authorized { user, by, authorization } => {
                let key = (authorization.system.clone(), authorization.pseudonym.clone());
                let (user, by, authorization) = (user.clone(), by.clone(), authorization.clone());
                // As it offers them at this moment: the log says so further up.
                let known = self.systems.get(&authorization.system);
                let terms = known.map(|known| Terms::of(&known.info, &authorization.services));
                let agreement = Agreement { user, by, authorization, terms, acquired: Default::default() };
                self.forget_agreements_until(at);
                self.agreements.insert(key, Arc::new(agreement));
            }
            LogEvent::Deauthorized { system, pseudonym, .. } => {
                self.agreements.remove(&(system.clone(), pseudonym.clone()));
            }
            LogEvent::TwinAcquired { system, pseudonym, twin, call, .. } => match call {
                Some(call) => self.change_call(*call, |record| {
                    record.acquired.insert(twin.clone());
                }),
                None => self.acquired(&(system.clone(), pseudonym.clone()), twin),
            },
            LogEvent::CallAccepted { call, user, by, request, plans } => {
                let (request, plans) = (*request, plans.clone());
                let record = CallRecord::new(at, call.as_ref().clone(), user.clone(), by.clone(), request, plans);
                self.open_calls.insert(call.id, ());
                self.calls.insert(call.id, Arc::new(record));
            }
            LogEvent::StepDispatched { call, step, undo, input, .. } => {
                self.change_call(*call, |record| record.dispatched(at, step, *undo, input.as_ref()));
            }
            LogEvent::StepEnded { call, step, undo, end, .. } => {
                self.count_step(at, *call, step, *undo, end);
                self.change_call(*call, |record| record.ended(at, step, *undo, end));
            }
            LogEvent::CallStopped { call, stop, .. } => {
                self.change_call(*call, |record| record.stopped(at, stop.clone()))
            }
            LogEvent::CallEnded { call, status, .. } => self.call_ended(at, *call, status),
            _ => {}
        }
    }

    fn forget_agreements_until(&mut self, at: Timestamp) {
        let over = self.agreements.iter().filter(|(_, known)| known.authorization.until < at);
        let over: Vec<_> = over.map(|(key, _)| key.clone()).collect();
        for key in over {
            self.agreements.remove(&key);
        }
    }

    fn acquired(&mut self, key: &(SystemId, Pseudonym), twin: &TwinId) {
        if let Some(agreement) = self.agreements.get_mut(key) {
            Arc::make_mut(agreement).acquired.insert(twin.clone());
        }
    }

    /// Calls of a user who is not there any more: what has ended is forgotten, what is taken back is nobody's.
    pub(crate) fn orphan_calls(&mut self, user: &UserId) {
        let mine = self.calls.iter().filter(|(_, record)| record.user == *user);
        let (open, ended): (Vec<_>, Vec<_>) =
            mine.map(|(id, record)| (*id, record.is_open())).partition(|(_, open)| *open);
        for (call, _) in open {
            self.change_call(call, |record| record.orphan = true);
        }
        for (call, _) in ended {
            self.calls.remove(&call);
        }
    }

    fn change_call(&mut self, call: CallId, change: impl FnOnce(&mut CallRecord)) {
        if !self.open_calls.contains_key(&call) {
            return;
        }
        if let Some(record) = self.calls.get_mut(&call) {
            change(Arc::make_mut(record));
        }
    }

    fn call_ended(&mut self, at: Timestamp, call: CallId, status: &CallStatus) {
        if !self.open_calls.contains_key(&call) {
            return;
        }
        self.change_call(call, |record| record.closed(at, status));
        self.open_calls.remove(&call);
        if self.calls.get(&call).is_some_and(|record| record.orphan) {
            self.calls.remove(&call);
            return;
        }
        let until = self.calls.get(&call).map_or(at, |record| record.call.not_after.max(at));
        self.forget_calls.insert((until.plus(REMEMBERED_MS), call), ());
    }

    /// Monitoring: a step that ended is one more call of its system's services.
    fn count_step(&mut self, at: Timestamp, call: CallId, key: &StepKey, undo: bool, end: &StepEnd) {
        let Some(record) = self.calls.get(&call).filter(|record| record.is_open()) else { return };
        let Some((step, _, known)) = record.place(key).and_then(|place| record.step(place)) else { return };
        // What never reached it says nothing of it.
        let asked = known.input.is_some() || undo && known.undo_input.is_some();
        if !asked || *end == StepEnd::Undelivered {
            return;
        }
        let (took, done) = (at.since(known.since), matches!(end, StepEnd::Done { .. }));
        let system = step.system.clone();
        self.count(&system, |stats| stats.called(took, done));
    }

    fn forget_calls_until(&mut self, at: Timestamp) {
        while let Some(key) = self.forget_calls.first().map(|(key, ())| *key).filter(|(moment, _)| *moment < at) {
            self.forget_calls.remove(&key);
            self.calls.remove(&key.1);
        }
    }
}
