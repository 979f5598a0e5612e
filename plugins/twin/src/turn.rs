use std::collections::BTreeMap;

use bevy_ecs::prelude::*;
use vestibule_model::{LeaseId, LeaseStatus, LeaseUpdate, Refusal, TwinId};

/// Request: be the one whose twin is integrated with its physical object, or no longer (REQ-DT-08, S3).
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub enum IntegrateTwin {
    /// Ask for it, and wait for one's turn. It is renewed until it is given back.
    Take(TwinId),
    /// Give it back, or leave the queue.
    GiveBack(TwinId),
}

/// Whose turn it is at a twin, as the enabler told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TwinTurn {
    /// The person's own wish, while it has not ended.
    pub mine: Option<LeaseUpdate>,
    /// How the person's last wish ended.
    pub ended: Option<LeaseUpdate>,
    /// Somebody else's lease, while they hold the physical object.
    pub holder: Option<LeaseUpdate>,
    /// Why the enabler refused the last wish.
    pub refused: Option<Refusal>,
}

/// Whose turn it is, by twin. Twins of which nothing was told are not there.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct TwinTurns(pub BTreeMap<TwinId, TwinTurn>);

/// Whether a lease holds the physical object.
const fn holds(update: &LeaseUpdate) -> bool {
    matches!(update.status, LeaseStatus::Granted | LeaseStatus::Integrated)
}

impl TwinTurn {
    /// The lease with which the person acts now.
    #[must_use]
    pub fn held(&self) -> Option<LeaseId> {
        self.mine.as_ref().filter(|update| holds(update)).map(|update| update.lease)
    }
}

impl TwinTurns {
    /// Takes what was told of a lease; `own`: it is the person's.
    pub fn take(&mut self, update: LeaseUpdate, own: bool) {
        let turn = self.0.entry(update.twin.clone()).or_default();
        let over = matches!(update.status, LeaseStatus::Ended { .. });
        if own {
            turn.refused = None;
            (turn.mine, turn.ended) = if over { (None, Some(update)) } else { (Some(update), None) };
        } else if holds(&update) {
            turn.holder = Some(update);
        } else if turn.holder.as_ref().is_some_and(|holder| holder.lease == update.lease) {
            turn.holder = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{LeaseEnd, Timestamp};

    use super::*;

    fn update(lease: u8, status: LeaseStatus) -> LeaseUpdate {
        LeaseUpdate {
            lease: LeaseId([lease; 16]),
            twin: TwinId::new("home/arm").unwrap(),
            user: None,
            priority: 0,
            status,
            fence: None,
            until: None,
            at: Timestamp(0),
        }
    }

    #[test]
    fn one_holder_is_shown_and_the_own_place_beside_it() {
        let mut turns = TwinTurns::default();
        let waiting = LeaseStatus::Waiting { position: 1, expected_ms: 5_000 };
        turns.take(update(1, LeaseStatus::Integrated), false);
        turns.take(update(2, waiting.clone()), true);
        turns.take(update(3, waiting), false);
        let turn = |turns: &TwinTurns| turns.0.values().next().unwrap().clone();
        assert_eq!(turn(&turns).holder.unwrap().lease, LeaseId([1; 16]));
        assert_eq!(turn(&turns).held(), None);
        turns.take(update(3, LeaseStatus::Ended { reason: LeaseEnd::GaveUp }), false);
        assert!(turn(&turns).holder.is_some(), "another one's end is not the holder's");
        turns.take(update(1, LeaseStatus::Ended { reason: LeaseEnd::Released }), false);
        turns.take(update(2, LeaseStatus::Granted), true);
        assert_eq!((turn(&turns).holder, turn(&turns).held()), (None, Some(LeaseId([2; 16]))));
        turns.take(update(2, LeaseStatus::Ended { reason: LeaseEnd::Expired }), true);
        assert_eq!(turn(&turns).held(), None);
        assert!(turn(&turns).ended.is_some());
    }
}
