//! Who is connected (DTSR's and TPSR's monitoring, FGMV-29 8.2.1, 8.3.1): systems, their signs of life, their devices.

use std::collections::BTreeSet;

use vestibule_model::{FeatureId, SystemId, Timestamp, TwinId};

use crate::{
    Changes, Hot, State,
    hot::Due,
    hot_twin::HotTwin,
    measure::{Measure, Measured},
    persistent::Prefixed,
};

/// Signs of life that a system may leave out before it counts as away.
const MISSED_HEARTBEATS: u64 = 2;

/// A registered system: its connection, and what is measured of it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) online: bool,
    pub(crate) heard: Option<Timestamp>,
    heartbeat_ms: u64,
    /// Since when its present or last connection is there.
    attached: Option<Timestamp>,
    /// When the next sign of life should have come, where one is promised and it is online.
    patience: Option<Timestamp>,
    pub(crate) measure: Measure,
}

impl Hot {
    /// Whether the twin's system and device are connected.
    #[must_use]
    pub fn is_reachable(&self, id: &TwinId) -> bool {
        self.twins.get(id).is_some_and(|twin| twin.device) && self.is_online(&id.system())
    }

    /// Whether a feature of the twin can be reached: a part may be away while the rest of the device is there.
    #[must_use]
    pub fn is_feature_reachable(&self, id: &TwinId, feature: &FeatureId) -> bool {
        self.is_reachable(id) && self.twins.get(id).is_some_and(|twin| !twin.away.contains(feature))
    }

    /// Features that are away although the twin is not.
    #[must_use]
    pub fn away(&self, id: &TwinId) -> BTreeSet<FeatureId> {
        self.twins.get(id).filter(|_| self.is_reachable(id)).map(|twin| twin.away.clone()).unwrap_or_default()
    }

    /// Whether a system is connected and keeps its promise of signs of life.
    #[must_use]
    pub fn is_online(&self, system: &SystemId) -> bool {
        self.systems.get(system).is_some_and(|link| link.online)
    }

    /// A system's last sign of life since the enabler's start.
    #[must_use]
    pub fn last_heard(&self, system: &SystemId) -> Option<Timestamp> {
        self.systems.get(system).and_then(|link| link.heard)
    }

    /// These third-party systems register themselves, as the enabler's owner says: who has stood in for them gives way.
    pub fn expect(&mut self, systems: BTreeSet<SystemId>) {
        self.expected = systems;
    }

    /// Begins to look at a system that is registered.
    pub(crate) fn watch(&mut self, state: &State, system: &SystemId, now: Timestamp) {
        if !self.systems.contains_key(system) {
            let known = state.systems.get(system).map(|known| known.stats.measured.clone());
            self.begin(system, known.unwrap_or_default(), now);
        }
    }

    fn begin(&mut self, system: &SystemId, measured: Measured, now: Timestamp) {
        let measure = Measure::new(measured, now);
        let link = Link { online: false, heard: None, heartbeat_ms: 0, attached: None, patience: None, measure };
        self.systems.insert(system.clone(), link);
        self.schedule_measure(system, false, now);
    }

    /// A system is no longer registered.
    pub(crate) fn forget(&mut self, system: &SystemId, now: Timestamp) -> Changes {
        let mut changes = self.detach(system, now);
        for id in self.twins_of(system) {
            self.remove(&id);
            changes.twins.insert(id);
        }
        self.systems.remove(system);
        self.late_answers.remove(system);
        let due = Due::Measure(system.clone());
        self.deadlines.retain(|(_, other)| *other != due);
        changes.systems.insert(system.clone());
        changes
    }

    /// Since when a system's present connection is there, or its last one was.
    #[must_use]
    pub fn attached(&self, system: &SystemId) -> Option<Timestamp> {
        self.systems.get(system).and_then(|link| link.attached)
    }

    /// A system's connection is there (again). What its devices are is unknown until told.
    pub fn attach(&mut self, system: &SystemId, heartbeat_ms: u64, now: Timestamp) -> Changes {
        let mut changes = self.detach(system, now);
        if !self.systems.contains_key(system) {
            self.begin(system, Measured::default(), now);
        }
        if let Some(link) = self.systems.get_mut(system) {
            (link.heard, link.heartbeat_ms, link.attached) = (Some(now), heartbeat_ms, Some(now));
        }
        changes.merge(self.set_online(system, true, now));
        self.await_heartbeat(system, now);
        changes.systems.insert(system.clone());
        changes
    }

