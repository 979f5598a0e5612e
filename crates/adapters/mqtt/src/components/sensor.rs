//! Sensors: numbers and texts.

use vestibule_model::{FeatureInfo, FeatureKind, MAX_TEXT, Value, ValueType};

use super::feature::{feature, property};
use super::number::{parse, value_of};
use super::{Component, Decoded, Inlet, Message, filters, is_unknown, text};
use crate::discovery::{ConfigProblem, Fields, cut};

/// Device classes whose sensors report no numbers.
const WORDS: [&str; 3] = ["date", "enum", "timestamp"];

#[derive(Debug)]
pub(super) struct Sensor {
    info: FeatureInfo,
    state: Option<Inlet>,
    numeric: bool,
    options: Option<Vec<String>>,
}

impl Sensor {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let state = Some(fields.required("state_topic", fields.inlet("state_topic", "value_template")?)?);
        let mut info = feature(fields, FeatureKind::Sensor)?;
        let unit = fields.text("unit_of_measurement")?.map(|unit| cut(&unit)).filter(|unit| !unit.is_empty());
        let options = fields.list("options")?.filter(|options| !options.is_empty());
        let words = info.class.as_deref().is_some_and(|class| WORDS.contains(&class)) || options.is_some();
        let numeric = !words && (unit.is_some() || info.class.is_some() || fields.has("state_class"));
        let value = match &options {
            Some(options) => ValueType::OneOf(options.clone()),
            None if numeric => ValueType::AnyNumber,
            #[expect(clippy::cast_possible_truncation, reason = "4096")]
            None => ValueType::Text { max: MAX_TEXT as u32 },
        };
        let about = property(&mut info, "value", value, false);
        about.unit = unit;
        about.period_ms = fields.seconds("expire_after")?;
        Ok(Self { info, state, numeric, options })
    }
}

impl Component for Sensor {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        let Some(payload) = text(&mut self.state, message, &mut out) else { return out };
        if self.numeric && payload.trim().is_empty() {
            return out;
        }
        if is_unknown(&payload) {
            out.push(Decoded::Unknown("value"));
            return out;
        }
        out.push(match (&self.options, parse(&payload)) {
            (Some(options), _) if !options.contains(&payload) => {
                Decoded::Problem(format!("{payload:?} is not one of its options"))
            }
            (None, Some(number)) if self.numeric => Decoded::Value("value", value_of(number)),
            (None, None) if self.numeric => Decoded::Problem(format!("{payload:?} is no number")),
            _ if payload.len() > MAX_TEXT => Decoded::Problem(format!("a text of {} bytes is too long", payload.len())),
            _ => Decoded::Value("value", Value::Text(payload)),
        });
        out
    }
}
