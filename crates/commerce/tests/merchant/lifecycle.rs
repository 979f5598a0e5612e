//! What becomes of a session and of an order.

use serde_json::json;
use vestibule_commerce::Role;
use vestibule_ucp::{Checkout, LookupAnswer, Parts, SearchAnswer, read, verify_response};

use crate::platform::{Merchant, Platform, cart, errors, pay, total};

const HOUR_MS: u64 = 60 * 60 * 1000;

#[tokio::test(flavor = "multi_thread")]
async fn from_the_catalogue_to_the_door() {
    let (shop, platform) = (Merchant::new(Role::Shop, 100_000).await, Platform::new(1).await);
    let base = shop.base();
    platform.meet(base).await;
    let found = platform.post(&format!("{base}/ucp/catalog/search"), &json!({"query": "bulb"})).await;
    let found: SearchAnswer = read(&found.bytes).unwrap();
    assert_eq!(found.products[0].variants[0].id.as_str(), "bulb_7w");
    let found = platform.post(&format!("{base}/ucp/catalog/lookup"), &json!({"ids": ["bulb_7w", "x"]})).await;
    let found: LookupAnswer = read(&found.bytes).unwrap();
    assert_eq!((found.products.len(), found.messages.unwrap().len()), (1, 1));
    let one = platform.post(&format!("{base}/ucp/catalog/product"), &json!({"id": "bulb"})).await.ok();
    assert_eq!(one["product"]["variants"][0]["price"]["amount"], 449);

    let bare = json!({"line_items": [{"item": {"id": "bulb_7w"}, "quantity": 2}]});
    let opened = platform.post(&format!("{base}/ucp/checkout-sessions"), &bare).await;
    assert_eq!((opened.status, &opened.body["status"]), (201, &json!("incomplete")));
    assert_eq!(opened.errors(), ["missing", "missing"]);

    let ready = platform.ready(base, &[("bulb_7w", 2)]).await;
    let done = platform.complete(base, &ready, "sandbox-ok").await;
    let checkout: Checkout = read(&done.bytes).unwrap();
    assert_eq!(checkout.total().unwrap().amount, total(&ready));
    assert!(!String::from_utf8_lossy(&done.bytes).contains("credential"));
    // Answers are signed with the key of its profile.
    let profile = platform.get(&format!("{base}/.well-known/ucp")).await.ok();
    let keys: Vec<vestibule_ucp::Jwk> = serde_json::from_value(profile["signing_keys"].clone()).unwrap();
    let headers: Vec<(&str, &str)> = done.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let parts = Parts { subject: 200.into(), headers: &headers, body: &done.bytes, ..Parts::default() };
    assert!(verify_response(&parts, &keys, crate::platform::now()).is_ok());

    let order = done.body["order"]["id"].as_str().unwrap().to_owned();
    let delivered = |told: &crate::platform::Told| {
        told.order["id"] == order.as_str()
            && told.order["fulfillment"]["events"].as_array().unwrap().iter().any(|one| one["type"] == "delivered")
    };
    let told = platform.hears(delivered).await;
    assert_eq!(told.order["line_items"][0]["status"], "fulfilled");
    let asked = platform.get(&format!("{base}/ucp/orders/{order}")).await.ok();
    assert_eq!(asked, told.order, "who asks hears the same");
    let session = ready["id"].as_str().unwrap();
    let seen = platform.get(&format!("{base}/ucp/checkout-sessions/{session}")).await.ok();
    assert_eq!((&seen["status"], &seen["buyer"]["email"]), (&json!("completed"), &json!("ada@example.com")));
    let mail = std::fs::read_to_string(shop.folder.path().join("mail").join(format!("{order}.txt"))).unwrap();
    assert!(mail.contains("To: ada@example.com") && mail.contains("2 x "));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_stays_over() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let url = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    assert_eq!(platform.complete(base, &ready, "sandbox-ok").await.ok()["status"], "completed");
    let again = cart(&[("bulb_7w", 5)], None);
    let put = platform.send("PUT", &url, Some(&platform.fresh()), Some(&again)).await;
    put.is(409, "session_completed");
    platform.post(&format!("{url}/complete"), &pay("tok")).await.is(409, "session_completed");
    platform.post(&format!("{url}/cancel"), &json!({})).await.is(409, "session_completed");

    let other = platform.ready(base, &[("bulb_7w", 1)]).await;
    let url = format!("{base}/ucp/checkout-sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(platform.post(&format!("{url}/cancel"), &json!({})).await.ok()["status"], "canceled");
    platform.post(&format!("{url}/cancel"), &json!({})).await.is(409, "session_canceled");
    platform.post(&format!("{url}/complete"), &pay("tok")).await.is(409, "session_canceled");
    assert_eq!(platform.get(&url).await.ok()["status"], "canceled");
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_itself() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let body = platform.paying(base, &ready, "sandbox-ok").await;
    let url = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    shop.wait(&platform, 6 * HOUR_MS - 60_000);
    assert_eq!(platform.get(&url).await.ok()["status"], "ready_for_complete");
    shop.wait(&platform, 60_000);
    assert_eq!(platform.get(&url).await.ok()["status"], "canceled");
    platform.post(&format!("{url}/complete"), &body).await.is(409, "session_canceled");
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_bought_is_forgotten_after_thirty_days() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1_000_000).await, Platform::new(1).await);
    let base = shop.base();
    let order = platform.buy(base, &[("bulb_7w", 1)]).await;
    shop.comes_to("SELECT count(*) FROM orders WHERE stage = 'delivered'", 1).await;
    let letter = shop.folder.path().join("mail").join(format!("{order}.txt"));
    assert!(letter.exists());
    shop.wait(&platform, 29 * 24 * HOUR_MS);
    // Somebody is looked for once an hour.
    shop.comes_to("SELECT count(*) FROM idempotency", 0).await;
    assert_eq!(shop.number("SELECT count(*) FROM person").await, 1);
    shop.wait(&platform, 2 * 24 * HOUR_MS);
    shop.comes_to("SELECT count(*) FROM person", 0).await;
    shop.comes_to("SELECT count(*) FROM session WHERE body LIKE '%Example Street%' OR body LIKE '%ada@%'", 0).await;
    let seen = platform.get(&format!("{base}/ucp/orders/{order}")).await.ok();
    assert_eq!(seen["fulfillment"]["expectations"][0]["destination"], json!({}), "what was bought is still known");
    let gone = async {
        while letter.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::platform::PATIENCE, gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_bought_is_forgotten_after_their_letter() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1_000_000).await, Platform::new(1).await);
    let order = platform.buy(shop.base(), &[("bulb_7w", 1)]).await;
    shop.comes_to("SELECT count(*) FROM orders WHERE stage = 'delivered'", 1).await;
    shop.comes_to("SELECT count(*) FROM mail", 0).await;
    let mail = shop.folder.path().join("mail");
    let letter = mail.join(format!("{order}.txt"));
    // It cannot be removed as it is; and one was not finished.
    std::fs::remove_file(&letter).unwrap();
    std::fs::create_dir(&letter).unwrap();
    std::fs::write(mail.join(".tmpabc"), b"To: ada@example.com").unwrap();
    shop.wait(&platform, 31 * 24 * HOUR_MS);
    shop.comes_to("SELECT count(*) FROM idempotency", 0).await;
    assert_eq!(shop.number("SELECT count(*) FROM person").await, 1, "it is looked for again");
    assert!(!mail.join(".tmpabc").exists());
    std::fs::remove_dir(&letter).unwrap();
    shop.wait(&platform, 2 * HOUR_MS);
    shop.comes_to("SELECT count(*) FROM person", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_changed_is_confirmed_anew() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 2)]).await;
    let body = platform.paying(base, &ready, "sandbox-ok").await;
    shop.stage(json!({"item": "bulb_7w", "price": 499})).await;
    let url = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    let refused = platform.post(&format!("{url}/complete"), &body).await;
    assert_eq!((refused.status, &refused.body["status"]), (200, &json!("incomplete")));
    assert_eq!(refused.errors(), ["confirmation_outdated"]);
    assert!(refused.body["messages"].as_array().unwrap().iter().any(|one| one["code"] == "price_changed"));
    assert!(total(&refused.body) > total(&ready));
    let option = ready["fulfillment"]["methods"][0]["groups"][0]["selected_option_id"].as_str();
    let again = platform.send("PUT", &url, Some(&platform.fresh()), Some(&cart(&[("bulb_7w", 2)], option))).await.ok();
    assert_eq!(again["status"], "ready_for_complete");
    // The token was for the old price.
    let old = platform.post(&format!("{url}/complete"), &body).await;
    assert_eq!(old.errors(), ["payment_failed"]);
    assert_eq!(platform.complete(base, &again, "sandbox-ok").await.ok()["status"], "completed");
    assert_eq!(shop.number("SELECT captured + held FROM payment").await, total(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_confirmed_is_ordered() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 2)]).await;
    let url = format!("{base}/ucp/checkout-sessions/{}/complete", ready["id"].as_str().unwrap());
    let mut body = platform.paying(base, &ready, "sandbox-ok").await;
    for (amount, currency) in [(total(&ready) - 1, "EUR"), (total(&ready), "USD")] {
        body["com.example.vestibule.confirmed"] = json!({"total": amount, "currency": currency});
        assert_eq!(platform.post(&url, &body).await.errors(), ["confirmation_outdated"]);
    }
    body["com.example.vestibule.confirmed"] = json!({"total": "much", "currency": "EUR"});
    platform.post(&url, &body).await.is(400, "invalid_request");
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 0);
    body["com.example.vestibule.confirmed"] = json!({"total": total(&ready), "currency": "EUR"});
    assert_eq!(platform.post(&url, &body).await.ok()["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sold_out_is_said() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("armchair_green", 2)]).await;
    let body = platform.paying(base, &ready, "sandbox-ok").await;
    let url = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    for left in [1, 0] {
        shop.stage(json!({"item": "armchair_green", "left": left})).await;
        let refused = platform.post(&format!("{url}/complete"), &body).await;
        assert_eq!((&refused.body["status"], refused.errors()), (&json!("incomplete"), vec!["out_of_stock"]));
    }
    let missing = platform.post(&format!("{base}/ucp/checkout-sessions"), &cart(&[("submarine", 1)], None)).await;
    assert_eq!((missing.status, &missing.body["ucp"]["status"]), (200, &json!("error")));
    assert_eq!(missing.errors(), ["item_unavailable"]);
    assert_eq!(missing.body["messages"][0]["path"], "$.line_items[0]");
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_that_do_not_pay_order_nothing() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let other = platform.ready(base, &[("bulb_7w", 1)]).await;
    let url = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    for (card, code) in [
        ("sandbox-declined", "payment_declined"),
        ("sandbox-insufficient", "payment_declined"),
        ("my own card", "payment_failed"),
    ] {
        let refused = platform.complete(base, &ready, card).await;
        assert_eq!(
            (refused.status, &refused.body["status"], refused.errors()),
            (200, &json!("incomplete"), vec![code])
        );
    }
    assert_eq!(platform.post(&format!("{url}/complete"), &pay("tok_none")).await.errors(), ["payment_failed"]);
    let foreign = platform.paying(base, &other, "sandbox-ok").await;
    assert_eq!(platform.post(&format!("{url}/complete"), &foreign).await.errors(), ["payment_failed"]);
    let mut handler = platform.paying(base, &ready, "sandbox-ok").await;
    handler["payment"]["instruments"][0]["handler_id"] = json!("other");
    assert_eq!(platform.post(&format!("{url}/complete"), &handler).await.errors(), ["payment_failed"]);
    assert_eq!(platform.get(&url).await.ok()["status"], "ready_for_complete", "it can still be bought");
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 0);
    assert_eq!(platform.complete(base, &ready, "sandbox-ok").await.ok()["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_asks_is_answered_by_its_payer() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let asked = platform.complete(base, &ready, "sandbox-challenge").await;
    let checkout: Checkout = read(&asked.bytes).unwrap();
    assert_eq!(asked.errors(), ["requires_3ds"]);
    let page = checkout.continue_url.unwrap();
    let (wrong, _) = page.rsplit_once('/').unwrap();
    assert_eq!(platform.browse("POST", &format!("{wrong}/guess")).await.0, 404);
    assert_eq!(platform.browse("GET", &page).await.0, 200);
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 0, "looking is not paying");
    assert_eq!(platform.browse("POST", &page).await.0, 200);
    assert_eq!(platform.browse("POST", &page).await.0, 404, "once");
    let url = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    let seen = platform.get(&url).await.ok();
    assert_eq!(seen["status"], "completed");
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_declined_leaves_no_other_open() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let asked = platform.complete(base, &ready, "sandbox-challenge").await.ok();
    let page = asked["continue_url"].as_str().unwrap();
    assert_eq!(platform.complete(base, &ready, "sandbox-declined").await.errors(), ["payment_declined"]);
    assert_eq!(platform.browse("POST", page).await.0, 404, "its page is over");
    let url = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    assert_eq!(platform.get(&url).await.ok()["status"], "ready_for_complete");
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_takes_its_time_is_waited_for() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    platform.meet(base).await;
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let slow = platform.complete(base, &ready, "sandbox-slow").await.ok();
    assert_eq!(slow["status"], "complete_in_progress");
    let told = platform.hears(|_| true).await;
    assert_eq!(told.order["checkout_id"], ready["id"]);
    let url = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    assert_eq!(platform.get(&url).await.ok()["order"]["id"], told.order["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_see_nothing() {
    let (shop, platform, other) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await, Platform::new(2).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let order = platform.buy(base, &[("bulb_7w", 1)]).await;
    let session = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    let none = other.get(&format!("{base}/ucp/checkout-sessions/chk_none")).await;
    assert_eq!(none.errors(), ["not_found"]);
    assert_eq!(other.get(&session).await.bytes, none.bytes, "as if it were not there");
    assert_eq!(other.post(&format!("{session}/cancel"), &json!({})).await.errors(), ["not_found"]);
    assert_eq!(other.post(&format!("{session}/complete"), &pay("tok")).await.errors(), ["not_found"]);
    let orders = format!("{base}/ucp/orders");
    assert_eq!(other.get(&format!("{orders}/{order}")).await.bytes, other.get(&format!("{orders}/x")).await.bytes);
    assert_eq!(other.post(&format!("{orders}/{order}/cancel"), &json!({})).await.errors(), ["not_found"]);
    assert_eq!(platform.get(&session).await.ok()["status"], "ready_for_complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_canceled_in_time_or_not_at_all() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let order = platform.buy(base, &[("armchair_green", 2)]).await;
    assert_eq!(shop.number("SELECT left FROM stock WHERE item = 'armchair_green'").await, 1);
    let url = format!("{base}/ucp/orders/{order}");
    let canceled = platform.post(&format!("{url}/cancel"), &json!({})).await.ok();
    assert_eq!(canceled["line_items"][0]["status"], "removed");
    assert_eq!(canceled["com.example.vestibule.order_care"]["cancellable"], false);
    let again = platform.post(&format!("{url}/cancel"), &json!({})).await.ok();
    assert_eq!(again, canceled, "canceled is canceled");
    assert_eq!(shop.number("SELECT left FROM stock WHERE item = 'armchair_green'").await, 3);
    assert_eq!(shop.number("SELECT held + captured FROM payment").await, 0);

    let fast = Merchant::new(Role::Shop, 1_000_000).await;
    platform.meet(fast.base()).await;
    let order = platform.buy(fast.base(), &[("bulb_7w", 1)]).await;
    platform.hears(|told| told.order["id"] == order.as_str() && total_events(&told.order) > 2).await;
    let late = platform.post(&format!("{}/ucp/orders/{order}/cancel", fast.base()), &json!({})).await;
    assert_eq!((late.status, late.errors()), (200, vec!["not_cancellable"]));
}

fn total_events(order: &serde_json::Value) -> usize {
    order["fulfillment"]["events"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn groceries_are_weighed_and_what_is_bad_is_paid_back() {
    let (grocer, platform) = (Merchant::new(Role::Supplier, 100_000).await, Platform::new(1).await);
    let base = grocer.base();
    platform.meet(base).await;
    grocer.stage(json!({"item": "milk_1l", "gone": true})).await;
    let nothing = platform.post(&format!("{base}/ucp/checkout-sessions"), &cart(&[("milk_1l", 1)], None)).await;
    assert!(nothing.errors().contains(&"out_of_stock"));
    grocer.stage(json!({"item": "milk_1l", "gone": false})).await;
    let order = platform.buy(base, &[("cheese_50g", 6), ("milk_1l", 1)]).await;
    let delivered = platform
        .hears(|told| {
            let events = told.order["fulfillment"]["events"].as_array().unwrap();
            told.order["id"] == order.as_str() && events.iter().any(|one| one["type"] == "delivered")
        })
        .await
        .order;
    let weighed = &delivered["line_items"][0]["com.example.vestibule.measured_goods"];
    assert!((276_000..=324_000).contains(&weighed["measured_milli"].as_i64().unwrap()), "{weighed}");
    assert_eq!(grocer.number(crate::platform::WRONG_MONEY).await, 0);
    assert!(errors(&delivered).is_empty());
}
