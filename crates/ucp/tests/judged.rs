//! The judge of messages judges: what we say passes, and what is broken does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod judge;

use std::path::Path;

use judge::{Judge, Kind};
use serde_json::{Value, json};

fn ours(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ours").join(file);
    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
}

/// A message of each kind. Each has something at the end of this path that must be there.
fn messages() -> Vec<(Kind, Value, &'static str)> {
    let lookup = json!({"ids": ["milk_1l"]});
    let mut found = ours("catalog_search.json");
    let product = found["products"][0].clone();
    for product in found["products"].as_array_mut().unwrap() {
        for variant in product["variants"].as_array_mut().unwrap() {
            variant["inputs"] = json!([{"id": variant["id"]}]);
        }
    }
    vec![
        (Kind::BusinessProfile, ours("profile_business.json"), "/ucp/version"),
        (Kind::PlatformProfile, ours("profile_platform.json"), "/ucp/version"),
        (Kind::Create, ours("checkout_create_request.json"), "/line_items/0/item/id"),
        (Kind::Update, ours("checkout_update_request.json"), "/line_items/0/quantity"),
        (Kind::Complete, ours("checkout_complete_request.json"), "/payment"),
        (Kind::Checkout, ours("checkout_ready.json"), "/links"),
        (Kind::Checkout, ours("checkout_price_changed.json"), "/line_items/0/item/price"),
        (Kind::Checkout, ours("checkout_completed.json"), "/order/permalink_url"),
        (Kind::Order, ours("order_in_production.json"), "/checkout_id"),
        (Kind::Order, ours("order_canceled.json"), "/adjustments/0/status"),
        (Kind::Order, ours("order_delivered.json"), "/fulfillment/events/0/occurred_at"),
        (Kind::Found, ours("catalog_search.json"), "/products/0/variants/0/price/currency"),
        (Kind::LookUp, lookup, "/ids"),
        (Kind::LookedUp, found, "/products/0/title"),
        (Kind::GetProduct, json!({"id": "milk"}), "/id"),
        (Kind::Product, json!({"ucp": {"version": "2026-04-08"}, "product": product}), "/product/price_range"),
        (Kind::Refused, ours("checkout_error.json"), "/messages"),
        (Kind::Accepted, serde_json::to_value(vestibule_ucp::accepted()).unwrap(), "/ucp/version"),
    ]
}

fn without(message: &Value, path: &str) -> Value {
    let mut less = message.clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    less.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).expect(path);
    less
}

#[test]
fn what_we_say_passes_and_what_is_broken_does_not() {
    let judge = Judge::here();
    for (kind, message, needed) in messages() {
        judge.one(kind, message.to_string().as_bytes()).unwrap();
        let less = without(&message, needed);
        let why = judge.one(kind, less.to_string().as_bytes()).expect_err(needed);
        let name = needed.rsplit('/').next().unwrap();
        assert!(why.contains(name) && why.contains("required"), "it says what is missing: {why}");
    }
    // What a search may ask for is all optional: it is another type that it may not have.
    judge.one(Kind::Search, br#"{"query": "milk", "pagination": {"limit": 5}}"#).unwrap();
    judge.one(Kind::Search, br#"{"query": 7}"#).unwrap_err();
}

#[test]
fn a_message_is_none_of_another_kind_and_nothing_is_no_message() {
    let judge = Judge::here();
    for (kind, other) in [
        (Kind::Checkout, "order_delivered.json"),
        (Kind::Order, "checkout_ready.json"),
        (Kind::Checkout, "checkout_error.json"),
    ] {
        judge.one(kind, ours(other).to_string().as_bytes()).unwrap_err();
    }
    // A member that may be absent is still not `null`.
    let mut empty = ours("checkout_ready.json");
    empty["expires_at"] = Value::Null;
    judge.one(Kind::Checkout, empty.to_string().as_bytes()).unwrap_err();
    for nothing in ["", "null", "{", "[]"] {
        judge.one(Kind::Checkout, nothing.as_bytes()).unwrap_err();
    }
}

#[test]
fn what_is_said_where_tells_what_it_is() {
    assert_eq!(Kind::of_request("PUT", "/ucp/checkout-sessions/chk_1"), Some(Kind::Update));
    assert_eq!(Kind::of_request("POST", "/pay/tokenize"), None);
    let refused = br#"{"ucp": {"version": "2026-04-08", "status": "error"}}"#;
    assert_eq!(Kind::of_answer("/ucp/orders/ord_1", 200, refused), Some(Kind::Refused));
    assert_eq!(Kind::of_answer("/ucp/orders/ord_1/cancel", 200, b"{}"), Some(Kind::Order));
    assert_eq!(Kind::of_answer("/ucp/checkout-sessions", 201, b"{}"), Some(Kind::Checkout));
    assert_eq!(Kind::of_answer("/ucp/checkout-sessions", 409, b"{}"), None);
}
