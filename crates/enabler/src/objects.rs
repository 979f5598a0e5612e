//! Which twins are the same physical object: those that share a physical id, and whatever hangs together by that.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vestibule_model::{PhysicalId, TwinId, TwinInfo};

use crate::{Map, Twin};

/// Twins by their physical ids. Only a hash of each id is kept, since there may be a million; what it finds is compared
/// with the descriptions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Objects(Map<Entry, ()>);

/// Always with a twin: `None` only sorts before all of them.
type Entry = (u64, Option<TwinId>);

/// FNV-1a: short, the same in every process, and no secret hangs on it.
fn hash(id: &PhysicalId) -> u64 {
    let bytes = id.kind.bytes().chain([0]).chain(id.value.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Objects {
    /// The description of a twin is another one from now on.
    pub(crate) fn change(&mut self, before: Option<&TwinInfo>, after: Option<&TwinInfo>) {
        let ids = |info: Option<&TwinInfo>| -> BTreeSet<Entry> {
            let each = |info: &TwinInfo| -> Vec<Entry> {
                info.physical_ids.iter().map(|id| (hash(id), Some(info.id.clone()))).collect()
            };
            info.into_iter().flat_map(each).collect()
        };
        let (before, after) = (ids(before), ids(after));
        if before == after {
            return;
        }
        for gone in before.difference(&after) {
            self.0.remove(gone);
        }
        for new in after.difference(&before) {
            self.0.insert(new.clone(), ());
        }
    }

    fn with(&self, id: &PhysicalId) -> impl Iterator<Item = &TwinId> {
        let hash = hash(id);
        let entries = self.0.range::<Entry>((hash, None)..).map(|(entry, ())| entry);
        entries.take_while(move |(found, _)| *found == hash).filter_map(|(_, twin)| twin.as_ref())
    }

    /// All twins of the object that `twin` is a twin of, itself at least.
    pub(crate) fn of(&self, twins: &Map<TwinId, Twin>, twin: &TwinId) -> BTreeSet<TwinId> {
        let mut found = BTreeSet::from([twin.clone()]);
        let mut to_do = vec![twin.clone()];
        let mut seen: BTreeSet<&PhysicalId> = BTreeSet::new();
        while let Some(next) = to_do.pop() {
            let Some(known) = twins.get(&next) else { continue };
            for id in &known.info.physical_ids {
                if !seen.insert(id) {
                    continue;
                }
                let really = |other: &TwinId| twins.get(other).is_some_and(|twin| twin.info.physical_ids.contains(id));
                for other in self.with(id).filter(|other| really(other)) {
                    if found.insert(other.clone()) {
                        to_do.push(other.clone());
                    }
                }
            }
        }
        found
    }
}
