//! Physical truth (DTS, FGMV-29 8.3.4): what things say now, latest wins, never written to a disk.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use vestibule_model::{
    CallId, CommandId, Desired, FeatureId, LeaseId, LeaseRequest, MAX_PROPERTIES, PropertyId, PropertyInfo,
    PropertyState, PurchaseId, Refusal, RefusalCode, Reported, SystemId, Timestamp, TwinId, TwinInfo, UserId, Value,
};
use vestibule_protocol::{Report, WireReading};

use crate::{
    Changes, LogEvent, State, WishKey,
    hot_commands::OpenCommand,
    hot_purchases::Trading,
    hot_systems::Link,
    hot_twin::{HotProperty, HotTwin, NOTHING, When, named},
};

/// Bytes of texts that one twin can have reported: its view has to fit a frame.
const MOST_TEXT_OF_TWIN: usize = 512 * 1024;

/// A number that has not changed for so many milliseconds stands still: moving things report more often.
const STILL_MS: u64 = 5_000;

/// What becomes due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A property's truth changes.
    Property(TwinId, u16),
    /// A command's time ends.
    Command(CommandId),
    /// A system should have been heard.
    Heartbeat(SystemId),
    /// Something has to become of a call.
    Call(CallId),
    /// Something has to become of a purchase.
    Purchase(PurchaseId),
    /// What was measured of a system is to be written down.
    Measure(SystemId),
    /// A holder should have renewed, or a waiter gives up.
    Lease(LeaseId),
    /// A rule or a device expires.
    Access,
}

/// What things and systems say now, and what must happen when they say nothing.
#[derive(Clone, Debug, Default)]
pub struct Hot {
    pub(crate) twins: BTreeMap<TwinId, HotTwin>,
    /// Not in order: a page of systems reaches for each of them once, and a hash reaches less far than a tree.
    pub(crate) systems: HashMap<SystemId, Link>,
    /// When something has to become of each open call.
    pub(crate) call_deadlines: BTreeMap<CallId, Timestamp>,
    /// Answers that came too late, by system: at most one entry for each registered one.
    pub(crate) late_answers: BTreeMap<SystemId, u64>,
    // Every property has at most one entry, every command and system one: bounded by what is described.
    pub(crate) deadlines: BTreeSet<(Timestamp, Due)>,
    pub(crate) commands: BTreeMap<CommandId, OpenCommand>,
    /// When the next rule or device expires.
    access: Option<Timestamp>,
    /// The same of all later ones: bounded by rules and devices.
    expiries: BTreeSet<Timestamp>,
    /// Open commands by the properties that they wait for.
    pub(crate) waiting: BTreeMap<WishKey, BTreeSet<CommandId>>,
    /// What is known of each open purchase since the start.
    pub(crate) trading: BTreeMap<PurchaseId, Trading>,
    /// Who is there to see their purchases: at most a user for each connection.
    pub(crate) watchers: BTreeSet<UserId>,
    /// Where each live lease stands in the deadlines.
    pub(crate) leases: BTreeMap<LeaseId, Timestamp>,
    /// Third-party systems that register themselves, as the enabler's owner says: as many as its configuration names.
    pub(crate) expected: BTreeSet<SystemId>,
}

impl Hot {
    /// What is known after a start: every twin of `state`, nothing reported, wishes and open commands as they were.
    #[must_use]
    pub fn restore(state: &State, now: Timestamp) -> Self {
        let mut hot = Self::default();
        for system in state.systems.keys() {
            hot.watch(state, system, now);
        }
        // In one go, in order: such a tree has no half empty nodes.
        hot.twins = state.twins.iter().map(|(id, twin)| (id.clone(), HotTwin::new(twin.info.clone()))).collect();
        for twin in state.twins.values() {
            hot.count_periodic(&twin.info, true);
        }
        for (key, wish) in state.wishes.iter() {
            hot.set_wish(key, Some(wish.clone()), now, &mut Changes::default());
        }
        for record in state.open.keys().filter_map(|id| state.commands.get(id)) {
            hot.open_command(record);
        }
        hot.restore_calls(state);
        hot.restore_purchases(state, now);
        for lease in state.leases.live() {
            hot.watch_lease(state, lease.request.id);
        }
        hot.watch_access(state, now);
        hot
    }

    /// Follows a decision after it was written and applied to `state`.
    pub fn follow(&mut self, state: &State, now: Timestamp, event: &LogEvent) -> Changes {
        let mut changes = Changes::default();
        self.follow_into(state, now, event, &mut changes);
        changes
    }

