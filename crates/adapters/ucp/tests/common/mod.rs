//! A merchant that does as it is told, and a desk that buys from it.
#![allow(dead_code, unused_imports, reason = "each test program uses its own part")]

mod desk;
#[path = "../../../../ucp/tests/judge/mod.rs"]
mod judge;
mod proxy;
mod tls;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};
use vestibule_adapter_ucp::{Contents, Merchant, Platform, UcpConfig, UcpTrade};
use vestibule_model::{
    CallId, CheckoutId, ContentHash, Currency, DesignHash, Json, LineId, Money, OrderId, PayWith, PurchaseId,
    ServiceId, StepKey, SystemId, Timestamp, TwinId,
};
use vestibule_protocol::{CompleteAsk, Invocation, Persons, Told, TradeAsk, TradeUp};
use vestibule_ucp::{Endpoint, Parts, SigningKey, sign_response, verify_request};

pub use desk::*;
pub use judge::{Judge, Kind};
pub use proxy::{Mode, Proxy};
pub use tls::Authority;

/// What a merchant does instead of answering honestly, once.
#[derive(Clone, Debug)]
pub enum Do {
    /// Does what was asked, and never says so.
    Hang,
    /// Does nothing, and says nothing.
    Ignore,
    /// Answers with this.
    Say(u16, Value),
    /// Answers with this, which is no JSON.
    Text(u16, &'static str, String),
    /// Sends somebody else's way.
    Redirect(String),
    /// Answers honestly, and does not sign.
    Unsigned,
    /// Answers honestly, signed by another under this one's name.
    Forged,
    /// Answers honestly, but for this.
    But(fn(&mut Value)),
    /// Answers honestly, after this.
    First(Act),
}

/// Something that happens.
#[derive(Clone)]
pub struct Act(Arc<dyn Fn() + Send + Sync>);

impl Act {
    pub fn new(act: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(act))
    }
}

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Act")
    }
}

/// What a merchant was asked.
#[derive(Clone, Debug)]
pub struct Seen {
    pub kind: &'static str,
    /// What the protocol has a schema for.
    pub official: Option<Kind>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// Whether it was signed by the platform.
    pub signed: bool,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub struct Shop {
    /// Where it is reached.
    pub base: Mutex<String>,
    pub key: Mutex<SigningKey>,
    pub script: Mutex<BTreeMap<&'static str, VecDeque<Do>>>,
    pub seen: Mutex<Vec<Seen>>,
    pub profile: Mutex<Value>,
    pub checkout: Mutex<Value>,
    pub order: Mutex<Value>,
    /// The key with which each order was placed.
    pub orders: Mutex<Vec<String>>,
    pub signs_all: Mutex<bool>,
    pub at_once: AtomicUsize,
    pub most_at_once: AtomicUsize,
}

/// A running merchant.
pub struct Fake {
    pub shop: Arc<Shop>,
    task: JoinHandle<()>,
}

impl Drop for Fake {
    /// Others judge what it was asked, whatever a test is about.
    fn drop(&mut self) {
        self.task.abort();
        if let Some(judge) = Judge::found().filter(|_| !std::thread::panicking()) {
            judge.all(self.shop.messages()).unwrap();
        }
    }
}

pub fn golden(file: &str) -> Value {
    // The server's tests have this merchant too, from another folder.
    let folders =
        ["../../ucp", "../ucp"].map(|to| format!("{}/{to}/tests/data/ours/{file}", env!("CARGO_MANIFEST_DIR")));
    let bytes = folders.iter().find_map(|path| std::fs::read(path).ok()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

pub fn merchant_key() -> SigningKey {
    SigningKey::from_bytes("workshop-1", &[3; 32]).unwrap()
}

pub fn platform() -> Platform {
    let key = SigningKey::from_bytes("platform-1", &[7; 32]).unwrap();
    Platform::new(&Endpoint::new("http://127.0.0.1:7800").unwrap(), key).unwrap()
}

impl Shop {
    fn new() -> Arc<Self> {
        let shop = Self {
            base: Mutex::default(),
            key: Mutex::new(merchant_key()),
            script: Mutex::default(),
            seen: Mutex::default(),
            profile: Mutex::default(),
            checkout: Mutex::default(),
            order: Mutex::new(golden("order_in_production.json")),
            orders: Mutex::default(),
            signs_all: Mutex::new(false),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        };
        Arc::new(shop)
    }

    /// It is reached at `base` from now on.
    pub fn at(&self, base: &str) {
        *self.base.lock().unwrap() = base.to_owned();
        let here = |file: &str| {
            let text = golden(file).to_string().replace("http://127.0.0.1:7801", base);
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let mut profile = here("profile_business.json");
        profile["signing_keys"] = json!([self.key.lock().unwrap().jwk()]);
        *self.profile.lock().unwrap() = profile;
        *self.checkout.lock().unwrap() = here("checkout_ready.json");
    }

    pub fn next(&self, kind: &'static str, what: Do) {
        self.script.lock().unwrap().entry(kind).or_default().push_back(what);
    }

    pub fn seen(&self, kind: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.kind == kind).cloned().collect()
    }

    /// What was said to it.
    pub fn messages(&self) -> Vec<(Kind, Vec<u8>)> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter_map(|seen| Some((seen.official?, seen.body.clone()))).collect()
    }

    /// What it was asked, in order, but for its profile.
    pub fn asked(&self) -> Vec<&'static str> {
        self.seen.lock().unwrap().iter().map(|seen| seen.kind).filter(|kind| *kind != "profile").collect()
    }

    pub fn placed(&self) -> usize {
        self.orders.lock().unwrap().len()
    }

    pub fn change(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.checkout.lock().unwrap());
    }

