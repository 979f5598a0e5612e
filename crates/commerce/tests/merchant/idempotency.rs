//! The same request has the same answer, and is done once.

use std::sync::Arc;

use futures_util::future::join_all;
use vestibule_commerce::Role;

use crate::platform::{Merchant, Platform, cart};

const HOUR_MS: u64 = 60 * 60 * 1000;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_is_one_order() {
    let (mut shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let ready = platform.ready(shop.base(), &[("bulb_7w", 1)]).await;
    let body = platform.paying(shop.base(), &ready, "sandbox-ok").await;
    let key = platform.fresh();
    let path = format!("/ucp/checkout-sessions/{}/complete", ready["id"].as_str().unwrap());
    let first = platform.send("POST", &format!("{}{path}", shop.base()), Some(&key), Some(&body)).await;
    assert_eq!(first.body["status"], "completed");
    let again = platform.send("POST", &format!("{}{path}", shop.base()), Some(&key), Some(&body)).await;
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    // Whoever was killed before the answer arrived asks the restarted merchant.
    shop.restart().await;
    let after = platform.send("POST", &format!("{}{path}", shop.base()), Some(&key), Some(&body)).await;
    assert_eq!(after.bytes, first.bytes);
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_with_the_same_key_is_a_conflict() {
    let (shop, platform, other) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await, Platform::new(2).await);
    let url = format!("{}/ucp/checkout-sessions", shop.base());
    let (key, bulb) = (platform.fresh(), cart(&[("bulb_7w", 1)], None));
    let first = platform.send("POST", &url, Some(&key), Some(&bulb)).await;
    assert_eq!(first.status, 201);
    let lamp = cart(&[("desk_lamp_white", 1)], None);
    platform.send("POST", &url, Some(&key), Some(&lamp)).await.is(409, "idempotency_conflict");
    let same = platform.send("POST", &url, Some(&key), Some(&bulb)).await;
    assert_eq!((same.status, same.bytes), (201, first.bytes.clone()));
    // Keys are each platform's own, and each operation's.
    let theirs = other.send("POST", &url, Some(&key), Some(&lamp)).await;
    assert_eq!((theirs.status, theirs.bytes == first.bytes), (201, false));
    let session = format!("{url}/{}", first.body["id"].as_str().unwrap());
    assert_eq!(platform.send("PUT", &session, Some(&key), Some(&lamp)).await.status, 200);
}

/// A platform that was killed while it ordered listens elsewhere by the time it asks again: it is its key that it is known by.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_from_elsewhere_is_the_same() {
    let (shop, before, after) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await, Platform::new(1).await);
    assert_ne!(before.url, after.url);
    let ready = before.ready(shop.base(), &[("bulb_7w", 1)]).await;
    let (pay_key, key) = (before.fresh(), before.fresh());
    let card = serde_json::json!({"binding": {"checkout_id": ready["id"]}, "amount": crate::platform::total(&ready),
        "currency": "EUR", "card": "sandbox-ok"});
    let pay_url = format!("{}/pay/tokenize", shop.base());
    let first = before.send("POST", &pay_url, Some(&pay_key), Some(&card)).await;
    let again = after.send("POST", &pay_url, Some(&pay_key), Some(&card)).await;
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    let body = crate::platform::pay(first.body["token"].as_str().unwrap());
    let url = format!("{}/ucp/checkout-sessions/{}/complete", shop.base(), ready["id"].as_str().unwrap());
    let first = before.send("POST", &url, Some(&key), Some(&body)).await;
    assert_eq!(first.body["status"], "completed");
    let again = after.send("POST", &url, Some(&key), Some(&body)).await;
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_has_a_key() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let url = format!("{}/ucp/checkout-sessions", shop.base());
    let bulb = cart(&[("bulb_7w", 1)], None);
    platform.send("POST", &url, None, Some(&bulb)).await.is(400, "invalid_request");
    platform.send("POST", &url, Some("short"), Some(&bulb)).await.is(400, "invalid_request");
    assert_eq!(shop.number("SELECT count(*) FROM session").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_at_once_are_one_order() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Arc::new(Platform::new(1).await));
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let body = platform.paying(base, &ready, "sandbox-ok").await;
    let url = format!("{base}/ucp/checkout-sessions/{}/complete", ready["id"].as_str().unwrap());
    let key = platform.fresh();
    let all = join_all((0..64).map(|_| platform.send("POST", &url, Some(&key), Some(&body)))).await;
    let mut answers = std::collections::BTreeSet::new();
    for answer in all {
        if answer.status == 200 {
            answers.insert(answer.bytes);
        } else {
            answer.is(409, "idempotency_in_progress");
            assert_eq!(answer.headers["retry-after"], "1");
        }
    }
    assert_eq!(answers.len(), 1, "all that were answered were answered the same");
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_for_two_days() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let url = format!("{}/ucp/checkout-sessions", shop.base());
    let (key, bulb) = (platform.fresh(), cart(&[("bulb_7w", 1)], None));
    let first = platform.send("POST", &url, Some(&key), Some(&bulb)).await;
    for hours in [25, 22] {
        shop.wait(&platform, hours * HOUR_MS);
        assert_eq!(platform.send("POST", &url, Some(&key), Some(&bulb)).await.bytes, first.bytes);
    }
    shop.wait(&platform, 2 * HOUR_MS);
    let new = platform.send("POST", &url, Some(&key), Some(&bulb)).await;
    assert_eq!(new.status, 201);
    assert_ne!(new.body["id"], first.body["id"]);
}
