//! ISO 8601 durations.

/// Nobody cooks for longer than a year.
const LONGEST: u64 = 366 * 86_400_000;

/// Milliseconds of a duration such as `PT1H30M`, `P1DT2H`, `PT1.5H`. `None` where it is none, has months or years (nobody
/// knows how long those are), or is longer than a year.
///
/// ```
/// assert_eq!(vestibule_kitchen::milliseconds("PT1H30M"), Some(5_400_000));
/// ```
#[must_use]
pub fn milliseconds(text: &str) -> Option<u64> {
    let rest = text.trim().strip_prefix(['P', 'p']).filter(|rest| rest.len() <= 64)?;
    let (days, time) = rest.split_once(['T', 't']).unwrap_or((rest, ""));
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let date = parts(days, &[('W', 604_800_000), ('D', 86_400_000), ('M', 0), ('Y', 0)])?;
    let time = parts(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1_000)])?;
    date.checked_add(time).filter(|sum| *sum <= LONGEST)
}

/// The sum of numbers with these letters. A letter that is worth nothing may stand only behind a zero.
fn parts(text: &str, letters: &[(char, u64)]) -> Option<u64> {
    let mut sum = 0_u64;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() || matches!(c, '.' | ',') {
            number.push(if c == ',' { '.' } else { c });
            continue;
        }
        let (_, worth) = letters.iter().find(|(letter, _)| *letter == c.to_ascii_uppercase())?;
        let (whole, part) = number.split_once('.').unwrap_or((&number, "0"));
        let (whole, digits): (u64, u64) = (whole.parse().ok()?, part.get(..part.len().min(6))?.parse().ok()?);
        let under = 10_u64.checked_pow(u32::try_from(part.len().min(6)).ok()?)?;
        if *worth == 0 && (whole > 0 || digits > 0) {
            return None;
        }
        let more = whole.checked_mul(*worth)?.checked_add(digits.checked_mul(*worth)? / under)?;
        sum = sum.checked_add(more)?;
        number.clear();
    }
    number.is_empty().then_some(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_sites_write_them() {
        for (text, minutes) in [
            ("PT30M", Some(30)),
            ("PT1H", Some(60)),
            ("P0DT0H45M", Some(45)),
            ("P0Y0M0DT0H35M0.000S", Some(35)),
            ("P1D", Some(1_440)),
            ("PT1.5H", Some(90)),
            ("PT90M", Some(90)),
            (" pt5m ", Some(5)),
            ("P1Y", None),
            ("P", None),
            ("30 minutes", None),
            ("PT30", None),
            ("PTM", None),
            ("PT99999999999999999999H", None),
            ("PT9999999H", None),
        ] {
            assert_eq!(milliseconds(text), minutes.map(|minutes: u64| minutes * 60_000), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[PT0-9HMSDWY.,]{0,40}") {
            let _ = milliseconds(&text);
        }
    }
}
