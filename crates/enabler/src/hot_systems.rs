//! Who is connected (DTSR's monitoring, FGMV-29 8.3.1): systems, their signs of life, their devices.

use vestibule_model::{SystemId, Timestamp, TwinId};

use crate::{Changes, Hot, hot::Due};

/// Signs of life that a system may leave out before it counts as away.
const MISSED_HEARTBEATS: u64 = 2;

/// A system's connection.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    online: bool,
    last_heard: Timestamp,
    heartbeat_ms: u64,
    /// Since when this connection is there.
    attached: Timestamp,
}

impl Hot {
    /// Whether the twin's system and device are connected.
    #[must_use]
    pub fn is_reachable(&self, id: &TwinId) -> bool {
        self.twins.get(id).is_some_and(|twin| twin.device) && self.is_online(&id.system())
    }

    /// Whether a system is connected and keeps its promise of signs of life.
    #[must_use]
    pub fn is_online(&self, system: &SystemId) -> bool {
        self.systems.get(system).is_some_and(|link| link.online)
    }

    /// A system's last sign of life.
    #[must_use]
    pub fn last_heard(&self, system: &SystemId) -> Option<Timestamp> {
        self.systems.get(system).map(|link| link.last_heard)
    }

    /// Since when a system's present connection is there.
    #[must_use]
    pub fn attached(&self, system: &SystemId) -> Option<Timestamp> {
        self.systems.get(system).map(|link| link.attached)
    }

    /// A system's connection is there (again). What its devices are is unknown until told.
    pub fn attach(&mut self, system: &SystemId, heartbeat_ms: u64, now: Timestamp) -> Changes {
        let mut changes = self.detach(system, now);
        self.systems.insert(system.clone(), Link { online: true, last_heard: now, heartbeat_ms, attached: now });
        if heartbeat_ms > 0 {
            self.deadlines.insert((patience(now, heartbeat_ms), Due::Heartbeat(system.clone())));
        }
        changes.systems.insert(system.clone());
        changes
    }

    /// A system's connection is gone, and its devices with it.
    pub fn detach(&mut self, system: &SystemId, now: Timestamp) -> Changes {
        self.deadlines.retain(|(_, due)| !matches!(due, Due::Heartbeat(of) if of == system));
        let mut changes = self.set_online(system, false, now);
        for id in self.twins_of(system) {
            changes.merge(self.set_device(&id, false, now));
        }
        changes
    }

    /// A sign of life of a connected system.
    pub fn heard(&mut self, system: &SystemId, now: Timestamp) -> Changes {
        let Some(link) = self.systems.get_mut(system) else { return Changes::default() };
        link.last_heard = now;
        let heartbeat_ms = link.heartbeat_ms;
        if link.online {
            return Changes::default();
        }
        if heartbeat_ms > 0 {
            self.deadlines.insert((patience(now, heartbeat_ms), Due::Heartbeat(system.clone())));
        }
        self.set_online(system, true, now)
    }

    fn twins_of(&self, system: &SystemId) -> Vec<TwinId> {
        self.twins.keys().filter(|id| id.system() == *system).cloned().collect()
    }

    fn set_online(&mut self, system: &SystemId, online: bool, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        match self.systems.get_mut(system) {
            Some(link) if link.online != online => link.online = online,
            _ => return changes,
        }
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

    fn reachability_changed(&mut self, id: &TwinId, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        let count = self.twins.get(id).map_or(0, |twin| twin.properties.len());
        self.settle_all(id, count, now);
        changes.twins.insert(id.clone());
        if self.is_reachable(id) {
            changes.reachable.insert(id.clone());
        }
        changes
    }

    pub(crate) fn heartbeat_due(&mut self, system: &SystemId, now: Timestamp) -> Changes {
        let Some(link) = self.systems.get(system) else { return Changes::default() };
        let until = patience(link.last_heard, link.heartbeat_ms);
        if until > now {
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
