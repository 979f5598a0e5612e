//! Amounts and places as people read them.

use vestibule_kitchen::{Amount, CountUnit};

/// `value / under` with at most `digits` behind the point, and none that say nothing.
fn decimal(value: i64, under: u64, digits: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let number = value as f64 / under as f64;
    let text = format!("{number:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// An amount, rounded to what a kitchen can measure: `250 g`, `1.25 kg`, `2 cloves`, `3`.
pub(crate) fn amount(amount: Amount) -> String {
    let kilo = |number: i64, (large, small): (&str, &str)| match number.unsigned_abs() {
        1_000_000.. => format!("{} {large}", decimal(number, 1_000_000, 2)),
        10_000.. => format!("{} {small}", decimal(number, 1_000, 0)),
        _ => format!("{} {small}", decimal(number, 1_000, 1)),
    };
    match amount {
        Amount::Mass(mg) => kilo(mg, ("kg", "g")),
        Amount::Volume(ul) => kilo(ul, ("l", "ml")),
        Amount::Count { milli, of: CountUnit::Piece } => decimal(milli, 1_000, 1),
        Amount::Count { milli, of } => {
            let many = if milli == 1_000 { "" } else { "s" };
            format!("{} {}{many}", decimal(milli, 1_000, 1), of.word())
        }
    }
}

/// The same; nothing where there is none of it.
pub(crate) fn some(of: Amount) -> String {
    if of.number() == 0 { String::new() } else { amount(of) }
}

/// The number in grams, millilitres or pieces.
pub(crate) fn plain(amount: Amount) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "within 10^15, doubles are exact")]
    let milli = amount.number() as f64;
    milli / 1_000.0
}

/// A place of a thing: the thing's own name says it all where it has only one.
pub(crate) fn place(thing: &str, feature: &str) -> String {
    if thing == feature { thing.to_owned() } else { format!("{thing}, {feature}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let count = |milli, of| Amount::Count { milli, of };
        for (shown, text) in [
            (Amount::Mass(250_000), "250 g"),
            (Amount::Mass(1_254_321), "1.25 kg"),
            (Amount::Mass(1_500), "1.5 g"),
            (Amount::Mass(123_456), "123 g"),
            (Amount::Volume(2_000_000), "2 l"),
            (Amount::Volume(300), "0.3 ml"),
            (count(3_000, CountUnit::Piece), "3"),
            (count(2_500, CountUnit::Piece), "2.5"),
            (count(1_000, CountUnit::Clove), "1 clove"),
            (count(2_000, CountUnit::Clove), "2 cloves"),
        ] {
            assert_eq!(amount(shown), text);
        }
        assert_eq!(some(Amount::Mass(0)), "");
        assert_eq!((place("Fridge", "Milk"), place("Milk", "Milk")), ("Fridge, Milk".to_owned(), "Milk".to_owned()));
    }
}
