//! Commands and what they wish for: this part of the fold of the log.

use std::sync::Arc;

use vestibule_model::{CommandId, CommandStatus, Desired, PropertyId, Timestamp};

use super::State;
use crate::{CommandRecord, LogEvent, Wish};

/// Milliseconds beyond its validity for which an ended command answers its repetitions with its end.
const REMEMBERED_MS: u64 = 10 * 60 * 1_000;

impl State {
    /// Takes what was decided at `at` about commands.
    pub(super) fn apply_commands(&mut self, at: Timestamp, event: &LogEvent) {
        match event {
            LogEvent::CommandAccepted { command, user, rule, wishes, dispatched, device, fence } => {
                let status = if *dispatched { CommandStatus::Dispatched } else { CommandStatus::Accepted };
                let record = CommandRecord {
                    command: command.clone(),
                    user: user.clone(),
                    device: *device,
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
                    self.wishes.remove(&key);
                }
            }
            _ => {}
        }
    }

    fn accepted(&mut self, at: Timestamp, record: CommandRecord) {
        let (id, end) = (record.command.id, record.end());
        for Wish { property, value } in &record.wishes {
            let wish = Desired { value: value.clone(), command: id, since: at, expires: end };
            self.wishes.insert(record.key(property), wish);
        }
        if record.dispatched {
            self.count(&record.command.twin.system(), |stats| stats.commands += 1);
        }
        self.open.insert(id, ());
        self.commands.insert(id, Arc::new(record));
    }

    fn dispatched(&mut self, at: Timestamp, id: CommandId) {
        let Some(record) = self.commands.get(&id).filter(|record| record.is_open() && !record.dispatched) else {
            return;
        };
        let mut record = record.as_ref().clone();
        (record.dispatched, record.status, record.at) = (true, CommandStatus::Dispatched, at);
        self.count(&record.command.twin.system(), |stats| stats.commands += 1);
        self.commands.insert(id, Arc::new(record));
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
            if unmet.contains(&wish.property) {
                if let Some(kept) = self.wishes.get_mut(&key) {
                    kept.expires = kept.expires.min(at);
                }
            } else {
                self.wishes.remove(&key);
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
        self.forget.insert((forget, id), ());
        self.open.remove(&id);
        self.commands.insert(id, Arc::new(record));
    }
}
