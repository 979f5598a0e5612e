//! The template schema: commands and states in the device's own words.

use minijinja::value::Value as Variable;
use vestibule_model::{FeatureInfo, Value};

use super::{
    Abilities, Component, Decoded, Reports, brightness, color_of, effect, kelvin, scaled, temperature, temperatures,
};
use crate::components::number::{parse, variable};
use crate::components::{Inlet, Message, Outlet, Publish, is_unknown, number, word};
use crate::discovery::{ConfigProblem, Fields};

/// The scale of brightness in this schema.
const SCALE: f64 = 255.0;

#[derive(Debug)]
pub(super) struct Light {
    info: FeatureInfo,
    /// What each template reads, all from the state topic.
    inlets: Vec<(&'static str, Inlet)>,
    topic: Option<Inlet>,
    on: Outlet,
    off: Outlet,
    abilities: Abilities,
    as_kelvin: bool,
}

const READ: [(&str, &str); 7] = [
    ("on", "state_template"),
    ("brightness", "brightness_template"),
    ("red", "red_template"),
    ("green", "green_template"),
    ("blue", "blue_template"),
    ("color_temp", "color_temp_template"),
    ("effect", "effect_template"),
];

impl Light {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        for field in ["command_on_template", "command_off_template"] {
            fields.required(field, fields.text(field)?)?;
        }
        let on = fields.required("command_topic", fields.outlet("command_topic", "command_on_template")?)?;
        let off = fields.required("command_topic", fields.outlet("command_topic", "command_off_template")?)?;
        let topic = fields.inlet("state_topic", "")?;
        let mut inlets = Vec::new();
        for (what, field) in READ {
            if let (true, Some(inlet)) = (fields.has(field), fields.inlet("state_topic", field)?) {
                inlets.push((what, inlet));
            }
        }
        let has = |field: &str| fields.has(field);
        let color = has("red_template") && has("green_template") && has("blue_template");
        let abilities = Abilities {
            assumed: topic.is_none() || !has("state_template") || fields.flag("optimistic")?,
            brightness: has("brightness_template"),
            color: color.then_some(Reports::Exactly),
            temperature: if has("color_temp_template") { Some(temperatures(fields)?) } else { None },
            effects: if has("effect_template") { fields.list("effect_list")?.unwrap_or_default() } else { Vec::new() },
        };
        let info = abilities.describe(fields)?;
        Ok(Self { info, inlets, topic, on, off, abilities, as_kelvin: fields.flag("color_temp_kelvin")? })
    }

    fn take(&self, what: &str, said: &str, channels: &mut Vec<f64>, out: &mut Vec<Decoded>) {
        if what == "on" && is_unknown(said) {
            out.push(Decoded::Unknown("on"));
        }
        if said.is_empty() || is_unknown(said) {
            return;
        }
        match (what, parse(said)) {
            ("on", _) if said == "on" || said == "off" => out.push(Decoded::Value("on", Value::Bool(said == "on"))),
            ("on", _) => out.push(Decoded::Problem(format!("{said:?} is neither on nor off"))),
            ("effect", _) => out.extend(effect(said, &self.abilities.effects)),
            ("brightness", Some(level)) => out.push(Decoded::Value("brightness", brightness(level, SCALE))),
            ("color_temp", Some(number)) => out.extend(kelvin(number, self.as_kelvin)),
            (_, Some(channel)) => channels.push(channel),
            (_, None) => out.push(Decoded::Problem(format!("{said:?} is no {what}"))),
        }
    }
}

impl Component for Light {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        self.topic.iter().map(|topic| topic.filter.as_str()).collect()
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        let mut said = Vec::new();
        for (what, inlet) in &mut self.inlets {
            said.extend(inlet.text(message, &mut out).map(|text| (*what, text)));
        }
        let mut channels = Vec::new();
        for (what, text) in said {
            self.take(what, &text, &mut channels, &mut out);
        }
        if let [r, g, b] = channels[..] {
            out.push(Decoded::Value("color", Value::Color([r, g, b].map(|c| super::color::byte(c / 255.0)))));
        }
        out
    }

    fn encode(&self, action: &str, input: Option<&Value>) -> Result<Vec<Publish>, String> {
        let mut outlet = &self.on;
        let mut variables = vec![("state", Variable::from("on"))];
        match action {
            "turn_on" => {}
            "turn_off" => outlet = &self.off,
            "set_brightness" => {
                let share = number(input)?;
                if share > 0.0 {
                    variables.push(("brightness", variable(scaled(share, SCALE))))
                } else {
                    outlet = &self.off
                }
            }
            "set_color" => {
                let color = color_of(input)?;
                let (hue, saturation) = super::color::to_hs(color);
                for (name, channel) in ["red", "green", "blue"].into_iter().zip(color) {
                    variables.push((name, Variable::from(channel)));
                }
                variables.extend([("hue", Variable::from(hue)), ("sat", Variable::from(saturation))]);
            }
            "set_color_temp" => {
                variables.push(("color_temp", variable(temperature(number(input)?, self.as_kelvin))));
            }
            "set_effect" => variables.push(("effect", Variable::from(word(input)?))),
            _ => return Err(format!("it cannot {action}")),
        }
        if std::ptr::eq(outlet, &self.off) {
            variables[0].1 = Variable::from("off");
        }
        Ok(vec![outlet.send(Variable::from(()), variables)?])
    }
}
