//! A coffee machine behind a smart plug: a switch and its power draw.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;

use crate::model::{Model, on_off, text};

/// How long the boiler heats after switching on, in simulated milliseconds.
const HEATS_MS: u64 = 60_000;

/// How often power is measured, in simulated milliseconds.
const MEASURE_EVERY_MS: u64 = 5_000;

/// A plug with a coffee machine in it.
pub(crate) struct Coffee {
    rng: StdRng,
    now_ms: u64,
    on_since_ms: Option<u64>,
    tenth_watts: u32,
    measures_ms: u64,
}

impl Coffee {
    pub(crate) fn new(rng: StdRng) -> Coffee {
        Coffee { rng, now_ms: 0, on_since_ms: None, tenth_watts: 0, measures_ms: 0 }
    }

    fn measure(&mut self) {
        let noise = self.rng.random_range(0..=80);
        self.tenth_watts = match self.on_since_ms {
            None => 0,
            Some(since) if self.now_ms < since + HEATS_MS => 12_900 + noise,
            Some(_) => 450 + noise,
        };
        self.measures_ms = self.now_ms + MEASURE_EVERY_MS;
    }

    fn switch(&mut self, on: bool) {
        if on != self.on_since_ms.is_some() {
            self.on_since_ms = on.then_some(self.now_ms);
            self.measure();
        }
    }
}

impl Model for Coffee {
    fn listens(&self) -> &'static [&'static str] {
        &["relay/set"]
    }

    fn on_command(&mut self, now_ms: u64, tail: &str, payload: &[u8]) {
        self.step(now_ms);
        match (tail, text(payload)) {
            ("relay/set", Some("ON")) => self.switch(true),
            ("relay/set", Some("OFF")) => self.switch(false),
            _ => {}
        }
    }

    fn on_power(&mut self, now_ms: u64, _on: bool) {
        self.step(now_ms);
        self.switch(false);
    }

    fn step(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        if self.on_since_ms.is_some() && now_ms >= self.measures_ms {
            self.measure();
        }
    }

    fn states(&self) -> Vec<(&'static str, String)> {
        let watts = f64::from(self.tenth_watts) / 10.0;
        let relay = on_off(self.on_since_ms.is_some());
        vec![("state", json!({ "relay": relay, "power": watts }).to_string())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rng_for;

    #[test]
    fn heats_then_keeps_warm_then_draws_nothing() {
        let mut coffee = Coffee::new(rng_for(3, "coffee_machine"));
        let watts = |c: &Coffee| c.tenth_watts / 10;
        coffee.on_command(0, "relay/set", b"ON");
        assert!((1_290..1_300).contains(&watts(&coffee)));
        coffee.step(70_000);
        assert!((45..55).contains(&watts(&coffee)));
        coffee.on_command(71_000, "relay/set", b"OFF");
        assert_eq!(coffee.states()[0].1, r#"{"power":0.0,"relay":"OFF"}"#);
    }
}
