//! Hot state: the newest reading of each property, in datagrams that are never sent twice.
//!
//! Each datagram carries a tick. The receiver acknowledges ticks; the sender remembers which revision of which
//! property each tick carried and sends a property again, with its newest reading, for as long as that reading has
//! not been acknowledged. Nothing queues: a property that changes ten times between two datagrams costs one reading.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{WireReading, encode};

/// The most bytes in a datagram: fits QUIC's least path MTU with its headers.
pub const MAX_DATAGRAM: usize = 1100;
/// Ticks whose contents are remembered. At 60 ticks a second two seconds: whatever is acknowledged later is sent again.
const REMEMBERED: usize = 128;
/// Milliseconds after which an unacknowledged reading is sent again.
const RESEND_MS: u64 = 120;

/// Hot state of some twins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HotDatagram {
    /// Grows with each datagram.
    pub tick: u32,
    /// The newest tick that the sender knows to have arrived.
    pub baseline: u32,
    /// By twin.
    pub entries: Vec<HotEntry>,
}

/// Hot state of one twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HotEntry {
    /// The twin's short id in this session.
    pub short: u32,
    /// The epoch of its description.
    pub epoch: u32,
    /// Bit n of byte n/8: property n has a reading here.
    pub mask: Vec<u8>,
    /// The readings, in the order of the properties.
    pub readings: Vec<WireReading>,
}

/// Which ticks arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotAck {
    /// The newest tick that arrived.
    pub latest: u32,
    /// Bit n: `latest - 1 - n` arrived too.
    pub before: u64,
}

/// A property in a session: twin's short id, property's index.
type Key = (u32, u16);

#[derive(Clone, Debug)]
struct Slot {
    epoch: u32,
    reading: WireReading,
    /// When this reading was made; ages on the wire are counted from here.
    taken_ms: u64,
    /// Grows with each change of this slot.
    version: u64,
    sent: Option<(u64, u64)>,
}

/// Sends hot state to one receiver. Only what is not acknowledged is kept.
#[derive(Debug, Default)]
pub struct HotSender {
    dirty: BTreeMap<Key, Slot>,
    in_flight: VecDeque<(u32, Vec<(Key, u64)>)>,
    tick: u32,
    baseline: u32,
    versions: u64,
}

impl HotSender {
    /// Takes a property's newest reading at `now_ms`; whatever waited for that property is superseded.
    pub fn update(&mut self, short: u32, epoch: u32, index: u16, reading: WireReading, now_ms: u64) {
        self.versions += 1;
        let slot = Slot { epoch, reading, taken_ms: now_ms, version: self.versions, sent: None };
        self.dirty.insert((short, index), slot);
    }

    /// Forgets a twin.
    pub fn forget(&mut self, short: u32) {
        self.dirty.retain(|(twin, _), _| *twin != short);
    }

    /// Readings that have not been acknowledged.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.dirty.len()
    }

    /// The next datagram at `now_ms`, if anything is due: never sent first, then longest ago.
    pub fn poll(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let due = |slot: &Slot| {
            slot.sent.is_none_or(|(version, at)| version != slot.version || now_ms.saturating_sub(at) >= RESEND_MS)
        };
        let mut keys: Vec<_> =
            self.dirty.iter().filter(|(_, slot)| due(slot)).map(|(key, slot)| (slot.sent, *key)).collect();
        if keys.is_empty() {
            return None;
        }
        keys.sort_unstable_by_key(|(sent, _)| sent.map(|(_, at)| at));
        let mut chosen: BTreeMap<u32, BTreeMap<u16, WireReading>> = BTreeMap::new();
        let mut epochs = HashMap::new();
        let mut carried = Vec::new();
        let mut room = MAX_DATAGRAM - 24;
        for (_, key) in keys {
            let Some(slot) = self.dirty.get_mut(&key) else { continue };
            let mut reading = slot.reading.clone();
            reading.age_ms = reading.age_ms.map(|age| age.saturating_add(now_ms.saturating_sub(slot.taken_ms)));
            let size = encode(&reading).map_or(usize::MAX, |bytes| bytes.len());
            // An entry's own header: short id, epoch, mask up to this property, counts.
            let header = if chosen.contains_key(&key.0) { 0 } else { 14 };
            let mask = usize::from(key.1) / 8 + 1;
            if size.saturating_add(header + mask) > room {
                continue;
            }
            room -= size + header + mask;
            slot.sent = Some((slot.version, now_ms));
            carried.push((key, slot.version));
            epochs.insert(key.0, slot.epoch);
            chosen.entry(key.0).or_default().insert(key.1, reading);
        }
        if carried.is_empty() {
            return None;
        }
        self.tick = self.tick.wrapping_add(1);
        self.in_flight.push_back((self.tick, carried));
        if self.in_flight.len() > REMEMBERED {
            self.in_flight.pop_front();
        }
        let entries = chosen.into_iter().map(|(short, readings)| entry(short, epochs[&short], readings)).collect();
        encode(&HotDatagram { tick: self.tick, baseline: self.baseline, entries }).ok()
    }

    /// When [`poll`](Self::poll) will next have something although nothing new comes.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<u64> {
        self.dirty.values().map(|slot| slot.sent.map_or(0, |(_, at)| at + RESEND_MS)).min()
    }

    /// Takes an acknowledgement: what it covers and has not changed since needs no further datagram.
    pub fn acknowledge(&mut self, ack: HotAck) {
        let arrived = |tick: u32| {
            let behind = ack.latest.wrapping_sub(tick);
            behind == 0 || (1..=64).contains(&behind) && ack.before & (1 << (behind - 1)) != 0
        };
        let (done, open): (VecDeque<_>, VecDeque<_>) = self.in_flight.drain(..).partition(|(tick, _)| arrived(*tick));
        self.in_flight = open;
        for (tick, carried) in done {
            self.baseline = self.baseline.max(tick);
            for (key, version) in carried {
                if self.dirty.get(&key).is_some_and(|slot| slot.version == version) {
                    self.dirty.remove(&key);
                }
            }
        }
    }
}

