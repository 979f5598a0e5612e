//! A platform that buys: its profile, its key, where it hears of its orders, and what it remembers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch};
use vestibule_commerce::{Clock, Config, Role, Running, start};
use vestibule_model::Timestamp;
use vestibule_ucp::{Endpoint, Envelope, Jwk, Parts, SigningKey, sign_request};

const PROFILE: &str = "/.well-known/ucp";

/// Whatever is waited for is there by then.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn now() -> Timestamp {
    Clock::default().now()
}

#[path = "../../../ucp/tests/judge/mod.rs"]
mod judge;

pub use judge::{Judge, Kind};

/// A webhook that came.
#[derive(Clone, Debug)]
pub struct Told {
    pub id: String,
    pub order: Value,
}

pub struct Heard {
    pub told: watch::Sender<Vec<Told>>,
    /// What webhooks are answered with.
    pub status: AtomicU16,
    pub profile: Mutex<Value>,
    pub fetched: AtomicU32,
    merchants: Mutex<Vec<Jwk>>,
    /// Webhooks as they came, for others to read.
    hooks: Mutex<Vec<Value>>,
}

pub struct Platform {
    pub key: SigningKey,
    pub url: Endpoint,
    pub heard: Arc<Heard>,
    client: reqwest::Client,
    count: AtomicU32,
    /// What its signatures are dated by.
    pub clock: Clock,
    exchanges: Mutex<Vec<Value>>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub bytes: Vec<u8>,
    pub headers: BTreeMap<String, String>,
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status == 200 || self.status == 201, "{}: {}", self.status, self.body);
        self.body
    }

    #[track_caller]
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
    }

    /// The codes of its errors.
    pub fn errors(&self) -> Vec<&str> {
        errors(&self.body)
    }
}

pub fn errors(body: &Value) -> Vec<&str> {
    let all = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter(|one| one["type"] == "error").filter_map(|one| one["code"].as_str()).collect()
}

async fn hear(State(heard): State<Arc<Heard>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let authority = headers.iter().find(|(name, _)| *name == "host").unwrap().1;
    let parts = Parts {
        subject: "POST".into(),
        authority,
        path: "/ucp/webhooks/orders",
        headers: &headers,
        body: &body,
        ..Parts::default()
    };
    let keys = heard.merchants.lock().unwrap().clone();
    if keys.is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, axum::Json(Value::Null));
    }
    // A merchant's clock may have been set ahead by a test.
    let at = headers.iter().find(|(name, _)| *name == "webhook-timestamp").unwrap().1.parse::<u64>().unwrap() * 1000;
    let envelope = Envelope::read(&parts, Timestamp(at)).expect("an envelope");
    let must = ["webhook-id", "webhook-timestamp"];
    envelope.verify(&parts, &keys, &must, Timestamp(at)).expect("a merchant's signature");
    let order: vestibule_ucp::Order = vestibule_ucp::read(&body).expect("an order");
    drop(order);
    heard.hooks.lock().unwrap().push(json!({
        "method": "POST", "url": format!("http://{authority}/ucp/webhooks/orders"),
        "headers": headers.iter().copied().collect::<BTreeMap<_, _>>(), "body": String::from_utf8_lossy(&body),
    }));
    let told = Told { id: envelope.id, order: serde_json::from_slice(&body).unwrap() };
    heard.told.send_modify(|all| all.push(told));
    let status = StatusCode::from_u16(heard.status.load(Ordering::SeqCst)).unwrap();
    (status, axum::Json(vestibule_ucp::accepted()))
}

async fn tell(State(heard): State<Arc<Heard>>) -> impl IntoResponse {
    heard.fetched.fetch_add(1, Ordering::SeqCst);
    ([(header::CONTENT_TYPE, "application/json")], heard.profile.lock().unwrap().to_string())
}

impl Drop for Platform {
    /// Others judge what merchants say, whatever a test is about.
    fn drop(&mut self) {
        if let Some(judge) = Judge::found().filter(|_| !std::thread::panicking()) {
            judge.all(self.messages()).unwrap();
        }
    }
}

impl Platform {
    pub async fn new(number: u8) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::from_bytes(&format!("platform-{number}"), &[number; 32]).unwrap();
        let heard = Arc::new(Heard {
            told: watch::Sender::default(),
            status: AtomicU16::new(200),
            profile: Mutex::new(profile(&base, &key)),
            fetched: AtomicU32::new(0),
            merchants: Mutex::default(),
            hooks: Mutex::default(),
        });
        let router =
            Router::new().route(PROFILE, get(tell)).route("/ucp/webhooks/orders", post(hear)).with_state(heard.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let url = Endpoint::new(&format!("{base}{PROFILE}")).unwrap();
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap();
        Self { key, url, heard, client, count: AtomicU32::new(0), clock: Clock::default(), exchanges: Mutex::default() }
    }

