//! Thermostats.

use vestibule_model::{FeatureInfo, FeatureKind, Value, ValueType};

use super::feature::{feature, one_of, property, said, setter};
use super::number::{parse, value_of, variable};
use super::{Component, Decoded, Inlet, Message, Outlet, Publish, filters, is_unknown, text, word};
use crate::discovery::{ConfigProblem, Fields};

const MODES: [&str; 6] = ["auto", "off", "cool", "heat", "dry", "fan_only"];
const ACTIONS: [&str; 8] = ["off", "heating", "cooling", "drying", "idle", "fan", "preheating", "defrosting"];

#[derive(Debug)]
pub(super) struct Climate {
    info: FeatureInfo,
    mode: Option<Inlet>,
    target: Option<Inlet>,
    current: Option<Inlet>,
    action: Option<Inlet>,
    set_mode: Option<Outlet>,
    set_target: Option<Outlet>,
    modes: Vec<String>,
    fahrenheit: bool,
}

impl Climate {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let mode = fields.inlet("mode_state_topic", "mode_state_template")?;
        let target = fields.inlet("temperature_state_topic", "temperature_state_template")?;
        let current = fields.inlet("current_temperature_topic", "current_temperature_template")?;
        let action = fields.inlet("action_topic", "action_template")?;
        let set_mode = fields.outlet("mode_command_topic", "mode_command_template")?;
        let set_target = fields.outlet("temperature_command_topic", "temperature_command_template")?;
        let optimistic = fields.flag("optimistic")?;
        let fahrenheit = fields.text("temperature_unit")?.is_some_and(|unit| unit.trim_start_matches('°') == "F");
        let modes = fields.list("modes")?.unwrap_or_else(|| MODES.map(str::to_owned).to_vec());
        let mut climate = Self {
            info: feature(fields, FeatureKind::Climate)?,
            mode,
            target,
            current,
            action,
            set_mode,
            set_target,
            modes,
            fahrenheit,
        };
        climate.describe(fields, optimistic)?;
        Ok(climate)
    }

    fn describe(&mut self, fields: Fields<'_>, optimistic: bool) -> Result<(), ConfigProblem> {
        let info = &mut self.info;
        if self.mode.is_some() || self.set_mode.is_some() {
            property(info, "mode", ValueType::OneOf(self.modes.clone()), optimistic || self.mode.is_none());
        }
        if self.set_mode.is_some() {
            setter(info, "set_mode", ValueType::OneOf(self.modes.clone()), Some("mode"), None);
        }
        if self.target.is_some() || self.set_target.is_some() {
            let (min, max) = if self.fahrenheit { (44.6, 95.0) } else { (7.0, 35.0) };
            let (min, max) = (fields.number_or("min_temp", min)?, fields.number_or("max_temp", max)?);
            if min >= max {
                return Err(ConfigProblem::Wrong { field: "max_temp".to_owned(), wanted: "greater than `min_temp`" });
            }
            let step = fields.number_or("temp_step", 1.0)?;
            let step = if self.fahrenheit { step / 1.8 } else { step };
            let (min, max) = (celsius(min, self.fahrenheit), celsius(max, self.fahrenheit));
            let range = ValueType::Number { min, max, step };
            property(info, "target", range.clone(), optimistic || self.target.is_none()).unit = Some("°C".to_owned());
            if self.set_target.is_some() {
                setter(info, "set_target", range, Some("target"), None);
            }
        }
        if self.current.is_some() {
            property(info, "current", ValueType::AnyNumber, false).unit = Some("°C".to_owned());
        }
        if self.action.is_some() {
            property(info, "action", one_of(ACTIONS), false);
        }
        Ok(())
    }
}

fn celsius(degrees: f64, fahrenheit: bool) -> f64 {
    if fahrenheit { ((degrees - 32.0) / 1.8 * 100.0).round() / 100.0 } else { degrees }
}

fn listed(property: &'static str, payload: &str, known: &[String], out: &mut Vec<Decoded>) {
    if known.iter().any(|word| word == payload) {
        out.push(Decoded::Value(property, said(payload)));
    } else if is_unknown(payload) {
        out.push(Decoded::Unknown(property));
    } else if !payload.is_empty() {
        out.push(Decoded::Problem(format!("{payload:?} is no {property} of it")));
    }
}

impl Component for Climate {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.mode, &self.target, &self.current, &self.action])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        if let Some(payload) = text(&mut self.mode, message, &mut out) {
            listed("mode", &payload, &self.modes, &mut out);
        }
        if let Some(payload) = text(&mut self.action, message, &mut out) {
            listed("action", &payload, &ACTIONS.map(str::to_owned), &mut out);
        }
        for (property, inlet) in [("target", &mut self.target), ("current", &mut self.current)] {
            if let Some(payload) = text(inlet, message, &mut out) {
                match parse(&payload) {
                    Some(degrees) => out.push(Decoded::Value(property, value_of(celsius(degrees, self.fahrenheit)))),
                    None if payload.is_empty() => {}
                    None if is_unknown(&payload) => out.push(Decoded::Unknown(property)),
                    None => out.push(Decoded::Problem(format!("{payload:?} is no temperature"))),
                }
            }
        }
        out
    }

    fn encode(&self, action: &str, input: Option<&Value>) -> Result<Vec<Publish>, String> {
        match (action, &self.set_mode, &self.set_target) {
            ("set_mode", Some(outlet), _) => Ok(vec![outlet.say(word(input)?)?]),
            ("set_target", _, Some(outlet)) => {
                let degrees = super::number(input)?;
                let degrees = if self.fahrenheit { ((degrees * 1.8 + 32.0) * 10.0).round() / 10.0 } else { degrees };
                Ok(vec![outlet.send(variable(degrees), Vec::new())?])
            }
            _ => Err(format!("it cannot {action}")),
        }
    }
}
