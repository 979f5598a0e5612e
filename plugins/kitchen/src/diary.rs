//! What the kitchen keeps from one day to the next, and how it is written down. Without IO.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_kitchen::{Amount, Coming, IngredientId};
use vestibule_model::Timestamp;

use crate::supply::Known;

/// Dishes that are planned at once: two months of dinners.
pub(crate) const MOST_DISHES: usize = 64;
/// Jars that somebody counts.
pub(crate) const MOST_COUNTED: usize = 512;
/// Lines of purchases that are followed: a year of a household's.
pub(crate) const MOST_COMING: usize = 2_048;
/// Goods that are remembered: a few suppliers' whole shelves.
pub(crate) const MOST_GOODS: usize = 4_096;
/// The most servings of a dish: a wedding.
pub(crate) const MOST_SERVINGS: u32 = 500;
/// Bytes of the diary's file: with the longest names there are, everything above is less.
pub(crate) const DIARY_BYTES: usize = 8 * 1024 * 1024;

/// Why a diary cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum DiaryError {
    #[error("longer than {DIARY_BYTES} bytes, or more in it than is kept")]
    TooLong,
    #[error("not a diary: {0}")]
    Malformed(String),
}

/// A dish that is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned {
    pub id: u64,
    pub recipe: String,
    pub servings: u32,
    pub at: Timestamp,
}

/// What somebody counted, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    pub amount: Amount,
    pub at: Timestamp,
}

/// What is kept from one day to the next, beside recipes and rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Diary {
    pub dishes: Vec<Planned>,
    pub counted: BTreeMap<IngredientId, Counted>,
    /// How many parts there are that other things are made with, by what instructions call them
    /// ([`vestibule_kitchen::plain_name`]).
    pub parts: BTreeMap<String, u32>,
    /// What was bought, until nobody asks about it any more.
    pub coming: Vec<Coming>,
    /// What goods of suppliers are, by supplier and item.
    pub goods: BTreeMap<String, Known>,
}

impl Diary {
    pub(crate) fn read(text: &str) -> Result<Self, DiaryError> {
        if text.len() > DIARY_BYTES {
            return Err(DiaryError::TooLong);
        }
        let mut diary: Self =
            toml::from_str(text).map_err(|error| DiaryError::Malformed(error.message().to_owned()))?;
        let fits = diary.dishes.len() <= MOST_DISHES && diary.counted.len() <= MOST_COUNTED;
        let fits = fits && diary.parts.len() <= MOST_COUNTED;
        let fits = fits && diary.coming.len() <= MOST_COMING && diary.goods.len() <= MOST_GOODS;
        // Somebody may have written into it by hand.
        for planned in &mut diary.dishes {
            planned.servings = planned.servings.clamp(1, MOST_SERVINGS);
        }
        if fits { Ok(diary) } else { Err(DiaryError::TooLong) }
    }

    pub(crate) fn write(&self) -> Result<String, DiaryError> {
        let text = toml::to_string(self).map_err(|error| DiaryError::Malformed(error.to_string()))?;
        // What could not be read at the next start is not put in the place of what can be.
        if text.len() > DIARY_BYTES { Err(DiaryError::TooLong) } else { Ok(text) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vestibule_kitchen::{Delivery, LineKey};

    use super::*;

    fn id(text: &str) -> IngredientId {
        IngredientId::new(text).unwrap()
    }

    #[test]
    fn hostile_diaries_are_refused() {
        for wrong in ["dishes = 3", "[[dishes]]\nid = -1", "unknown = 1", "[counted]\n\"Salt!\" = 3"] {
            assert!(matches!(Diary::read(wrong), Err(DiaryError::Malformed(_))), "{wrong}");
        }
        assert_eq!(Diary::read(&" ".repeat(DIARY_BYTES + 1)), Err(DiaryError::TooLong));
        let dish = "[[dishes]]\nid = 1\nrecipe = \"x\"\nservings = 1\nat = 0\n";
        assert_eq!(Diary::read(&dish.repeat(MOST_DISHES + 1)), Err(DiaryError::TooLong));
        for (written, read) in [("0", 1), ("4294967295", MOST_SERVINGS)] {
            let diary = Diary::read(&dish.replace("servings = 1", &format!("servings = {written}"))).unwrap();
            assert_eq!(diary.dishes[0].servings, read);
        }
    }

    #[test]
    fn a_full_diary_is_read_again() {
        let long = |number: usize, letters: usize| format!("{number:0>letters$}");
        let food = |number: usize| id(&format!("f{number:0>63}"));
        let (most, at) = (Amount::Mass(999_999_999_999), Timestamp(u64::from(u32::MAX)));
        let dish = |number: usize| Planned {
            id: u64::try_from(number).unwrap(),
            recipe: long(number, 200),
            servings: MOST_SERVINGS,
            at,
        };
        let line = |number: usize| Coming {
            key: LineKey::new(&long(number, 32), &long(number, 128)),
            ingredient: food(number),
            amount: most,
            since: Some(at),
            arrives: Some(at),
            told: Some(most),
            part: Some(most),
            delivered: Some(Delivery { at, stock: most }),
            put_away: false,
        };
        let title = "ß".repeat(120);
        let goods = |number: usize| {
            let known = Known { ingredient: food(number), holds: most, title: title.clone(), by_measure: true };
            (long(number, 320), known)
        };
        let diary = Diary {
            dishes: (0..MOST_DISHES).map(dish).collect(),
            counted: (0..MOST_COUNTED).map(|number| (food(number), Counted { amount: most, at })).collect(),
            parts: (0..MOST_COUNTED).map(|number| (long(number, 2_048), u32::MAX)).collect(),
            coming: (0..MOST_COMING).map(line).collect(),
            goods: (0..MOST_GOODS).map(goods).collect(),
        };
        assert!(Diary::read(&diary.write().unwrap()).unwrap() == diary, "too long to be shown");
        let parts = (0..MOST_COUNTED).map(|number| (long(number, DIARY_BYTES / MOST_COUNTED), 1)).collect();
        assert_eq!(Diary { parts, ..Diary::default() }.write(), Err(DiaryError::TooLong), "what is there stays");
    }

    proptest! {
        #[test]
        fn a_diary_is_read_as_it_was_written(
            dishes in proptest::collection::vec((any::<u32>(), "[a-z_.0-9]{1,20}", 1..=MOST_SERVINGS, any::<u32>()), 0..20),
            salt in 0_i64..1_000_000_000,
        ) {
            let dishes = dishes
                .into_iter()
                .map(|(id, recipe, servings, at)| Planned { id: id.into(), recipe, servings, at: Timestamp(at.into()) });
            let salt = Counted { amount: Amount::Mass(salt), at: Timestamp(1_000_000) };
            let diary = Diary { dishes: dishes.collect(), counted: [(id("salt"), salt)].into(), ..Diary::default() };
            prop_assert_eq!(Diary::read(&diary.write().unwrap()), Ok(diary));
        }
    }
}
