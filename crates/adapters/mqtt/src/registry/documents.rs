//! Documents that come, change and go.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use vestibule_model::{FeatureProblem, PhysicalId, Timestamp, TwinId};
use vestibule_protocol::DiiUp;

use super::entity::Entity;
use super::twin::Twin;
use super::{Output, Registry};
use crate::discovery::{Device, DiscoveryTopic, Document, EntityKey, Part, about};
use crate::limits::{MAX_DOCUMENTS, MAX_PROBLEMS, MAX_TWINS};
use crate::topic;

/// A document that is in force.
#[derive(Debug)]
pub(super) struct Announced {
    twin: TwinId,
    keys: BTreeSet<EntityKey>,
    /// To see that one came again unchanged; `None` where it was refused for another's sake, who may be gone by then.
    print: Option<u64>,
}

/// Why a component is not taken.
struct Unfit {
    message: String,
    /// Another document stands in its way.
    rival: bool,
}

fn print(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}

impl Registry {
    pub(super) fn on_document(
        &mut self,
        topic: &str,
        discovery: &DiscoveryTopic,
        payload: &[u8],
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let print = print(payload);
        if self.documents.get(topic).is_some_and(|known| known.print == Some(print)) {
            return;
        }
        match Document::read(discovery, payload) {
            Ok(None) => self.remove_document(topic, now, out),
            Ok(Some(document)) => self.apply(topic, discovery, &document, print, now, out),
            // What was announced before stays, as Home Assistant has it; that is said.
            Err(error) => self.complain(topic, &error.to_string(), now, out),
        }
    }

    /// Says that a document is wrong: at its twin, where there is one.
    fn complain(&mut self, topic: &str, words: &str, now: Timestamp, out: &mut Vec<Output>) {
        let twin = self.documents.get(topic).and_then(|known| self.twins.get_mut(&known.twin));
        if let Some(twin) = twin
            && let Some((_, problems)) = twin.documents.get_mut(topic)
        {
            let problem = FeatureProblem { feature: topic.to_owned(), message: words.to_owned() };
            if !problems.contains(&problem) && problems.len() < MAX_PROBLEMS {
                problems.push(problem);
                twin.touch(now);
            }
        }
        out.push(Output::Note { topic: topic.to_owned(), message: words.to_owned() });
    }

    fn apply(
        &mut self,
        topic: &str,
        discovery: &DiscoveryTopic,
        document: &Document,
        print: u64,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let device = about(&document.device, document.origin.as_ref()).with_serial(&document.device);
        let twin = match self.place(topic, discovery, document, &device) {
            Ok(twin) => twin,
            Err(words) => return self.complain(topic, &words, now, out),
        };
        if self.documents.get(topic).is_some_and(|known| known.twin != twin) {
            self.remove_document(topic, now, out);
        }
        for id in &device.physical_ids {
            self.by_physical.entry(id.clone()).or_insert_with(|| twin.clone());
        }
        let entry = self.twins.entry(twin.clone()).or_insert_with(|| Twin::new(twin.clone()));
        entry.physical_ids.extend(device.physical_ids.iter().cloned());
        entry.documents.insert(topic.to_owned(), (device, Vec::new()));
        let name = entry.name();

        let mut problems: Vec<FeatureProblem> = document
            .broken
            .iter()
            .map(|(feature, message)| FeatureProblem { feature: shown(feature), message: message.clone() })
            .collect();
        let mut keys = BTreeSet::new();
        let mut rivals = false;
        let before = self.documents.get(topic).map(|known| known.keys.clone()).unwrap_or_default();
        for part in &document.parts {
            match self.take_part(part, topic, &twin, &name, out) {
                Ok(true) => drop(keys.insert(part.key.clone())),
                Ok(false) => {}
                Err(Unfit { message, rival }) => {
                    rivals |= rival;
                    problems.push(FeatureProblem { feature: shown(&part.base), message });
                }
            }
        }
        for key in before.difference(&keys) {
            self.remove_entity(key, out);
        }
        problems.truncate(MAX_PROBLEMS);
        if let Some(entry) = self.twins.get_mut(&twin) {
            if let Some((_, said)) = entry.documents.get_mut(topic) {
                *said = problems;
            }
            entry.touch(now);
        }
        let print = (!rivals).then_some(print);
        self.documents.insert(topic.to_owned(), Announced { twin, keys, print });
    }

