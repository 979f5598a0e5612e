//! What was decided: a fold of the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vestibule_model::{
    CommandId, CommandStatus, Desired, PropertyId, Rule, RuleId, SystemId, SystemInfo, Timestamp, TokenId, TokenKey,
    TwinId, TwinInfo, UserId,
};

use crate::{
    CommandRecord, Delegated, Device, Fingerprint, Histogram, Identity, Leases, LogEvent, Objects, User, Wish, WishKey,
};

/// Milliseconds beyond its validity for which an ended command answers its repetitions with its end.
const REMEMBERED_MS: u64 = 10 * 60 * 1_000;

/// A registered system.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// What it said of itself.
    pub info: SystemInfo,
    /// Whose the id is.
    pub owner: Identity,
    /// What became of its commands.
    pub stats: SystemStats,
}

/// What monitoring counts from the log (FGMV-29 8.3.1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemStats {
    /// Commands that it was given.
    pub commands: u64,
    /// Commands that failed or were not confirmed in time.
    pub failures: u64,
    /// Milliseconds from acceptance to confirmation.
    pub latency: Histogram,
}

/// A described twin.
#[derive(Clone, Debug, PartialEq)]
pub struct Twin {
    /// The description.
    pub info: Arc<TwinInfo>,
    /// Grows with each change of the description.
    pub epoch: u32,
}

