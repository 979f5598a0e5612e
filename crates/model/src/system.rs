use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::{
    Area, Cell, Charge, FeatureKind, MAX_RING, MAX_TEXT, Promise, ServiceId, ServiceInfo, ServiceLevel, SystemId,
    Timestamp,
};

/// Properties that a system can have, and that a query can ask for.
const MOST_PROPERTIES: usize = 64;
/// Bytes of a property's name, a type, a need.
const LONGEST_WORD: usize = 256;
/// Services that one system can offer: all of it has to fit a page of discovery.
const MOST_SERVICES: usize = 64;
/// What a user can be asked to share for one service.
const MOST_NEEDS: usize = 32;
/// Bytes of everything that a system says of itself, schemas included: sixteen of them fit a frame.
const MOST_BYTES: usize = 256 * 1024;
/// The longest promise of a sign of life: an hour.
const LONGEST_HEARTBEAT_MS: u64 = 3_600_000;
/// The longest that a call may take: an hour; what takes longer answers with an order and reports later.
const LONGEST_CALL_MS: u64 = 3_600_000;

/// What a registered system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystemKind {
    /// Maintains twins and talks to physical objects.
    DigitalTwin,
    /// Offers a service: commerce, supply, manufacture.
    ThirdParty,
}

/// What a system says of itself when it registers (FGMV-29 8.2.1, 8.3.1): type, id, properties, charge, level, APIs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemInfo {
    /// Its id, the first half of the ids of its twins.
    pub id: SystemId,
    /// What it is.
    pub kind: SystemKind,
    /// What kind of such: `home`, `factory`, `shop`, `manufacturer`. Any word that worlds know.
    #[serde(default)]
    pub system_type: String,
    /// For people.
    pub name: String,
    /// Anything else that discovery can ask for.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// Milliseconds within which it promises a sign of life; 0: its connection is all there is.
    #[serde(default)]
    pub heartbeat_ms: u64,
    /// Where it is, as exact as it wants to tell.
    #[serde(default)]
    pub place: Option<Cell>,
    /// What its use costs; `None`: nothing.
    #[serde(default)]
    pub charge: Option<Charge>,
    /// What it promises; monitoring compares.
    #[serde(default)]
    pub level: ServiceLevel,
    /// Its APIs.
    #[serde(default)]
    pub services: BTreeMap<ServiceId, ServiceInfo>,
}

/// Why a system's description is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SystemError {
    /// More of something than a system may have.
    #[error("system {system} has {count} {what}, at most {limit} are allowed")]
    TooMany {
        /// The system.
        system: SystemId,
        /// What there is too much of.
        what: &'static str,
        /// How many were given.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// A service whose undoing is none of the system's services, or itself.
    #[error("service {service} of {system} is undone by {undo}, which is no other service of {system}")]
    Undo {
        /// The system.
        system: SystemId,
        /// The service.
        service: ServiceId,
        /// What should undo it.
        undo: ServiceId,
    },
    /// A share of a thousand beyond a thousand.
    #[error("system {0} promises a share of more than 1000 in 1000")]
    Permille(SystemId),
}

impl SystemInfo {
    /// A system of which nothing else is known.
    #[must_use]
    pub fn new(id: SystemId, kind: SystemKind, name: impl Into<String>) -> Self {
        Self {
            id,
            kind,
            system_type: String::new(),
            name: name.into(),
            properties: BTreeMap::new(),
            heartbeat_ms: 0,
            place: None,
            charge: None,
            level: ServiceLevel::default(),
            services: BTreeMap::new(),
        }
    }

