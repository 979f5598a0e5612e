//! One of some options.

use vestibule_model::{FeatureInfo, FeatureKind, Value, ValueType};

use super::feature::{feature, property, said, setter};
use super::{Component, Decoded, Inlet, Message, Outlet, Publish, filters, is_unknown, text, word};
use crate::discovery::{ConfigProblem, Fields};

#[derive(Debug)]
pub(super) struct Select {
    info: FeatureInfo,
    state: Option<Inlet>,
    command: Outlet,
    options: Vec<String>,
}

impl Select {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let command = fields.required("command_topic", fields.outlet("command_topic", "command_template")?)?;
        let state = fields.inlet("state_topic", "value_template")?;
        let assumed = state.is_none() || fields.flag("optimistic")?;
        let options = fields.required("options", fields.list("options")?)?;
        let mut info = feature(fields, FeatureKind::Select)?;
        property(&mut info, "value", ValueType::OneOf(options.clone()), assumed);
        setter(&mut info, "set", ValueType::OneOf(options.clone()), Some("value"), None);
        Ok(Self { info, state, command, options })
    }
}

impl Component for Select {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        if let Some(payload) = text(&mut self.state, message, &mut out) {
            if self.options.contains(&payload) {
                out.push(Decoded::Value("value", said(&payload)));
            } else if is_unknown(&payload) {
                out.push(Decoded::Unknown("value"));
            } else if !payload.is_empty() {
                out.push(Decoded::Problem(format!("{payload:?} is not one of its options")));
            }
        }
        out
    }

    fn encode(&self, action: &str, input: Option<&Value>) -> Result<Vec<Publish>, String> {
        if action == "set" { Ok(vec![self.command.say(word(input)?)?]) } else { Err(format!("it cannot {action}")) }
    }
}