    /// The same of one decision of many, beside what the others changed.
    pub fn follow_into(&mut self, state: &State, now: Timestamp, event: &LogEvent, changes: &mut Changes) {
        match event {
            LogEvent::RuleSet { .. }
            | LogEvent::RuleRemoved { .. }
            | LogEvent::DeviceEnrolled { .. }
            | LogEvent::PersonErased { .. }
            | LogEvent::DeviceRevoked { .. }
            | LogEvent::UserSet { .. }
            | LogEvent::UserRemoved { .. }
            | LogEvent::TokenRevoked { .. } => {
                changes.access = true;
                // Things of whoever is not there any more go with them.
                changes.things |= matches!(event, LogEvent::PersonErased { .. } | LogEvent::UserRemoved { .. });
                self.watch_access(state, now);
            }
            LogEvent::TokenKeySet { .. } | LogEvent::TokenDelegated { .. } => {}
            LogEvent::SystemRegistered { info, .. } => {
                self.watch(state, &info.id, now);
                changes.systems.insert(info.id.clone());
            }
            LogEvent::SystemGone { system, .. } => changes.merge(self.forget(system, now)),
            LogEvent::PermissionTold { twin, .. } => {
                changes.twins.insert(twin.clone());
            }
            LogEvent::TwinDescribed { info } => {
                if let Some(twin) = state.twins.get(&info.id) {
                    self.describe(&twin.info, now);
                }
                changes.twins.insert(info.id.clone());
                changes.systems.insert(info.id.system());
                Self::queue_changed(state, &info.id, changes);
            }
            LogEvent::TwinGone { twin } => {
                self.remove(twin);
                changes.twins.insert(twin.clone());
                changes.systems.insert(twin.system());
            }
            LogEvent::CommandAccepted { command, .. } => self.follow_accepted(state, now, command.id, changes),
            LogEvent::CommandDispatched { command } => self.follow_dispatched(state, *command, changes),
            LogEvent::CommandEnded { command, .. } => self.follow_ended(state, now, *command, changes),
            LogEvent::CallAccepted { call, .. } => self.follow_call(state, call.id, changes),
            LogEvent::StepDispatched { call, .. }
            | LogEvent::StepEnded { call, .. }
            | LogEvent::CallStopped { call, .. }
            | LogEvent::CallEnded { call, .. } => self.follow_call(state, *call, changes),
            LogEvent::Deauthorized { user, system, .. } => changes.deauthorized.push((user.clone(), system.clone())),
            LogEvent::PurchaseConfirmed { .. }
            | LogEvent::PurchaseAsked { .. }
            | LogEvent::PurchaseTold { .. }
            | LogEvent::PurchaseCancelAsked { .. }
            | LogEvent::PurchaseEnded { .. }
            | LogEvent::ProductBound { .. }
            | LogEvent::ProductKept { .. }
            | LogEvent::ProductUnbound { .. } => self.follow_purchases(state, now, event, changes),
            LogEvent::WishEnded { .. }
            | LogEvent::SystemMeasured { .. }
            | LogEvent::PseudonymsSalted { .. }
            | LogEvent::Authorized { .. }
            | LogEvent::TwinAcquired { .. }
            | LogEvent::LogCut { .. } => {}
            LogEvent::LeaseQueued { request: LeaseRequest { id: lease, .. }, .. }
            | LogEvent::LeaseGranted { lease, .. }
            | LogEvent::LeaseRenewed { lease, .. }
            | LogEvent::LeaseIntegrated { lease, .. }
            | LogEvent::LeaseEnded { lease, .. } => self.follow_lease(state, *lease, changes),
        }
    }

    /// Wakes at the moment at which the next rule or device expires.
    fn watch_access(&mut self, state: &State, now: Timestamp) {
        self.expiries = state.expiries(now).collect();
        self.next_expiry();
    }

    fn next_expiry(&mut self) {
        let next = self.expiries.pop_first();
        if let Some(before) = std::mem::replace(&mut self.access, next) {
            self.deadlines.remove(&(before, Due::Access));
        }
        self.deadlines.extend(next.map(|at| (at, Due::Access)));
    }