    fn honest(&self, seen: &Seen) -> (u16, Value) {
        let mut checkout = self.checkout.lock().unwrap();
        let mut order = self.order.lock().unwrap();
        let not_found = || {
            let message =
                json!({"type": "error", "code": "not_found", "content": "There is none.", "severity": "unrecoverable"});
            (200, json!({"ucp": {"version": "2026-04-08", "status": "error"}, "messages": [message]}))
        };
        match seen.kind {
            "profile" => (200, self.profile.lock().unwrap().clone()),
            "search" | "look_up" => (200, golden("catalog_search.json")),
            "design" => (201, json!({"package": ContentHash::of(&seen.body)})),
            "quote" => {
                let mut quote = golden("fabrication_quote.json");
                quote["package"] = seen.json()["package"].clone();
                (200, quote)
            }
            "create" | "update" => {
                let body = seen.json();
                if checkout["id"] == "gone" {
                    return not_found();
                }
                checkout["buyer"] = body["buyer"].clone();
                if body["fulfillment"].is_object() {
                    checkout["fulfillment"]["methods"][0]["destinations"] =
                        body["fulfillment"]["methods"][0]["destinations"].clone();
                }
                (if seen.kind == "create" { 201 } else { 200 }, checkout.clone())
            }
            "session" if checkout["id"] == "gone" => not_found(),
            "session" => (200, checkout.clone()),
            "pay" => {
                let count = self.seen("pay").len();
                let token = format!("tok_{}_{count}", seen.json()["card"].as_str().unwrap());
                (200, json!({"token": token, "expires_at": now().plus(600_000).to_utc()}))
            }
            "complete" => {
                let key = seen.headers["idempotency-key"].clone();
                let declined = seen.body.windows(20).any(|window| window == b"tok_sandbox-declined");
                if checkout["status"] == "completed" && !self.orders.lock().unwrap().contains(&key) {
                    return (409, json!({"code": "session_completed", "content": "It is completed."}));
                }
                if declined {
                    let mut answer = checkout.clone();
                    answer["messages"] = json!([{"type": "error", "code": "payment_declined", "content": "The card was declined.", "severity": "recoverable"}]);
                    return (200, answer);
                }
                if checkout["status"] != "completed" {
                    self.orders.lock().unwrap().push(key);
                }
                checkout["status"] = json!("completed");
                checkout["order"] = json!({"id": "ord_01", "permalink_url": "https://example.com/orders/ord_01"});
                (200, checkout.clone())
            }
            "cancel_session" if checkout["id"] == "gone" => not_found(),
            "cancel_session" if checkout["status"] == "completed" => {
                (409, json!({"code": "session_completed", "content": "It is completed."}))
            }
            "cancel_session" => {
                checkout["status"] = json!("canceled");
                (200, checkout.clone())
            }
            "order" => (200, order.clone()),
            "cancel_order" => {
                order["line_items"][0]["quantity"]["total"] = json!(0);
                order["line_items"][0]["status"] = json!("removed");
                (200, order.clone())
            }
            _ => (404, json!({"code": "not_found", "content": "no such path"})),
        }
    }
}

