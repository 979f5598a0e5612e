//! The client as a person starts it, with the merchants that come along: something is bought there, the client is killed
//! in the middle, and started again.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vestibule_model::{
    CallId, CallStatus, CallStep, CheckoutId, Collaboration, Confirmation, ContentHash, Json, Money, OrderView,
    PayWith, PurchaseId, PurchaseState, PurchaseUpdate, RefusalCode, ServiceId, Sharing, StepKey, SystemId, Timestamp,
};
use vestibule_protocol::{Request, Response};
use vestibule_quic::Identity;

use crate::{
    enabler::User,
    process::{Running, program, without},
};

/// Loaded machines are slow; whatever takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);
/// For the seed that says when it is killed.
const SEED: u64 = 7;
/// Purchases, with a kill in each.
const ROUNDS: u8 = 3;
const GOODS: &str = "bulb_7w";

/// A client without a window, its data, and the person who uses it.
struct Client {
    data: TempDir,
    running: Option<Running>,
}

fn merchant() -> SystemId {
    SystemId::slug("shop")
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

impl Client {
    fn new() -> Self {
        let client = Self { data: tempfile::tempdir().unwrap(), running: None };
        // It shows a tour that waits: what is of interest runs beside it.
        let tour =
            "title = 'Waits'\n[[step]]\nname = 'Wait'\nexpect = [{ shows = 'what nobody says' }]\nwithin = 3600.0\n";
        std::fs::write(client.data.path().join("wait.toml"), tour).unwrap();
        client
    }

    fn at(&self, path: &str) -> PathBuf {
        self.data.path().join(path)
    }

    /// Starts it; gives the person's own session with its enabler.
    fn start(&mut self) -> User {
        let mut command = program("vestibule");
        if let Some(driver) = std::env::var_os("VESTIBULE_LAVAPIPE_ICD") {
            command.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", driver);
        }
        command.args(["--speed", "200000", "--size", "64x64", "--hour", "15", "--tour"]).arg(self.at("wait.toml"));
        command.arg("--data").arg(self.data.path()).arg("--offscreen").arg(self.at("pictures"));
        let running = Running::start(&mut command);
        let process = running.process().to_string();
        self.running = Some(running);
        let end = Instant::now() + PATIENCE;
        let address = loop {
            // A client that was killed leaves its line behind.
            let said = std::fs::read_to_string(self.at("enabler/endpoint")).unwrap_or_default();
            let mut lines = said.lines();
            let address = lines.next().map(str::to_owned);
            if lines.next() == Some(process.as_str()) {
                break address.unwrap();
            }
            let heard = self.running.as_mut().unwrap().heard();
            let ended = heard.iter().any(|line| line.starts_with("vestibule: "));
            assert!(!ended && Instant::now() < end, "no enabler listens: {heard:?}");
            std::thread::sleep(Duration::from_millis(20));
        };
        let server = Identity::load_or_create(self.at("enabler/identity.pem")).unwrap().fingerprint();
        let own = Identity::load_or_create(self.at("client")).unwrap();
        User::connect(Runtime::new().unwrap(), &address, server, own)
    }

    /// Ends it as a power cut would. Nothing that it started is left.
    fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        let started = children(running.process());
        assert_eq!(started.len(), 3, "a shop, a manufacturer and a supplier run");
        running.kill();
        let end = Instant::now() + PATIENCE;
        while started.iter().any(|process| is_there(*process)) {
            assert!(Instant::now() < end, "merchants outlive the client");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Orders that the shop has: each gets a confirmation.
    fn orders(&self) -> usize {
        std::fs::read_dir(self.at("merchants/shop/mail")).map_or(0, Iterator::count)
    }
}

/// What a process has started and not taken leave of: its number and its parent's are in `stat`, after its name.
fn children(of: u32) -> Vec<u32> {
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.filter(|process: &u32| parent(*process) == Some(of)).collect()
}

fn parent(process: u32) -> Option<u32> {
    let said = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    said.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

/// Whoever has ended and is only waited for is gone.
fn is_there(process: u32) -> bool {
    let said = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = said.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z" && state != "X")
}

/// Asks until the answer is one that is waited for.
fn until<T>(user: &mut User, request: impl Fn() -> Request, fits: impl Fn(&Response) -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = user.ask(request());
        if let Some(found) = answer.as_ref().ok().and_then(&fits) {
            return found;
        }
        assert!(Instant::now() < end, "{answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The shop's services may be used: it is there, and agreed with.
fn agree(user: &mut User) {
    let services: BTreeSet<_> = ["checkout"].map(ServiceId::slug).into();
    let until_when = now().plus(24 * 3_600_000);
    let ask = || Request::Authorize {
        system: merchant(),
        services: services.clone(),
        share: Sharing::default(),
        until: until_when,
    };
    until(user, ask, |answer| matches!(answer, Response::Authorized(_)).then_some(()));
}

fn call(user: &mut User, id: [u8; 16], input: &Value) -> Value {
    let step = CallStep {
        key: StepKey::slug("checkout"),
        system: merchant(),
        service: ServiceId::slug("checkout"),
        input: Vec::new(),
        undo: Vec::new(),
        timeout_ms: None,
    };
    let (id, not_after) = (CallId(id), now().plus(120_000));
    let call = Collaboration { id, input: Json::of(input).unwrap(), steps: vec![step], not_after, trace: None };
    until(user, || Request::Invoke(Box::new(call.clone())), |answer| matches!(answer, Response::Call(_)).then_some(()));
    let output = |answer: &Response| match answer {
        Response::Call(update) if update.status == CallStatus::Succeeded => update.output.as_ref().map(Json::value),
        Response::Call(update) if update.status.is_final() => panic!("{update:?}"),
        _ => None,
    };
    until(user, || Request::Call(id), output)
}

/// Fills a cart until it can be confirmed: what is shown then is what is confirmed.
fn ready(user: &mut User, round: u8) -> Confirmation {
    let document = json!({
        "salt": "5a".repeat(32),
        "buyer": {"first_name": "Ada", "last_name": "Owner", "email": "ada@example.com"},
        "destination": {"street_address": "11 Example Street", "address_locality": "Sample Town",
            "postal_code": "12345", "address_country": "DE", "first_name": "Ada", "last_name": "Owner"},
    });
    let bytes = document.to_string().into_bytes();
    let hash = ContentHash::of(&bytes);
    let media = "application/vnd.vestibule.person+json".to_owned();
    let give = Request::Give { hash, size: bytes.len() as u64, media, offset: 0, bytes };
    until(user, || give.clone(), |answer| matches!(answer, Response::Given { .. }).then_some(()));
    let cart = |id: Option<&Value>, group: Option<&Value>| {
        let mut method = json!({"type": "shipping", "selected_destination_id": "dest_1",
            "destinations": [{"$person": hash, "at": "/destination", "id": "dest_1"}]});
        if let Some(group) = group {
            method["groups"] = json!([{"id": group["id"], "selected_option_id": group["options"][0]["id"]}]);
        }
        let mut cart = json!({"line_items": [{"item": {"id": GOODS}, "quantity": 2}],
            "buyer": {"$person": hash, "at": "/buyer"}, "fulfillment": {"methods": [method]}});
        if let Some(id) = id {
            cart["id"] = id.clone();
        }
        cart
    };
    let opened = call(user, [round, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], &cart(None, None));
    let group = &opened["fulfillment"]["methods"][0]["groups"][0];
    let shown = [round, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let ready = call(user, shown, &cart(Some(&opened["id"]), Some(group)));
    assert_eq!(ready["status"], "ready_for_complete", "{ready}");
    let total = ready["totals"].as_array().unwrap().iter().find(|one| one["type"] == "total").unwrap();
    let total = Money::new(total["amount"].as_i64().unwrap(), "EUR".parse().unwrap());
    Confirmation {
        id: PurchaseId([round, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        system: merchant(),
        checkout: CheckoutId::new(ready["id"].as_str().unwrap()).unwrap(),
        shown: CallId(shown),
        total,
        most: total,
        pay: PayWith { handler: "sandbox_1".into(), instrument: "sandbox".into() },
        designs: [].into(),
    }
}

fn purchase(answer: &Response) -> Option<&PurchaseUpdate> {
    if let Response::Purchase(update) = answer { Some(update) } else { None }
}

/// Whether the enabler has a purchase; certain, and no guess.
fn is_known(user: &mut User, id: PurchaseId) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        match user.ask(Request::Purchase(id)) {
            Ok(Response::Purchase(_)) => return true,
            Err(refusal) if refusal.code == RefusalCode::NotFound => return false,
            other => assert!(Instant::now() < end, "{other:?}"),
        }
    }
}

/// Bought in a client that is killed at a moment that nobody chose, it is bought once or not at all, and the person
/// knows which at the next start; what was ordered yesterday is followed today, wherever its merchant is found by then.
#[test]
fn killed_in_the_middle_of_buying_it_is_bought_once_and_the_person_knows() {
    if without("picture") {
        return;
    }
    let mut client = Client::new();
    let mut user = client.start();
    let mut dice = SEED;
    for round in 1..=ROUNDS {
        agree(&mut user);
        let confirmation = ready(&mut user, round);
        let confirm = || Request::Confirm(Box::new(confirmation.clone()));
        user.send(confirm());
        // Not to wait for something, but to kill at some moment of it.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros((dice >> 33) % 60_000));
        client.kill();
        drop(user);
        user = client.start();
        if !is_known(&mut user, confirmation.id) {
            // Nothing was bought, and that is certain: the person presses once more.
            until(&mut user, confirm, |answer| purchase(answer).map(|_| ()));
        }
        let delivered = until(
            &mut user,
            || Request::Purchase(confirmation.id),
            |answer| {
                let update = purchase(answer)?;
                assert!(
                    !matches!(update.state, PurchaseState::NotPlaced { .. } | PurchaseState::Disputed { .. }),
                    "{update:?}"
                );
                update.order.as_ref().filter(|order| order.is_fulfilled()).map(|_| update.clone())
            },
        );
        assert_eq!(delivered.order.map(|order: OrderView| order.total), Some(confirmation.total));
        assert_eq!(client.orders(), usize::from(round), "one order for each purchase");
    }
    let list = || Request::Purchases { before: None, limit: 16 };
    let all = until(&mut user, list, |answer| match answer {
        Response::Purchases(all) => Some(all.len()),
        _ => None,
    });
    assert_eq!(all, usize::from(ROUNDS));
    nothing_personal_in(&client.at("enabler"));
    client.kill();
}

/// But in the documents that were given apart, for as long as an order is on its way.
fn nothing_personal_in(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "persons") {
                nothing_personal_in(&path);
            }
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(14).any(|window| window == b"Example Street");
        assert!(!found, "an address is in {}", path.display());
    }
}

/// A merchant that is killed is started again; the client and what was agreed go on.
#[test]
fn a_merchant_that_dies_is_started_again() {
    if without("picture") {
        return;
    }
    let mut client = Client::new();
    let mut user = client.start();
    agree(&mut user);
    let started = children(client.running.as_ref().unwrap().process());
    for process in &started {
        assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
    }
    let end = Instant::now() + PATIENCE;
    let port = std::fs::read_to_string(client.at("merchants/shop/port")).unwrap().parse().unwrap();
    loop {
        let again = children(client.running.as_ref().unwrap().process());
        let others = again.len() == 3 && again.iter().all(|process| !started.contains(process));
        // Where it was: the enabler looks for it nowhere else.
        if others && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            break;
        }
        assert!(Instant::now() < end, "they are not started again");
        std::thread::sleep(Duration::from_millis(20));
    }
    ready(&mut user, 1);
    client.kill();
}
