//! Money is neither made nor lost, whoever asks for what in which order.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::join_all;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use vestibule_commerce::Role;

use crate::platform::{Merchant, Platform, WRONG_MONEY, cart, pay, total};

#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_goes_to_one_of_sixty_four() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Arc::new(Platform::new(1).await));
    let base = shop.base();
    shop.stage(json!({"item": "armchair_green", "left": 1})).await;
    let sessions = join_all((0..64).map(|_| platform.ready(base, &[("armchair_green", 1)]))).await;
    let done = join_all(sessions.iter().map(|session| platform.complete(base, session, "sandbox-ok"))).await;
    let (mut bought, mut missed) = (0, 0);
    for answer in done {
        match answer.body["status"].as_str() {
            Some("completed") => bought += 1,
            Some("incomplete") => {
                assert_eq!(answer.errors(), ["out_of_stock"]);
                missed += 1;
            }
            other => panic!("{other:?}: {}", answer.body),
        }
    }
    assert_eq!((bought, missed), (1, 63));
    assert_eq!(shop.number("SELECT left FROM stock WHERE item = 'armchair_green'").await, 0);
    assert_eq!(shop.number("SELECT count(*) FROM payment").await, 1);
}

/// What a buyer does next, thrown from a seed.
async fn wander(platform: &Platform, base: &str, seed: u64, steps: usize) -> BTreeSet<String> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut sessions: Vec<Value> = Vec::new();
    let mut orders = BTreeSet::new();
    let items = ["milk_1l", "cheese_50g", "eggs_10", "tomatoes_100g"];
    for _ in 0..steps {
        let any = (!sessions.is_empty()).then(|| sessions[dice.random_range(0..sessions.len())].clone());
        let url = |session: &Value| format!("{base}/ucp/checkout-sessions/{}", session["id"].as_str().unwrap());
        match (dice.random_range(0..10), any) {
            (0..=2, _) | (_, None) => {
                let picked: Vec<(&str, u32)> = (0..dice.random_range(1..4))
                    .map(|_| (items[dice.random_range(0..4)], dice.random_range(2..9)))
                    .collect();
                let opened = platform.post(&format!("{base}/ucp/checkout-sessions"), &cart(&picked, None)).await.ok();
                let option = opened["fulfillment"]["methods"][0]["groups"][0]["options"][0]["id"].clone();
                let put = cart(&picked, option.as_str());
                let put = platform.send("PUT", &url(&opened), Some(&platform.fresh()), Some(&put)).await;
                sessions.push(put.ok());
            }
            (3..=6, Some(session)) => {
                let card =
                    ["sandbox-ok", "sandbox-ok", "sandbox-declined", "sandbox-challenge"][dice.random_range(0..4)];
                let given = json!({"binding": {"checkout_id": session["id"]}, "amount": total(&session),
                    "currency": "EUR", "card": card});
                let given = platform.post(&format!("{base}/pay/tokenize"), &given).await;
                let token = given.body["token"].as_str().unwrap_or("none").to_owned();
                let key = platform.fresh();
                let complete = format!("{}/complete", url(&session));
                let mut answer = platform.send("POST", &complete, Some(&key), Some(&pay(&token))).await;
                if dice.random_bool(0.3) {
                    let again = platform.send("POST", &complete, Some(&key), Some(&pay(&token))).await;
                    assert!(again.status == 409 || again.bytes == answer.bytes);
                    answer = again;
                }
                if let Some(page) = answer.body["continue_url"].as_str().filter(|_| dice.random_bool(0.7)) {
                    platform.browse("POST", page).await;
                }
                if let Some(order) = answer.body["order"]["id"].as_str() {
                    orders.insert(order.to_owned());
                }
            }
            (7, Some(session)) => {
                platform.post(&format!("{}/cancel", url(&session)), &json!({})).await;
            }
            (8, Some(session)) => {
                let seen = platform.get(&url(&session)).await.ok();
                orders.extend(seen["order"]["id"].as_str().map(str::to_owned));
            }
            _ => {
                if let Some(order) = orders.iter().next() {
                    platform.post(&format!("{base}/ucp/orders/{order}/cancel"), &json!({})).await;
                }
            }
        }
    }
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_for_the_money_is_right() {
    for seed in 0..6 {
        let grocer = Merchant::new(Role::Supplier, 20_000).await;
        let platforms = [Platform::new(1).await, Platform::new(2).await, Platform::new(3).await];
        for platform in &platforms {
            platform.meet(grocer.base()).await;
        }
        let base = grocer.base();
        let all = platforms.iter().zip(0..).map(|(platform, number)| wander(platform, base, seed * 8 + number, 24));
        let known: BTreeSet<String> = join_all(all).await.into_iter().flatten().collect();
        let orders = grocer.number("SELECT count(*) FROM orders").await;
        assert!(usize::try_from(orders).unwrap() >= known.len(), "seed {seed}: who was told has an order");
        assert_eq!(grocer.number(WRONG_MONEY).await, 0, "seed {seed}");
        assert_eq!(
            grocer.number("SELECT count(*) FROM (SELECT session FROM orders GROUP BY 1 HAVING count(*) > 1)").await,
            0
        );
        let initial =
            "SELECT sum(left + sold) FROM stock WHERE item IN ('milk_1l', 'cheese_50g', 'eggs_10', 'tomatoes_100g')";
        assert_eq!(grocer.number(initial).await, 60 + 400 + 40 + 300, "seed {seed}: nothing was lost from the shelf");
        let completed =
            "SELECT (SELECT count(*) FROM session WHERE stage = 'completed') - (SELECT count(*) FROM orders)";
        assert_eq!(grocer.number(completed).await, 0, "seed {seed}: each completed session is an order");
    }
}
