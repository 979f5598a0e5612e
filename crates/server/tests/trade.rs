//! Merchants at an enabler: what they read of it, what it takes from them, and who stands in for whom.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

#[path = "../../adapters/ucp/tests/common/mod.rs"]
mod merchant;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use merchant::{Fake, complete_ask, golden, merchant_key, now, shop};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use vestibule_adapter_ucp::Merchant;
use vestibule_model::*;
use vestibule_protocol::{Hello, Party, Request, Response, SiiUp, protocol_hash};
use vestibule_server::{Embedded, EmbeddedConfig, HttpConfig, Outgoing, Peer, SessionHandle, StartError, TradeConfig};
use vestibule_ucp::{Endpoint, Envelope, Parts, Profile, Side, sign_request};

fn config(folder: &std::path::Path, trade: Option<TradeConfig>) -> EmbeddedConfig {
    let http = HttpConfig { plain: Some(([127, 0, 0, 1], 0).into()), ..HttpConfig::default() };
    EmbeddedConfig { http, trade, ..EmbeddedConfig::local(folder.join("data")) }
}

fn merchants() -> TradeConfig {
    // Nobody listens there: whoever is away is no reason not to begin.
    let profile = Endpoint::new("http://127.0.0.1:9/.well-known/ucp").unwrap();
    let merchants = vec![Merchant { system: SystemId::slug("shop"), profile }];
    TradeConfig { merchants, themselves: BTreeSet::new(), roots: None, platform: None }
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test]
async fn merchants_read_who_buys_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let enabler = Embedded::start(config(folder.path(), Some(merchants()))).await.unwrap();
        let base = format!("http://{}", enabler.http().unwrap());
        let answer = client().get(format!("{base}/.well-known/ucp")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=300");
        let (profile, dropped) = Profile::read(&answer.bytes().await.unwrap(), Side::Platform).unwrap();
        assert!(dropped.is_empty());
        assert_eq!(profile.webhook().unwrap().as_str(), format!("{base}/ucp/webhooks/orders"));
        keys.push(profile.keys().to_vec());
        enabler.stop().await;
    }
    assert_eq!(keys[0], keys[1], "merchants know it by its key after a restart");
}

