//! What DTSD and TPSD have in common (FGMV-29 8.2.2, 8.3.2): conditions on what systems say of themselves, pages.

use std::{collections::BTreeMap, ops::Bound};

use serde::{Deserialize, Serialize};
use vestibule_model::{
    AreaCells, FeatureKind, Refusal, RefusalCode, Right, ServiceId, SystemHealth, SystemId, SystemInfo, SystemKind,
    SystemQuery, Timestamp,
};
use vestibule_protocol::{MAX_FRAME, Response, SystemView, encoded_length};

use crate::{
    Hot, Map, State, System, Viewer,
    dtif::{dtac, dtsd},
    sif::tpsd,
};

/// Systems on a page, unless asked otherwise, and at most. Fewer where they are large: only an empty page is the last.
const PAGE: (usize, usize) = (50, 200);

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
    state.systems.get(system).map(|known| view_of(state, hot, viewer, known, now))
}

fn view_of(state: &State, hot: &Hot, viewer: &Viewer, known: &System, now: Timestamp) -> SystemView {
    let system = &known.info.id;
    let twins = state.census(system).map_or(0, |census| census.twins);
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
    let Some(candidates) = candidates(state, query) else { return Ok(Response::Systems(Vec::new())) };
    let wanted = Wanted::of(query);
    let found = candidates.filter_map(|id| state.systems.get(id)).filter(|system| {
        wanted.described(system)
            && wanted.measured(hot, system, now)
            && may_see_system(state, viewer, &system.info.id)
            && dtsd::meets(state, viewer, query, system)
    });
    let views = found.map(|system| view_of(state, hot, viewer, system, now));
    let mut bytes = 0_usize;
    let fits = views.take(limit).take_while(|view| {
        let first = bytes == 0;
        bytes = bytes.saturating_add(encoded_length(view));
        first || bytes <= MAX_FRAME / 2
    });
    Ok(Response::Systems(fits.collect()))
}

/// Systems behind the cursor that meet the condition that fewest meet; `None` where one is met by none.
fn candidates<'a>(state: &'a State, query: &'a SystemQuery) -> Option<Box<dyn Iterator<Item = &'a SystemId> + 'a>> {
    let start = query.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let range = (start, Bound::Unbounded);
    let postings = terms_asked(query).map(|term| state.directory.0.get(&term)).collect::<Option<Vec<_>>>()?;
    Some(match postings.into_iter().min_by_key(|systems| systems.len()) {
        Some(systems) => Box::new(systems.range::<SystemId>(range).map(|(id, ())| id)),
        None => Box::new(state.systems.range::<SystemId>(range).map(|(id, _)| id)),
    })
}

/// A query, prepared to be asked often.
struct Wanted<'a> {
    query: &'a SystemQuery,
    text: Option<String>,
    area: Option<AreaCells>,
}

impl<'a> Wanted<'a> {
    fn of(query: &'a SystemQuery) -> Self {
        let text = query.text.as_ref().map(|text| text.to_lowercase());
        Self { query, text, area: query.place.map(vestibule_model::Area::cells) }
    }

    /// Conditions on what a system says of itself.
    fn described(&self, system: &System) -> bool {
        let (query, info) = (self.query, &system.info);
        query.kind.is_none_or(|kind| kind == info.kind)
            && query.system_type.as_ref().is_none_or(|wanted| *wanted == info.system_type)
            && query.properties.iter().all(|(key, value)| info.properties.get(key) == Some(value))
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
