//! Webhooks: lost, repeated, overtaken.

use std::sync::atomic::Ordering;

use serde_json::json;
use vestibule_commerce::Role;

use crate::platform::{Merchant, Platform};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_taken_is_told_again_as_the_same() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    platform.meet(shop.base()).await;
    platform.heard.status.store(500, Ordering::SeqCst);
    let order = platform.buy(shop.base(), &[("bulb_7w", 1)]).await;
    let first = platform.hears(|told| told.order["id"] == order.as_str()).await;
    let mut told = platform.heard.told.subscribe();
    let twice = tokio::time::timeout(crate::platform::PATIENCE, told.wait_for(|all| all.len() >= 2));
    assert!(twice.await.unwrap().unwrap().iter().all(|one| one.id == first.id), "the same webhook");
    platform.heard.status.store(200, Ordering::SeqCst);
    // Taken is taken: the outbox is empty.
    shop.comes_to("SELECT count(*) FROM hook", 0).await;
    assert!(told.borrow().iter().all(|one| one.id == first.id && one.order == first.order));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_overtaken_is_not_told_any_more() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    platform.meet(shop.base()).await;
    platform.heard.status.store(503, Ordering::SeqCst);
    let order = platform.buy(shop.base(), &[("bulb_7w", 1)]).await;
    let first = platform.hears(|told| told.order["id"] == order.as_str()).await;
    let url = format!("{}/ucp/orders/{order}/cancel", shop.base());
    platform.post(&url, &json!({})).await.ok();
    platform.heard.status.store(200, Ordering::SeqCst);
    let second = platform.hears(|told| told.id != first.id).await;
    assert_eq!(second.order["line_items"][0]["status"], "removed");
    let revision = |order: &serde_json::Value| order["com.example.vestibule.order_care"]["revision"].as_u64().unwrap();
    assert!(revision(&second.order) > revision(&first.order));
    assert!(shop.number("SELECT count(*) FROM hook").await <= 1, "one open row an order");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_told_before_the_end_is_told_after_it() {
    let (mut shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    platform.meet(shop.base()).await;
    platform.heard.status.store(500, Ordering::SeqCst);
    let order = platform.buy(shop.base(), &[("bulb_7w", 1)]).await;
    shop.restart().await;
    platform.heard.status.store(200, Ordering::SeqCst);
    let count = platform.heard.told.borrow().len();
    let mut told = platform.heard.told.subscribe();
    let more = tokio::time::timeout(crate::platform::PATIENCE, told.wait_for(|all| all.len() > count));
    assert_eq!(more.await.unwrap().unwrap().last().unwrap().order["id"], order.as_str());
}
