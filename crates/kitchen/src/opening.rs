//! When a supplier is open and when it delivers, as suppliers say it.

use serde::Deserialize;
use vestibule_model::Timestamp;

use crate::supplier::{Hours, Window};

/// The most bytes that are read.
const BYTES: usize = 2_048;
/// The most times of a week.
const TIMES: usize = 64;
/// The most windows that are looked ahead for.
const AHEAD: usize = 32;
const DAYS: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
const WEEK: u16 = 7 * 24 * 60;

fn day(word: &str) -> Option<u16> {
    let place = DAYS.iter().position(|day| word.trim().to_lowercase().starts_with(day))?;
    u16::try_from(place).ok()
}

/// Minutes of `08:30`, at most 24 hours.
fn minutes(word: &str) -> Option<u16> {
    let (hours, minutes) = word.trim().split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 24 && minutes < 60).then(|| hours * 60 + minutes).filter(|minutes| *minutes <= 24 * 60)
}

impl Hours {
    /// Reads what schema.org calls opening hours, in UTC: `Mo-Sa 08:00-20:00`, several parted by commas or semicolons.
    /// `None` where it is anything else: nobody knows then.
    ///
    /// ```
    /// use vestibule_kitchen::Hours;
    /// use vestibule_model::Timestamp;
    /// let hours = Hours::read("Mo-Fr 08:00-18:00; Sa 09:00-12:00").unwrap();
    /// assert!(hours.is_open(Timestamp::from_utc("2026-11-28T09:00:00Z").unwrap()), "a Saturday");
    /// assert!(!hours.is_open(Timestamp::from_utc("2026-11-28T13:00:00Z").unwrap()));
    /// assert!(Hours::read("by appointment").is_none());
    /// ```
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > BYTES {
            return None;
        }
        let mut open = Vec::new();
        for part in text.split([';', ',']).map(str::trim).filter(|part| !part.is_empty()) {
            let (days, times) = part.split_once(' ')?;
            let (from, until) = days.split_once('-').unwrap_or((days, days));
            let (first, last) = (day(from)?, day(until)?);
            let (begin, end) = times.split_once('-')?;
            let (begin, end) = (minutes(begin)?, minutes(end)?);
            // Until after midnight, where it ends before it begins.
            let end = if end > begin { end } else { end + 24 * 60 };
            let count = (last + 7 - first) % 7 + 1;
            for number in 0..count {
                let day = (first + number) % 7 * 24 * 60;
                open.push((day + begin, day + end));
            }
        }
        // Nothing said is not always open.
        (!open.is_empty() && open.len() <= TIMES).then_some(Self { ahead: 0, open })
    }

    /// When they open next, within a week; `None` where they never do, or are open.
    #[must_use]
    pub fn opens(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_open(at) {
            return None;
        }
        let minute = Timestamp(at.0 / MINUTE_MS * MINUTE_MS);
        (1..=u64::from(WEEK)).map(|wait| minute.plus(wait * MINUTE_MS)).find(|at| self.is_open(*at))
    }
}

/// When a supplier delivers: the same hours on the same days of each week, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivers {
    /// Days, Monday is 1.
    days: Vec<u8>,
    /// From and until, hours of the day.
    hours: Vec<[u8; 2]>,
    /// One has to order so many seconds before.
    #[serde(default)]
    cut_off_s: u64,
    /// What it costs, in the currency's smallest unit.
    price: i64,
}

