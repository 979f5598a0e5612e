//! Physical truth (DTS, FGMV-29 8.3.4): what things say now, latest wins, never written to a disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vestibule_model::{
    CallId, CallUpdate, CommandId, Desired, FeatureId, MAX_PROPERTIES, PropertyId, PropertyInfo, PropertyState,
    Refusal, RefusalCode, Reported, SystemId, Timestamp, Truth, TwinId, TwinInfo, UserId, Value,
};
use vestibule_protocol::{CommandUpdate, Occurrence, Report, WireReading};

use crate::{LogEvent, State, WishKey, hot_commands::OpenCommand, hot_systems::Link};

/// Bytes of texts that one twin can have reported: its view has to fit a frame.
const MOST_TEXT_OF_TWIN: usize = 512 * 1024;

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
    /// Agreements that ended.
    pub deauthorized: Vec<(UserId, SystemId)>,
    /// Rules or users changed: everybody's world may look different.
    pub access: bool,
}

impl Changes {
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
        self.deauthorized.extend(other.deauthorized);
        self.access |= other.access;
    }
}

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
}

#[derive(Clone, Debug)]
pub(crate) struct HotProperty {
    about: PropertyInfo,
    state: PropertyState,
    /// The revision at which the value last became another one.
    changed_revision: u64,
    /// The truth that was last told.
    told: Truth,
    /// Where it stands in the deadlines.
    deadline: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(crate) struct HotTwin {
    index: BTreeMap<(FeatureId, PropertyId), u16>,
    pub(crate) properties: Vec<HotProperty>,
    /// Whether its system says that the device is connected.
    pub(crate) device: bool,
}

/// What things and systems say now, and what must happen when they say nothing.
#[derive(Clone, Debug, Default)]
pub struct Hot {
    pub(crate) twins: BTreeMap<TwinId, HotTwin>,
    pub(crate) systems: BTreeMap<SystemId, Link>,
    /// When something has to become of each open call.
    pub(crate) call_deadlines: BTreeMap<CallId, Timestamp>,
    /// Answers that came too late, by system: at most one entry for each registered one.
    pub(crate) late_answers: BTreeMap<SystemId, u64>,
    // Every property has at most one entry, every command and system one: bounded by what is described.
    pub(crate) deadlines: BTreeSet<(Timestamp, Due)>,
    pub(crate) commands: BTreeMap<CommandId, OpenCommand>,
    /// Open commands by the properties that they wait for.
    pub(crate) waiting: BTreeMap<WishKey, BTreeSet<CommandId>>,
}

impl Hot {
    /// What is known after a start: every twin of `state`, nothing reported, wishes and open commands as they were.
    #[must_use]
    pub fn restore(state: &State, now: Timestamp) -> Self {
        let mut hot = Self::default();
        for twin in state.twins.values() {
            hot.describe(&twin.info, now);
        }
        for (key, wish) in state.wishes.iter() {
            hot.set_wish(key, Some(wish.clone()), now, &mut Changes::default());
        }
        for record in state.open.iter().filter_map(|id| state.commands.get(id)) {
            hot.open_command(record);
        }
        hot.restore_calls(state, now);
        hot
    }

    /// Follows a decision after it was written and applied to `state`.
    pub fn follow(&mut self, state: &State, now: Timestamp, event: &LogEvent) -> Changes {
        let mut changes = Changes::default();
        match event {
            LogEvent::RuleSet { .. } | LogEvent::RuleRemoved { .. } | LogEvent::DeviceEnrolled { .. } => {
                changes.access = true;
            }
            LogEvent::SystemRegistered { info, .. } => {
                changes.systems.insert(info.id.clone());
            }
            LogEvent::TwinDescribed { info } => {
                if let Some(twin) = state.twins.get(&info.id) {
                    self.describe(&twin.info, now);
                }
                changes.twins.insert(info.id.clone());
                changes.systems.insert(info.id.system());
            }
            LogEvent::TwinGone { twin } => {
                self.remove(twin);
                changes.twins.insert(twin.clone());
                changes.systems.insert(twin.system());
            }
            LogEvent::CommandAccepted { command, .. } => self.follow_accepted(state, now, command.id, &mut changes),
            LogEvent::CommandDispatched { command } => self.follow_dispatched(state, *command, &mut changes),
            LogEvent::CommandEnded { command, .. } => self.follow_ended(state, now, *command, &mut changes),
            LogEvent::CallAccepted { call, .. } => self.follow_call(state, call.id, &mut changes),
            LogEvent::StepDispatched { call, .. }
            | LogEvent::StepEnded { call, .. }
            | LogEvent::CallStopped { call, .. }
            | LogEvent::CallEnded { call, .. } => self.follow_call(state, *call, &mut changes),
            LogEvent::Deauthorized { user, system, .. } => changes.deauthorized.push((user.clone(), system.clone())),
            LogEvent::WishEnded { .. }
            | LogEvent::PseudonymsSalted { .. }
            | LogEvent::Authorized { .. }
            | LogEvent::TwinAcquired { .. } => {}
        }
        changes
    }

