//! What the home has published and heard, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{Kind, Publish};

/// Messages handed to the broker's connections since the home started, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Discovery documents.
    pub configs: u64,
    /// Availability messages; wills are the broker's and do not count.
    pub availability: u64,
    /// Retained states.
    pub states: u64,
    /// Doorbell events.
    pub events: u64,
    /// Camera pictures.
    pub pictures: u64,
    /// Messages that found the connection's queue full: states among them were said again later.
    pub dropped: u64,
    /// Payload bytes of all messages that were not dropped.
    pub bytes: u64,
    /// Commands heard.
    pub commands: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    configs: AtomicU64,
    availability: AtomicU64,
    states: AtomicU64,
    events: AtomicU64,
    pictures: AtomicU64,
    dropped: AtomicU64,
    bytes: AtomicU64,
    pub(crate) commands: AtomicU64,
}

impl Counters {
    pub(crate) fn count(&self, publish: &Publish, sent: bool) {
        if !sent {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let counter = match publish.kind {
            Kind::Config => &self.configs,
            Kind::Availability => &self.availability,
            Kind::State => &self.states,
            Kind::Event => &self.events,
            Kind::Picture => &self.pictures,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(publish.payload.len() as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Published {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Published {
            configs: load(&self.configs),
            availability: load(&self.availability),
            states: load(&self.states),
            events: load(&self.events),
            pictures: load(&self.pictures),
            dropped: load(&self.dropped),
            bytes: load(&self.bytes),
            commands: load(&self.commands),
        }
    }
}
