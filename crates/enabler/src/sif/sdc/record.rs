//! Calls as the log remembers them: a fold of what was decided about each.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vestibule_model::{
    CallStatus, CallStep, CallUpdate, Collaboration, ContentHash, Json, Pseudonym, ServiceId, StepKey, StepStatus,
    StepUpdate, Timestamp, TwinId, UserId,
};

use crate::Identity;

/// How often a system is asked for one thing at most.
pub(super) const MOST_ATTEMPTS: u8 = 3;

/// What the systems had said of a step's services when the call was accepted: later words do not change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPlan {
    /// Whose its system is: whoever gets the id later is somebody else.
    pub owner: Identity,
    /// What its system calls the user.
    pub user: Pseudonym,
    /// What it calls their account.
    #[serde(default, with = "vestibule_model::personal::option")]
    pub account: Option<String>,
    /// Milliseconds to wait for each answer.
    pub timeout_ms: u64,
    /// Whether it may be asked again.
    pub idempotent: bool,
    /// What takes it back.
    pub undo: Option<UndoPlan>,
}

/// The service that takes a step back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoPlan {
    /// Which service.
    pub service: ServiceId,
    /// Milliseconds to wait for each answer.
    pub timeout_ms: u64,
    /// Whether it may be asked again.
    pub idempotent: bool,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepEnd {
    /// It is done.
    Done {
        /// What it gave.
        #[serde(with = "vestibule_model::sealed")]
        output: Json,
    },
    /// It was not done, for sure.
    Failed {
        /// Why.
        #[serde(with = "vestibule_model::sealed")]
        reason: String,
    },
    /// It may have been done.
    InDoubt {
        /// Why.
        #[serde(with = "vestibule_model::sealed")]
        reason: String,
    },
    /// Its system was never told: it may be asked once more, whatever the service.
    Undelivered,
}

/// Why a call goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// A step was not done, or may not have been.
    Failed {
        /// Why.
        #[serde(with = "vestibule_model::sealed")]
        reason: String,
    },
    /// The user said so.
    Cancelled,
    /// Its time ended.
    Expired,
}

/// A step of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// How far it is.
    pub status: StepStatus,
    /// How often its system was asked, in the direction in which the call goes.
    pub attempts: u8,
    /// Since when it is so.
    pub since: Timestamp,
    /// What its system was given.
    #[serde(default, with = "vestibule_model::sealed")]
    pub input: Option<Json>,
    /// What its system gave.
    #[serde(default, with = "vestibule_model::sealed")]
    pub output: Option<Json>,
    /// What its system was given to take it back.
    #[serde(default, with = "vestibule_model::sealed")]
    pub undo_input: Option<Json>,
}

/// A call that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// By whom. Before what is theirs.
    pub user: UserId,
    /// What was asked.
    pub call: Collaboration,
    /// The hash of it as it came: what makes a repetition of one of an accident with its id. Whoever guesses what was
    /// given could compare it.
    #[serde(with = "vestibule_model::sealed")]
    pub request: ContentHash,
    /// With which device: what it may read is what the call may read.
    pub by: Identity,
    /// What the systems had said of the steps.
    pub plans: Vec<StepPlan>,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The steps.
    pub steps: Vec<StepRecord>,
    /// Why it goes back, where it does.
    pub stop: Option<Stop>,
    /// How it ended, where it has.
    pub end: Option<CallStatus>,
    /// What the last step gave.
    #[serde(default, with = "vestibule_model::sealed")]
    pub output: Option<Json>,
    /// When something last became of it.
    pub at: Timestamp,
    /// Twins that were told to a system for it.
    pub acquired: BTreeSet<TwinId>,
    /// Its user is not there any more: what was done is taken back, and it is nobody's.
    pub orphan: bool,
    /// It has ended, and others of its user have since: what it gave is not kept any more.
    #[serde(default)]
    pub faded: bool,
}