    /// Which twin a document is about.
    fn place(
        &self,
        topic: &str,
        discovery: &DiscoveryTopic,
        document: &Document,
        device: &Device,
    ) -> Result<TwinId, String> {
        if !self.documents.contains_key(topic) && self.documents.len() >= MAX_DOCUMENTS {
            return Err(format!("there are {MAX_DOCUMENTS} documents already"));
        }
        if let Some(twin) = device.physical_ids.iter().find_map(|id| self.by_physical.get(id)) {
            return Ok(twin.clone());
        }
        let unique = || document.parts.iter().find_map(|part| part.fields.get("unique_id")?.as_str());
        let local = match (device.physical_ids.first(), unique()) {
            (Some(PhysicalId { value, .. }), _) => value.clone(),
            (None, Some(unique)) if !unique.is_empty() => unique.to_owned(),
            (None, _) => {
                [discovery.node.as_deref(), Some(&discovery.object)].into_iter().flatten().collect::<Vec<_>>().join("_")
            }
        };
        let id = TwinId::of(&self.config.system, &local);
        match self.twins.get(&id) {
            // A document without identities that comes again changed; or a twin that was known by other identities.
            Some(twin) if twin.documents.keys().all(|known| known == topic) => Ok(id),
            Some(_) => Err(format!("another device is {id} already; the first stays")),
            None if self.twins.len() >= MAX_TWINS => Err(format!("there are {MAX_TWINS} devices already")),
            None => Ok(id),
        }
    }

    /// Takes one component in; whether it is there then, or why it cannot be.
    fn take_part(
        &mut self,
        part: &Part,
        topic: &str,
        twin: &TwinId,
        device: &str,
        out: &mut Vec<Output>,
    ) -> Result<bool, Unfit> {
        let rival = |message: String| Unfit { message, rival: true };
        if let Some(known) = self.entities.get(&part.key) {
            if known.source != topic {
                return Err(rival(format!("{} has announced it already; the first stays", known.source)));
            }
            if known.same(part, topic, device) && self.owners.get(&part.key) == Some(twin) {
                return Ok(true);
            }
        }
        let built = Entity::new(part, topic, device);
        if let Ok(Some(entity)) = &built
            && let Some(unique) = &entity.unique_id
            && let Some(other) = self.unique.get(&(part.key.platform.clone(), unique.clone()))
            && *other != part.key
        {
            let first = self.entities.get(other).map_or("another document", |other| other.source.as_str());
            return Err(rival(format!("{first} claims the `unique_id` {unique:?} already; the first stays")));
        }
        self.remove_entity(&part.key, out);
        match built {
            Ok(Some(entity)) => {
                self.insert_entity(part.key.clone(), entity, twin, out);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(problem) => Err(Unfit { message: problem.to_string(), rival: false }),
        }
    }

    fn insert_entity(&mut self, key: EntityKey, entity: Entity, twin: &TwinId, out: &mut Vec<Output>) {
        for filter in entity.filters() {
            let routes = if topic::is_wild(&filter) {
                self.wild.entry(filter.clone()).or_default()
            } else {
                self.exact.entry(filter.clone()).or_default()
            };
            routes.insert(key.clone());
            // Once is enough for components that share a topic in one document.
            let again = Output::Subscribe(filter);
            if self.connected && !out.contains(&again) {
                out.push(again);
            }
        }
        if let Some(unique) = &entity.unique_id {
            self.unique.insert((key.platform.clone(), unique.clone()), key.clone());
        }
        self.owners.insert(key.clone(), twin.clone());
        if let Some(twin) = self.twins.get_mut(twin) {
            twin.entities.insert(key.clone());
        }
        self.entities.insert(key, entity);
    }

    fn remove_entity(&mut self, key: &EntityKey, out: &mut Vec<Output>) {
        let Some(entity) = self.entities.remove(key) else { return };
        for filter in entity.filters() {
            let empty = |routes: &mut BTreeSet<EntityKey>| {
                routes.remove(key);
                routes.is_empty()
            };
            let gone = self.wild.get_mut(&filter).is_some_and(empty) || self.exact.get_mut(&filter).is_some_and(empty);
            if gone {
                self.wild.remove(&filter);
                self.exact.remove(&filter);
                if self.connected {
                    out.push(Output::Unsubscribe(filter));
                }
            }
        }
        if let Some(unique) = entity.unique_id {
            self.unique.remove(&(key.platform.clone(), unique));
        }
        if let Some(twin) = self.owners.remove(key).and_then(|owner| self.twins.get_mut(&owner)) {
            twin.entities.remove(key);
        }
    }

    /// A document is taken back.
    fn remove_document(&mut self, topic: &str, now: Timestamp, out: &mut Vec<Output>) {
        let Some(known) = self.documents.remove(topic) else { return };
        for key in &known.keys {
            self.remove_entity(key, out);
        }
        let Some(twin) = self.twins.get_mut(&known.twin) else { return };
        twin.documents.remove(topic);
        if !twin.documents.is_empty() {
            twin.touch(now);
            return;
        }
        let described = twin.described.is_some();
        self.twins.remove(&known.twin);
        self.by_physical.retain(|_, twin| *twin != known.twin);
        if described && self.registered {
            out.push(Output::Up(DiiUp::Gone(known.twin)));
        }
    }
}

/// A feature's name as a problem may show it.
fn shown(feature: &str) -> String {
    crate::discovery::cut(feature)
}
