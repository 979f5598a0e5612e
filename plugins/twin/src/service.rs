use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bevy_ecs::prelude::*;
use vestibule_model::{
    Authorization, CallId, CallUpdate, Json, Refusal, RefusalCode, ServiceId, Sharing, SystemId, Timestamp,
};

/// Request: agree with third-party systems and use their services (P1.6, P1.12).
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub enum UseServices {
    /// Bring [`KnownServices`] up to date.
    Look,
    /// Agree with a system, or anew with one.
    Agree {
        /// The system.
        system: SystemId,
        /// The services to use.
        services: BTreeSet<ServiceId>,
        /// What it may know for that.
        share: Sharing,
        /// Milliseconds from now on.
        for_ms: u64,
    },
    /// Take back what was agreed.
    End(SystemId),
    /// Use a service.
    Call {
        /// The system.
        system: SystemId,
        /// The service.
        service: ServiceId,
        /// With what.
        input: Json,
    },
    /// The same under a name that nobody else has given, so that its sender finds the answer in [`KnownServices::calls`].
    CallAs {
        /// The call; 16 random bytes.
        call: CallId,
        /// The system.
        system: SystemId,
        /// The service.
        service: ServiceId,
        /// With what.
        input: Json,
    },
    /// Take a call back: nothing further is begun, and what was done is undone.
    Cancel(CallId),
}

/// A use of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCall {
    /// The call.
    pub call: CallId,
    /// The system of its first step.
    pub system: SystemId,
    /// The service of its first step.
    pub service: ServiceId,
    /// How far it is; `None` before anything was told.
    pub update: Option<CallUpdate>,
    /// Why the enabler did not take it, or could not be asked about it.
    pub problem: Option<Refusal>,
}

impl KnownCall {
    /// Whether something may still follow.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match (&self.update, &self.problem) {
            (Some(update), _) => !update.status.is_final(),
            (None, problem) => problem.is_none(),
        }
    }

    /// Whether the enabler has to be asked about it once it can be reached again: what left may have arrived.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        let unreached = self.problem.as_ref().is_some_and(|problem| problem.code == RefusalCode::Unavailable);
        self.is_open() || self.update.is_none() && unreached
    }
}

/// What the person has agreed with third-party systems, and what they had them do.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownServices {
    /// What is agreed, by system. Empty until [`UseServices::Look`] is answered.
    pub agreed: BTreeMap<SystemId, Authorization>,
    /// Whether `agreed` is all of it.
    pub complete: bool,
    /// Systems that have been asked whether they agree and have not answered.
    pub asking: BTreeSet<SystemId>,
    /// Why nothing was agreed, or not ended, by system.
    pub refused: BTreeMap<SystemId, Refusal>,
    /// Systems with which an agreement ended since the app started.
    pub over: BTreeSet<SystemId>,
    /// The newest calls, oldest first.
    pub calls: VecDeque<KnownCall>,
    /// Why the last question had no answer.
    pub problem: Option<Refusal>,
}

/// Calls that are kept: more than the enabler lets one person have open.
const MOST_CALLS: usize = 64;

impl KnownServices {
    /// What is agreed with a system and has not ended by `now`.
    #[must_use]
    pub fn valid(&self, system: &SystemId, now: Option<Timestamp>) -> Option<&Authorization> {
        self.agreed.get(system).filter(|agreed| now.is_none_or(|now| agreed.until > now))
    }

    /// The newest call of a service.
    #[must_use]
    pub fn newest(&self, system: &SystemId, service: &ServiceId) -> Option<&KnownCall> {
        self.calls.iter().rev().find(|call| call.system == *system && call.service == *service)
    }

    /// Adds a call of which nothing was told yet.
    pub fn begin(&mut self, call: CallId, system: SystemId, service: ServiceId) {
        if self.calls.len() >= MOST_CALLS {
            let ended = self.calls.iter().position(|call| !call.is_open()).unwrap_or(0);
            self.calls.remove(ended);
        }
        self.calls.push_back(KnownCall { call, system, service, update: None, problem: None });
    }

    /// Takes what was told of a call, also of one that was made elsewhere.
    pub fn take(&mut self, update: CallUpdate) {
        if !self.calls.iter().any(|known| known.call == update.call) {
            let Some(first) = update.steps.first() else { return };
            self.begin(update.call, first.system.clone(), first.service.clone());
        }
        if let Some(known) = self.calls.iter_mut().find(|known| known.call == update.call) {
            // An answer may have been overtaken by news.
            if known.update.as_ref().is_none_or(|before| before.at <= update.at && !before.status.is_final()) {
                known.update = Some(update);
            }
            known.problem = None;
        }
    }

    /// A question about a call was refused.
    pub fn refuse(&mut self, call: CallId, refusal: Refusal) {
        if let Some(known) = self.calls.iter_mut().find(|known| known.call == call) {
            known.problem = Some(refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{CallStatus, StepKey, StepStatus, StepUpdate, UserId};

    use super::*;

    fn update(call: u8, status: CallStatus, at: u64) -> CallUpdate {
        let step = StepUpdate {
            key: StepKey::slug("use"),
            system: SystemId::slug("shop"),
            service: ServiceId::slug("order"),
            status: StepStatus::Running,
            attempts: 1,
            at: Timestamp(at),
        };
        let (call, user) = (CallId([call; 16]), UserId::slug("ada"));
        CallUpdate { call, user, status, steps: vec![step], output: None, at: Timestamp(at) }
    }

    #[test]
    fn an_end_stays_and_calls_of_other_devices_are_known_too() {
        let mut known = KnownServices::default();
        known.begin(CallId([1; 16]), SystemId::slug("shop"), ServiceId::slug("order"));
        assert!(known.calls[0].is_open());
        known.take(update(1, CallStatus::Succeeded, 5));
        known.take(update(1, CallStatus::Running, 4));
        assert!(!known.calls[0].is_open(), "the answer to a request may come after the news of its end");
        known.take(update(2, CallStatus::Running, 6));
        let newest = known.newest(&SystemId::slug("shop"), &ServiceId::slug("order")).unwrap();
        assert!(newest.call == CallId([2; 16]) && newest.is_in_doubt());
        for call in 3..=200 {
            known.take(update(call, CallStatus::Succeeded, 7));
        }
        assert_eq!(known.calls.len(), MOST_CALLS);
        assert!(known.calls.iter().any(KnownCall::is_open), "what may still go on is not forgotten first");
    }

    #[test]
    fn what_could_not_be_asked_is_in_doubt() {
        let mut known = KnownServices::default();
        let call = CallId([1; 16]);
        known.begin(call, SystemId::slug("shop"), ServiceId::slug("order"));
        known.refuse(call, Refusal::new(RefusalCode::Unavailable, "the link is down"));
        assert!(!known.calls[0].is_open() && known.calls[0].is_in_doubt());
        known.refuse(call, Refusal::new(RefusalCode::NotFound, "it never arrived"));
        assert!(!known.calls[0].is_in_doubt());
    }
}
