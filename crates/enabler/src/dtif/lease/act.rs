//! FGMV-28 7.1.3: what a holder may do that others may not, and what the twin's system is told and answers.

use vestibule_model::{Command, LeaseEnd, Refusal, RefusalCode, Timestamp, TwinId};

use super::{Queue, integrate, own, refuse, tell::held, tell::update};
use crate::{Effect, Hot, Lease, LeasePhase, LogEvent, State, Viewer};

/// Whether a command may be given now: its lease holds the twin, or it needs none.
///
/// # Errors
/// [`RefusalCode::Held`] says who holds it and for how long, as far as `viewer` may know.
pub(crate) fn admit(
    state: &State,
    now: Timestamp,
    viewer: &Viewer,
    command: &Command,
) -> Result<Option<(u64, Timestamp)>, Refusal> {
    let Command { twin, lease, .. } = command;
    if let Some(id) = lease {
        let mine = own(state, viewer, id)?;
        if mine.request.twin != *twin {
            return refuse(RefusalCode::Invalid, format!("lease {id} is for {}, not for {twin}", mine.request.twin));
        }
        return match (mine.held(now), &mine.phase) {
            (Some(held), _) => Ok(Some(held)),
            (None, LeasePhase::Waiting) => {
                let status = update(state, viewer, now, mine).status;
                refuse(RefusalCode::Held, format!("it is not your turn with {twin} yet: {status}"))
            }
            (None, LeasePhase::Ended { reason, .. }) => {
                refuse(RefusalCode::Expired, format!("your lease of {twin} is over: {reason}"))
            }
            (None, LeasePhase::Held { .. }) => {
                refuse(RefusalCode::Expired, format!("your lease of {twin} is over: {}", LeaseEnd::Expired))
            }
        };
    }
    free_for(state, now, viewer, twin).map(|()| None)
}

/// Whether whoever holds no lease may act on `twin`.
fn free_for(state: &State, now: Timestamp, viewer: &Viewer, twin: &TwinId) -> Result<(), Refusal> {
    let exclusive = state.twins.get(twin).is_some_and(|twin| twin.info.integration.exclusive);
    if state.leases.is_idle() && !exclusive {
        return Ok(());
    }
    let object = state.object_of(twin);
    let queue = Queue::of(state, &object, now);
    match queue.holder {
        Some(holder) if holder.user == viewer.user => {
            let message = format!("you hold {twin}: name your lease {} to act on it", holder.request.id);
            refuse(RefusalCode::Held, message)
        }
        Some(_) => Err(held(state, viewer, twin, &queue, now)),
        None if exclusive => {
            refuse(RefusalCode::Held, format!("only who holds {twin} may act on it: ask for a lease first"))
        }
        None => Ok(()),
    }
}

/// Whether a command that waits may be given now, and until when: as [`admit`], by the log alone.
pub(crate) fn still_admits(state: &State, now: Timestamp, command: &Command) -> Option<Timestamp> {
    if let Some(id) = command.lease {
        let lease = state.leases.get(&id)?;
        return lease.held(now).map(|(_, until)| until.min(command.not_after));
    }
    let exclusive = state.twins.get(&command.twin).is_some_and(|twin| twin.info.integration.exclusive);
    let object = state.object_of(&command.twin);
    let held = !state.leases.is_idle() && Queue::of(state, &object, now).holder.is_some();
    (!exclusive && !held).then_some(command.not_after)
}

fn holder<'a>(state: &'a State, now: Timestamp, twin: &TwinId) -> Option<(&'a Lease, u64, Timestamp)> {
    state.leases.of(twin).find_map(|lease| lease.held(now).map(|(fence, until)| (lease.as_ref(), fence, until)))
}

/// The twin's system has confirmed a holder. Once for each token: what it says again, or of an older one, is not heard.
pub(crate) fn integrated(state: &State, now: Timestamp, twin: &TwinId, fence: u64) -> Option<LogEvent> {
    let (lease, held, _) = holder(state, now, twin)?;
    let waits = held == fence && matches!(lease.phase, LeasePhase::Held { integrated: false, .. });
    waits.then_some(LogEvent::LeaseIntegrated { lease: lease.request.id, fence })
}

/// The twin's system cannot do it: the lease is over, and the next one's turn has come.
pub(crate) fn not_integrated(
    state: &State,
    now: Timestamp,
    twin: &TwinId,
    fence: u64,
    reason: &str,
) -> Option<LogEvent> {
    let (lease, held, _) = holder(state, now, twin)?;
    let reason = LeaseEnd::NotIntegrated { reason: reason.chars().take(500).collect() };
    (held == fence).then_some(LogEvent::LeaseEnded { lease: lease.request.id, reason })
}

/// Whether what was observed about a lease is still to be written: much may have been decided since.
#[must_use]
pub fn still_counts(state: &State, now: Timestamp, event: &LogEvent) -> bool {
    match event {
        LogEvent::LeaseIntegrated { lease, fence } => {
            let known = state.leases.get(lease);
            known.is_some_and(|known| integrated(state, now, &known.request.twin, *fence).as_ref() == Some(event))
        }
        LogEvent::LeaseEnded { lease, .. } => state.leases.get(lease).is_some_and(|lease| lease.is_live()),
        _ => true,
    }
}

/// What a system that can be told things again is told of these twins' holders, before anything else.
pub(crate) fn remind(state: &State, hot: &Hot, now: Timestamp, twin: &TwinId) -> Option<Effect> {
    if state.leases.is_empty() {
        return None;
    }
    match holder(state, now, twin) {
        Some((lease, fence, until)) => integrate(hot, &lease.request, fence, until),
        None => {
            let fence = state.leases.last_fence(twin)?;
            Some(Effect::Released { system: twin.system(), twin: twin.clone(), fence })
        }
    }
}
