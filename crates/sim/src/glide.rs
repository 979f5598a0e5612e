//! A value that moves evenly to where it was sent: a leaf, a blind, a lamp's brightness.

/// How often a moving value is shown, in simulated milliseconds.
const SHOW_EVERY_MS: u64 = 250;

/// Which way a value moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heading {
    /// Towards larger values.
    Up,
    /// Towards zero.
    Down,
}

/// A value between 0 and 255 (positions use 0..=100), exact as a function of time.
#[derive(Clone, Debug)]
pub(crate) struct Glide {
    from: f64,
    to: f64,
    began_ms: u64,
    lasts_ms: u64,
    value: f64,
    moving: bool,
    shown: u8,
    shown_ms: u64,
}

impl Glide {
    /// At rest.
    pub(crate) fn at(value: u8) -> Glide {
        let rest = f64::from(value);
        Glide { from: rest, to: rest, began_ms: 0, lasts_ms: 0, value: rest, moving: false, shown: value, shown_ms: 0 }
    }

    /// Sets off for `to`, arriving `lasts_ms` later; already there or no time given arrives now.
    pub(crate) fn go(&mut self, now_ms: u64, to: u8, lasts_ms: u64) {
        self.step(now_ms);
        self.from = self.value;
        self.to = f64::from(to);
        self.began_ms = now_ms;
        self.lasts_ms = lasts_ms;
        self.moving = self.from != self.to;
        self.shown_ms = now_ms;
        self.step(now_ms);
    }

    /// As [`Glide::go`], at the speed that crosses 0..100 in `full_ms`.
    pub(crate) fn travel(&mut self, now_ms: u64, to: u8, full_ms: u64) {
        self.step(now_ms);
        let share = (f64::from(to) - self.value).abs() / 100.0;
        self.go(now_ms, to, (share * full_ms as f64).round() as u64);
    }

    /// Stays where it is, rounded to a whole step.
    pub(crate) fn stop(&mut self, now_ms: u64) {
        self.step(now_ms);
        self.rest(self.value.round());
    }

    /// Moves on to `now_ms`; true when it arrived in this step.
    pub(crate) fn step(&mut self, now_ms: u64) -> bool {
        if !self.moving {
            return false;
        }
        let passed = now_ms.saturating_sub(self.began_ms);
        if passed >= self.lasts_ms {
            self.rest(self.to);
            return true;
        }
        let share = passed as f64 / self.lasts_ms as f64;
        self.value = self.from + (self.to - self.from) * share;
        if now_ms.saturating_sub(self.shown_ms) >= SHOW_EVERY_MS {
            self.shown = self.value.round() as u8;
            self.shown_ms = now_ms;
        }
        false
    }

    fn rest(&mut self, value: f64) {
        self.value = value;
        self.from = value;
        self.to = value;
        self.moving = false;
        self.shown = value.round() as u8;
    }

    /// Where it is now, rounded.
    pub(crate) fn value(&self) -> u8 {
        self.value.round() as u8
    }

    /// Where it is now is zero, exactly.
    pub(crate) fn is_zero(&self) -> bool {
        self.value <= 0.0
    }

    /// Where it was last reported to be: it lags while moving, and is exact at rest.
    pub(crate) fn shown(&self) -> u8 {
        self.shown
    }

    pub(crate) fn moving(&self) -> bool {
        self.moving
    }

    pub(crate) fn heading(&self) -> Option<Heading> {
        self.moving.then_some(if self.to > self.value { Heading::Up } else { Heading::Down })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrives_after_its_time_whatever_the_steps() {
        for step in [1, 7, 20, 400, 5000] {
            let mut glide = Glide::at(0);
            glide.travel(100, 50, 3000);
            let mut now = 100;
            while glide.moving() {
                assert!(now < 100 + 1500 + step, "still moving at {now}");
                now += step;
                glide.step(now);
            }
            assert_eq!((glide.value(), glide.shown()), (50, 50));
        }
    }

    #[test]
    fn stops_half_way_and_turns_back() {
        let mut glide = Glide::at(0);
        glide.travel(0, 100, 1000);
        glide.stop(400);
        assert_eq!((glide.value(), glide.moving()), (40, false));
        glide.travel(500, 0, 1000);
        assert_eq!(glide.heading(), Some(Heading::Down));
        assert!(glide.step(900) && glide.is_zero());
    }
}
