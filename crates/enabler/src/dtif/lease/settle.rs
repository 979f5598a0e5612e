//! FGMV-28 7.1.3: what follows for leases by itself: time, lost permission, twins that go or turn out to be one object,
//! whose turn it is, and which commands may no longer be given.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{CommandId, CommandStatus, LeaseEnd, LeaseId, RuleId, Timestamp, TwinId};

use super::{Queue, act::still_admits, integrate, lasts, released};
use crate::{Actor, Decision, Effect, Hot, Lease, LeasePhase, LogEvent, State, Viewer, dtif::dtac};

/// Whether something may follow for leases from this event, and whether it changes who may do what.
#[must_use]
pub const fn unsettles(event: &LogEvent) -> Option<bool> {
    match event {
        LogEvent::CommandAccepted { .. }
        | LogEvent::CommandDispatched { .. }
        | LogEvent::WishEnded { .. }
        | LogEvent::SystemRegistered { .. }
        | LogEvent::SystemMeasured { .. }
        | LogEvent::PseudonymsSalted { .. }
        | LogEvent::Authorized { .. }
        | LogEvent::Deauthorized { .. }
        | LogEvent::TwinAcquired { .. }
        | LogEvent::CallAccepted { .. }
        | LogEvent::StepDispatched { .. }
        | LogEvent::StepEnded { .. }
        | LogEvent::CallStopped { .. }
        | LogEvent::CallEnded { .. }
        | LogEvent::TokenDelegated { .. }
        | LogEvent::LogCut { .. }
        | LogEvent::LeaseQueued { .. }
        | LogEvent::LeaseRenewed { .. }
        | LogEvent::LeaseIntegrated { .. } => None,
        LogEvent::CommandEnded { .. }
        | LogEvent::TwinDescribed { .. }
        | LogEvent::TwinGone { .. }
        | LogEvent::LeaseGranted { .. }
        | LogEvent::LeaseEnded { .. } => Some(false),
        _ => Some(true),
    }
}

/// A scratch copy on which one thing follows from another.
struct Settling<'a> {
    state: State,
    hot: &'a Hot,
    now: Timestamp,
    decision: Decision,
}

/// What follows at `now` for leases and what hangs on them; nothing, where all is settled. `access`: also whether
/// everybody still may.
///
/// It depends on nothing but its arguments: whoever could not write what it says asks again later.
#[must_use]
pub fn settle(state: &State, hot: &Hot, now: Timestamp, access: bool) -> Decision {
    if state.leases.is_empty() {
        return Decision::default();
    }
    let mut settling = Settling { state: state.clone(), hot, now, decision: Decision::default() };
    settling.end_what_is_over(access);
    for object in settling.objects() {
        settling.keep_one_holder(&object);
        settling.grant(&object);
    }
    settling.end_commands();
    settling.decision
}

