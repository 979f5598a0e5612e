//! People who buy: what they want is written down before anybody hears of it, and asked for until it is answered.

use std::{path::Path, sync::Arc, time::Duration};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    ask::Enabler,
    books::{Journal, Line},
};

/// People at once.
const PEOPLE: u64 = 6;
/// Milliseconds in which nobody wants anything.
const REST: std::ops::Range<u64> = 10..600;
/// Of a hundred carts, how many are confirmed by two clients at once, and how many purchases are taken back.
const BY_TWO: u32 = 12;
const TAKEN_BACK: u32 = 15;

/// What the buyer was told.
#[derive(Clone, Serialize, Deserialize)]
pub struct Orders {
    pub enabler: String,
    /// What shows who it is, for each user; an enabler remembers so many calls of each for ten minutes.
    pub tokens: Vec<String>,
    pub journal: std::path::PathBuf,
    /// Each user's document about themselves.
    pub persons: Vec<String>,
    pub package: String,
    pub design: String,
    pub seed: u64,
    /// Only asks for what is not answered, and ends.
    pub only_settles: bool,
}

struct Buyer {
    orders: Orders,
    /// The enabler, as each user asks it.
    enablers: Vec<Enabler>,
    journal: Journal,
}

pub async fn run(orders: &Path) {
    let orders: Orders = serde_json::from_slice(&std::fs::read(orders).expect("orders")).expect("orders");
    let journal = Journal::open(&orders.journal);
    let enablers = orders.tokens.iter().map(|token| Enabler::new(&orders.enabler, token)).collect();
    let buyer = Arc::new(Buyer { orders, enablers, journal });
    buyer.settle().await;
    if buyer.orders.only_settles {
        return;
    }
    let people = (0..PEOPLE).map(|person| {
        let (buyer, seed) = (buyer.clone(), buyer.orders.seed.wrapping_mul(PEOPLE).wrapping_add(person));
        tokio::spawn(async move { buyer.buy(StdRng::seed_from_u64(seed)).await })
    });
    for person in people.collect::<Vec<_>>() {
        person.await.expect("people do not break");
    }
}

impl Buyer {
    /// Asks again for everything that was written down and not answered.
    async fn settle(&self) {
        for (id, purchase) in self.journal.purchases() {
            if !purchase.is_acknowledged && purchase.refused.is_none() {
                self.confirm(purchase.who, &id, &purchase.order).await;
            }
            if purchase.is_taken_back && !purchase.is_heard {
                self.cancel(purchase.who, &id).await;
            }
        }
    }

    async fn buy(&self, mut dice: StdRng) {
        loop {
            tokio::time::sleep(Duration::from_millis(dice.random_range(REST))).await;
            let who = dice.random_range(0..self.enablers.len());
            let system = if dice.random_ratio(2, 3) { "shop" } else { "workshop" };
            let Some(item) = self.item(who, system, &mut dice).await else { continue };
            let Some(order) = self.cart(who, system, &item, &mut dice).await else { continue };
            let id = self.want(who, &order);
            if dice.random_ratio(BY_TWO, 100) {
                let other = self.want(who, &order);
                let (one, two) = tokio::join!(self.confirm(who, &id, &order), self.confirm(who, &other, &order));
                assert!(!(one && two), "one cart is bought once: {id} and {other}");
            } else {
                self.confirm(who, &id, &order).await;
            }
            if dice.random_ratio(TAKEN_BACK, 100) {
                tokio::time::sleep(Duration::from_millis(dice.random_range(REST))).await;
                self.journal.write(&Line::TakenBack { id: id.clone() });
                self.cancel(who, &id).await;
            }
        }
    }

    /// Asks for it to be taken back until that is heard; what becomes of it, its merchant says.
    async fn cancel(&self, who: usize, id: &str) {
        let _ = self.enablers[who].surely(Method::DELETE, &format!("/v1/purchases/{id}"), None, None).await;
        self.journal.write(&Line::Heard { id: id.to_owned() });
    }

    /// Something to buy: from the shelf, or what is made to a design.
    async fn item(&self, who: usize, system: &str, dice: &mut StdRng) -> Option<String> {
        if system == "shop" {
            let shelf = ["bulb_7w", "bulb_7w", "desk_lamp_white", "wall_plugs_20", "cutting_board_40"];
            return Some(shelf[dice.random_range(0..shelf.len())].to_owned());
        }
        let wanted = json!({"package": self.orders.package, "design": self.orders.design, "process": "fff",
            "material": "pla", "colour": "#f2c14e", "infill_percent": 20, "quantity": 1});
        let (_, quote) = self.enablers[who].call(system, "quote", wanted).await?;
        quote["item"]["id"].as_str().map(str::to_owned)
    }

    /// A cart that is ready, as it is confirmed.
    async fn cart(&self, who: usize, system: &str, item: &str, dice: &mut StdRng) -> Option<Value> {
        let quantity = if system == "shop" { dice.random_range(1..4) } else { 1 };
        let person = &self.orders.persons[who];
        let method = json!({"type": "shipping", "selected_destination_id": "dest_1",
            "destinations": [{"$person": person, "at": "/destination", "id": "dest_1"}]});
        let mut input = json!({"line_items": [{"item": {"id": item}, "quantity": quantity}],
            "buyer": {"$person": person, "at": "/buyer"}, "fulfillment": {"methods": [method]}});
        let (_, opened) = self.enablers[who].call(system, "checkout", input.clone()).await?;
        let group = &opened["fulfillment"]["methods"][0]["groups"][0];
        input["id"] = opened["id"].clone();
        input["fulfillment"]["methods"][0]["groups"] =
            json!([{"id": group["id"], "selected_option_id": group["options"][0]["id"]}]);
        let (call, ready) = self.enablers[who].call(system, "checkout", input).await?;
        if ready["status"] != "ready_for_complete" {
            return None;
        }
        let total = ready["totals"].as_array()?.iter().find(|entry| entry["type"] == "total")?["amount"].clone();
        let lines = ready["line_items"].as_array()?.iter();
        let designs: serde_json::Map<String, Value> = lines
            .filter_map(|line| {
                let design = line["com.example.vestibule.fabrication"]["design"].clone();
                Some((line["id"].as_str()?.to_owned(), design)).filter(|(_, design)| !design.is_null())
            })
            .collect();
        Some(json!({"system": system, "checkout": ready["id"], "shown": call, "designs": designs,
            "total": {"amount": total, "currency": ready["currency"]},
            "pay": {"handler": "sandbox_1", "instrument": "sandbox"}}))
    }

    fn want(&self, who: usize, order: &Value) -> String {
        let id = format!("{:032x}", rand::random::<u128>());
        self.journal.write(&Line::Wanted { id: id.clone(), who, order: order.clone() });
        id
    }

    /// Presses the button until somebody says yes or no. Whether it was a yes.
    async fn confirm(&self, who: usize, id: &str, order: &Value) -> bool {
        match self.enablers[who].surely(Method::PUT, &format!("/v1/purchases/{id}"), None, Some(order)).await {
            Ok(_) => {
                self.journal.write(&Line::Acknowledged { id: id.to_owned() });
                true
            }
            Err((_, problem)) => {
                let code = problem["code"].as_str().unwrap_or("unreadable").to_owned();
                self.journal.write(&Line::Refused { id: id.to_owned(), code });
                false
            }
        }
    }
}