#[tokio::test]
async fn news_from_nobody_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Embedded::start(config(folder.path(), Some(merchants()))).await.unwrap();
    let url = format!("http://{}/ucp/webhooks/orders", enabler.http().unwrap());
    let told = async |agent: Option<&str>, body: String| {
        let mut request = client().post(&url).header("content-type", "application/json").body(body);
        if let Some(agent) = agent {
            request = request.header("ucp-agent", agent);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap()["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(told(None, "{}".into()).await, (400, "invalid_profile_url".into()));
    let stranger = r#"profile="https://stranger.example/.well-known/ucp""#;
    assert_eq!(told(Some(stranger), "{}".into()).await, (400, "invalid_request".into()), "it has no Webhook-Id");
    assert_eq!(told(Some(stranger), "x".repeat(300 * 1024)).await, (400, "invalid_request".into()));
    enabler.stop().await;
}

#[tokio::test]
async fn without_merchants_there_is_nothing_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Embedded::start(config(folder.path(), None)).await.unwrap();
    for path in ["/.well-known/ucp", "/ucp/webhooks/orders"] {
        let url = format!("http://{}{path}", enabler.http().unwrap());
        let request = if path.contains("webhooks") { client().post(&url).json(&json!({})) } else { client().get(&url) };
        assert_eq!(request.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    }
    enabler.stop().await;
}

#[tokio::test]
async fn what_cannot_begin_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let silent = EmbeddedConfig { http: HttpConfig::default(), ..config(folder.path(), Some(merchants())) };
    assert!(matches!(Embedded::start(silent).await, Err(StartError::Trade(_))));
    let mut things = merchants();
    things.merchants[0].system = SystemId::slug("things");
    let taken = Embedded::start(config(folder.path(), Some(things))).await;
    assert!(
        matches!(&taken, Err(error @ StartError::Taken) if error.to_string().contains("call the broker something"))
    );
    let roots = Some(folder.path().join("none.pem"));
    let folder = tempfile::tempdir().unwrap();
    let trusting = config(folder.path(), Some(TradeConfig { roots, ..merchants() }));
    assert!(matches!(Embedded::start(trusting).await, Err(StartError::Trade(_))));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/ucp.key"), "rubbish").unwrap();
    assert!(matches!(Embedded::start(config(folder.path(), Some(merchants()))).await, Err(StartError::Trade(_))));
}

/// Loaded machines are slow; whatever takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until the answer is one that is waited for.
async fn until<T>(
    person: &SessionHandle,
    request: impl Fn() -> Request,
    mut fits: impl FnMut(&Response) -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        let answer = person.request(request()).await;
        if let Some(found) = fits(&answer) {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn person() -> (ContentHash, Vec<u8>) {
    let document = json!({
        "salt": "5a".repeat(32),
        "buyer": {"first_name": "Ada", "email": "ada@example.com"},
        "destination": {"street_address": "12 Hidden Lane", "address_country": "DE"},
    });
    let bytes = document.to_string().into_bytes();
    (ContentHash::of(&bytes), bytes)
}

/// Opens a checkout with a buyer and a destination, and gives what was shown.
async fn look_at_checkout(me: &SessionHandle) -> (CallId, Value) {
    let (hash, bytes) = person();
    let media = "application/vnd.vestibule.person+json".to_owned();
    let give = Request::Give { hash, size: bytes.len() as u64, media, offset: 0, bytes };
    assert!(matches!(me.request(give).await, Response::Given { .. }));
    let input = json!({
        "line_items": [{"item": {"id": "made_7f3c"}, "quantity": 1}],
        "buyer": {"$person": hash, "at": "/buyer"},
        "fulfillment": {"methods": [{"type": "shipping", "destinations": [{"$person": hash, "at": "/destination", "id": "dest_1"}]}]},
    });
    let step = CallStep {
        key: StepKey::slug("checkout"),
        system: shop(),
        service: ServiceId::slug("checkout"),
        input: Vec::new(),
        undo: Vec::new(),
        timeout_ms: None,
    };
    let id = CallId([9; 16]);
    let not_after = now().plus(60_000);
    let call = Collaboration { id, input: Json::of(&input).unwrap(), steps: vec![step], not_after, trace: None };
    assert!(matches!(me.request(Request::Invoke(Box::new(call))).await, Response::Call(_)));
    let shown = until(
        me,
        || Request::Call(id),
        |answer| match answer {
            Response::Call(update) if update.status == CallStatus::Succeeded => update.output.clone(),
            Response::Call(update) if update.status.is_final() => panic!("{update:?}"),
            _ => None,
        },
    );
    (id, shown.await.value())
}

/// Tells the enabler of an order, as its merchant does.
async fn tell(fake: &Fake, enabler: &Embedded, order: &Value) -> StatusCode {
    let authority = enabler.http().unwrap().to_string();
    let envelope = Envelope { id: "hook_1".to_owned(), at: now(), agent: fake.profile() };
    let own = envelope.headers();
    let mut headers: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.push(("content-type", "application/json"));
    let body = order.to_string().into_bytes();
    let path = "/ucp/webhooks/orders";
    let parts = Parts {
        subject: "POST".into(),
        authority: &authority,
        path,
        headers: &headers,
        body: &body,
        ..Parts::default()
    };
    let signed = sign_request(&parts, &merchant_key(), now()).unwrap();
    let mut request = client().post(format!("http://{authority}{path}"));
    for (name, value) in headers.iter().copied().chain(signed.headers()) {
        request = request.header(name, value);
    }
    request.body(body.clone()).send().await.unwrap().status()
}

/// What a session is told; dropped, it ends.
type Events = tokio::sync::mpsc::Receiver<Outgoing>;

/// A person and a merchant that is bound.
async fn start(fake: &Fake, folder: &std::path::Path, themselves: &[SystemId]) -> (Embedded, SessionHandle, Events) {
    let bound = vec![Merchant { system: shop(), profile: fake.profile() }];
    let themselves = themselves.iter().cloned().collect();
    let trade = TradeConfig { merchants: bound, themselves, roots: None, platform: None };
    let enabler = Embedded::start(config(folder, Some(trade))).await.unwrap();
    let (me, events) = enabler.hub().open(Peer::Console).await.unwrap();
    (enabler, me, events)
}

/// Agrees with the merchant, sees a cart, confirms it, and waits until it is ordered.
async fn buy(me: &SessionHandle) -> (Value, Confirmation) {
    let services = [ServiceId::slug("checkout")].into();
    let authorize = || Request::Authorize {
        system: shop(),
        services: BTreeSet::clone(&services),
        share: Sharing::default(),
        until: now().plus(3_600_000),
    };
    // It says nothing of itself, and is registered in its place.
    until(me, authorize, |answer| matches!(answer, Response::Authorized(_)).then_some(())).await;
    let (call, shown) = look_at_checkout(me).await;
    let ask = complete_ask();
    let confirmation = Confirmation {
        id: ask.purchase,
        system: ask.system,
        checkout: ask.checkout,
        shown: call,
        total: ask.total,
        most: ask.most,
        pay: ask.pay,
        designs: ask.designs,
    };
    let confirm = Request::Confirm(Box::new(confirmation.clone()));
    assert!(matches!(me.request(confirm).await, Response::Purchase(_)));
    let placed = |answer: &Response| match answer {
        Response::Purchase(update) => matches!(update.state, PurchaseState::Placed { .. }).then_some(()),
        _ => None,
    };
    until(me, || Request::Purchase(confirmation.id), placed).await;
    (shown, confirmation)
}

/// Its merchant tells that it is delivered, and that counts where it has signed it.
async fn deliver(fake: &Fake, enabler: &Embedded, me: &SessionHandle, id: PurchaseId) {
    let delivered = golden("order_delivered.json");
    *fake.shop.order.lock().unwrap() = delivered.clone();
    assert_eq!(tell(fake, enabler, &delivered).await, StatusCode::OK);
    until(
        me,
        || Request::Purchase(id),
        |answer| match answer {
            Response::Purchase(update) => update.order.as_ref().filter(|order| order.is_fulfilled()).map(|_| ()),
            _ => None,
        },
    )
    .await;
}

async fn systems(me: &SessionHandle) -> Vec<(String, String)> {
    match me.request(Request::DiscoverSystems(SystemQuery::default())).await {
        Response::Systems(views) => {
            views.iter().map(|view| (view.info.id.to_string(), view.info.name.clone())).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_is_bought_and_nobody_but_its_merchant_knows_where_it_goes() {
    let fake = Fake::start().await;
    fake.shop.change(|checkout| checkout["expires_at"] = json!(now().plus(3_600_000).to_utc()));
    let folder = tempfile::tempdir().unwrap();
    let (enabler, me, _events) = start(&fake, folder.path(), &[]).await;
    let (shown, confirmation) = buy(&me).await;
    assert_eq!(shown["totals"][3]["amount"], 3380);
    let sent = fake.shop.seen("create").remove(0).json();
    assert_eq!(sent["fulfillment"]["methods"][0]["destinations"][0]["street_address"], "12 Hidden Lane");
    assert_eq!(fake.shop.placed(), 1);
    deliver(&fake, &enabler, &me, confirmation.id).await;
    let confirm = Request::Confirm(Box::new(confirmation));
    assert!(matches!(me.request(confirm).await, Response::Purchase(_)), "once more is the same");
    enabler.stop().await;
    assert_eq!(fake.shop.placed(), 1);
    nothing_personal_in(&folder.path().join("data"));
}

/// A third-party system with a credential of its own.
async fn third_party(enabler: &Embedded, name: &str) -> (SessionHandle, Events) {
    let role = vec![RoleId::slug("third_party")];
    enabler.hub().enroll([7; 32], UserId::slug(name), role).await.unwrap();
    let (system, events) = enabler.hub().open(Peer::Certificate([7; 32])).await.unwrap();
    let hello = Hello { protocol: protocol_hash(), party: Party::ThirdParty, software: "test".to_owned() };
    assert!(matches!(system.request(Request::Hello(hello)).await, Response::Welcome(_)));
    (system, events)
}

fn register(id: SystemId, name: &str) -> Request {
    Request::Sii(SiiUp::Register(Box::new(SystemInfo::new(id, SystemKind::ThirdParty, name))))
}

/// The data folder of before: the enabler itself has registered a merchant in its place, and things were bought there. By
/// now the merchant registers itself: nobody is refused for ever, and what was bought goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_that_comes_itself_takes_the_place_of_its_stand_in_and_orders_go_on() {
    let fake = Fake::start().await;
    fake.shop.change(|checkout| checkout["expires_at"] = json!(now().plus(3_600_000).to_utc()));
    let folder = tempfile::tempdir().unwrap();
    let (enabler, me, _events) = start(&fake, folder.path(), &[]).await;
    let (_, confirmation) = buy(&me).await;
    // While its owner does not say that it comes itself, whoever says so is somebody else.
    let (other, _others) = third_party(&enabler, "somebody").await;
    assert!(
        matches!(other.request(register(shop(), "Shop")).await, Response::Refused(no) if no.code == RefusalCode::Conflict)
    );
    enabler.stop().await;

    let (enabler, me, _events) = start(&fake, folder.path(), &[shop()]).await;
    let (itself, _its) = third_party(&enabler, "somebody").await;
    assert_eq!(itself.request(register(shop(), "The shop itself")).await, Response::Done);
    assert_eq!(systems(&me).await, [("shop".to_owned(), "The shop itself".to_owned())]);
    // What was agreed was not agreed with it.
    assert_eq!(me.request(Request::Authorizations).await, Response::Authorizations(Vec::new()));
    let known = me.request(Request::Purchase(confirmation.id)).await;
    let Response::Purchase(known) = known else { panic!("{known:?}") };
    assert!(matches!(known.state, PurchaseState::Placed { .. }) && known.system == shop());
    deliver(&fake, &enabler, &me, confirmation.id).await;
    enabler.stop().await;

    let (enabler, me, _events) = start(&fake, folder.path(), &[shop()]).await;
    let (itself, _its) = third_party(&enabler, "somebody").await;
    assert_eq!(itself.request(register(shop(), "The shop itself")).await, Response::Done, "it is its own by now");
    assert_eq!(systems(&me).await.len(), 1);
    enabler.stop().await;
    assert_eq!(fake.shop.placed(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_stands_in_for_a_merchant_that_registers_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut trade = merchants();
    let workshop = Merchant { system: SystemId::slug("workshop"), ..trade.merchants[0].clone() };
    trade.themselves.insert(workshop.system.clone());
    trade.merchants.push(workshop);
    let enabler = Embedded::start(config(folder.path(), Some(trade))).await.unwrap();
    let (me, _events) = enabler.hub().open(Peer::Console).await.unwrap();
    let there = |answer: &Response| matches!(answer, Response::Systems(views) if !views.is_empty()).then_some(());
    until(&me, || Request::DiscoverSystems(SystemQuery::default()), there).await;
    // Whoever would stand in for the other would have come at the same time.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(systems(&me).await.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ["shop"]);
    enabler.stop().await;
}

/// But in the documents that were given apart, for as long as an order is on its way.
fn nothing_personal_in(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "persons") {
                nothing_personal_in(&path);
            }
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for word in ["Hidden Lane", "ada@example.com", "Example Street"] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} is in {}", path.display());
        }
    }
}
