//! What was decided: a fold of the log.

mod commands;
mod erase;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vestibule_model::{
    CallId, CheckoutId, CommandId, ContentHash, Desired, FeatureKind, Pseudonym, PurchaseId, Rule, RuleId, Serial,
    SystemId, SystemInfo, Timestamp, TokenId, TokenKey, TwinId, TwinInfo, TwinPermission, UserId,
};

use crate::{
    Agreement, CallRecord, CommandRecord, Delegated, Device, Fingerprint, Histogram, Identity, Leases, LogEvent, Map,
    Measured, Objects, ProductRecord, PurchaseRecord, User, WishKey, directory::Directory, persistent::Prefixed,
};

/// A registered system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// What it said of itself.
    pub info: Arc<SystemInfo>,
    /// Whose the id is.
    pub owner: Identity,
    /// When it registered first.
    pub registered: Timestamp,
    /// What became of its commands.
    pub stats: SystemStats,
}

/// What monitoring counts from the log (FGMV-29 8.2.1, 8.3.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SystemStats {
    /// Commands that it was given.
    pub commands: u64,
    /// Commands that failed or were not confirmed in time.
    pub failures: u64,
    /// Milliseconds from acceptance to confirmation.
    pub latency: Histogram,
    /// Service calls that it was given.
    pub calls: u64,
    /// Those of them that failed or were not answered in time.
    pub call_failures: u64,
    /// Milliseconds of those that succeeded.
    pub call_latency: Histogram,
    /// What was measured when it was last written down.
    pub measured: Measured,
}

impl SystemStats {
    /// One more service call ended after `took` milliseconds.
    pub(crate) fn called(&mut self, took: u64, done: bool) {
        self.calls += 1;
        if done {
            self.call_latency.add(took);
        } else {
            self.call_failures += 1;
        }
    }
}

/// How many twins a system has, and of what kind: counted when they change, so that nobody has to look at them all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Census {
    /// Twins.
    pub twins: u32,
    features: BTreeMap<FeatureKind, u32>,
}

impl Census {
    /// Features of a kind, over all twins of the system.
    #[must_use]
    pub fn features_of(&self, kind: FeatureKind) -> u32 {
        self.features.get(&kind).copied().unwrap_or(0)
    }

    /// The kinds of which there are some.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = FeatureKind> {
        self.features.keys().copied()
    }
}

/// A described twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Twin {
    /// The description.
    pub info: Arc<TwinInfo>,
    /// Grows with each change of the description.
    pub epoch: u32,
}

/// What the systems of some twins let users do with them, where they do not leave it to the rules.
type Permissions = BTreeMap<UserId, TwinPermission>;

/// Everything that was decided. A clone costs nothing, and a change of one costs what it changes: a batch of decisions
/// works on a clone and is forgotten where it could not be written. What grows with twins and commands is in [`Map`]s.
///
/// Snapshots are its serde form: what is added later needs a default, as in [`LogEvent`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, remote = "Self")]
pub struct State {
    /// DTAC, by name.
    pub rules: Arc<BTreeMap<RuleId, Rule>>,
    /// Known devices by their certificates.
    pub devices: Arc<BTreeMap<Fingerprint, Device>>,
    /// Users by id: each that a device was ever enrolled for, and those whom owners or providers named.
    pub users: Arc<BTreeMap<UserId, User>>,
    /// The public key of this enabler's tokens.
    pub token_key: Option<TokenKey>,
    /// Tokens that were delegated and have not expired.
    pub delegated: Arc<BTreeMap<TokenId, Delegated>>,
    /// Tokens that are void, with when nobody could use them anyway.
    pub revoked: Arc<BTreeMap<TokenId, Timestamp>>,
    /// Registered systems.
    pub systems: Map<SystemId, Arc<System>>,
    /// Ids of systems that have deregistered, and whose they stay.
    pub reserved: Map<SystemId, Identity>,
    /// Described twins.
    pub twins: Map<TwinId, Twin>,
    /// Commands that are open or ended not long ago.
    pub commands: Map<CommandId, Arc<CommandRecord>>,
    /// Commands that are open.
    pub open: Map<CommandId, ()>,
    /// The newest wish for each property that has not come true.
    pub wishes: Map<WishKey, Desired>,
    /// TPSAA: what users and third-party systems have agreed, by the system and its name for the user.
    pub agreements: Map<(SystemId, Pseudonym), Arc<Agreement>>,
    /// SDC: calls that are open or ended not long ago.
    pub calls: Map<CallId, Arc<CallRecord>>,
    /// SDC: calls that are open.
    pub open_calls: Map<CallId, ()>,
    /// Purchases that are open or ended within two years.
    pub purchases: Map<PurchaseId, Arc<PurchaseRecord>>,
    /// Purchases that are open.
    pub open_purchases: Map<PurchaseId, ()>,
    /// Which purchase a merchant's checkout is: never two.
    pub by_session: Map<(SystemId, CheckoutId), PurchaseId>,
    /// Purchases by whose they are and when they were confirmed.
    pub(crate) purchases_by_user: Map<(UserId, Timestamp, PurchaseId), ()>,
    /// Ended purchases by the moment at which they are forgotten.
    pub(crate) forget_purchases: Map<(Timestamp, PurchaseId), ()>,
    /// Products that have a twin.
    pub products: Map<Serial, Arc<ProductRecord>>,
    /// Which product a twin is.
    pub product_twins: Map<TwinId, Serial>,
    /// What pseudonyms are made with.
    pub salt: Option<ContentHash>,
    /// Ended calls by the moment at which they are forgotten.
    pub(crate) forget_calls: Map<(Timestamp, CallId), ()>,
    /// Calls of each user that are open or remembered.
    #[serde(skip)]
    pub(crate) calls_by_user: Map<UserId, usize>,
    /// Ended calls of which it is still kept what they gave, by whose they are and when they ended.
    #[serde(skip)]
    pub(crate) whole_calls: Map<(UserId, Timestamp, CallId), ()>,
    /// Who holds which physical object, and who waits.
    pub leases: Arc<Leases>,
    /// Which twins are the same physical object.
    pub(crate) objects: Objects,
    /// Ended commands by the moment at which they are forgotten.
    forget: Map<(Timestamp, CommandId), ()>,
    /// By twin: what its system lets users do with it.
    permissions: Map<TwinId, Arc<Permissions>>,
    census: Map<SystemId, Census>,
    #[serde(skip)]
    pub(crate) directory: Directory,
    /// Systems by whose they are.
    owned: Map<Identity, usize>,
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut state = Self::deserialize(deserializer)?;
        for (id, system) in state.systems.iter() {
            state.directory.list(system, state.census.get(id));
        }
        state.count_calls();
        Ok(state)
    }
}

