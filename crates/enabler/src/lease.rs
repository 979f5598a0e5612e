//! Leases as the log remembers them (FGMV-28 7.1.3, REQ-DT-08): who holds a physical object, who waits for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use vestibule_model::{LeaseEnd, LeaseId, LeaseRequest, RuleId, Timestamp, TwinId, UserId};

use crate::{Grant, Identity, LogEvent};

/// Milliseconds for which an ended lease still answers for itself: why it ended, and that its id was used.
const REMEMBERED_MS: u64 = 10 * 60 * 1_000;
/// Milliseconds of waiting that count as much as one step of priority: whoever waits overtakes in the end.
const AGEING_MS: i128 = 60_000;

/// How far a lease is by the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeasePhase {
    /// It waits for its turn.
    Waiting,
    /// It holds its object.
    Held {
        /// Its fencing token.
        fence: u64,
        /// Since when.
        since: Timestamp,
        /// The last moment of it.
        until: Timestamp,
        /// Whether the twin's system has confirmed.
        integrated: bool,
    },
    /// It is over.
    Ended {
        /// Why.
        reason: LeaseEnd,
        /// The token that it had.
        fence: Option<u64>,
    },
}

/// A lease that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// What was asked.
    pub request: LeaseRequest,
    /// By whom.
    pub user: UserId,
    /// On which device: what it may is asked again whenever rules or users change.
    pub by: Identity,
    /// Which rule let them.
    pub rule: RuleId,
    /// The token that let them, where no rule about them did: the lease ends with it at the latest.
    pub token: Option<Arc<Grant>>,
    /// What it counts for.
    pub priority: u8,
    /// When it was asked.
    pub asked: Timestamp,
    /// How far it is.
    pub phase: LeasePhase,
    /// Since when it is so.
    pub at: Timestamp,
}

impl Lease {
    /// Whether something may still follow.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !matches!(self.phase, LeasePhase::Ended { .. })
    }

    /// Whether it was asked for by somebody who is no user of this enabler and bears a token.
    #[must_use]
    pub fn is_borne(&self) -> bool {
        self.user.as_str().contains(':')
    }

    /// Its token and its last moment, where it holds its object at `now`.
    #[must_use]
    pub fn held(&self, now: Timestamp) -> Option<(u64, Timestamp)> {
        match self.phase {
            LeasePhase::Held { fence, until, .. } if now <= until => Some((fence, until)),
            _ => None,
        }
    }

    /// The first moment at which it ends by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        match self.phase {
            LeasePhase::Waiting => Some(self.gives_up().plus(1)),
            LeasePhase::Held { until, .. } => Some(until.plus(1)),
            LeasePhase::Ended { .. } => None,
        }
    }

    /// The last moment for which its user waits.
    #[must_use]
    pub fn gives_up(&self) -> Timestamp {
        self.at_most(self.asked.plus(self.request.wait_ms))
    }

    /// `until`, or the last moment of its token where that is earlier.
    #[must_use]
    pub fn at_most(&self, until: Timestamp) -> Timestamp {
        let over = self.token.as_ref().and_then(|grant| grant.limits.until);
        over.map_or(until, |over| until.min(Timestamp(over.0.saturating_sub(1))))
    }

    /// Its place among those that wait, smallest first: by priority, then by arrival, and each [`AGEING_MS`] of waiting
    /// counts like a step of priority. The difference of two never changes, so nobody changes places while they wait.
    #[must_use]
    pub fn rank(&self) -> (i128, LeaseId) {
        (i128::from(self.asked.0) - i128::from(self.priority) * AGEING_MS, self.request.id)
    }
}

/// All leases that are live or ended not long ago.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leases {
    all: BTreeMap<LeaseId, Arc<Lease>>,
    /// Those that are live, by their twins.
    live: BTreeMap<TwinId, BTreeSet<LeaseId>>,
    /// Ended ones by the moment at which they are forgotten.
    forget: BTreeSet<(Timestamp, LeaseId)>,
    /// The last token of twins whose holder let go and is still remembered.
    over: BTreeMap<TwinId, u64>,
    /// The newest fencing token. Never smaller than it was: it outlives leases, twins and restarts.
    fence: u64,
}

impl Leases {
    /// A lease by its id.
    #[must_use]
    pub fn get(&self, id: &LeaseId) -> Option<&Arc<Lease>> {
        self.all.get(id)
    }

    /// The newest fencing token.
    #[must_use]
    pub const fn fence(&self) -> u64 {
        self.fence
    }