impl CallRecord {
    pub(crate) fn new(
        at: Timestamp,
        call: Collaboration,
        user: UserId,
        by: Identity,
        request: ContentHash,
        plans: Vec<StepPlan>,
    ) -> Self {
        let step = StepRecord {
            status: StepStatus::Waiting,
            attempts: 0,
            since: at,
            input: None,
            output: None,
            undo_input: None,
        };
        let steps = vec![step; call.steps.len()];
        Self {
            call,
            request,
            user,
            by,
            plans,
            accepted: at,
            steps,
            stop: None,
            end: None,
            output: None,
            at,
            acquired: BTreeSet::new(),
            orphan: false,
            faded: false,
        }
    }

    /// Whether something may still follow.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether it is this user's, who is still there.
    pub(crate) fn is_of(&self, user: &UserId) -> bool {
        !self.orphan && self.user == *user
    }

    /// The place of a step.
    #[must_use]
    pub fn place(&self, key: &StepKey) -> Option<usize> {
        self.call.steps.iter().position(|step| step.key == *key)
    }

    /// The step whose turn it is: going forward the first that is not done, going back the last that is not undone.
    #[must_use]
    pub fn turn(&self) -> Option<usize> {
        if self.stop.is_none() {
            return self.steps.iter().position(|step| step.status != StepStatus::Done);
        }
        let to_undo = |step: &StepRecord| {
            matches!(step.status, StepStatus::Done | StepStatus::InDoubt { .. } | StepStatus::Undoing)
        };
        self.steps.iter().rposition(to_undo)
    }

    /// The step at `place` with what is known of it.
    pub(crate) fn step(&self, place: usize) -> Option<(&CallStep, &StepPlan, &StepRecord)> {
        Some((self.call.steps.get(place)?, self.plans.get(place)?, self.steps.get(place)?))
    }

    /// Milliseconds to wait for the answer that is waited for now, and whether it may be asked for again.
    pub(crate) fn patience(&self, place: usize) -> (u64, bool) {
        let Some(plan) = self.plans.get(place) else { return (0, false) };
        match (&self.stop, &plan.undo) {
            (None, _) => (plan.timeout_ms, plan.idempotent),
            (Some(_), Some(undo)) => (undo.timeout_ms, undo.idempotent),
            (Some(_), None) => (0, false),
        }
    }

    /// When something becomes of it although nobody says anything; `None`: it has ended.
    #[must_use]
    pub fn wake(&self) -> Option<Timestamp> {
        self.is_open().then_some(())?;
        let Some(place) = self.turn() else { return Some(self.at) };
        let since = self.steps.get(place).map_or(self.at, |step| self.waits_since(step));
        let patience = since.plus(self.patience(place).0).plus(1);
        Some(if self.stop.is_none() { patience.min(self.call.not_after.plus(1)) } else { patience })
    }

    /// Since when its turn lasts: nobody waits for a step before it is due.
    pub(crate) fn waits_since(&self, step: &StepRecord) -> Timestamp {
        match step.status {
            StepStatus::Running | StepStatus::Undoing => step.since,
            _ => self.at,
        }
    }

    /// Its system is asked for a step.
    pub(crate) fn dispatched(&mut self, at: Timestamp, key: &StepKey, undo: bool, input: Option<&Json>) {
        let Some(step) = self.place(key).and_then(|place| self.steps.get_mut(place)) else { return };
        step.status = if undo { StepStatus::Undoing } else { StepStatus::Running };
        step.attempts = step.attempts.saturating_add(1);
        step.since = at;
        let kept = if undo { &mut step.undo_input } else { &mut step.input };
        if let Some(input) = input {
            *kept = Some(input.clone());
        }
        self.at = at;
    }

