//! What DTSD and TPSD have in common (FGMV-29 8.2.2, 8.3.2): conditions on what systems say of themselves, pages.

use std::{collections::BTreeMap, hint::black_box};

use vestibule_model::{
    AreaCells, Refusal, RefusalCode, Right, SystemHealth, SystemId, SystemInfo, SystemQuery, Timestamp,
};
use vestibule_protocol::{MAX_FRAME, Response, SystemView, encoded_length};

use crate::{
    Hot, Sight, State, System, Viewer,
    directory::{Card, Term},
    dtif::{dtac, dtsd},
    hot_systems::Link,
    sif::tpsd,
};

/// Systems on a page, unless asked otherwise, and at most. Fewer where they are large: only an empty page is the last.
const PAGE: (usize, usize) = (50, 200);
/// Bytes of a number on the wire, at most.
const LONGEST_NUMBER: usize = 10;
/// Bytes of everything in a view but texts, properties and services, at most: some forty numbers and their kinds.
const REST: usize = 1_024;

/// What was measured of a registered system; `None` where there is none.
#[must_use]
pub fn system_health(state: &State, hot: &Hot, system: &SystemId, now: Timestamp) -> Option<SystemHealth> {
    let known = state.systems.get(system)?;
    let twins = state.census(system).map_or(0, |census| census.twins);
    Some(hot.health(known, twins, now))
}

/// What is told to `viewer` of a registered system; `None` where there is none.
#[must_use]
pub fn system_view(state: &State, hot: &Hot, viewer: &Viewer, system: &SystemId, now: Timestamp) -> Option<SystemView> {
    let twins = state.census(system).map_or(0, |census| census.twins);
    let known = state.systems.get(system)?;
    Some(view_of(state, viewer, known, hot.health(known, twins, now)))
}

fn view_of(state: &State, viewer: &Viewer, known: &System, health: SystemHealth) -> SystemView {
    let system = &known.info.id;
    let usable = known.info.services.keys().filter_map(|service| {
        let verdict = dtac::system_verdict(state, viewer, system, &Right::Use(service.clone()));
        verdict.rule.filter(|_| verdict.allowed).map(|rule| (service.clone(), rule))
    });
    let usable: BTreeMap<_, _> = usable.collect();
    SystemView { info: known.info.clone(), health, usable }
}

/// Whether `viewer` may know that the system exists: a rule lets them see it, one of its twins, or use a service of it.
#[must_use]
pub fn may_see_system(state: &State, viewer: &Viewer, system: &SystemId) -> bool {
    dtac::system_verdict(state, viewer, system, &Right::Read).allowed
}

/// A page of the systems that meet `query` and that `viewer` may see, in the order of their ids.
pub(crate) fn discover(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    query: &SystemQuery,
) -> Result<Response, Refusal> {
    query.check().map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))?;
    let limit = if query.limit == 0 { PAGE.0 } else { usize::from(query.limit).min(PAGE.1) };
    let Some((walked, candidates)) = state.directory.candidates(query) else {
        return Ok(Response::Systems(Vec::new()));
    };
    let (wanted, sight) = (Wanted::of(query, &walked), Sight::of(state, viewer));
    let (mut page, mut bytes) = (Vec::with_capacity(limit.min(PAGE.0)), 0_usize);
    for (card, link) in candidates.chunks(limit).flat_map(|places| reached_for(state, hot, places)) {
        let (known, system) = (&card.system, &card.system.info.id);
        if !wanted.described(known) || !wanted.measured(known, link, now) || !sight.sees(system) {
            continue;
        }
        if query.feature.is_some_and(|kind| !dtsd::has_feature(&sight, card, kind)) {
            continue;
        }
        let view = view_of(state, viewer, known, Hot::health_by(known, link, card.twins, now));
        bytes = bytes.saturating_add(card.length.map_or_else(|| encoded_length(&view), |length| length as usize));
        if bytes > MAX_FRAME / 2 && !page.is_empty() {
            break;
        }
        page.push(view);
        if page.len() >= limit {
            break;
        }
    }
    Ok(Response::Systems(page))
}

/// Some systems with their connections, and everything of them that a page needs in the processor's caches.
///
/// What lies in no cache is waited for; but a processor that need not know one thing to ask for the next waits for a dozen
/// of them at once. So all are asked for, one kind of thing after the other, before any is looked at.
fn reached_for<'a>(state: &'a State, hot: &'a Hot, places: &[u32]) -> Vec<(&'a Card, Option<&'a Link>)> {
    let cards: Vec<&Card> = places.iter().filter_map(|place| state.directory.card(*place)).collect();
    ask_for(&cards, |card| {
        let stats = &card.system.stats;
        card.system.registered.0 ^ stats.commands ^ stats.calls ^ stats.measured.watched_ms
    });
    ask_for(&cards, |card| {
        let info = &card.system.info;
        info.heartbeat_ms ^ info.services.len() as u64 ^ info.name.len() as u64 ^ u64::from(info.level.p99_ms.is_some())
    });
    ask_for(&cards, |card| card.system.info.id.as_str().bytes().next().map_or(0, u64::from));
    let found: Vec<_> = cards.into_iter().map(|card| (card, hot.systems.get(&card.system.info.id))).collect();
    ask_for(&found, |(_, link)| link.map_or(0, |link| u64::from(link.online) ^ link.measure.periodic as u64));
    found
}