    fn describe(&mut self, info: &Arc<TwinInfo>, now: Timestamp) {
        let mut before = self.remove(&info.id);
        let mut twin = HotTwin::new(info.clone());
        for (place, (feature, property, about)) in (0_u16..).zip(info.properties()) {
            let known =
                before.as_mut().and_then(|old| old.place(feature, property).and_then(|at| old.property_mut(at)));
            // A value that the property can no longer have was never said of it.
            let known = known.filter(|old| {
                let value = old.state.reported.as_ref().and_then(|report| report.value.as_ref());
                value.is_none_or(|value| about.value.is_a(value).is_ok())
            });
            if let Some(old) = known {
                let (state, changed_revision) = (std::mem::take(&mut old.state), old.changed_revision);
                let changed_at = old.changed_at;
                twin.put(place, HotProperty { state, changed_revision, changed_at, ..HotProperty::default() });
            }
        }
        self.count_periodic(&twin.info, true);
        if let Some(old) = before {
            twin.device = old.device;
            twin.away = old.away.into_iter().filter(|feature| info.features.contains_key(feature)).collect();
        }
        let count = twin.count();
        self.twins.insert(info.id.clone(), twin);
        self.settle_all(&info.id, count, now);
    }

    pub(crate) fn remove(&mut self, id: &TwinId) -> Option<HotTwin> {
        let twin = self.twins.remove(id)?;
        for (place, property) in twin.known() {
            if let Some(at) = property.deadline.get() {
                self.deadlines.remove(&(at, Due::Property(id.clone(), place)));
            }
            self.set_late(id, place, property.late.get(), None);
        }
        self.count_periodic(&twin.info, false);
        Some(twin)
    }

    fn count_periodic(&mut self, info: &TwinInfo, more: bool) {
        let periodic = info.properties().filter(|(_, _, about)| about.period_ms.is_some()).count();
        let system = (periodic > 0).then(|| info.id.system());
        let Some(link) = system.and_then(|system| self.systems.get_mut(&system)) else { return };
        let count = &mut link.measure.periodic;
        *count = if more { count.saturating_add(periodic) } else { count.saturating_sub(periodic) };
    }

    fn set_late(&mut self, id: &TwinId, place: u16, before: Option<Timestamp>, after: Option<Timestamp>) {
        let Some(link) = (before != after).then(|| self.systems.get_mut(&id.system())).flatten() else { return };
        if let Some(promised) = before {
            link.measure.late.remove(&(promised, id.clone(), place));
        }
        if let Some(promised) = after {
            link.measure.late.insert((promised, id.clone(), place));
        }
    }

    pub(crate) fn settle_all(&mut self, id: &TwinId, count: usize, now: Timestamp) {
        if self.twins.get(id).is_none_or(|twin| twin.known().next().is_none()) {
            return;
        }
        for place in (0_u16..).take(count) {
            self.settle(id, place, now);
        }
    }

    /// Works out a property's truth and its next deadline; whether the truth is another than was told.
    fn settle(&mut self, id: &TwinId, place: u16, now: Timestamp) -> bool {
        // Of what nothing is known, no time that passes makes more.
        if self.twins.get(id).is_none_or(|twin| twin.property(place).is_none()) {
            return false;
        }
        let reachable = self.is_place_reachable(id, place);
        let Some(twin) = self.twins.get_mut(id) else { return false };
        let info = twin.info.clone();
        let property = twin.property_mut(place);
        let Some((property, (_, _, about))) = property.zip(named(&info, place)) else { return false };
        let truth = property.state.truth(about, reachable, now);
        let changed = std::mem::replace(&mut property.told, truth) != truth;
        let next = property.state.next_change(about, now);
        let promised = property.state.reported.as_ref().zip(about.period_ms);
        let promised =
            promised.and_then(|(report, period)| Some(report.at?.plus(period))).filter(|promised| now > *promised);
        let late = std::mem::replace(&mut property.late, promised.into()).get();
        let before = std::mem::replace(&mut property.deadline, next.into()).get();
        self.set_late(id, place, late, promised);
        if before != next {
            let due = Due::Property(id.clone(), place);
            if let Some(at) = before {
                self.deadlines.remove(&(at, due.clone()));
            }
            if let Some(at) = next {
                self.deadlines.insert((at, due));
            }
        }
        changed
    }

    /// Whether the feature that has this property can be reached.
    fn is_place_reachable(&self, id: &TwinId, place: u16) -> bool {
        let Some(twin) = self.twins.get(id).filter(|_| self.is_reachable(id)) else { return false };
        named(&twin.info, place).is_some_and(|(feature, _, _)| !twin.away.contains(feature))
    }