impl Settling<'_> {
    fn emit(&mut self, event: LogEvent) {
        self.decision.effects.extend(released(std::slice::from_ref(&event), &self.state));
        self.state.apply(self.now, &event);
        self.decision.events.push(event);
    }

    fn end(&mut self, lease: LeaseId, reason: LeaseEnd) {
        self.emit(LogEvent::LeaseEnded { lease, reason });
    }

    fn end_what_is_over(&mut self, access: bool) {
        let over = |lease: &Lease| over(&self.state, self.now, access, lease).map(|reason| (lease.request.id, reason));
        let ends: Vec<_> = self.state.leases.live().filter_map(|lease| over(lease)).collect();
        for (lease, reason) in ends {
            self.end(lease, reason);
        }
    }

    /// The objects that anybody holds or waits for.
    fn objects(&self) -> Vec<BTreeSet<TwinId>> {
        let mut objects: BTreeMap<TwinId, BTreeSet<TwinId>> = BTreeMap::new();
        let mut seen: BTreeSet<TwinId> = BTreeSet::new();
        for lease in self.state.leases.live() {
            if seen.contains(&lease.request.twin) {
                continue;
            }
            let object = self.state.object_of(&lease.request.twin);
            seen.extend(object.iter().cloned());
            objects.insert(lease.request.twin.clone(), object);
        }
        objects.into_values().collect()
    }

    /// Twins that became one object may both have had a holder: who held it first keeps it.
    fn keep_one_holder(&mut self, object: &BTreeSet<TwinId>) {
        let mut held: Vec<(u64, LeaseId)> = Vec::new();
        for lease in self.state.leases.on(object) {
            if let LeasePhase::Held { fence, .. } = lease.phase {
                held.push((fence, lease.request.id));
            }
        }
        held.sort_unstable();
        for (_, lease) in held.into_iter().skip(1) {
            self.end(lease, LeaseEnd::SameObject);
        }
    }

    /// Whoever is next has it, where nobody does.
    fn grant(&mut self, object: &BTreeSet<TwinId>) {
        let queue = Queue::of(&self.state, object, self.now);
        let Some(next) = queue.waiting.first().filter(|_| queue.holder.is_none()) else { return };
        if is_busy_elsewhere(&self.state, self.now, object, &next.request.twin) {
            return;
        }
        let (request, fence) = (next.request.clone(), self.state.leases.fence().saturating_add(1));
        let until = next.at_most(self.now.plus(lasts(&self.state, &request)));
        self.emit(LogEvent::LeaseGranted { lease: request.id, fence, until });
        // Other twins of the object have systems of their own, which do not hear of this holder: what they were given
        // before is over.
        for other in object.iter().filter(|other| **other != request.twin && self.hot.is_reachable(other)) {
            let effect = Effect::Released { system: other.system(), twin: other.clone(), fence: fence - 1 };
            self.decision.effects.push(effect);
        }
        self.decision.effects.extend(integrate(self.hot, &request, fence, until));
    }

    /// What was to be given to a twin by somebody who may not act on it any more, is not given.
    fn end_commands(&mut self) {
        let waiting = self.state.open.keys().filter_map(|id| self.state.commands.get(id));
        let waiting = waiting.filter(|record| !record.dispatched && !record.is_late(self.now));
        let stopped = waiting.filter(|record| still_admits(&self.state, self.now, &record.command).is_none());
        let ends: Vec<(CommandId, String)> = stopped
            .map(|record| {
                let lease = record.command.lease.and_then(|id| self.state.leases.get(&id));
                let why = match lease.map(|lease| &lease.phase) {
                    Some(LeasePhase::Ended { reason, .. }) => format!("its lease is over: {reason}"),
                    Some(_) => "its lease does not hold the twin".to_owned(),
                    None => "somebody holds the twin by now".to_owned(),
                };
                (record.command.id, why)
            })
            .collect();
        for (command, reason) in ends {
            let status = CommandStatus::Failed { reason };
            self.emit(LogEvent::CommandEnded { command, status, unmet: Vec::new() });
        }
    }
}

/// Why a live lease ends at this moment, if it does.
fn over(state: &State, now: Timestamp, access: bool, lease: &Lease) -> Option<LeaseEnd> {
    if !state.twins.contains_key(&lease.request.twin) {
        return Some(LeaseEnd::TwinGone);
    }
    match lease.phase {
        LeasePhase::Held { until, .. } if now > until => return Some(LeaseEnd::Expired),
        LeasePhase::Waiting if now > lease.gives_up() => return Some(LeaseEnd::GaveUp),
        _ => {}
    }
    if !access {
        return None;
    }
    permitted(state, now, lease).err().map(|rule| LeaseEnd::Forbidden { rule })
}

/// Whether whoever asked still may; the rule that says otherwise.
fn permitted(state: &State, now: Timestamp, lease: &Lease) -> Result<(), Option<RuleId>> {
    let actor = Actor { tokens: lease.token.iter().cloned().collect(), ..Actor::new(lease.by.clone()) };
    let viewer = Viewer::of(state, now, &actor).map_err(|refusal| refusal.rule)?;
    // A user is the same one on the same device; whoever only bore a token bears it still.
    let is_same = if viewer.is_user { viewer.user == lease.user } else { lease.is_borne() };
    if !is_same {
        return Err(None);
    }
    dtac::may_lease(state, &viewer, &lease.request.twin).map(|_| ()).map_err(|refusal| refusal.rule)
}

/// Whether something is still on its way to the object through another twin of it: its system does not know the next
/// holder's token, and would obey the last one's.
pub(super) fn is_busy_elsewhere(state: &State, now: Timestamp, object: &BTreeSet<TwinId>, twin: &TwinId) -> bool {
    object.iter().filter(|other| *other != twin).any(|other| {
        let mut given = state.open_on(other).filter(|record| record.dispatched && !record.is_late(now));
        given.next().is_some()
    })
}