    /// An invocation ended.
    pub(crate) fn ended(&mut self, at: Timestamp, key: &StepKey, undo: bool, end: &StepEnd) {
        let Some(place) = self.place(key) else { return };
        let Some(step) = self.steps.get_mut(place) else { return };
        step.since = at;
        step.status = match (undo, end) {
            (false, StepEnd::Done { output }) => {
                step.output = Some(output.clone());
                StepStatus::Done
            }
            (false, StepEnd::Failed { reason }) => StepStatus::Failed { reason: reason.clone() },
            (false, StepEnd::InDoubt { reason }) => StepStatus::InDoubt { reason: reason.clone() },
            (false, StepEnd::Undelivered) if step.attempts < MOST_ATTEMPTS => StepStatus::Waiting,
            (true, StepEnd::Done { .. }) => StepStatus::Undone,
            (true, StepEnd::Failed { reason } | StepEnd::InDoubt { reason }) => {
                StepStatus::NotUndone { reason: reason.clone() }
            }
            // What is to be taken back was done, as far as anybody knows.
            (true, StepEnd::Undelivered) if step.attempts < MOST_ATTEMPTS => StepStatus::Done,
            (false, StepEnd::Undelivered) => StepStatus::Failed { reason: UNDELIVERED.to_owned() },
            (true, StepEnd::Undelivered) => StepStatus::NotUndone { reason: UNDELIVERED.to_owned() },
        };
        let failed = match &step.status {
            StepStatus::Failed { reason } | StepStatus::InDoubt { reason } => Some(reason.clone()),
            _ => None,
        };
        self.at = at;
        if let Some(reason) = failed.filter(|_| !undo) {
            self.stopped(at, Stop::Failed { reason: format!("{key}: {reason}") });
        }
    }

    /// It goes back from here on.
    pub(crate) fn stopped(&mut self, at: Timestamp, stop: Stop) {
        if self.stop.is_some() {
            return;
        }
        for step in &mut self.steps {
            step.attempts = 0;
            match step.status {
                StepStatus::Waiting => step.status = StepStatus::Skipped,
                StepStatus::Running => {
                    let reason = if stop == Stop::Cancelled { "cancelled" } else { "its time ended" };
                    step.status = StepStatus::InDoubt { reason: reason.to_owned() };
                    step.since = at;
                }
                _ => {}
            }
        }
        self.stop = Some(stop);
        self.at = at;
    }

    /// Nothing follows. Only what answers repetitions is kept.
    pub(crate) fn closed(&mut self, at: Timestamp, status: &CallStatus) {
        if *status == CallStatus::Succeeded {
            self.output = self.steps.last().and_then(|step| step.output.clone());
        }
        for step in &mut self.steps {
            (step.input, step.output, step.undo_input) = (None, None, None);
        }
        self.call.input = Json::default();
        for step in &mut self.call.steps {
            (step.input, step.undo) = (Vec::new(), Vec::new());
        }
        self.end = Some(status.clone());
        self.at = at;
    }

    /// Only how it ended is kept: a repetition of it is none of a call that was never made.
    pub(crate) fn fade(&mut self) {
        (self.output, self.faded) = (None, true);
        self.acquired.clear();
    }

    /// How it ends, once its turn is nobody's.
    pub(crate) fn final_status(&self) -> CallStatus {
        let left = self.call.steps.iter().zip(&self.steps);
        let kept = left
            .filter(|(_, step)| matches!(step.status, StepStatus::NotUndone { .. }))
            .map(|(step, _)| step.key.clone())
            .collect();
        match &self.stop {
            None => CallStatus::Succeeded,
            Some(Stop::Failed { reason }) => CallStatus::Failed { reason: reason.clone(), kept },
            Some(Stop::Cancelled) => CallStatus::Cancelled { kept },
            Some(Stop::Expired) => CallStatus::Expired { kept },
        }
    }

    /// How far it is, for people.
    #[must_use]
    pub fn update(&self) -> CallUpdate {
        let steps = self.call.steps.iter().zip(&self.steps).map(|(step, record)| StepUpdate {
            key: step.key.clone(),
            system: step.system.clone(),
            service: step.service.clone(),
            status: record.status.clone(),
            attempts: record.attempts,
            at: record.since,
        });
        let status = match (&self.end, &self.stop) {
            (Some(end), _) => end.clone(),
            (None, None) => CallStatus::Running,
            (None, Some(Stop::Failed { reason })) => CallStatus::Undoing { reason: reason.clone() },
            (None, Some(Stop::Cancelled)) => CallStatus::Undoing { reason: "cancelled".to_owned() },
            (None, Some(Stop::Expired)) => CallStatus::Undoing { reason: "its time ended".to_owned() },
        };
        CallUpdate {
            call: self.call.id,
            user: self.user.clone(),
            status,
            steps: steps.collect(),
            output: self.output.clone(),
            at: self.at,
        }
    }
}

/// Why a step ended that nobody was told of.
const UNDELIVERED: &str = "its system could not be told";
