use std::collections::BTreeMap;

use bevy_ecs::prelude::*;
use vestibule_model::{ActionId, CommandId, CommandStatus, EventKind, FeatureId, Refusal, TwinId, Value};

/// Tells a request's answers apart from those of others: chosen by whoever sends it, any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ActuationTicket(pub u64);

/// Request: have the twin's physical object do something (S4 step 7).
#[derive(Message, Clone, Debug)]
pub struct ActuateTwin {
    /// Comes back with every answer.
    pub ticket: ActuationTicket,
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// What it should do.
    pub action: ActionId,
    /// With what.
    pub input: Option<Value>,
    /// Milliseconds for which the wish is good; `None`: the action's own time and a margin.
    pub valid_for_ms: Option<u64>,
}

/// Fact: how far a command has come. Several for each command; the last one has a final status.
#[derive(Message, Clone, Debug)]
pub struct TwinActuated {
    /// The request's ticket; `None` for commands of other people.
    pub ticket: Option<ActuationTicket>,
    /// The command.
    pub command: CommandId,
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// What it should do.
    pub action: ActionId,
    /// How far it is.
    pub status: CommandStatus,
}

/// Fact: a request was refused, and why. Nothing was done.
#[derive(Message, Clone, Debug)]
pub struct ActuationRefused {
    /// The request's ticket.
    pub ticket: ActuationTicket,
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// What it should have done.
    pub action: ActionId,
    /// Why not, with the deciding rule.
    pub refusal: Refusal,
}

/// Fact: something happened at the physical object: the doorbell was pressed.
#[derive(Message, Clone, Debug)]
pub struct TwinOccurred {
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// What happened.
    pub event: EventKind,
    /// Details, by name.
    pub details: BTreeMap<String, Value>,
    /// Milliseconds between the happening and its arrival here.
    pub age_ms: u64,
}

/// Fact: a twin can be seen from now on.
#[derive(Message, Clone, Debug)]
pub struct TwinAppeared {
    /// The twin.
    pub twin: TwinId,
    /// Its root entity.
    pub entity: Entity,
}

/// Fact: a twin is gone, or may no longer be seen.
#[derive(Message, Clone, Debug)]
pub struct TwinVanished {
    /// The twin.
    pub twin: TwinId,
}
