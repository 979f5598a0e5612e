use std::time::Duration;

use bevy_ecs::prelude::*;
use vestibule_model::Timestamp;

/// How the app stands with its enabler.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LinkState {
    /// The first attempt is under way.
    #[default]
    Connecting,
    /// News come and requests go.
    Connected,
    /// It was there, or never answered; another attempt follows by itself.
    Lost {
        /// Why, for a person.
        reason: String,
        /// Seconds from when this was written until the next attempt.
        retry_in_s: f32,
    },
    /// The enabler (or this app, seeing a stranger's key) said no. Somebody has to do something.
    Refused {
        /// Why, and what to do about it, for a person.
        reason: String,
    },
}

impl LinkState {
    /// Whether requests can be sent now.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }
}

/// The enabler that this app talks to, and how that goes. Written by the plugin that talks to it, only when it changes.
///
/// Where nobody writes it, the app has no enabler at all: it stays [`LinkState::Connecting`] with an empty name.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct EnablerLink {
    /// How it goes.
    pub state: LinkState,
    /// What people call the enabler or where it is: `this computer`, `vestibule.example:7743`.
    pub name: String,
}

/// The enabler's clock, as far as it is known: by it agreements, rules and codes end.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct EnablerClock(
    /// A moment of it, and the second of `Time<Real>` at which that was.
    pub Option<(Timestamp, f64)>,
);

impl EnablerClock {
    /// What it shows at second `now` of `Time<Real>`; `None` before the enabler was reached.
    #[must_use]
    pub fn at(&self, now: f64) -> Option<Timestamp> {
        let (then, at) = self.0?;
        let past = Duration::try_from_secs_f64(now - at).unwrap_or_default();
        Some(then.plus(u64::try_from(past.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Milliseconds from second `now` until a moment of it; `None` once that is over, or where the clock is not known.
    #[must_use]
    pub fn left_ms(&self, until: Timestamp, now: f64) -> Option<u64> {
        self.at(now).filter(|now| until > *now).map(|now| until.since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_by_the_enabler_s_clock() {
        let clock = EnablerClock(Some((Timestamp(1_000_000), 20.0)));
        assert_eq!(clock.left_ms(Timestamp(1_060_000), 30.0), Some(50_000));
        assert_eq!(clock.left_ms(Timestamp(1_060_000), 80.0), None);
        assert_eq!(EnablerClock::default().left_ms(Timestamp(1), 0.0), None);
    }
}
