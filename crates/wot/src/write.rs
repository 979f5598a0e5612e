//! Which action, if any, is the same as writing a property.

use serde_json::Value as Json;
use vestibule_model::{ActionId, Expect, FeatureInfo, PropertyId, Value, ValueType};

use crate::{JsonError, from_json};

/// How a property is written: by the action that sets exactly that property, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Writer<'a> {
    /// The action takes the value.
    Input {
        /// The action.
        action: &'a ActionId,
        /// What it takes.
        takes: &'a ValueType,
    },
    /// One action for *on*, another one for *off*; neither takes anything.
    Switch {
        /// Makes it true.
        on: &'a ActionId,
        /// Makes it false.
        off: &'a ActionId,
    },
}

/// How `property` of `feature` is written; `None`: it is only read.
///
/// The actions of a view are those that the user may perform: what they may not do, they cannot write.
#[must_use]
pub fn writer<'a>(feature: &'a FeatureInfo, property: &PropertyId) -> Option<Writer<'a>> {
    let info = feature.properties.get(property)?;
    let setting = || {
        feature.actions.iter().filter_map(|(id, action)| match action.effects.as_slice() {
            [effect] if effect.property == *property => Some((id, action, &effect.expect)),
            _ => None,
        })
    };
    let by_input = setting().find_map(|(id, action, expect)| {
        let takes = action.input.as_ref().filter(|input| **input == info.value)?;
        (*expect == Expect::Input).then_some(Writer::Input { action: id, takes })
    });
    let switch = |to: bool| {
        let sets = move |expect: &Expect| *expect == Expect::Value(Value::Bool(to));
        setting().find(|(_, action, expect)| action.input.is_none() && sets(expect)).map(|(id, ..)| id)
    };
    by_input.or_else(|| {
        let switchable = info.value == ValueType::Bool;
        switchable.then(|| Some(Writer::Switch { on: switch(true)?, off: switch(false)? })).flatten()
    })
}

impl<'a> Writer<'a> {
    /// The action that writes `json`, and what it is given.
    ///
    /// # Errors
    /// [`JsonError`] where the property does not take it.
    pub fn action(self, json: &Json) -> Result<(&'a ActionId, Option<Value>), JsonError> {
        match self {
            Self::Input { action, takes } => Ok((action, Some(from_json(json, takes)?))),
            Self::Switch { on, off } => {
                let value = from_json(json, &ValueType::Bool)?;
                Ok((if value.as_bool() == Some(true) { on } else { off }, None))
            }
        }
    }
}
