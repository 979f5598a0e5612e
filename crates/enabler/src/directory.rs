//! Systems by what they say of themselves and what their twins have, so that nobody looks at all of them.
//!
//! Found by looking at the rest of the state, and made again from it after a start. A page of systems costs reaches for
//! memory before it costs anything else: so what is looked at of each of them lies beside that of the others, and who
//! meets a condition is told by a row of numbers instead of a tree.

use std::sync::Arc;

use vestibule_model::{FeatureKind, ServiceId, SystemId, SystemInfo, SystemKind, SystemQuery};

use crate::{Census, Map, System, discovery::length_of};

/// Cards that are copied together where one of them changes: of 16,384 systems a change copies two rows as long as this.
const TOGETHER: usize = 128;

/// Something by which systems are found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    /// All are found by it.
    Any,
    Kind(SystemKind),
    Type(String),
    Property(String, String),
    Service(ServiceId),
    /// Last: those of one system are looked for from the end.
    Feature(FeatureKind),
}

/// Kinds of features, of which there are a dozen, as one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kinds(u32);

impl Kinds {
    const fn bit(kind: FeatureKind) -> u32 {
        1 << kind as u32
    }

    const fn has(self, kind: FeatureKind) -> bool {
        self.0 & Self::bit(kind) != 0
    }
}

/// A registered system, as a page of systems needs it.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) system: Arc<System>,
    /// How many twins it has.
    pub(crate) twins: u32,
    kinds: Kinds,
    /// Bytes of its view, or some more; `None`: that depends on who looks.
    pub(crate) length: Option<u32>,
}

impl Card {
    fn of(system: &Arc<System>, census: Option<&Census>) -> Self {
        let length = length_of(&system.info).and_then(|length| u32::try_from(length).ok());
        let kinds = census.into_iter().flat_map(Census::kinds).fold(0, |all, kind| all | Kinds::bit(kind));
        let twins = census.map_or(0, |census| census.twins);
        Self { system: system.clone(), twins, kinds: Kinds(kinds), length }
    }

    /// Whether one of its twins has such a feature.
    pub(crate) const fn has(&self, kind: FeatureKind) -> bool {
        self.kinds.has(kind)
    }
}

/// Cards by their places; one that is free has none.
#[derive(Clone, Debug, Default)]
struct Cards(Arc<Vec<Arc<Vec<Option<Card>>>>>);

impl Cards {
    fn get(&self, place: u32) -> Option<&Card> {
        let place = usize::try_from(place).ok()?;
        self.0.get(place / TOGETHER)?.get(place % TOGETHER)?.as_ref()
    }

    fn put(&mut self, place: u32, card: Option<Card>) {
        let Ok(place) = usize::try_from(place) else { return };
        let all = Arc::make_mut(&mut self.0);
        while all.len() <= place / TOGETHER {
            all.push(Arc::new(vec![None; TOGETHER]));
        }
        let few = all.get_mut(place / TOGETHER).map(Arc::make_mut);
        if let Some(there) = few.and_then(|few| few.get_mut(place % TOGETHER)) {
            *there = card;
        }
    }

    /// How many of a row's systems come before `system`.
    fn before(&self, row: &[u32], system: &SystemId) -> usize {
        row.partition_point(|place| self.get(*place).is_some_and(|card| card.system.info.id < *system))
    }
}

/// Places of cards, in the order of the ids of their systems.
type Row = Arc<Vec<u32>>;

/// All registered systems.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    rows: Map<Term, Row>,
    cards: Cards,
    places: Map<SystemId, u32>,
    /// Places without a card.
    free: Row,
}

/// It says nothing that the rest of the state does not say.
impl PartialEq for Directory {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Directory {
    /// Takes in what a system is by now.
    pub(crate) fn list(&mut self, system: &Arc<System>, census: Option<&Census>) {
        let card = Card::of(system, census);
        let Some(place) = self.places.get(&system.info.id).copied() else {
            let place = self.take_place(&system.info.id);
            self.cards.put(place, Some(card));
            return self.put_in(place, &system.info, census);
        };
        let before = self.cards.get(place);
        // Most changes are of what is counted, by which nobody is found.
        if before.is_some_and(|before| before.kinds == card.kinds && Arc::ptr_eq(&before.system.info, &system.info)) {
            return self.cards.put(place, Some(card));
        }
        self.take_out(place);
        self.cards.put(place, Some(card));
        self.put_in(place, &system.info, census);
    }

