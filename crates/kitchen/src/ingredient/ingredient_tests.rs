use proptest::prelude::*;

use super::*;
use crate::{table::Table, units::CountUnit, words::Style};

fn read(text: &str) -> Ingredient {
    let style = Style::guess(text);
    let style =
        if text.contains("EL") || text.contains("TL") || text.contains("Prise") { Style::GERMAN } else { style };
    parse(text, style, Table::shipped())
}

fn german(text: &str) -> Ingredient {
    parse(text, Style::GERMAN, Table::shipped())
}

const fn count(milli: i64, of: CountUnit) -> Option<Amount> {
    Some(Amount::Count { milli, of })
}

const fn mass(grams: i64) -> Option<Amount> {
    Some(Amount::Mass(grams * 1_000))
}

#[test]
fn lines_as_people_write_them_in_english() {
    let piece = CountUnit::Piece;
    for (text, amount, id) in [
        ("2 large eggs", count(2_000, piece), "egg"),
        ("1 1/2 cups all-purpose flour", Some(Amount::Volume(354_882)), "flour_wheat"),
        ("½ tsp salt", Some(Amount::Volume(2_464)), "salt"),
        ("• 200g butter, softened", mass(200), "butter"),
        ("200g/7oz unsalted butter", mass(200), "butter"),
        ("1 cup (120 g) flour", mass(120), "flour_wheat"),
        ("2 x 400 g cans chopped tomatoes", mass(800), "tomato_can"),
        ("2 x 400g tins of chopped tomatoes", mass(800), "tomato_can"),
        ("1 (400 g) can chickpeas, drained", mass(400), "chickpeas"),
        ("2 cans (400 g) chickpeas", mass(800), "chickpeas"),
        ("3 cloves garlic, minced", count(3_000, CountUnit::Clove), "garlic"),
        ("3 garlic cloves", count(3_000, CountUnit::Clove), "garlic"),
        ("a pinch of salt", Some(Amount::Volume(300)), "salt"),
        ("a dozen eggs", count(12_000, piece), "egg"),
        ("half an onion", count(500, piece), "onion"),
        ("1 onion (about 200 g), chopped", mass(200), "onion"),
        ("2 onions (100 g each)", mass(200), "onion"),
        ("1 cup plus 2 tablespoons milk", Some(Amount::Volume(266_162)), "milk"),
        ("2-3 carrots", count(3_000, piece), "carrot"),
        ("3-2 carrots", count(3_000, piece), "carrot"),
        ("1–1/2 cups all-purpose flour", Some(Amount::Volume(354_882)), "flour_wheat"),
        ("2 or 3 carrots", count(3_000, piece), "carrot"),
        ("about 500 g potatoes", mass(500), "potato"),
        ("juice of 1 lemon", count(1_000, piece), "lemon"),
        ("8 fl oz whole milk", Some(Amount::Volume(236_588)), "milk"),
        ("1 bunch fresh parsley", count(1_000, CountUnit::Bunch), "parsley"),
        ("2 bay leaves", count(2_000, CountUnit::Leaf), "bay_leaf"),
        ("1 T olive oil", Some(Amount::Volume(14_787)), "oil_olive"),
        ("salt", None, "salt"),
    ] {
        let line = parse(text, Style::US, Table::shipped());
        assert_eq!(line.amount, amount, "{text}: {line:?}");
        assert_eq!(line.food().map(IngredientId::as_str), Some(id), "{text}: {line:?}");
    }
}

#[test]
fn lines_as_people_write_them_in_german() {
    let piece = CountUnit::Piece;
    for (text, amount, id) in [
        ("250 g Mehl", mass(250), "flour_wheat"),
        ("1.000 g Mehl", mass(1_000), "flour_wheat"),
        ("0,5 l Milch", Some(Amount::Volume(500_000)), "milk"),
        ("2 EL Olivenöl", Some(Amount::Volume(30_000)), "oil_olive"),
        ("1 TL Salz", Some(Amount::Volume(5_000)), "salt"),
        ("3 große Eier", count(3_000, piece), "egg"),
        ("2 Zwiebel(n), gewürfelt", count(2_000, piece), "onion"),
        ("1 Prise Zucker", Some(Amount::Volume(300)), "sugar"),
        ("2 Knoblauchzehen", count(2_000, CountUnit::Clove), "garlic"),
        ("2 Zehen Knoblauch", count(2_000, CountUnit::Clove), "garlic"),
        ("1 Bund Petersilie", count(1_000, CountUnit::Bunch), "parsley"),
        ("1 Dose(n) gehackte Tomaten (400 g)", mass(400), "tomato_can"),
        ("2 bis 3 Karotten", count(3_000, piece), "carrot"),
        ("eine halbe Zwiebel", count(500, piece), "onion"),
        ("Saft von 1 Zitrone", count(1_000, piece), "lemon"),
        ("1 Pck. Backpulver", count(1_000, CountUnit::Pack), "baking_powder"),
        ("etwas Butter", None, "butter"),
    ] {
        let line = german(text);
        assert_eq!(line.amount, amount, "{text}: {line:?}");
        assert_eq!(line.food().map(IngredientId::as_str), Some(id), "{text}: {line:?}");
    }
}

