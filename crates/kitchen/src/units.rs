//! Amounts, and the words for them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::Value;

use crate::{
    number::{Number, decimal},
    words::{Language, Style},
};

/// The most of anything that is reckoned with, in the smallest parts: 1,000 tonnes. Sums of thousands of them fit.
pub const MOST: i64 = 1_000_000_000_000_000;

macro_rules! count_units {
    ($($(#[$doc:meta])* $name:ident $word:literal: $($other:literal)*;)*) => {
        /// What is counted. How much one is, the food says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum CountUnit {
            $($(#[$doc])* $name,)*
        }

        impl CountUnit {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word for one.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// By a word in small letters.
            #[must_use]
            pub fn of_word(word: &str) -> Option<Self> {
                match word { $($word $(| $other)* => Some(Self::$name),)* _ => None }
            }
        }
    };
}

count_units! {
    /// The thing itself.
    Piece "piece": "pieces" "pc" "pcs" "stück" "stk" "st" "stücke" "ea" "count";
    /// Of garlic.
    Clove "clove": "cloves" "zehe" "zehen";
    /// Of garlic or fennel.
    Bulb "bulb": "bulbs" "knolle" "knollen";
    /// Cut off.
    Slice "slice": "slices" "scheibe" "scheiben" "rasher" "rashers";
    /// Of herbs.
    Bunch "bunch": "bunches" "bund" "bd" "bunde";
    /// A tin.
    Can "can": "cans" "tin" "tins" "dose" "dosen";
    /// Of glass.
    Jar "jar": "jars" "glas" "gläser";
    /// As it is sold.
    Pack "pack": "packs" "package" "packages" "packet" "packets" "pkg" "pck" "pkt" "päckchen" "packung" "packungen" "pkg."
        "bag" "bags" "box" "boxes" "beutel" "becher" "carton" "cartons" "container" "tub" "tubs" "sachet" "sachets" "tüte"
        "tüten" "würfelpackung" "bottle" "bottles" "flasche" "flaschen";
    /// A twig.
    Sprig "sprig": "sprigs" "zweig" "zweige";
    /// One leaf.
    Leaf "leaf": "leaves" "blatt" "blätter";
    /// Of butter, cinnamon or celery.
    Stick "stick": "sticks" "stange" "stangen";
    /// Of lettuce or cabbage.
    Head "head": "heads" "kopf" "köpfe";
    /// Of celery or lemon grass.
    Stalk "stalk": "stalks" "rib" "ribs" "stiel" "stiele";
    /// Of stock or yeast.
    Cube "cube": "cubes" "würfel";
    /// Of pastry or pasta.
    Sheet "sheet": "sheets" "platte" "platten";
    /// Of fish or meat.
    Fillet "fillet": "fillets" "filet" "filets";
    /// Of ginger: as long as a thumb.
    Thumb "thumb": "thumbs" "knob" "knobs" "daumen";
}

impl CountUnit {
    /// Whether a size beside it is that of each: `2 cans (400 g)`.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Can | Self::Jar | Self::Pack)
    }
}

/// How much, in whole smallest parts.
///
/// ```
/// use vestibule_kitchen::Amount;
/// assert_eq!("1.5 kg".parse(), Ok(Amount::Mass(1_500_000)));
/// assert_eq!(Amount::Volume(250_000).to_string(), "250 ml");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Amount {
    /// Milligrams.
    Mass(i64),
    /// Microlitres.
    Volume(i64),
    /// Thousandths.
    Count {
        /// How many thousandths.
        milli: i64,
        /// Of what.
        of: CountUnit,
    },
}

impl Amount {
    /// The number in the smallest part of its unit.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Mass(number) | Self::Volume(number) | Self::Count { milli: number, .. } => number,
        }
    }

    /// Another number of the same.
    #[must_use]
    pub const fn with(self, number: i64) -> Self {
        match self {
            Self::Mass(_) => Self::Mass(number),
            Self::Volume(_) => Self::Volume(number),
            Self::Count { of, .. } => Self::Count { milli: number, of },
        }
    }

    /// The sum, of two that measure the same.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let sum = self.number().checked_add(other.number()).filter(|sum| sum.abs() <= MOST)?;
        (self.with(0) == other.with(0)).then(|| self.with(sum))
    }

    /// `self * over / under`, rounded up: who cooks must not lack a crumb. `None`: too much, or divided by nothing.
    #[must_use]
    pub fn share_up(self, over: u64, under: u64) -> Option<Self> {
        let product = u128::from(u64::try_from(self.number()).ok()?).checked_mul(u128::from(over))?;
        let share = product.checked_add(u128::from(under).checked_sub(1)?)?.checked_div(u128::from(under))?;
        i64::try_from(share).ok().filter(|share| *share <= MOST).map(|share| self.with(share))
    }

    /// What a thing reports, in its own unit as Home Assistant writes it (`g`, `kg`, `ml`, `L`); without one: pieces.
    #[must_use]
    pub fn reported(value: &Value, unit: Option<&str>) -> Option<Self> {
        let number = value.as_f64().filter(|number| number.is_finite() && *number >= 0.0)?;
        let measure = match unit {
            None | Some("" | "pcs" | "pieces" | "Stück") => return whole(number * 1_000.0).map(piece),
            Some(unit) => Measure::of_word(unit, Style::GERMAN)?,
        };
        let (over, under) = measure.factor();
        #[expect(clippy::cast_precision_loss, reason = "factors are small")]
        let smallest = whole(number * over as f64 / under as f64)?;
        Some(match measure {
            Measure::Mass(..) => Self::Mass(smallest),
            Measure::Volume(..) => Self::Volume(smallest),
            Measure::Count(of) => Self::Count { milli: smallest, of },
        })
    }
}

