//! Places in an order: between any two there is another one, so that moving a feature changes only its own field.

/// From `a` to `z`. No place ends in `a`, so that there always is one before it.
const LEAST: u8 = b'a';
const BASE: u8 = 26;
/// From here on, all features get new places.
pub(super) const LONG: usize = 48;

/// A place after `low` and before `high`; right after `low` where there is none between them, because they are the
/// same.
pub(super) fn between(low: Option<&str>, high: Option<&str>) -> String {
    let digit = |text: Option<&str>, at: usize, otherwise: u8| {
        text.and_then(|text| text.as_bytes().get(at)).map_or(otherwise, |byte| byte.saturating_sub(LEAST).min(BASE - 1))
    };
    let high = high.filter(|high| low.is_none_or(|low| low < *high));
    let (mut place, mut below_high) = (String::new(), false);
    for at in 0.. {
        let least = digit(low, at, 0);
        let most = if below_high || high.is_none() { BASE } else { digit(high, at, 0) };
        // Behind all others there is much room: a feature is mostly put there.
        let middle = if high.is_none() { least + 1 } else { (least + most.max(least)).div_ceil(2) };
        let ended = low.is_none_or(|low| at >= low.len());
        if middle > least && middle < most {
            place.push(char::from(LEAST + middle));
            return place;
        }
        place.push(char::from(LEAST + least));
        below_high |= least < most;
        if ended && below_high {
            // Nothing of `low` is left, and everything from here on is free.
            place.push(char::from(LEAST + BASE / 2));
            return place;
        }
        if at > 4 * LONG {
            break;
        }
    }
    place.push(char::from(LEAST + BASE / 2));
    place
}

/// So many places, in their order, with the same room between them.
pub(super) fn spread(count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(move |number| {
        // Three letters have room for 17,576 of them; a design has a thousand at most.
        let mut value = number * (26_usize.pow(3) - 1) / (count + 1);
        let mut letters = [0_u8; 3];
        for letter in letters.iter_mut().rev() {
            *letter = LEAST + u8::try_from(value % 26).unwrap_or_default();
            value /= 26;
        }
        let text: String = letters.map(char::from).into_iter().collect();
        // Never ends in the least letter.
        format!("{text}n")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_begin_spread_out() {
        let places: Vec<_> = spread(1_000).collect();
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
    }

    proptest! {
        /// Wherever one is put, it is between its neighbours.
        #[test]
        fn between_two_there_is_always_one(at in prop::collection::vec(0_usize..1_000, 1..120)) {
            let mut places: Vec<String> = spread(2).collect();
            for at in at {
                let at = at % (places.len() + 1);
                let (low, high) = (at.checked_sub(1).map(|at| places[at].as_str()), places.get(at).map(String::as_str));
                let place = between(low, high);
                prop_assert!(low.is_none_or(|low| low < place.as_str()), "{low:?} {place}");
                prop_assert!(high.is_none_or(|high| place.as_str() < high), "{place} {high:?}");
                places.insert(at, place);
            }
        }

        /// What somebody else wrote there does no harm.
        #[test]
        fn any_text_will_do(low in any::<String>(), high in any::<String>()) {
            prop_assert!(!between(Some(&low), Some(&high)).is_empty());
        }
    }

    #[test]
    fn after_itself_and_always_in_front() {
        assert!(between(Some("b"), Some("b")).as_str() > "b");
        let mut first = "n".to_owned();
        for _ in 0..200 {
            let next = between(None, Some(&first));
            assert!(next < first, "{next} {first}");
            first = next;
        }
    }
}
