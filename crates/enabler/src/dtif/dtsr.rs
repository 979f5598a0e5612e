//! FGMV-29 8.3.1, digital twin system registration (DTSR): systems and their twins, P2.1 to P2.3, P2.10 and P2.11.

use vestibule_model::{
    CommandStatus, PhysicalId, Refusal, RefusalCode, RoleId, SystemId, SystemInfo, SystemKind, TwinId, TwinInfo,
};
use vestibule_protocol::{DiiUp, encode};

use crate::{Actor, Decision, Effect, Identity, LogEvent, State, TWIN_SYSTEM_ROLE, Viewer};

/// Systems that can be registered.
const MOST_SYSTEMS: usize = 256;
/// Twins over all systems: each costs memory and a place in every subscriber's synchronization.
const MOST_TWINS: usize = 16_384;
/// Bytes of one description: fifty of them fit a page and its frame.
const MOST_DESCRIPTION: usize = 48 * 1024;

pub(crate) fn register(state: &State, actor: &Actor, info: &SystemInfo) -> Result<Decision, Refusal> {
    register_as(state, actor, info, SystemKind::DigitalTwin, TWIN_SYSTEM_ROLE)
}

/// What DTSR and TPSR have in common.
pub(crate) fn register_as(
    state: &State,
    actor: &Actor,
    info: &SystemInfo,
    kind: SystemKind,
    role: &str,
) -> Result<Decision, Refusal> {
    may_register(state, actor, &info.id, role)?;
    check(info, kind)?;
    let known = state.systems.get(&info.id);
    if let Some(known) = known
        && (known.owner != actor.identity || known.info.kind != kind)
    {
        let message = format!(
            "another system has registered as {} ({:?}) before: choose another id for this one",
            info.id, known.info.name
        );
        return Err(Refusal::new(RefusalCode::Conflict, message));
    }
    if known.is_none() && state.systems.len() >= MOST_SYSTEMS {
        let message = format!("{MOST_SYSTEMS} systems are registered already");
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    let same = known.is_some_and(|known| known.info == *info);
    let event = LogEvent::SystemRegistered { info: info.clone(), owner: actor.identity.clone() };
    let events = if same { Vec::new() } else { vec![event] };
    Ok(Decision::done(events).with(Effect::Attach(info.clone())))
}

fn may_register(state: &State, actor: &Actor, id: &SystemId, role: &str) -> Result<(), Refusal> {
    match &actor.identity {
        Identity::Local(own) if own == id => Ok(()),
        Identity::Local(own) => {
            Err(Refusal::new(RefusalCode::Forbidden, format!("this adapter is {own} and cannot register as {id}")))
        }
        Identity::Certificate(_) => {
            let viewer = Viewer::of(state, &actor.identity)?;
            if viewer.roles.contains(&RoleId::slug(role)) {
                return Ok(());
            }
            let message = format!(
                "{} may not register a system (no rule allows it): pair it with a code for the role {role}",
                viewer.user
            );
            Err(Refusal::new(RefusalCode::Forbidden, message))
        }
    }
}

fn check(info: &SystemInfo, kind: SystemKind) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::new(RefusalCode::Invalid, message));
    if info.kind != kind {
        return refuse(format!("{} registers as another kind of system than its connection was opened for", info.id));
    }
    info.check().or_else(|error| refuse(error.to_string()))
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
    own_system(actor, &info.id)?;
    info.check().map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))?;
    let size = encode(&DiiUp::Describe(Box::new(info.clone()))).map_or(usize::MAX, |bytes| bytes.len());
    if size > MOST_DESCRIPTION {
        let message = format!("the description of {} has {size} bytes, at most {MOST_DESCRIPTION} are taken", info.id);
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    match state.twins.get(&info.id) {
        Some(known) if *known.info == *info => return Ok(Decision::done(Vec::new())),
        Some(known) => same_thing(&known.info, info)?,
        None if state.twins.len() >= MOST_TWINS => {
            let message = format!("{MOST_TWINS} twins are described already");
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
        None => {}
    }
    Ok(Decision::done(vec![LogEvent::TwinDescribed { info: Box::new(info.clone()) }]))
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
    if !state.twins.contains_key(twin) {
        return Ok(Decision::done(Vec::new()));
    }
    let reason = format!("{twin} is no longer maintained");
    let ends = state.open_on(twin).map(|record| LogEvent::CommandEnded {
        command: record.command.id,
        status: CommandStatus::Failed { reason: reason.clone() },
        unmet: Vec::new(),
    });
    let events = ends.chain([LogEvent::TwinGone { twin: twin.clone() }]).collect();
    Ok(Decision::done(events))
}
