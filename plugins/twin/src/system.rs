use std::collections::{BTreeMap, VecDeque};

use bevy_ecs::prelude::*;
use vestibule_model::{
    Refusal, RuleId, ServiceId, SystemHealth, SystemId, SystemInfo, SystemQuery, Timestamp, TraceId,
};

/// Request: have the enabler say which systems it knows (P1.4, P2.4). The answer comes as [`KnownSystems`].
#[derive(Message, Clone, Debug, Default)]
pub struct DiscoverSystems(pub SystemQuery);

/// A system, as far as the person may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownSystem {
    /// What it says of itself and promises.
    pub info: SystemInfo,
    /// What the enabler measured.
    pub health: SystemHealth,
    /// The services that the person may use, and the rule that lets them.
    pub usable: BTreeMap<ServiceId, RuleId>,
}

/// The systems that the enabler told of, brought up to date by its news. Empty until [`DiscoverSystems`] is answered.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct KnownSystems {
    /// By id.
    pub systems: BTreeMap<SystemId, KnownSystem>,
    /// Whether all of an answer is there.
    pub complete: bool,
    /// Why the last question had no answer.
    pub problem: Option<Refusal>,
}

/// Request: have the steps of the procedures P1 and P2 told as they happen, or no longer.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowProcedures(pub bool);

/// A step of ITU's procedures P1 or P2 (FGMV-29, clause 9), as it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTaken {
    /// Grows with each step since the enabler's start.
    pub sequence: u64,
    /// As the requirements write it: `P2.15`.
    pub id: String,
    /// What the step is, in a few words.
    pub what: &'static str,
    /// When, by the enabler's clock.
    pub at: Timestamp,
    /// Who did something.
    pub from: String,
    /// To whom; the same as `from` where it was done inside.
    pub to: String,
    /// What it was about.
    pub about: String,
    /// Whether what was asked for was refused in this step.
    pub refused: bool,
    /// Which click it followed from, where that is known.
    pub trace: Option<TraceId>,
}

/// The newest steps of the procedures, oldest first, while [`FollowProcedures`] asks for them.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Procedures {
    /// Whether news of steps come.
    pub following: bool,
    /// The steps.
    pub steps: VecDeque<StepTaken>,
    /// Why the last question had no answer.
    pub problem: Option<Refusal>,
}

/// Steps that are kept: what a person scrolls through.
const MOST_STEPS: usize = 500;

impl Procedures {
    /// Takes one more step. One that is known is not taken again; what is told late stands in its place.
    pub fn add(&mut self, step: StepTaken) {
        let place = self.steps.partition_point(|known| known.sequence < step.sequence);
        if self.steps.get(place).is_some_and(|known| known.sequence == step.sequence) {
            return;
        }
        self.steps.insert(place, step);
        if self.steps.len() > MOST_STEPS {
            self.steps.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(sequence: u64) -> StepTaken {
        StepTaken {
            sequence,
            id: "P2.15".to_owned(),
            what: "",
            at: Timestamp(0),
            from: String::new(),
            to: String::new(),
            about: String::new(),
            refused: false,
            trace: None,
        }
    }

    #[test]
    fn steps_stand_in_their_order_once_and_the_oldest_goes() {
        let mut procedures = Procedures::default();
        for sequence in [2, 1, 2, 3].into_iter().chain(4..=600) {
            procedures.add(step(sequence));
        }
        let kept: Vec<_> = procedures.steps.iter().map(|step| step.sequence).collect();
        assert_eq!(kept, (101..=600).collect::<Vec<_>>());
    }
}