    fn property(&self, key: &WishKey) -> Option<&HotProperty> {
        let twin = self.twins.get(&key.0)?;
        twin.property(twin.place(&key.1, &key.2)?)
    }

    fn place(&self, key: &WishKey) -> Option<u16> {
        self.twins.get(&key.0)?.place(&key.1, &key.2)
    }

    pub(crate) fn state_of(&self, key: &WishKey) -> Option<(&PropertyState, &PropertyInfo)> {
        let about = self.twins.get(&key.0)?.info.property(&key.1, &key.2)?;
        Some((self.property(key).map_or(&NOTHING, |property| &property.state), about))
    }

    /// Whether the thing says that a feature is on its way: in words, or since a property that is wished for changes.
    pub(crate) fn is_moving(
        &self,
        twin: &TwinId,
        feature: &FeatureId,
        wished: &BTreeSet<PropertyId>,
        now: Timestamp,
    ) -> bool {
        let Some(known) = self.twins.get(twin).filter(|_| self.is_feature_reachable(twin, feature)) else {
            return false;
        };
        let words = known.info.features.get(feature).map_or(&[][..], |about| about.kind.moving());
        let own = (0_u16..).zip(known.info.properties()).filter(|(_, (of, _, _))| *of == feature);
        let mut own = own.filter_map(|(place, (_, id, _))| Some((id, known.property(place)?)));
        own.any(|(id, property)| {
            let report = property.state.reported.as_ref().filter(|report| report.fresh);
            let said = report.and_then(|report| report.value.as_ref());
            let word = said.and_then(Value::as_text).is_some_and(|word| words.contains(&word));
            let number = said.is_some_and(|value| value.as_f64().is_some());
            let changes = property.changed_at.get().is_some_and(|at| now.since(at) <= STILL_MS);
            word || number && changes && wished.contains(id)
        })
    }

    /// A wish that is still coming true gets more time.
    pub(crate) fn extend_wish(
        &mut self,
        key: &WishKey,
        command: CommandId,
        until: Timestamp,
        now: Timestamp,
        changes: &mut Changes,
    ) {
        let desired = self.state_of(key).and_then(|(state, _)| state.desired.as_deref().cloned());
        if let Some(wish) = desired.filter(|wish| wish.command == command) {
            self.set_wish(key, Some(Desired { expires: until, ..wish }), now, changes);
        }
    }

    pub(crate) fn set_wish(&mut self, key: &WishKey, wish: Option<Desired>, now: Timestamp, changes: &mut Changes) {
        let Some(place) = self.place(key) else { return };
        if let Some(property) = self.twins.get_mut(&key.0).and_then(|twin| twin.learn(place)) {
            property.state.desired = wish.map(Box::new);
        }
        self.settle(&key.0, place, now);
        changes.readings.insert((key.0.clone(), place));
    }

    pub(crate) fn schedule_command(&mut self, at: Timestamp, id: CommandId) {
        self.deadlines.insert((at, Due::Command(id)));
    }

    pub(crate) fn unschedule_command(&mut self, at: Timestamp, id: CommandId) {
        self.deadlines.remove(&(at, Due::Command(id)));
    }

    /// A property's reading, as it is sent; `None` where there is no such property.
    #[must_use]
    pub fn reading(&self, id: &TwinId, place: u16, now: Timestamp) -> Option<WireReading> {
        let twin = self.twins.get(id)?;
        let (feature, _, about) = named(&twin.info, place)?;
        let state = twin.property(place).map_or(&NOTHING, |property| &property.state);
        let reachable = self.is_feature_reachable(id, feature);
        Some(WireReading {
            value: state.reported.as_ref().and_then(|report| report.value.clone()),
            desired: state.desired.as_ref().map(|wish| wish.value.clone()),
            truth: state.truth(about, reachable, now),
            age_ms: state.age_ms(now),
            revision: state.reported.as_ref().map_or(0, |report| report.revision),
        })
    }

    /// The revision at which the property's value last became another one; 0 before the first report.
    #[must_use]
    pub fn changed_revision(&self, twin: &TwinId, feature: &FeatureId, property: &PropertyId) -> u64 {
        let key = (twin.clone(), feature.clone(), property.clone());
        self.property(&key).map_or(0, |property| property.changed_revision)
    }

    pub(crate) fn knows(&self, id: &TwinId) -> bool {
        self.twins.contains_key(id)
    }

