//! Lamps that speak Home Assistant's JSON light schema.

use serde::Deserialize;
use serde_json::json;

use crate::glide::Glide;
use crate::hand::LightTruth;
use crate::model::{Model, on_off};

/// Longest transition taken from a command, in seconds.
const MAX_TRANSITION_S: f64 = 300.0;
/// Coldest and warmest white of a colour lamp, in mireds.
pub(crate) const MIREDS: std::ops::RangeInclusive<u16> = 153..=500;

/// What a lamp can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lamp {
    /// Brightness only.
    Dimmable,
    /// Brightness, colour and colour temperature.
    Colour,
}

/// A colour, in the mode it was last set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tint {
    Mireds(u16),
    Rgb([u8; 3]),
}

/// A command of the JSON schema; what is not known is ignored.
#[derive(Debug, Deserialize)]
struct Command {
    state: Option<String>,
    brightness: Option<f64>,
    transition: Option<f64>,
    color_temp: Option<f64>,
    color: Option<Rgb>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Rgb {
    r: u8,
    g: u8,
    b: u8,
}

/// One lamp.
pub(crate) struct Light {
    lamp: Lamp,
    on: bool,
    level: Glide,
    /// Brightness to come back to, 1..=255.
    wanted: u8,
    tint: Tint,
    powered: bool,
}

impl Light {
    pub(crate) fn new(lamp: Lamp) -> Light {
        Light { lamp, on: false, level: Glide::at(0), wanted: 255, tint: Tint::Mireds(370), powered: true }
    }

    fn obey(&mut self, now_ms: u64, command: &Command) {
        let lasts = command.transition.filter(|s| s.is_finite()).unwrap_or(0.0);
        let lasts_ms = (lasts.clamp(0.0, MAX_TRANSITION_S) * 1000.0) as u64;
        let brightness = command.brightness.filter(|b| (0.0..=255.0).contains(b));
        let on = match (command.state.as_deref(), brightness) {
            (Some("OFF"), _) => false,
            (Some("ON"), Some(b)) => b >= 0.5,
            (Some("ON"), None) => true,
            _ => return,
        };
        if !on {
            self.level.go(now_ms, 0, lasts_ms);
            self.on &= self.level.moving();
            return;
        }
        if self.lamp == Lamp::Colour {
            self.tint(command);
        }
        if let Some(b) = brightness {
            self.wanted = (b.round() as u8).max(1);
        }
        self.on = true;
        self.level.go(now_ms, self.wanted, lasts_ms);
    }

    fn tint(&mut self, command: &Command) {
        if let Some(Rgb { r, g, b }) = command.color {
            self.tint = Tint::Rgb([r, g, b]);
        } else if let Some(mireds) = command.color_temp.filter(|m| m.is_finite()) {
            let (cold, warm) = (f64::from(*MIREDS.start()), f64::from(*MIREDS.end()));
            self.tint = Tint::Mireds(mireds.round().clamp(cold, warm) as u16);
        }
    }
}

impl Model for Light {
    fn listens(&self) -> &'static [&'static str] {
        &["set"]
    }

    fn on_command(&mut self, now_ms: u64, tail: &str, payload: &[u8]) {
        self.step(now_ms);
        if tail == "set"
            && let Ok(command) = serde_json::from_slice::<Command>(payload)
        {
            self.obey(now_ms, &command);
        }
    }

    fn on_power(&mut self, now_ms: u64, on: bool) {
        self.level.stop(now_ms);
        self.powered = on;
        if on {
            // Like most bulbs: back to how it was left, at once.
            let level = if self.on { self.wanted } else { 0 };
            self.level = Glide::at(level);
        }
    }

    fn step(&mut self, now_ms: u64) {
        if self.level.step(now_ms) && self.level.is_zero() {
            self.on = false;
        }
    }

