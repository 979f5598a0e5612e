//! FGMV-29 8.2.4, system & data collaboration (SDC): executes services of several third-party systems, each with what
//! those before gave, P1.11 to P1.14.
//!
//! A call is a fold of the log. [`advance`] looks at it and says what follows: the next step, the same once more where
//! that does no harm, its taking back, its end. What is asked of a system is written before it leaves, so that a
//! restart neither forgets nor repeats it.

mod check;
mod lookup;
mod names;
mod pointer;
mod record;
mod scalar;
mod transform;

use std::collections::BTreeSet;

use vestibule_model::{
    CallId, CallUpdate, Collaboration, ContentHash, Json, Refusal, RefusalCode, StepKey, StepStatus, SystemId,
    Timestamp, UserId,
};
use vestibule_protocol::{CallResult, Invocation, Response, SiiDown, encode};

pub use record::{CallRecord, StepEnd, StepPlan, StepRecord, Stop, UndoPlan};
pub use transform::TransformError;

use record::MOST_ATTEMPTS;

use super::tpsaa;
use crate::{Actor, Decision, Effect, Hot, LogEvent, State, Viewer};

/// Letters of a reason that a system gives.
const LONGEST_REASON: usize = 500;

/// P1.12 and P1.13: takes a call, or says why not.
pub(crate) fn invoke(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    actor: &Actor,
    call: &Collaboration,
) -> Result<Decision, Refusal> {
    let viewer = Viewer::on(state, now, &actor.identity)?;
    let request = asked(call)?;
    if let Some(known) = state.calls.get(&call.id) {
        if known.is_of(&viewer.user) && known.request == request {
            return Ok(Decision::reply(Response::Call(known.update())));
        }
        let message = format!("call id {} was used for another call: choose a new random one for each", call.id);
        return Err(Refusal::new(RefusalCode::Conflict, message));
    }
    let plans = check::plan(state, hot, now, &viewer, &actor.identity, call)?;
    let (user, by) = (viewer.user, actor.identity.clone());
    let record = CallRecord::new(now, call.clone(), user.clone(), by.clone(), request, plans.clone());
    let event = LogEvent::CallAccepted { call: Box::new(call.clone()), user, by, request, plans };
    Ok(Decision { events: vec![event], reply: Some(Response::Call(record.update())), effects: Vec::new() })
}

/// What makes a repetition of one. Of its times the first one counts, and a trace says nothing about what is asked.
fn asked(call: &Collaboration) -> Result<ContentHash, Refusal> {
    let call = Collaboration { not_after: Timestamp(0), trace: None, ..call.clone() };
    let bytes = encode(&call).map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))?;
    Ok(ContentHash::of(&bytes))
}

fn own<'a>(state: &'a State, viewer: &Viewer, call: CallId) -> Result<&'a CallRecord, Refusal> {
    let record = state.calls.get(&call).filter(|record| record.is_of(&viewer.user));
    let not_found = || Refusal::new(RefusalCode::NotFound, format!("{} has no call {call}", viewer.user));
    record.map(AsRef::as_ref).ok_or_else(not_found)
}

/// How far a call of the asker is.
pub(crate) fn look(state: &State, viewer: &Viewer, call: CallId) -> Result<Decision, Refusal> {
    own(state, viewer, call).map(|record| Decision::reply(Response::Call(record.update())))
}

/// The user takes a call back.
pub(crate) fn cancel(state: &State, now: Timestamp, viewer: &Viewer, call: CallId) -> Result<Decision, Refusal> {
    let record = own(state, viewer, call)?;
    if !record.is_open() || record.stop.is_some() {
        return Ok(Decision::reply(Response::Call(record.update())));
    }
    let mut stopped = record.clone();
    stopped.stopped(now, Stop::Cancelled);
    let decision = Decision {
        events: vec![LogEvent::CallStopped { call, user: record.user.clone(), stop: Stop::Cancelled }],
        reply: Some(Response::Call(stopped.update())),
        effects: Vec::new(),
    };
    Ok(cancelled(record).into_iter().fold(decision, Decision::with))
}

/// Tells the system of the running step that nobody waits for it any more.
fn cancelled(record: &CallRecord) -> Option<Effect> {
    let (step, _, known) = record.turn().and_then(|place| record.step(place))?;
    let message = Box::new(SiiDown::Cancel { call: record.call.id, step: step.key.clone() });
    (known.status == StepStatus::Running).then(|| Effect::Tell { system: step.system.clone(), message })
}