/// Reaches for something of each, one independent of the other.
fn ask_for<T>(all: &[T], of: impl Fn(&T) -> u64) {
    // What is read does not matter, but that it is read.
    black_box(all.iter().fold(0, |sum, one| sum ^ of(one)));
}

/// Bytes of a system's view, or some more; `None`: it offers services, and what is told of them depends on who looks.
/// Most offer none, and what else they say of themselves is soon counted.
pub(crate) fn length_of(info: &SystemInfo) -> Option<usize> {
    if !info.services.is_empty() {
        return None;
    }
    let properties = info.properties.iter().map(|(key, value)| key.len() + value.len() + 2 * LONGEST_NUMBER);
    let properties: usize = properties.sum();
    Some(info.name.len() + info.system_type.len() + info.id.as_str().len() + properties + REST)
}

/// A query, prepared to be asked often.
struct Wanted<'a> {
    query: &'a SystemQuery,
    /// Properties that are still to be looked at: what is walked through has one of them.
    properties: Vec<(&'a String, &'a String)>,
    text: Option<String>,
    area: Option<AreaCells>,
}

impl<'a> Wanted<'a> {
    /// For systems that meet the condition `walked` anyway.
    fn of(query: &'a SystemQuery, walked: &Term) -> Self {
        let text = query.text.as_ref().map(|text| text.to_lowercase());
        let met = |key: &str, value: &str| matches!(walked, Term::Property(k, v) if k == key && v == value);
        let properties = query.properties.iter().filter(|(key, value)| !met(key, value)).collect();
        Self { query, properties, text, area: query.place.map(vestibule_model::Area::cells) }
    }

    /// Conditions on what a system says of itself.
    fn described(&self, system: &System) -> bool {
        let (query, info) = (self.query, &system.info);
        query.kind.is_none_or(|kind| kind == info.kind)
            && query.system_type.as_ref().is_none_or(|wanted| *wanted == info.system_type)
            && self.properties.iter().all(|(key, value)| info.properties.get(*key) == Some(*value))
            && query.level.as_ref().is_none_or(|level| info.level.missing(level).is_empty())
            && self.area.as_ref().is_none_or(|area| info.place.is_some_and(|cell| area.may_hold(cell)))
            && tpsd::meets(query, system)
            && self.text.as_ref().is_none_or(|text| {
                info.name.to_lowercase().contains(text) || info.id.as_str().to_lowercase().contains(text)
            })
    }

    /// Conditions on what was measured of it.
    fn measured(&self, system: &System, link: Option<&Link>, now: Timestamp) -> bool {
        let query = self.query;
        if query.online.is_some_and(|online| online != link.is_some_and(|link| link.online)) {
            return false;
        }
        if query.measured.is_none() && query.keeps_promises.is_none() {
            return true;
        }
        let health = Hot::health_by(system, link, 0, now);
        query.measured.as_ref().is_none_or(|level| health.level.missing(level).is_empty())
            && query.keeps_promises.is_none_or(|keeps| keeps == health.broken.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vestibule_model::{Charge, ChargePer, ServiceId, ServiceInfo, ServiceLevel, SystemKind};

    use super::*;

    proptest! {
        /// A page that fits by what is counted fits a frame.
        #[test]
        fn no_view_is_longer_than_was_counted(
            texts in proptest::collection::vec("\\PC{0,40}", 2),
            properties in proptest::collection::btree_map("\\PC{0,20}", "\\PC{0,300}", 0..64),
            numbers in any::<[u64; 8]>(),
            promised in any::<[u16; 2]>(),
            offers in any::<bool>(),
        ) {
            let mut info = SystemInfo::new(SystemId::slug(&"s".repeat(64)), SystemKind::ThirdParty, texts[0].clone());
            info.system_type.clone_from(&texts[1]);
            info.properties = properties;
            info.heartbeat_ms = numbers[0];
            info.level = ServiceLevel {
                availability_permille: Some(promised[0]),
                p99_ms: Some(numbers[1]),
                freshness_ms: Some(numbers[2]),
                error_permille: Some(promised[1]),
            };
            info.charge = Some(Charge { amount: numbers[0], currency: "EUR".parse().unwrap(), per: ChargePer::Call });
            if offers {
                info.services.insert(ServiceId::slug("pay"), ServiceInfo::default());
            }
            let [_, _, _, commands, failures, calls, call_failures, heard] = numbers;
            let health = SystemHealth {
                online: true,
                last_heard: Some(Timestamp(heard)),
                twins: u32::MAX,
                commands,
                failures,
                p50_ms: Some(commands),
                p99_ms: Some(calls),
                registered: Some(Timestamp(heard)),
                calls,
                call_failures,
                call_p50_ms: Some(commands),
                call_p99_ms: Some(calls),
                broken: ServiceLevel::default().missing(&info.level),
                level: info.level,
            };
            let view = SystemView { info: info.into(), health, usable: BTreeMap::new() };
            let length = length_of(&view.info);
            prop_assert!(length.is_none_or(|length| length >= encoded_length(&view)));
            prop_assert_eq!(length.is_none(), offers);
        }
    }
}
