//! The procedure trace: notes the steps of P1 and P2 where they happen, tells whoever follows them.

use std::collections::BTreeSet;

use vestibule_enabler_core::{Decision, StepNote, Unasked, Viewer, metaverse, third_party, twin_system};
use vestibule_model::{
    Collaboration, CommandId, CommandStatus, Pseudonym, Refusal, SystemId, SystemKind, SystemQuery, TraceId, TwinId,
    UserId,
};
use vestibule_protocol::{AuthorizationAnswer, DiiUp, InquiryAnswer, Participant, Request, Response, SiiUp};

use super::{
    core::Core,
    deferred::Question,
    handle::{SessionId, Work},
};

impl Core {
    /// A step has happened.
    pub(super) fn note(&mut self, note: StepNote) {
        let now = self.clock.now();
        let step = self.steps.note(now, note);
        if !self.sessions.values().any(|session| session.follows) {
            return;
        }
        let state = self.commit.as_ref().map_or(&self.state, super::batch::InFlight::base);
        self.sessions.values_mut().for_each(|session| session.step(state, now, &step));
    }

    /// Steps that happened, for whoever asks; whether they follow them from now on.
    pub(super) fn read_steps(&mut self, session: SessionId, after: u64, limit: u16, follow: bool) -> Option<Response> {
        let viewer = self.sessions.get(&session)?.viewer(self.committed(), self.clock.now())?;
        let steps = self.steps.page(self.committed(), &viewer, after, limit);
        self.sessions.get_mut(&session)?.follows = follow;
        Some(Response::Steps(steps))
    }

    /// The steps that a decided request is.
    pub(super) fn note_decided(&mut self, work: &Work, outcome: &Result<Decision, Refusal>) {
        let Work::Ask(ask) = work else { return };
        let Some(session) = self.sessions.get(&ask.session) else { return };
        if let Request::Dii(message) = &ask.request {
            let system = session.actor.system.clone();
            return self.note_dii(system, message, outcome);
        }
        if let Request::Sii(message) = &ask.request {
            let system = session.actor.system.clone();
            return self.note_sii(system, message, outcome);
        }
        let Some(Viewer { user, .. }) = session.viewer(self.committed(), self.clock.now()) else { return };
        match &ask.request {
            Request::DiscoverSystems(query) => self.note_discovery(&user, query, outcome.is_err()),
            Request::ListTwins { system, .. } => self.note_asked((6, 7), &user, system.as_str(), outcome.is_err()),
            Request::DescribeTwin(twin) => self.note_asked((6, 7), &user, twin.as_str(), outcome.is_err()),
            Request::Acquire(twin) => {
                let step = StepNote::p2(8, metaverse(&user), Participant::Dtif, twin).by(&user);
                self.note(step);
                if outcome.is_err() {
                    self.note(StepNote::p2(12, Participant::Dtif, metaverse(&user), twin).by(&user).refused(true));
                }
            }
            Request::Subscribe(_) => {
                // The service runs in the metaverse; what the enabler sees of it is that twins are shown.
                let step = StepNote::p2(13, metaverse(&user), metaverse(&user), "twins are shown").by(&user);
                self.note(step.refused(outcome.is_err()));
            }
            Request::Actuate(command) => {
                let about = format!("{} {} {}", command.twin, command.feature, command.action);
                let p2 = |step, from, to| StepNote::p2(step, from, to, &about).by(&user).traced(command.trace);
                self.note(p2(15, metaverse(&user), Participant::Dtif));
                self.note(p2(16, Participant::Dtif, Participant::Dtif).refused(outcome.is_err()));
                if outcome.is_err() {
                    self.note(p2(17, Participant::Dtif, metaverse(&user)).refused(true));
                }
            }
            Request::Authorize { system, .. } => {
                self.note(StepNote::p1(6, metaverse(&user), Participant::Sif, system).by(&user));
                if outcome.is_err() {
                    self.note(StepNote::p1(10, Participant::Sif, metaverse(&user), system).by(&user).refused(true));
                }
            }
            Request::Invoke(call) => self.note_invoked(&user, call, outcome.is_err()),
            _ => {}
        }
    }

