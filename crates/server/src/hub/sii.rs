//! P1.11 to P1.14 in the hub: invocations go to third-party systems, how far calls are to whoever made them.

use vestibule_enabler_core::{Changes, LogEvent, StepNote, calls_at, third_party, undelivered};
use vestibule_model::{CallId, Refusal, RefusalCode, StepKey, SystemId};
use vestibule_protocol::{Event, Invocation, Participant, Party, SiiDown};

use super::{batch::InFlight, core::Core, handle::SessionId};

impl Core {
    /// A third-party system's sign of life.
    pub(super) fn hear(&mut self, session: SessionId) -> Result<(), Refusal> {
        let session = self.sessions.get(&session).filter(|session| session.actor.party == Some(Party::ThirdParty));
        let system = session.and_then(|session| session.actor.system.clone());
        let system = system.ok_or_else(|| {
            Refusal::new(RefusalCode::Invalid, "register as a third-party system before saying anything else")
        })?;
        let changes = self.hot.heard(&system, self.clock.now());
        self.distribute(changes);
        Ok(())
    }

    /// P1.14: asks a system for a step. What cannot be told now was never told.
    pub(super) fn invoke(&mut self, system: &SystemId, invocation: Invocation) {
        let (call, step, undo) = (invocation.call, invocation.step.clone(), invocation.undo);
        let (service, trace, late) = (invocation.service.clone(), invocation.trace, invocation.not_after);
        let late = self.clock.now() > late;
        let told = match late {
            true => false,
            false if self.is_traded(system, &service) => self.invoke_merchant(system, invocation),
            false => self.tell_system(system, Event::Sii(SiiDown::Invoke(Box::new(invocation)))),
        };
        if !told {
            self.not_invoked([(call, step, undo)]);
            return;
        }
        let Some(user) = self.committed().calls.get(&call).map(|record| record.user.clone()) else { return };
        let about = format!("{step}: {service} of {system}");
        self.note(StepNote::p1(14, Participant::Sif, third_party(system), about).by(&user).traced(trace));
    }

    /// Steps that a system was to be asked for and was not.
    pub(super) fn not_invoked(&mut self, steps: impl IntoIterator<Item = (CallId, StepKey, bool)>) {
        let state = self.committed();
        let ends: Vec<LogEvent> =
            steps.into_iter().filter_map(|(call, step, undo)| undelivered(state, call, &step, undo)).collect();
        self.backlog.extend(ends);
    }

    /// Notes calls that may go on, and tells users of their own.
    pub(super) fn distribute_calls(&mut self, changes: &Changes) {
        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
        for system in changes.systems.iter().filter(|system| self.hot.is_online(system)) {
            self.to_advance.extend(calls_at(state, system));
        }
        self.to_advance.extend(&changes.calls);
        if changes.call_updates.is_empty() && changes.deauthorized.is_empty() {
            return;
        }
        let now = self.clock.now();
        for session in self.sessions.values_mut() {
            let Some(user) = session.metaverse_user(state, now) else { continue };
            let updates = changes.call_updates.iter().filter(|update| update.user == user);
            let ended = changes.deauthorized.iter().filter(|(whose, _)| *whose == user);
            let events = updates.map(|update| Event::Call(update.clone()));
            let events: Vec<Event> =
                events.chain(ended.map(|(_, system)| Event::Deauthorized(system.clone()))).collect();
            events.into_iter().for_each(|event| session.urge(event));
        }
    }
}