/// A system says how an invocation went.
pub(crate) fn result(
    state: &State,
    system: &SystemId,
    call: CallId,
    key: &StepKey,
    undo: bool,
    result: &CallResult,
) -> Result<Decision, Refusal> {
    let step = state.calls.get(&call).and_then(|record| {
        let (step, _, known) = record.place(key).and_then(|place| record.step(place))?;
        Some((step, known, &record.user))
    });
    // The same words for what is another's and what is not there: nobody answers for another.
    let Some((_, known, user)) = step.filter(|(step, _, _)| step.system == *system) else {
        let message = format!("{system} has no step {key} of a call {call}");
        return Err(Refusal::new(RefusalCode::NotFound, message));
    };
    let waited = if undo { StepStatus::Undoing } else { StepStatus::Running };
    if known.status != waited {
        return Ok(unwaited(known, system, key, undo));
    }
    let (end, reply) = judge(result, known.attempts);
    let events = vec![LogEvent::StepEnded { call, user: user.clone(), step: key.clone(), undo, end }];
    Ok(Decision { events, reply: Some(reply), effects: Vec::new() })
}

/// What a result amounts to, and what its system is told of it.
fn judge(result: &CallResult, attempts: u8) -> (StepEnd, Response) {
    match result {
        CallResult::Failed { reason } => {
            let reason = reason.chars().take(LONGEST_REASON).collect();
            // Asked more than once, nobody knows which time it speaks of: another one may have been done.
            let end = if attempts > 1 { StepEnd::InDoubt { reason } } else { StepEnd::Failed { reason } };
            (end, Response::Done)
        }
        CallResult::Done(answer) => match answer.check() {
            Ok(output) => (StepEnd::Done { output }, Response::Done),
            // It says that it was done, and cannot be understood: it is taken back.
            Err(error) => {
                let refusal = Refusal::new(RefusalCode::Invalid, error.to_string());
                (StepEnd::InDoubt { reason: format!("its answer was refused: {error}") }, Response::Refused(refusal))
            }
        },
    }
}

/// An answer that nobody waits for: said twice, or too late. It changes nothing.
fn unwaited(known: &StepRecord, system: &SystemId, key: &StepKey, undo: bool) -> Decision {
    let said = if undo { StepStatus::Undone } else { StepStatus::Done };
    if known.status == said {
        return Decision::reply(Response::Done);
    }
    let message = format!("nobody waits for an answer to {key} any more");
    let refusal = Response::Refused(Refusal::new(RefusalCode::Expired, message));
    Decision::reply(refusal).with(Effect::CountLate(system.clone()))
}

/// The open calls of `user` that still go forward and have something left to do at `system`.
pub(super) fn calls_with<'a>(
    state: &'a State,
    user: &'a UserId,
    system: &'a SystemId,
) -> impl Iterator<Item = CallId> + 'a {
    let open = state.open_calls.keys().filter_map(|id| state.calls.get(id));
    let mine = open.filter(move |record| record.is_of(user) && record.stop.is_none());
    let left = |record: &CallRecord, system: &SystemId| {
        let mut steps = record.call.steps.iter().zip(&record.steps);
        steps.any(|(step, known)| step.system == *system && known.status != StepStatus::Done)
    };
    mine.filter(move |record| left(record, system)).map(|record| record.call.id)
}

/// The open calls whose turn is at `system`.
pub fn calls_at<'a>(state: &'a State, system: &'a SystemId) -> impl Iterator<Item = CallId> + 'a {
    let open = state.open_calls.keys().filter_map(|id| state.calls.get(id));
    let here = open.filter(move |record| {
        let step = record.turn().and_then(|place| record.call.steps.get(place));
        step.is_some_and(|step| step.system == *system)
    });
    here.map(|record| record.call.id)
}

/// What follows for these calls by now.
#[must_use]
pub fn advance(state: &State, hot: &Hot, now: Timestamp, calls: &BTreeSet<CallId>) -> Decision {
    let mut decision = Decision::default();
    for record in calls.iter().filter_map(|id| state.calls.get(id)).filter(|record| record.is_open()) {
        let (events, effects) = follow(state, hot, now, record);
        decision.events.extend(events);
        decision.effects.extend(effects);
    }
    decision
}

type Following = (Option<LogEvent>, Option<Effect>);

fn follow(state: &State, hot: &Hot, now: Timestamp, record: &CallRecord) -> Following {
    let (call, user) = (record.call.id, record.user.clone());
    let Some(place) = record.turn() else {
        return (Some(LogEvent::CallEnded { call, user, status: record.final_status() }), None);
    };
    if record.stop.is_none() && now > record.call.not_after {
        return (Some(LogEvent::CallStopped { call, user, stop: Stop::Expired }), cancelled(record));
    }
    let Some((step, _, known)) = record.step(place) else { return (None, None) };
    let (patience, may_repeat) = record.patience(place);
    let late = now > record.waits_since(known).plus(patience);
    let undo = record.stop.is_some();
    let ended = |end| Some(LogEvent::StepEnded { call, user: user.clone(), step: step.key.clone(), undo, end });
    match known.status {
        StepStatus::Running | StepStatus::Undoing => {
            // What was said on a connection that is gone may not have arrived.
            let lost = hot.attached(&step.system).is_some_and(|since| since > known.since);
            if may_repeat && (late || lost) && known.attempts < MOST_ATTEMPTS && hot.is_online(&step.system) {
                return dispatch(state, hot, now, record, place);
            }
            if !late {
                return (None, None);
            }
            let reason = format!("no answer within {patience} ms");
            (ended(StepEnd::InDoubt { reason }), cancelled(record))
        }
        _ if undo && record.plans.get(place).is_some_and(|plan| plan.undo.is_none()) => {
            (ended(StepEnd::Failed { reason: "nothing takes it back".to_owned() }), None)
        }
        _ if hot.is_online(&step.system) => dispatch(state, hot, now, record, place),
        _ if late => (ended(StepEnd::Failed { reason: format!("{} is away", step.system) }), None),
        _ => (None, None),
    }
}

