//! Words that stand around amounts, in the languages that are read.

use serde::{Deserialize, Serialize};

use crate::number::Number;

/// The language that a recipe is read in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

/// How a recipe is written: its language, and whose spoons and cups are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Style {
    /// Its words.
    pub language: Language,
    /// Spoons of 5 and 15 ml, cups of 250 ml, imperial pints; else those of the United States.
    pub metric: bool,
}

impl Style {
    /// Of the United States.
    pub const US: Self = Self { language: Language::English, metric: false };
    /// English with metric spoons.
    pub const BRITISH: Self = Self { language: Language::English, metric: true };
    /// German.
    pub const GERMAN: Self = Self { language: Language::German, metric: true };

    /// By the tag that a page gives (`en-GB`, `de`); `None`: a language that is not read here.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag.get(..12).unwrap_or(tag).to_ascii_lowercase().replace('_', "-");
        match tag.split('-').next()? {
            "de" | "german" | "deutsch" => Some(Self::GERMAN),
            "en" | "english" => Some(if ["en-gb", "en-au", "en-nz", "en-ie"].contains(&tag.as_str()) {
                Self::BRITISH
            } else {
                Self::US
            }),
            _ => None,
        }
    }

    /// Guesses by words that only one language has.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        const GERMAN: [&str; 16] = [
            "EL", "TL", "Prise", "Dose", "Zehe", "Zehen", "und", "oder", "etwas", "Bund", "Stück", "Mehl", "Salz",
            "Zucker", "Butter,", "Eier",
        ];
        let words = text.split(|c: char| !c.is_alphanumeric()).take(4_096);
        let german = words.filter(|word| GERMAN.contains(word) || word.contains(['ä', 'ö', 'ü', 'ß'])).take(2).count();
        // "jalapeño" has no umlaut, "crème" neither; one word may be a name, two are a language.
        if german >= 2 { Self::GERMAN } else { Self::US }
    }
}

/// The number that a word says.
#[must_use]
pub fn spoken(word: &str) -> Option<Number> {
    let number = match word {
        "a" | "an" | "one" | "ein" | "eine" | "einen" | "einer" | "eines" | "einem" => 1,
        "two" | "zwei" => 2,
        "three" | "drei" => 3,
        "four" | "vier" => 4,
        "five" | "fünf" => 5,
        "six" | "sechs" => 6,
        "seven" | "sieben" => 7,
        "eight" | "acht" => 8,
        "nine" | "neun" => 9,
        "ten" | "zehn" => 10,
        "dozen" | "twelve" | "zwölf" | "dutzend" => 12,
        "half" | "halbe" | "halber" | "halbes" | "halben" => return Number::fraction(1, 2),
        "quarter" | "viertel" => return Number::fraction(1, 4),
        _ => return None,
    };
    Some(Number::whole(number))
}

/// Words that make a number less exact, and say nothing else.
pub const ABOUT: &[&str] = &[
    "about",
    "approx",
    "approximately",
    "around",
    "roughly",
    "circa",
    "ca",
    "etwa",
    "ungefähr",
    "rund",
    "heaped",
    "heaping",
    "level",
    "scant",
    "generous",
    "rounded",
    "good",
    "gestrichene",
    "gestrichener",
    "gestrichen",
    "gehäufte",
    "gehäufter",
    "knapp",
    "knappe",
    "gut",
    "gute",
    "guter",
    "full",
    "volle",
    "packed",
    "each",
    "je",
];

/// Words for an amount that nobody knows.
pub const SOME: &[&str] = &["some", "few", "several", "etwas", "einige", "wenig", "little", "paar", "n.", "ein wenig"];

/// Words with which a line does not have to be bought.
pub const OPTIONAL: &[&str] = &[
    "optional",
    "to taste",
    "for serving",
    "to serve",
    "for garnish",
    "to garnish",
    "for decoration",
    "if desired",
    "if you like",
    "as needed",
    "nach geschmack",
    "nach belieben",
    "nach bedarf",
    "zum servieren",
    "zum garnieren",
    "zum bestreuen",
    "für die deko",
    "wer mag",
];