    /// Whether the description keeps the limits and is sound in itself.
    ///
    /// # Errors
    /// [`SystemError`] names the first thing that is wrong.
    pub fn check(&self) -> Result<(), SystemError> {
        let limit = |what, count: usize, limit| {
            let system = self.id.clone();
            if count > limit { Err(SystemError::TooMany { system, what, count, limit }) } else { Ok(()) }
        };
        limit("bytes of name", self.name.len(), MAX_TEXT)?;
        limit("bytes of type", self.system_type.len(), LONGEST_WORD)?;
        limit("properties", self.properties.len(), MOST_PROPERTIES)?;
        for (key, value) in &self.properties {
            limit("bytes of a property's name", key.len(), LONGEST_WORD)?;
            limit("bytes of a property's value", value.len(), MAX_TEXT)?;
        }
        let hour = usize::try_from(LONGEST_HEARTBEAT_MS).unwrap_or(usize::MAX);
        limit("milliseconds between signs of life", usize::try_from(self.heartbeat_ms).unwrap_or(usize::MAX), hour)?;
        limit("services", self.services.len(), MOST_SERVICES)?;
        for (id, service) in &self.services {
            self.check_service(id, service, limit)?;
        }
        let shares = [self.level.availability_permille, self.level.error_permille];
        if shares.into_iter().flatten().any(|share| share > 1_000) {
            return Err(SystemError::Permille(self.id.clone()));
        }
        limit("bytes", self.size(), MOST_BYTES)
    }

    fn check_service(
        &self,
        id: &ServiceId,
        service: &ServiceInfo,
        limit: impl Fn(&'static str, usize, usize) -> Result<(), SystemError>,
    ) -> Result<(), SystemError> {
        limit("bytes of a service's name", service.name.len(), MAX_TEXT)?;
        limit("bytes of a service's description", service.description.len(), MAX_TEXT)?;
        limit("needs of a service", service.needs.len(), MOST_NEEDS)?;
        limit("bytes of a need", service.needs.iter().map(String::len).max().unwrap_or(0), LONGEST_WORD)?;
        let hour = usize::try_from(LONGEST_CALL_MS).unwrap_or(usize::MAX);
        limit("milliseconds for a call", usize::try_from(service.timeout_ms).unwrap_or(usize::MAX), hour)?;
        match &service.undo {
            Some(undo) if undo == id || !self.services.contains_key(undo) => {
                Err(SystemError::Undo { system: self.id.clone(), service: id.clone(), undo: undo.clone() })
            }
            _ => Ok(()),
        }
    }

    /// About the bytes that it takes on the wire and in the log.
    fn size(&self) -> usize {
        let json = |json: &Option<crate::Json>| json.as_ref().map_or(0, |json| json.as_str().len());
        let services = self.services.iter().map(|(id, service)| {
            let needs: usize = service.needs.iter().map(String::len).sum();
            id.as_str().len()
                + service.name.len()
                + service.description.len()
                + needs
                + json(&service.input)
                + json(&service.output)
        });
        let properties = self.properties.iter().map(|(key, value)| key.len() + value.len());
        self.name.len() + services.chain(properties).sum::<usize>()
    }

    /// What the use of `service` costs; `None`: nothing.
    #[must_use]
    pub fn charge_of(&self, service: &ServiceId) -> Option<&Charge> {
        let own = self.services.get(service).and_then(|service| service.charge.as_ref());
        own.or(self.charge.as_ref())
    }
}

/// What monitoring measured of a system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemHealth {
    /// Whether it is connected and has kept its promise of signs of life.
    pub online: bool,
    /// Its last sign of life.
    pub last_heard: Option<Timestamp>,
    /// How many twins it maintains.
    pub twins: u32,
    /// Commands that it was given.
    pub commands: u64,
    /// Commands that failed or expired.
    pub failures: u64,
    /// Median milliseconds from a command's acceptance to its confirmation.
    pub p50_ms: Option<u64>,
    /// 99th percentile of the same.
    pub p99_ms: Option<u64>,
    /// When it registered first, as far as the log tells.
    #[serde(default)]
    pub registered: Option<Timestamp>,
    /// Service calls that it was given.
    #[serde(default)]
    pub calls: u64,
    /// Service calls that failed or were not answered in time.
    #[serde(default)]
    pub call_failures: u64,
    /// Median milliseconds of a service call that succeeded.
    #[serde(default)]
    pub call_p50_ms: Option<u64>,
    /// 99th percentile of the same.
    #[serde(default)]
    pub call_p99_ms: Option<u64>,
    /// What of a service level was measured: time there of the time since its registration; failures and 99th
    /// percentile of commands and calls; the oldest newest report beyond what its twin promised.
    #[serde(default)]
    pub level: ServiceLevel,
    /// What it promised and does not keep.
    #[serde(default)]
    pub broken: BTreeSet<Promise>,
}

