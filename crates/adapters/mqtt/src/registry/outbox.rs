//! Commands on their way to the broker: never late, never twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vestibule_model::{CommandId, CommandStatus, Timestamp, TwinId};
use vestibule_protocol::{DiiUp, Execution};

use crate::components::Publish;
use crate::limits::{MAX_REMEMBERED, MAX_UNACKED, MAX_WAITING};

/// Names one message to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A message that is to be published now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Names it when the broker acknowledges.
    pub ticket: Ticket,
    /// What to publish.
    pub publish: Publish,
    /// Seconds after which the broker must not pass it on any more (MQTT 5's message expiry).
    pub expiry_s: u32,
}

/// A late acknowledgement of one message may hold back so many later ones, since packet ids come round again.
const MAX_AHEAD: u64 = 512;

#[derive(Debug)]
struct Waiting {
    command: CommandId,
    publish: Publish,
    not_after: Timestamp,
    twin: TwinId,
    fence: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    next: u64,
    waiting: VecDeque<Waiting>,
    unacked: BTreeMap<Ticket, Waiting>,
    remembered: VecDeque<CommandId>,
    known: BTreeSet<CommandId>,
}

fn outcome(command: CommandId, status: CommandStatus) -> DiiUp {
    DiiUp::Outcome { command, status }
}

/// A command that failed, and why.
pub(super) fn failed(command: CommandId, reason: impl Into<String>) -> DiiUp {
    outcome(command, CommandStatus::Failed { reason: reason.into() })
}

impl Outbox {
    /// Whether a command is new; from now on it is not.
    pub(super) fn remember(&mut self, command: CommandId) -> bool {
        if !self.known.insert(command) {
            return false;
        }
        self.remembered.push_back(command);
        if self.remembered.len() > MAX_REMEMBERED
            && let Some(oldest) = self.remembered.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// Takes a command's messages; they wait until the broker is there or their time has ended.
    pub(super) fn push(&mut self, execution: &Execution, messages: Vec<Publish>, now: Timestamp) -> Result<(), String> {
        if now > execution.not_after {
            return Err("its time had ended when it came".to_owned());
        }
        if messages.is_empty() {
            return Err("there is nothing to publish for it".to_owned());
        }
        if self.waiting.len() + messages.len() > MAX_WAITING {
            return Err("too many commands wait for the broker".to_owned());
        }
        let Execution { command, not_after, twin, fence, .. } = execution;
        let waiting =
            |publish| Waiting { command: *command, publish, not_after: *not_after, twin: twin.clone(), fence: *fence };
        self.waiting.extend(messages.into_iter().map(waiting));
        Ok(())
    }

    /// The next message that may be published now.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Send> {
        let oldest = self.unacked.keys().next().map_or(self.next, |ticket| ticket.0);
        if self.unacked.len() >= MAX_UNACKED || self.next - oldest >= MAX_AHEAD {
            return None;
        }
        if self.waiting.front().is_none_or(|waiting| now > waiting.not_after) {
            return None;
        }
        let waiting = self.waiting.pop_front()?;
        let ticket = Ticket(self.next);
        self.next += 1;
        // Rounded down, since the broker must not be late; 0 would mean another thing to some brokers.
        let seconds = (waiting.not_after.since(now) / 1000).max(1);
        let expiry_s = u32::try_from(seconds).unwrap_or(u32::MAX);
        let send = Send { ticket, publish: waiting.publish.clone(), expiry_s };
        self.unacked.insert(ticket, waiting);
        Some(send)
    }

    /// The broker took a message, or refused it.
    pub(super) fn acknowledged(&mut self, ticket: Ticket, answer: Result<(), String>) -> Option<DiiUp> {
        let command = self.unacked.remove(&ticket)?.command;
        match answer {
            Ok(()) if self.pending(command) => None,
            Ok(()) => Some(outcome(command, CommandStatus::Executed)),
            Err(reason) => {
                self.drop(command);
                Some(failed(command, reason))
            }
        }
    }

    fn pending(&self, command: CommandId) -> bool {
        self.waiting.iter().chain(self.unacked.values()).any(|waiting| waiting.command == command)
    }

    /// Forgets what is left of a command.
    fn drop(&mut self, command: CommandId) {
        self.waiting.retain(|waiting| waiting.command != command);
        self.unacked.retain(|_, waiting| waiting.command != command);
    }

    /// Takes back what was not sent yet of commands about `twin` under such tokens. One that is half sent ends as well:
    /// its other half would come from somebody who may no longer act.
    pub(super) fn revoke(&mut self, twin: &TwinId, which: impl Fn(Option<u64>) -> bool, why: &str) -> Vec<DiiUp> {
        let unsent = self.waiting.iter().filter(|waiting| waiting.twin == *twin && which(waiting.fence));
        let commands: BTreeSet<CommandId> = unsent.map(|waiting| waiting.command).collect();
        commands.iter().for_each(|command| self.drop(*command));
        commands.into_iter().map(|command| failed(command, why)).collect()
    }

    /// Commands whose time has ended.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<DiiUp> {
        let late = |waiting: &&Waiting| now > waiting.not_after;
        let unsent: BTreeSet<CommandId> = self.waiting.iter().filter(late).map(|w| w.command).collect();
        let unsure: BTreeSet<CommandId> = self.unacked.values().filter(late).map(|w| w.command).collect();
        let mut out = Vec::new();
        for command in unsent.union(&unsure) {
            self.drop(*command);
            out.push(failed(
                *command,
                if unsure.contains(command) {
                    "the broker did not confirm in time: whether the device was told is not known"
                } else {
                    "its time ended before the broker could be told; it was not sent"
                },
            ));
        }
        out
    }

    /// The broker is gone: what it has not acknowledged is never sent again.
    pub(super) fn lost(&mut self) -> Vec<DiiUp> {
        let unsure: BTreeSet<CommandId> = self.unacked.values().map(|waiting| waiting.command).collect();
        for command in &unsure {
            self.drop(*command);
        }
        let why = "the connection to the broker broke before it confirmed: whether the device was told is not known";
        unsure.into_iter().map(|command| failed(command, why)).collect()
    }

    /// When [`expire`](Self::expire) will next have something.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.waiting.iter().chain(self.unacked.values()).map(|waiting| waiting.not_after.plus(1)).min()
    }
}
