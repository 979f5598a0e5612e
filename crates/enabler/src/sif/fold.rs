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
/// Ended calls of one user of which it is kept what they gave: what a person has looked at of late.
const MOST_WHOLE_EACH: usize = 128;
/// The same over all users: an answer has at most 64 KiB.
const MOST_WHOLE: usize = 1_024;

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
                if self.calls.contains_key(&call.id) {
                    return;
                }
                let (request, plans) = (*request, plans.clone());
                let record = CallRecord::new(at, call.as_ref().clone(), user.clone(), by.clone(), request, plans);
                self.open_calls.insert(call.id, ());
                self.count_call(user, true);
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
            if self.calls.get(&call).is_some_and(|record| !record.orphan) {
                self.count_call(user, false);
            }
            self.change_call(call, |record| record.orphan = true);
        }
        for (call, _) in ended {
            self.drop_call(call);
        }
    }

    /// Nothing is known of a call any more.
    fn drop_call(&mut self, call: CallId) {
        let Some(record) = self.calls.get(&call).cloned() else { return };
        self.whole_calls.remove(&(record.user.clone(), record.at, call));
        if !record.orphan {
            self.count_call(&record.user, false);
        }
        self.calls.remove(&call);
    }

    fn count_call(&mut self, user: &UserId, more: bool) {
        let count = self.calls_of(user);
        match if more { count.saturating_add(1) } else { count.saturating_sub(1) } {
            0 => drop(self.calls_by_user.remove(user)),
            count => self.calls_by_user.insert(user.clone(), count),
        }
    }

    /// Calls of a user that are open or remembered.
    pub(crate) fn calls_of(&self, user: &UserId) -> usize {
        self.calls_by_user.get(user).copied().unwrap_or_default()
    }

    /// What can be told from the calls themselves is in no snapshot.
    pub(crate) fn count_calls(&mut self) {
        let known: Vec<(CallId, Arc<CallRecord>)> =
            self.calls.iter().map(|(id, record)| (*id, record.clone())).collect();
        for (id, record) in known.into_iter().filter(|(_, record)| !record.orphan) {
            self.count_call(&record.user, true);
            if !record.is_open() && !record.faded {
                self.whole_calls.insert((record.user.clone(), record.at, id), ());
            }
        }
    }

    /// What ended calls gave is kept of the newest of each user: who looks at a lot is never refused for it.
    fn fade_calls(&mut self, user: &UserId) {
        let first = (user.clone(), Timestamp(0), CallId([0; 16]));
        let mine = self.whole_calls.range(first..).map(|(key, ())| key).take_while(|key| key.0 == *user);
        let mine: Vec<_> = mine.collect();
        let oldest = mine.first().filter(|_| mine.len() > MOST_WHOLE_EACH).map(|key| (*key).clone());
        let oldest = oldest.or_else(|| (self.whole_calls.len() > MOST_WHOLE).then(|| self.oldest_of_most()).flatten());
        let Some(key) = oldest else { return };
        self.whole_calls.remove(&key);
        if let Some(record) = self.calls.get_mut(&key.2) {
            Arc::make_mut(record).fade();
        }
    }

    /// The oldest ended call of whoever has most of them: nobody's are lost because of another's.
    fn oldest_of_most(&self) -> Option<(UserId, Timestamp, CallId)> {
        let (mut most, mut count): (Option<&(UserId, Timestamp, CallId)>, usize) = (None, 0);
        let (mut first, mut here): (Option<&(UserId, Timestamp, CallId)>, usize) = (None, 0);
        for (key, ()) in self.whole_calls.iter() {
            if first.is_none_or(|first| first.0 != key.0) {
                (first, here) = (Some(key), 0);
            }
            here += 1;
            if here > count {
                (most, count) = (first, here);
            }
        }
        most.cloned()
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
        let Some(record) = self.calls.get(&call).cloned() else { return };
        if record.orphan {
            self.drop_call(call);
            return;
        }
        let until = record.call.not_after.max(at);
        self.forget_calls.insert((until.plus(REMEMBERED_MS), call), ());
        self.whole_calls.insert((record.user.clone(), record.at, call), ());
        self.fade_calls(&record.user);
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
            self.drop_call(key.1);
        }
    }
}
