use serde_json::json;

use super::*;

/// The answers in `crates/ucp/tests/data/ours` are those of the protocol's examples, checked against its schemas.
fn ours(name: &str) -> Json {
    let path = format!("{}/../../crates/ucp/tests/data/ours/{name}", env!("CARGO_MANIFEST_DIR"));
    Json::new(std::fs::read_to_string(path).unwrap()).unwrap()
}

fn euro(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

#[test]
fn a_checkout_is_shown_as_its_merchant_says_it() {
    let checkout: Checkout = answer(&ours("checkout_ready.json")).unwrap();
    let lines = lines(&checkout);
    assert_eq!((lines.len(), lines[0].quantity), (1, 1));
    assert!(lines[0].design.is_some(), "it is made to a design");
    let totals = totals(&checkout);
    assert_eq!(totals.last().map(|(label, sum)| (label.as_str(), *sum)), Some(("Total", checkout.total().unwrap())));
    assert!(deliveries(&checkout).iter().any(|one| one.chosen && one.between.0.is_some()));
    assert_eq!(most(&checkout), None, "nothing is weighed");
    assert!(ways(&checkout).iter().any(|(way, words)| way.instrument == "sandbox-ok" && words.contains("no money")));
}

#[test]
fn what_a_merchant_says_no_with_is_said() {
    let refused = json!({"ucp": {"version": "2026-04-08", "status": "error"},
        "messages": [{"type": "error", "code": "not_found", "content": "There is no such\nthing.", "severity": "unrecoverable"}]});
    assert_eq!(answer::<Checkout>(&Json::of(&refused).unwrap()).unwrap_err(), "There is no such thing.");
    for broken in [json!({}), json!(7), json!({"ucp": {"version": "2026-04-08"}, "id": "x", "totals": []})] {
        let why = answer::<Checkout>(&Json::of(&broken).unwrap()).unwrap_err();
        assert!(why.starts_with("Its answer cannot be used"), "{why}");
    }
}

#[test]
fn what_is_weighed_has_a_most() {
    let mut checkout: Checkout = answer(&ours("checkout_ready.json")).unwrap();
    let goods = name::MEASURED_GOODS.to_owned();
    let measured = json!({"unit": "g", "step": 50, "least_steps": 2, "tolerance_permille": 50});
    checkout.line_items[0].more.insert(goods, measured);
    let (total, most) = (checkout.total().unwrap(), most(&checkout).unwrap());
    assert!(most.amount > total.amount, "{most} {total}");
    // A twentieth of the line, with its part of everything that is added.
    assert!(most.amount - total.amount <= total.amount / 20 + 2, "{most} {total}");
}

#[test]
fn goods_are_their_variants() {
    let found = json!({
        "ucp": {"version": "2026-04-08"},
        "products": [{
            "id": "lamp", "title": "Desk lamp", "description": {"plain": "A warm light."},
            "price_range": {"min": {"amount": 3900, "currency": "EUR"}, "max": {"amount": 4100, "currency": "EUR"}},
            "variants": [
                {"id": "lamp_white", "title": "White", "price": {"amount": 3900, "currency": "EUR"}},
                {"id": "lamp_black", "title": "Black", "price": {"amount": 4100, "currency": "EUR"},
                 "availability": {"available": false, "status": "out_of_stock"}},
            ],
        }],
    });
    let found: SearchAnswer = answer(&Json::of(&found).unwrap()).unwrap();
    let goods = goods(&SystemId::slug("shop"), &found);
    assert_eq!(goods[0].title, "Desk lamp, White");
    assert_eq!((goods[0].price, goods[0].says.as_str(), goods[0].least), (euro(3_900), "A warm light.", 1));
    assert_eq!((goods[0].why_not.as_deref(), goods[1].why_not.as_deref()), (None, Some("sold out")));
}

#[test]
fn what_merchants_say_is_no_longer_than_people_read() {
    assert_eq!(words("  a\u{7}b\n"), "a b");
    assert_eq!(words(&"ä".repeat(400)).chars().count(), MOST_WORDS + 1);
    assert_eq!(place("$.line_items[2].item.price"), Some(2));
    for path in ["", "$.line_items[", "$.line_items[x]", "$.totals[1]", "$.line_items[99999999999999999999999]"] {
        assert_eq!(place(path), None, "{path}");
    }
}