    /// A call is asked for; its steps follow as they are given to their systems (P1.14).
    fn note_invoked(&mut self, user: &UserId, call: &Collaboration, refused: bool) {
        let p1 = |step, from, to| StepNote::p1(step, from, to, call.id).by(user).traced(call.trace);
        // The service runs in the metaverse; what the enabler sees of it is what it asks for.
        self.note(p1(11, metaverse(user), metaverse(user)));
        self.note(p1(12, metaverse(user), Participant::Sif));
        self.note(p1(13, Participant::Sif, Participant::Sif).refused(refused));
        if refused {
            self.note(p1(14, Participant::Sif, metaverse(user)).refused(true));
        }
    }

    fn note_asked(&mut self, (asked, answered): (u8, u8), user: &UserId, about: &str, refused: bool) {
        self.note(StepNote::p2(asked, metaverse(user), Participant::Dtif, about).by(user));
        self.note(StepNote::p2(answered, Participant::Dtif, metaverse(user), about).by(user).refused(refused));
    }

    fn note_discovery(&mut self, user: &UserId, query: &SystemQuery, refused: bool) {
        let about = query.text.clone().or_else(|| query.system_type.clone()).unwrap_or_else(|| "systems".to_owned());
        if query.kind != Some(SystemKind::DigitalTwin) {
            self.note(StepNote::p1(4, metaverse(user), Participant::Sif, &about).by(user));
            self.note(StepNote::p1(5, Participant::Sif, metaverse(user), &about).by(user).refused(refused));
        }
        if query.kind != Some(SystemKind::ThirdParty) {
            self.note_asked((4, 5), user, &about, refused);
        }
    }

    fn note_dii(&mut self, system: Option<SystemId>, message: &DiiUp, outcome: &Result<Decision, Refusal>) {
        let refused = outcome.is_err();
        match message {
            DiiUp::Register(info) => {
                let (from, about) = (twin_system(&info.id), &info.name);
                self.note(StepNote::p2(1, from.clone(), Participant::Dtif, about));
                self.note(StepNote::p2(2, Participant::Dtif, Participant::Dtif, about).refused(refused));
                self.note(StepNote::p2(3, Participant::Dtif, from, about).refused(refused));
            }
            DiiUp::Describe(info) if !refused && self.steps.takes_unasked(self.clock.now(), Unasked::Described) => {
                self.note(StepNote::p2(2, Participant::Dtif, Participant::Dtif, &info.id));
            }
            DiiUp::Inquired { inquiry, answer } => {
                let asked = system.as_ref().and_then(|system| self.deferred.asked_of(*inquiry, system));
                let Some(asked) = asked else { return };
                let Question::Twin { twin, user } = asked.question.clone() else { return };
                let from = twin_system(&asked.system);
                let denied = refused || matches!(answer, InquiryAnswer::Refused(_));
                self.note(StepNote::p2(10, from, Participant::Dtif, &twin).by(&user).refused(denied));
                if !denied {
                    self.note(StepNote::p2(11, Participant::Dtif, Participant::Dtif, &twin).by(&user));
                }
            }
            _ => {}
        }
    }

