//! A thermostat in a room that loses heat to the outside: a first-order model.
//!
//! Between switchings the room tends exponentially to an equilibrium, which is solved exactly, so
//! the temperature does not depend on how time is cut into steps beyond the switching grid.

use serde_json::json;

use crate::model::{Model, text};

/// Outside temperature, degrees Celsius.
const OUTSIDE_C: f64 = 8.0;
/// How far above the outside the heater alone would bring the room, kelvin.
const HEATER_LIFT_K: f64 = 25.0;
/// Time constant of the room, simulated milliseconds.
const TAU_MS: f64 = 1_800_000.0;
/// The thermostat decides on this grid, simulated milliseconds.
const DECIDE_EVERY_MS: u64 = 1_000;
/// Heating starts this far below the target and ends this far above it, kelvin.
const HYSTERESIS_K: f64 = 0.2;
/// In `auto` the target is lowered by this at night, kelvin.
const NIGHT_SETBACK_K: f64 = 2.0;
/// A home starts at noon.
const STARTS_AT_HOUR: u64 = 12;

/// What the thermostat is set to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    Heat,
    Auto,
}

/// A thermostat and its room.
pub(crate) struct Thermostat {
    mode: Mode,
    target_c: f64,
    room_c: f64,
    heating: bool,
    powered: bool,
    stepped_ms: u64,
}

impl Thermostat {
    pub(crate) fn new() -> Thermostat {
        Thermostat { mode: Mode::Heat, target_c: 19.0, room_c: 19.0, heating: false, powered: true, stepped_ms: 0 }
    }

    fn aims_at(&self) -> f64 {
        let hour = (STARTS_AT_HOUR + self.stepped_ms / 3_600_000) % 24;
        let night = !(6..22).contains(&hour);
        if self.mode == Mode::Auto && night { self.target_c - NIGHT_SETBACK_K } else { self.target_c }
    }

    fn decide(&mut self) {
        let aim = self.aims_at();
        self.heating = match self.mode {
            _ if !self.powered => false,
            Mode::Off => false,
            _ if self.room_c < aim - HYSTERESIS_K => true,
            _ if self.room_c > aim + HYSTERESIS_K => false,
            _ => self.heating,
        };
    }

    fn drift(&mut self, ms: u64) {
        let lift = if self.heating { HEATER_LIFT_K } else { 0.0 };
        let rest = OUTSIDE_C + lift;
        self.room_c = rest + (self.room_c - rest) * (-(ms as f64) / TAU_MS).exp();
        self.stepped_ms += ms;
    }
}

impl Model for Thermostat {
    fn listens(&self) -> &'static [&'static str] {
        &["mode/set", "target/set"]
    }

    fn on_command(&mut self, now_ms: u64, tail: &str, payload: &[u8]) {
        self.step(now_ms);
        match (tail, text(payload)) {
            ("mode/set", Some("off")) => self.mode = Mode::Off,
            ("mode/set", Some("heat")) => self.mode = Mode::Heat,
            ("mode/set", Some("auto")) => self.mode = Mode::Auto,
            ("target/set", Some(number)) => match number.parse::<f64>() {
                Ok(target) if (5.0..=30.0).contains(&target) => {
                    self.target_c = (target * 2.0).round() / 2.0;
                }
                _ => return,
            },
            _ => return,
        }
        self.decide();
    }

    fn on_power(&mut self, now_ms: u64, on: bool) {
        self.step(now_ms);
        self.powered = on;
        self.decide();
    }

    fn step(&mut self, now_ms: u64) {
        // At most a day of decisions in one step; a longer gap drifts the rest of the way at once.
        for _ in 0..86_400 {
            if now_ms.saturating_sub(self.stepped_ms) < DECIDE_EVERY_MS {
                return;
            }
            self.decide();
            self.drift(DECIDE_EVERY_MS);
        }
        self.drift(now_ms.saturating_sub(self.stepped_ms));
    }

    fn states(&self) -> Vec<(&'static str, String)> {
        let mode = match self.mode {
            Mode::Off => "off",
            Mode::Heat => "heat",
            Mode::Auto => "auto",
        };
        let action = match (self.mode, self.heating) {
            (Mode::Off, _) => "off",
            (_, true) => "heating",
            (_, false) => "idle",
        };
        let room = (self.room_c * 10.0).round() / 10.0;
        let body = json!({
            "mode": mode, "target": self.target_c, "current": room, "action": action,
        });
        vec![("state", body.to_string())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warms_to_the_target_and_holds_it() {
        let mut room = Thermostat::new();
        room.on_command(0, "target/set", b"22");
        assert!(room.heating);
        room.step(600_000);
        assert!(room.room_c > 21.9, "{}", room.room_c);
        for now in (600_000..7_200_000).step_by(20_000) {
            room.step(now);
            assert!((21.7..=22.3).contains(&room.room_c), "{} at {now}", room.room_c);
        }
    }

    #[test]
    fn cools_when_off_and_never_below_the_outside() {
        let mut room = Thermostat::new();
        room.on_command(0, "mode/set", b"off");
        room.step(1_800_000);
        assert!(room.room_c < 13.0 && !room.heating);
        room.step(500_000_000);
        assert!(room.room_c >= OUTSIDE_C);
        assert!(room.states()[0].1.contains(r#""action":"off""#));
    }

    #[test]
    fn refuses_targets_out_of_range() {
        let mut room = Thermostat::new();
        for payload in [&b"4.9"[..], b"31", b"NaN", b"inf", b"warm", b"\xff"] {
            room.on_command(0, "target/set", payload);
        }
        assert_eq!(room.target_c, 19.0);
    }
}
