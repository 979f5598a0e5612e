//! What is announced, what is known of it, what is to be said and done: without IO.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use vestibule_model::{FeatureId, PhysicalId, PropertyId, SystemId, SystemInfo, SystemKind, Timestamp, TwinId};
use vestibule_protocol::{DiiUp, Execution, Fences, Occurrence, Report};

use crate::components::Message;
use crate::discovery::{DiscoveryTopic, EntityKey};
use crate::topic;

mod availability;
mod documents;
mod entity;
mod inquiry;
mod outbox;
mod twin;

use entity::{Entity, News};
use outbox::{Outbox, failed};
use twin::Twin;

pub use outbox::{Send, Ticket};

/// What a registry is told about itself.
#[derive(Clone, Debug)]
pub struct RegistryConfig {
    /// The twin system's id: the first half of its twins' ids.
    pub system: SystemId,
    /// Its name, for people.
    pub name: String,
    /// First levels of discovery topics.
    pub prefix: String,
    /// Where the broker is, for whoever looks for systems.
    pub broker: String,
    /// Milliseconds within which a sign of life is promised.
    pub heartbeat_ms: u64,
}

impl Default for RegistryConfig {
    /// `home`, Home Assistant's prefix, a sign of life every 30 seconds at least.
    fn default() -> Self {
        Self {
            system: SystemId::slug("home"),
            name: "Home".to_owned(),
            prefix: "homeassistant".to_owned(),
            broker: "localhost:1883".to_owned(),
            heartbeat_ms: 30_000,
        }
    }
}

/// What follows from what a [`Registry`] was told.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Tell the enabler.
    Up(DiiUp),
    /// Listen to a topic filter, also where it is listened to already: what is retained there is wanted again.
    Subscribe(String),
    /// Listen no longer.
    Unsubscribe(String),
    /// Something is wrong with a document that belongs to no twin.
    Note {
        /// The document's topic.
        topic: String,
        /// What is wrong, for a person.
        message: String,
    },
}

/// A home's devices as twins.
///
/// The caller brings messages, executions and the time; publishes what [`next_send`](Self::next_send) gives and says
/// how that went; calls [`tick`](Self::tick) when [`due`](Self::due).
#[derive(Debug)]
pub struct Registry {
    config: RegistryConfig,
    registered: bool,
    connected: bool,
    documents: BTreeMap<String, documents::Announced>,
    entities: BTreeMap<EntityKey, Entity>,
    owners: BTreeMap<EntityKey, TwinId>,
    unique: HashMap<(String, String), EntityKey>,
    twins: BTreeMap<TwinId, Twin>,
    by_physical: BTreeMap<PhysicalId, TwinId>,
    exact: HashMap<String, BTreeSet<EntityKey>>,
    wild: BTreeMap<String, BTreeSet<EntityKey>>,
    outbox: Outbox,
    /// Who may act on which twin by now, however late the others' commands come.
    fences: Fences,
    /// When all devices will have announced themselves.
    complete_at: Option<Timestamp>,
}

/// Milliseconds after the connection within which every device has announced itself: retained documents come at once,
/// others answer our greeting.
const ANNOUNCED_MS: u64 = 30_000;
/// Bytes of pictures kept to be told again: some hundred cameras' snapshots. Beyond that the oldest are told once only.
const MAX_PICTURES: usize = 64 * 1024 * 1024;

impl Registry {
    /// A home without devices, away from its broker.
    #[must_use]
    pub fn new(config: RegistryConfig) -> Self {
        Self {
            config,
            registered: false,
            connected: false,
            documents: BTreeMap::new(),
            entities: BTreeMap::new(),
            owners: BTreeMap::new(),
            unique: HashMap::new(),
            twins: BTreeMap::new(),
            by_physical: BTreeMap::new(),
            exact: HashMap::new(),
            wild: BTreeMap::new(),
            outbox: Outbox::default(),
            fences: Fences::default(),
            complete_at: None,
        }
    }

    /// How the twin system registers.
    #[must_use]
    pub fn info(&self) -> SystemInfo {
        let properties = [("protocol", "mqtt"), ("discovery", "homeassistant"), ("broker", &self.config.broker)];
        SystemInfo {
            system_type: "home".to_owned(),
            properties: properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            heartbeat_ms: self.config.heartbeat_ms,
            ..SystemInfo::new(self.config.system.clone(), SystemKind::DigitalTwin, self.config.name.clone())
        }
    }