#[test]
fn ranges_need_the_most_and_show_the_least() {
    let line = read("200-250 g flour");
    assert_eq!((line.amount, line.least), (mass(250), mass(200)));
    let line = read("2 eggs");
    assert_eq!(line.least, None);
}

#[test]
fn alternatives_are_kept_in_order() {
    let line = read("50 g butter or 40 ml olive oil");
    assert_eq!(line.food().unwrap().as_str(), "butter");
    assert_eq!(line.alternatives.len(), 1);
    assert_eq!(line.alternatives[0].amount, Some(Amount::Volume(40_000)));
    assert_eq!(line.alternatives[0].id.as_ref().unwrap().as_str(), "oil_olive");
    let line = german("100 g Butter oder Margarine, weich");
    assert_eq!(line.alternatives[0].amount, mass(100));
    assert_eq!(line.note, "weich");
}

#[test]
fn what_nobody_has_to_buy_is_optional() {
    for text in ["parsley, to serve", "salt to taste", "chopped nuts (optional)", "Minze zum Garnieren"] {
        assert!(read(text).optional, "{text}");
    }
    assert!(!read("2 eggs").optional);
}

#[test]
fn what_is_not_understood_stays_text() {
    for text in ["the usual", "3 frobnicated glimbles", "", "🍕", "2 cups of love"] {
        let line = read(text);
        assert_eq!(line.food(), None, "{text}");
        assert_eq!(line.text, text.trim());
    }
}

#[test]
fn two_things_without_an_amount_are_two_lines() {
    let lines = parse_all("Salz und Pfeffer", Style::GERMAN, Table::shipped());
    let ids: Vec<&str> = lines.iter().filter_map(|line| line.food().map(IngredientId::as_str)).collect();
    assert_eq!(ids, ["salt", "pepper_black"]);
    let lines = parse_all("salt and freshly ground black pepper, to taste", Style::US, Table::shipped());
    assert!(lines.len() == 2 && lines.iter().all(|line| line.optional), "{lines:?}");
    assert_eq!(parse_all("100 g peas and carrots", Style::US, Table::shipped()).len(), 1);
}

proptest! {
    #[test]
    fn no_line_panics(text in ".{0,200}") {
        for style in [Style::US, Style::BRITISH, Style::GERMAN] {
            let _ = parse_all(&text, style, Table::shipped());
        }
    }

    #[test]
    fn nothing_made_of_its_own_pieces_panics(parts in proptest::collection::vec(0_usize..24, 0..24)) {
        const PIECES: [&str; 24] = [
            "1", "1/2", "½", "-", "x", "(", ")", "400", "g", "cup", "or", "plus", "can", "of", "a", "half", "dozen", "about",
            "each", ",", "egg", "/", "999999999999", "some",
        ];
        let text: Vec<&str> = parts.into_iter().map(|part| PIECES[part]).collect();
        let line = parse(&text.join(" "), Style::US, Table::shipped());
        if let (Some(least), Some(most)) = (line.least, line.amount) {
            prop_assert!(least <= most);
        }
        prop_assert!(line.amount.is_none_or(|amount| amount.number() >= 0));
    }

    #[test]
    fn grams_are_read_exactly(grams in 0_u32..100_000, tenths in 0_u32..10) {
        let line = read(&format!("{grams}.{tenths} g flour"));
        prop_assert_eq!(line.amount, Some(Amount::Mass(i64::from(grams) * 1_000 + i64::from(tenths) * 100)));
    }
}
