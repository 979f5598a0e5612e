//! FGMV-29 clause 9: the steps of the procedures P1 and P2, kept as they happened.

use std::{collections::VecDeque, fmt::Display};

use vestibule_model::{SystemId, Timestamp, TraceId, UserId};
use vestibule_protocol::{Participant, Procedure, ProcedureStep};

use crate::{State, Viewer, is_owner};

/// Steps that are kept: an afternoon of a house, some 2 MiB. Whoever needs more follows them.
const MOST_STEPS: usize = 4_096;
/// Steps on a page, unless asked otherwise, and at most: a page fits a frame.
const PAGE: (usize, usize) = (100, 1_000);
/// Bytes of what a step was about.
const LONGEST_ABOUT: usize = 256;
/// Steps a second of each kind that comes by itself, so that they do not push out all others.
const UNASKED_A_SECOND: u32 = 32;

/// What comes by itself, as often as a system likes. Each kind has room of its own: many reports hide no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unasked {
    /// A twin is described (P2.2).
    Described,
    /// A thing's change is shown to users (P2.14).
    Reflected,
    /// A third-party system asks for a twin (P1.15 to P1.19).
    Acquired,
}

/// A step that just happened: `StepNote::p2(15, metaverse, dtif, "home/lamp").by(&user).traced(trace)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepNote {
    procedure: Procedure,
    step: u8,
    from: Participant,
    to: Participant,
    about: String,
    refused: bool,
    user: Option<UserId>,
    trace: Option<TraceId>,
}

impl StepNote {
    fn new(procedure: Procedure, step: u8, from: Participant, to: Participant, about: &dyn Display) -> Self {
        let mut about = about.to_string();
        if about.len() > LONGEST_ABOUT {
            let end = (0..=LONGEST_ABOUT).rev().find(|end| about.is_char_boundary(*end)).unwrap_or(0);
            about.truncate(end);
        }
        Self { procedure, step, from, to, about, refused: false, user: None, trace: None }
    }

    /// A step of P1, integrating third-party systems.
    #[must_use]
    pub fn p1(step: u8, from: Participant, to: Participant, about: impl Display) -> Self {
        Self::new(Procedure::P1, step, from, to, &about)
    }

    /// A step of P2, integrating digital twin systems.
    #[must_use]
    pub fn p2(step: u8, from: Participant, to: Participant, about: impl Display) -> Self {
        Self::new(Procedure::P2, step, from, to, &about)
    }

    /// On whose behalf.
    #[must_use]
    pub fn by(mut self, user: &UserId) -> Self {
        self.user = Some(user.clone());
        self
    }

    /// From which click.
    #[must_use]
    pub const fn traced(mut self, trace: Option<TraceId>) -> Self {
        self.trace = trace;
        self
    }

    /// What was asked for was refused here.
    #[must_use]
    pub const fn refused(mut self, refused: bool) -> Self {
        self.refused = refused;
        self
    }
}

/// A system as a participant of P2.
#[must_use]
pub fn twin_system(system: &SystemId) -> Participant {
    Participant::TwinSystem(system.clone())
}

/// A system as a participant of P1.
#[must_use]
pub fn third_party(system: &SystemId) -> Participant {
    Participant::ThirdParty(system.clone())
}

/// A user's metaverse system as a participant.
#[must_use]
pub fn metaverse(user: &UserId) -> Participant {
    Participant::Metaverse(user.clone())
}

/// The newest steps. Hot: never written to the log, gone with the process.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    kept: VecDeque<ProcedureStep>,
    next: u64,
    /// The second of the last unasked step, and how many of each kind there were in it.
    unasked: (u64, [u32; 3]),
}

impl Steps {
    /// Keeps a step that happened at `at`; the oldest one goes where there is no room.
    pub fn note(&mut self, at: Timestamp, note: StepNote) -> ProcedureStep {
        let StepNote { procedure, step, from, to, about, refused, user, trace } = note;
        self.next += 1;
        let step = ProcedureStep { sequence: self.next, procedure, step, at, from, to, about, refused, user, trace };
        if self.kept.len() >= MOST_STEPS {
            self.kept.pop_front();
        }
        self.kept.push_back(step.clone());
        step
    }

    /// Whether there is room for one more step of a kind that comes by itself: ask before making it.
    pub fn takes_unasked(&mut self, at: Timestamp, kind: Unasked) -> bool {
        let second = at.0 / 1_000;
        if self.unasked.0 != second {
            self.unasked = (second, [0; 3]);
        }
        let [described, reflected, acquired] = &mut self.unasked.1;
        let count = match kind {
            Unasked::Described => described,
            Unasked::Reflected => reflected,
            Unasked::Acquired => acquired,
        };
        *count = count.saturating_add(1);
        *count <= UNASKED_A_SECOND
    }

    /// A page of the steps that `viewer` may know of: their own, all for owners.
    #[must_use]
    pub fn page(&self, state: &State, viewer: &Viewer, after: u64, limit: u16) -> Vec<ProcedureStep> {
        let limit = if limit == 0 { PAGE.0 } else { usize::from(limit).min(PAGE.1) };
        let owner = is_owner(state, viewer);
        let start = self.kept.partition_point(|step| step.sequence <= after);
        let mine = self.kept.range(start..).filter(|step| owner || step.user.as_ref() == Some(&viewer.user));
        mine.take(limit).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_rules;

    #[test]
    fn the_newest_are_kept_and_everybody_sees_their_own() {
        let (ada, bob) = (UserId::slug("ada"), UserId::slug("bob"));
        let mut steps = Steps::default();
        for number in 0..MOST_STEPS as u64 + 10 {
            let user = if number % 2 == 0 { &ada } else { &bob };
            let note = StepNote::p2(15, metaverse(user), Participant::Dtif, "é".repeat(200)).by(user);
            assert!(steps.note(Timestamp(number), note).about.len() <= LONGEST_ABOUT);
        }
        let mut state = State::default();
        default_rules().iter().for_each(|event| state.apply(Timestamp(0), event));
        let viewer = |user: &UserId, role: &str| Viewer {
            user: user.clone(),
            roles: vec![vestibule_model::RoleId::slug(role)],
            at: Timestamp(0),
            is_user: true,
            tokens: Vec::new(),
        };
        let owner = steps.page(&state, &viewer(&ada, "owner"), 0, u16::MAX);
        assert_eq!((owner.len(), owner[0].sequence), (PAGE.1, 11), "the oldest ten are gone");
        let mine = steps.page(&state, &viewer(&bob, "guest"), 100, 0);
        assert!(mine.len() == PAGE.0 && mine.iter().all(|step| step.user == Some(bob.clone()) && step.sequence > 100));
        assert!(steps.page(&state, &viewer(&bob, "guest"), u64::MAX, 0).is_empty());
        assert_eq!(owner[0].id(), "P2.15");
    }

    #[test]
    fn what_comes_by_itself_leaves_room() {
        let mut steps = Steps::default();
        let mut taken = |kind| (0..1_000).filter(|_| steps.takes_unasked(Timestamp(5), kind)).count();
        assert_eq!(taken(Unasked::Reflected), UNASKED_A_SECOND as usize);
        assert_eq!(taken(Unasked::Acquired), UNASKED_A_SECOND as usize, "reports do not hide who asked for twins");
        assert!(steps.takes_unasked(Timestamp(1_005), Unasked::Reflected));
    }
}
