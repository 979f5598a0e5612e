//! Killed at any moment: no order is lost, none is there twice.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::platform::{Platform, WRONG_MONEY, number, pay, total};

/// The program, as somebody would start it.
struct Program {
    child: Child,
    base: String,
}

impl Program {
    fn start(role: &str, folder: &Path, port: u16, speed: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule-commerce"))
            .args([role, "--until-stdin-ends", "--no-slicer", "--speed", speed, "--data"])
            .arg(folder)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("listening on ").expect("its first line tells where it is").to_owned();
        Self { child, base }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_its_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start("shop", folder.path(), 0, "1");
    drop(program.child.stdin.take());
    let mut child = std::mem::replace(&mut program.child, Command::new("true").spawn().unwrap());
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
    assert!(tokio::time::timeout(crate::platform::PATIENCE, ended).await.unwrap().unwrap().success());
    let wrong = Command::new(env!("CARGO_BIN_EXE_vestibule-commerce"))
        .args(["shop", "--data", "/dev/null/x"])
        .output()
        .unwrap();
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("the folder /dev/null/x"));
}

/// What was bought of a merchant that was killed meanwhile, and its folder.
struct Bought {
    folder: tempfile::TempDir,
    orders: usize,
    /// What was confirmed, all together.
    money: i64,
}

const ROUNDS: usize = 12;

/// Buys with the same keys until it is answered, while the merchant is killed at moments that a seed says; returns when
/// everything is at the door and the merchant is killed once more.
async fn bought(role: &str, seed: u64, item: impl AsyncFn(&Platform, &str) -> (String, u32)) -> Bought {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = StdRng::seed_from_u64(seed);
    let mut program = Program::start(role, folder.path(), 0, "200000");
    let port = program.base.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let base = program.base.clone();
    let platform = Arc::new(Platform::new(1).await);
    platform.meet(&base).await;
    let mut bought = Vec::new();
    for round in 0..ROUNDS {
        let (item, count) = item(&platform, &base).await;
        let ready = platform.ready(&base, &[(&item, count)]).await;
        let token = platform.token(&base, &ready, "sandbox-ok").await;
        let (key, body) = (platform.fresh(), pay(&token).to_string().into_bytes());
        let url = format!("{base}/ucp/checkout-sessions/{}/complete", ready["id"].as_str().unwrap());
        let asking = {
            let (platform, url, key, body) = (platform.clone(), url.clone(), key.clone(), body.clone());
            tokio::spawn(async move { platform.try_send("POST", &url, Some(&key), body, |_| {}).await })
        };
        // Not to wait for something, but to kill at some moment of it.
        tokio::time::sleep(std::time::Duration::from_micros(dice.random_range(0..12_000))).await;
        program.kill();
        let first = asking.await.unwrap();
        program = Program::start(role, folder.path(), port, "200000");
        assert_eq!(program.base, base);
        let answer = platform.try_send("POST", &url, Some(&key), body, |_| {}).await.expect("it is there again");
        assert_eq!(answer.body["status"], "completed", "round {round}: {}", answer.body);
        if let Some(first) = first {
            assert_eq!(first.bytes, answer.bytes, "round {round}: what was answered stays true");
        }
        bought.push((answer.body["order"]["id"].as_str().unwrap().to_owned(), total(&ready)));
    }
    for (order, _) in &bought {
        let delivered = |told: &crate::platform::Told| {
            let events = told.order["fulfillment"]["events"].as_array().unwrap();
            told.order["id"] == order.as_str() && events.iter().any(|one| one["type"] == "delivered")
        };
        platform.hears(delivered).await;
    }
    program.kill();
    let money = bought.iter().map(|(_, total)| total).sum::<i64>();
    let path = folder.path();
    assert_eq!(number(path, "SELECT count(*) FROM orders").await, ROUNDS as i64);
    assert_eq!(number(path, "SELECT sum(held) FROM payment").await, 0);
    assert_eq!(number(path, WRONG_MONEY).await, 0);
    let doubled = "SELECT count(*) FROM (SELECT orders, json_extract(body, '$.type') FROM event WHERE \
                   json_extract(body, '$.type') = 'delivered' GROUP BY 1 HAVING count(*) > 1)";
    assert_eq!(number(path, doubled).await, 0, "everything arrives once");
    Bought { folder, orders: bought.len(), money }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_killed_at_any_moment_has_each_order_once() {
    let Bought { folder, orders, money } = bought("shop", 7, async |_, _| ("bulb_7w".to_owned(), 1)).await;
    assert_eq!(number(folder.path(), "SELECT sold FROM stock WHERE item = 'bulb_7w'").await, orders as i64);
    assert_eq!(number(folder.path(), "SELECT sum(captured) FROM payment").await, money);
}

/// Killed while it looks at designs, makes things and signs for them: each piece has one number.
#[tokio::test(flavor = "multi_thread")]
async fn a_manufacturer_that_is_killed_at_any_moment_makes_each_piece_once() {
    let quoted = async |platform: &Platform, base: &str| {
        let quote = crate::maker::quoted(platform, base, 2).await;
        (quote["item"]["id"].as_str().unwrap().to_owned(), 1)
    };
    let Bought { folder, orders, money } = bought("manufacturer", 8, quoted).await;
    assert_eq!(number(folder.path(), "SELECT sum(captured) FROM payment").await, money);
    assert_eq!(number(folder.path(), "SELECT count(*) FROM serial").await, 2 * orders as i64);
    let made = "SELECT count(*) FROM (SELECT orders FROM event WHERE \
                json_extract(body, '$.\"com.example.vestibule.fabrication\".state') = 'made' GROUP BY 1 HAVING count(*) = 1)";
    assert_eq!(number(folder.path(), made).await, orders as i64, "each order is made, and once");
}

/// Killed while it weighs: nobody pays twice for what was weighed, and nobody more than they agreed to.
#[tokio::test(flavor = "multi_thread")]
async fn a_supplier_that_is_killed_at_any_moment_weighs_each_order_once() {
    let Bought { folder, orders, money } = bought("supplier", 9, async |_, _| ("cheese_50g".to_owned(), 4)).await;
    let path = folder.path();
    assert_eq!(number(path, "SELECT sold FROM stock WHERE item = 'cheese_50g'").await, 4 * orders as i64);
    let weighed = "SELECT (SELECT coalesce(sum(amount), 0) FROM adjustment)";
    assert_eq!(number(path, "SELECT sum(captured - refunded) FROM payment").await, money + number(path, weighed).await);
    let twice = "SELECT count(*) FROM (SELECT orders FROM adjustment GROUP BY 1 HAVING count(*) > 1)";
    assert_eq!(number(path, twice).await, 0);
    assert_eq!(number(path, "SELECT count(*) FROM payment WHERE captured > authorized").await, 0);
}
