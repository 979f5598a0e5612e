use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{FeatureKind, SystemId, Timestamp};

/// What a registered system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemKind {
    /// Maintains twins and talks to physical objects.
    DigitalTwin,
    /// Offers a service: commerce, supply, manufacture.
    ThirdParty,
}

/// What a system says of itself when it registers (FGMV-29 8.3.1: type, id, properties).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemInfo {
    /// Its id, the first half of the ids of its twins.
    pub id: SystemId,
    /// What it is.
    pub kind: SystemKind,
    /// For people.
    pub name: String,
    /// Anything else that discovery can ask for.
    pub properties: BTreeMap<String, String>,
    /// Milliseconds within which it promises a sign of life.
    pub heartbeat_ms: u64,
}

/// What monitoring measured of a system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
}

/// Conditions that discovered systems meet (FGMV-29 8.3.2). All that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemQuery {
    /// What it is.
    pub kind: Option<SystemKind>,
    /// Part of its name or id, in any case.
    pub text: Option<String>,
    /// Properties that it must have, with these values.
    pub properties: BTreeMap<String, String>,
    /// It maintains a twin with such a feature.
    pub feature: Option<FeatureKind>,
    /// It is online.
    pub online: Option<bool>,
    /// Results after this id: the last one of the page before.
    pub after: Option<SystemId>,
    /// At most so many; 0: the default of 50.
    pub limit: u16,
}
