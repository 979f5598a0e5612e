//! Simulated time: real time since the home's start, times a scale.

use std::time::Instant;

/// A clock shared by the devices of one home.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    scale: f64,
}

impl Clock {
    /// Starts now; `scale` is simulated per real time, finite and above zero.
    pub(crate) fn new(scale: f64) -> Clock {
        Clock { start: Instant::now(), scale }
    }

    /// Simulated milliseconds since the start.
    pub(crate) fn now_ms(&self) -> u64 {
        (self.start.elapsed().as_secs_f64() * 1000.0 * self.scale) as u64
    }

    /// Real milliseconds that this many simulated ones take; a minute at most.
    pub(crate) fn real_ms(&self, simulated_ms: f64) -> f64 {
        (simulated_ms / self.scale).clamp(0.0, 60_000.0)
    }
}
