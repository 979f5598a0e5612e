//! The JSON schema: one topic each way, as Zigbee2MQTT and ESPHome have it.

use minijinja::value::Value as Variable;
use serde_json::{Map, Value as Json, json};
use vestibule_model::{FeatureInfo, Value};

use super::color::{from_hs, from_xy, to_hs, to_xy, with_white};
use super::{
    Abilities, Component, Decoded, Reports, brightness, color_of, effect, kelvin, scaled, temperature, temperatures,
};
use crate::components::{Inlet, Message, Outlet, Publish, filters, number, text, word};
use crate::discovery::{ConfigProblem, Fields};

/// Modes with colours, the best first.
const COLORS: [&str; 5] = ["rgb", "rgbw", "rgbww", "hs", "xy"];

#[derive(Debug)]
pub(super) struct Light {
    info: FeatureInfo,
    state: Option<Inlet>,
    command: Outlet,
    abilities: Abilities,
    /// The mode to send colours in.
    color: Option<&'static str>,
    /// Whether devices name the mode with each colour; before Home Assistant 2025.3 they need not.
    modes: bool,
    scale: f64,
    as_kelvin: bool,
}

impl Light {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let mut command = fields.required("command_topic", fields.outlet("command_topic", "")?)?;
        command.template = None;
        let state = fields.inlet("state_topic", "")?;
        // The flag `color_mode` of older documents says nothing that these do not.
        let modes = fields.list("supported_color_modes")?;
        let flags = |names: &[&str]| names.iter().any(|name| fields.flag(name).unwrap_or(false));
        let listed = |mode: &str| modes.as_ref().is_some_and(|modes| modes.iter().any(|m| m == mode));
        let color = match &modes {
            Some(_) => COLORS.into_iter().find(|mode| listed(mode)),
            None => ["rgb", "hs", "xy"].into_iter().find(|flag| flags(&[flag])),
        };
        let temperature = listed("color_temp") || (modes.is_none() && flags(&["color_temp"]));
        let dims = modes.as_ref().is_some_and(|modes| modes.iter().any(|mode| mode != "onoff"));
        let abilities = Abilities {
            assumed: state.is_none() || fields.flag("optimistic")?,
            brightness: dims || fields.flag("brightness")?,
            color: color.map(|mode| if mode.starts_with("rgb") { Reports::Exactly } else { Reports::Roughly }),
            temperature: if temperature { Some(temperatures(fields)?) } else { None },
            effects: if fields.flag("effect")? { fields.list("effect_list")?.unwrap_or_default() } else { Vec::new() },
        };
        let scale = fields.number_or("brightness_scale", 255.0)?;
        if scale < 1.0 {
            return Err(ConfigProblem::Wrong { field: "brightness_scale".to_owned(), wanted: "1 or more" });
        }
        let info = abilities.describe(fields)?;
        let as_kelvin = fields.flag("color_temp_kelvin")?;
        Ok(Self { info, state, command, abilities, color, modes: modes.is_some(), scale, as_kelvin })
    }

    fn take(&self, fields: &Map<String, Json>, out: &mut Vec<Decoded>) {
        match fields.get("state").and_then(Json::as_str) {
            Some("ON") => out.push(Decoded::Value("on", Value::Bool(true))),
            Some("OFF") => out.push(Decoded::Value("on", Value::Bool(false))),
            _ if fields.get("state").is_some_and(Json::is_null) => out.push(Decoded::Unknown("on")),
            _ => {}
        }
        let float = |field: &str| fields.get(field).and_then(Json::as_f64);
        // Home Assistant takes a brightness of 0 for nothing said: the lamp keeps what it had.
        if let Some(level) = float("brightness").filter(|level| *level > 0.0 && self.abilities.brightness) {
            out.push(Decoded::Value("brightness", brightness(level, self.scale)));
        }
        let mode = fields.get("color_mode").and_then(Json::as_str);
        if let Some(color) = fields.get("color").and_then(Json::as_object).filter(|_| self.abilities.color.is_some())
            && mode.is_none_or(|mode| COLORS.contains(&mode))
            && (mode.is_some() || !self.modes)
        {
            match read(color, mode) {
                Some(color) => out.push(Decoded::Value("color", Value::Color(color))),
                None => out.push(Decoded::Problem("a colour is not complete".to_owned())),
            }
        }
        if let Some(number) = float("color_temp").filter(|_| self.abilities.temperature.is_some())
            && mode.is_none_or(|mode| mode == "color_temp")
            && (mode.is_some() || !self.modes)
        {
            out.extend(kelvin(number, self.as_kelvin));
        }
        if let Some(name) = fields.get("effect").and_then(Json::as_str) {
            out.extend(effect(name, &self.abilities.effects));
        }
    }

    fn paint(&self, color: [u8; 3]) -> Json {
        let [r, g, b] = color;
        match self.color {
            Some("hs") => {
                let (h, s) = to_hs(color);
                json!({ "h": h, "s": s })
            }
            Some("xy") => {
                let (x, y) = to_xy(color);
                json!({ "x": x, "y": y })
            }
            Some("rgbw") => json!({ "r": r, "g": g, "b": b, "w": 0 }),
            Some("rgbww") => json!({ "r": r, "g": g, "b": b, "c": 0, "w": 0 }),
            _ => json!({ "r": r, "g": g, "b": b }),
        }
    }
}

