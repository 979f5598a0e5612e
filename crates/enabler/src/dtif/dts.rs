//! FGMV-29 8.3.4, digital twin synchronization (DTS): commands are decided here, P2.15 to P2.17.

use std::collections::BTreeSet;

use vestibule_model::{
    ActionInfo, Command, CommandId, CommandStatus, Expect, Refusal, RefusalCode, Right, Timestamp, TwinId, UserId,
};
use vestibule_protocol::{CommandUpdate, Execution, Response};

use crate::{
    CommandRecord, Decision, Effect, Hot, LONGEST_VALIDITY_MS, LogEvent, State, Viewer, Wish,
    command::execution,
    dtif::{dtac, lease},
};

/// Commands that one user can have open.
const MOST_OPEN_EACH: usize = 256;
/// Commands that are open or remembered for their repetitions, over all users.
const MOST_COMMANDS: usize = 16_384;

pub(crate) fn actuate(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    command: &Command,
) -> Result<Decision, Refusal> {
    if let Some(record) = state.commands.get(&command.id) {
        return repeated(hot, &viewer.user, record, command);
    }
    let Command { twin, feature, action, .. } = command;
    // The rules first: they answer alike whether the twin exists or not.
    let rule = dtac::may(state, viewer, twin, Some(feature), &Right::Act(action.clone()))?;
    let about = find(state, command)?;
    check_input(command, about)?;
    if now > command.not_after {
        let message = format!("{action} {twin}: its time ended {} ms ago", now.since(command.not_after));
        return Err(Refusal::new(RefusalCode::Expired, message));
    }
    if command.not_after.since(now) > LONGEST_VALIDITY_MS {
        let message = format!("a command is valid for at most {} minutes", LONGEST_VALIDITY_MS / 60_000);
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    let held = lease::act::admit(state, now, viewer, command)?;
    check_revision(hot, command, about)?;
    check_room(state, &viewer.user)?;
    let wishes = about.effects.iter().filter_map(|effect| {
        let value = match &effect.expect {
            Expect::Value(value) => Some(value),
            Expect::Input => command.input.as_ref(),
        };
        value.map(|value| Wish { property: effect.property.clone(), value: value.clone() })
    });
    let dispatched = hot.is_feature_reachable(twin, feature);
    let event = LogEvent::CommandAccepted {
        command: command.clone(),
        user: viewer.user.clone(),
        rule,
        wishes: wishes.collect(),
        dispatched,
        device: None,
        fence: held.map(|(fence, _)| fence),
    };
    let update = CommandUpdate {
        command: command.id,
        user: viewer.user.clone(),
        twin: twin.clone(),
        feature: feature.clone(),
        action: action.clone(),
        status: if dispatched { CommandStatus::Dispatched } else { CommandStatus::Accepted },
        at: now,
    };
    let mut execution = execution(command, held.map(|(fence, _)| fence));
    // Whoever holds a twin acts on it no longer than that.
    execution.not_after = held.map_or(execution.not_after, |(_, until)| until.min(execution.not_after));
    let execute = Effect::Execute { system: twin.system(), execution };
    let effects = if dispatched { vec![execute] } else { Vec::new() };
    Ok(Decision { events: vec![event], reply: Some(Response::Command(update)), effects })
}

fn repeated(hot: &Hot, user: &UserId, record: &CommandRecord, command: &Command) -> Result<Decision, Refusal> {
    if record.user == *user && record.is_repeated_by(command) {
        let (status, at) = hot.status_of(record);
        return Ok(Decision::reply(Response::Command(record.update(status, at))));
    }
    let message = format!("command id {} was used for another command: choose a new random one for each", command.id);
    Err(Refusal::new(RefusalCode::Conflict, message))
}

pub(crate) fn status(state: &State, hot: &Hot, viewer: &Viewer, id: CommandId) -> Result<Response, Refusal> {
    // Whoever may not know of it is answered as if there were none.
    let may_know = |record: &CommandRecord| {
        let Command { twin, feature, .. } = &record.command;
        record.user == viewer.user || dtac::may_read(state, viewer, twin, Some(feature))
    };
    let record = state.commands.get(&id).filter(|record| may_know(record));
    let record = record.ok_or_else(|| {
        let message = format!("there is no command {id}: ended ones are forgotten after some minutes");
        Refusal::new(RefusalCode::NotFound, message)
    })?;
    let (status, at) = hot.status_of(record);
    Ok(Response::Command(record.update(status, at)))
}

fn find<'a>(state: &'a State, command: &Command) -> Result<&'a ActionInfo, Refusal> {
    let Command { twin, feature, action, .. } = command;
    let not_found = |message: String| Refusal::new(RefusalCode::NotFound, message);
    let known = state.twins.get(twin).ok_or_else(|| not_found(format!("there is no twin {twin}")))?;
    let part = known.info.features.get(feature).ok_or_else(|| not_found(format!("{twin} has no feature {feature}")))?;
    part.actions.get(action).ok_or_else(|| not_found(format!("{feature} of {twin} cannot {action}")))
}

