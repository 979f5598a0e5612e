//! Calls on their way (SDC, P1.14): when something has to become of them although nobody says anything.

use vestibule_model::{CallId, SystemId, Timestamp};

use crate::{Changes, Hot, State, call_update, hot::Due};

impl Hot {
    /// After a start: every open call goes on when its time comes, at once where that has passed. Systems that come
    /// back are asked for what is theirs as they do.
    pub(crate) fn restore_calls(&mut self, state: &State) {
        for record in state.open_calls.keys().filter_map(|id| state.calls.get(id)) {
            self.wake_call(record.call.id, record.wake());
        }
    }

    /// Something was decided about a call.
    pub(crate) fn follow_call(&mut self, state: &State, call: CallId, changes: &mut Changes) {
        let wake = state.calls.get(&call).and_then(|record| record.wake());
        self.wake_call(call, wake);
        if let Some(update) = call_update(state, call) {
            changes.call_updates.push(update);
        }
        if wake.is_some() {
            changes.calls.insert(call);
        }
    }

    fn wake_call(&mut self, call: CallId, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.call_deadlines.insert(call, at),
            None => self.call_deadlines.remove(&call),
        };
        if let Some(before) = before {
            self.deadlines.remove(&(before, Due::Call(call)));
        }
        if let Some(at) = at {
            self.deadlines.insert((at, Due::Call(call)));
        }
    }

    pub(crate) fn call_due(&mut self, call: CallId, changes: &mut Changes) {
        self.call_deadlines.remove(&call);
        changes.calls.insert(call);
    }

    /// A third-party system's answer came too late, or nobody had asked.
    pub fn count_late(&mut self, system: &SystemId) {
        let late = self.late_answers.entry(system.clone()).or_default();
        *late = late.saturating_add(1);
    }

    /// Answers of a system that came too late since the enabler's start.
    #[must_use]
    pub fn late_answers(&self, system: &SystemId) -> u64 {
        self.late_answers.get(system).copied().unwrap_or(0)
    }
}
