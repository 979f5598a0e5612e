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

    /// `14:03`, with the day where it is another one than that of `near`.
    pub(crate) fn hour(&self, at: Timestamp, near: Timestamp) -> String {
        let day = "%Y-%m-%d";
        let same = self.format(at, day) == self.format(near, day);
        self.format(at, if same { "%H:%M" } else { "%a %-d %b, %H:%M" })
    }

    /// The next moment from `from` on at which clocks here show `hour`; an hour from then where calendars end.
    pub(crate) fn next(&self, from: Timestamp, hour: i8) -> Timestamp {
        let found = i64::try_from(from.0).ok().and_then(|ms| {
            let begin = jiff::Timestamp::from_millisecond(ms).ok()?.to_zoned(self.0.clone());
            let on = |date: jiff::civil::Date| date.at(hour, 0, 0, 0).to_zoned(self.0.clone()).ok();
            let today = on(begin.date())?;
            let next = if today >= begin { today } else { on(begin.date().tomorrow().ok()?)? };
            u64::try_from(next.timestamp().as_millisecond()).ok()
        });
        found.map_or_else(|| from.plus(3_600_000), Timestamp)
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
        assert_eq!(utc().hour(at, at), "14:03");
        assert_eq!(utc().hour(at, at.plus(86_400_000)), "Thu 26 Nov, 14:03");
    }

    #[test]
    fn the_next_evening_is_today_or_tomorrow() {
        let next = |text| utc().next(Timestamp::from_utc(text).unwrap(), 19).to_utc();
        assert_eq!(next("2026-11-26T14:03:07Z"), "2026-11-26T19:00:00.000Z");
        assert_eq!(next("2026-11-26T19:00:00Z"), "2026-11-26T19:00:00.000Z");
        assert_eq!(next("2026-12-31T19:00:01Z"), "2027-01-01T19:00:00.000Z");
        assert_eq!(utc().next(Timestamp(u64::MAX), 19), Timestamp(u64::MAX), "and nothing panics");
    }
}