const fn piece(milli: i64) -> Amount {
    Amount::Count { milli, of: CountUnit::Piece }
}

fn whole(number: f64) -> Option<i64> {
    let rounded = number.round();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "within 10^15, doubles are exact")]
    (rounded.abs() <= MOST as f64).then_some(rounded as i64)
}

/// What one of a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// So many milligrams, as a fraction.
    Mass(u64, u64),
    /// So many microlitres, as a fraction.
    Volume(u64, u64),
    /// It is counted.
    Count(CountUnit),
}

/// A gallon of the United States, in microlitres times 125.
const GALLON_125: u64 = 473_176_473;

impl Measure {
    /// By the word for it. Single letters are told by their size: `T` is a tablespoon, `t` a teaspoon.
    #[must_use]
    pub fn of_word(word: &str, style: Style) -> Option<Self> {
        match word {
            "T" | "Tbs" | "TBSP" => return Self::of_word("tbsp", style),
            "t" => return Self::of_word("tsp", style),
            _ => {}
        }
        let word = word.to_lowercase();
        let word = word.trim_end_matches('.');
        let us = |under| Some(Self::Volume(GALLON_125, under));
        match word {
            "mg" | "milligram" | "milligrams" => Some(Self::Mass(1, 1)),
            "g" | "gr" | "gram" | "grams" | "gramme" | "grammes" | "gramm" => Some(Self::Mass(1_000, 1)),
            "kg" | "kilo" | "kilos" | "kilogram" | "kilograms" | "kilogramm" => Some(Self::Mass(1_000_000, 1)),
            "oz" | "ounce" | "ounces" => Some(Self::Mass(45_359_237, 1_600)),
            "lb" | "lbs" | "pound" | "pounds" => Some(Self::Mass(45_359_237, 100)),
            "pfund" => Some(Self::Mass(500_000, 1)),
            "ml" | "milliliter" | "milliliters" | "millilitre" | "millilitres" => Some(Self::Volume(1_000, 1)),
            "cl" | "centiliter" | "centilitre" | "zentiliter" => Some(Self::Volume(10_000, 1)),
            "dl" | "deciliter" | "decilitre" | "deziliter" => Some(Self::Volume(100_000, 1)),
            "l" | "ltr" | "liter" | "liters" | "litre" | "litres" => Some(Self::Volume(1_000_000, 1)),
            "tl" | "teelöffel" => Some(Self::Volume(5_000, 1)),
            "el" | "esslöffel" | "eßlöffel" => Some(Self::Volume(15_000, 1)),
            "tasse" | "tassen" => Some(Self::Volume(250_000, 1)),
            "tsp" | "tsps" | "teaspoon" | "teaspoons" if style.metric => Some(Self::Volume(5_000, 1)),
            "tbsp" | "tbsps" | "tbs" | "tablespoon" | "tablespoons" if style.metric => Some(Self::Volume(15_000, 1)),
            "cup" | "cups" if style.metric => Some(Self::Volume(250_000, 1)),
            "pint" | "pints" | "pt" if style.metric => Some(Self::Volume(568_261_250, 1_000)),
            "tsp" | "tsps" | "teaspoon" | "teaspoons" => Some(Self::Volume(GALLON_125, 96_000)),
            "tbsp" | "tbsps" | "tbs" | "tablespoon" | "tablespoons" => us(32_000),
            "cup" | "cups" | "c" => us(2_000),
            "pint" | "pints" | "pt" => us(1_000),
            "quart" | "quarts" | "qt" => us(500),
            "gallon" | "gallons" | "gal" => us(125),
            "floz" => us(16_000),
            "pinch" | "pinches" | "prise" | "prisen" => Some(Self::Volume(300, 1)),
            "dash" | "dashes" | "spritzer" | "msp" | "messerspitze" => Some(Self::Volume(600, 1)),
            "schuss" | "splash" | "drizzle" | "glug" => Some(Self::Volume(10_000, 1)),
            "handful" | "handfuls" | "handvoll" => Some(Self::Volume(120_000, 1)),
            word => CountUnit::of_word(word).map(Self::Count),
        }
    }

    /// Over and under of what one is, in smallest parts.
    const fn factor(self) -> (u64, u64) {
        match self {
            Self::Mass(over, under) | Self::Volume(over, under) => (over, under),
            Self::Count(_) => (1_000, 1),
        }
    }

