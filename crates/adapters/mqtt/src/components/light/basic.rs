//! The basic schema: a topic for each ability, as Tasmota, Shelly and WLED have it.

use minijinja::value::Value as Variable;
use vestibule_model::{FeatureInfo, Value};

use super::color::{byte, from_hs, from_xy, to_hs, to_xy, with_white};
use super::{
    Abilities, Component, Decoded, Reports, brightness, color_of, effect, kelvin, numbers, scaled, temperature,
    temperatures,
};
use crate::components::number::{parse, variable};
use crate::components::{Inlet, Message, Outlet, Publish, filters, is_unknown, number, text, word};
use crate::discovery::{ConfigProblem, Fields};

/// Ways to say a colour, the best first.
const SPACES: [&str; 5] = ["rgb", "rgbw", "rgbww", "hs", "xy"];

#[derive(Debug)]
pub(super) struct Light {
    info: FeatureInfo,
    state: Option<Inlet>,
    command: Outlet,
    on: String,
    off: String,
    /// `last`, `first` or `brightness`: when the payload for on is sent.
    on_type: String,
    brightness: Option<Inlet>,
    set_brightness: Option<Outlet>,
    scale: f64,
    /// The last brightness, for lamps that are turned on by it.
    level: f64,
    /// The last colour that it reported.
    shown: [u8; 3],
    colors: Vec<(&'static str, Inlet)>,
    set_color: Option<(&'static str, Outlet)>,
    temperature: Option<Inlet>,
    set_temperature: Option<Outlet>,
    as_kelvin: bool,
    effect: Option<Inlet>,
    set_effect: Option<Outlet>,
    abilities: Abilities,
}

impl Light {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let command = fields.required("command_topic", fields.outlet("command_topic", "")?)?;
        let state_template = if fields.has("state_value_template") { "state_value_template" } else { "value_template" };
        let state = fields.inlet("state_topic", state_template)?;
        let (mut colors, mut set_color) = (Vec::new(), None);
        for space in SPACES {
            if let Some(inlet) = fields.inlet(&format!("{space}_state_topic"), &format!("{space}_value_template"))? {
                colors.push((space, inlet));
            }
            let outlet = fields.outlet(&format!("{space}_command_topic"), &format!("{space}_command_template"))?;
            set_color = set_color.or(outlet.map(|outlet| (space, outlet)));
        }
        let mut light = Self {
            info: super::feature(fields, vestibule_model::FeatureKind::Light)?,
            state,
            command,
            on: fields.text_or("payload_on", "ON")?,
            off: fields.text_or("payload_off", "OFF")?,
            on_type: fields.text_or("on_command_type", "last")?,
            brightness: fields.inlet("brightness_state_topic", "brightness_value_template")?,
            set_brightness: fields.outlet("brightness_command_topic", "brightness_command_template")?,
            scale: fields.number_or("brightness_scale", 255.0)?,
            level: 1.0,
            shown: [255; 3],
            colors,
            set_color,
            temperature: fields.inlet("color_temp_state_topic", "color_temp_value_template")?,
            set_temperature: fields.outlet("color_temp_command_topic", "color_temp_command_template")?,
            as_kelvin: fields.flag("color_temp_kelvin")?,
            effect: fields.inlet("effect_state_topic", "effect_value_template")?,
            set_effect: fields.outlet("effect_command_topic", "effect_command_template")?,
            abilities: Abilities::default(),
        };
        if light.scale < 1.0 {
            return Err(ConfigProblem::Wrong { field: "brightness_scale".to_owned(), wanted: "1 or more" });
        }
        light.describe(fields)?;
        Ok(light)
    }

    fn describe(&mut self, fields: Fields<'_>) -> Result<(), ConfigProblem> {
        let optimistic = fields.flag("optimistic")?;
        self.abilities = Abilities {
            assumed: optimistic || self.state.is_none(),
            brightness: self.set_brightness.is_some() || self.by_color(),
            color: self
                .set_color
                .as_ref()
                .map(|(space, _)| if space.starts_with("rgb") { Reports::Exactly } else { Reports::Roughly }),
            temperature: if self.set_temperature.is_some() { Some(temperatures(fields)?) } else { None },
            effects: match &self.set_effect {
                Some(_) => fields.list("effect_list")?.unwrap_or_default(),
                None => Vec::new(),
            },
        };
        self.info = self.abilities.describe(fields)?;
        // Each ability is reported on a topic of its own, or not at all.
        for (id, reported) in [
            ("brightness", self.brightness.is_some() || (self.by_color() && !self.colors.is_empty())),
            ("color", !self.colors.is_empty()),
            ("color_temp", self.temperature.is_some()),
            ("effect", self.effect.is_some()),
        ] {
            if let Some(about) = self.info.properties.get_mut(&vestibule_model::PropertyId::slug(id)) {
                about.assumed = optimistic || !reported;
            }
        }
        Ok(())
    }

    /// Whether it is as bright as its colour says: as Home Assistant has lamps with colours and no brightness.
    fn by_color(&self) -> bool {
        self.set_brightness.is_none() && self.set_color.as_ref().is_some_and(|(space, _)| *space == "rgb")
    }

    /// The messages that turn it on and say one thing more.
    fn lit(&self, more: Publish) -> Result<Vec<Publish>, String> {
        let on = self.command.say(&self.on)?;
        Ok(if self.on_type == "first" { vec![on, more] } else { vec![more, on] })
    }

    fn dim(&self, share: f64) -> Result<Vec<Publish>, String> {
        if self.by_color() {
            // The colour stays, scaled to the new brightness.
            let most = f64::from(self.shown.into_iter().max().unwrap_or_default()).max(1.0);
            return self.lit(self.paint(self.shown.map(|channel| byte(f64::from(channel) / most * share)))?);
        }
        let outlet = self.set_brightness.as_ref().ok_or("it cannot be dimmed")?;
        let level = outlet.send(variable(scaled(share, self.scale)), Vec::new())?;
        if self.on_type == "brightness" { Ok(vec![level]) } else { self.lit(level) }
    }

    fn paint(&self, color: [u8; 3]) -> Result<Publish, String> {
        let (space, outlet) = self.set_color.as_ref().ok_or("it has no colours")?;
        let [r, g, b] = color;
        let two = |a: &'static str, b: &'static str, (x, y): (f64, f64)| {
            (format!("{x},{y}"), vec![(a, Variable::from(x)), (b, Variable::from(y))])
        };
        let (plain, mut variables) = match *space {
            "hs" => two("hue", "sat", to_hs(color)),
            "xy" => two("x", "y", to_xy(color)),
            "rgbw" => (format!("{r},{g},{b},0"), vec![("white", Variable::from(0))]),
            "rgbww" => {
                (format!("{r},{g},{b},0,0"), vec![("cold_white", Variable::from(0)), ("warm_white", Variable::from(0))])
            }
            _ => (format!("{r},{g},{b}"), Vec::new()),
        };
        if space.starts_with("rgb") {
            variables.extend(["red", "green", "blue"].into_iter().zip(color.map(Variable::from)));
        }
        outlet.send(Variable::from(plain), variables)
    }
}

/// A colour in a space, from numbers with commas between.
fn read(space: &str, said: &str) -> Option<[u8; 3]> {
    let numbers = numbers(said)?;
    let bytes: Vec<u8> = numbers.iter().map(|number| byte(number / 255.0)).collect();
    Some(match (space, numbers.as_slice(), bytes.as_slice()) {
        ("hs", [h, s], _) => from_hs(*h, *s),
        ("xy", [x, y], _) => from_xy(*x, *y),
        ("rgb", _, [r, g, b]) => [*r, *g, *b],
        ("rgbw", _, [r, g, b, w]) => with_white([*r, *g, *b], *w),
        ("rgbww", _, [r, g, b, c, w]) => with_white([*r, *g, *b], *c.max(w)),
        _ => return None,
    })
}

/// Whether a colour has just been read that shines.
fn color_said(out: &[Decoded]) -> bool {
    matches!(out.last(), Some(Decoded::Value("color", Value::Color(color))) if *color != [0; 3])
}

fn known(said: &str) -> bool {
    !said.is_empty() && !is_unknown(said)
}

impl Component for Light {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        let mut topics = filters([&self.state, &self.brightness, &self.temperature, &self.effect]);
        topics.extend(self.colors.iter().map(|(_, inlet)| inlet.filter.as_str()));
        topics
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        if let Some(said) = text(&mut self.state, message, &mut out).filter(|said| !said.is_empty()) {
            out.push(match said {
                _ if is_unknown(&said) => Decoded::Unknown("on"),
                _ if said == self.on => Decoded::Value("on", Value::Bool(true)),
                _ if said == self.off => Decoded::Value("on", Value::Bool(false)),
                _ => Decoded::Problem(format!("{said:?} is neither {:?} nor {:?}", self.on, self.off)),
            });
        }
        if let Some(said) = text(&mut self.brightness, message, &mut out).filter(|said| known(said)) {
            match parse(&said) {
                Some(level) if level > 0.0 && self.abilities.brightness => {
                    self.level = (level / self.scale).clamp(0.0, 1.0);
                    out.push(Decoded::Value("brightness", brightness(level, self.scale)));
                }
                Some(_) => {}
                None => out.push(Decoded::Problem(format!("{said:?} is no brightness"))),
            }
        }
        let mut painted = Vec::new();
        for (space, inlet) in &mut self.colors {
            painted.extend(inlet.text(message, &mut out).filter(|said| known(said)).map(|said| (*space, said)));
        }
        for (space, said) in painted.into_iter().filter(|_| self.abilities.color.is_some()) {
            out.push(match read(space, &said) {
                Some(color) => {
                    self.shown = if color == [0; 3] { self.shown } else { color };
                    Decoded::Value("color", Value::Color(color))
                }
                None => Decoded::Problem(format!("{said:?} is no colour in {space}")),
            });
            if self.by_color() && self.brightness.is_none() && color_said(&out) {
                let most = self.shown.into_iter().max().unwrap_or_default();
                out.push(Decoded::Value("brightness", Value::Float(f64::from(most) / 255.0)));
            }
        }
        if let Some(said) = text(&mut self.temperature, message, &mut out).filter(|said| known(said)) {
            match parse(&said) {
                Some(number) if self.abilities.temperature.is_some() => {
                    out.extend(kelvin(number, self.as_kelvin));
                }
                Some(_) => {}
                None => out.push(Decoded::Problem(format!("{said:?} is no colour temperature"))),
            }
        }
        if let Some(said) = text(&mut self.effect, message, &mut out) {
            out.extend(effect(&said, &self.abilities.effects));
        }
        out
    }

    fn encode(&self, action: &str, input: Option<&Value>) -> Result<Vec<Publish>, String> {
        let none = || format!("it cannot {action}");
        match action {
            "turn_on" if self.on_type == "brightness" && self.set_brightness.is_some() => self.dim(self.level),
            "turn_on" => Ok(vec![self.command.say(&self.on)?]),
            "turn_off" => Ok(vec![self.command.say(&self.off)?]),
            "set_brightness" if number(input)? > 0.0 => self.dim(number(input)?),
            "set_brightness" => Ok(vec![self.command.say(&self.off)?]),
            "set_color" => self.lit(self.paint(color_of(input)?)?),
            "set_color_temp" => {
                let outlet = self.set_temperature.as_ref().ok_or_else(none)?;
                self.lit(outlet.send(variable(temperature(number(input)?, self.as_kelvin)), Vec::new())?)
            }
            "set_effect" => self.lit(self.set_effect.as_ref().ok_or_else(none)?.say(word(input)?)?),
            _ => Err(none()),
        }
    }
}
