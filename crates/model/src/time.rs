use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A moment, in milliseconds since the Unix epoch, on the enabler's clock.
///
/// Peers learn the enabler's clock in the handshake and speak in its time, so that a validity window means the same
/// on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This moment and `millis` milliseconds; stays at the end of time instead of overflowing.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; 0 where `earlier` is later (clocks step back).
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment as people write it: `2026-11-20T14:03:07.123Z`.
    #[must_use]
    pub fn to_utc(self) -> String {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let (days, time) = (seconds / 86_400, seconds % 86_400);
        // Days from the civil calendar's 0000-03-01, which puts the leap day at the end of a year.
        let shifted = days + 719_468;
        let (era, day) = (shifted / 146_097, shifted % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (date, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = era * 400 + year + u64::from(month <= 2);
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }

    /// Reads a moment in UTC, with or without milliseconds: `2026-11-20T14:03:07Z`. `None` where it is none, or before
    /// 1970.
    #[must_use]
    pub fn from_utc(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (date, time) = text.split_once('T')?;
        let (time, millis) = time.split_once('.').unwrap_or((time, "000"));
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let [millis] = numbers(millis, '.', [3])?;
        let in_range = year >= 1970 && (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + u64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if !in_range || day == 0 || day > length {
            return None;
        }
        let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
        Some(Self((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis))
    }
}

/// Numbers with exactly so many digits each.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u64; N]> {
    let mut found = [0; N];
    let mut parts = text.split(between);
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|c| c.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_written_as_people_do() {
        for (millis, words) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (1_795_183_387_123, "2026-11-20T14:03:07.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp(millis).to_utc(), words);
            assert_eq!(Timestamp::from_utc(words), Some(Timestamp(millis)));
        }
        assert_eq!(Timestamp::from_utc("2026-11-20T14:03:07Z"), Some(Timestamp(1_795_183_387_000)));
        for wrong in ["2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-1-01T00:00:00Z", "tomorrow", "TZ", ""] {
            assert_eq!(Timestamp::from_utc(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_read_as_it_was_written(millis in 0_u64..253_402_300_800_000) {
            prop_assert_eq!(Timestamp::from_utc(&Timestamp(millis).to_utc()), Some(Timestamp(millis)));
        }

        #[test]
        fn garbage_is_no_moment(text in ".{0,40}") {
            let _ = Timestamp::from_utc(&text);
        }
    }
}
