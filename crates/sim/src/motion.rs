//! A motion sensor with an illuminance sensor; by radar, one also measures the room.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;

use crate::model::{Model, Touch, on_off};

/// How long motion stays reported after the last of it, in simulated milliseconds.
pub(crate) const CLEARS_AFTER_MS: u64 = 20_000;

/// How often illuminance is measured, in simulated milliseconds.
const MEASURE_EVERY_MS: u64 = 10_000;

/// The free place at the wall in its room: width, height and depth in millimetres.
pub(crate) const GAP_MM: [u32; 3] = [820, 1_450, 260];

/// How a sensor writes its readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// One JSON document, read with value templates.
    Json,
    /// One topic for each reading.
    Plain,
}

/// A passive infrared sensor in one room.
pub(crate) struct Motion {
    rng: StdRng,
    dialect: Dialect,
    clears_ms: Option<u64>,
    lux: u32,
    measures_ms: u64,
}

impl Motion {
    pub(crate) fn new(mut rng: StdRng, dialect: Dialect) -> Motion {
        let lux = rng.random_range(120..=180);
        Motion { rng, dialect, clears_ms: None, lux, measures_ms: MEASURE_EVERY_MS }
    }
}

impl Model for Motion {
    fn listens(&self) -> &'static [&'static str] {
        &[]
    }

    fn on_command(&mut self, _now_ms: u64, _tail: &str, _payload: &[u8]) {}

    fn on_touch(&mut self, now_ms: u64, touch: Touch) {
        if touch == Touch::Walk {
            self.clears_ms = Some(now_ms + CLEARS_AFTER_MS);
        }
    }

    fn on_power(&mut self, _now_ms: u64, _on: bool) {
        self.clears_ms = None;
    }

    fn step(&mut self, now_ms: u64) {
        if self.clears_ms.is_some_and(|at| now_ms >= at) {
            self.clears_ms = None;
        }
        // Whole measuring periods, however long the step was; a day at most.
        for _ in 0..8_640 {
            if now_ms < self.measures_ms {
                break;
            }
            self.measures_ms += MEASURE_EVERY_MS;
            let drift: i32 = self.rng.random_range(-3..=3);
            self.lux = self.lux.saturating_add_signed(drift).clamp(20, 900);
        }
    }

    fn states(&self) -> Vec<(&'static str, String)> {
        let motion = self.clears_ms.is_some();
        match self.dialect {
            Dialect::Json => {
                let body = json!({ "occupancy": motion, "illuminance": self.lux });
                vec![("state", body.to_string())]
            }
            Dialect::Plain => {
                let [width, height, depth] = GAP_MM;
                let gap = json!({ "width": width, "height": height, "depth": depth });
                let lux = self.lux.to_string();
                vec![("motion", on_off(motion).to_owned()), ("illuminance", lux), ("gap", gap.to_string())]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rng_for;

    #[test]
    fn motion_clears_twenty_seconds_after_the_last_of_it() {
        let mut sensor = Motion::new(rng_for(1, "x"), Dialect::Plain);
        let motion = |s: &Motion| s.states()[0].1.clone();
        sensor.on_touch(1_000, Touch::Walk);
        sensor.on_touch(6_000, Touch::Walk);
        sensor.step(25_999);
        assert_eq!(motion(&sensor), "ON");
        sensor.step(26_000);
        assert_eq!(motion(&sensor), "OFF");
    }
}