fn check_input(command: &Command, about: &ActionInfo) -> Result<(), Refusal> {
    let problem = match (&about.input, &command.input) {
        (None, None) => None,
        (None, Some(_)) => Some("takes no input".to_owned()),
        (Some(kind), None) => Some(format!("needs {kind}")),
        (Some(kind), Some(value)) => kind.accepts(value).err().map(|error| error.to_string()),
    };
    problem.map_or(Ok(()), |problem| {
        let message = format!("{} of {} of {}: {problem}", command.action, command.feature, command.twin);
        Err(Refusal::new(RefusalCode::Invalid, message))
    })
}

fn check_revision(hot: &Hot, command: &Command, about: &ActionInfo) -> Result<(), Refusal> {
    let Some(expected) = command.expected_revision else { return Ok(()) };
    let changed = about.effects.iter().find_map(|effect| {
        let changed = hot.changed_revision(&command.twin, &command.feature, &effect.property);
        (changed > expected).then_some((&effect.property, changed))
    });
    changed.map_or(Ok(()), |(property, revision)| {
        let message = format!(
            "{property} of {} of {} has changed since you looked (revision {revision}, you saw {expected}): look again",
            command.feature, command.twin
        );
        Err(Refusal::new(RefusalCode::RevisionMismatch, message))
    })
}

fn check_room(state: &State, user: &UserId) -> Result<(), Refusal> {
    let mine = state.open.keys().filter_map(|id| state.commands.get(id)).filter(|record| record.user == *user).count();
    // Counted only where it gets crowded: one user's quick commands must not take what is remembered from all others.
    let crowded = state.commands.len() >= MOST_COMMANDS / 2;
    let takes_all = || state.commands.values().filter(|record| record.user == *user).count() >= MOST_COMMANDS / 8;
    if mine >= MOST_OPEN_EACH || state.commands.len() >= MOST_COMMANDS || crowded && takes_all() {
        let message = format!("too many commands at once ({mine} of {user} are open): wait until some have ended");
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    Ok(())
}

pub(crate) fn refresh(state: &State, hot: &Hot, viewer: &Viewer, twin: &TwinId) -> Result<Decision, Refusal> {
    dtac::may(state, viewer, twin, None, &Right::Read)?;
    if !state.twins.contains_key(twin) {
        return Err(Refusal::new(RefusalCode::NotFound, format!("there is no twin {twin}")));
    }
    let system = twin.system();
    if !hot.is_online(&system) {
        let message = format!("{system}, which maintains {twin}, is away");
        return Err(Refusal::new(RefusalCode::Unavailable, message));
    }
    Ok(Decision::done(Vec::new()).with(Effect::Refresh { system, twin: twin.clone() }))
}

/// Tells the systems of these twins, which can be told something again, who holds them; then gives them what waited
/// and is still valid, oldest first.
#[must_use]
pub fn dispatch(state: &State, hot: &Hot, now: Timestamp, twins: &BTreeSet<TwinId>) -> Decision {
    let mut decision = Decision::default();
    for twin in twins.iter().filter(|twin| hot.is_reachable(twin)) {
        decision.effects.extend(lease::act::remind(state, hot, now, twin));
        let there = |record: &CommandRecord| hot.is_feature_reachable(twin, &record.command.feature);
        let mut waiting: Vec<_> =
            state.open_on(twin).filter(|r| !r.dispatched && !r.is_late(now) && there(r)).collect();
        waiting.sort_by_key(|record| (record.accepted, record.command.id));
        for record in waiting {
            if let Err(rule) = dtac::may_still(state, now, record) {
                let reason = match rule {
                    Some(rule) => format!("{} may no longer do this (rule {rule})", record.user),
                    None => format!("no rule lets {} do this any more", record.user),
                };
                decision.events.extend(execution_failed(state, record.command.id, &reason));
                continue;
            }
            let Some(until) = lease::act::still_admits(state, now, &record.command) else { continue };
            decision.events.push(LogEvent::CommandDispatched { command: record.command.id });
            let execution = Execution { not_after: until, ..record.execution() };
            decision.effects.push(Effect::Execute { system: twin.system(), execution });
        }
    }
    decision
}

/// The end of a command that its system could not be given after all.
#[must_use]
pub fn execution_failed(state: &State, command: CommandId, reason: &str) -> Option<LogEvent> {
    let record = state.commands.get(&command).filter(|record| record.is_open())?;
    let status = CommandStatus::Failed { reason: reason.to_owned() };
    Some(LogEvent::CommandEnded { command: record.command.id, status, unmet: Vec::new() })
}
