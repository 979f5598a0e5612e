//! How the hub is, for whoever asks.

use std::collections::BTreeMap;

use super::{HubStatus, core::Core};

impl Core {
    pub(super) fn status(&self) -> HubStatus {
        let state = self.committed();
        HubStatus {
            running: true,
            name: self.name.clone(),
            sessions: self.sessions.len(),
            parties: self.parties(),
            systems: state.systems.len(),
            systems_online: state.systems.keys().filter(|system| self.hot.is_online(system)).count(),
            twins: state.twins.len(),
            devices: state.devices.len(),
            open_commands: self.hot.open_commands(),
            leases: self.hot.live_leases(),
            head: self.head,
            storage: self.past.damage.clone().or_else(|| self.storage.clone()),
            begins: self.past.begins,
        }
    }

    fn parties(&self) -> BTreeMap<&'static str, usize> {
        let mut parties = BTreeMap::new();
        for session in self.sessions.values() {
            *parties.entry(session.party()).or_default() += 1;
        }
        parties
    }
}