/// Between two ends of a range.
pub const RANGE: &[&str] = &["to", "bis"];

/// Between alternatives.
pub const OR: &[&str] = &["or", "oder", "bzw"];

/// Parts of a fruit that are wanted instead of it: "juice of 1 lemon".
pub const PART: &[&str] = &["juice", "zest", "rind", "peel", "saft", "schale", "abrieb"];

/// Words before a name that do not change what is bought.
pub const ADJECTIVES: &[&str] = &[
    "large",
    "small",
    "medium",
    "medium-sized",
    "big",
    "fresh",
    "freshly",
    "finely",
    "coarsely",
    "roughly",
    "thinly",
    "thickly",
    "chopped",
    "diced",
    "minced",
    "sliced",
    "grated",
    "shredded",
    "crushed",
    "peeled",
    "ground",
    "melted",
    "softened",
    "cold",
    "warm",
    "hot",
    "lukewarm",
    "boiling",
    "ripe",
    "organic",
    "free-range",
    "unsalted",
    "salted",
    "dried",
    "frozen",
    "cooked",
    "raw",
    "whole",
    "halved",
    "pitted",
    "toasted",
    "sifted",
    "fine",
    "coarse",
    "good",
    "quality",
    "good-quality",
    "extra",
    "boneless",
    "skinless",
    "lean",
    "low-fat",
    "full-fat",
    "reduced-fat",
    "cubed",
    "crumbled",
    "beaten",
    "drained",
    "rinsed",
    "picked",
    "trimmed",
    "firm",
    "young",
    "mild",
    "strong",
    "plain",
    "packed",
    "of",
    "the",
    "your",
    "favourite",
    "favorite",
    "tinned",
    "canned",
    "jarred",
    "store-bought",
    "homemade",
    "room-temperature",
    "chilled",
    "washed",
    "unwaxed",
    "groß",
    "große",
    "großer",
    "großes",
    "großen",
    "klein",
    "kleine",
    "kleiner",
    "kleines",
    "kleinen",
    "mittelgroße",
    "mittelgroßer",
    "mittlere",
    "frisch",
    "frische",
    "frischer",
    "frisches",
    "frischen",
    "gehackt",
    "gehackte",
    "gehackter",
    "gehackten",
    "gewürfelt",
    "gewürfelte",
    "gerieben",
    "geriebener",
    "geriebene",
    "geriebenen",
    "gemahlen",
    "gemahlene",
    "gemahlener",
    "gemahlenen",
    "geschält",
    "geschälte",
    "getrocknet",
    "getrocknete",
    "getrockneter",
    "tiefgekühlt",
    "tiefgekühlte",
    "weich",
    "weiche",
    "weicher",
    "kalt",
    "kalte",
    "kaltes",
    "warme",
    "warmes",
    "lauwarm",
    "lauwarme",
    "lauwarmes",
    "flüssige",
    "reife",
    "reifer",
    "bio",
    "gesalzene",
    "ungesalzene",
    "fein",
    "feiner",
    "feines",
    "feine",
    "grob",
    "grobes",
    "passierte",
    "ganze",
    "ganzer",
    "rohe",
    "gekochte",
    "gekochter",
    "festkochende",
    "mehligkochende",
    "heißes",
    "kaltgepresstes",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_or_shows_its_language() {
        assert_eq!(Style::of_tag("de-AT"), Some(Style::GERMAN));
        assert_eq!(Style::of_tag("en_GB"), Some(Style::BRITISH));
        assert_eq!(Style::of_tag("en"), Some(Style::US));
        assert_eq!(Style::of_tag("ääääääääääääääää"), None);
        assert_eq!(Style::guess("2 EL Öl\n1 Prise Salz"), Style::GERMAN);
        assert_eq!(Style::guess("2 tbsp oil\n1 Müller's bread"), Style::US);
    }
}
