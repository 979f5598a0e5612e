//! FGMV-28 7.1.3: who hears what of leases, and why somebody has to wait or is refused.

use std::collections::BTreeSet;

use vestibule_model::{LeaseStatus, LeaseUpdate, Refusal, RefusalCode, Right, Timestamp, TwinId, UserId};
use vestibule_protocol::Response;

use super::{Queue, refuse};
use crate::{Decision, Lease, LeasePhase, State, Viewer, dtif::dtac};

/// What a refusal says: who holds it and for how long, as far as the asker may know.
pub(super) fn held(state: &State, viewer: &Viewer, twin: &TwinId, queue: &Queue<'_>, now: Timestamp) -> Refusal {
    let seconds = |until: Timestamp| until.since(now).div_ceil(1_000);
    let message = match queue.holder.and_then(|holder| Some((holder, holder.held(now)?))) {
        Some((holder, (_, until))) => {
            let who = name(state, viewer, holder).map_or_else(|| "somebody".to_owned(), |user| user.to_string());
            let waiting = match queue.waiting.len() {
                0 => String::new(),
                count => format!("; {count} wait already"),
            };
            format!(
                "{who} holds {twin} with priority {} for {} s, unless they renew{waiting}: wait in the queue, or ask later",
                holder.priority,
                seconds(until)
            )
        }
        None if queue.waiting.is_empty() => {
            format!("something is still on its way to the thing behind {twin}: wait in the queue, or ask again")
        }
        None => format!("{} wait for {twin} already: wait in the queue, or ask later", queue.waiting.len()),
    };
    Refusal::new(RefusalCode::Held, message)
}

/// Whose a lease is, where `viewer` may know: their own, and everybody's on what they manage.
pub(crate) fn name<'a>(state: &State, viewer: &Viewer, lease: &'a Lease) -> Option<&'a UserId> {
    let manages = || dtac::verdict(state, viewer, &lease.request.twin, None, &Right::Manage).allowed;
    (lease.user == viewer.user || manages()).then_some(&lease.user)
}

/// Who holds the twin's object and who waits, for one who may read the twin.
pub(crate) fn list(state: &State, now: Timestamp, viewer: &Viewer, twin: &TwinId) -> Result<Decision, Refusal> {
    dtac::may(state, viewer, twin, None, &Right::Read)?;
    if !state.twins.contains_key(twin) {
        return refuse(RefusalCode::NotFound, format!("there is no twin {twin}"));
    }
    let object = state.object_of(twin);
    let Queue { holder, waiting } = Queue::of(state, &object, now);
    let updates = holder.into_iter().chain(waiting).map(|lease| {
        let mut update = update(state, viewer, now, lease);
        // Another twin of the same object may be one that they may not know of.
        if !dtac::may_read(state, viewer, &update.twin, None) {
            update.twin = twin.clone();
        }
        update
    });
    Ok(Decision::reply(Response::Leases(updates.collect())))
}

/// How far a lease is, for `viewer`.
#[must_use]
pub fn update(state: &State, viewer: &Viewer, now: Timestamp, lease: &Lease) -> LeaseUpdate {
    tell(state, now, lease, name(state, viewer, lease))
}

fn tell(state: &State, now: Timestamp, lease: &Lease, user: Option<&UserId>) -> LeaseUpdate {
    let (status, fence, until) = match &lease.phase {
        LeasePhase::Waiting => {
            let object = state.object_of(&lease.request.twin);
            let (position, expected_ms) = Queue::of(state, &object, now).place(state, lease.rank(), now);
            (LeaseStatus::Waiting { position, expected_ms }, None, Some(lease.gives_up()))
        }
        LeasePhase::Held { fence, until, integrated: false, .. } => (LeaseStatus::Granted, Some(*fence), Some(*until)),
        LeasePhase::Held { fence, until, .. } => (LeaseStatus::Integrated, Some(*fence), Some(*until)),
        LeasePhase::Ended { reason, fence } => (LeaseStatus::Ended { reason: reason.clone() }, *fence, None),
    };
    LeaseUpdate {
        lease: lease.request.id,
        twin: lease.request.twin.clone(),
        user: user.cloned(),
        priority: lease.priority,
        status,
        fence,
        until,
        at: lease.at,
    }
}

/// All that is held and waited for, object by object, for whoever runs the enabler.
#[must_use]
pub fn all_leases(state: &State, now: Timestamp) -> Vec<LeaseUpdate> {
    let mut seen: BTreeSet<TwinId> = BTreeSet::new();
    let mut updates = Vec::new();
    for lease in state.leases.live() {
        if seen.contains(&lease.request.twin) {
            continue;
        }
        let object = state.object_of(&lease.request.twin);
        let Queue { holder, waiting } = Queue::of(state, &object, now);
        updates.extend(holder.into_iter().chain(waiting).map(|lease| tell(state, now, lease, Some(&lease.user))));
        seen.extend(object);
    }
    updates
}
