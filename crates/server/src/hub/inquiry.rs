//! P2.8 to P2.12 and P1.6 to P1.10 in the hub: a question goes to a system, its answer to whoever asked.

use vestibule_enabler_core::{Decision, StepNote, answered, decide, inquired, metaverse, third_party, twin_system};
use vestibule_model::{InquiryId, Refusal, RefusalCode, SystemId, Timestamp};
use vestibule_protocol::{
    AuthorizationAnswer, DiiDown, DiiUp, Event, InquiryAnswer, Participant, Request, Response, SiiUp,
};

use super::{
    batch::reply,
    core::Core,
    deferred::{ANSWER_MS, Inquiry, Question},
    handle::Work,
    session::Session,
};

impl Core {
    /// Puts a question to a system (P2.9, P1.7); who asked waits for its answer.
    pub(super) fn defer(&mut self, work: Work, system: &SystemId, question: Question) {
        let Work::Ask(ask) = &work else { return };
        let (session, deadline) = (ask.session, self.clock.now().plus(ANSWER_MS));
        if let Err(refusal) = self.deferred.check_room(system) {
            self.note_answered(&question, true);
            return reply(work, Err(refusal));
        }
        let inquiry = self.deferred.open(system, session, question.clone(), work, deadline);
        if let Question::Product(binding) = &question {
            if !self.certify(inquiry, binding) {
                let message = format!("{system} cannot be asked whether it made this");
                self.answered(inquiry, Some(Refusal::new(RefusalCode::Unavailable, message)));
            }
            return;
        }
        let (step, message) = match question {
            Question::Twin { twin, user } => (
                StepNote::p2(9, Participant::Dtif, twin_system(system), &twin).by(&user),
                Event::Dii(DiiDown::Inquire { inquiry, twin, user }),
            ),
            Question::Agreement(proposal) => (
                StepNote::p1(7, Participant::Sif, third_party(system), system).by(&proposal.user),
                Event::Sii(proposal.question(inquiry)),
            ),
            // Asked above: its merchant is no connection.
            Question::Product(_) => return,
        };
        self.note(step);
        if !self.tell_system(system, message) {
            let message = format!("{system} is away or does not listen");
            self.answered(inquiry, Some(Refusal::new(RefusalCode::Unavailable, message)));
        }
    }

    /// The open question that this session's system answers: nobody answers for another.
    fn asked_of(&self, session: &Session, inquiry: InquiryId) -> Result<&Question, Refusal> {
        let system = session.actor.system.as_ref();
        let asked = system.and_then(|system| self.deferred.asked_of(inquiry, system)).ok_or_else(|| {
            let message = "nobody waits for that answer: it came too late, or nobody asked";
            Refusal::new(RefusalCode::NotFound, message)
        })?;
        Ok(&asked.question)
    }

    /// Decides what a twin system answered (P2.10).
    pub(super) fn inquired(
        &self,
        session: &Session,
        inquiry: InquiryId,
        answer: &InquiryAnswer,
    ) -> Result<Decision, Refusal> {
        match self.asked_of(session, inquiry)? {
            Question::Twin { twin, user } => inquired(&self.state, &session.actor, (twin, user), inquiry, answer),
            Question::Agreement(_) | Question::Product(_) => Err(another_question()),
        }
    }

    /// Decides what a third-party system answered (P1.8 and P1.9).
    pub(super) fn authorized(
        &self,
        session: &Session,
        now: Timestamp,
        inquiry: InquiryId,
        answer: &AuthorizationAnswer,
    ) -> Result<Decision, Refusal> {
        match self.asked_of(session, inquiry)? {
            Question::Agreement(proposal) => Ok(answered(&self.state, now, proposal, inquiry, answer)),
            Question::Twin { .. } | Question::Product(_) => Err(another_question()),
        }
    }

    /// What a system said could not be taken: who waits need not wait any longer.
    pub(super) fn answer_not_kept(&mut self, work: &Work, why: &str) {
        let Work::Ask(ask) = work else { return };
        let inquiry = match &ask.request {
            Request::Dii(DiiUp::Inquired { inquiry, .. }) | Request::Sii(SiiUp::Authorized { inquiry, .. }) => *inquiry,
            _ => return,
        };
        let system = self.sessions.get(&ask.session).and_then(|session| session.actor.system.as_ref());
        let Some(asked) = system.and_then(|system| self.deferred.asked_of(inquiry, system)) else { return };
        let message = format!("{} answered, and it could not be taken: {why}", asked.system);
        self.answered(inquiry, Some(Refusal::new(RefusalCode::Unavailable, message)));
    }

    /// Tells whoever asked (P2.12, P1.10).
    pub(super) fn answered(&mut self, inquiry: InquiryId, refusal: Option<Refusal>) {
        let Some(inquiry) = self.deferred.take(inquiry) else { return };
        self.tell_asker(inquiry, refusal);
    }

    fn tell_asker(&mut self, inquiry: Inquiry, refusal: Option<Refusal>) {
        let outcome = refusal.map_or_else(|| self.known_by_now(&inquiry), Err);
        self.note_answered(&inquiry.question, outcome.is_err());
        let outcome = outcome.map(|response| {
            let mut response = response;
            self.name_twins(inquiry.session, &mut response);
            response.unwrap_or(Response::Done)
        });
        reply(inquiry.work, outcome);
    }

    /// What was asked for, by the rules and by what is agreed as they are now.
    fn known_by_now(&self, inquiry: &Inquiry) -> Result<Option<Response>, Refusal> {
        match &inquiry.question {
            Question::Twin { twin, .. } => {
                let session = self.sessions.get(&inquiry.session);
                let session =
                    session.ok_or_else(|| Refusal::new(RefusalCode::Unavailable, "the connection is closed"))?;
                let known = Request::DescribeTwin(twin.clone());
                Ok(decide(self.committed(), &self.hot, self.clock.now(), &session.actor, &known)?.reply)
            }
            Question::Agreement(proposal) => {
                let key = (proposal.system.clone(), proposal.pseudonym.clone());
                let agreed = self.committed().agreements.get(&key).ok_or_else(|| {
                    let message = format!("what was agreed with {} was taken back at once", proposal.system);
                    Refusal::new(RefusalCode::Unavailable, message)
                })?;
                Ok(Some(Response::Authorized(agreed.authorization.clone())))
            }
            Question::Product(binding) => {
                let known = self.committed().products.get(&binding.serial);
                let known = known.filter(|known| known.user == binding.user && known.product.twin == binding.twin);
                let known = known.ok_or_else(|| {
                    let message = format!("{} was unbound at once", binding.serial);
                    Refusal::new(RefusalCode::Unavailable, message)
                })?;
                Ok(Some(Response::Product(known.product.clone())))
            }
        }
    }

    fn note_answered(&mut self, question: &Question, refused: bool) {
        let step = match question {
            Question::Twin { twin, user } => StepNote::p2(12, Participant::Dtif, metaverse(user), twin).by(user),
            Question::Agreement(proposal) => {
                let user = &proposal.user;
                StepNote::p1(10, Participant::Sif, metaverse(user), &proposal.system).by(user)
            }
            // No step of a procedure: nothing of it is used.
            Question::Product(_) => return,
        };
        self.note(step.refused(refused));
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

fn another_question() -> Refusal {
    Refusal::new(RefusalCode::Invalid, "that answers another question")
}
