//! FGMV-29 8.3.2, digital twin system discovery (DTSD): systems that meet conditions, P2.4 and P2.5.

use vestibule_model::{SystemHealth, SystemId, SystemQuery};
use vestibule_protocol::{Response, SystemView};

use crate::{Hot, State, System, Viewer, dtif::dtac};

/// Systems on a page, unless asked otherwise, and at most.
const PAGE: (usize, usize) = (50, 200);

/// What is told of a registered system; `None` where there is none.
#[must_use]
pub fn system_view(state: &State, hot: &Hot, system: &SystemId) -> Option<SystemView> {
    let known = state.systems.get(system)?;
    let health = SystemHealth {
        online: hot.is_online(system),
        last_heard: hot.last_heard(system),
        twins: u32::try_from(state.twins_of(system).count()).unwrap_or(u32::MAX),
        commands: known.stats.commands,
        failures: known.stats.failures,
        p50_ms: known.stats.latency.quantile(50),
        p99_ms: known.stats.latency.quantile(99),
        ..SystemHealth::default()
    };
    Some(SystemView { info: known.info.clone(), health })
}

/// Whether `viewer` may know that the system exists: owners do, others where they may see one of its twins.
#[must_use]
pub fn may_see_system(state: &State, viewer: &Viewer, system: &SystemId) -> bool {
    dtac::is_owner(state, viewer)
        || state.twins_of(system).any(|twin| dtac::may_read(state, viewer, &twin.info.id, None))
}

pub(crate) fn discover(state: &State, hot: &Hot, viewer: &Viewer, query: &SystemQuery) -> Response {
    let limit = if query.limit == 0 { PAGE.0 } else { usize::from(query.limit).min(PAGE.1) };
    let found = state.systems.iter().filter(|(id, system)| {
        query.after.as_ref().is_none_or(|after| *id > after)
            && meets(state, hot, viewer, query, system)
            && may_see_system(state, viewer, id)
    });
    Response::Systems(found.filter_map(|(id, _)| system_view(state, hot, id)).take(limit).collect())
}

fn meets(state: &State, hot: &Hot, viewer: &Viewer, query: &SystemQuery, system: &System) -> bool {
    let info = &system.info;
    let text = query.text.as_ref().is_none_or(|text| {
        let text = text.to_lowercase();
        info.name.to_lowercase().contains(&text) || info.id.as_str().to_lowercase().contains(&text)
    });
    let properties = query.properties.iter().all(|(key, value)| info.properties.get(key) == Some(value));
    let kind = query.kind.is_none_or(|kind| kind == info.kind);
    let online = query.online.is_none_or(|online| online == hot.is_online(&info.id));
    // What one may not read is no reason to find its system.
    let feature = |kind| {
        state.twins_of(&info.id).any(|twin| {
            let mut features = twin.info.features.iter().filter(|(_, feature)| feature.kind == kind);
            features.any(|(id, _)| dtac::may_read(state, viewer, &twin.info.id, Some(id)))
        })
    };
    kind && text && properties && online && query.feature.is_none_or(feature)
}
