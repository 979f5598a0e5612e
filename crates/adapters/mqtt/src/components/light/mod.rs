//! Lights, in the three schemas of Home Assistant.

use vestibule_model::{ActionId, Effect, Expect, FeatureInfo, FeatureKind, PropertyId, Value, ValueType};

use super::feature::{feature, property, setter, simple};
use super::{Component, Decoded};
use crate::discovery::{ConfigProblem, Fields};

mod basic;
mod color;
mod json;
mod template;

use color::reciprocal;

/// Home Assistant's bounds where a device names none.
const KELVIN: (f64, f64) = (2000.0, 6535.0);

/// Share of a range by which a lamp's report may be off: it rounds to steps of its own.
const NEAR: f64 = 0.03;

/// Makes a light of the schema that it names.
pub(super) fn new(fields: Fields<'_>) -> Result<Box<dyn Component>, ConfigProblem> {
    match fields.text_or("schema", "basic")?.as_str() {
        "basic" => Ok(Box::new(basic::Light::new(fields)?)),
        "json" => Ok(Box::new(json::Light::new(fields)?)),
        "template" => Ok(Box::new(template::Light::new(fields)?)),
        other => Err(ConfigProblem::Unsupported(format!("there is no `schema` {other:?} of lights"))),
    }
}

/// What a light can do.
#[derive(Clone, Debug, Default)]
struct Abilities {
    assumed: bool,
    brightness: bool,
    /// Whether the device reports it; `None`: it has no colours.
    color: Option<Reports>,
    temperature: Option<(f64, f64)>,
    effects: Vec<String>,
}

/// How a colour comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reports {
    /// As it was sent.
    Exactly,
    /// Through another space: rounded, and as bright as can be.
    Roughly,
}

impl Abilities {
    fn describe(&self, fields: Fields<'_>) -> Result<FeatureInfo, ConfigProblem> {
        let mut info = feature(fields, FeatureKind::Light)?;
        let on = [("on", Value::Bool(true))];
        property(&mut info, "on", ValueType::Bool, self.assumed);
        simple(&mut info, "turn_on", &on, None);
        simple(&mut info, "turn_off", &[("on", Value::Bool(false))], None);
        if self.brightness {
            let range = ValueType::Number { min: 0.0, max: 1.0, step: 0.01 };
            property(&mut info, "brightness", range.clone(), self.assumed).tolerance = Some(NEAR);
            setter(&mut info, "set_brightness", range, Some("brightness"), None);
        }
        if let Some(reports) = self.color {
            property(&mut info, "color", ValueType::Color, self.assumed);
            let effect = (reports == Reports::Exactly).then_some("color");
            setter(&mut info, "set_color", ValueType::Color, effect, None);
        }
        if let Some((min, max)) = self.temperature {
            let range = ValueType::Number { min, max, step: 50.0 };
            let about = property(&mut info, "color_temp", range.clone(), self.assumed);
            (about.unit, about.tolerance) = (Some("K".to_owned()), Some((max - min) * NEAR));
            setter(&mut info, "set_color_temp", range, Some("color_temp"), None);
        }
        if !self.effects.is_empty() {
            property(&mut info, "effect", ValueType::OneOf(self.effects.clone()), self.assumed);
            setter(&mut info, "set_effect", ValueType::OneOf(self.effects.clone()), Some("effect"), None);
        }
        for action in ["set_color", "set_color_temp", "set_effect"] {
            if let Some(about) = info.actions.get_mut(&ActionId::slug(action)) {
                about
                    .effects
                    .push(Effect { property: PropertyId::slug("on"), expect: Expect::Value(Value::Bool(true)) });
            }
        }
        Ok(info)
    }
}

/// The bounds of colour temperature in kelvin.
fn temperatures(fields: Fields<'_>) -> Result<(f64, f64), ConfigProblem> {
    let bound = |mireds: &str, kelvin: &str, default: f64| {
        Ok::<_, ConfigProblem>(match fields.number(mireds)?.filter(|mireds| *mireds > 0.0) {
            Some(mireds) => reciprocal(mireds),
            None => fields.number_or(kelvin, default)?,
        })
    };
    let (min, max) = (bound("max_mireds", "min_kelvin", KELVIN.0)?, bound("min_mireds", "max_kelvin", KELVIN.1)?);
    if min >= max {
        return Err(ConfigProblem::Wrong { field: "max_mireds".to_owned(), wanted: "greater than `min_mireds`" });
    }
    Ok((min, max))
}

/// A device's colour temperature in kelvin, also beyond what it says that it can be asked for.
fn kelvin(number: f64, as_kelvin: bool) -> Option<Decoded> {
    let kelvin = if as_kelvin { number.round() } else { reciprocal(number) };
    (kelvin > 0.0).then(|| Decoded::Value("color_temp", super::number::value_of(kelvin)))
}

/// What a device wants for kelvin.
fn temperature(kelvin: f64, as_kelvin: bool) -> f64 {
    if as_kelvin { kelvin.round() } else { reciprocal(kelvin) }
}

/// A brightness between 0 and 1 of a device's.
fn brightness(number: f64, scale: f64) -> Value {
    Value::Float((number / scale).clamp(0.0, 1.0))
}

/// A device's brightness, at least 1: 0 would be off.
fn scaled(share: f64, scale: f64) -> f64 {
    (share.clamp(0.0, 1.0) * scale).round().max(1.0)
}

/// The input's colour.
fn color_of(input: Option<&Value>) -> Result<[u8; 3], String> {
    match input {
        Some(Value::Color(color)) => Ok(*color),
        _ => Err("a colour is missing".to_owned()),
    }
}

/// Numbers with commas between.
fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(super::number::parse).collect()
}

/// What an effect's name says: one of the list, nothing, or trouble.
fn effect(name: &str, known: &[String]) -> Option<Decoded> {
    if known.iter().any(|effect| effect == name) {
        return Some(Decoded::Value("effect", Value::Text(name.to_owned())));
    }
    let nothing = name.is_empty() || super::is_unknown(name) || name.eq_ignore_ascii_case("none") || known.is_empty();
    (!nothing).then(|| Decoded::Problem(format!("{name:?} is not one of its effects")))
}