    fn describe(&mut self, info: &Arc<TwinInfo>, now: Timestamp) {
        let mut before = self.remove(&info.id);
        let mut twin = HotTwin { index: BTreeMap::new(), properties: Vec::new(), device: false };
        for (place, (feature, property, about)) in (0_u16..).zip(info.properties()) {
            let key = (feature.clone(), property.clone());
            let known = before.as_mut().and_then(|old| {
                let place = *old.index.get(&key)?;
                old.properties.get_mut(usize::from(place))
            });
            // A value that the property can no longer have was never said of it.
            let known = known.filter(|old| {
                old.state.reported.as_ref().is_none_or(|report| about.value.accepts(&report.value).is_ok())
            });
            let (state, changed_revision) =
                known.map(|old| (std::mem::take(&mut old.state), old.changed_revision)).unwrap_or_default();
            let (about, told) = (about.clone(), Truth::Stale);
            twin.properties.push(HotProperty { about, state, changed_revision, told, deadline: None });
            twin.index.insert(key, place);
        }
        twin.device = before.is_some_and(|old| old.device);
        let count = twin.properties.len();
        self.twins.insert(info.id.clone(), twin);
        self.settle_all(&info.id, count, now);
    }

    fn remove(&mut self, id: &TwinId) -> Option<HotTwin> {
        let twin = self.twins.remove(id)?;
        for (place, property) in (0_u16..).zip(&twin.properties) {
            if let Some(at) = property.deadline {
                self.deadlines.remove(&(at, Due::Property(id.clone(), place)));
            }
        }
        Some(twin)
    }

    pub(crate) fn settle_all(&mut self, id: &TwinId, count: usize, now: Timestamp) {
        for place in (0_u16..).take(count) {
            self.settle(id, place, now);
        }
    }

    /// Works out a property's truth and its next deadline; whether the truth is another than was told.
    fn settle(&mut self, id: &TwinId, place: u16, now: Timestamp) -> bool {
        let reachable = self.is_reachable(id);
        let Some(property) = self.twins.get_mut(id).and_then(|twin| twin.properties.get_mut(usize::from(place))) else {
            return false;
        };
        let truth = property.state.truth(&property.about, reachable, now);
        let changed = std::mem::replace(&mut property.told, truth) != truth;
        let next = property.state.next_change(&property.about, now);
        let before = std::mem::replace(&mut property.deadline, next);
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

    fn property(&self, key: &WishKey) -> Option<&HotProperty> {
        let twin = self.twins.get(&key.0)?;
        let place = twin.index.get(&(key.1.clone(), key.2.clone()))?;
        twin.properties.get(usize::from(*place))
    }

    fn place(&self, key: &WishKey) -> Option<u16> {
        self.twins.get(&key.0)?.index.get(&(key.1.clone(), key.2.clone())).copied()
    }

    pub(crate) fn state_of(&self, key: &WishKey) -> Option<(&PropertyState, &PropertyInfo)> {
        self.property(key).map(|property| (&property.state, &property.about))
    }

    pub(crate) fn set_wish(&mut self, key: &WishKey, wish: Option<Desired>, now: Timestamp, changes: &mut Changes) {
        let Some(place) = self.place(key) else { return };
        let twin = self.twins.get_mut(&key.0);
        if let Some(property) = twin.and_then(|twin| twin.properties.get_mut(usize::from(place))) {
            property.state.desired = wish;
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
        let property = self.twins.get(id)?.properties.get(usize::from(place))?;
        Some(WireReading {
            value: property.state.reported.as_ref().map(|report| report.value.clone()),
            desired: property.state.desired.as_ref().map(|wish| wish.value.clone()),
            truth: property.state.truth(&property.about, self.is_reachable(id), now),
            age_ms: property.state.age_ms(now),
            revision: property.state.reported.as_ref().map_or(0, |report| report.revision),
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
        let property = self.twins.get_mut(&report.twin).and_then(|twin| twin.properties.get_mut(usize::from(place)));
        let property = property.ok_or_else(not_found)?;
        property.about.value.accepts(&report.value).map_err(|error| {
            let message = format!("{} of {} of {}: {error}", report.property, report.feature, report.twin);
            Refusal::new(RefusalCode::Invalid, message)
        })?;
        let known = property.state.reported.as_ref();
        let is_new = known.is_none_or(|known| known.value != report.value);
        let wish = property.state.desired.clone();
        // A clock ahead of ours would keep an old report fresh.
        let reported = Reported { value: report.value.clone(), at: report.at.min(now), revision: report.revision };
        if !property.state.report(reported) {
            return Ok((changes, Vec::new()));
        }
        if is_new {
            property.changed_revision = report.revision;
        }
        let fulfilled = if property.state.desired.is_none() { wish } else { None };
        self.settle(&report.twin, place, now);
        changes.readings.insert((report.twin.clone(), place));
        let events = self.reported(&key, &report.value, fulfilled.as_ref());
        Ok((changes, events))
    }

    fn check_room(&self, report: &Report, place: u16) -> Result<(), Refusal> {
        let length = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
        // Short ones cannot sum up to too much.
        if length(&report.value) <= MOST_TEXT_OF_TWIN / MAX_PROPERTIES {
            return Ok(());
        }
        let properties = self.twins.get(&report.twin).map_or(&[][..], |twin| &twin.properties);
        let others = properties.iter().enumerate().filter(|(other, _)| *other != usize::from(place));
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
                    let twin = self.twins.get_mut(&id);
                    if let Some(property) = twin.and_then(|twin| twin.properties.get_mut(usize::from(place))) {
                        debug_assert_eq!(property.deadline, Some(at), "one deadline for each property");
                        property.deadline = None;
                    }
                    if self.settle(&id, place, now) {
                        changes.readings.insert((id, place));
                    }
                }
                Due::Command(id) => events.extend(self.command_due(id, &mut changes, now)),
                Due::Call(id) => self.call_due(id, &mut changes),
                Due::Heartbeat(system) => changes.merge(self.heartbeat_due(&system, now)),
            }
        }
        (changes, events)
    }
}
