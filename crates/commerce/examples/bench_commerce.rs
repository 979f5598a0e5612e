//! `cargo xtask bench commerce`: what placing an order costs, beside a bare `fdatasync` and beside SQLite in the same run.
//! A line of JSON for each measure: its name, how many a second, and percentiles in microseconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be made ends with the reason"
)]

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/merchant/platform.rs"]
mod platform;

use std::{
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use serde_json::{Value, json};
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use vestibule_commerce::{Config, Role, start};

use platform::{Platform, pay};

/// Rows that an order leaves in a shop's database: its session, itself, who bought it, its payment, an event, the answer,
/// the stock, what is to be told and to be written. The peer writes as many.
const ROWS: usize = 9;
/// Orders that the peer writes at once, as many as there are buyers at most.
const GROUP: usize = 64;

/// Measures and prints.
#[derive(Parser)]
struct Flags {
    /// Orders of each measurement.
    #[arg(long, default_value_t = 2_000)]
    orders: usize,
    /// Who buys at once.
    #[arg(long, value_delimiter = ',', default_value = "1,8,64")]
    buyers: Vec<usize>,
}

fn say(name: &str, mut times: Vec<Duration>, whole: Duration) {
    times.sort();
    let percentile = |percent: usize| {
        let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    let rate = times.len() as f64 / whole.as_secs_f64();
    println!("{}", json!({"name": name, "rate": rate, "p50_us": percentile(50), "p99_us": percentile(99)}));
}

async fn database(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = options.disable_statement_logging().connect().await.expect("a database");
    let table = "CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT";
    sqlx::query(table).execute(&mut connection).await.expect("a table");
    connection
}

/// What a disk makes anybody wait.
fn bare(folder: &Path, orders: usize) {
    let mut file = std::fs::File::create(folder.join("bare")).expect("a file");
    let (page, begin) = (vec![7_u8; 4_096], Instant::now());
    let write = |_| {
        let start = Instant::now();
        file.write_all(&page).and_then(|()| file.sync_data()).expect("written");
        start.elapsed()
    };
    let times = (0..orders).map(write).collect();
    say("fdatasync", times, begin.elapsed());
}

/// The rows of so many orders, `group` of them in a transaction.
async fn sqlite(folder: &Path, name: &str, orders: usize, group: usize, bytes: usize) {
    let mut peer = database(&folder.join(format!("{name}.sqlite"))).await;
    let (payload, begin) = (vec![b'x'; bytes / ROWS], Instant::now());
    let mut times = Vec::new();
    while times.len() < orders {
        let start = Instant::now();
        let mut transaction = peer.begin().await.expect("a transaction");
        for _ in 0..group * ROWS {
            let insert = sqlx::query("INSERT INTO line (payload) VALUES (?)").bind(payload.as_slice());
            insert.execute(&mut *transaction).await.expect("inserted");
        }
        transaction.commit().await.expect("committed");
        times.extend(std::iter::repeat_n(start.elapsed(), group));
    }
    say(name, times, begin.elapsed());
}

/// A session that is ready, and what pays for it.
async fn cart(platform: &Platform, base: &str) -> (String, Value) {
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let token = platform.token(base, &ready, "sandbox-ok").await;
    (format!("{base}/ucp/checkout-sessions/{}/complete", ready["id"].as_str().expect("an id")), pay(&token))
}

/// Buys with so many at once; only placing orders is measured: signed, over a socket, and durable when it is answered.
async fn buy(platform: &Arc<Platform>, base: &str, buyers: usize, orders: usize) {
    let each = orders.div_ceil(buyers);
    let mut carts = Vec::new();
    for _ in 0..buyers {
        let mut own = Vec::new();
        for _ in 0..each {
            own.push(cart(platform, base).await);
        }
        carts.push(own);
    }
    let begin = Instant::now();
    let tasks = carts.into_iter().map(|own| {
        let platform = platform.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            for (url, body) in own {
                let start = Instant::now();
                let done = platform.post(&url, &body).await.ok();
                times.push(start.elapsed());
                assert_eq!(done["status"], "completed", "{done}");
            }
            times
        })
    });
    let mut times = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        times.extend(task.await.expect("a buyer"));
    }
    say(&format!("orders_{buyers}"), times, begin.elapsed());
}

#[tokio::main]
async fn main() {
    let flags = Flags::parse();
    let folder = tempfile::tempdir().expect("a folder");
    let shop = folder.path().join("shop");
    let config = Config { simulation_secret: Some(platform::SECRET.to_owned()), ..Config::new(Role::Shop, &shop) };
    let running = start(config).await.expect("a shop");
    let base = running.url().to_owned();
    let platform = Arc::new(Platform::new(1).await);
    platform::stage(&base, json!({"item": "bulb_7w", "left": 1_000_000})).await;
    bare(folder.path(), flags.orders);
    for buyers in &flags.buyers {
        buy(&platform, &base, *buyers, flags.orders).await;
    }
    running.stop().await;
    let bytes = usize::try_from(platform::number(&shop, BYTES).await).expect("a length");
    println!("{}", json!({"name": "bytes_an_order", "bytes": bytes}));
    sqlite(folder.path(), "sqlite_1", flags.orders, 1, bytes).await;
    sqlite(folder.path(), "sqlite_64", flags.orders, GROUP, bytes).await;
}

/// What an order leaves behind, without the database's own.
const BYTES: &str = "SELECT CAST((SELECT avg(length(body)) FROM session) + (SELECT avg(length(body)) FROM orders) + \
    (SELECT avg(length(buyer) + length(destination)) FROM person) + (SELECT avg(length(body)) FROM event) + \
    (SELECT avg(length(body)) FROM idempotency) + 200 AS INTEGER)";