    /// Takes what a thing says: the newest revision wins.
    pub(crate) fn report(&mut self, report: &Report, now: Timestamp) -> Result<(Changes, Vec<LogEvent>), Refusal> {
        let mut changes = Changes::default();
        let key = (report.twin.clone(), report.feature.clone(), report.property.clone());
        let not_found = || {
            let message = format!("{} has no property {} of {}", report.twin, report.property, report.feature);
            Refusal::new(RefusalCode::NotFound, message)
        };
        let place = self.place(&key).ok_or_else(not_found)?;
        self.check_room(report, place)?;
        let twin = self.twins.get_mut(&report.twin).ok_or_else(not_found)?;
        let info = twin.info.clone();
        let about = info.property(&report.feature, &report.property).ok_or_else(not_found)?;
        // Bounds are for wishes: what the thing reports beyond them is what it is.
        report.value.as_ref().map_or(Ok(()), |value| about.value.is_a(value)).map_err(|error| {
            let message = format!("{} of {} of {}: {error}", report.property, report.feature, report.twin);
            Refusal::new(RefusalCode::Invalid, message)
        })?;
        let property = twin.learn(place).ok_or_else(not_found)?;
        let known = property.state.reported.as_ref();
        let is_new = known.is_none_or(|known| known.value != report.value);
        let wish = property.state.desired.as_deref().cloned();
        // A clock ahead of ours would keep an old report fresh.
        let at = report.at.map(|at| at.min(now));
        let reported = Reported { value: report.value.clone(), at, fresh: report.fresh, revision: report.revision };
        if !property.state.report(about, reported) {
            return Ok((changes, Vec::new()));
        }
        if is_new {
            (property.changed_revision, property.changed_at) = (report.revision, Some(now).into());
        }
        let fulfilled = if property.state.desired.is_none() { wish } else { None };
        self.settle(&report.twin, place, now);
        changes.readings.insert((report.twin.clone(), place));
        let stands = report.value.as_ref().filter(|_| report.fresh);
        let events = stands.map(|value| self.reported(&key, value, fulfilled.as_ref())).unwrap_or_default();
        Ok((changes, events))
    }

    fn check_room(&self, report: &Report, place: u16) -> Result<(), Refusal> {
        let length = |value: &Option<Value>| if let Some(Value::Text(text)) = value { text.len() } else { 0 };
        // Short ones cannot sum up to too much.
        if length(&report.value) <= MOST_TEXT_OF_TWIN / MAX_PROPERTIES {
            return Ok(());
        }
        let known = self.twins.get(&report.twin).into_iter().flat_map(HotTwin::known);
        let others = known.filter(|(other, _)| *other != place);
        let texts = others.filter_map(|(_, other)| other.state.reported.as_ref()).map(|known| length(&known.value));
        if texts.sum::<usize>() + length(&report.value) > MOST_TEXT_OF_TWIN {
            let message = format!("{} reports more than {MOST_TEXT_OF_TWIN} bytes of text", report.twin);
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
        Ok(())
    }

    /// When [`due`](Self::due) will have something.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// What changed because time passed, and the commands that ended by it.
    pub fn due(&mut self, now: Timestamp) -> (Changes, Vec<LogEvent>) {
        let (mut changes, mut events) = (Changes::default(), Vec::new());
        while let Some((at, due)) = self.deadlines.first().cloned().filter(|(at, _)| *at <= now) {
            self.deadlines.pop_first();
            match due {
                Due::Property(id, place) => {
                    if let Some(property) = self.twins.get_mut(&id).and_then(|twin| twin.property_mut(place)) {
                        debug_assert_eq!(property.deadline.get(), Some(at), "one deadline for each property");
                        property.deadline = When::NEVER;
                    }
                    if self.settle(&id, place, now) {
                        changes.readings.insert((id, place));
                    }
                }
                Due::Command(id) => events.extend(self.command_due(id, &mut changes, now)),
                Due::Call(id) => self.call_due(id, &mut changes),
                Due::Purchase(id) => self.purchase_due(id, now, &mut changes),
                Due::Heartbeat(system) => changes.merge(self.heartbeat_due(&system, now)),
                Due::Measure(system) => events.extend(self.measure_due(&system, now)),
                Due::Lease(id) => self.lease_due(id, now, &mut changes),
                Due::Access => {
                    changes.access = true;
                    self.next_expiry();
                }
            }
        }
        (changes, events)
    }
}