impl State {
    /// Takes a decision that was made at `at`. Whatever the log holds can be applied; what makes no sense changes nothing.
    pub fn apply(&mut self, at: Timestamp, event: &LogEvent) {
        self.forget_until(at);
        match event {
            LogEvent::RuleSet { rule, .. } => {
                Arc::make_mut(&mut self.rules).insert(rule.id.clone(), rule.clone());
            }
            LogEvent::RuleRemoved { rule, .. } => {
                Arc::make_mut(&mut self.rules).remove(rule);
            }
            LogEvent::DeviceEnrolled { .. }
            | LogEvent::DeviceRevoked { .. }
            | LogEvent::UserSet { .. }
            | LogEvent::UserRemoved { .. }
            | LogEvent::PersonErased { .. } => self.apply_people(at, event),
            LogEvent::TokenKeySet { .. } | LogEvent::TokenDelegated { .. } | LogEvent::TokenRevoked { .. } => {
                self.apply_tokens(at, event);
            }
            LogEvent::SystemRegistered { info, owner } => {
                self.registered(at, info, owner);
            }
            LogEvent::SystemGone { system, by } => self.system_gone(system, by.is_some()),
            LogEvent::SystemMeasured { system, measured } => {
                self.count(system, |stats| stats.measured = measured.clone());
            }
            LogEvent::PermissionTold { twin, user, permission } => self.permitted(twin, user, permission),
            LogEvent::TwinDescribed { info } => self.described(info),
            LogEvent::TwinGone { twin } => {
                self.take_twin(twin);
                self.drop_wishes(|key| key.0 == *twin);
            }
            LogEvent::CommandAccepted { .. }
            | LogEvent::CommandDispatched { .. }
            | LogEvent::CommandEnded { .. }
            | LogEvent::WishEnded { .. } => self.apply_commands(at, event),
            // The lines that go are in this state already.
            LogEvent::LogCut { .. } => {}
            LogEvent::LeaseQueued { .. }
            | LogEvent::LeaseGranted { .. }
            | LogEvent::LeaseRenewed { .. }
            | LogEvent::LeaseIntegrated { .. }
            | LogEvent::LeaseEnded { .. } => Arc::make_mut(&mut self.leases).apply(at, event),
            LogEvent::PurchaseConfirmed { .. }
            | LogEvent::PurchaseAsked { .. }
            | LogEvent::PurchaseTold { .. }
            | LogEvent::PurchaseCancelAsked { .. }
            | LogEvent::PurchaseEnded { .. } => self.apply_purchases(at, event),
            LogEvent::ProductBound { .. } | LogEvent::ProductKept { .. } | LogEvent::ProductUnbound { .. } => {
                self.apply_products(event);
            }
            LogEvent::PseudonymsSalted { .. }
            | LogEvent::Authorized { .. }
            | LogEvent::Deauthorized { .. }
            | LogEvent::TwinAcquired { .. }
            | LogEvent::CallAccepted { .. }
            | LogEvent::StepDispatched { .. }
            | LogEvent::StepEnded { .. }
            | LogEvent::CallStopped { .. }
            | LogEvent::CallEnded { .. } => self.apply_sif(at, event),
        }
    }

