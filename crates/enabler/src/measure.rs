//! Monitoring (FGMV-29 8.2.1, 8.3.1): what systems promised, measured.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vestibule_model::{ServiceLevel, SystemHealth, SystemId, Timestamp, TwinId};

use crate::{Hot, LogEvent, System, hot::Due, hot_systems::Link};

/// Milliseconds between two lines in the log about the same system, at most: what a crash can cost of what was measured.
const WRITE_EVERY_MS: u64 = 3_600_000;
/// Milliseconds between two such lines, at least: a system that comes and goes does not fill the log.
const WRITE_AT_MOST_EVERY_MS: u64 = 60_000;

/// What was measured of a system since it registered. Only while the enabler runs is anything measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Milliseconds in which it was there.
    pub online_ms: u64,
    /// Milliseconds in which it was looked at.
    pub watched_ms: u64,
}

/// The measuring of one system.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    total: Measured,
    /// Up to when `total` counts.
    since: Timestamp,
    written: Timestamp,
    due: Timestamp,
    /// Properties that are promised periodically.
    pub(crate) periodic: usize,
    /// Those of them whose report is older than promised, by the moment at which it should have come.
    pub(crate) late: BTreeSet<(Timestamp, TwinId, u16)>,
}

impl Measure {
    pub(crate) fn new(total: Measured, now: Timestamp) -> Self {
        let due = now.plus(WRITE_EVERY_MS);
        Self { total, since: now, written: now, due, periodic: 0, late: BTreeSet::new() }
    }

    /// Counts the time up to `now`, in which the system was `online`.
    pub(crate) fn count(&mut self, online: bool, now: Timestamp) {
        self.total = self.total(online, now);
        self.since = self.since.max(now);
    }

    fn total(&self, online: bool, now: Timestamp) -> Measured {
        let passed = now.since(self.since);
        let Measured { online_ms, watched_ms } = self.total;
        Measured { online_ms: online_ms + if online { passed } else { 0 }, watched_ms: watched_ms + passed }
    }

    /// Milliseconds by which the latest of the periodic reports is late; `None` where none is promised.
    fn lateness(&self, now: Timestamp) -> Option<u64> {
        (self.periodic > 0).then(|| self.late.first().map_or(0, |(promised, ..)| now.since(*promised)))
    }
}

impl Hot {
    pub(crate) fn schedule_measure(&mut self, system: &SystemId, soon: bool, now: Timestamp) {
        let Some(link) = self.systems.get_mut(system) else { return };
        let measure = &mut link.measure;
        let at = if soon {
            measure.written.plus(WRITE_AT_MOST_EVERY_MS).max(now.plus(1)).min(measure.due)
        } else {
            now.plus(WRITE_EVERY_MS)
        };
        let before = std::mem::replace(&mut measure.due, at);
        self.deadlines.remove(&(before, Due::Measure(system.clone())));
        self.deadlines.insert((at, Due::Measure(system.clone())));
    }

    /// A line for the log, and when the next one follows.
    pub(crate) fn measure_due(&mut self, system: &SystemId, now: Timestamp) -> Option<LogEvent> {
        let link = self.systems.get_mut(system)?;
        link.measure.count(link.online, now);
        link.measure.written = now;
        let measured = link.measure.total.clone();
        self.schedule_measure(system, false, now);
        Some(LogEvent::SystemMeasured { system: system.clone(), measured })
    }

    /// What would be lost with the process: to be written before it ends.
    #[must_use]
    pub fn measured(&self, now: Timestamp) -> Vec<LogEvent> {
        let line = |(system, link): (&SystemId, &Link)| LogEvent::SystemMeasured {
            system: system.clone(),
            measured: link.measure.total(link.online, now),
        };
        let mut links: Vec<_> = self.systems.iter().collect();
        links.sort_unstable_by_key(|(system, _)| *system);
        links.into_iter().map(line).collect()
    }

    /// What is known of a registered system's service by `now`, compared with what it promised.
    #[must_use]
    pub fn health(&self, system: &System, twins: u32, now: Timestamp) -> SystemHealth {
        Self::health_by(system, self.systems.get(&system.info.id), twins, now)
    }

    /// The same, by what is known of its connection.
    pub(crate) fn health_by(system: &System, link: Option<&Link>, twins: u32, now: Timestamp) -> SystemHealth {
        let total = link.map(|link| link.measure.total(link.online, now));
        let total = total.unwrap_or_else(|| system.stats.measured.clone());
        let stats = &system.stats;
        let asked = stats.commands + stats.calls;
        let share = |part: u64, whole: u64| {
            (whole > 0).then(|| u16::try_from(part.min(whole).saturating_mul(1_000) / whole).unwrap_or(1_000))
        };
        let (p99_ms, call_p99_ms) = (stats.latency.quantile(99), stats.call_latency.quantile(99));
        let level = ServiceLevel {
            availability_permille: share(total.online_ms, total.watched_ms),
            p99_ms: p99_ms.max(call_p99_ms),
            freshness_ms: link.and_then(|link| link.measure.lateness(now)),
            error_permille: share(stats.failures + stats.call_failures, asked),
        };
        SystemHealth {
            online: link.is_some_and(|link| link.online),
            last_heard: link.and_then(|link| link.heard),
            twins,
            commands: stats.commands,
            failures: stats.failures,
            p50_ms: stats.latency.quantile(50),
            p99_ms,
            registered: Some(system.registered),
            calls: stats.calls,
            call_failures: stats.call_failures,
            call_p50_ms: stats.call_latency.quantile(50),
            call_p99_ms,
            broken: level.broken(&system.info.level),
            level,
        }
    }
}