    /// Believes this merchant's webhooks from now on.
    pub async fn meet(&self, base: &str) {
        let profile = self.client.get(format!("{base}{PROFILE}")).send().await.unwrap();
        let profile = profile.bytes().await.unwrap();
        self.exchanges.lock().unwrap().push(json!({
            "method": "GET", "path": PROFILE, "body": "", "status": 200, "answer": String::from_utf8_lossy(&profile),
        }));
        let profile: Value = serde_json::from_slice(&profile).unwrap();
        let keys: Vec<Jwk> = serde_json::from_value(profile["signing_keys"].clone()).unwrap();
        self.heard.merchants.lock().unwrap().extend(keys);
    }

    /// A key that was not used before.
    pub fn fresh(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        format!("{}-{count:08}-0000000000000000", self.key.kid())
    }

    /// A signed request.
    pub async fn send(&self, method: &str, url: &str, key: Option<&str>, body: Option<&Value>) -> Answer {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.try_send(method, url, key, body, |_| {}).await.expect("an answer")
    }

    /// A signed request with a body of this kind.
    pub async fn send_as(&self, url: &str, kind: &str, body: Vec<u8>) -> Answer {
        self.send_kind("POST", url, Some(&self.fresh()), kind, body, |_| {}).await.expect("an answer")
    }

    /// A signed request of which `spoil` changes headers after they were signed; `None` where no answer came.
    pub async fn try_send(
        &self,
        method: &str,
        url: &str,
        key: Option<&str>,
        body: Vec<u8>,
        spoil: impl FnOnce(&mut BTreeMap<String, String>),
    ) -> Option<Answer> {
        self.send_kind(method, url, key, "application/json", body, spoil).await
    }

