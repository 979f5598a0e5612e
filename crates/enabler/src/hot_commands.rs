//! Commands on their way (DTS, P2.15 to P2.18): which reports they wait for, when they end.

use std::{collections::BTreeSet, sync::Arc};

use vestibule_model::{
    CommandId, CommandStatus, Desired, PropertyId, Refusal, RefusalCode, SystemId, Timestamp, Value,
};

use crate::{Changes, CommandRecord, Hot, LogEvent, State, WishKey};

/// Milliseconds that a command gets at a time while the thing says that it moves.
const MOVING_MS: u64 = 5_000;
/// And altogether, beyond its own time: the slowest gates and awnings take two minutes.
const MOVING_MOST_MS: u64 = 180_000;

/// A command that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct OpenCommand {
    record: Arc<CommandRecord>,
    /// When its time ends, as it is scheduled.
    due: Timestamp,
    /// When the twin's system said that it passed it on.
    executed: Option<Timestamp>,
    /// Properties that should report and have not.
    unmet: BTreeSet<PropertyId>,
    /// Properties that never report.
    assumed: BTreeSet<PropertyId>,
}

impl Hot {
    /// Starts to watch an accepted command.
    pub(crate) fn open_command(&mut self, record: &Arc<CommandRecord>) {
        let id = record.command.id;
        let (mut unmet, mut assumed) = (BTreeSet::new(), BTreeSet::new());
        for wish in &record.wishes {
            let key = record.key(&wish.property);
            let is_assumed = self.state_of(&key).is_some_and(|(_, about)| about.assumed);
            if is_assumed { &mut assumed } else { &mut unmet }.insert(wish.property.clone());
            self.waiting.entry(key).or_default().insert(id);
        }
        let due = record.end();
        self.schedule_command(due, id);
        self.commands.insert(id, OpenCommand { record: record.clone(), due, executed: None, unmet, assumed });
    }

    /// Stops to watch it: nothing more is decided about it.
    fn close_command(&mut self, id: CommandId) -> Option<OpenCommand> {
        let open = self.commands.remove(&id)?;
        self.unschedule_command(open.due, id);
        for wish in &open.record.wishes {
            let key = open.record.key(&wish.property);
            if let Some(waiting) = self.waiting.get_mut(&key) {
                waiting.remove(&id);
                if waiting.is_empty() {
                    self.waiting.remove(&key);
                }
            }
        }
        Some(open)
    }

    pub(crate) fn follow_accepted(&mut self, state: &State, now: Timestamp, id: CommandId, changes: &mut Changes) {
        let Some(record) = state.commands.get(&id) else { return };
        for wish in &record.wishes {
            let key = record.key(&wish.property);
            let desired = state.wishes.get(&key).filter(|wish| wish.command == id).cloned();
            if desired.is_some() {
                self.set_wish(&key, desired, now, changes);
            }
        }
        if record.is_open() {
            self.open_command(record);
        }
        changes.commands.push(record.update(record.status.clone(), record.at));
    }

    pub(crate) fn follow_dispatched(&mut self, state: &State, id: CommandId, changes: &mut Changes) {
        let (Some(record), Some(open)) = (state.commands.get(&id), self.commands.get_mut(&id)) else { return };
        open.record = record.clone();
        changes.commands.push(record.update(record.status.clone(), record.at));
    }

    pub(crate) fn follow_ended(&mut self, state: &State, now: Timestamp, id: CommandId, changes: &mut Changes) {
        self.close_command(id);
        let Some(record) = state.commands.get(&id) else { return };
        for wish in &record.wishes {
            let key = record.key(&wish.property);
            let mine = |desired: &Desired| desired.command == id;
            let shown = self.state_of(&key).and_then(|(state, _)| state.desired.as_deref().cloned());
            // A wish that a report has ended, or a newer one, stays as it is.
            if shown.as_ref().is_some_and(mine) {
                let kept = state.wishes.get(&key).filter(|desired| mine(desired)).cloned();
                if kept != shown {
                    self.set_wish(&key, kept, now, changes);
                }
            }
        }
        changes.systems.insert(record.command.twin.system());
        changes.commands.push(record.update(record.status.clone(), record.at));
    }

