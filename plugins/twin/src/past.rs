use std::{collections::BTreeMap, sync::Arc};

use bevy_ecs::prelude::*;
use vestibule_model::{
    ActionId, FeatureId, PastEntry, PropertyId, Refusal, Timestamp, TwinId, TwinInfo, UserId, Value,
};

/// Request: look at a twin's past. The answer comes as [`TwinPast`].
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub enum LookBack {
    /// How far back it goes, and how the twin is now.
    Open(TwinId),
    /// How it was at a moment, and what was decided around then.
    At(TwinId, Timestamp),
}

/// A twin's past, as far as the person may see it.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct TwinPast {
    /// Whose it is; `None` until something was asked.
    pub twin: Option<TwinId>,
    /// When it was opened: there is nothing to see after this.
    pub until: Timestamp,
    /// The first moment of which something is kept; `None` until that was answered, and where nothing is.
    pub begins: Option<Timestamp>,
    /// The moment that was asked for last.
    pub at: Timestamp,
    /// How it was then; `None` until that was answered.
    pub moment: Option<PastMoment>,
    /// What was decided around then, oldest first.
    pub decisions: Vec<PastEntry>,
    /// Whether what was decided was answered.
    pub decided: bool,
    /// Why a question had no answer.
    pub problem: Option<Refusal>,
}

/// A twin at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct PastMoment {
    /// The moment.
    pub at: Timestamp,
    /// The twin as it was described then; `None`: there was none then that the person may see.
    pub info: Option<Arc<TwinInfo>>,
    /// What it had reported by then.
    pub readings: BTreeMap<(FeatureId, PropertyId), PastReading>,
    /// What it had been told and had not answered by then.
    pub open: Vec<(UserId, FeatureId, ActionId)>,
    /// Whether every change was kept up to the moment. Where not, readings are the last ones known.
    pub covered: bool,
}

/// A property at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct PastReading {
    /// What it had reported; `None`: nothing, or that nobody knows.
    pub value: Option<Value>,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
}