    pub async fn send_kind(
        &self,
        method: &str,
        url: &str,
        key: Option<&str>,
        kind: &str,
        body: Vec<u8>,
        spoil: impl FnOnce(&mut BTreeMap<String, String>),
    ) -> Option<Answer> {
        let at = Endpoint::new(url).unwrap();
        let mut headers = BTreeMap::from([("ucp-agent".to_owned(), vestibule_ucp::agent_header(&self.url))]);
        if let Some(key) = key {
            headers.insert("idempotency-key".into(), key.into());
        }
        if !body.is_empty() {
            headers.insert("content-type".into(), kind.into());
        }
        let signed = {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let parts = Parts {
                subject: method.into(),
                authority: at.authority(),
                secure: at.is_secure(),
                path: at.path(),
                headers: &headers,
                body: &body,
                ..Parts::default()
            };
            sign_request(&parts, &self.key, self.clock.now()).unwrap()
        };
        headers.extend(signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
        spoil(&mut headers);
        let mut request = self.client.request(method.parse().unwrap(), url).timeout(PATIENCE);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let (sent, told) = (headers.clone(), body.clone());
        let answer = request.body(body).send().await.ok()?;
        let status = answer.status().as_u16();
        let named = answer.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let headers = named.collect();
        let headers: BTreeMap<String, String> = headers;
        let bytes = answer.bytes().await.ok()?.to_vec();
        self.exchanges.lock().unwrap().push(json!({
            "method": method, "url": url, "path": at.path(), "headers": sent, "body": String::from_utf8_lossy(&told),
            "status": status, "answer_headers": headers,
            "answer": String::from_utf8_lossy(&bytes),
        }));
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Some(Answer { status, body, bytes, headers })
    }

    /// Everything that was said between this platform and merchants.
    pub fn recording(&self) -> Value {
        let mut keys = BTreeMap::from([(self.key.kid().to_owned(), self.key.jwk())]);
        let merchants = self.heard.merchants.lock().unwrap();
        keys.extend(merchants.iter().map(|key| (key.kid.clone(), key.clone())));
        // Profiles are not signed.
        let exchanges = self.exchanges.lock().unwrap();
        let signed: Vec<Value> = exchanges.iter().filter(|one| one["path"] != PROFILE).cloned().collect();
        json!({"keys": keys, "exchanges": signed, "webhooks": *self.heard.hooks.lock().unwrap()})
    }

    /// What merchants have said to this platform, and what they took of what it said.
    pub fn messages(&self) -> Vec<(Kind, Vec<u8>)> {
        let bytes = |one: &Value, name: &str| one[name].as_str().unwrap().as_bytes().to_vec();
        let mut messages = Vec::new();
        for one in self.exchanges.lock().unwrap().iter() {
            let (path, answer) = (one["path"].as_str().unwrap(), bytes(one, "answer"));
            let status = u16::try_from(one["status"].as_u64().unwrap()).unwrap();
            let answered = Kind::of_answer(path, status, &answer);
            let asked = Kind::of_request(one["method"].as_str().unwrap(), path);
            // What tests ask wrongly is refused.
            if let Some(asked) = asked.filter(|_| answered.is_some_and(|kind| kind != Kind::Refused)) {
                messages.push((asked, bytes(one, "body")));
            }
            messages.extend(answered.map(|kind| (kind, answer)));
        }
        messages.extend(self.heard.hooks.lock().unwrap().iter().map(|hook| (Kind::Order, bytes(hook, "body"))));
        messages
    }

    pub async fn post(&self, url: &str, body: &Value) -> Answer {
        self.send("POST", url, Some(&self.fresh()), Some(body)).await
    }

    pub async fn get(&self, url: &str) -> Answer {
        self.send("GET", url, None, None).await
    }

    /// A page, as a browser asks for it.
    pub async fn browse(&self, method: &str, url: &str) -> (u16, String) {
        let answer = self.client.request(method.parse().unwrap(), url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A session that is ready, with these goods.
    pub async fn ready(&self, base: &str, lines: &[(&str, u32)]) -> Value {
        let opened = self.post(&format!("{base}/ucp/checkout-sessions"), &cart(lines, None)).await.ok();
        let option = opened["fulfillment"]["methods"][0]["groups"][0]["options"][0]["id"].clone();
        let id = opened["id"].as_str().unwrap();
        let url = format!("{base}/ucp/checkout-sessions/{id}");
        let ready = self.send("PUT", &url, Some(&self.fresh()), Some(&cart(lines, option.as_str()))).await.ok();
        assert_eq!(ready["status"], "ready_for_complete", "{ready}");
        ready
    }

    /// Something to pay a session with.
    pub async fn token(&self, base: &str, session: &Value, card: &str) -> String {
        let asked = json!({"binding": {"checkout_id": session["id"]}, "amount": total(session), "currency": "EUR", "card": card});
        let given = self.post(&format!("{base}/pay/tokenize"), &asked).await.ok();
        given["token"].as_str().unwrap().to_owned()
    }

    /// What completes a session.
    pub async fn paying(&self, base: &str, session: &Value, card: &str) -> Value {
        pay(&self.token(base, session, card).await)
    }

    /// Completes a session.
    pub async fn complete(&self, base: &str, session: &Value, card: &str) -> Answer {
        let body = self.paying(base, session, card).await;
        let id = session["id"].as_str().unwrap();
        self.post(&format!("{base}/ucp/checkout-sessions/{id}/complete"), &body).await
    }

    /// Buys; gives the order's id.
    pub async fn buy(&self, base: &str, lines: &[(&str, u32)]) -> String {
        let session = self.ready(base, lines).await;
        let done = self.complete(base, &session, "sandbox-ok").await.ok();
        assert_eq!(done["status"], "completed", "{done}");
        done["order"]["id"].as_str().unwrap().to_owned()
    }

    /// Waits for a webhook.
    pub async fn hears(&self, what: impl Fn(&Told) -> bool) -> Told {
        let mut told = self.heard.told.subscribe();
        let heard = tokio::time::timeout(PATIENCE, told.wait_for(|all| all.iter().any(&what)));
        let heard = heard.await.expect("a webhook comes").unwrap();
        heard.iter().find(|one| what(one)).unwrap().clone()
    }
}

pub fn total(checkout: &Value) -> i64 {
    let totals = checkout["totals"].as_array().unwrap();
    totals.iter().find(|one| one["type"] == "total").unwrap()["amount"].as_i64().unwrap()
}

pub fn pay(token: &str) -> Value {
    json!({"payment": {"instruments": [{"id": "inst_1", "handler_id": "sandbox_1", "type": "sandbox", "selected": true,
        "credential": {"type": "sandbox_token", "token": token}}]}})
}

pub fn cart(lines: &[(&str, u32)], option: Option<&str>) -> Value {
    // What merchants of ours call them, in this order.
    let named: Vec<String> = (1..=lines.len()).map(|number| format!("li_{number}")).collect();
    let lines: Vec<Value> = lines.iter().map(|(id, count)| json!({"item": {"id": id}, "quantity": count})).collect();
    let mut method = json!({"type": "shipping", "destinations": [{"id": "dest_1", "street_address": "11 Example Street",
        "address_locality": "Sample Town", "postal_code": "12345", "address_country": "DE", "first_name": "Ada",
        "last_name": "Owner"}], "selected_destination_id": "dest_1", "line_item_ids": named});
    if let Some(option) = option {
        method["groups"] = json!([{"id": "pkg_1", "selected_option_id": option}]);
    }
    json!({"line_items": lines, "buyer": {"first_name": "Ada", "last_name": "Owner", "email": "ada@example.com"},
        "fulfillment": {"methods": [method]}})
}

pub fn profile(base: &str, key: &SigningKey) -> Value {
    let protocol = |page: &str, schema: &str| {
        json!({"version": "2026-04-08", "spec": format!("https://ucp.dev/2026-04-08/specification/{page}"),
            "schema": format!("https://ucp.dev/2026-04-08/schemas/shopping/{schema}.json")})
    };
    let ours = |page: &str, extends: Value| {
        json!({"version": "2026-11-26", "spec": format!("https://example.com/vestibule/{page}"),
            "schema": format!("https://example.com/vestibule/{page}.json"), "extends": extends})
    };
    let mut fulfillment = protocol("fulfillment", "fulfillment");
    fulfillment["extends"] = "dev.ucp.shopping.checkout".into();
    let mut order = protocol("order", "order");
    order["config"] = json!({"webhook_url": format!("{base}/ucp/webhooks/orders")});
    let both = json!(["dev.ucp.shopping.checkout", "dev.ucp.shopping.order"]);
    json!({
        "ucp": {
            "version": "2026-04-08",
            "services": {"dev.ucp.shopping": [{"version": "2026-04-08", "transport": "rest",
                "spec": "https://ucp.dev/2026-04-08/specification/overview",
                "schema": "https://ucp.dev/2026-04-08/services/shopping/rest.openapi.json"}]},
            "capabilities": {
                "dev.ucp.shopping.checkout": [protocol("checkout", "checkout")],
                "dev.ucp.shopping.fulfillment": [fulfillment],
                "dev.ucp.shopping.order": [order],
                "dev.ucp.shopping.catalog.search": [protocol("catalog/search", "catalog_search")],
                "dev.ucp.shopping.catalog.lookup": [protocol("catalog/lookup", "catalog_lookup")],
                "com.example.vestibule.fabrication": [ours("fabrication", both)],
                "com.example.vestibule.order_care": [ours("order_care", "dev.ucp.shopping.order".into())],
                "com.example.vestibule.measured_goods": [ours("measured_goods", json!(["dev.ucp.shopping.checkout",
                    "dev.ucp.shopping.order", "dev.ucp.shopping.catalog.search", "dev.ucp.shopping.catalog.lookup"]))]
            },
            "payment_handlers": {"com.example.vestibule.sandbox_pay": [{"id": "sandbox_1", "version": "2026-11-26",
                "spec": "https://example.com/vestibule/sandbox_pay",
                "schema": "https://example.com/vestibule/sandbox_pay.json",
                "available_instruments": [{"type": "sandbox"}]}]}
        },
        "signing_keys": [key.jwk()]
    })
}

/// A merchant with a folder of its own.
pub struct Merchant {
    pub folder: TempDir,
    pub config: Config,
    running: Option<Running>,
}

pub const SECRET: &str = "only tests know";

impl Merchant {
    pub async fn new(role: Role, speed: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { speed, simulation_secret: Some(SECRET.into()), ..Config::new(role, folder.path()) };
        Self { running: Some(start(config.clone()).await.unwrap()), folder, config }
    }

    pub fn base(&self) -> &str {
        self.running.as_ref().unwrap().url()
    }

    /// Ends, and starts again in the same folder.
    pub async fn restart(&mut self) {
        self.running.take().unwrap().stop().await;
        self.running = Some(start(self.config.clone()).await.unwrap());
    }

    /// Says how it is with an item from now on.
    pub async fn stage(&self, staged: Value) {
        stage(self.base(), staged).await;
    }

    /// It is so much later for the merchant and for this platform.
    pub fn wait(&self, platform: &Platform, millis: u64) {
        self.config.clock.set_ahead(millis);
        platform.clock.set_ahead(millis);
    }

    /// Waits until its database says this.
    pub async fn comes_to(&self, query: &'static str, wanted: i64) {
        let waiting = async {
            while self.number(query).await != wanted {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{query} becomes {wanted}"));
    }

    /// What its database says.
    pub async fn number(&self, query: &'static str) -> i64 {
        number(self.folder.path(), query).await
    }
}

pub async fn stage(base: &str, staged: Value) {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap();
    let request = client.post(format!("{base}/simulation")).header("simulation-secret", SECRET);
    let answer = request.body(staged.to_string()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}

pub async fn number(folder: &std::path::Path, query: &'static str) -> i64 {
    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
    let options = SqliteConnectOptions::new().filename(folder.join("merchant.sqlite")).read_only(true);
    let mut connection = options.busy_timeout(Duration::from_secs(10)).connect().await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

/// Orders whose money is not what they cost with everything that changed since.
pub const WRONG_MONEY: &str = "SELECT count(*) FROM orders JOIN payment ON payment.orders = orders.id WHERE \
    held + captured - refunded <> json_extract(body, '$.total') + \
    (SELECT coalesce(sum(amount), 0) FROM adjustment WHERE adjustment.orders = orders.id)";