/// Conditions that discovered systems meet (FGMV-29 8.2.2, 8.3.2). All that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemQuery {
    /// What it is.
    #[serde(default)]
    pub kind: Option<SystemKind>,
    /// Its type, exactly.
    #[serde(default)]
    pub system_type: Option<String>,
    /// Part of its name or id, in any case.
    #[serde(default)]
    pub text: Option<String>,
    /// Properties that it must have, with these values.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// It may be in this area, by what it disclosed.
    #[serde(default)]
    pub place: Option<Area>,
    /// It maintains a twin with such a feature.
    #[serde(default)]
    pub feature: Option<FeatureKind>,
    /// It offers this service.
    #[serde(default)]
    pub service: Option<ServiceId>,
    /// It costs at most this; with [`service`](Self::service): that service does.
    #[serde(default)]
    pub charge: Option<Charge>,
    /// It promises at least this.
    #[serde(default)]
    pub level: Option<ServiceLevel>,
    /// It was measured to be at least this good.
    #[serde(default)]
    pub measured: Option<ServiceLevel>,
    /// It keeps all that it promised, or does not.
    #[serde(default)]
    pub keeps_promises: Option<bool>,
    /// It is online.
    #[serde(default)]
    pub online: Option<bool>,
    /// Results after this id: the last one of the page before.
    #[serde(default)]
    pub after: Option<SystemId>,
    /// At most so many; 0: the default of 50.
    #[serde(default)]
    pub limit: u16,
}

/// A query that asks for too much.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a query has at most {MOST_PROPERTIES} properties, {MAX_RING} rings and {LONGEST_WORD} bytes of text")]
pub struct QueryError;

impl SystemQuery {
    /// Whether the query keeps the limits.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn check(&self) -> Result<(), QueryError> {
        let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > LONGEST_WORD);
        let properties = self.properties.len() > MOST_PROPERTIES
            || self.properties.iter().any(|(key, value)| key.len() > LONGEST_WORD || value.len() > MAX_TEXT);
        let ring = self.place.is_some_and(|area| area.ring > MAX_RING);
        if long(&self.text) || long(&self.system_type) || properties || ring { Err(QueryError) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> SystemInfo {
        SystemInfo::new(SystemId::slug("shop"), SystemKind::ThirdParty, "A shop")
    }

    #[test]
    fn descriptions_keep_their_limits() {
        let (order, cancel) = (ServiceId::slug("order"), ServiceId::slug("cancel"));
        let mut info = shop();
        info.services.insert(order.clone(), ServiceInfo { undo: Some(cancel.clone()), ..ServiceInfo::new("Order") });
        assert!(matches!(info.check(), Err(SystemError::Undo { .. })));
        info.services.insert(cancel, ServiceInfo::new("Cancel"));
        assert_eq!(info.check(), Ok(()));
        let itself = ServiceInfo { undo: Some(order.clone()), ..ServiceInfo::new("Order") };
        info.services.insert(order, itself);
        assert!(info.check().is_err(), "nothing undoes itself");

        let large = crate::Json::new(format!("\"{}\"", "x".repeat(60_000))).unwrap();
        let mut info = shop();
        for number in 0..5 {
            let service = ServiceInfo { input: Some(large.clone()), ..ServiceInfo::new("Large") };
            info.services.insert(ServiceId::slug(&format!("s{number}")), service);
        }
        assert!(matches!(info.check(), Err(SystemError::TooMany { what: "bytes", .. })));
        let late = SystemInfo { heartbeat_ms: u64::MAX, ..shop() };
        assert!(late.check().is_err());
        let level = ServiceLevel { availability_permille: Some(1_001), ..ServiceLevel::default() };
        assert!(SystemInfo { level, ..shop() }.check().is_err());
        let ring = Area { cell: "8828308281fffff".parse().unwrap(), ring: MAX_RING + 1 };
        assert!(SystemQuery { place: Some(ring), ..SystemQuery::default() }.check().is_err());
    }

    #[test]
    fn lines_of_older_logs_are_read() {
        let old = r#"{"id":"home","kind":"digital_twin","name":"Home","properties":{},"heartbeat_ms":5}"#;
        let info: SystemInfo = serde_json::from_str(old).unwrap();
        let new =
            SystemInfo { heartbeat_ms: 5, ..SystemInfo::new(SystemId::slug("home"), SystemKind::DigitalTwin, "Home") };
        assert_eq!(info, new);
    }
}
