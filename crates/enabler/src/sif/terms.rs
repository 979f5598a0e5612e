//! FGMV-29 8.2.3, third-party system authentication & authorization (TPSAA): what services cost and what was promised
//! for them when a user agreed, P1.9, and whether that still holds, P1.13.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vestibule_model::{Charge, ServiceId, ServiceLevel, SystemInfo};

/// On which terms a user has agreed. Whoever offers less or asks for more later has to be agreed with anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What each service cost; those that are not here cost nothing.
    charges: BTreeMap<ServiceId, Charge>,
    /// What the system promised.
    level: ServiceLevel,
}

impl Terms {
    /// The terms of these services, as their system offers them now.
    pub(crate) fn of(info: &SystemInfo, services: &BTreeSet<ServiceId>) -> Self {
        let charges = services.iter().filter_map(|service| Some((service.clone(), *info.charge_of(service)?)));
        Self { charges: charges.collect(), level: info.level }
    }

    /// What of these terms a system does not keep any more for a service, in words; `None`: nothing.
    pub(crate) fn broken(&self, info: &SystemInfo, service: &ServiceId) -> Option<String> {
        let nothing = || "nothing".to_owned();
        let (agreed, now) = (self.charges.get(service), info.charge_of(service));
        if let Some(now) = now.filter(|now| now.amount > 0 && agreed.is_none_or(|agreed| !now.is_at_most(agreed))) {
            let agreed = agreed.map_or_else(nothing, Charge::to_string);
            return Some(format!("{service} of {} costs {now} by now, and {agreed} was agreed", info.id));
        }
        let less: Vec<String> = info.level.missing(&self.level).iter().map(ToString::to_string).collect();
        let words = || format!("{} promises less by now than was agreed: {}", info.id, less.join(", "));
        (!less.is_empty()).then(words)
    }
}
