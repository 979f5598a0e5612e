//! Buttons: what is pressed and then over.

use vestibule_model::{FeatureInfo, FeatureKind, Value};

use super::feature::{feature, simple};
use super::{Component, Decoded, Message, Outlet, Publish};
use crate::discovery::{ConfigProblem, Fields};

#[derive(Debug)]
pub(super) struct Button {
    info: FeatureInfo,
    command: Outlet,
    payload: String,
}

impl Button {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let command = fields.required("command_topic", fields.outlet("command_topic", "command_template")?)?;
        let mut info = feature(fields, FeatureKind::Button)?;
        simple(&mut info, "press", &[], None);
        Ok(Self { info, command, payload: fields.text_or("payload_press", "PRESS")? })
    }
}

impl Component for Button {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        Vec::new()
    }

    fn decode(&mut self, _: &Message<'_>) -> Vec<Decoded> {
        Vec::new()
    }

    fn encode(&self, action: &str, _: Option<&Value>) -> Result<Vec<Publish>, String> {
        if action == "press" { Ok(vec![self.command.say(&self.payload)?]) } else { Err(format!("it cannot {action}")) }
    }
}