    fn note_sii(&mut self, system: Option<SystemId>, message: &SiiUp, outcome: &Result<Decision, Refusal>) {
        let refused = outcome.is_err();
        match (message, system) {
            (SiiUp::Register(info), _) => {
                let (from, about) = (third_party(&info.id), &info.name);
                self.note(StepNote::p1(1, from.clone(), Participant::Sif, about));
                self.note(StepNote::p1(2, Participant::Sif, Participant::Sif, about).refused(refused));
                self.note(StepNote::p1(3, Participant::Sif, from, about).refused(refused));
            }
            (SiiUp::Authorized { inquiry, answer }, Some(system)) => {
                let Some(asked) = self.deferred.asked_of(*inquiry, &system) else { return };
                let Question::Agreement(proposal) = &asked.question else { return };
                let user = proposal.user.clone();
                let denied = refused || matches!(answer, AuthorizationAnswer::Refused { .. });
                let step = StepNote::p1(8, third_party(&system), Participant::Sif, &system).by(&user);
                self.note(step.refused(denied));
                if outcome.as_ref().is_ok_and(|decision| !decision.events.is_empty()) {
                    self.note(StepNote::p1(9, Participant::Sif, Participant::Sif, &system).by(&user));
                }
            }
            (SiiUp::Acquire { twin, user, .. }, Some(system)) => self.note_delegated(&system, twin, user, refused),
            _ => {}
        }
    }

    /// A third-party system asks for a twin, as far as there is room for steps that come by themselves.
    fn note_delegated(&mut self, system: &SystemId, twin: &TwinId, pseudonym: &Pseudonym, refused: bool) {
        let agreement = self.committed().agreements.get(&(system.clone(), pseudonym.clone()));
        let Some(user) = agreement.map(|agreement| agreement.user.clone()) else { return };
        if !self.steps.takes_unasked(self.clock.now(), Unasked::Acquired) {
            return;
        }
        let p1 = |step, from, to| StepNote::p1(step, from, to, twin).by(&user);
        self.note(p1(15, third_party(system), Participant::Sif));
        if !refused {
            self.note(p1(16, Participant::Sif, Participant::Dtif));
            self.note(p1(17, Participant::Dtif, Participant::Dtif));
            self.note(p1(18, Participant::Dtif, Participant::Sif));
        }
        self.note(p1(19, Participant::Sif, third_party(system)).refused(refused));
    }

    /// A command was given to its system.
    pub(super) fn note_executed(&mut self, system: &SystemId, command: CommandId, trace: Option<TraceId>) {
        let Some(record) = self.committed().commands.get(&command) else { return };
        let user = record.user.clone();
        let about = format!("{} {} {}", record.command.twin, record.command.feature, record.command.action);
        self.note(StepNote::p2(17, Participant::Dtif, twin_system(system), about).by(&user).traced(trace));
    }

    /// What a twin system says all the time.
    pub(super) fn note_observed(&mut self, system: &SystemId, message: &DiiUp, readings: &BTreeSet<(TwinId, u16)>) {
        match message {
            DiiUp::Report(_) => self.note_reflected(readings),
            DiiUp::Outcome { command, status } => self.note_outcome(system, *command, status),
            _ => {}
        }
    }

    /// How an execution went (P2.18).
    fn note_outcome(&mut self, system: &SystemId, command: CommandId, status: &CommandStatus) {
        let record = self.committed().commands.get(&command).filter(|record| record.command.twin.system() == *system);
        let Some(record) = record else { return };
        let (user, trace) = (record.user.clone(), record.command.trace);
        let step =
            StepNote::p2(18, twin_system(system), Participant::Dtif, format!("{} {status}", record.command.twin));
        let refused = matches!(status, CommandStatus::Failed { .. });
        self.note(step.by(&user).traced(trace).refused(refused));
    }

    /// A thing's change is shown to users (P2.14), as far as there is room for steps that come by themselves.
    fn note_reflected(&mut self, readings: &BTreeSet<(TwinId, u16)>) {
        let state = self.commit.as_ref().map_or(&self.state, super::batch::InFlight::base);
        let now = self.clock.now();
        let mut told = Vec::new();
        for (twin, place) in readings {
            let shown = self.sessions.values().filter(|session| session.shows(twin, *place));
            for user in shown.filter_map(|session| session.viewer(state, now)).map(|viewer| viewer.user) {
                if !self.steps.takes_unasked(now, Unasked::Reflected) {
                    break;
                }
                told.push(StepNote::p2(14, Participant::Dtif, metaverse(&user), twin).by(&user));
            }
        }
        told.into_iter().for_each(|step| self.note(step));
    }
}