    /// A system is not there any more.
    pub(crate) fn unlist(&mut self, system: &SystemId) {
        let Some(place) = self.places.get(system).copied() else { return };
        self.take_out(place);
        self.cards.put(place, None);
        self.places.remove(system);
        Arc::make_mut(&mut self.free).push(place);
    }

    /// The card at a place.
    pub(crate) fn card(&self, place: u32) -> Option<&Card> {
        self.cards.get(place)
    }

    /// Systems behind the query's cursor that meet the condition that fewest meet, and which that is; `None` where one is
    /// met by none.
    pub(crate) fn candidates(&self, query: &SystemQuery) -> Option<(Term, &[u32])> {
        let row = |term: Term| self.rows.get(&term).map(|row| (term, row));
        let rows = terms_asked(query).map(row).collect::<Option<Vec<_>>>()?;
        let (walked, row) = rows.into_iter().min_by_key(|(_, row)| row.len())?;
        let Some(after) = &query.after else { return Some((walked, row)) };
        let start = self.cards.before(row, after);
        let is_there =
            row.get(start).and_then(|place| self.card(*place)).is_some_and(|card| card.system.info.id == *after);
        Some((walked, row.get(start + usize::from(is_there)..).unwrap_or_default()))
    }

    fn take_place(&mut self, system: &SystemId) -> u32 {
        let free = if self.free.is_empty() { None } else { Arc::make_mut(&mut self.free).pop() };
        // Where none is free, every place has a system.
        let place = free.unwrap_or_else(|| u32::try_from(self.places.len()).unwrap_or(u32::MAX));
        self.places.insert(system.clone(), place);
        place
    }

    fn put_in(&mut self, place: u32, info: &SystemInfo, census: Option<&Census>) {
        let features = census.into_iter().flat_map(Census::kinds).map(Term::Feature);
        for term in terms_of(info).chain(features) {
            match self.rows.get_mut(&term) {
                Some(row) => {
                    let at = self.cards.before(row, &info.id);
                    Arc::make_mut(row).insert(at, place);
                }
                None => self.rows.insert(term, Arc::new(vec![place])),
            }
        }
    }

    fn take_out(&mut self, place: u32) {
        let Some(card) = self.cards.get(place) else { return };
        let (info, kinds) = (card.system.info.clone(), card.kinds);
        let features = self.rows.keys().rev().map_while(|term| match term {
            Term::Feature(kind) => Some(*kind),
            _ => None,
        });
        let features: Vec<_> = features.filter(|kind| kinds.has(*kind)).map(Term::Feature).collect();
        for term in terms_of(&info).chain(features) {
            let Some(row) = self.rows.get_mut(&term) else { continue };
            let at = self.cards.before(row, &info.id);
            if row.get(at) == Some(&place) {
                Arc::make_mut(row).remove(at);
            }
            if row.is_empty() {
                self.rows.remove(&term);
            }
        }
    }
}

fn terms_of(info: &SystemInfo) -> impl Iterator<Item = Term> {
    let properties = info.properties.iter().map(|(key, value)| Term::Property(key.clone(), value.clone()));
    let services = info.services.keys().cloned().map(Term::Service);
    [Term::Any, Term::Kind(info.kind), Term::Type(info.system_type.clone())]
        .into_iter()
        .chain(properties)
        .chain(services)
}

/// The conditions of a query by which systems are found.
fn terms_asked(query: &SystemQuery) -> impl Iterator<Item = Term> {
    let properties = query.properties.iter().map(|(key, value)| Term::Property(key.clone(), value.clone()));
    let kind = query.kind.map(Term::Kind);
    let system_type = query.system_type.clone().map(Term::Type);
    let service = query.service.clone().map(Term::Service);
    let feature = query.feature.map(Term::Feature);
    properties.chain([Some(Term::Any), kind, system_type, service, feature].into_iter().flatten())
}
