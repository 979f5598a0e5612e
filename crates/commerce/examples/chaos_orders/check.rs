//! What must hold when everything has come to rest: the buyer's books, the enabler and the merchants say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::Value;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    ask::Enabler,
    books,
    house::{House, SHELF},
};

/// What was told and got lost is asked for every 20 seconds; a merchant that could not be heard, for up to a minute.
const PATIENCE: Duration = Duration::from_secs(180);

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    wanted: usize,
    refused: usize,
    delivered: usize,
    canceled: usize,
    not_placed: usize,
    /// By currency's smallest unit.
    confirmed: i64,
    captured: i64,
    settled: Duration,
}

impl Found {
    /// Orders that came to the door by now.
    pub const fn delivered(&self) -> usize {
        self.delivered
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, refused, delivered, canceled, not_placed, confirmed, captured, settled } = self;
        write!(
            f,
            "{wanted} purchases wanted, {refused} of them refused, {delivered} delivered, {canceled} canceled, {not_placed} \
             not ordered; confirmed and delivered {confirmed}, captured and kept {captured} cents; at rest after {:.0} s",
            settled.as_secs_f64()
        )
    }
}

/// An order in a merchant's books.
#[derive(Clone, Debug)]
struct Order {
    id: String,
    stage: String,
    total: i64,
    authorized: i64,
    held: i64,
    captured: i64,
    refunded: i64,
    adjusted: i64,
}

/// The same session at the same merchant.
type Session = (String, String);

