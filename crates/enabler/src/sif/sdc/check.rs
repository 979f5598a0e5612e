//! What a collaboration has to be before anything of it leaves (P1.13).

use std::collections::BTreeSet;

use vestibule_model::{
    Authorization, CallStep, Collaboration, MAX_STEPS, MAX_TRANSFORMS, Refusal, RefusalCode, Source, StepKey, SystemId,
    Timestamp,
};
use vestibule_protocol::encode;

use super::{
    lookup,
    record::{StepPlan, UndoPlan},
};
use crate::{Hot, Identity, State, Viewer, sif::tpsaa};

/// Bytes of a collaboration: a few hundred of them are kept while they run.
const MOST_BYTES: usize = 128 * 1024;
/// Milliseconds that a call may take: what takes longer answers with an order and reports later.
const LONGEST_CALL_MS: u64 = 60 * 60 * 1_000;
/// Calls that one user can have open: a person's clicks.
const MOST_OPEN_EACH: usize = 16;
/// Calls of one user that are open or remembered for their repetitions: six a second for ten minutes, which no person
/// makes. Of old ones only a few hundred bytes are left.
const MOST_CALLS_EACH: usize = 4_096;
/// Calls that are open, over all users: with all that they carry some 64 MiB.
const MOST_OPEN: usize = 256;
/// Calls that are open or remembered, over all users: some 16 MiB.
const MOST_CALLS: usize = 16_384;
/// Open calls that one system has a part in: one that hangs does not take everybody's place.
const MOST_AT_A_SYSTEM: usize = 64;

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::Invalid, message)
}

/// Whether it makes sense in itself.
fn shape(call: &Collaboration, now: Timestamp) -> Result<(), Refusal> {
    if call.steps.is_empty() || call.steps.len() > MAX_STEPS {
        return Err(invalid(format!("a collaboration has 1 to {MAX_STEPS} steps")));
    }
    let size = encode(call).map_or(usize::MAX, |bytes| bytes.len());
    if size > MOST_BYTES {
        return Err(invalid(format!("a collaboration has at most {MOST_BYTES} bytes, this one has {size}")));
    }
    if now > call.not_after {
        let message = format!("its time ended {} ms ago", now.since(call.not_after));
        return Err(Refusal::new(RefusalCode::Expired, message));
    }
    if call.not_after.since(now) > LONGEST_CALL_MS {
        return Err(invalid(format!("a call takes at most {} minutes", LONGEST_CALL_MS / 60_000)));
    }
    let mut earlier: BTreeSet<&StepKey> = BTreeSet::new();
    for step in &call.steps {
        sources(step, &earlier)?;
        if !earlier.insert(&step.key) {
            return Err(invalid(format!("two steps are called {}", step.key)));
        }
    }
    Ok(())
}

/// Whether a step reads only what is there when its turn comes.
fn sources(step: &CallStep, earlier: &BTreeSet<&StepKey>) -> Result<(), Refusal> {
    if step.input.len() > MAX_TRANSFORMS || step.undo.len() > MAX_TRANSFORMS {
        return Err(invalid(format!("{} has more than {MAX_TRANSFORMS} transformations", step.key)));
    }
    for reference in step.input.iter().flat_map(|transform| transform.reads()) {
        match &reference.of {
            Source::Step(key) if !earlier.contains(key) => {
                return Err(invalid(format!("{} reads what {key} gives, which is no earlier step", step.key)));
            }
            Source::Sent => return Err(invalid(format!("{} reads what was sent before anything was", step.key))),
            _ => {}
        }
    }
    for reference in step.undo.iter().flat_map(|transform| transform.reads()) {
        let known = match &reference.of {
            Source::Step(key) => *key == step.key,
            Source::Sent | Source::Made => true,
            Source::Input | Source::Twin { .. } => false,
        };
        // By then the user may have taken back what they had agreed to: nothing new leaves.
        if !known {
            return Err(invalid(format!(
                "{} is undone with what its system knows already, and nothing else",
                step.key
            )));
        }
    }
    Ok(())
}

/// Whether there is room for one more call.
fn room(state: &State, viewer: &Viewer, call: &Collaboration) -> Result<(), Refusal> {
    let overloaded = |message: String| Err(Refusal::new(RefusalCode::Overloaded, message));
    let user = &viewer.user;
    let open = state.open_calls.keys().filter_map(|id| state.calls.get(id)).filter(|record| record.is_of(user)).count();
    if open >= MOST_OPEN_EACH {
        return overloaded(format!("{user} has {open} calls open: wait until some have ended"));
    }
    let known = state.calls_of(user);
    if known >= MOST_CALLS_EACH {
        return overloaded(format!("{user} has made {known} calls in the last minutes: go on in a quarter of an hour"));
    }
    if state.open_calls.len() >= MOST_OPEN || state.calls.len() >= MOST_CALLS {
        return overloaded("too many calls at once: try again in a moment".to_owned());
    }
    let systems: BTreeSet<&SystemId> = call.steps.iter().map(|step| &step.system).collect();
    for system in systems {
        let waiting = state.open_calls.keys().filter_map(|id| state.calls.get(id));
        let waiting = waiting.filter(|record| record.call.steps.iter().any(|step| step.system == *system)).count();
        if waiting >= MOST_AT_A_SYSTEM {
            return overloaded(format!("{system} has {waiting} calls to answer already: try again in a moment"));
        }
    }
    Ok(())
}

/// Whether all of it may be done, and what the systems say of each step.
pub(super) fn plan(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    by: &Identity,
    call: &Collaboration,
) -> Result<Vec<StepPlan>, Refusal> {
    shape(call, now)?;
    let mut plans = Vec::new();
    for step in &call.steps {
        let agreement = tpsaa::permits(state, now, &viewer.user, by, &step.system, &step.service)?;
        for reference in step.input.iter().flat_map(|transform| transform.reads()) {
            lookup::may_leave(state, viewer, &agreement.authorization.share, call, step, &reference.of)?;
        }
        if !hot.is_online(&step.system) {
            return Err(Refusal::new(RefusalCode::Unavailable, format!("{} is away", step.system)));
        }
        plans.push(plan_step(state, step, &agreement.authorization)?);
    }
    room(state, viewer, call)?;
    Ok(plans)
}

fn plan_step(state: &State, step: &CallStep, agreed: &Authorization) -> Result<StepPlan, Refusal> {
    let not_found =
        || Refusal::new(RefusalCode::NotFound, format!("{} offers no service {}", step.system, step.service));
    let system = state.systems.get(&step.system).ok_or_else(not_found)?;
    let service = system.info.services.get(&step.service).ok_or_else(not_found)?;
    let wait = |promised: u64| promised.clamp(1, LONGEST_CALL_MS);
    let timeout_ms = wait(step.timeout_ms.map_or(service.timeout_ms, |wanted| wanted.min(service.timeout_ms)));
    let undo = service.undo.as_ref().and_then(|id| {
        let about = system.info.services.get(id)?;
        let (service, timeout_ms) = (id.clone(), wait(about.timeout_ms));
        Some(UndoPlan { service, timeout_ms, idempotent: about.idempotent })
    });
    let (owner, user, account) = (system.owner.clone(), agreed.pseudonym.clone(), agreed.account.clone());
    Ok(StepPlan { owner, user, account, timeout_ms, idempotent: service.idempotent, undo })
}