/// Everything that was decided. A clone costs nothing until one of the two is changed: a batch of decisions works on
/// a clone and is forgotten where it could not be written.
#[derive(Clone, Debug, Default, PartialEq)]
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
    pub systems: Arc<BTreeMap<SystemId, Arc<System>>>,
    /// Described twins.
    pub twins: Arc<BTreeMap<TwinId, Twin>>,
    /// Commands that are open or ended not long ago.
    pub commands: Arc<BTreeMap<CommandId, Arc<CommandRecord>>>,
    /// Commands that are open.
    pub open: Arc<BTreeSet<CommandId>>,
    /// The newest wish for each property that has not come true.
    pub wishes: Arc<BTreeMap<WishKey, Desired>>,
    /// Who holds which physical object, and who waits.
    pub leases: Arc<Leases>,
    /// Which twins are the same physical object.
    pub(crate) objects: Objects,
    /// Ended commands by the moment at which they are forgotten.
    forget: Arc<BTreeSet<(Timestamp, CommandId)>>,
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
            | LogEvent::UserRemoved { .. } => self.apply_people(at, event),
            LogEvent::TokenKeySet { .. } | LogEvent::TokenDelegated { .. } | LogEvent::TokenRevoked { .. } => {
                self.apply_tokens(at, event);
            }
            LogEvent::SystemRegistered { info, owner } => {
                let stats = self.systems.get(&info.id).map(|system| system.stats.clone()).unwrap_or_default();
                let system = System { info: info.clone(), owner: owner.clone(), stats };
                Arc::make_mut(&mut self.systems).insert(info.id.clone(), Arc::new(system));
            }
            LogEvent::TwinDescribed { info } => {
                let before = self.twins.get(&info.id);
                let epoch = before.map_or(1, |twin| twin.epoch.saturating_add(1));
                self.objects.change(before.map(|twin| twin.info.as_ref()), Some(info));
                let twin = Twin { info: Arc::new(info.as_ref().clone()), epoch };
                Arc::make_mut(&mut self.twins).insert(info.id.clone(), twin);
                self.drop_wishes(|key| key.0 == info.id && info.property(&key.1, &key.2).is_none());
            }
            LogEvent::TwinGone { twin } => {
                self.objects.change(self.twins.get(twin).map(|twin| twin.info.as_ref()), None);
                Arc::make_mut(&mut self.twins).remove(twin);
                self.drop_wishes(|key| key.0 == *twin);
            }
            LogEvent::CommandAccepted { command, user, rule, wishes, dispatched, fence } => {
                let status = if *dispatched { CommandStatus::Dispatched } else { CommandStatus::Accepted };
                let record = CommandRecord {
                    command: command.clone(),
                    user: user.clone(),
                    rule: rule.clone(),
                    wishes: wishes.clone(),
                    accepted: at,
                    dispatched: *dispatched,
                    fence: *fence,
                    status,
                    at,
                };
                self.accepted(at, record);
            }
            LogEvent::CommandDispatched { command } => self.dispatched(at, *command),
            LogEvent::CommandEnded { command, status, unmet } => self.ended(at, *command, status, unmet),
            LogEvent::WishEnded { command, twin, feature, property } => {
                let key = (twin.clone(), feature.clone(), property.clone());
                if self.wishes.get(&key).is_some_and(|wish| wish.command == *command) {
                    Arc::make_mut(&mut self.wishes).remove(&key);
                }
            }
            LogEvent::LeaseQueued { .. }
            | LogEvent::LeaseGranted { .. }
            | LogEvent::LeaseRenewed { .. }
            | LogEvent::LeaseIntegrated { .. }
            | LogEvent::LeaseEnded { .. } => Arc::make_mut(&mut self.leases).apply(at, event),
        }
    }

    /// All twins of the physical object that `twin` is a twin of, itself at least.
    #[must_use]
    pub fn object_of(&self, twin: &TwinId) -> BTreeSet<TwinId> {
        self.objects.of(&self.twins, twin)
    }

    fn drop_wishes(&mut self, which: impl Fn(&WishKey) -> bool) {
        if self.wishes.keys().any(&which) {
            Arc::make_mut(&mut self.wishes).retain(|key, _| !which(key));
        }
    }

    fn accepted(&mut self, at: Timestamp, record: CommandRecord) {
        let (id, end) = (record.command.id, record.end());
        for Wish { property, value } in &record.wishes {
            let wish = Desired { value: value.clone(), command: id, since: at, expires: end };
            Arc::make_mut(&mut self.wishes).insert(record.key(property), wish);
        }
        if record.dispatched {
            self.count(&record.command.twin.system(), |stats| stats.commands += 1);
        }
        Arc::make_mut(&mut self.open).insert(id);
        Arc::make_mut(&mut self.commands).insert(id, Arc::new(record));
    }

    fn dispatched(&mut self, at: Timestamp, id: CommandId) {
        let Some(record) = self.commands.get(&id).filter(|record| record.is_open() && !record.dispatched) else {
            return;
        };
        let mut record = record.as_ref().clone();
        (record.dispatched, record.status, record.at) = (true, CommandStatus::Dispatched, at);
        self.count(&record.command.twin.system(), |stats| stats.commands += 1);
        Arc::make_mut(&mut self.commands).insert(id, Arc::new(record));
    }

    fn ended(&mut self, at: Timestamp, id: CommandId, status: &CommandStatus, unmet: &[PropertyId]) {
        let Some(record) = self.commands.get(&id).filter(|record| record.is_open()) else { return };
        let mut record = record.as_ref().clone();
        (record.status, record.at) = (status.clone(), at);
        for wish in &record.wishes {
            let key = record.key(&wish.property);
            // A newer command's wish is not this one's to end.
            if self.wishes.get(&key).is_none_or(|wish| wish.command != id) {
                continue;
            }
            let wishes = Arc::make_mut(&mut self.wishes);
            if unmet.contains(&wish.property) {
                if let Some(kept) = wishes.get_mut(&key) {
                    kept.expires = kept.expires.min(at);
                }
            } else {
                wishes.remove(&key);
            }
        }
        let took = at.since(record.accepted);
        let confirmed = matches!(status, CommandStatus::Confirmed);
        let failed = matches!(status, CommandStatus::Failed { .. } | CommandStatus::Expired);
        self.count(&record.command.twin.system(), |stats| {
            stats.failures += u64::from(failed);
            if confirmed {
                stats.latency.add(took);
            }
        });
        let forget = record.command.not_after.plus(REMEMBERED_MS);
        Arc::make_mut(&mut self.forget).insert((forget, id));
        Arc::make_mut(&mut self.open).remove(&id);
        Arc::make_mut(&mut self.commands).insert(id, Arc::new(record));
    }

    fn count(&mut self, system: &SystemId, how: impl FnOnce(&mut SystemStats)) {
        if let Some(system) = Arc::make_mut(&mut self.systems).get_mut(system) {
            how(&mut Arc::make_mut(system).stats);
        }
    }

    /// A repetition of what is forgotten here comes after its validity, and is refused for that.
    fn forget_until(&mut self, at: Timestamp) {
        if self.leases.forgets(at) {
            Arc::make_mut(&mut self.leases).forget_until(at);
        }
        if self.forget.first().is_none_or(|(forget, _)| *forget >= at) {
            return;
        }
        let forget = Arc::make_mut(&mut self.forget);
        let commands = Arc::make_mut(&mut self.commands);
        while let Some((_, id)) = forget.first().copied().filter(|(moment, _)| *moment < at) {
            forget.pop_first();
            commands.remove(&id);
        }
    }

    /// The twins of `system`, in the order of their ids.
    pub fn twins_of<'a>(&'a self, system: &'a SystemId) -> impl Iterator<Item = &'a Twin> {
        let prefix = format!("{system}/");
        // '/' sorts before every letter and digit but after '-' and '.': ids of other systems can lie in between.
        self.twins.iter().filter(move |(id, _)| id.as_str().starts_with(&prefix)).map(|(_, twin)| twin)
    }

    /// The open commands about `twin`, oldest id first.
    pub fn open_on<'a>(&'a self, twin: &'a TwinId) -> impl Iterator<Item = &'a Arc<CommandRecord>> {
        self.open.iter().filter_map(|id| self.commands.get(id)).filter(move |record| record.command.twin == *twin)
    }
}
