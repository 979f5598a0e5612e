//! What twin systems say all the time (DTS, P2.14, P2.18): hot, taken at once, never refused for a full disk.

use vestibule_model::{Refusal, RefusalCode, SystemId, Timestamp, TwinId};
use vestibule_protocol::{DiiUp, Occurrence};

use crate::{Changes, Hot, LogEvent, State, dtif::lease};

/// Details that an occurrence may have.
const MOST_DETAILS: usize = 32;

/// What followed from something that a twin system said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// What changed.
    pub changes: Changes,
    /// What is to be written: commands that ended by it.
    pub events: Vec<LogEvent>,
}

/// Takes what `system` says. Registrations and descriptions are decisions and go through [`decide`](crate::decide).
///
/// # Errors
/// [`Refusal`] where it speaks of what is not its own or makes no sense.
pub fn observe(
    state: &State,
    hot: &mut Hot,
    now: Timestamp,
    system: &SystemId,
    message: &DiiUp,
) -> Result<Observed, Refusal> {
    let mut observed = Observed { changes: hot.heard(system, now), events: Vec::new() };
    match message {
        DiiUp::Heartbeat | DiiUp::Blob { .. } => {}
        DiiUp::Reachable { twin, feature: None, reachable } => {
            own(hot, system, twin)?;
            observed.changes.merge(hot.set_device(twin, *reachable, now));
        }
        DiiUp::Reachable { twin, feature: Some(feature), reachable } => {
            own(hot, system, twin)?;
            if !state.twins.get(twin).is_some_and(|twin| twin.info.features.contains_key(feature)) {
                return Err(Refusal::new(RefusalCode::NotFound, format!("{twin} has no feature {feature}")));
            }
            observed.changes.merge(hot.set_feature(twin, feature, *reachable, now));
        }
        DiiUp::Report(report) => {
            own(hot, system, &report.twin)?;
            let (changes, events) = hot.report(report, now)?;
            observed.changes.merge(changes);
            observed.events.extend(events);
        }
        DiiUp::Occurred(occurrence) => {
            own(hot, system, &occurrence.twin)?;
            observed.changes.occurred.push(occurred(state, now, occurrence)?);
        }
        DiiUp::Outcome { command, status } => {
            let (changes, events) = hot.outcome(system, *command, status, now)?;
            observed.changes.merge(changes);
            observed.events.extend(events);
        }
        DiiUp::Integrated { twin, fence } => {
            own(hot, system, twin)?;
            observed.events.extend(lease::act::integrated(state, now, twin, *fence));
        }
        DiiUp::NotIntegrated { twin, fence, reason } => {
            own(hot, system, twin)?;
            observed.events.extend(lease::act::not_integrated(state, now, twin, *fence, reason));
        }
        DiiUp::Register(_)
        | DiiUp::Deregister
        | DiiUp::Describe(_)
        | DiiUp::Gone(_)
        | DiiUp::Complete { .. }
        | DiiUp::Inquired { .. } => {
            return Err(Refusal::new(RefusalCode::Invalid, "that is to be decided, not observed"));
        }
    }
    Ok(observed)
}

fn own(hot: &Hot, system: &SystemId, twin: &TwinId) -> Result<(), Refusal> {
    if twin.system() != *system {
        let message = format!("{twin} is not a twin of {system}: twin systems speak for their own twins only");
        return Err(Refusal::new(RefusalCode::Forbidden, message));
    }
    if !hot.knows(twin) {
        return Err(Refusal::new(RefusalCode::NotFound, format!("{twin} was not described yet")));
    }
    Ok(())
}

fn occurred(state: &State, now: Timestamp, occurrence: &Occurrence) -> Result<Occurrence, Refusal> {
    let Occurrence { twin, feature, event, details, .. } = occurrence;
    let info = state.twins.get(twin).and_then(|twin| twin.info.features.get(feature));
    if !info.is_some_and(|info| info.events.contains(event)) {
        let message = format!("{feature} of {twin} was not described with an event {event}");
        return Err(Refusal::new(RefusalCode::NotFound, message));
    }
    let sound = details.iter().all(|(name, value)| name.len() <= 64 && value.check().is_ok());
    if details.len() > MOST_DETAILS || !sound {
        let message =
            format!("at most {MOST_DETAILS} details with short names and sound values can be told of an event");
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    Ok(Occurrence { at: occurrence.at.min(now), ..occurrence.clone() })
}
