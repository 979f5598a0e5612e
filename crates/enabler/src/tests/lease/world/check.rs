//! What must be true of a world at every moment, and in the end.

use std::collections::BTreeSet;

use super::*;

impl World {
    /// What must always be true.
    pub fn check(&self) {
        let mut seen = BTreeSet::new();
        for lease in self.state.leases.live() {
            let object = self.state.object_of(&lease.request.twin);
            let first = object.first().cloned().unwrap();
            if !seen.insert(first) {
                continue;
            }
            let held: Vec<_> =
                self.state.leases.on(&object).filter(|l| matches!(l.phase, LeasePhase::Held { .. })).collect();
            assert!(held.len() <= 1, "two holders: {held:?}");
            let waiting = self.state.leases.on(&object).filter(|l| l.phase == LeasePhase::Waiting).count();
            let busy = object.iter().any(|twin| self.state.open_on(twin).any(|record| record.dispatched));
            assert!(waiting == 0 || !held.is_empty() || busy && object.len() > 1, "{waiting} wait for nobody");
            self.check_positions(&lease.request.twin, waiting, held.len());
        }
        assert_eq!(self.hot.live_leases(), self.state.leases.live().count(), "each has its deadline");
        assert!(self.integrated.values().all(|count| *count == 1), "integrated once for each grant");
        assert!(self.hot.next_wakeup().is_none_or(|at| at > self.now), "something due was left");
    }

    fn check_positions(&self, twin: &TwinId, waiting: usize, held: usize) {
        let owner = metaverse(OWNER);
        let listed = decide(&self.state, &self.hot, self.now, &owner, &Request::Leases { twin: twin.clone() });
        let Ok(Decision { reply: Some(Response::Leases(updates)), .. }) = listed else { panic!("{listed:?}") };
        assert_eq!(updates.len(), waiting + held);
        let mut wait = 0;
        for (index, update) in updates.iter().enumerate() {
            match &update.status {
                LeaseStatus::Waiting { position, expected_ms } => {
                    assert_eq!(*position as usize, index + 1 - held, "places are 1, 2, 3: {updates:?}");
                    assert!(*expected_ms >= wait, "who is later waits longer: {updates:?}");
                    wait = *expected_ms;
                }
                LeaseStatus::Granted | LeaseStatus::Integrated => assert_eq!(index, 0, "the holder is first"),
                LeaseStatus::Ended { .. } => panic!("over: {update:?}"),
            }
        }
    }

    /// Everything arrives, nobody asks for more: what must come true in the end.
    pub fn drain(&mut self) {
        if !self.online {
            self.connect();
        }
        for _ in 0..200 {
            self.drain_wire();
            for lease in self.state.leases.live() {
                if let LeasePhase::Held { integrated, .. } = lease.phase {
                    assert!(integrated, "whoever holds it hears so: {lease:?}");
                }
            }
            if self.state.leases.is_idle() && self.state.open.is_empty() {
                return;
            }
            self.pass(120_000);
            self.check();
        }
        panic!("somebody waits for ever: {:?}", self.state.leases);
    }

    /// Everything that is on the wire arrives.
    pub fn drain_wire(&mut self) {
        while self.can(&Step::Down) || self.can(&Step::Up) {
            let step = if self.can(&Step::Down) { Step::Down } else { Step::Up };
            self.step(&step);
            self.check();
        }
    }

    /// What makes two worlds the same for whatever comes.
    pub fn key(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        let open: Vec<_> = self.state.open.keys().map(|id| &self.state.commands[id]).collect();
        let words = format!(
            "{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}",
            self.now,
            self.state.leases,
            open,
            self.state.rules,
            self.online,
            self.down,
            self.up,
            self.late,
            self.device,
            self.asked.iter().map(Vec::len).collect::<Vec<_>>(),
            self.commands,
        );
        words.hash(&mut hasher);
        hasher.finish()
    }
}