    /// A property reported `value`: the commands that end by it, and a wish that came true after its command's end.
    pub(crate) fn reported(&mut self, key: &WishKey, value: &Value, fulfilled: Option<&Desired>) -> Vec<LogEvent> {
        let mut events = Vec::new();
        if let Some(wish) = fulfilled.filter(|wish| !self.commands.contains_key(&wish.command)) {
            let (twin, feature, property) = key.clone();
            events.push(LogEvent::WishEnded { command: wish.command, twin, feature, property });
        }
        let waiting: Vec<_> = self.waiting.get(key).into_iter().flatten().copied().collect();
        let Some((_, about)) = self.state_of(key) else { return events };
        let about = about.clone();
        for id in waiting {
            let Some(open) = self.commands.get_mut(&id).filter(|open| open.record.dispatched) else { continue };
            let mut wishes = open.record.wishes.iter();
            let wanted = wishes.any(|wish| wish.property == key.2 && about.fulfils(value, &wish.value));
            if wanted && (open.unmet.remove(&key.2) || open.assumed.remove(&key.2)) {
                events.extend(self.end_if_met(id));
            }
        }
        events
    }

    /// The end of a command that waits for nothing any more.
    fn end_if_met(&mut self, id: CommandId) -> Option<LogEvent> {
        let open = self.commands.get(&id)?;
        if !open.unmet.is_empty() {
            return None;
        }
        let can_report = !open.record.wishes.is_empty() && open.assumed.is_empty();
        if can_report {
            Some(self.end(id, CommandStatus::Confirmed, Vec::new()))
        } else if open.executed.is_some() {
            let assumed = open.assumed.iter().cloned().collect();
            Some(self.end(id, CommandStatus::Commanded, assumed))
        } else {
            None
        }
    }

    fn end(&mut self, command: CommandId, status: CommandStatus, unmet: Vec<PropertyId>) -> LogEvent {
        self.close_command(command);
        LogEvent::CommandEnded { command, status, unmet }
    }

    /// Whether another command still has to turn this property into something else: what it reports now may be over
    /// before it counts for `id`.
    fn is_contested(&self, key: &WishKey, id: CommandId, value: &Value) -> bool {
        let Some((_, about)) = self.state_of(key) else { return false };
        self.waiting.get(key).into_iter().flatten().filter(|other| **other != id).any(|other| {
            self.commands.get(other).is_some_and(|open| {
                let differs = |wish: &crate::Wish| wish.property == key.2 && !about.fulfils(value, &wish.value);
                open.record.dispatched && open.unmet.contains(&key.2) && open.record.wishes.iter().any(differs)
            })
        })
    }

    /// Takes off what the thing reports already.
    fn meet_reported(&mut self, id: CommandId, changes: &mut Changes, now: Timestamp, even_contested: bool) {
        let Some(open) = self.commands.get(&id) else { return };
        let record = open.record.clone();
        let unmet = record.wishes.iter().filter(|wish| open.unmet.contains(&wish.property));
        let mut met = Vec::new();
        for wish in unmet {
            let key = record.key(&wish.property);
            let Some((state, about)) = self.state_of(&key) else { continue };
            let said = state.reported.as_ref().filter(|report| report.fresh).and_then(|report| report.value.as_ref());
            let fulfils = said.is_some_and(|value| about.fulfils(value, &wish.value));
            if fulfils && (even_contested || !self.is_contested(&key, id, &wish.value)) {
                let shown = state.desired.as_ref().is_some_and(|desired| desired.command == id);
                met.push((key, shown));
            }
        }
        for (key, shown) in met {
            if let Some(open) = self.commands.get_mut(&id) {
                open.unmet.remove(&key.2);
            }
            if shown {
                self.set_wish(&key, None, now, changes);
            }
        }
    }