    fn described(&mut self, info: &Arc<TwinInfo>) {
        let known = self.twins.get(&info.id).cloned();
        let epoch = known.as_ref().map_or(1, |twin| twin.epoch.saturating_add(1));
        self.objects.change(known.as_ref().map(|twin| twin.info.as_ref()), Some(info));
        let kinds = |info: &TwinInfo| info.features.values().map(|feature| feature.kind).collect::<Vec<_>>();
        // Most descriptions say something else of the same parts: nobody counts them anew.
        let same_parts = known.as_ref().is_some_and(|known| kinds(&known.info) == kinds(info));
        if let Some(known) = known {
            if !same_parts {
                self.uncount_twin(&known.info);
            }
            self.drop_wishes(|key| key.0 == info.id && info.property(&key.1, &key.2).is_none());
        }
        if !same_parts {
            self.count_twin(info);
        }
        let twin = Twin { info: info.clone(), epoch };
        self.twins.insert(info.id.clone(), twin);
    }

    fn registered(&mut self, at: Timestamp, info: &SystemInfo, owner: &Identity) {
        let known = self.systems.get(&info.id).cloned();
        if let Some(known) = &known {
            self.count_owned(&known.owner, false);
        }
        self.count_owned(owner, true);
        self.reserved.remove(&info.id);
        let registered = known.as_ref().map_or(at, |known| known.registered);
        let stats = known.map(|known| known.stats.clone()).unwrap_or_default();
        let system = System { info: Arc::new(info.clone()), owner: owner.clone(), registered, stats };
        self.systems.insert(info.id.clone(), Arc::new(system));
        self.list(&info.id);
    }

    /// Has a system found as what it is by now.
    fn list(&mut self, system: &SystemId) {
        match self.systems.get(system) {
            Some(known) => self.directory.list(known, self.census.get(system)),
            None => self.directory.unlist(system),
        }
    }

    fn count_owned(&mut self, owner: &Identity, more: bool) {
        let count = self.systems_of(owner);
        let count = if more { count + 1 } else { count.saturating_sub(1) };
        if count == 0 {
            self.owned.remove(owner);
        } else {
            self.owned.insert(owner.clone(), count);
        }
    }

    fn system_gone(&mut self, system: &SystemId, is_free: bool) {
        if let Some(known) = self.systems.get(system).cloned() {
            self.count_owned(&known.owner, false);
            self.systems.remove(system);
            self.list(system);
            self.reserved.insert(system.clone(), known.owner.clone());
        }
        if is_free {
            self.reserved.remove(system);
        }
        let twins: Vec<TwinId> = self.twins_of(system).map(|twin| twin.info.id.clone()).collect();
        twins.iter().for_each(|twin| self.take_twin(twin));
        self.drop_wishes(|key| key.0.system() == *system);
    }

    fn take_twin(&mut self, id: &TwinId) {
        if let Some(known) = self.twins.get(id).cloned() {
            self.uncount_twin(&known.info);
            self.objects.change(Some(&known.info), None);
            self.twins.remove(id);
        }
        self.permissions.remove(id);
    }

    fn count_twin(&mut self, info: &TwinInfo) {
        let system = info.id.system();
        let mut census = self.census.get(&system).cloned().unwrap_or_default();
        census.twins = census.twins.saturating_add(1);
        for feature in info.features.values() {
            let count = census.features.entry(feature.kind).or_default();
            *count = count.saturating_add(1);
        }
        self.census.insert(system.clone(), census);
        self.list(&system);
    }

