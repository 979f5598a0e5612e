//! What foods are called, what they weigh, and how long they keep.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, LazyLock},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    name,
    units::{Amount, CountUnit, MOST},
};

/// The most foods in a table.
const FOODS: usize = 4_096;
/// The most bytes of a table's text.
const BYTES: usize = 1024 * 1024;

/// What a food is called in a program: `flour_wheat`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IngredientId(Arc<str>);

impl IngredientId {
    /// Checks `text` and takes it.
    ///
    /// # Errors
    /// [`TableError::Id`] where it is empty, longer than 64 bytes or not of `a`-`z`, digits and `_`.
    pub fn new(text: &str) -> Result<Self, TableError> {
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(fits) {
            return Err(TableError::Id(text.chars().take(64).collect()));
        }
        Ok(Self(Arc::from(text)))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IngredientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IngredientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IngredientId({self})")
    }
}

impl TryFrom<String> for IngredientId {
    type Error = TableError;
    fn try_from(text: String) -> Result<Self, TableError> {
        Self::new(&text)
    }
}

impl From<IngredientId> for String {
    fn from(id: IngredientId) -> Self {
        id.as_str().to_owned()
    }
}

/// In what a food is reckoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// Milligrams.
    #[default]
    Mass,
    /// Microlitres.
    Volume,
    /// Thousandths of a piece.
    Count,
}

/// One food.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Food {
    /// What it is called in a program.
    pub id: IngredientId,
    /// What it is called in English; the first is shown.
    #[serde(default)]
    pub en: Vec<String>,
    /// What it is called in German; the first is shown.
    #[serde(default)]
    pub de: Vec<String>,
    /// Words that say food and unit at once: `knoblauchzehe = "clove"`.
    #[serde(default, rename = "as")]
    pub named: BTreeMap<String, CountUnit>,
    /// Milligrams in a millilitre, as it lies in a cup.
    #[serde(default)]
    pub density: Option<u32>,
    /// In what it is reckoned.
    #[serde(default)]
    pub base: Base,
    /// How long it keeps, about.
    #[serde(default)]
    pub keeps_days: Option<u16>,
    /// Milligrams of one piece, clove, bunch, can.
    #[serde(default)]
    pub weighs: BTreeMap<CountUnit, u64>,
}

/// `number * over / under`, rounded half up.
fn scale(number: i64, over: u64, under: u64) -> Option<i64> {
    let product = u128::from(u64::try_from(number).ok()?).checked_mul(u128::from(over))?;
    let under = u128::from(under);
    let scaled = product.checked_mul(2)?.checked_add(under)?.checked_div(under.checked_mul(2)?)?;
    i64::try_from(scaled).ok().filter(|scaled| *scaled <= MOST)
}

impl Food {
    /// Nothing of it, in what it is reckoned.
    #[must_use]
    pub const fn nothing(&self) -> Amount {
        match self.base {
            Base::Mass => Amount::Mass(0),
            Base::Volume => Amount::Volume(0),
            Base::Count => Amount::Count { milli: 0, of: CountUnit::Piece },
        }
    }

    /// The amount in what this food is reckoned; `None` where nobody knows how much that is.
    ///
    /// ```
    /// use vestibule_kitchen::{Amount, Table};
    /// let flour = Table::shipped().named("flour").unwrap();
    /// assert_eq!(flour.to_base(Amount::Volume(100_000)), Some(Amount::Mass(53_000)));
    /// ```
    #[must_use]
    pub fn to_base(&self, amount: Amount) -> Option<Amount> {
        let weight = |unit: CountUnit| self.weighs.get(&unit).copied();
        match (self.base, amount) {
            (Base::Mass, Amount::Mass(_))
            | (Base::Volume, Amount::Volume(_))
            | (Base::Count, Amount::Count { of: CountUnit::Piece, .. }) => {
                (0..=MOST).contains(&amount.number()).then_some(amount)
            }
            (Base::Mass, _) => self.mass(amount).map(Amount::Mass),
            (Base::Volume, _) => scale(self.mass(amount)?, 1_000, u64::from(self.density?)).map(Amount::Volume),
            (Base::Count, _) => {
                let milli = scale(self.mass(amount)?, 1_000, weight(CountUnit::Piece)?)?;
                Some(Amount::Count { milli, of: CountUnit::Piece })
            }
        }
    }

    /// What an amount weighs, in milligrams.
    #[must_use]
    pub fn mass(&self, amount: Amount) -> Option<i64> {
        match amount {
            Amount::Mass(mg) => (mg >= 0).then_some(mg),
            Amount::Volume(ul) => scale(ul, u64::from(self.density?), 1_000),
            Amount::Count { milli, of } => scale(milli, self.weighs.get(&of).copied()?, 1_000),
        }
    }

