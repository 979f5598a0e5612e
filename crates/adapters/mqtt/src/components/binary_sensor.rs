//! Sensors of two states: contacts, motion.

use vestibule_model::{FeatureInfo, FeatureKind, Timestamp, Value, ValueType};

use super::feature::{feature, property};
use super::{Component, Decoded, Inlet, Message, filters, is_unknown, text};
use crate::discovery::{ConfigProblem, Fields};

#[derive(Debug)]
pub(super) struct BinarySensor {
    info: FeatureInfo,
    state: Option<Inlet>,
    on: String,
    off: String,
    off_delay: Option<u64>,
    off_at: Option<Timestamp>,
}

impl BinarySensor {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let state = Some(fields.required("state_topic", fields.inlet("state_topic", "value_template")?)?);
        let mut info = feature(fields, FeatureKind::BinarySensor)?;
        property(&mut info, "on", ValueType::Bool, false).period_ms = fields.seconds("expire_after")?;
        Ok(Self {
            info,
            state,
            on: fields.text_or("payload_on", "ON")?,
            off: fields.text_or("payload_off", "OFF")?,
            off_delay: fields.seconds("off_delay")?,
            off_at: None,
        })
    }
}

impl Component for BinarySensor {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        let Some(payload) = text(&mut self.state, message, &mut out) else { return out };
        if payload == self.on {
            self.off_at = self.off_delay.map(|delay| message.now.plus(delay));
            out.push(Decoded::Value("on", Value::Bool(true)));
        } else if payload == self.off {
            self.off_at = None;
            out.push(Decoded::Value("on", Value::Bool(false)));
        } else if is_unknown(&payload) {
            self.off_at = None;
            out.push(Decoded::Unknown("on"));
        } else if !payload.trim().is_empty() {
            out.push(Decoded::Problem(format!("{payload:?} is neither {:?} nor {:?}", self.on, self.off)));
        }
        out
    }

    fn due(&self) -> Option<Timestamp> {
        self.off_at
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Decoded> {
        if self.off_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.off_at = None;
        vec![Decoded::Value("on", Value::Bool(false))]
    }
}