    /// How an execution went, as its system says.
    pub(crate) fn outcome(
        &mut self,
        system: &SystemId,
        id: CommandId,
        status: &CommandStatus,
        now: Timestamp,
    ) -> Result<(Changes, Vec<LogEvent>), Refusal> {
        let mut changes = Changes::default();
        // One that has ended, or is not this system's: nothing follows, and nothing is told about it.
        let Some(open) = self.commands.get_mut(&id).filter(|open| open.record.command.twin.system() == *system) else {
            return Ok((changes, Vec::new()));
        };
        if !open.record.dispatched {
            return Err(Refusal::new(RefusalCode::Invalid, format!("command {id} was not given to {system} yet")));
        }
        match status {
            CommandStatus::Executed => {
                if open.executed.is_some() {
                    return Ok((changes, Vec::new()));
                }
                open.executed = Some(now);
                let update = open.record.update(CommandStatus::Executed, now);
                self.meet_reported(id, &mut changes, now, false);
                let end = self.end_if_met(id);
                if end.is_none() {
                    changes.commands.push(update);
                }
                Ok((changes, end.into_iter().collect()))
            }
            CommandStatus::Failed { reason } => {
                let reason = reason.chars().take(500).collect();
                let unmet = open.unmet.iter().cloned().collect();
                let end = self.end(id, CommandStatus::Failed { reason }, unmet);
                Ok((changes, vec![end]))
            }
            other => {
                let message = format!("a twin system says executed or failed, not {other}");
                Err(Refusal::new(RefusalCode::Invalid, message))
            }
        }
    }

    /// A command's time has ended.
    pub(crate) fn command_due(&mut self, id: CommandId, changes: &mut Changes, now: Timestamp) -> Option<LogEvent> {
        let open = self.commands.get(&id)?;
        if !open.record.dispatched {
            // The thing was never told: it owes nothing.
            return Some(self.end(id, CommandStatus::Expired, Vec::new()));
        }
        self.meet_reported(id, changes, now, true);
        if let Some(end) = self.end_if_met(id) {
            return Some(end);
        }
        if self.extend(id, changes, now) {
            return None;
        }
        let unmet = self.commands.get(&id)?.unmet.iter().cloned().collect();
        Some(self.end(id, CommandStatus::Expired, unmet))
    }

    /// Gives a command more time while the thing says that it is on its way; whether that is so.
    fn extend(&mut self, id: CommandId, changes: &mut Changes, now: Timestamp) -> bool {
        let Some(open) = self.commands.get(&id) else { return false };
        let (record, unmet) = (open.record.clone(), open.unmet.clone());
        let most = record.end().plus(MOVING_MOST_MS);
        if now >= most || !self.is_moving(&record.command.twin, &record.command.feature, &unmet, now) {
            return false;
        }
        let until = now.plus(MOVING_MS).min(most);
        for property in &unmet {
            self.extend_wish(&record.key(property), id, until, now, changes);
        }
        self.unschedule_command(self.commands.get(&id).map_or(until, |open| open.due), id);
        if let Some(open) = self.commands.get_mut(&id) {
            open.due = until;
        }
        self.schedule_command(until, id);
        true
    }

    /// How far a command is by now: what the log does not know is that it was executed.
    #[must_use]
    pub fn status_of(&self, record: &CommandRecord) -> (CommandStatus, Timestamp) {
        match self.commands.get(&record.command.id).and_then(|open| open.executed) {
            Some(at) if record.is_open() => (CommandStatus::Executed, at),
            _ => (record.status.clone(), record.at),
        }
    }

    /// How many commands have not ended.
    #[must_use]
    pub fn open_commands(&self) -> usize {
        self.commands.len()
    }
}