    /// How many twins there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.twins.values().filter(|twin| twin.described.is_some()).count()
    }

    /// Whether there is no twin.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The enabler has registered this system: all twins are described, as they are known.
    pub fn on_registered(&mut self, now: Timestamp) -> Vec<Output> {
        self.registered = true;
        let mut out = Vec::new();
        let ids: Vec<TwinId> = self.twins.keys().cloned().collect();
        for id in ids {
            if let Some(twin) = self.twins.get_mut(&id) {
                twin.described = None;
                twin.away.clear();
            }
            self.describe(&id, now, &mut out);
        }
        self.complete_at = self.connected.then(|| now.plus(ANNOUNCED_MS));
        out
    }

    /// The broker is there: listen to everything, anew.
    pub fn on_connected(&mut self, now: Timestamp) -> Vec<Output> {
        self.connected = true;
        let prefix = &self.config.prefix;
        let mut out = vec![
            Output::Subscribe(format!("{prefix}/+/+/config")),
            Output::Subscribe(format!("{prefix}/+/+/+/config")),
        ];
        out.extend(self.exact.keys().chain(self.wild.keys()).cloned().map(Output::Subscribe));
        self.complete_at = self.registered.then(|| now.plus(ANNOUNCED_MS));
        // Before anything can be reached again: what was said before the outage may be over.
        let ids: Vec<TwinId> = self.twins.values().filter(|t| t.described.is_some()).map(|t| t.id.clone()).collect();
        if self.registered {
            for id in ids {
                self.repeat(&id, false, now, &mut out);
            }
        }
        self.reach_all(now, &mut out);
        out
    }

    /// The broker is gone: nothing of the devices is known any more.
    pub fn on_disconnected(&mut self, now: Timestamp) -> Vec<Output> {
        self.connected = false;
        self.complete_at = None;
        self.entities.values_mut().for_each(Entity::forget);
        let mut out: Vec<Output> = self.outbox.lost().into_iter().map(Output::Up).collect();
        self.reach_all(now, &mut out);
        out
    }

    /// A message came.
    pub fn on_message(&mut self, topic: &str, payload: &[u8], retained: bool, now: Timestamp) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(discovery) = DiscoveryTopic::parse(&self.config.prefix, topic) {
            self.on_document(topic, &discovery, payload, now, &mut out);
        }
        let mut keys: BTreeSet<EntityKey> = self.exact.get(topic).cloned().unwrap_or_default();
        for (filter, waiting) in &self.wild {
            if topic::matches(filter, topic) {
                keys.extend(waiting.iter().cloned());
            }
        }
        let message = Message { topic, payload, retained, now };
        let mut twins = BTreeSet::new();
        for key in keys {
            let Some(owner) = self.owners.get(&key).cloned() else { continue };
            let news = self.entities.get_mut(&key).map(|entity| entity.take(&message)).unwrap_or_default();
            self.tell(&owner, &key, news, now, &mut out);
            twins.insert(owner);
        }
        for twin in twins {
            self.reach(&twin, now, &mut out);
        }
        out
    }

    /// The enabler wants something done.
    pub fn on_execute(&mut self, execution: &Execution, now: Timestamp) -> Vec<Output> {
        if !self.outbox.remember(execution.command) {
            return Vec::new();
        }
        let admitted = self.fences.admit(execution, now).map_err(|error| error.to_string());
        let messages = admitted.and_then(|()| self.encode(execution));
        let messages = messages.and_then(|messages| self.outbox.push(execution, messages, now));
        messages.err().map(|reason| Output::Up(failed(execution.command, reason))).into_iter().collect()
    }

    /// Somebody holds a twin, as the enabler decided: what others have waiting for it here is not sent any more.
    pub fn on_integrate(&mut self, twin: &TwinId, fence: u64, until: Timestamp) -> Vec<Output> {
        let id = twin.clone();
        let described = self.twins.get(twin).is_some_and(|twin| twin.described.is_some());
        let answer = if described {
            self.fences.integrate(twin, fence, until).map_err(|error| error.to_string())
        } else {
            Err("there is no such twin here".to_owned())
        };
        match answer {
            Ok(()) => {
                let others = |other: Option<u64>| other.is_none_or(|other| other < fence);
                let why = "somebody else holds the twin by now; it was not sent whole";
                let mut out: Vec<_> = self.outbox.revoke(twin, others, why).into_iter().map(Output::Up).collect();
                out.push(Output::Up(DiiUp::Integrated { twin: id, fence }));
                out
            }
            Err(reason) => vec![Output::Up(DiiUp::NotIntegrated { twin: id, fence, reason })],
        }
    }

    /// Whoever held a twin up to this token holds it no longer: what they have waiting here is not sent any more.
    pub fn on_released(&mut self, twin: &TwinId, fence: u64) -> Vec<Output> {
        self.fences.release(twin, fence);
        let theirs = |other: Option<u64>| other.is_some_and(|other| other <= fence);
        let why = "its sender holds the twin no longer; it was not sent whole";
        self.outbox.revoke(twin, theirs, why).into_iter().map(Output::Up).collect()
    }

    fn encode(&self, execution: &Execution) -> Result<Vec<crate::Publish>, String> {
        let twin = self.twins.get(&execution.twin).ok_or("there is no such twin here")?;
        let key = twin.features.get(&execution.feature).ok_or("the twin has no such feature")?;
        let entity = self.entities.get(key).ok_or("the feature is gone")?;
        let about = entity.component.info().actions.get(&execution.action).ok_or("the feature cannot do that")?;
        match (&about.input, &execution.input) {
            (Some(wanted), Some(given)) => wanted.accepts(given).map_err(|error| error.to_string())?,
            (Some(wanted), None) => return Err(format!("{wanted} is missing")),
            _ => {}
        }
        entity.component.encode(execution.action.as_str(), execution.input.as_ref())
    }

    /// The next message to publish now; ask again until there is none.
    pub fn next_send(&mut self, now: Timestamp) -> Option<Send> {
        if self.connected { self.outbox.next(now) } else { None }
    }

    /// The broker took a message (`Ok`), or refused it with these words.
    pub fn on_acknowledged(&mut self, ticket: Ticket, answer: Result<(), String>) -> Vec<Output> {
        self.outbox.acknowledged(ticket, answer).map(Output::Up).into_iter().collect()
    }

    /// The enabler wants to hear everything of a twin again.
    pub fn on_refresh(&mut self, twin: &TwinId, now: Timestamp) -> Vec<Output> {
        let mut out = Vec::new();
        if self.twins.get(twin).is_some_and(|twin| twin.described.is_some()) {
            self.repeat(twin, true, now, &mut out);
        }
        out
    }

    /// When [`tick`](Self::tick) will next have something to say.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let twins = self.twins.values().filter_map(Twin::due);
        let entities = self.entities.values().filter_map(|entity| entity.component.due());
        twins.chain(entities).chain(self.outbox.due()).chain(self.complete_at).min()
    }

    /// Says what follows from time alone.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Output> {
        let mut out: Vec<Output> = self.outbox.expire(now).into_iter().map(Output::Up).collect();
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let settled: Vec<TwinId> = self.twins.values().filter(|t| due(t.due())).map(|t| t.id.clone()).collect();
        for twin in settled {
            self.describe(&twin, now, &mut out);
        }
        let late: Vec<EntityKey> =
            self.entities.iter().filter(|(_, e)| due(e.component.due())).map(|(key, _)| key.clone()).collect();
        for key in late {
            let Some(owner) = self.owners.get(&key).cloned() else { continue };
            let news = self.entities.get_mut(&key).map(|entity| entity.tick(now)).unwrap_or_default();
            self.tell(&owner, &key, news, now, &mut out);
        }
        if due(self.complete_at) {
            self.complete_at = None;
            let there = self.twins.values().filter(|twin| twin.described.is_some());
            out.push(Output::Up(DiiUp::Complete { twins: there.map(|twin| twin.id.clone()).collect() }));
        }
        out
    }

    /// Lets go of the oldest pictures where there are too many.
    fn bound_pictures(&mut self) {
        let size = |entity: &Entity| entity.picture.as_ref().map_or(0, |(bytes, ..)| bytes.len());
        let mut total: usize = self.entities.values().map(size).sum();
        while total > MAX_PICTURES {
            let with = self.entities.values_mut().filter(|entity| entity.picture.is_some());
            let Some(oldest) = with.min_by_key(|entity| entity.picture.as_ref().map(|(.., at)| *at)) else { return };
            total -= size(oldest);
            oldest.picture = None;
        }
    }

    /// Says what a message made known.
    fn tell(&mut self, owner: &TwinId, key: &EntityKey, news: Vec<News>, now: Timestamp, out: &mut Vec<Output>) {
        if news.iter().any(|item| matches!(item, News::Bytes(..))) {
            self.bound_pictures();
        }
        for item in news {
            let Some(twin) = self.twins.get_mut(owner) else { return };
            if let News::Changed = item {
                twin.touch(now);
                continue;
            }
            if !self.registered {
                continue;
            }
            if let News::Happened(..) = item
                && twin.is_dirty()
            {
                self.describe(owner, now, out);
            }
            let Some(twin) = self.twins.get_mut(owner) else { return };
            // What is not described yet is told with its description.
            if twin.is_dirty() {
                continue;
            }
            let Some(feature) = twin.features.iter().find(|(_, k)| *k == key).map(|(id, _)| id.clone()) else {
                continue;
            };
            match item {
                News::Value(property) => {
                    let Some(entity) = self.entities.get(key) else { continue };
                    out.extend(report(twin, entity, &feature, &property, now));
                }
                News::Bytes(bytes, media) => out.push(Output::Up(DiiUp::Blob { bytes, media })),
                News::Happened(event, details) => {
                    let occurrence = Occurrence { twin: owner.clone(), feature, event, details, at: now };
                    out.push(Output::Up(DiiUp::Occurred(occurrence)));
                }
                News::Changed => {}
            }
        }
    }

    /// Describes a twin where that has changed, and says all that is known of it then.
    fn describe(&mut self, id: &TwinId, now: Timestamp, out: &mut Vec<Output>) {
        if !self.registered {
            return;
        }
        let Some(twin) = self.twins.get_mut(id) else { return };
        let info = twin.describe(&self.entities);
        let Some(info) = info else {
            if twin.described.take().is_some() {
                out.push(Output::Up(DiiUp::Gone(id.clone())));
            }
            return;
        };
        if let Err(error) = info.check() {
            out.push(Output::Note { topic: id.to_string(), message: error.to_string() });
            return;
        }
        if twin.described.as_ref() != Some(&info) {
            twin.described = Some(info.clone());
            out.push(Output::Up(DiiUp::Describe(Box::new(info))));
            twin.away.retain(|feature| twin.features.contains_key(feature));
            twin.reachable = self.connected && twin.is_available(&self.entities);
            let reachable = twin.reachable;
            self.reach_parts(id, out);
            out.push(Output::Up(DiiUp::Reachable { twin: id.clone(), feature: None, reachable }));
        }
        self.repeat(id, true, now, out);
    }

    /// Says all that is known of a twin, with the time when it was heard.
    fn repeat(&mut self, id: &TwinId, pictures: bool, now: Timestamp, out: &mut Vec<Output>) {
        let Some(twin) = self.twins.get_mut(id) else { return };
        for (feature, key) in &twin.features.clone() {
            let Some(entity) = self.entities.get(key) else { continue };
            if let Some((bytes, media, _)) = entity.picture.as_ref().filter(|_| pictures) {
                out.push(Output::Up(DiiUp::Blob { bytes: bytes.clone(), media: media.clone() }));
            }
            for property in entity.known.keys() {
                out.extend(report(twin, entity, feature, property, now));
            }
        }
    }

    fn reach_all(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let ids: Vec<TwinId> = self.twins.keys().cloned().collect();
        for id in ids {
            self.reach(&id, now, out);
        }
    }

    /// Says whether a twin's device is there, where that has changed.
    fn reach(&mut self, id: &TwinId, _now: Timestamp, out: &mut Vec<Output>) {
        let Some(twin) = self.twins.get_mut(id).filter(|twin| twin.described.is_some()) else { return };
        let reachable = self.connected && twin.is_available(&self.entities);
        let changed = std::mem::replace(&mut twin.reachable, reachable) != reachable;
        self.reach_parts(id, out);
        if changed {
            out.push(Output::Up(DiiUp::Reachable { twin: id.clone(), feature: None, reachable }));
        }
    }

    /// Says which parts of a twin that is there are away, where that has changed.
    fn reach_parts(&mut self, id: &TwinId, out: &mut Vec<Output>) {
        let Some(twin) = self.twins.get_mut(id).filter(|twin| twin.reachable) else { return };
        let missing = twin.missing(&self.entities);
        for feature in missing.symmetric_difference(&twin.away) {
            let (feature, reachable) = (Some(feature.clone()), !missing.contains(feature));
            out.push(Output::Up(DiiUp::Reachable { twin: id.clone(), feature, reachable }));
        }
        twin.away = missing;
    }
}

/// What is known of a property, as a report.
fn report(
    twin: &mut Twin,
    entity: &Entity,
    feature: &FeatureId,
    property: &PropertyId,
    now: Timestamp,
) -> Option<Output> {
    let known = entity.known.get(property)?;
    Some(Output::Up(DiiUp::Report(Report {
        twin: twin.id.clone(),
        feature: feature.clone(),
        property: property.clone(),
        value: known.value.clone(),
        at: known.at,
        fresh: entity.stands_by(known),
        revision: twin.revise(now),
    })))
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