/// Asks a system for a step, or to take it back, if everything still permits it.
fn dispatch(state: &State, hot: &Hot, now: Timestamp, record: &CallRecord, place: usize) -> Following {
    let Some((step, plan, known)) = record.step(place) else { return (None, None) };
    let (call, undo, key) = (record.call.id, record.stop.is_some(), step.key.clone());
    let service = match (&plan.undo, undo) {
        (Some(undoing), true) => &undoing.service,
        _ => &step.service,
    };
    let failed = |reason: String| {
        let reason = reason.chars().take(LONGEST_REASON).collect();
        // Asked before, it may have been done: only then is not asking again no answer.
        let asked = known.status == StepStatus::Running;
        let end = if asked { StepEnd::InDoubt { reason } } else { StepEnd::Failed { reason } };
        (Some(LogEvent::StepEnded { call, user: record.user.clone(), step: key.clone(), undo, end }), None)
    };
    if state.systems.get(&step.system).is_none_or(|system| system.owner != plan.owner) {
        return failed(format!("{} is somebody else's by now", step.system));
    }
    let made = match (undo, &known.input, &known.undo_input) {
        // Asked again, it is given the same again.
        (false, Some(input), _) | (true, _, Some(input)) => {
            permitted(state, now, record, place).map(|()| input.clone())
        }
        (false, None, _) => input(state, hot, now, record, place),
        (true, _, None) => lookup::undo_input(record, place).map_err(|error| error.to_string()),
    };
    let given = match made {
        Ok(input) => input,
        Err(reason) => return failed(reason),
    };
    let is_first = if undo { known.undo_input.is_none() } else { known.input.is_none() };
    let until = now.plus(record.patience(place).0);
    let invocation = Invocation {
        call,
        step: key.clone(),
        undo,
        service: service.clone(),
        input: given.clone(),
        user: plan.user.clone(),
        account: plan.account.clone(),
        attempt: known.attempts.saturating_add(1),
        not_after: if undo { until } else { until.min(record.call.not_after) },
        trace: record.call.trace,
    };
    let input = is_first.then_some(given);
    let event = LogEvent::StepDispatched { call, user: record.user.clone(), step: key, undo, input };
    (Some(event), Some(Effect::Invoke { system: step.system.clone(), invocation: Box::new(invocation) }))
}

/// P1.13 once more: much can have changed since the call was accepted. Taking back needs no permission: its system
/// learns nothing new by it.
fn permitted(state: &State, now: Timestamp, record: &CallRecord, place: usize) -> Result<(), String> {
    match record.call.steps.get(place) {
        Some(step) if record.stop.is_none() => {
            let permits = tpsaa::permits(state, now, &record.user, &record.by, &step.system, &step.service);
            permits.map(|_| ()).map_err(|refusal| refusal.to_string())
        }
        _ => Ok(()),
    }
}

fn input(state: &State, hot: &Hot, now: Timestamp, record: &CallRecord, place: usize) -> Result<Json, String> {
    let Some(step) = record.call.steps.get(place) else { return Err("there is no such step".to_owned()) };
    let agreement = tpsaa::permits(state, now, &record.user, &record.by, &step.system, &step.service);
    let agreement = agreement.map_err(|refusal| refusal.to_string())?;
    let viewer = Viewer::on(state, now, &record.by).map_err(|refusal| refusal.to_string())?;
    let share = &agreement.authorization.share;
    lookup::input(state, hot, now, &viewer, share, record, place).map_err(|error| error.to_string())
}

/// The end of an invocation that its system could not be given after all.
#[must_use]
pub fn undelivered(state: &State, call: CallId, step: &StepKey, undo: bool) -> Option<LogEvent> {
    let record = state.calls.get(&call)?;
    let known = record.place(step).and_then(|place| record.steps.get(place))?;
    let waited = if undo { StepStatus::Undoing } else { StepStatus::Running };
    let (user, step, end) = (record.user.clone(), step.clone(), StepEnd::Undelivered);
    (known.status == waited).then_some(LogEvent::StepEnded { call, user, step, undo, end })
}

/// How far a call is, for whoever made it, where they are still there.
#[must_use]
pub fn call_update(state: &State, call: CallId) -> Option<CallUpdate> {
    state.calls.get(&call).filter(|record| !record.orphan).map(|record| record.update())
}
