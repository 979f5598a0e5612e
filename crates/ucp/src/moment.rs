use vestibule_model::Timestamp;

/// Reads a moment of RFC 3339, with any offset and any fraction of a second. `None` where it is none, or before 1970.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let (date_time, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(rest) => (rest, 0),
        None => {
            let at = text.len().checked_sub(6)?;
            let (rest, offset) = (text.get(..at)?, text.get(at..)?);
            let (hours, minutes) = offset.get(1..)?.split_once(':')?;
            if hours.len() != 2 || minutes.len() != 2 {
                return None;
            }
            let two = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            let size = (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60_000)?;
            (
                rest,
                if offset.starts_with('+') {
                    size
                } else if offset.starts_with('-') {
                    -size
                } else {
                    return None;
                },
            )
        }
    };
    let (seconds, fraction) = date_time.split_once('.').map_or((date_time, None), |(s, f)| (s, Some(f)));
    let millis = match fraction {
        None => 0,
        Some(digits) if (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{digits:0<3}").get(..3)?.parse().ok()?
        }
        Some(_) => return None,
    };
    let written = Timestamp::from_utc(&format!("{}Z", seconds.replacen(['t', ' '], "T", 1)))?.plus(millis);
    i64::try_from(written.0).ok()?.checked_sub(offset).and_then(|millis| u64::try_from(millis).ok()).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_read_as_others_write_them() {
        let noon = Timestamp(1_795_176_000_000);
        for text in [
            "2026-11-20T12:00:00Z",
            "2026-11-20T12:00:00.0Z",
            "2026-11-20T12:00:00.000000001Z",
            "2026-11-20T13:00:00+01:00",
            "2026-11-20T06:30:00-05:30",
            "2026-11-20t12:00:00z",
        ] {
            assert_eq!(moment(text), Some(noon), "{text}");
        }
        assert_eq!(moment("2026-11-20T12:00:00.5Z"), Some(noon.plus(500)));
        for wrong in [
            "",
            "Z",
            "now",
            "2026-11-20",
            "2026-11-20T12:00:00",
            "2026-11-20T12:00:00+1:00",
            "2026-11-20T12:00:00.Z",
            "1970-01-01T00:00:00+01:00",
            "2026-11-20T12:00:00*01:00",
            "2026-11-20T12:00:00+24:00",
            "é6-11-20T12:00:00é01:00",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn ours_are_read_and_anything_else_is_refused(millis in 0_u64..253_402_300_800_000, text in ".{0,30}") {
            prop_assert_eq!(moment(&Timestamp(millis).to_utc()), Some(Timestamp(millis)));
            let _ = moment(&text);
        }
    }
}