    /// So many of it, rounded half up once. `None`: too many.
    #[must_use]
    pub fn times(self, number: Number) -> Option<Amount> {
        let (over, under) = self.factor();
        let number = number.scaled(over, under).filter(|number| *number <= MOST)?;
        Some(match self {
            Self::Mass(..) => Amount::Mass(number),
            Self::Volume(..) => Amount::Volume(number),
            Self::Count(of) => Amount::Count { milli: number, of },
        })
    }
}

fn thousandths(f: &mut fmt::Formatter<'_>, number: i64, unit: &str) -> fmt::Result {
    let sign = if number < 0 { "-" } else { "" };
    let (whole, part) = (number.unsigned_abs() / 1_000, number.unsigned_abs() % 1_000);
    if part == 0 {
        return write!(f, "{sign}{whole} {unit}");
    }
    write!(f, "{sign}{whole}.{} {unit}", format!("{part:03}").trim_end_matches('0'))
}

/// As people write it, exactly: `1.5 kg`, `250 ml`, `2 clove`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Mass(mg) if mg % 1_000 == 0 && mg.unsigned_abs() >= 1_000_000 => thousandths(f, mg / 1_000, "kg"),
            Self::Mass(mg) => thousandths(f, mg, "g"),
            Self::Volume(ul) if ul % 1_000 == 0 && ul.unsigned_abs() >= 1_000_000 => thousandths(f, ul / 1_000, "l"),
            Self::Volume(ul) => thousandths(f, ul, "ml"),
            Self::Count { milli, of } => thousandths(f, milli, of.word()),
        }
    }
}

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no amount: write 500 g, 1.5 l or 3 piece")]
pub struct AmountError(String);

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let wrong = || AmountError(text.chars().take(32).collect());
        // A point is a point here, also before three digits: this is what `Display` wrote.
        let (number, end) = decimal(text.trim(), Language::English).ok_or_else(wrong)?;
        let unit = text.trim().get(end..).unwrap_or_default().trim();
        let unit = if unit.is_empty() { "piece" } else { unit };
        Measure::of_word(unit, Style::GERMAN).and_then(|measure| measure.times(number)).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;
    fn try_from(text: String) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spoons_and_cups_are_those_of_the_recipe() {
        let one = |word, style| Measure::of_word(word, style).unwrap().times(Number::ONE).unwrap();
        assert_eq!(one("cup", Style::US), Amount::Volume(236_588));
        assert_eq!(one("cup", Style::BRITISH), Amount::Volume(250_000));
        assert_eq!(one("T", Style::US), Amount::Volume(14_787));
        assert_eq!(one("t", Style::US), Amount::Volume(4_929));
        assert_eq!(one("EL", Style::US), Amount::Volume(15_000), "its own word decides");
        assert_eq!(one("lb", Style::US), Amount::Mass(453_592));
        assert_eq!(one("Zehen", Style::GERMAN), Amount::Count { milli: 1_000, of: CountUnit::Clove });
    }

    #[test]
    fn what_things_report_is_an_amount() {
        assert_eq!(Amount::reported(&Value::Float(412.5), Some("g")), Some(Amount::Mass(412_500)));
        assert_eq!(Amount::reported(&Value::Float(1.2), Some("L")), Some(Amount::Volume(1_200_000)));
        assert_eq!(Amount::reported(&Value::Int(6), None), Some(Amount::Count { milli: 6_000, of: CountUnit::Piece }));
        for wrong in [Value::Float(-1.0), Value::Float(f64::NAN), Value::Float(1e300), Value::Text("full".to_owned())] {
            assert_eq!(Amount::reported(&wrong, Some("g")), None, "{wrong:?}");
        }
        assert_eq!(Amount::reported(&Value::Int(6), Some("bar")), None);
    }

    proptest! {
        #[test]
        fn an_amount_is_read_as_it_was_written(number in 0_i64..1_000_000_000_000, kind in 0_usize..4) {
            let amount = match kind {
                0 => Amount::Mass(number),
                1 => Amount::Volume(number),
                2 => Amount::Mass(number / 1_000_000 * 1_000_000),
                _ => Amount::Count { milli: number, of: CountUnit::ALL[usize::try_from(number).unwrap() % CountUnit::ALL.len()] },
            };
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        }

        #[test]
        fn nothing_panics(text in ".{0,24}", number in any::<i64>(), over in any::<u64>(), under in any::<u64>()) {
            let _ = text.parse::<Amount>();
            let _ = Amount::Mass(number).share_up(over, under);
            let _ = Amount::Mass(number).to_string();
        }

        #[test]
        fn shares_never_lack(number in 0_i64..1_000_000_000, over in 0_u64..100, under in 1_u64..100) {
            let share = Amount::Mass(number).share_up(over, under).unwrap().number();
            let (exact, share) = (i128::from(number) * i128::from(over), i128::from(share) * i128::from(under));
            prop_assert!(share >= exact && share < exact + i128::from(under));
        }
    }
}
