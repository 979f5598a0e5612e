//! P1.6 to P1.14 in the hub: questions and invocations go to third-party systems, answers to whoever asked.

use std::collections::BTreeMap;

use vestibule_enabler_core::{Changes, Decision, LogEvent, Proposal, answered, calls_at, undelivered};
use vestibule_model::{CallId, InquiryId, Refusal, RefusalCode, StepKey, SystemId, Timestamp};
use vestibule_protocol::{AuthorizationAnswer, Event, Invocation, Response, SiiDown};

use super::{
    batch::reply,
    core::Core,
    handle::{SessionId, Work},
    session::Session,
};

/// Proposals that wait for their systems' answers, over everybody.
const MOST_OPEN: usize = 256;
/// Proposals that one system has to answer: one that hangs does not take the others' places.
const MOST_OPEN_EACH: usize = 32;
/// Milliseconds until whoever waits is told that no answer came: shorter than a client's patience.
const ANSWER_MS: u64 = 8_000;

/// A proposal, and who waits for its answer.
struct Asked {
    proposal: Proposal,
    session: SessionId,
    /// Answer this.
    work: Work,
    deadline: Timestamp,
}

/// Proposals that their systems have not answered.
#[derive(Default)]
pub(super) struct Proposals {
    open: BTreeMap<InquiryId, Asked>,
    last: u64,
}

impl Proposals {
    fn take_all(&mut self, which: impl Fn(&Asked) -> bool) -> Vec<Asked> {
        let ids: Vec<InquiryId> = self.open.iter().filter(|(_, asked)| which(asked)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| self.open.remove(&id)).collect()
    }

    /// Forgets what a closed connection waited for.
    pub(super) fn nobody_waits(&mut self, session: SessionId) {
        self.take_all(|asked| asked.session == session);
    }

    /// When the next one has waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.open.values().map(|asked| asked.deadline).min()
    }
}

impl Core {
    /// P1.7: puts a proposal to its system; who asked waits for the answer.
    pub(super) fn propose(&mut self, work: Work, proposal: Proposal) {
        let Work::Ask(ask) = &work else { return };
        let (session, system) = (ask.session, proposal.system.clone());
        let each = self.proposals.open.values().filter(|asked| asked.proposal.system == system).count();
        if self.proposals.open.len() >= MOST_OPEN || each >= MOST_OPEN_EACH {
            let message = format!("{system} has not answered {each} users yet: ask again in a moment");
            return reply(work, Err(Refusal::new(RefusalCode::Overloaded, message)));
        }
        self.proposals.last += 1;
        let inquiry = InquiryId(self.proposals.last);
        if !self.tell_third_party(&system, proposal.question(inquiry)) {
            let message = format!("{system} is away or does not listen");
            return reply(work, Err(Refusal::new(RefusalCode::Unavailable, message)));
        }
        let deadline = self.clock.now().plus(ANSWER_MS);
        self.proposals.open.insert(inquiry, Asked { proposal, session, work, deadline });
    }

    /// P1.8 and P1.9: decides what a system answered.
    pub(super) fn authorized(
        &self,
        session: &Session,
        now: Timestamp,
        inquiry: InquiryId,
        answer: &AuthorizationAnswer,
    ) -> Result<Decision, Refusal> {
        let asked = self.proposals.open.get(&inquiry);
        // Nobody answers for another.
        let asked = asked.filter(|asked| Some(&asked.proposal.system) == session.actor.system.as_ref());
        let asked = asked.ok_or_else(|| {
            let message = "nobody waits for that answer: it came too late, or nobody asked";
            Refusal::new(RefusalCode::NotFound, message)
        })?;
        Ok(answered(&self.state, now, &asked.proposal, inquiry, answer))
    }

    /// P1.10: tells whoever waits.
    pub(super) fn agreed(&mut self, inquiry: InquiryId, response: Response) {
        if let Some(asked) = self.proposals.open.remove(&inquiry) {
            reply(asked.work, Ok(response));
        }
    }

    fn disappoint(&mut self, which: impl Fn(&Asked) -> bool, why: &str) {
        for asked in self.proposals.take_all(which) {
            let message = format!("{} {why}", asked.proposal.system);
            reply(asked.work, Err(Refusal::new(RefusalCode::Unavailable, message)));
        }
    }

    /// Ends proposals that were not answered in time.
    pub(super) fn proposals_due(&mut self, now: Timestamp) {
        self.disappoint(|asked| asked.deadline <= now, "did not answer in time");
    }

    /// A system has gone: nobody waits for its answers.
    pub(super) fn third_party_gone(&mut self, system: &SystemId) {
        self.disappoint(|asked| asked.proposal.system == *system, "went away before it answered");
    }

    pub(super) fn tell_third_party(&mut self, system: &SystemId, message: SiiDown) -> bool {
        let session = self.systems.get(system).and_then(|id| self.sessions.get_mut(id));
        session.is_some_and(|session| session.tell(Event::Sii(message)))
    }

    /// P1.14: asks a system for a step. What cannot be told now was never told.
    pub(super) fn invoke(&mut self, system: &SystemId, invocation: Invocation) {
        let (call, step, undo) = (invocation.call, invocation.step.clone(), invocation.undo);
        let late = self.clock.now() > invocation.not_after;
        if late || !self.tell_third_party(system, SiiDown::Invoke(Box::new(invocation))) {
            self.not_invoked([(call, step, undo)]);
        }
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
        let state = self.commit.as_ref().map_or(&self.state, super::batch::InFlight::base);
        for system in changes.systems.iter().filter(|system| self.hot.is_online(system)) {
            self.to_advance.extend(calls_at(state, system));
        }
        self.to_advance.extend(&changes.calls);
        if changes.call_updates.is_empty() && changes.deauthorized.is_empty() {
            return;
        }
        for session in self.sessions.values_mut() {
            let Some(user) = session.metaverse_user(state) else { continue };
            let updates = changes.call_updates.iter().filter(|update| update.user == user);
            let ended = changes.deauthorized.iter().filter(|(whose, _)| *whose == user);
            let events = updates.map(|update| Event::Call(update.clone()));
            let events: Vec<Event> =
                events.chain(ended.map(|(_, system)| Event::Deauthorized(system.clone()))).collect();
            events.into_iter().for_each(|event| session.urge(event));
        }
    }
}