    /// How many are known, with those that ended not long ago.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether nobody holds anything and nobody waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.live.is_empty()
    }

    /// All that are live or ended not long ago.
    pub fn known(&self) -> impl Iterator<Item = &Arc<Lease>> {
        self.all.values()
    }

    /// All that are live.
    pub fn live(&self) -> impl Iterator<Item = &Arc<Lease>> {
        self.live.values().flatten().filter_map(|id| self.all.get(id))
    }

    /// Those that are live on this twin.
    pub fn of(&self, twin: &TwinId) -> impl Iterator<Item = &Arc<Lease>> {
        self.live.get(twin).into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// Those that are live on one of these twins.
    pub fn on<'a>(&'a self, twins: &'a BTreeSet<TwinId>) -> impl Iterator<Item = &'a Arc<Lease>> {
        twins.iter().filter_map(|twin| self.live.get(twin)).flatten().filter_map(|id| self.all.get(id))
    }

    /// Those that are live on this twin, and nothing of others.
    pub(crate) fn only(&self, twin: &TwinId) -> Self {
        let mut kept = Self { fence: self.fence, ..Self::default() };
        self.of(twin).for_each(|lease| kept.queued(lease.as_ref().clone()));
        kept
    }

    /// The last token of a twin's object that is over and not forgotten.
    pub(crate) fn last_fence(&self, twin: &TwinId) -> Option<u64> {
        self.over.get(twin).copied()
    }

    pub(crate) fn apply(&mut self, at: Timestamp, event: &LogEvent) {
        match event {
            LogEvent::LeaseQueued { request, user, by, rule, priority, token } => self.queued(Lease {
                request: request.clone(),
                user: user.clone(),
                by: by.clone(),
                rule: rule.clone(),
                token: token.as_ref().map(|grant| Arc::new(grant.as_ref().clone())),
                priority: *priority,
                asked: at,
                phase: LeasePhase::Waiting,
                at,
            }),
            LogEvent::LeaseGranted { lease, fence, until } => {
                // Whatever else the log says, no token is given twice.
                let is_new = *fence > self.fence;
                self.fence = self.fence.max(*fence);
                let held = LeasePhase::Held { fence: *fence, since: at, until: *until, integrated: false };
                self.change(at, lease, |phase| (is_new && *phase == LeasePhase::Waiting).then_some(held));
            }
            LogEvent::LeaseRenewed { lease, until } => self.change(at, lease, |phase| match phase {
                LeasePhase::Held { fence, since, integrated, .. } => {
                    Some(LeasePhase::Held { fence: *fence, since: *since, until: *until, integrated: *integrated })
                }
                _ => None,
            }),
            LogEvent::LeaseIntegrated { lease, fence } => self.change(at, lease, |phase| match phase {
                LeasePhase::Held { fence: held, since, until, .. } if held == fence => {
                    Some(LeasePhase::Held { fence: *fence, since: *since, until: *until, integrated: true })
                }
                _ => None,
            }),
            LogEvent::LeaseEnded { lease, reason } => self.ended(at, lease, reason),
            _ => {}
        }
    }

    fn queued(&mut self, lease: Lease) {
        let id = lease.request.id;
        if self.all.contains_key(&id) {
            return;
        }
        self.live.entry(lease.request.twin.clone()).or_default().insert(id);
        self.all.insert(id, Arc::new(lease));
    }

    fn change(&mut self, at: Timestamp, id: &LeaseId, how: impl FnOnce(&LeasePhase) -> Option<LeasePhase>) {
        let Some(lease) = self.all.get_mut(id) else { return };
        if let Some(phase) = how(&lease.phase) {
            let lease = Arc::make_mut(lease);
            (lease.phase, lease.at) = (phase, at);
        }
    }

    fn ended(&mut self, at: Timestamp, id: &LeaseId, reason: &LeaseEnd) {
        let Some(lease) = self.all.get_mut(id).filter(|lease| lease.is_live()) else { return };
        let lease = Arc::make_mut(lease);
        let (fence, until) = match lease.phase {
            LeasePhase::Held { fence, until, .. } => (Some(fence), until),
            _ => (None, at),
        };
        lease.phase = LeasePhase::Ended { reason: reason.clone(), fence };
        lease.at = at;
        if let Some(fence) = fence {
            self.over.insert(lease.request.twin.clone(), fence);
        }
        if let Some(live) = self.live.get_mut(&lease.request.twin) {
            live.remove(id);
            if live.is_empty() {
                self.live.remove(&lease.request.twin);
            }
        }
        // At least for as long as a device side could think that it goes on.
        self.forget.insert((at.max(until).plus(REMEMBERED_MS), *id));
    }

    pub(crate) fn forgets(&self, at: Timestamp) -> bool {
        self.forget.first().is_some_and(|(moment, _)| *moment < at)
    }

    pub(crate) fn forget_until(&mut self, at: Timestamp) {
        while let Some((_, id)) = self.forget.first().copied().filter(|(moment, _)| *moment < at) {
            self.forget.pop_first();
            let Some(lease) = self.all.remove(&id) else { continue };
            let twin = &lease.request.twin;
            if matches!(lease.phase, LeasePhase::Ended { fence, .. } if fence.is_some() && self.last_fence(twin) == fence)
            {
                self.over.remove(twin);
            }
        }
    }
}