impl Delivers {
    /// Reads what a supplier says of it, as JSON; `None` where it is anything else.
    ///
    /// ```
    /// use vestibule_kitchen::Delivers;
    /// use vestibule_model::Timestamp;
    /// let text = r#"{"days": [1, 2], "hours": [[8, 10]], "cut_off_s": 3600, "price": 390}"#;
    /// let windows = Delivers::read(text).unwrap().windows(Timestamp::from_utc("2026-11-23T07:30:00Z").unwrap());
    /// assert_eq!(windows[0].from.to_utc(), "2026-11-24T08:00:00.000Z", "Monday's was too late to order for");
    /// ```
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > BYTES {
            return None;
        }
        let read: Self = serde_json::from_str(text).ok()?;
        let days = !read.days.is_empty() && read.days.len() <= 7 && read.days.iter().all(|day| (1..=7).contains(day));
        let hours = (1..=TIMES).contains(&read.hours.len());
        let hours = hours && read.hours.iter().all(|[from, until]| from < until && *until <= 24);
        (days && hours && read.price >= 0 && read.cut_off_s <= 7 * DAY_MS / 1_000).then_some(read)
    }

    /// The next ones for which one can still order at `now`, the earliest first, for the next two weeks.
    #[must_use]
    pub fn windows(&self, now: Timestamp) -> Vec<Window> {
        let today = now.0 / DAY_MS;
        let mut windows = Vec::new();
        for day in today..=today.saturating_add(14) {
            // The epoch was a Thursday, the fourth day.
            let weekday = u8::try_from((day + 3) % 7 + 1).unwrap_or(1);
            for [from, until] in self.hours.iter().filter(|_| self.days.contains(&weekday)) {
                let at = |hour: u8| Timestamp(day.saturating_mul(DAY_MS)).plus(u64::from(hour) * 60 * MINUTE_MS);
                let order_by = Timestamp(at(*from).0.saturating_sub(self.cut_off_s * 1_000));
                if order_by >= now {
                    windows.push(Window { order_by, from: at(*from), until: at(*until), price: self.price });
                }
            }
        }
        windows.sort_by_key(|window| (window.from, window.until));
        windows.truncate(AHEAD);
        windows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_utc(text).unwrap()
    }

    #[test]
    fn hours_are_read_as_suppliers_write_them() {
        let always = Hours::read("Mo-Su 00:00-24:00").unwrap();
        assert!(always.is_open(at("2026-11-29T23:59:59Z")) && always.opens(at("2026-11-29T12:00:00Z")).is_none());
        let week = Hours::read("Mo-Sa 08:00-20:00").unwrap();
        let sunday = at("2026-11-29T12:00:30Z");
        assert!(!week.is_open(sunday));
        assert_eq!(week.opens(sunday), Some(at("2026-11-30T08:00:00Z")));
        let late = Hours::read("Sa-Mo 18:00-02:00").unwrap();
        assert!(late.is_open(at("2026-11-30T01:00:00Z")) && late.is_open(at("2026-12-01T01:00:00Z")));
        assert!(!late.is_open(at("2026-12-02T01:00:00Z")));
        for wrong in ["", ";", "always", "Mo 8-20", "Mo 25:00-26:00", "Xx 08:00-20:00", "Mo 08:60-09:00"] {
            assert_eq!(Hours::read(wrong), None, "{wrong:?}");
        }
        assert_eq!(Hours::read(&"Mo 08:00-20:00;".repeat(200)), None, "too long");
    }

    #[test]
    fn windows_that_are_too_late_are_left_out() {
        let text = r#"{"days":[1,2,3,4,5,6],"hours":[[8,10],[12,14],[18,20]],"cut_off_s":7200,"price":390}"#;
        let delivers = Delivers::read(text).unwrap();
        let saturday = delivers.windows(at("2026-11-28T16:00:00Z"));
        assert_eq!(saturday[0].from, at("2026-11-28T18:00:00Z"), "just in time");
        assert_eq!(saturday[1].until, at("2026-11-30T10:00:00Z"), "not on Sundays");
        assert_eq!(delivers.windows(at("2026-11-28T16:00:00.001Z"))[0].from, at("2026-11-30T08:00:00Z"));
        assert!(delivers.windows(Timestamp(u64::MAX)).is_empty());
        for wrong in [
            "",
            "[]",
            r#"{"days":[8],"hours":[[8,10]],"price":1}"#,
            r#"{"days":[1],"hours":[[10,8]],"price":1}"#,
            r#"{"days":[1],"hours":[[8,25]],"price":1}"#,
            r#"{"days":[1],"hours":[[8,10]],"price":-1}"#,
            r#"{"days":[1],"hours":[[8,10]],"cut_off_s":1e99,"price":1}"#,
        ] {
            assert_eq!(Delivers::read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,60}", now in any::<u64>()) {
            let _ = Hours::read(&text).map(|hours| (hours.is_open(Timestamp(now)), hours.opens(Timestamp(now))));
            let _ = Delivers::read(&text);
        }

        #[test]
        fn windows_can_be_ordered_for_and_come_later(now in 0_u64..4_000_000_000_000) {
            let text = r#"{"days":[2,7],"hours":[[0,3],[21,24]],"cut_off_s":90000,"price":0}"#;
            let windows = Delivers::read(text).unwrap().windows(Timestamp(now));
            prop_assert!(!windows.is_empty() && windows.is_sorted_by_key(|window| window.from));
            for window in windows {
                prop_assert!(window.order_by.0 >= now && window.order_by < window.from && window.from < window.until);
            }
        }
    }
}
