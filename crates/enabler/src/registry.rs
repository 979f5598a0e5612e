//! What DTSR and TPSR have in common (FGMV-29 8.2.1, 8.3.1): whose an id is, and how it is given back.

use vestibule_model::{
    CommandStatus, Refusal, RefusalCode, RoleId, SystemId, SystemInfo, SystemKind, Timestamp, UserId,
};

use crate::{Actor, Decision, Effect, Identity, LogEvent, State, THINGS, Viewer, dtif::dtac, sif::tpsaa};

/// Systems that can be registered: each is looked at by every discovery that no index narrows.
const MOST_SYSTEMS: usize = 16_384;
/// Systems that one certificate can register: a hub of several houses. More are more certificates, which an owner pairs.
const MOST_SYSTEMS_EACH: usize = 64;

/// Registers a system of this kind (P1.1 to P1.3, P2.1 to P2.3), for whoever has this role.
///
/// Where `is_expected`, the enabler's owner has said that this system registers itself. Then a registration that a part of
/// the enabler's own process made in its place gives way: such a part has no credential of its own, and speaks for a name
/// only as long as nobody else does. What users agreed with it ends, for it was not agreed with who comes; what they bought
/// is asked for at the same merchant as before, whoever registers.
pub(crate) fn register(
    state: &State,
    now: Timestamp,
    actor: &Actor,
    info: &SystemInfo,
    (kind, role): (SystemKind, &str),
    is_expected: bool,
) -> Result<Decision, Refusal> {
    may_register(state, now, actor, &info.id, role)?;
    if info.kind != kind {
        let message = format!("{} registers as another kind of system than its connection was opened for", info.id);
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    info.check().map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))?;
    let known = state.systems.get(&info.id);
    let owner = known.map(|known| &known.owner).or_else(|| state.reserved.get(&info.id));
    let other = owner.filter(|owner| **owner != actor.identity);
    let gives_way = |owner: &Identity| is_expected && *owner == Identity::Local(info.id.clone());
    if other.is_some_and(|owner| !gives_way(owner)) {
        let message = format!("another system has registered as {} before: choose another id for this one", info.id);
        return Err(Refusal::new(RefusalCode::Conflict, message));
    }
    if let Some(known) = known
        && known.info.kind != kind
    {
        let message = format!("{} is registered as another kind of system: deregister that one first", info.id);
        return Err(Refusal::new(RefusalCode::Conflict, message));
    }
    if known.is_none() || other.is_some() {
        check_room(state, &actor.identity)?;
    }
    let same = other.is_none() && known.is_some_and(|known| *known.info == *info);
    let mut events = if other.is_some() { tpsaa::end_all(state, &info.id) } else { Vec::new() };
    if !same {
        events.push(LogEvent::SystemRegistered { info: info.clone(), owner: actor.identity.clone() });
    }
    Ok(Decision::done(events).with(Effect::Attach(info.clone())))
}

fn check_room(state: &State, identity: &Identity) -> Result<(), Refusal> {
    let refuse = |message| Err(Refusal::new(RefusalCode::Overloaded, message));
    if state.systems.len() >= MOST_SYSTEMS {
        return refuse(format!("{MOST_SYSTEMS} systems are registered already"));
    }
    let reserved = state.reserved.values().filter(|owner| *owner == identity).count();
    if reserved + state.systems_of(identity) >= MOST_SYSTEMS_EACH {
        let message = format!("one certificate registers at most {MOST_SYSTEMS_EACH} systems: pair another one");
        return refuse(message);
    }
    Ok(())
}

fn may_register(state: &State, now: Timestamp, actor: &Actor, id: &SystemId, role: &str) -> Result<(), Refusal> {
    match &actor.identity {
        Identity::Local(own) if own == id => Ok(()),
        Identity::Local(own) => {
            Err(Refusal::new(RefusalCode::Forbidden, format!("this adapter is {own} and cannot register as {id}")))
        }
        Identity::Certificate(_) | Identity::Console if id.as_str() == THINGS => {
            let message = format!("{THINGS} is the enabler's own: choose another id for this system");
            Err(Refusal::new(RefusalCode::Conflict, message))
        }
        Identity::Certificate(_) | Identity::Console => {
            let viewer = Viewer::of(state, now, actor)?;
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

/// A system takes itself out. Its id stays its own: nobody else inherits what people were allowed with it.
pub(crate) fn deregister(state: &State, actor: &Actor) -> Result<Decision, Refusal> {
    let Some(system) = &actor.system else {
        return Err(Refusal::new(RefusalCode::Invalid, "register before you deregister"));
    };
    if !state.systems.contains_key(system) {
        return Ok(Decision::done(Vec::new()));
    }
    Ok(Decision::done(gone(state, system, None)).with(Effect::Detach(system.clone())))
}

/// An owner takes a system out, whether it is there or not; its id is free again.
pub(crate) fn remove(state: &State, viewer: &Viewer, system: &SystemId) -> Result<Decision, Refusal> {
    dtac::owners_only(state, viewer, "take systems out")?;
    if !state.systems.contains_key(system) && !state.reserved.contains_key(system) {
        return Err(Refusal::new(RefusalCode::NotFound, format!("there is no system {system}")));
    }
    let events = gone(state, system, Some(&viewer.user));
    Ok(Decision::done(events).with(Effect::Expel(system.clone())))
}

fn gone(state: &State, system: &SystemId, by: Option<&UserId>) -> Vec<LogEvent> {
    let reason = format!("{system} is no longer registered");
    let open = state.open.keys().filter_map(|id| state.commands.get(id));
    let ends = open.filter(|record| record.command.twin.system() == *system).map(|record| LogEvent::CommandEnded {
        command: record.command.id,
        status: CommandStatus::Failed { reason: reason.clone() },
        unmet: Vec::new(),
    });
    let agreements = tpsaa::end_all(state, system);
    ends.chain(agreements).chain([LogEvent::SystemGone { system: system.clone(), by: by.cloned() }]).collect()
}