    /// What fills so many millilitres: the way back from [`Self::mass`].
    #[must_use]
    pub fn volume(&self, mass: i64) -> Option<i64> {
        scale(mass, 1_000, u64::from(self.density?))
    }

    /// Its name in English, else in German, else its id.
    #[must_use]
    pub fn title(&self) -> &str {
        self.en.first().or_else(|| self.de.first()).map_or(self.id.as_str(), String::as_str)
    }
}

/// Why a text is no table of foods.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TableError {
    /// Too much of it.
    #[error("a table of foods has at most {FOODS} foods in {BYTES} bytes")]
    TooLong,
    /// Not TOML, or not of this shape.
    #[error("not a table of foods: {0}")]
    Malformed(String),
    /// Not an id.
    #[error("{0:?} is no id of a food: a to z, digits and _")]
    Id(String),
    /// Two foods share an id.
    #[error("{0} is there twice")]
    Twice(IngredientId),
    /// Nothing can be divided by nothing, and a kilogram is the most that fits into a millilitre's place.
    #[error(
        "{0}: a density is 1 to 25,000 mg/ml, a piece weighs 1 mg to 100 kg, it has a name and a weight for its base"
    )]
    Number(IngredientId),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    ingredient: Vec<Food>,
}

/// Foods, by id and by name.
#[derive(Clone, Debug, Default)]
pub struct Table {
    foods: BTreeMap<IngredientId, Food>,
    names: HashMap<String, (IngredientId, Option<CountUnit>)>,
}

/// How sure a name's meaning is, in thousandths.
pub type Permille = u16;

/// What a name was found to mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning<'a> {
    /// The food.
    pub food: &'a Food,
    /// The unit that the name says by itself.
    pub unit: Option<CountUnit>,
    /// How sure that is.
    pub confidence: Permille,
}

static SHIPPED: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("table.toml")).unwrap_or_default());

impl Table {
    /// The foods that come with the program.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn read(text: &str) -> Result<Self, TableError> {
        Self::default().with(text)
    }

    /// These foods, and those of `text`, which win where both have an id or a name.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn with(mut self, text: &str) -> Result<Self, TableError> {
        if text.len() > BYTES {
            return Err(TableError::TooLong);
        }
        let text: Text = toml::from_str(text).map_err(|error| TableError::Malformed(error.message().to_owned()))?;
        let mut seen = BTreeMap::new();
        for food in text.ingredient {
            check(&food)?;
            if seen.insert(food.id.clone(), ()).is_some() {
                return Err(TableError::Twice(food.id));
            }
            let words = food.en.iter().chain(&food.de).map(|word| (word, None));
            let named = food.named.iter().map(|(word, unit)| (word, Some(*unit)));
            for (word, unit) in words.chain(named) {
                self.names.insert(name::plain(word), (food.id.clone(), unit));
            }
            self.foods.insert(food.id.clone(), food);
        }
        if self.foods.len() > FOODS { Err(TableError::TooLong) } else { Ok(self) }
    }

    /// Has a name mean a food: what the user said wins. `false` where there is no such food.
    pub fn call(&mut self, word: &str, id: &IngredientId) -> bool {
        let known = self.foods.contains_key(id) && self.names.len() < 16 * FOODS;
        if known {
            self.names.insert(name::plain(word), (id.clone(), None));
        }
        known
    }

    /// The food with this id.
    #[must_use]
    pub fn get(&self, id: &IngredientId) -> Option<&Food> {
        self.foods.get(id)
    }

    /// All foods, by their ids.
    pub fn foods(&self) -> impl Iterator<Item = &Food> {
        self.foods.values()
    }

    /// The food that a name surely means.
    #[must_use]
    pub fn named(&self, word: &str) -> Option<&Food> {
        self.find(word).filter(|meaning| meaning.confidence >= name::SURE).map(|meaning| meaning.food)
    }

    /// The food that a name most likely means.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<Meaning<'_>> {
        let (found, confidence) = name::find(word, |word| self.names.get(word).cloned())?;
        let (id, unit) = found;
        Some(Meaning { food: self.foods.get(&id)?, unit, confidence })
    }
}

fn check(food: &Food) -> Result<(), TableError> {
    let weighed = food.weighs.values().all(|mg| (1..=100_000_000).contains(mg));
    let dense = food.density.is_none_or(|density| (1..=25_000).contains(&density));
    let has_base = match food.base {
        Base::Mass => true,
        Base::Volume => food.density.is_some(),
        Base::Count => food.weighs.contains_key(&CountUnit::Piece),
    };
    let named = food.en.len() + food.de.len() + food.named.len() > 0;
    if weighed && dense && has_base && named { Ok(()) } else { Err(TableError::Number(food.id.clone())) }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