/// Lets everything come to rest, and holds the books against one another.
pub async fn at_rest(house: &mut House) -> Found {
    house.rest();
    let watching: Vec<_> = house.enablers().map(|enabler| tokio::spawn(enabler.watch())).collect();
    let start = Instant::now();
    loop {
        match look(house).await {
            Ok(mut found) => {
                found.settled = start.elapsed();
                watching.iter().for_each(tokio::task::JoinHandle::abort);
                house.verify_log();
                assert_eq!(house.believed(), 0, "forged webhooks were believed");
                return found;
            }
            Err(why) if start.elapsed() < PATIENCE => drop(why),
            Err(why) => panic!("not within {PATIENCE:?}: {}", why.join("\n")),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn purchases(house: &House) -> Vec<Value> {
    let mut all = Vec::new();
    for enabler in house.enablers() {
        all.extend(purchases_of(&enabler).await);
    }
    all
}

async fn purchases_of(enabler: &Enabler) -> Vec<Value> {
    let (mut all, mut path) = (Vec::new(), "/v1/purchases?limit=200".to_owned());
    loop {
        let page = enabler.surely(Method::GET, &path, None, None).await.expect("a page");
        let purchases = page["purchases"].as_array().expect("purchases").clone();
        if purchases.is_empty() {
            return all;
        }
        all.extend(purchases);
        path = format!("/v1/purchases?limit=200&before={}", page["next"]);
    }
}

async fn look(house: &House) -> Result<Found, Vec<String>> {
    let (mut found, mut wrong) = (Found::default(), Vec::new());
    let purchases = purchases(house).await;
    let mut orders = BTreeMap::new();
    for (name, folder) in house.merchants() {
        let books = books_of(&folder, &mut wrong).await;
        orders.extend(books.into_iter().map(|(session, order)| ((name.to_owned(), session), order)));
    }
    journal(house, &purchases, &mut found, &mut wrong);
    let mut seen: BTreeSet<Session> = BTreeSet::new();
    for purchase in &purchases {
        let text = |name: &str| purchase[name].as_str().unwrap_or_default().to_owned();
        let session = (text("system"), text("checkout"));
        if let Err(why) = compare(purchase, orders.get(&session), &mut found) {
            wrong.push(format!("{} {session:?}: {why}", text("id")));
        }
        if !seen.insert(session.clone()) {
            wrong.push(format!("{session:?} is bought twice"));
        }
    }
    for session in orders.keys().filter(|session| !seen.contains(*session)) {
        wrong.push(format!("an order of {session:?} that nobody has bought"));
    }
    if found.confirmed != found.captured {
        wrong.push(format!("confirmed {}, captured {}", found.confirmed, found.captured));
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// What the buyer has written down is at the enabler, exactly where it has said so.
fn journal(house: &House, purchases: &[Value], found: &mut Found, wrong: &mut Vec<String>) {
    let known: BTreeSet<&str> = purchases.iter().filter_map(|purchase| purchase["id"].as_str()).collect();
    let journal = books::read(house.journal());
    for (id, said) in &journal {
        found.wanted += 1;
        match (&said.refused, known.contains(id.as_str())) {
            (None, true) if said.is_acknowledged => {}
            (Some(_), false) => found.refused += 1,
            (refused, is_known) => wrong.push(format!(
                "{id}: refused {refused:?}, acknowledged {}, at the enabler: {is_known}",
                said.is_acknowledged
            )),
        }
    }
    let invented = known.iter().filter(|id| !journal.contains_key(**id));
    wrong.extend(invented.map(|id| format!("{id} is a purchase that nobody wanted")));
}

/// Whether a purchase is what its merchant says it is.
fn compare(purchase: &Value, order: Option<&Order>, found: &mut Found) -> Result<(), String> {
    let (state, total) = (&purchase["state"], purchase["total"]["amount"].as_i64().unwrap_or_default());
    let name = state.as_str().or_else(|| state.as_object()?.keys().next().map(String::as_str)).unwrap_or_default();
    let named = state[name]["order"].as_str();
    let Some(order) = order else {
        return match (name, named) {
            ("not_placed", _) => {
                found.not_placed += 1;
                Ok(())
            }
            ("canceled", None) => {
                found.canceled += 1;
                Ok(())
            }
            _ => Err(format!("{state}, and its merchant has no order")),
        };
    };
    if named != Some(order.id.as_str()) {
        return Err(format!("{state}, and its merchant has {order:?}"));
    }
    if order.total != total || order.authorized < total {
        return Err(format!("confirmed {total}, and its merchant has {order:?}"));
    }
    let lines = purchase["order"]["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_fulfilled = !lines.is_empty() && lines.iter().all(|line| line["fulfilled"] == line["total"]);
    match (name, order.stage.as_str()) {
        ("placed" | "completed", "delivered") if is_fulfilled => {
            if (order.held, order.refunded) != (0, 0) || order.captured != total + order.adjusted {
                return Err(format!("delivered for {total}, and the money is {order:?}"));
            }
            found.delivered += 1;
            found.confirmed += total;
            found.captured += order.captured;
            Ok(())
        }
        ("canceled", "canceled" | "rejected") => {
            if order.held != 0 || order.captured != order.refunded || order.adjusted != -total {
                return Err(format!("canceled, and the money is {order:?}"));
            }
            found.canceled += 1;
            Ok(())
        }
        _ => Err(format!("{state} (fulfilled: {is_fulfilled}), and its merchant has {order:?}")),
    }
}

/// A merchant's orders by their session; what contradicts itself in its books is wrong.
async fn books_of(folder: &Path, wrong: &mut Vec<String>) -> BTreeMap<String, Order> {
    let options = SqliteConnectOptions::new().filename(folder.join("merchant.sqlite")).read_only(true);
    let mut books = options.busy_timeout(Duration::from_secs(10)).connect().await.expect("its database");
    let rows = sqlx::query(
        "SELECT orders.session, id, stage, json_extract(body, '$.total'), authorized, held, captured, refunded, \
         (SELECT coalesce(sum(amount), 0) FROM adjustment WHERE adjustment.orders = orders.id) \
         FROM orders JOIN payment ON payment.orders = orders.id",
    );
    let mut orders = BTreeMap::new();
    for row in rows.fetch_all(&mut books).await.expect("its orders") {
        let order = Order {
            id: row.get(1),
            stage: row.get(2),
            total: row.get(3),
            authorized: row.get(4),
            held: row.get(5),
            captured: row.get(6),
            refunded: row.get(7),
            adjusted: row.get(8),
        };
        if order.held + order.captured - order.refunded != order.total + order.adjusted {
            wrong.push(format!("the money of {order:?}"));
        }
        orders.insert(row.get(0), order);
    }
    for (what, query) in ALWAYS {
        if number(&mut books, query).await != 0 {
            wrong.push(format!("{}: {what}", folder.display()));
        }
    }
    for (item, left) in SHELF {
        let query = format!("SELECT coalesce(sum(left + sold - {left}), 0) FROM stock WHERE item = '{item}'");
        if folder.ends_with("shop") && number(&mut books, &query).await != 0 {
            wrong.push(format!("{item} got lost or came from nowhere"));
        }
    }
    orders
}

/// What there is none of.
const ALWAYS: [(&str, &str); 5] = [
    (
        "a payment without an order, or the other way round",
        "SELECT (SELECT count(*) FROM orders) - (SELECT count(*) FROM payment)",
    ),
    (
        "a completed session without an order, or the other way round",
        "SELECT (SELECT count(*) FROM session WHERE stage = 'completed') - (SELECT count(*) FROM orders)",
    ),
    (
        "an order with two serial numbers for one piece",
        "SELECT count(*) FROM (SELECT orders, count(*) AS many FROM serial GROUP BY 1) WHERE many > 1",
    ),
    (
        "something that was made and has no serial number",
        "SELECT count(*) FROM orders WHERE stage = 'delivered' AND json_extract(body, '$.machine_s') > 0 \
         AND NOT EXISTS (SELECT 1 FROM serial WHERE serial.orders = orders.id)",
    ),
    (
        "something that arrived twice",
        "SELECT count(*) FROM (SELECT orders FROM event WHERE json_extract(body, '$.type') = 'delivered' \
         GROUP BY 1 HAVING count(*) > 1)",
    ),
];

async fn number(books: &mut SqliteConnection, query: &str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned())).fetch_one(books).await.expect("a number")
}