    fn states(&self) -> Vec<(&'static str, String)> {
        let mut body = json!({ "state": on_off(self.on) });
        // While fading out the brightness shown may reach zero before the lamp is off.
        let level = if self.on { self.level.shown().max(1) } else { self.wanted };
        body["brightness"] = level.into();
        match (self.lamp, self.tint) {
            (Lamp::Dimmable, _) => body["color_mode"] = "brightness".into(),
            (Lamp::Colour, Tint::Mireds(mireds)) => {
                body["color_mode"] = "color_temp".into();
                body["color_temp"] = mireds.into();
            }
            (Lamp::Colour, Tint::Rgb([r, g, b])) => {
                body["color_mode"] = "rgb".into();
                body["color"] = json!({ "r": r, "g": g, "b": b });
            }
        }
        vec![("state", body.to_string())]
    }

    fn light(&self) -> Option<LightTruth> {
        let lit = self.powered && self.on;
        let (rgb, color_temp_mireds) = match (self.lamp, self.tint) {
            (Lamp::Dimmable, _) => (None, None),
            (_, Tint::Rgb(rgb)) => (Some(rgb), None),
            (_, Tint::Mireds(mireds)) => (None, Some(mireds)),
        };
        Some(LightTruth { on: lit, brightness: if lit { self.level.value() } else { 0 }, rgb, color_temp_mireds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(light: &Light) -> serde_json::Value {
        serde_json::from_str(&light.states()[0].1).unwrap()
    }

    #[test]
    fn switches_dims_and_remembers() {
        let mut light = Light::new(Lamp::Dimmable);
        assert_eq!(report(&light)["state"], "OFF");
        light.on_command(0, "set", br#"{"state":"ON","brightness":80}"#);
        assert_eq!((&report(&light)["state"], &report(&light)["brightness"]), (&"ON".into(), &80.into()));
        light.on_command(0, "set", br#"{"state":"OFF"}"#);
        assert!(!light.light().unwrap().on);
        light.on_command(0, "set", br#"{"state":"ON","color":{"r":1,"g":2,"b":3}}"#);
        assert_eq!(report(&light)["brightness"], 80);
        assert_eq!(report(&light)["color_mode"], "brightness");
    }

    #[test]
    fn a_transition_moves_the_brightness_and_ends() {
        let mut light = Light::new(Lamp::Colour);
        light.on_command(0, "set", br#"{"state":"ON","brightness":200,"transition":2}"#);
        light.step(1_000);
        assert_eq!(report(&light)["brightness"], 100);
        light.step(2_000);
        assert_eq!(report(&light)["brightness"], 200);
        light.on_command(2_000, "set", br#"{"state":"OFF","transition":1}"#);
        light.step(2_500);
        assert_eq!(report(&light)["state"], "ON");
        light.step(3_000);
        assert_eq!(report(&light)["state"], "OFF");
        assert_eq!(light.light().unwrap().brightness, 0);
    }

    #[test]
    fn takes_the_colour_mode_last_asked_for() {
        let mut light = Light::new(Lamp::Colour);
        light.on_command(0, "set", br#"{"state":"ON","color":{"r":10,"g":20,"b":30}}"#);
        assert_eq!(report(&light)["color"]["g"], 20);
        light.on_command(0, "set", br#"{"state":"ON","color_temp":9999}"#);
        assert_eq!(report(&light)["color_temp"], 500);
        assert!(report(&light).get("color").is_none());
    }

    #[test]
    fn nonsense_changes_nothing() {
        let mut light = Light::new(Lamp::Colour);
        let before = light.states();
        for payload in [&b""[..], b"ON", b"{", b"[]", b"{\"state\":1}", b"{\"brightness\":9}", b"\xff"] {
            light.on_command(0, "set", payload);
        }
        light.on_command(0, "set", br#"{"state":"ON","color":{"r":999,"g":0,"b":0}}"#);
        assert_eq!(light.states(), before);
    }
}
