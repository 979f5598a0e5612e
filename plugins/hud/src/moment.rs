//! Moments as people read them: in the time of where they are.

use bevy::prelude::*;
use jiff::tz::TimeZone;
use vestibule_twin::model::Timestamp;

/// Where the person is.
#[derive(Resource, Clone, Debug)]
pub(crate) struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::system())
    }
}

impl Zone {
    fn format(&self, at: Timestamp, how: &str) -> String {
        let moment = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        moment.map_or_else(|| at.to_utc(), |moment| moment.to_zoned(self.0.clone()).strftime(how).to_string())
    }

    /// `Thu 26 Nov 2026, 14:03:07`.
    pub(crate) fn day_and_time(&self, at: Timestamp) -> String {
        self.format(at, "%a %-d %b %Y, %H:%M:%S")
    }

    /// `Thu 26 Nov`.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        self.format(at, "%a %-d %b")
    }

    /// `14:03:07`, with the day where it is another one than that of `near`.
    pub(crate) fn time(&self, at: Timestamp, near: Timestamp) -> String {
        let day = "%Y-%m-%d";
        let same = self.format(at, day) == self.format(near, day);
        self.format(at, if same { "%H:%M:%S" } else { "%a %-d %b, %H:%M" })
    }
}

#[cfg(test)]
pub(crate) fn utc() -> Zone {
    Zone(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_their_day_where_that_matters() {
        let at = Timestamp::from_utc("2026-11-26T14:03:07Z").unwrap();
        assert_eq!(utc().day_and_time(at), "Thu 26 Nov 2026, 14:03:07");
        assert_eq!(utc().time(at, at.plus(1_000)), "14:03:07");
        assert_eq!(utc().time(at, at.plus(86_400_000)), "Thu 26 Nov, 14:03");
        assert!(!utc().day_and_time(Timestamp(u64::MAX)).is_empty());
    }
}
