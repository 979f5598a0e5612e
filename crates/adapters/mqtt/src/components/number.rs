//! Numbers that can be set.

use minijinja::value::Value as Variable;
use vestibule_model::{FeatureInfo, FeatureKind, Value, ValueType};

use super::feature::{feature, property, setter};
use super::{Component, Decoded, Inlet, Message, Outlet, Publish, filters, is_unknown, text};
use crate::discovery::{ConfigProblem, Fields, cut};

#[derive(Debug)]
pub(super) struct Number {
    info: FeatureInfo,
    state: Option<Inlet>,
    command: Outlet,
    reset: String,
}

impl Number {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let command = fields.required("command_topic", fields.outlet("command_topic", "command_template")?)?;
        let state = fields.inlet("state_topic", "value_template")?;
        let assumed = state.is_none() || fields.flag("optimistic")?;
        let (min, max) = (fields.number_or("min", 1.0)?, fields.number_or("max", 100.0)?);
        let step = fields.number_or("step", 1.0)?;
        if min >= max {
            return Err(ConfigProblem::Wrong { field: "max".to_owned(), wanted: "greater than `min`" });
        }
        if step < 0.001 {
            return Err(ConfigProblem::Wrong { field: "step".to_owned(), wanted: "0.001 or more" });
        }
        let range = ValueType::Number { min, max, step };
        let mut info = feature(fields, FeatureKind::Number)?;
        property(&mut info, "value", range.clone(), assumed).unit =
            fields.text("unit_of_measurement")?.map(|u| cut(&u));
        setter(&mut info, "set", range, Some("value"), None);
        Ok(Self { info, state, command, reset: fields.text_or("payload_reset", "None")? })
    }
}

/// A number as a value: whole ones as such.
pub(super) fn value_of(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if number.fract() == 0.0 && number.abs() < 9.0e15 { Value::Int(number as i64) } else { Value::Float(number) }
}

/// A number as a template's variable: whole ones as such, as Home Assistant has them.
pub(super) fn variable(number: f64) -> Variable {
    match value_of(number) {
        Value::Int(whole) => Variable::from(whole),
        _ => Variable::from(number),
    }
}

/// A finite number in a text.
pub(super) fn parse(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

impl Component for Number {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        if let Some(payload) = text(&mut self.state, message, &mut out) {
            match parse(&payload) {
                _ if payload == self.reset => out.push(Decoded::Unknown("value")),
                Some(number) => out.push(Decoded::Value("value", value_of(number))),
                None if payload.is_empty() => {}
                None if is_unknown(&payload) => out.push(Decoded::Unknown("value")),
                None => out.push(Decoded::Problem(format!("{payload:?} is no number"))),
            }
        }
        out
    }

    fn encode(&self, action: &str, input: Option<&Value>) -> Result<Vec<Publish>, String> {
        if action != "set" {
            return Err(format!("it cannot {action}"));
        }
        Ok(vec![self.command.send(variable(super::number(input)?), Vec::new())?])
    }
}
