//! Every kind of message that merchants say passes the protocol's own judge. Each platform of these tests has its merchants
//! judged in passing, whatever a test is about; here is what makes sure that no kind is left out.

use serde_json::{Value, json};
use vestibule_commerce::Role;

use crate::{
    maker::quoted,
    platform::{Judge, Kind, Merchant, Platform, cart},
};

/// Buys at one that works fast, and waits for the door.
async fn buys(platform: &Platform, merchant: &Merchant, goods: &str) -> Value {
    let base = merchant.base();
    platform.meet(base).await;
    let order = platform.buy(base, &[(goods, 1)]).await;
    platform
        .hears(|told| {
            let events = told.order["fulfillment"]["events"].as_array().unwrap();
            told.order["id"] == order.as_str() && events.iter().any(|one| one["type"] == "delivered")
        })
        .await;
    platform.get(&format!("{base}/ucp/orders/{order}")).await.ok()
}

/// What else may become of sessions and orders.
async fn leaves(platform: &Platform, base: &str) {
    platform.meet(base).await;
    platform.post(&format!("{base}/ucp/catalog/search"), &json!({"query": "bulb"})).await.ok();
    platform.post(&format!("{base}/ucp/catalog/lookup"), &json!({"ids": ["bulb_7w", "x"]})).await.ok();
    platform.post(&format!("{base}/ucp/catalog/product"), &json!({"id": "bulb"})).await.ok();
    let session = platform.ready(base, &[("bulb_7w", 1)]).await;
    let url = format!("{base}/ucp/checkout-sessions/{}", session["id"].as_str().unwrap());
    platform.get(&url).await.ok();
    let declined = platform.complete(base, &session, "sandbox-declined").await.ok();
    assert_ne!(declined["status"], "completed", "{declined}");
    platform.post(&format!("{url}/cancel"), &json!({})).await.ok();
    let none = cart(&[("nothing_of_the_kind", 1)], None);
    platform.post(&format!("{base}/ucp/checkout-sessions"), &none).await.ok();
    let order = platform.buy(base, &[("bulb_7w", 1)]).await;
    platform.post(&format!("{base}/ucp/orders/{order}/cancel"), &json!({})).await.ok();
    platform.hears(|told| told.order["id"] == order.as_str() && told.order["adjustments"][1].is_object()).await;
    let nowhere = platform.get(&format!("{base}/ucp/orders/ord_nowhere")).await.ok();
    assert_eq!(nowhere["ucp"]["status"], "error");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_message_passes() {
    let judge = Judge::here();
    let platform = Platform::new(1).await;
    let (shop, grocer) = (Merchant::new(Role::Shop, 100_000).await, Merchant::new(Role::Supplier, 100_000).await);
    let (slow, workshop) = (Merchant::new(Role::Shop, 1).await, Merchant::new(Role::Manufacturer, 200_000).await);
    buys(&platform, &shop, "bulb_7w").await;
    buys(&platform, &grocer, "milk_1l").await;
    let quote = quoted(&platform, workshop.base(), 1).await;
    let made = buys(&platform, &workshop, quote["item"]["id"].as_str().unwrap()).await;
    assert!(made["com.example.vestibule.certificates"].is_array(), "our extensions are among what is judged");
    leaves(&platform, slow.base()).await;

    let count = judge.all(platform.messages()).unwrap();
    for (kind, least) in [
        (Kind::BusinessProfile, 4),
        (Kind::Create, 5),
        (Kind::Update, 5),
        (Kind::Complete, 5),
        (Kind::Checkout, 15),
        (Kind::Order, 8),
        (Kind::Search, 1),
        (Kind::Found, 1),
        (Kind::LookUp, 1),
        (Kind::LookedUp, 1),
        (Kind::GetProduct, 1),
        (Kind::Product, 1),
        (Kind::Refused, 1),
    ] {
        assert!(count.get(&kind).is_some_and(|count| *count >= least), "{kind:?}: {count:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_that_says_something_else_does_not_pass() {
    let judge = Judge::here();
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    platform.ready(shop.base(), &[("bulb_7w", 1)]).await;
    let (kind, said) = platform.messages().pop().unwrap();
    judge.one(kind, &said).unwrap();
    let mut other: Value = serde_json::from_slice(&said).unwrap();
    other["line_items"][0]["item"]["price"] = json!("4.49");
    let why = judge.one(kind, other.to_string().as_bytes()).unwrap_err();
    assert!(why.contains("4.49"), "{why}");
}