    /// A system's connection is gone, and its devices with it.
    pub fn detach(&mut self, system: &SystemId, now: Timestamp) -> Changes {
        if let Some(at) = self.systems.get_mut(system).and_then(|link| link.patience.take()) {
            self.deadlines.remove(&(at, Due::Heartbeat(system.clone())));
        }
        let mut changes = self.set_online(system, false, now);
        for id in self.twins_of(system) {
            if let Some(twin) = self.twins.get_mut(&id) {
                twin.away.clear();
            }
            changes.merge(self.set_device(&id, false, now));
        }
        changes
    }

    /// A sign of life of a connected system.
    pub fn heard(&mut self, system: &SystemId, now: Timestamp) -> Changes {
        let Some(link) = self.systems.get_mut(system) else { return Changes::default() };
        link.heard = Some(now);
        if link.online {
            return Changes::default();
        }
        self.await_heartbeat(system, now);
        self.set_online(system, true, now)
    }

    fn await_heartbeat(&mut self, system: &SystemId, heard: Timestamp) {
        let Some(link) = self.systems.get_mut(system).filter(|link| link.heartbeat_ms > 0) else { return };
        let at = patience(heard, link.heartbeat_ms);
        let due = Due::Heartbeat(system.clone());
        if let Some(before) = link.patience.replace(at) {
            self.deadlines.remove(&(before, due.clone()));
        }
        self.deadlines.insert((at, due));
    }

    fn twins_of(&self, system: &SystemId) -> Vec<TwinId> {
        let range = Prefixed::twins_of(system.as_str(), None);
        self.twins.range::<str, _>(range).map(|(id, _)| id.clone()).collect()
    }

    fn set_online(&mut self, system: &SystemId, online: bool, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        match self.systems.get_mut(system) {
            Some(link) if link.online != online => {
                link.measure.count(link.online, now);
                link.online = online;
            }
            _ => return changes,
        }
        self.schedule_measure(system, true, now);
        changes.systems.insert(system.clone());
        for id in self.twins_of(system) {
            changes.merge(self.reachability_changed(&id, now));
        }
        changes
    }

    /// Whether the twin's device is connected to its system.
    pub(crate) fn set_device(&mut self, id: &TwinId, device: bool, now: Timestamp) -> Changes {
        match self.twins.get_mut(id) {
            Some(twin) if twin.device != device => twin.device = device,
            _ => return Changes::default(),
        }
        self.reachability_changed(id, now)
    }

    /// Whether one part of the twin's device is there.
    pub(crate) fn set_feature(&mut self, id: &TwinId, feature: &FeatureId, there: bool, now: Timestamp) -> Changes {
        let changed = self
            .twins
            .get_mut(id)
            .is_some_and(|twin| if there { twin.away.remove(feature) } else { twin.away.insert(feature.clone()) });
        if changed { self.reachability_changed(id, now) } else { Changes::default() }
    }

    fn reachability_changed(&mut self, id: &TwinId, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        let count = self.twins.get(id).map_or(0, HotTwin::count);
        self.settle_all(id, count, now);
        changes.twins.insert(id.clone());
        if self.is_reachable(id) {
            changes.reachable.insert(id.clone());
        }
        changes
    }

    pub(crate) fn heartbeat_due(&mut self, system: &SystemId, now: Timestamp) -> Changes {
        let Some(link) = self.systems.get_mut(system) else { return Changes::default() };
        link.patience = None;
        let until = patience(link.heard.unwrap_or_default(), link.heartbeat_ms);
        if until > now {
            link.patience = Some(until);
            self.deadlines.insert((until, Due::Heartbeat(system.clone())));
            return Changes::default();
        }
        self.set_online(system, false, now)
    }
}

/// The first moment at which a system last heard at `heard` counts as away.
const fn patience(heard: Timestamp, heartbeat_ms: u64) -> Timestamp {
    heard.plus(heartbeat_ms.saturating_mul(MISSED_HEARTBEATS)).plus(1)
}