/// A colour from its fields; of several, the one that the mode names.
fn read(color: &Map<String, Json>, mode: Option<&str>) -> Option<[u8; 3]> {
    let float = |field: &str| color.get(field).and_then(Json::as_f64);
    let byte = |field: &str| float(field).map(|number| super::color::byte(number / 255.0));
    let rgb = || Some([byte("r")?, byte("g")?, byte("b")?]);
    match mode {
        Some("hs") => Some(from_hs(float("h")?, float("s")?)),
        Some("xy") => Some(from_xy(float("x")?, float("y")?)),
        Some("rgb") => rgb(),
        Some("rgbw") => Some(with_white(rgb()?, byte("w")?)),
        Some("rgbww") => Some(with_white(rgb()?, byte("w")?.max(byte("c")?))),
        _ => rgb()
            .or_else(|| Some(from_xy(float("x")?, float("y")?)))
            .or_else(|| Some(from_hs(float("h")?, float("s")?))),
    }
}

impl Component for Light {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        let Some(payload) = text(&mut self.state, message, &mut out) else { return out };
        match crate::discovery::json(payload.as_bytes()) {
            Some(Json::Object(fields)) => self.take(&fields, &mut out),
            _ if payload.is_empty() => {}
            _ => out.push(Decoded::Problem("the state of a light has to be a JSON object".to_owned())),
        }
        out
    }

    fn encode(&self, action: &str, input: Option<&Value>) -> Result<Vec<Publish>, String> {
        let mut said = json!({ "state": "ON" });
        match action {
            "turn_on" => {}
            "turn_off" => said = json!({ "state": "OFF" }),
            "set_brightness" => {
                let share = number(input)?;
                if share > 0.0 {
                    said["brightness"] = whole(scaled(share, self.scale))
                } else {
                    said = json!({ "state": "OFF" })
                }
            }
            "set_color" => said["color"] = self.paint(color_of(input)?),
            "set_color_temp" => said["color_temp"] = whole(temperature(number(input)?, self.as_kelvin)),
            "set_effect" => said["effect"] = word(input)?.into(),
            _ => return Err(format!("it cannot {action}")),
        }
        Ok(vec![self.command.send(Variable::from(said.to_string()), Vec::new())?])
    }
}

/// A number that JSON writes without a fraction.
#[expect(clippy::cast_possible_truncation, reason = "brightness and colour temperature are small")]
fn whole(number: f64) -> Json {
    Json::from(number.round() as i64)
}
