use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vestibule_model::{ContentHash, SnapshotMark};

use crate::{AdjustmentStatus, Extension as _, Order, OrderCare, moment};

/// What of a snapshot says how far it is. Kept of the newest snapshot of each order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderIds {
    /// Events that happened.
    pub events: BTreeSet<String>,
    /// Adjustments, and how far each is.
    pub adjustments: BTreeMap<String, AdjustmentStatus>,
    /// Our own merchants' number.
    #[serde(default)]
    pub revision: Option<u64>,
}

/// Whether a snapshot is newer than what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newer {
    /// It is: take it.
    Yes,
    /// It says the same.
    Same,
    /// It is older: leave it.
    No,
    /// It says what is not known and does not say what is known: ask the merchant for the order. That answer counts.
    Unclear,
}

impl OrderIds {
    /// Of a snapshot.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        Self {
            events: order.events().iter().map(|event| event.id.as_str().to_owned()).collect(),
            adjustments: order.adjustments().iter().map(|one| (one.id.as_str().to_owned(), one.status)).collect(),
            revision: OrderCare::of(&order.more).ok().flatten().map(|care| care.revision),
        }
    }
}

/// How far a snapshot is, in little: what is kept beside what is shown of an order.
#[must_use]
pub fn snapshot_mark(order: &Order) -> SnapshotMark {
    let ids = OrderIds::of(order);
    let moments = order.events().iter().map(|event| event.occurred_at.as_str());
    let moments = moments.chain(order.adjustments().iter().map(|one| one.occurred_at.as_str()));
    // As debug text each id is quoted, so that no two sets read alike.
    let said = format!("{:?}{:?}", ids.events, ids.adjustments);
    SnapshotMark {
        events: u32::try_from(ids.events.len()).unwrap_or(u32::MAX),
        adjustments: u32::try_from(ids.adjustments.len()).unwrap_or(u32::MAX),
        last: moments.filter_map(moment).max(),
        digest: ContentHash::of(said.as_bytes()),
        revision: ids.revision,
    }
}

/// Whether `order` is newer than the snapshot that `known` is of. The protocol numbers no snapshots; events and
/// adjustments only grow in number, and an adjustment goes from pending to completed or failed, so they tell.
#[must_use]
pub fn newer(known: &OrderIds, order: &Order) -> Newer {
    compare(known, &OrderIds::of(order))
}

fn compare(known: &OrderIds, said: &OrderIds) -> Newer {
    if let (Some(known), Some(said)) = (known.revision, said.revision) {
        return match said.cmp(&known) {
            std::cmp::Ordering::Greater => Newer::Yes,
            std::cmp::Ordering::Equal => Newer::Same,
            std::cmp::Ordering::Less => Newer::No,
        };
    }
    match (is_in(known, said), is_in(said, known)) {
        (true, true) => Newer::Same,
        (true, false) => Newer::Yes,
        (false, true) => Newer::No,
        (false, false) => Newer::Unclear,
    }
}

/// Everything that `one` says is in `other`, or is further there.
fn is_in(one: &OrderIds, other: &OrderIds) -> bool {
    let further = |known: AdjustmentStatus, said: AdjustmentStatus| known == said || known == AdjustmentStatus::Pending;
    one.events.is_subset(&other.events)
        && one
            .adjustments
            .iter()
            .all(|(id, known)| other.adjustments.get(id).is_some_and(|said| further(*known, *said)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An order's life: each step adds an event, adds an adjustment, or ends one.
    fn life(steps: &[u8]) -> Vec<OrderIds> {
        let mut now = OrderIds::default();
        let mut all = vec![now.clone()];
        for (at, step) in steps.iter().enumerate() {
            match step % 3 {
                0 => {
                    now.events.insert(format!("evt_{at}"));
                }
                1 => {
                    now.adjustments.insert(format!("adj_{at}"), AdjustmentStatus::Pending);
                }
                _ => {
                    let open = now.adjustments.values_mut().find(|status| **status == AdjustmentStatus::Pending);
                    let Some(open) = open else { continue };
                    *open = if step % 2 == 0 { AdjustmentStatus::Completed } else { AdjustmentStatus::Failed };
                }
            }
            all.push(now.clone());
        }
        all
    }

    fn numbered(mut all: Vec<OrderIds>) -> Vec<OrderIds> {
        all.iter_mut().zip(1..).for_each(|(ids, revision)| ids.revision = Some(revision));
        all
    }

    #[test]
    fn what_contradicts_itself_is_asked_about() {
        let ids = |events: &[&str], status| OrderIds {
            events: events.iter().map(|id| (*id).to_owned()).collect(),
            adjustments: [("adj".to_owned(), status)].into(),
            revision: None,
        };
        use AdjustmentStatus::{Completed, Failed, Pending};
        assert_eq!(compare(&ids(&["a"], Pending), &ids(&["b"], Pending)), Newer::Unclear);
        assert_eq!(compare(&ids(&["a"], Completed), &ids(&["a"], Failed)), Newer::Unclear);
        assert_eq!(compare(&ids(&["a"], Completed), &ids(&["a", "b"], Pending)), Newer::Unclear);
        assert_eq!(compare(&ids(&["a"], Pending), &ids(&["a"], Completed)), Newer::Yes);
        assert_eq!(compare(&ids(&["a"], Completed), &ids(&["a"], Pending)), Newer::No);
    }

    proptest! {
        /// In whatever order snapshots come, repeated or lost: the newest of those that came is what is known.
        #[test]
        fn the_newest_that_came_is_known(
            steps in proptest::collection::vec(any::<u8>(), 0..12), came in proptest::collection::vec(any::<usize>(), 0..30),
            with_numbers: bool,
        ) {
            let all = if with_numbers { numbered(life(&steps)) } else { life(&steps) };
            let mut known = all[0].clone();
            let mut newest = 0;
            for at in came.into_iter().map(|at| at % all.len()) {
                newest = newest.max(at);
                match compare(&known, &all[at]) {
                    Newer::Yes => known = all[at].clone(),
                    Newer::Same | Newer::No => {}
                    Newer::Unclear => prop_assert!(false, "snapshots of one life are never unclear"),
                }
            }
            prop_assert_eq!(known, all[newest].clone());
        }

        #[test]
        fn both_sides_agree(one in proptest::collection::vec(any::<u8>(), 0..6), other in proptest::collection::vec(any::<u8>(), 0..6)) {
            let (one, other) = (life(&one).pop().unwrap(), life(&other).pop().unwrap());
            let turned = match compare(&one, &other) {
                Newer::Yes => Newer::No,
                Newer::No => Newer::Yes,
                same => same,
            };
            prop_assert_eq!(compare(&other, &one), turned);
        }
    }
}
