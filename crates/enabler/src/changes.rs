//! What changed by a decision, by what a thing said, by time: for whoever shows it and whoever decides what follows.

use std::collections::BTreeSet;

use vestibule_model::{
    CallId, CallUpdate, LeaseId, Product, PurchaseId, PurchaseUpdate, Serial, SystemId, TwinId, UserId,
};
use vestibule_protocol::{CommandUpdate, Occurrence};

/// What changed, for whoever shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Properties whose reading changed, by the place of the property in its twin's description.
    pub readings: BTreeSet<(TwinId, u16)>,
    /// Twins that appeared, went, or changed in description or reachability.
    pub twins: BTreeSet<TwinId>,
    /// Twins whose system can be told something again.
    pub reachable: BTreeSet<TwinId>,
    /// Systems whose information or health changed.
    pub systems: BTreeSet<SystemId>,
    /// Commands that came further.
    pub commands: Vec<CommandUpdate>,
    /// What happened.
    pub occurred: Vec<Occurrence>,
    /// Calls for which something may follow.
    pub calls: BTreeSet<CallId>,
    /// Calls that came further.
    pub call_updates: Vec<CallUpdate>,
    /// Purchases for which something may follow.
    pub purchases: BTreeSet<PurchaseId>,
    /// Purchases that came further.
    pub purchase_updates: Vec<PurchaseUpdate>,
    /// Products that have a twin from now on, and whose they are.
    pub bound: Vec<(UserId, Product)>,
    /// Products that have none any more.
    pub unbound: Vec<(UserId, Serial)>,
    /// Products without electronics that are twins may be others now.
    pub things: bool,
    /// Orders or products may refer to other contents now.
    pub refers: bool,
    /// Agreements that ended.
    pub deauthorized: Vec<(UserId, SystemId)>,
    /// Leases that came further, or whose place in a queue changed.
    pub leases: BTreeSet<LeaseId>,
    /// Time has come for leases: [`settle`](crate::settle) says what follows.
    pub settle: bool,
    /// Rules or users changed: everybody's world may look different.
    pub access: bool,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            readings,
            twins,
            reachable,
            systems,
            commands,
            occurred,
            calls,
            call_updates,
            purchases,
            purchase_updates,
            bound,
            unbound,
            things,
            refers,
            deauthorized,
            leases,
            settle,
            access,
        } = self;
        !settle
            && !access
            && !things
            && !refers
            && readings.is_empty()
            && twins.is_empty()
            && reachable.is_empty()
            && systems.is_empty()
            && commands.is_empty()
            && occurred.is_empty()
            && calls.is_empty()
            && call_updates.is_empty()
            && purchases.is_empty()
            && purchase_updates.is_empty()
            && bound.is_empty()
            && unbound.is_empty()
            && deauthorized.is_empty()
            && leases.is_empty()
    }

    /// Adds what changed elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.readings.extend(other.readings);
        self.twins.extend(other.twins);
        self.reachable.extend(other.reachable);
        self.systems.extend(other.systems);
        self.commands.extend(other.commands);
        self.occurred.extend(other.occurred);
        self.calls.extend(other.calls);
        self.call_updates.extend(other.call_updates);
        self.purchases.extend(other.purchases);
        self.purchase_updates.extend(other.purchase_updates);
        self.bound.extend(other.bound);
        self.unbound.extend(other.unbound);
        self.deauthorized.extend(other.deauthorized);
        self.leases.extend(other.leases);
        self.settle |= other.settle;
        self.access |= other.access;
        self.things |= other.things;
        self.refers |= other.refers;
    }
}
