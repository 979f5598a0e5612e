//! Commands as the log remembers them (DTS, FGMV-29 8.3.4).

use serde::{Deserialize, Serialize};
use vestibule_model::{Command, CommandStatus, FeatureId, PropertyId, RuleId, Timestamp, TwinId, UserId, Value};
use vestibule_protocol::{CommandUpdate, Execution};

use crate::Fingerprint;

/// What a property should become.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// A property of the command's feature.
    pub property: PropertyId,
    /// What it should become.
    pub value: Value,
}

/// A property of a feature of a twin, wherever its description puts it.
pub type WishKey = (TwinId, FeatureId, PropertyId);

/// A command that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// What was asked.
    pub command: Command,
    /// By whom.
    pub user: UserId,
    /// The device that it came from, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Fingerprint>,
    /// Which rule let them.
    pub rule: RuleId,
    /// What should be reported once it has worked.
    pub wishes: Vec<Wish>,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Whether the twin's system was given it.
    pub dispatched: bool,
    /// The fencing token of the lease under which it acts.
    #[serde(default)]
    pub fence: Option<u64>,
    /// How far it is by the log. That it was executed is hot, and only [`Hot`](crate::Hot) knows.
    pub status: CommandStatus,
    /// When that was.
    pub at: Timestamp,
}

impl CommandRecord {
    /// Whether something may still follow.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.status.is_final()
    }

    /// Whether it may no longer be executed at `now`.
    #[must_use]
    pub fn is_late(&self, now: Timestamp) -> bool {
        now > self.command.not_after
    }

    /// The first moment at which it is late.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        self.command.not_after.plus(1)
    }

    /// Where the wish for `property` is kept.
    #[must_use]
    pub fn key(&self, property: &PropertyId) -> WishKey {
        (self.command.twin.clone(), self.command.feature.clone(), property.clone())
    }

    /// How far it is, for people.
    #[must_use]
    pub fn update(&self, status: CommandStatus, at: Timestamp) -> CommandUpdate {
        CommandUpdate {
            command: self.command.id,
            user: self.user.clone(),
            twin: self.command.twin.clone(),
            feature: self.command.feature.clone(),
            action: self.command.action.clone(),
            status,
            at,
        }
    }

    /// What the twin's system is given.
    #[must_use]
    pub fn execution(&self) -> Execution {
        execution(&self.command, self.fence)
    }

    /// Whether `other` asks for the same: what makes a repetition of one of an accident with its id. Its validity may
    /// differ, as where it is told relative to the moment of asking: the first one counts.
    #[must_use]
    pub fn is_repeated_by(&self, other: &Command) -> bool {
        let same_input = match (&self.command.input, &other.input) {
            // The log's JSON may round the last bits.
            (Some(Value::Float(mine)), Some(Value::Float(theirs))) => {
                (mine - theirs).abs() <= mine.abs() * 4.0 * f64::EPSILON
            }
            (mine, theirs) => mine == theirs,
        };
        let rest = |command: &Command| Command { input: None, trace: None, not_after: Timestamp(0), ..command.clone() };
        same_input && rest(&self.command) == rest(other)
    }
}

/// What the twin's system is given for `command`, under the fencing token of its lease.
pub(crate) fn execution(command: &Command, fence: Option<u64>) -> Execution {
    Execution {
        command: command.id,
        twin: command.twin.clone(),
        feature: command.feature.clone(),
        action: command.action.clone(),
        input: command.input.clone(),
        not_after: command.not_after,
        trace: command.trace,
        fence,
    }
}
