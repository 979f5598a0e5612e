//! One device as a twin.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{
    FeatureId, FeatureProblem, MAX_FEATURES, MAX_PROPERTIES, PhysicalId, Timestamp, TwinId, TwinInfo,
};
use vestibule_protocol::encode;

use super::entity::Entity;
use crate::discovery::{Device, EntityKey};
use crate::limits::{MAX_DESCRIPTION, MAX_PHYSICAL_IDS, MAX_PROBLEMS, SETTLE_MOST_MS, SETTLE_MS};

#[derive(Debug)]
pub(super) struct Twin {
    pub(super) id: TwinId,
    pub(super) physical_ids: BTreeSet<PhysicalId>,
    /// What each of its documents says of the device, and what is wrong with the document's components.
    pub(super) documents: BTreeMap<String, (Device, Vec<FeatureProblem>)>,
    pub(super) entities: BTreeSet<EntityKey>,
    /// Which component each feature is, as last described.
    pub(super) features: BTreeMap<FeatureId, EntityKey>,
    pub(super) described: Option<TwinInfo>,
    pub(super) reachable: bool,
    /// Features that were last said to be away although the twin is not.
    pub(super) away: BTreeSet<FeatureId>,
    /// The last revision given; grows over restarts since it is at least the clock.
    revision: u64,
    dirty: Option<(Timestamp, Timestamp)>,
}

impl Twin {
    pub(super) fn new(id: TwinId) -> Self {
        Self {
            id,
            physical_ids: BTreeSet::new(),
            documents: BTreeMap::new(),
            entities: BTreeSet::new(),
            features: BTreeMap::new(),
            described: None,
            reachable: false,
            away: BTreeSet::new(),
            revision: 0,
            dirty: None,
        }
    }

    /// The next revision.
    pub(super) fn revise(&mut self, now: Timestamp) -> u64 {
        self.revision = now.0.max(self.revision.saturating_add(1));
        self.revision
    }

    /// Its description may have changed.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.dirty = Some((self.dirty.map_or(now, |(since, _)| since), now));
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.dirty.is_some()
    }

    /// When it is to be described anew.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let (since, last) = self.dirty?;
        Some(last.plus(SETTLE_MS).min(since.plus(SETTLE_MOST_MS)))
    }

    /// Its name for people.
    pub(super) fn name(&self) -> String {
        let named = self.documents.values().find_map(|(device, _)| device.name.clone());
        named.unwrap_or_else(|| self.id.local().to_owned())
    }

    /// The features that are not there.
    pub(super) fn missing(&self, entities: &BTreeMap<EntityKey, Entity>) -> BTreeSet<FeatureId> {
        let there = |key| entities.get(key).is_some_and(|entity| entity.availability.is_available());
        self.features.iter().filter(|(_, key)| !there(*key)).map(|(feature, _)| feature.clone()).collect()
    }

    /// Whether something of it is there: a part that is away does not take the rest with it.
    pub(super) fn is_available(&self, entities: &BTreeMap<EntityKey, Entity>) -> bool {
        self.missing(entities).len() < self.features.len()
    }

    /// Describes it; `None` where there is nothing to show. It is settled then.
    pub(super) fn describe(&mut self, entities: &BTreeMap<EntityKey, Entity>) -> Option<TwinInfo> {
        self.dirty = None;
        let mut info = TwinInfo::new(self.id.clone(), self.name());
        info.physical_ids = self.physical_ids.iter().take(MAX_PHYSICAL_IDS).cloned().collect();
        for (device, problems) in self.documents.values() {
            info.manufacturer = info.manufacturer.or_else(|| device.manufacturer.clone());
            info.model = info.model.or_else(|| device.model.clone());
            info.origin = info.origin.or_else(|| device.origin.clone());
            info.problems.extend(problems.iter().cloned());
        }
        let mut own: Vec<(&EntityKey, &Entity)> =
            self.entities.iter().filter_map(|k| Some((k, entities.get(k)?))).collect();
        own.sort_by(|(a, x), (b, y)| (&x.base, *a).cmp(&(&y.base, *b)));
        let mut features = BTreeMap::new();
        let mut properties = 0;
        for (key, entity) in own {
            let about = entity.component.info();
            properties += about.properties.len();
            if features.len() >= MAX_FEATURES || properties > MAX_PROPERTIES {
                let message = "the device has more parts than a twin can have".to_owned();
                info.problems.push(FeatureProblem { feature: entity.base.clone(), message });
                break;
            }
            let id = free(&features, &entity.base, &key.platform);
            info.features.insert(id.clone(), about.clone());
            features.insert(id, key.clone());
            info.problems.extend(entity.problems());
        }
        info.problems.truncate(MAX_PROBLEMS - 1);
        while encode(&info).map_or(usize::MAX, |bytes| bytes.len()) > MAX_DESCRIPTION {
            let Some((last, _)) = info.features.pop_last() else { break };
            features.remove(&last);
            let message =
                format!("its description has more than {MAX_DESCRIPTION} bytes: {last} and later parts are left out");
            info.problems.retain(|problem| problem.feature != self.id.as_str());
            info.problems.push(FeatureProblem { feature: self.id.to_string(), message });
        }
        self.features = features;
        (!info.features.is_empty() || !info.problems.is_empty()).then_some(info)
    }
}

/// A feature's id: what the device calls it, or with its platform where two are called so.
fn free(taken: &BTreeMap<FeatureId, EntityKey>, base: &str, platform: &str) -> FeatureId {
    let plain = FeatureId::slug(base);
    if !taken.contains_key(&plain) {
        return plain;
    }
    let cut = &base[..base.floor_char_boundary(60)];
    let mut id = FeatureId::slug(&format!("{cut}_{platform}"));
    for number in 2..=MAX_FEATURES + 2 {
        if !taken.contains_key(&id) {
            break;
        }
        id = FeatureId::slug(&format!("{cut}_{platform}_{number}"));
    }
    id
}
