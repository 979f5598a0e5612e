//! To whom what of a person went, read off the log: what an erasure here cannot take back.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{CallId, CommandId, PurchaseId, ServiceId, StepKey, SystemId, Timestamp, UserId};
use vestibule_protocol::{Disclosed, Disclosure, Disclosures};

use crate::LogEvent;

/// Systems in one report: some hundred bytes each, and all of them fit a frame.
const MOST_SYSTEMS: usize = 1_000;
/// Services of one system in it: more than any system offers at a time.
const MOST_SERVICES: usize = 64;

/// Whether `acting` is `person`, or somebody who acted in their stead.
pub(crate) fn stands_for(acting: &UserId, person: &UserId) -> bool {
    let rest = acting.as_str().strip_prefix(person.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Follows the log and notes what of one person left for which system.
#[derive(Debug)]
pub struct DisclosureReader {
    person: UserId,
    told: BTreeMap<SystemId, Disclosed>,
    more: BTreeSet<SystemId>,
    /// Commands of theirs that wait for their system.
    waiting: BTreeMap<CommandId, SystemId>,
    /// Open calls of theirs: whose services their steps use.
    calls: BTreeMap<CallId, BTreeMap<StepKey, (SystemId, ServiceId)>>,
    /// Purchases of theirs whose merchant was not asked yet.
    purchases: BTreeMap<PurchaseId, SystemId>,
}

impl DisclosureReader {
    /// Knows nothing yet.
    #[must_use]
    pub const fn new(person: UserId) -> Self {
        Self {
            person,
            told: BTreeMap::new(),
            more: BTreeSet::new(),
            waiting: BTreeMap::new(),
            calls: BTreeMap::new(),
            purchases: BTreeMap::new(),
        }
    }

    /// Takes the next line.
    pub fn take(&mut self, at: Timestamp, event: &LogEvent) {
        match event {
            LogEvent::PermissionTold { twin, user, .. } if self.is(user) => {
                self.note(at, &twin.system(), Disclosure::Name);
            }
            LogEvent::Authorized { user, authorization, .. } if self.is(user) => {
                let system = &authorization.system;
                self.note(at, system, Disclosure::Pseudonym);
                if authorization.share.name {
                    self.note(at, system, Disclosure::Name);
                }
                if authorization.account.is_some() {
                    self.note(at, system, Disclosure::Account);
                }
            }
            LogEvent::TwinAcquired { system, user, .. } if self.is(user) => self.note(at, system, Disclosure::Twins),
            LogEvent::CallAccepted { call, user, .. } if self.is(user) => {
                let steps = call.steps.iter();
                let steps = steps.map(|step| (step.key.clone(), (step.system.clone(), step.service.clone())));
                self.calls.insert(call.id, steps.collect());
            }
            LogEvent::StepDispatched { call, step, .. } => {
                let asked = self.calls.get(call).and_then(|steps| steps.get(step)).cloned();
                if let Some((system, service)) = asked {
                    self.note(at, &system, Disclosure::Input(service));
                }
            }
            LogEvent::CallEnded { call, .. } => drop(self.calls.remove(call)),
            LogEvent::PurchaseConfirmed { user, confirmation, .. } if self.is(user) => {
                self.purchases.insert(confirmation.id, confirmation.system.clone());
            }
            LogEvent::PurchaseAsked { purchase, .. } => {
                if let Some(system) = self.purchases.remove(purchase) {
                    self.note(at, &system, Disclosure::Purchases);
                }
            }
            LogEvent::PurchaseEnded { purchase, .. } => drop(self.purchases.remove(purchase)),
            LogEvent::CommandAccepted { command, user, dispatched, .. } if self.is(user) => {
                let system = command.twin.system();
                if *dispatched {
                    self.note(at, &system, Disclosure::Commands);
                } else {
                    self.waiting.insert(command.id, system);
                }
            }
            LogEvent::CommandDispatched { command } => {
                if let Some(system) = self.waiting.remove(command) {
                    self.note(at, &system, Disclosure::Commands);
                }
            }
            LogEvent::CommandEnded { command, .. } => drop(self.waiting.remove(command)),
            _ => {}
        }
    }

    /// What was told, of a log that begins behind line `begins`.
    #[must_use]
    pub fn report(self, begins: u64) -> Disclosures {
        Disclosures { systems: self.told.into_values().collect(), more: self.more.len(), begins }
    }

    fn is(&self, user: &UserId) -> bool {
        stands_for(user, &self.person)
    }

    fn note(&mut self, at: Timestamp, system: &SystemId, what: Disclosure) {
        if self.told.len() >= MOST_SYSTEMS && !self.told.contains_key(system) {
            self.more.insert(system.clone());
            return;
        }
        let new = || Disclosed { system: system.clone(), what: BTreeSet::new(), first: at, last: at };
        let told = self.told.entry(system.clone()).or_insert_with(new);
        told.last = at;
        if told.what.len() < MOST_SERVICES || !matches!(what, Disclosure::Input(_)) {
            told.what.insert(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{ActionId, Command, CommandStatus, FeatureId, RuleId, TwinId, TwinPermission};

    use super::*;

    fn accepted(number: u8, user: &str, dispatched: bool) -> LogEvent {
        let command = Command {
            id: CommandId([number; 16]),
            twin: TwinId::new(format!("home-{number}/lamp")).unwrap(),
            feature: FeatureId::slug("light"),
            action: ActionId::slug("turn_on"),
            input: None,
            expected_revision: None,
            not_after: Timestamp(1_000),
            trace: None,
            lease: None,
        };
        let (user, rule) = (UserId::slug(user), RuleId::slug("r"));
        LogEvent::CommandAccepted { command, user, rule, wishes: Vec::new(), dispatched, device: None, fence: None }
    }

    #[test]
    fn only_what_left_counts_and_whoever_acts_in_their_stead_is_they() {
        let mut reader = DisclosureReader::new(UserId::slug("ada"));
        let told = |twin: &str, user: &str| LogEvent::PermissionTold {
            twin: TwinId::new(twin).unwrap(),
            user: UserId::slug(user),
            permission: TwinPermission::Unrestricted,
        };
        let ended = |number| LogEvent::CommandEnded {
            command: CommandId([number; 16]),
            status: CommandStatus::Expired,
            unmet: Vec::new(),
        };
        let lines = [
            accepted(1, "ada", true),
            accepted(2, "adam", true),
            accepted(3, "ada", false),
            ended(3),
            accepted(4, "ada:plumber", false),
            LogEvent::CommandDispatched { command: CommandId([4; 16]) },
            told("home-1/lamp", "ada"),
            told("home-2/lamp", "bo"),
        ];
        for (at, line) in (1..).zip(&lines) {
            reader.take(Timestamp(at), line);
        }
        let report = reader.report(7);
        let system = |number: u8, what: &[Disclosure], first, last| Disclosed {
            system: SystemId::slug(&format!("home-{number}")),
            what: what.iter().cloned().collect(),
            first: Timestamp(first),
            last: Timestamp(last),
        };
        let systems =
            vec![system(1, &[Disclosure::Name, Disclosure::Commands], 1, 7), system(4, &[Disclosure::Commands], 6, 6)];
        assert_eq!(report, Disclosures { systems, more: 0, begins: 7 });
    }
}
