use super::*;
use crate::{moment::utc, window::shop::tests::bought};

#[test]
fn a_receipt_says_what_was_paid_for_what() {
    let known = bought();
    let update = known.newest_first()[0];
    let text = receipt(update, &utc());
    for words in [
        "Merchant      workshop",
        "Order         ord_01",
        "Confirmed     Fri 27 Nov 2026, 14:03:00",
        "1 × Lamp, made to your design\n       23.50 EUR",
        "Total with everything that was added\n       33.80 EUR",
        "Fri 27 Nov 2026, 14:09:41  A machine has begun.",
        "https://workshop.example/orders/ord_01",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    assert!(!text.contains("Paid back"));
}

#[test]
fn times_are_counted_as_people_do() {
    let words: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 111].map(|n| format!("{n}{}", ordinal(n))).into();
    assert_eq!(words, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "111th"]);
}
