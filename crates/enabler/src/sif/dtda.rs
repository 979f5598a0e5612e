//! FGMV-29 8.2.5, digital twin data acquisition (DTDA): a third-party system asks for a twin's information under the
//! rights that a user has delegated to it, P1.15, P1.16 and P1.19.

use vestibule_model::{CallId, Pseudonym, Refusal, RefusalCode, StepStatus, SystemId, Timestamp, TwinId};
use vestibule_protocol::Response;

use super::tpsaa::{self, Agreement};
use crate::{CallRecord, Decision, Hot, LogEvent, State, Viewer, dtif::tsi};

/// What `system` may know of `twin`, for a running call or because the user shares it without one.
pub(crate) fn acquire(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    system: &SystemId,
    twin: &TwinId,
    user: &Pseudonym,
    call: Option<CallId>,
) -> Result<Decision, Refusal> {
    let agreement = tpsaa::of(state, system, user)?;
    let record = delegated(state, now, system, agreement, call)?;
    let share = &agreement.authorization.share;
    if !share.has(twin, None) {
        // The same words whether it exists or not.
        let message = format!("{twin} is not shared with {system} by {user}");
        return Err(Refusal::new(RefusalCode::Forbidden, message));
    }
    // The device that made the call; without one, the device that shared.
    let by = record.map_or(&agreement.by, |record| &record.by);
    let viewer = Viewer::on(state, now, by).ok().filter(|viewer| viewer.user == agreement.user);
    let viewer = viewer.ok_or_else(|| {
        let message = format!("{user} is not known here any more: what they shared has ended");
        Refusal::new(RefusalCode::Forbidden, message)
    })?;
    let view = tsi::collect(state, hot, now, &viewer, share, twin)?;
    let known = record.map_or(&agreement.acquired, |record| &record.acquired).contains(twin);
    let event = LogEvent::TwinAcquired {
        system: system.clone(),
        user: agreement.user.clone(),
        pseudonym: user.clone(),
        twin: twin.clone(),
        features: view.info.features.keys().cloned().collect(),
        call,
    };
    // The first time decides; a system that asks again and again fills no log.
    let events = if known { Vec::new() } else { vec![event] };
    Ok(Decision { events, reply: Some(Response::Twins(vec![view])), effects: Vec::new() })
}

/// Whether the delegation holds now. Delegated rights end with what they were delegated for.
fn delegated<'a>(
    state: &'a State,
    now: Timestamp,
    system: &SystemId,
    agreement: &Agreement,
    call: Option<CallId>,
) -> Result<Option<&'a CallRecord>, Refusal> {
    let forbidden = |message: String| Err(Refusal::new(RefusalCode::Forbidden, message));
    let Agreement { authorization, user, .. } = agreement;
    if authorization.until < now {
        return forbidden(format!("what {} had agreed has ended", authorization.pseudonym));
    }
    let Some(call) = call else {
        if authorization.share.standing {
            return Ok(None);
        }
        return forbidden(format!("{} shares twins for running calls only: name the call", authorization.pseudonym));
    };
    let record = state.calls.get(&call).filter(|record| record.is_of(user) && record.is_open());
    let runs = record.filter(|record| {
        let mut steps = record.call.steps.iter().zip(&record.steps);
        steps.any(|(step, known)| step.system == *system && known.status == StepStatus::Running)
    });
    match runs {
        Some(record) => Ok(Some(record.as_ref())),
        None => forbidden(format!("{system} has no running step in a call {call} of {}", authorization.pseudonym)),
    }
}
