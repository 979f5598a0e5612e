//! What DTSD and TPSD have in common (FGMV-29 8.2.2, 8.3.2): conditions on what systems say of themselves, pages.

use std::{collections::BTreeMap, ops::Bound};

use serde::{Deserialize, Serialize};
use vestibule_model::{
    AreaCells, FeatureKind, Refusal, RefusalCode, Right, ServiceId, SystemHealth, SystemId, SystemInfo, SystemKind,
    SystemQuery, Timestamp,
};
use vestibule_protocol::{MAX_FRAME, Response, SystemView, encoded_length};

use crate::{
    Hot, Map, Sight, State, System, Viewer,
    dtif::{dtac, dtsd},
    sif::tpsd,
};

/// Systems on a page, unless asked otherwise, and at most. Fewer where they are large: only an empty page is the last.
const PAGE: (usize, usize) = (50, 200);
/// Bytes of a number on the wire, at most.
const LONGEST_NUMBER: usize = 10;
/// Bytes of everything in a view but texts, properties and services, at most: some forty numbers and their kinds.
const REST: usize = 1_024;

/// Something by which systems are found without looking at all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Term {
    Kind(SystemKind),
    Type(String),
    Property(String, String),
    Service(ServiceId),
    Feature(FeatureKind),
}

/// Systems by what they say of themselves and what their twins have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Directory(Map<Term, Map<SystemId, ()>>);

impl Directory {
    pub(crate) fn add(&mut self, info: &SystemInfo) {
        terms_of(info).for_each(|term| self.insert(term, &info.id));
    }

    pub(crate) fn remove(&mut self, info: &SystemInfo) {
        terms_of(info).for_each(|term| self.take(&term, &info.id));
    }

    pub(crate) fn insert(&mut self, term: Term, system: &SystemId) {
        match self.0.get_mut(&term) {
            Some(systems) => systems.insert(system.clone(), ()),
            None => self.0.insert(term, [(system.clone(), ())].into_iter().collect()),
        }
    }

    pub(crate) fn take(&mut self, term: &Term, system: &SystemId) {
        let Some(systems) = self.0.get_mut(term) else { return };
        systems.remove(system);
        if systems.is_empty() {
            self.0.remove(term);
        }
    }
}

fn terms_of(info: &SystemInfo) -> impl Iterator<Item = Term> {
    let properties = info.properties.iter().map(|(key, value)| Term::Property(key.clone(), value.clone()));
    let services = info.services.keys().cloned().map(Term::Service);
    [Term::Kind(info.kind), Term::Type(info.system_type.clone())].into_iter().chain(properties).chain(services)
}

/// The conditions of a query by which systems are found.
fn terms_asked(query: &SystemQuery) -> impl Iterator<Item = Term> {
    let properties = query.properties.iter().map(|(key, value)| Term::Property(key.clone(), value.clone()));
    let kind = query.kind.map(Term::Kind);
    let system_type = query.system_type.clone().map(Term::Type);
    let service = query.service.clone().map(Term::Service);
    let feature = query.feature.map(Term::Feature);
    properties.chain([kind, system_type, service, feature].into_iter().flatten())
}

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
    state.systems.get(system).map(|known| view_of(state, hot, viewer, known, twins, now))
}

fn view_of(state: &State, hot: &Hot, viewer: &Viewer, known: &System, twins: u32, now: Timestamp) -> SystemView {
    let system = &known.info.id;
    let health = hot.health(known, twins, now);
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
    let Some((walked, candidates)) = candidates(state, query) else { return Ok(Response::Systems(Vec::new())) };
    let (wanted, sight) = (Wanted::of(query, walked), Sight::of(state, viewer));
    let (mut page, mut bytes) = (Vec::with_capacity(limit.min(PAGE.0)), 0_usize);
    for known in candidates.filter_map(|id| state.systems.get(id)) {
        let system = &known.info.id;
        if !wanted.described(known) || !wanted.measured(hot, known, now) || !sight.sees(system) {
            continue;
        }
        let census = state.census(system);
        if query.feature.is_some_and(|kind| !dtsd::has_feature(&sight, census, system, kind)) {
            continue;
        }
        let view = view_of(state, hot, viewer, known, census.map_or(0, |census| census.twins), now);
        bytes = bytes.saturating_add(length_at_most(&view));
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

/// Bytes of a view, or some more: most systems offer no services, and what else they say of themselves is soon counted.
fn length_at_most(view: &SystemView) -> usize {
    let info = &view.info;
    if !info.services.is_empty() {
        return encoded_length(view);
    }
    let properties = info.properties.iter().map(|(key, value)| key.len() + value.len() + 2 * LONGEST_NUMBER);
    info.name.len() + info.system_type.len() + info.id.as_str().len() + properties.sum::<usize>() + REST
}

/// Systems on the way through some that meet a condition.
type Candidates<'a> = Box<dyn Iterator<Item = &'a SystemId> + 'a>;

/// Systems behind the cursor that meet the condition that fewest meet, and which that is; `None` where one is met by
/// none.
fn candidates<'a>(state: &'a State, query: &'a SystemQuery) -> Option<(Option<Term>, Candidates<'a>)> {
    let start = query.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let range = (start, Bound::Unbounded);
    let posting = |term: Term| state.directory.0.get(&term).map(|systems| (term, systems));
    let postings = terms_asked(query).map(posting).collect::<Option<Vec<_>>>()?;
    Some(match postings.into_iter().min_by_key(|(_, systems)| systems.len()) {
        Some((term, systems)) => (Some(term), Box::new(systems.range::<SystemId>(range).map(|(id, ())| id))),
        None => (None, Box::new(state.systems.range::<SystemId>(range).map(|(id, _)| id))),
    })
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
    fn of(query: &'a SystemQuery, walked: Option<Term>) -> Self {
        let text = query.text.as_ref().map(|text| text.to_lowercase());
        let met = |key: &str, value: &str| matches!(&walked, Some(Term::Property(k, v)) if k == key && v == value);
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
    fn measured(&self, hot: &Hot, system: &System, now: Timestamp) -> bool {
        let query = self.query;
        if query.online.is_some_and(|online| online != hot.is_online(&system.info.id)) {
            return false;
        }
        if query.measured.is_none() && query.keeps_promises.is_none() {
            return true;
        }
        let health = hot.health(system, 0, now);
        query.measured.as_ref().is_none_or(|level| health.level.missing(level).is_empty())
            && query.keeps_promises.is_none_or(|keeps| keeps == health.broken.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vestibule_model::{Charge, ChargePer, ServiceInfo, ServiceLevel};

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
            prop_assert!(length_at_most(&view) >= encoded_length(&view));
        }
    }
}
