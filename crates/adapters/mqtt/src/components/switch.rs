//! Switches: relays, plugs.

use vestibule_model::{FeatureInfo, FeatureKind, Value, ValueType};

use super::feature::{feature, property, simple};
use super::{Component, Decoded, Inlet, Message, Outlet, Publish, filters, is_unknown, text};
use crate::discovery::{ConfigProblem, Fields};

#[derive(Debug)]
pub(super) struct Switch {
    info: FeatureInfo,
    state: Option<Inlet>,
    command: Outlet,
    payload_on: String,
    payload_off: String,
    state_on: String,
    state_off: String,
}

impl Switch {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let command = fields.required("command_topic", fields.outlet("command_topic", "command_template")?)?;
        let state = fields.inlet("state_topic", "value_template")?;
        let assumed = state.is_none() || fields.flag("optimistic")?;
        let mut info = feature(fields, FeatureKind::Switch)?;
        property(&mut info, "on", ValueType::Bool, assumed);
        simple(&mut info, "turn_on", &[("on", Value::Bool(true))], None);
        simple(&mut info, "turn_off", &[("on", Value::Bool(false))], None);
        let payload_on = fields.text_or("payload_on", "ON")?;
        let payload_off = fields.text_or("payload_off", "OFF")?;
        let state_on = fields.text_or("state_on", &payload_on)?;
        let state_off = fields.text_or("state_off", &payload_off)?;
        Ok(Self { info, state, command, payload_on, payload_off, state_on, state_off })
    }
}

impl Component for Switch {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        if let Some(payload) = text(&mut self.state, message, &mut out) {
            if payload == self.state_on {
                out.push(Decoded::Value("on", Value::Bool(true)));
            } else if payload == self.state_off {
                out.push(Decoded::Value("on", Value::Bool(false)));
            } else if is_unknown(&payload) {
                out.push(Decoded::Unknown("on"));
            } else if !payload.is_empty() {
                out.push(Decoded::Problem(format!(
                    "{payload:?} is neither {:?} nor {:?}",
                    self.state_on, self.state_off
                )));
            }
        }
        out
    }

    fn encode(&self, action: &str, _: Option<&Value>) -> Result<Vec<Publish>, String> {
        match action {
            "turn_on" => Ok(vec![self.command.say(&self.payload_on)?]),
            "turn_off" => Ok(vec![self.command.say(&self.payload_off)?]),
            _ => Err(format!("it cannot {action}")),
        }
    }
}