fn kind(method: &str, path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", [".well-known", "ucp"]) => "profile",
        ("POST", ["pay", "tokenize"]) => "pay",
        ("POST", ["ucp", "catalog", "search"]) => "search",
        ("POST", ["ucp", "catalog", "lookup"]) => "look_up",
        ("POST", ["ucp", "designs"]) => "design",
        ("POST", ["ucp", "designs", "quote"]) => "quote",
        ("POST", ["ucp", "checkout-sessions"]) => "create",
        ("GET", ["ucp", "checkout-sessions", _]) => "session",
        ("PUT", ["ucp", "checkout-sessions", _]) => "update",
        ("POST", ["ucp", "checkout-sessions", _, "complete"]) => "complete",
        ("POST", ["ucp", "checkout-sessions", _, "cancel"]) => "cancel_session",
        ("GET", ["ucp", "orders", _]) => "order",
        ("POST", ["ucp", "orders", _, "cancel"]) => "cancel_order",
        _ => "unknown",
    }
}

struct Counted(Arc<Shop>);

impl Counted {
    fn new(shop: &Arc<Shop>) -> Self {
        let now = shop.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        shop.most_at_once.fetch_max(now, Ordering::SeqCst);
        Self(shop.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn handle(State(shop): State<Arc<Shop>>, request: Request) -> Response {
    let _counted = Counted::new(&shop);
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 80 << 20).await.unwrap().to_vec();
    let headers: BTreeMap<String, String> =
        head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let lines: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let parts = Parts {
        subject: head.method.as_str().into(),
        authority: &headers["host"],
        secure: shop.base.lock().unwrap().starts_with("https"),
        path: head.uri.path(),
        query: head.uri.query(),
        headers: &lines,
        body: &body,
    };
    let signed = verify_request(&parts, &[SigningKey::from_bytes("platform-1", &[7; 32]).unwrap().jwk()], &[], now());
    let seen = Seen {
        kind: kind(head.method.as_str(), head.uri.path()),
        official: Kind::of_request(head.method.as_str(), head.uri.path()),
        headers: headers.clone(),
        body: body.clone(),
        signed: signed.is_ok(),
    };
    shop.seen.lock().unwrap().push(seen.clone());
    let what = shop.script.lock().unwrap().get_mut(seen.kind).and_then(VecDeque::pop_front);
    let signs = ["complete", "order", "cancel_order"].contains(&seen.kind) || *shop.signs_all.lock().unwrap();
    let key = shop.key.lock().unwrap().clone();
    let key = if matches!(what, Some(Do::Forged)) { SigningKey::from_bytes(key.kid(), &[9; 32]).unwrap() } else { key };
    let (status, answer) = match what {
        Some(Do::Ignore) => return std::future::pending().await,
        Some(Do::Hang) => {
            shop.honest(&seen);
            return std::future::pending().await;
        }
        Some(Do::Text(status, kind, text)) => {
            return Response::builder().status(status).header("content-type", kind).body(text.into()).unwrap();
        }
        Some(Do::Redirect(to)) => {
            return Response::builder().status(307).header("location", to).body(Body::empty()).unwrap();
        }
        Some(Do::Say(status, answer)) => (status, answer),
        Some(Do::Unsigned) => return answered(shop.honest(&seen), None),
        Some(Do::But(change)) => {
            let (status, mut answer) = shop.honest(&seen);
            change(&mut answer);
            (status, answer)
        }
        Some(Do::First(Act(act))) => {
            act();
            shop.honest(&seen)
        }
        Some(Do::Forged) | None => shop.honest(&seen),
    };
    answered((status, answer), signs.then_some(&key))
}

fn answered((status, answer): (u16, Value), key: Option<&SigningKey>) -> Response {
    let body = answer.to_string().into_bytes();
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if let Some(key) = key {
        let signed = sign_response(status, &body, key, now()).unwrap();
        for (name, value) in signed.headers() {
            response = response.header(name, value);
        }
    }
    response.body(body.into()).unwrap()
}

impl Fake {
    /// An honest one, over plain HTTP on this machine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shop = Shop::new();
        shop.at(&format!("http://{}", listener.local_addr().unwrap()));
        let router = Router::new().fallback(handle).with_state(shop.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shop, task }
    }

    /// An honest one, over TLS with a certificate of `authority`.
    pub async fn start_tls(authority: &Authority) -> Self {
        let listener = authority.listen().await;
        let shop = Shop::new();
        shop.at(&format!("https://{}", listener.address()));
        let router = Router::new().fallback(handle).with_state(shop.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shop, task }
    }

    pub fn profile(&self) -> Endpoint {
        Endpoint::new(&format!("{}/.well-known/ucp", self.shop.base.lock().unwrap())).unwrap()
    }
}

/// What has been given to the enabler.
#[derive(Default)]
pub struct Given(pub BTreeMap<ContentHash, Bytes>);

impl Contents for Given {
    fn get(&self, hash: ContentHash) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send + '_>> {
        Box::pin(async move { self.0.get(&hash).cloned() })
    }
}