    fn uncount_twin(&mut self, info: &TwinInfo) {
        let system = info.id.system();
        let Some(mut census) = self.census.get(&system).cloned() else { return };
        census.twins = census.twins.saturating_sub(1);
        for feature in info.features.values() {
            let Some(count) = census.features.get_mut(&feature.kind) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                census.features.remove(&feature.kind);
            }
        }
        if census.twins == 0 {
            self.census.remove(&system);
        } else {
            self.census.insert(system.clone(), census);
        }
        self.list(&system);
    }

    fn permitted(&mut self, twin: &TwinId, user: &UserId, permission: &TwinPermission) {
        if !self.twins.contains_key(twin) {
            return;
        }
        let mut users = self.permissions.get(twin).map(|users| users.as_ref().clone()).unwrap_or_default();
        match permission {
            TwinPermission::Unrestricted => drop(users.remove(user)),
            TwinPermission::Only(_) => drop(users.insert(user.clone(), permission.clone())),
        }
        if users.is_empty() {
            self.permissions.remove(twin);
        } else {
            self.permissions.insert(twin.clone(), Arc::new(users));
        }
    }

    /// What systems let a user do who is not there any more: whoever gets the same name later is somebody else.
    pub(crate) fn drop_permissions(&mut self, user: &UserId) {
        let told = self.permissions.iter().filter(|(_, users)| users.contains_key(user));
        let told: Vec<TwinId> = told.map(|(twin, _)| twin.clone()).collect();
        told.iter().for_each(|twin| self.permitted(twin, user, &TwinPermission::Unrestricted));
    }

    /// All twins of the physical object that `twin` is a twin of, itself at least.
    #[must_use]
    pub fn object_of(&self, twin: &TwinId) -> BTreeSet<TwinId> {
        self.objects.of(&self.twins, twin)
    }

    fn drop_wishes(&mut self, which: impl Fn(&WishKey) -> bool) {
        let gone: Vec<WishKey> = self.wishes.keys().filter(|key| which(key)).cloned().collect();
        for key in gone {
            self.wishes.remove(&key);
        }
    }

    pub(crate) fn count(&mut self, system: &SystemId, how: impl FnOnce(&mut SystemStats)) {
        if let Some(known) = self.systems.get_mut(system) {
            how(&mut Arc::make_mut(known).stats);
            self.list(system);
        }
    }

    /// A repetition of what is forgotten here comes after its validity, and is refused for that.
    fn forget_until(&mut self, at: Timestamp) {
        if self.leases.forgets(at) {
            Arc::make_mut(&mut self.leases).forget_until(at);
        }
        while let Some((moment, id)) = self.forget.first().map(|(key, ())| *key).filter(|(moment, _)| *moment < at) {
            self.forget.remove(&(moment, id));
            self.commands.remove(&id);
        }
    }

    /// The same with no other twin than `twin`: what its past begins with.
    pub(crate) fn only(&self, twin: &TwinId) -> Self {
        let kept = self.twins.get(twin).map(|known| (twin.clone(), known.clone()));
        let wishes = self.wishes.iter().filter(|(key, _)| key.0 == *twin);
        let wishes = wishes.map(|(key, wish)| (key.clone(), wish.clone())).collect();
        let twins = kept.into_iter().collect();
        let leases = Arc::new(self.leases.only(twin));
        Self { twins, wishes, leases, objects: Objects::default(), ..self.clone() }
    }

    /// The twins of `system`, in the order of their ids.
    pub fn twins_of<'a>(&'a self, system: &SystemId) -> impl Iterator<Item = &'a Twin> + use<'a> {
        self.twins_after(system, None)
    }

    /// The twins of `system` behind one of them.
    pub fn twins_after<'a>(
        &'a self,
        system: &SystemId,
        after: Option<&TwinId>,
    ) -> impl Iterator<Item = &'a Twin> + use<'a> {
        let range = Prefixed::twins_of(system.as_str(), after.map(TwinId::as_str));
        self.twins.range::<str>(range).map(|(_, twin)| twin)
    }

    /// How many twins a system has, and of what kind; `None`: none.
    #[must_use]
    pub fn census(&self, system: &SystemId) -> Option<&Census> {
        self.census.get(system)
    }

    /// How many systems somebody has registered.
    #[must_use]
    pub fn systems_of(&self, owner: &Identity) -> usize {
        self.owned.get(owner).copied().unwrap_or(0)
    }

    /// What a twin's system lets a user do with it; `None`: it leaves that to the rules.
    #[must_use]
    pub fn permission(&self, twin: &TwinId, user: &UserId) -> Option<&TwinPermission> {
        self.permissions.get(twin)?.get(user)
    }

    /// Users to whom the system of `twin` lets less than the rules might.
    pub(crate) fn restricted(&self, twin: &TwinId) -> usize {
        self.permissions.get(twin).map_or(0, |users| users.len())
    }

    /// Twins of which a system lets somebody less than the rules might.
    pub(crate) fn restricted_twins(&self) -> usize {
        self.permissions.len()
    }

    /// Whether a system lets `user` less than the rules might, at one of its twins.
    pub(crate) fn has_permissions(&self, system: &SystemId, user: &UserId) -> bool {
        if self.permissions.is_empty() {
            return false;
        }
        let mut twins = self.permissions.range::<str>(Prefixed::twins_of(system.as_str(), None));
        twins.any(|(_, users)| users.contains_key(user))
    }

    /// The open commands about `twin`, oldest id first.
    pub fn open_on<'a>(&'a self, twin: &'a TwinId) -> impl Iterator<Item = &'a Arc<CommandRecord>> {
        self.open.keys().filter_map(|id| self.commands.get(id)).filter(move |record| record.command.twin == *twin)
    }
}
