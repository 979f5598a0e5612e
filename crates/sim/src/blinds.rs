//! A blind: a cover with a position, 100 is open.

use crate::glide::{Glide, Heading};
use crate::model::{Model, percent, text};

/// Time for the whole way, in simulated milliseconds.
const TRAVEL_MS: u64 = 8_000;

/// A window blind driven by a tubular motor.
pub(crate) struct Blinds {
    slats: Glide,
}

impl Blinds {
    pub(crate) fn new() -> Blinds {
        Blinds { slats: Glide::at(100) }
    }
}

impl Model for Blinds {
    fn listens(&self) -> &'static [&'static str] {
        &["set", "position/set"]
    }

    fn on_command(&mut self, now_ms: u64, tail: &str, payload: &[u8]) {
        match (tail, text(payload)) {
            ("set", Some("OPEN")) => self.slats.travel(now_ms, 100, TRAVEL_MS),
            ("set", Some("CLOSE")) => self.slats.travel(now_ms, 0, TRAVEL_MS),
            ("set", Some("STOP")) => self.slats.stop(now_ms),
            ("position/set", _) => {
                if let Some(to) = percent(payload) {
                    self.slats.travel(now_ms, to, TRAVEL_MS);
                }
            }
            _ => {}
        }
    }

    fn on_power(&mut self, now_ms: u64, _on: bool) {
        self.slats.stop(now_ms);
    }

    fn step(&mut self, now_ms: u64) {
        self.slats.step(now_ms);
    }

    fn states(&self) -> Vec<(&'static str, String)> {
        let state = cover_state(self.slats.heading(), self.slats.is_zero());
        vec![("state", state.to_owned()), ("position", self.slats.shown().to_string())]
    }
}

/// The word Home Assistant expects of a cover.
pub(crate) fn cover_state(heading: Option<Heading>, closed: bool) -> &'static str {
    match heading {
        Some(Heading::Up) => "opening",
        Some(Heading::Down) => "closing",
        None if closed => "closed",
        None => "open",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(blinds: &Blinds) -> (String, String) {
        let states = blinds.states();
        (states[0].1.clone(), states[1].1.clone())
    }

    #[test]
    fn closes_in_eight_seconds_and_stops_on_command() {
        let mut blinds = Blinds::new();
        blinds.on_command(0, "set", b"CLOSE");
        blinds.step(4_000);
        assert_eq!(state(&blinds), ("closing".into(), "50".into()));
        blinds.on_command(4_000, "set", b"STOP");
        assert_eq!(state(&blinds), ("open".into(), "50".into()));
        blinds.on_command(4_000, "position/set", b"0");
        blinds.step(8_000);
        assert_eq!(state(&blinds), ("closed".into(), "0".into()));
    }

    #[test]
    fn nonsense_changes_nothing() {
        let mut blinds = Blinds::new();
        for payload in [&b"101"[..], b"-1", b"NaN", b"", b"\xff\xfe", b"1e400"] {
            blinds.on_command(0, "position/set", payload);
            blinds.on_command(0, "set", payload);
            blinds.on_command(0, "nowhere", payload);
        }
        blinds.step(60_000);
        assert_eq!(state(&blinds), ("open".into(), "100".into()));
    }
}
