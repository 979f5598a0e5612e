//! Questions to systems whose answers somebody waits for (P2.9, P1.7): bounded, and every one of them ends.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_enabler_core::{Binding, Proposal};
use vestibule_model::{InquiryId, Refusal, RefusalCode, SystemId, Timestamp, TwinId, UserId};

use super::handle::{SessionId, Work};

/// Questions that are open at once, over everybody: a person asks one, a world some dozens when it begins.
const MOST_OPEN: usize = 1_024;
/// Questions that one system has to answer at once: one that hangs does not take the others' places.
const MOST_OPEN_EACH: usize = 128;
/// Milliseconds until whoever waits is told that no answer came: longer than a system needs, shorter than patience.
pub(super) const ANSWER_MS: u64 = 5_000;

/// What was asked of a system.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    /// A twin's properties and permission, for a user (P2.8).
    Twin {
        /// The twin.
        twin: TwinId,
        /// Who asks.
        user: UserId,
    },
    /// Whether a user may use a third-party system (P1.6).
    Agreement(Box<Proposal>),
    /// Whether a product's certificate is its merchant's.
    Product(Box<Binding>),
}

/// A question and who waits for its answer.
pub(super) struct Inquiry {
    pub(super) question: Question,
    pub(super) system: SystemId,
    pub(super) session: SessionId,
    /// Answer this.
    pub(super) work: Work,
    deadline: Timestamp,
}

/// All open questions.
#[derive(Default)]
pub(super) struct Deferred {
    open: BTreeMap<InquiryId, Inquiry>,
    deadlines: BTreeSet<(Timestamp, InquiryId)>,
    last: u64,
}

impl Deferred {
    /// Whether one more question can be put to `system`.
    pub(super) fn check_room(&self, system: &SystemId) -> Result<(), Refusal> {
        let each = self.open.values().filter(|inquiry| inquiry.system == *system).count();
        if self.open.len() >= MOST_OPEN || each >= MOST_OPEN_EACH {
            let message = format!("{system} has not answered {each} questions yet: ask again in a moment");
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
        Ok(())
    }

    /// Opens a question to `system`, which has room for it, until `deadline`.
    pub(super) fn open(
        &mut self,
        system: &SystemId,
        session: SessionId,
        question: Question,
        work: Work,
        deadline: Timestamp,
    ) -> InquiryId {
        self.last += 1;
        let id = InquiryId(self.last);
        self.deadlines.insert((deadline, id));
        self.open.insert(id, Inquiry { question, system: system.clone(), session, work, deadline });
        id
    }

    /// An open question, if it was put to `system`: nobody answers for another.
    pub(super) fn asked_of(&self, id: InquiryId, system: &SystemId) -> Option<&Inquiry> {
        self.open.get(&id).filter(|inquiry| inquiry.system == *system)
    }

    /// An open question.
    pub(super) fn question(&self, id: InquiryId) -> Option<&Question> {
        self.open.get(&id).map(|inquiry| &inquiry.question)
    }

    /// Takes a question: it is answered, or never will be.
    pub(super) fn take(&mut self, id: InquiryId) -> Option<Inquiry> {
        let inquiry = self.open.remove(&id)?;
        self.deadlines.remove(&(inquiry.deadline, id));
        Some(inquiry)
    }

    /// Takes the questions whose time has ended.
    pub(super) fn expired(&mut self, now: Timestamp) -> Vec<Inquiry> {
        let late: Vec<InquiryId> =
            self.deadlines.iter().take_while(|(deadline, _)| *deadline <= now).map(|(_, id)| *id).collect();
        late.into_iter().filter_map(|id| self.take(id)).collect()
    }

    /// Takes the questions to a system that has gone away.
    pub(super) fn unanswerable(&mut self, system: &SystemId) -> Vec<Inquiry> {
        self.take_all(|inquiry| inquiry.system == *system)
    }

    /// Forgets the questions of a connection that is closed.
    pub(super) fn nobody_waits(&mut self, session: SessionId) {
        self.take_all(|inquiry| inquiry.session == session);
    }

    fn take_all(&mut self, which: impl Fn(&Inquiry) -> bool) -> Vec<Inquiry> {
        let ids: Vec<InquiryId> = self.open.iter().filter(|(_, inquiry)| which(inquiry)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| self.take(id)).collect()
    }

    /// When the next question's time ends.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}
