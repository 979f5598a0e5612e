//! FGMV-29 8.3.1, digital twin system registration (DTSR): systems and their twins, P2.1 to P2.3, P2.10 and P2.11.

use std::{collections::BTreeSet, sync::Arc};

use vestibule_model::{
    CommandStatus, PhysicalId, Refusal, RefusalCode, SystemId, SystemInfo, SystemKind, Timestamp, TwinId, TwinInfo,
};
use vestibule_protocol::encoded_length;

use crate::{Actor, Decision, LogEvent, State, TWIN_SYSTEM_ROLE, registry};

/// Twins over all systems: each costs some hundred bytes beside its description.
const MOST_TWINS: usize = 2_097_152;
/// Twins of one system: a city's street lamps, and half of the room that there is.
const MOST_TWINS_EACH: u32 = 1_048_576;
/// Bytes of one description: fifty of them fit a page and its frame.
const MOST_DESCRIPTION: usize = 48 * 1024;

/// A digital twin system says what it is.
pub(crate) fn register(state: &State, now: Timestamp, actor: &Actor, info: &SystemInfo) -> Result<Decision, Refusal> {
    registry::register(state, now, actor, info, (SystemKind::DigitalTwin, TWIN_SYSTEM_ROLE), false)
}

/// A digital twin system is no longer there for anybody, and none of its twins is.
pub(crate) fn deregister(state: &State, actor: &Actor) -> Result<Decision, Refusal> {
    registry::deregister(state, actor)
}

fn own_system(actor: &Actor, twin: &TwinId) -> Result<SystemId, Refusal> {
    let Some(system) = &actor.system else {
        return Err(Refusal::new(RefusalCode::Invalid, "register the system before you describe its twins"));
    };
    if twin.system() != *system {
        let message = format!("{twin} is not a twin of {system}: twin systems speak for their own twins only");
        return Err(Refusal::new(RefusalCode::Forbidden, message));
    }
    Ok(system.clone())
}

pub(crate) fn describe(state: &State, actor: &Actor, info: &TwinInfo) -> Result<Decision, Refusal> {
    let system = own_system(actor, &info.id)?;
    if !state.systems.contains_key(&system) {
        let message = format!("{system} is no longer registered: register it anew");
        return Err(Refusal::new(RefusalCode::NotFound, message));
    }
    info.check().map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))?;
    let size = encoded_length(info);
    if size > MOST_DESCRIPTION {
        let message = format!("the description of {} has {size} bytes, at most {MOST_DESCRIPTION} are taken", info.id);
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    match state.twins.get(&info.id) {
        Some(known) if *known.info == *info => return Ok(Decision::done(Vec::new())),
        Some(known) => same_thing(&known.info, info)?,
        None => check_room(state, &system)?,
    }
    Ok(Decision::done(vec![LogEvent::TwinDescribed { info: Arc::new(info.clone()) }]))
}

fn check_room(state: &State, system: &SystemId) -> Result<(), Refusal> {
    let own = state.census(system).map_or(0, |census| census.twins);
    if state.twins.len() >= MOST_TWINS || own >= MOST_TWINS_EACH {
        let message = format!("{} twins are described already, {own} of them by {system}", state.twins.len());
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    Ok(())
}

/// Two physical objects cannot be one twin: they would take turns in being it.
fn same_thing(known: &TwinInfo, new: &TwinInfo) -> Result<(), Refusal> {
    let (mine, theirs) = (&known.physical_ids, &new.physical_ids);
    if mine.is_empty() || theirs.is_empty() || mine.iter().any(|id| theirs.contains(id)) {
        return Ok(());
    }
    let words = |ids: &[PhysicalId]| {
        ids.iter().take(3).map(|id| format!("{} {}", id.kind, id.value)).collect::<Vec<_>>().join(", ")
    };
    let message = format!(
        "{} is the twin of {} and cannot be that of {} as well: give one of them another id, or take the old one away first",
        new.id,
        words(mine),
        words(theirs)
    );
    Err(Refusal::new(RefusalCode::Conflict, message))
}

pub(crate) fn gone(state: &State, actor: &Actor, twin: &TwinId) -> Result<Decision, Refusal> {
    own_system(actor, twin)?;
    Ok(Decision::done(leave(state, twin)))
}

/// A system has described all that it maintains: what is remembered beyond that went while nobody listened.
pub(crate) fn complete(state: &State, actor: &Actor, twins: &[TwinId]) -> Result<Decision, Refusal> {
    let Some(system) = &actor.system else {
        return Err(Refusal::new(RefusalCode::Invalid, "register the system before you say which twins it has"));
    };
    let there: BTreeSet<&TwinId> = twins.iter().collect();
    let ghosts = state.twins_of(system).filter(|twin| !there.contains(&twin.info.id));
    Ok(Decision::done(ghosts.flat_map(|twin| leave(state, &twin.info.id)).collect()))
}

/// What has to be decided when a twin goes.
fn leave(state: &State, twin: &TwinId) -> Vec<LogEvent> {
    if !state.twins.contains_key(twin) {
        return Vec::new();
    }
    let reason = format!("{twin} is no longer maintained");
    let ends = state.open_on(twin).map(|record| LogEvent::CommandEnded {
        command: record.command.id,
        status: CommandStatus::Failed { reason: reason.clone() },
        unmet: Vec::new(),
    });
    ends.chain([LogEvent::TwinGone { twin: twin.clone() }]).collect()
}
