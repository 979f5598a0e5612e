//! P2.8 to P2.12 in the hub: a question goes to a system, its answer to whoever asked.

use vestibule_enabler_core::{Decision, StepNote, decide, inquired, metaverse, twin_system};
use vestibule_model::{InquiryId, Refusal, RefusalCode, SystemId, Timestamp};
use vestibule_protocol::{DiiDown, DiiUp, InquiryAnswer, Participant, Request, Response};

use super::{
    batch::reply,
    core::Core,
    deferred::{ANSWER_MS, Inquiry, Question},
    handle::Work,
    session::Session,
};

impl Core {
    /// Puts a question to a system (P2.9); who asked waits for its answer.
    pub(super) fn defer(&mut self, work: Work, system: &SystemId, question: Question) {
        let Work::Ask(ask) = &work else { return };
        let (session, deadline) = (ask.session, self.clock.now().plus(ANSWER_MS));
        let Question::Twin { twin, user } = question.clone();
        if let Err(refusal) = self.deferred.check_room(system) {
            self.note(StepNote::p2(12, Participant::Dtif, metaverse(&user), &twin).by(&user).refused(true));
            return reply(work, Err(refusal));
        }
        let inquiry = self.deferred.open(system, session, question, work, deadline);
        self.note(StepNote::p2(9, Participant::Dtif, twin_system(system), &twin).by(&user));
        if !self.tell_system(system, DiiDown::Inquire { inquiry, twin, user }) {
            let message = format!("{system} is away or does not listen");
            self.answered(inquiry, Some(Refusal::new(RefusalCode::Unavailable, message)));
        }
    }

    /// Decides what a system answered (P2.10).
    pub(super) fn inquired(
        &self,
        session: &Session,
        inquiry: InquiryId,
        answer: &InquiryAnswer,
    ) -> Result<Decision, Refusal> {
        let system = session.actor.system.as_ref();
        let asked = system.and_then(|system| self.deferred.asked_of(inquiry, system)).ok_or_else(|| {
            let message = "nobody waits for that answer: it came too late, or nobody asked";
            Refusal::new(RefusalCode::NotFound, message)
        })?;
        let Question::Twin { twin, user } = &asked.question;
        inquired(&self.state, &session.actor, (twin, user), inquiry, answer)
    }

    /// What a system said could not be taken: who waits need not wait any longer.
    pub(super) fn answer_not_kept(&mut self, work: &Work, why: &str) {
        let Work::Ask(ask) = work else { return };
        let Request::Dii(DiiUp::Inquired { inquiry, .. }) = &ask.request else { return };
        let system = self.sessions.get(&ask.session).and_then(|session| session.actor.system.as_ref());
        let Some(asked) = system.and_then(|system| self.deferred.asked_of(*inquiry, system)) else { return };
        let message = format!("{} answered, and it could not be taken: {why}", asked.system);
        self.answered(*inquiry, Some(Refusal::new(RefusalCode::Unavailable, message)));
    }

    /// Tells whoever asked (P2.12).
    pub(super) fn answered(&mut self, inquiry: InquiryId, refusal: Option<Refusal>) {
        let Some(inquiry) = self.deferred.take(inquiry) else { return };
        self.tell_asker(inquiry, refusal);
    }

    fn tell_asker(&mut self, inquiry: Inquiry, refusal: Option<Refusal>) {
        let Question::Twin { twin, user } = &inquiry.question;
        let outcome = match (refusal, self.sessions.get(&inquiry.session)) {
            (Some(refusal), _) => Err(refusal),
            (None, None) => Err(Refusal::new(RefusalCode::Unavailable, "the connection is closed")),
            (None, Some(session)) => {
                let now = self.clock.now();
                let known = Request::DescribeTwin(twin.clone());
                // By the rules and the permission as they are now.
                decide(self.committed(), &self.hot, now, &session.actor, &known)
            }
        };
        let step = StepNote::p2(12, Participant::Dtif, metaverse(user), twin).by(user).refused(outcome.is_err());
        self.note(step);
        let outcome = outcome.map(|decision| {
            let mut response = decision.reply;
            self.name_twins(inquiry.session, &mut response);
            response.unwrap_or(Response::Done)
        });
        reply(inquiry.work, outcome);
    }

    /// A system has gone: nobody waits for its answers.
    pub(super) fn unanswerable(&mut self, system: &SystemId) {
        for inquiry in self.deferred.unanswerable(system) {
            let message = format!("{system} went away before it answered");
            self.tell_asker(inquiry, Some(Refusal::new(RefusalCode::Unavailable, message)));
        }
    }

    /// Ends the questions that were not answered in time.
    pub(super) fn answers_due(&mut self, now: Timestamp) {
        for inquiry in self.deferred.expired(now) {
            let message = format!("{} did not answer within {} seconds", inquiry.system, ANSWER_MS / 1_000);
            self.tell_asker(inquiry, Some(Refusal::new(RefusalCode::Unavailable, message)));
        }
    }
}