fn entry(short: u32, epoch: u32, readings: BTreeMap<u16, WireReading>) -> HotEntry {
    let last = readings.keys().next_back().copied().unwrap_or_default();
    let mut mask = vec![0_u8; usize::from(last) / 8 + 1];
    for index in readings.keys() {
        mask[usize::from(*index) / 8] |= 1 << (index % 8);
    }
    HotEntry { short, epoch, mask, readings: readings.into_values().collect() }
}

impl HotEntry {
    /// The readings with their properties' indices; empty where mask and readings disagree (a hostile sender).
    #[must_use]
    pub fn indexed(&self) -> Vec<(u16, &WireReading)> {
        let bits = self.mask.iter().enumerate().take(usize::from(u16::MAX) / 8);
        let indices: Vec<u16> = bits
            .flat_map(|(byte, bits)| (0..8).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| byte * 8 + bit))
            .filter_map(|index| u16::try_from(index).ok())
            .collect();
        if indices.len() == self.readings.len() {
            indices.into_iter().zip(&self.readings).collect()
        } else {
            Vec::new()
        }
    }
}

/// Receives hot state: drops what is older than what is known and acknowledges what came.
#[derive(Debug, Default)]
pub struct HotReceiver {
    latest: Option<u32>,
    before: u64,
}

impl HotReceiver {
    /// Notes a datagram's tick; the acknowledgement to send back. A datagram that comes twice is acknowledged twice.
    pub fn note(&mut self, tick: u32) -> HotAck {
        match self.latest {
            None => self.latest = Some(tick),
            Some(latest) => {
                let ahead = tick.wrapping_sub(latest);
                if ahead == 0 {
                } else if ahead <= u32::MAX / 2 {
                    self.before = self.before.checked_shl(ahead).unwrap_or(0);
                    if ahead <= 64 {
                        self.before |= 1 << (ahead - 1);
                    }
                    self.latest = Some(tick);
                } else {
                    let behind = latest.wrapping_sub(tick);
                    if behind <= 64 {
                        self.before |= 1 << (behind - 1);
                    }
                }
            }
        }
        HotAck { latest: self.latest.unwrap_or(tick), before: self.before }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use vestibule_model::{Truth, Value};

    use super::*;
    use crate::decode;

    fn reading(revision: u64) -> WireReading {
        #[expect(clippy::cast_possible_wrap, reason = "small test numbers")]
        let value = Some(Value::Int(revision as i64));
        WireReading { value, desired: None, truth: Truth::Live, age_ms: Some(0), revision }
    }

    /// Loses, repeats and reorders datagrams both ways: the receiver ends with the newest of everything.
    fn run(seed: u64, loss: f64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut sender, mut receiver) = (HotSender::default(), HotReceiver::default());
        let mut truth: BTreeMap<Key, u64> = BTreeMap::new();
        let mut seen: BTreeMap<Key, u64> = BTreeMap::new();
        let mut wire: Vec<Vec<u8>> = Vec::new();
        let mut acks: Vec<HotAck> = Vec::new();
        for step in 0_u64..600 {
            let now = step * 16;
            if step < 300 {
                for _ in 0..rng.random_range(0..20) {
                    let key = (rng.random_range(0..8), rng.random_range(0..30));
                    truth.insert(key, step + 1);
                    sender.update(key.0, 1, key.1, reading(step + 1), now);
                }
            }
            while let Some(bytes) = sender.poll(now) {
                assert!(bytes.len() <= MAX_DATAGRAM, "{} bytes", bytes.len());
                (0..=usize::from(rng.random_bool(0.1))).for_each(|_| wire.push(bytes.clone()));
            }
            let deliver = if step < 300 { loss } else { 0.0 };
            for _ in 0..wire.len() {
                let bytes = wire.swap_remove(rng.random_range(0..wire.len()));
                if rng.random_bool(deliver) {
                    continue;
                }
                let datagram: HotDatagram = decode(&bytes).unwrap();
                for entry in &datagram.entries {
                    for (index, reading) in entry.indexed() {
                        let known = seen.entry((entry.short, index)).or_default();
                        *known = (*known).max(reading.revision);
                    }
                }
                acks.push(receiver.note(datagram.tick));
            }
            acks.drain(..).filter(|_| !rng.random_bool(deliver)).for_each(|ack| sender.acknowledge(ack));
        }
        assert_eq!(seen, truth, "seed {seed}");
        assert_eq!(sender.waiting(), 0, "seed {seed}: everything is acknowledged in the end");
    }

    #[test]
    fn the_newest_always_arrives() {
        for seed in 0..40 {
            run(seed, 0.4);
        }
    }

    #[test]
    fn a_hostile_mask_is_ignored() {
        let entry = HotEntry { short: 1, epoch: 1, mask: vec![0xff; 9000], readings: vec![reading(1)] };
        assert!(entry.indexed().is_empty());
    }
}
