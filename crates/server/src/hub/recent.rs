//! What happened of late, for whoever was not there: a ring during a reconnect is a ring.

use std::collections::{BTreeMap, VecDeque};

use vestibule_model::{Timestamp, UserId};
use vestibule_protocol::Occurrence;

use super::handle::SessionId;

/// Happenings kept altogether: a day of a home with some busy switches.
const MOST: usize = 256;
/// And of one feature, so that a switch does not push the doorbell out.
const MOST_EACH: usize = 8;
/// Milliseconds after which nobody wants to know any more who rang: a night and a working day.
const OLDEST_MS: u64 = 24 * 60 * 60 * 1_000;
/// Milliseconds after which a connection that is still there has surely carried what it was given: longer than QUIC
/// takes to notice that the other side is gone.
const SURE_MS: u64 = 45_000;

#[derive(Debug)]
struct Kept {
    occurrence: Occurrence,
    /// When the hub heard of it.
    heard: Timestamp,
    /// Who was told, and on which connection.
    told: BTreeMap<UserId, SessionId>,
}

/// The latest happenings, and who knows of them.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Kept>);

impl Recent {
    /// Keeps a happening that these were told of at once.
    pub(super) fn keep(&mut self, occurrence: Occurrence, now: Timestamp, told: BTreeMap<UserId, SessionId>) {
        let Occurrence { twin, feature, .. } = &occurrence;
        let mut same = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, kept)| kept.occurrence.twin == *twin && kept.occurrence.feature == *feature);
        let oldest = same.next().map(|(at, _)| at);
        if let (Some(oldest), true) = (oldest, same.count() + 1 >= MOST_EACH) {
            self.0.remove(oldest);
        }
        self.0.push_back(Kept { occurrence, heard: now, told });
        while self.0.len() > MOST || self.0.front().is_some_and(|kept| now.since(kept.heard) > OLDEST_MS) {
            self.0.pop_front();
        }
    }

    /// A connection has ended: what it was given just before may never have arrived.
    pub(super) fn closed(&mut self, session: SessionId, now: Timestamp) {
        for kept in self.0.iter_mut().rev().take_while(|kept| now.since(kept.heard) <= SURE_MS) {
            kept.told.retain(|_, on| *on != session);
        }
    }

    /// What a user was not told of and may know, oldest first. They are told now.
    pub(super) fn missed(
        &mut self,
        user: &UserId,
        session: SessionId,
        now: Timestamp,
        may: impl Fn(&Occurrence) -> bool,
    ) -> Vec<Occurrence> {
        let mut missed = Vec::new();
        for kept in self.0.iter_mut().filter(|kept| now.since(kept.heard) <= OLDEST_MS) {
            if !kept.told.contains_key(user) && may(&kept.occurrence) {
                kept.told.insert(user.clone(), session);
                missed.push(kept.occurrence.clone());
            }
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{EventKind, FeatureId, TwinId};

    use super::*;

    fn ring(feature: &str, at: u64) -> Occurrence {
        let (twin, feature) = (TwinId::new("home/door").unwrap(), FeatureId::slug(feature));
        Occurrence { twin, feature, event: EventKind::slug("press"), details: BTreeMap::new(), at: Timestamp(at) }
    }

    fn ann() -> UserId {
        UserId::slug("ann")
    }

    fn times(recent: &mut Recent, now: u64) -> Vec<u64> {
        recent.missed(&ann(), 9, Timestamp(now), |_| true).iter().map(|missed| missed.at.0).collect()
    }

    #[test]
    fn nobody_is_told_twice_unless_the_connection_broke_right_after() {
        let mut recent = Recent::default();
        recent.keep(ring("bell", 1), Timestamp(1), BTreeMap::new());
        recent.keep(ring("bell", 2), Timestamp(2), [(ann(), 7)].into());
        recent.keep(ring("bell", 50_000), Timestamp(50_000), [(ann(), 7)].into());
        assert_eq!(times(&mut recent, 50_001), [1]);
        assert!(times(&mut recent, 50_001).is_empty());
        recent.closed(7, Timestamp(60_000));
        assert_eq!(times(&mut recent, 60_000), [50_000], "the older one has arrived long ago");
        assert_eq!(recent.missed(&ann(), 9, Timestamp(60_000), |_| false), []);
    }

    #[test]
    fn it_is_bounded_for_each_and_for_all_and_ends() {
        let mut recent = Recent::default();
        recent.keep(ring("bell", 0), Timestamp(0), BTreeMap::new());
        (1..50).for_each(|at| recent.keep(ring("switch", at), Timestamp(at), BTreeMap::new()));
        assert_eq!(times(&mut recent, 50), [0, 42, 43, 44, 45, 46, 47, 48, 49]);
        (0..1_000).for_each(|at| recent.keep(ring(&format!("f{at}"), at), Timestamp(50 + at), BTreeMap::new()));
        assert_eq!(recent.0.len(), MOST);
        assert!(times(&mut recent, 60 + OLDEST_MS + 1_000).is_empty());
    }
}
