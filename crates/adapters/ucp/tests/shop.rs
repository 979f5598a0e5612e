//! A real shop of ours, in its own process' words: found, bought, told of, canceled.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    routing::{get, post},
};
use common::{Given, golden, invocation, invoke, now, shop};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use vestibule_adapter_ucp::{Merchant, PROFILE_PATH, Platform, UcpConfig, UcpTrade, WEBHOOK_PATH};
use vestibule_commerce::{Config, Role, start};
use vestibule_model::{CallId, CheckoutId, ContentHash, Json, Money, OrderId, OrderView, PayWith, PurchaseId};
use vestibule_protocol::{CallResult, CompleteAsk, Persons, Told, TradeAsk, TradeUp};
use vestibule_ucp::{Endpoint, Parts, SigningKey};

type Open = Arc<OnceLock<UcpTrade>>;

/// A platform that merchants reach.
struct Buyer {
    trade: Open,
    told: mpsc::Receiver<TradeUp>,
    calls: u8,
}

async fn profile(State(open): State<Open>) -> ([(&'static str, &'static str); 1], Vec<u8>) {
    ([("content-type", "application/json")], open.get().unwrap().platform().body().to_vec())
}

async fn webhook(State(open): State<Open>, request: Request) -> StatusCode {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 256 * 1024).await.unwrap();
    let headers: Vec<(&str, &str)> =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let parts = Parts {
        subject: "POST".into(),
        authority: head.headers["host"].to_str().unwrap(),
        path: head.uri.path(),
        headers: &headers,
        body: &body,
        ..Parts::default()
    };
    match open.get().unwrap().webhook(&parts, now()).await {
        Ok(_) => StatusCode::OK,
        Err(trouble) => StatusCode::from_u16(trouble.status()).unwrap(),
    }
}

impl Buyer {
    async fn of(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Endpoint::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let key = SigningKey::from_bytes("platform-1", &[7; 32]).unwrap();
        let platform = Platform::new(&base, key).unwrap();
        let bound = Merchant { system: shop(), profile: Endpoint::new(&format!("{url}/.well-known/ucp")).unwrap() };
        let (up, told) = mpsc::channel(256);
        let patience = Duration::from_secs(30);
        let config = UcpConfig { merchants: vec![bound], platform, roots: Vec::new(), pins: None, patience };
        let trade: Open = Arc::default();
        let _ = trade.set(UcpTrade::spawn(config, Arc::new(Given::default()), up).unwrap());
        let router = Router::new().route(PROFILE_PATH, get(profile)).route(WEBHOOK_PATH, post(webhook));
        let router = router.with_state(trade.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { trade, told, calls: 0 }
    }

    async fn until<T>(&mut self, fits: impl Fn(&TradeUp) -> Option<T>) -> T {
        let wait = async {
            loop {
                let said = self.told.recv().await.unwrap();
                if let Some(found) = fits(&said) {
                    return found;
                }
            }
        };
        timeout(Duration::from_secs(60), wait).await.expect("an answer")
    }

    async fn call(&mut self, service: &str, input: Value, persons: &Persons) -> Value {
        self.calls += 1;
        let call = CallId([self.calls; 16]);
        let asked = vestibule_protocol::Invocation { call, ..invocation(service, input) };
        self.trade.get().unwrap().ask(invoke(asked, persons.clone())).unwrap();
        let result = self.until(|said| match said {
            TradeUp::Result { result, call: of, .. } if *of == call => Some(result.clone()),
            _ => None,
        });
        match result.await {
            CallResult::Done(answer) => answer.check().unwrap().value(),
            CallResult::Failed { reason } => panic!("{service}: {reason}"),
        }
    }

    async fn ask(&mut self, ask: TradeAsk) -> Told {
        self.trade.get().unwrap().ask(ask).unwrap();
        self.until(|said| match said {
            TradeUp::Told { told, .. } => Some(told.clone()),
            _ => None,
        })
        .await
    }

    /// A session that is ready, as the user sees it.
    async fn ready(&mut self, item: &str) -> Value {
        let person = json!({
            "salt": "5a".repeat(32),
            "buyer": {"first_name": "Ada", "last_name": "Owner", "email": "ada@example.com"},
            "destination": golden("checkout_ready.json")["fulfillment"]["methods"][0]["destinations"][0],
        });
        let person = Json::of(&person).unwrap();
        let hash = ContentHash::of(person.as_str().as_bytes());
        let persons = Persons([(hash, person)].into());
        let mut cart = json!({
            "line_items": [{"item": {"id": item}, "quantity": 1}],
            "buyer": {"$person": hash, "at": "/buyer"},
            "fulfillment": {"methods": [{
                "type": "shipping",
                "destinations": [{"$person": hash, "at": "/destination"}],
                "selected_destination_id": "dest_1",
            }]},
        });
        let opened = self.call("checkout", cart.clone(), &persons).await;
        cart["id"] = opened["id"].clone();
        let group = &opened["fulfillment"]["methods"][0]["groups"][0];
        cart["fulfillment"]["methods"][0]["groups"] =
            json!([{"id": group["id"], "selected_option_id": group["options"][0]["id"]}]);
        let ready = self.call("checkout", cart, &persons).await;
        assert_eq!(ready["status"], "ready_for_complete", "{ready}");
        assert!(!ready.to_string().contains("Example Street") && !ready.to_string().contains("ada@"), "{ready}");
        ready
    }
}

fn complete(purchase: u8, session: &Value, card: &str) -> CompleteAsk {
    let totals = session["totals"].as_array().unwrap();
    let total = totals.iter().find(|entry| entry["type"] == "total").unwrap()["amount"].as_i64().unwrap();
    let total = Money::new(total, session["currency"].as_str().unwrap().parse().unwrap());
    CompleteAsk {
        purchase: PurchaseId([purchase; 16]),
        system: shop(),
        checkout: CheckoutId::new(session["id"].as_str().unwrap()).unwrap(),
        total,
        most: total,
        pay: PayWith { handler: "sandbox_1".into(), instrument: card.into() },
        designs: Default::default(),
        attempt: 1,
    }
}

fn placed(told: Told) -> OrderId {
    match told {
        Told::Placed { order, .. } => order,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_good_of_the_catalogue_is_found_bought_and_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let merchant = start(Config { speed: 50_000, ..Config::new(Role::Shop, folder.path()) }).await.unwrap();
    let mut buyer = Buyer::of(merchant.url()).await;
    let found = buyer.call("search", json!({"query": "lamp"}), &Persons::default()).await;
    assert!(found.to_string().contains("desk_lamp_white"), "{found}");
    let known = buyer.call("look_up", json!({"ids": ["desk_lamp_white"]}), &Persons::default()).await;
    assert!(known.to_string().contains("Desk lamp"), "{known}");

    let session = buyer.ready("desk_lamp_white").await;
    let ask = complete(1, &session, "sandbox");
    let order = placed(buyer.ask(TradeAsk::Complete(Box::new(ask.clone()))).await);
    // However often it is asked, it is one order.
    assert_eq!(placed(buyer.ask(TradeAsk::Complete(Box::new(ask.clone()))).await), order);
    let looked = |told: Told| match told {
        Told::Order(view) => view,
        other => panic!("{other:?}"),
    };
    let look = TradeAsk::Look { purchase: ask.purchase, system: shop(), order: order.clone() };
    let first: Box<OrderView> = looked(buyer.ask(look.clone()).await);
    assert_eq!(first.total, ask.total);
    // Its merchant tells by itself that it came.
    let told = buyer.until(|said| match said {
        TradeUp::Pushed { order: of, checkout, view, .. } if *of == order && *checkout == ask.checkout => {
            view.is_fulfilled().then(|| view.clone())
        }
        _ => None,
    });
    assert!(told.await.mark.events > first.mark.events);
    assert!(looked(buyer.ask(look).await).is_fulfilled());
    merchant.stop().await;
}

#[tokio::test]
async fn what_is_not_bought_is_not_and_what_is_canceled_is_paid_back() {
    let folder = tempfile::tempdir().unwrap();
    let merchant = start(Config::new(Role::Shop, folder.path())).await.unwrap();
    let mut buyer = Buyer::of(merchant.url()).await;
    let session = buyer.ready("desk_lamp_white").await;
    // Not for another price, not with a card that is declined.
    let mut dear = complete(1, &session, "sandbox");
    dear.total = dear.total.plus(Money::new(1, dear.total.currency)).unwrap();
    assert!(matches!(buyer.ask(TradeAsk::Complete(Box::new(dear))).await, Told::Differs { .. }));
    let declined = TradeAsk::Complete(Box::new(complete(2, &session, "sandbox-declined")));
    let told = buyer.ask(declined).await;
    assert!(matches!(told, Told::NotReady { .. } | Told::Refused { .. }), "{told:?}");
    let checkout = CheckoutId::new(session["id"].as_str().unwrap()).unwrap();
    let about = |purchase| (PurchaseId([purchase; 16]), shop(), checkout.clone());
    let (purchase, system, checkout) = about(2);
    assert_eq!(buyer.ask(TradeAsk::Session { purchase, system, checkout }).await, Told::Open);

    let session = buyer.ready("desk_lamp_white").await;
    let ask = complete(3, &session, "sandbox");
    let order = placed(buyer.ask(TradeAsk::Complete(Box::new(ask.clone()))).await);
    let cancel = TradeAsk::Cancel { purchase: ask.purchase, system: shop(), order };
    match buyer.ask(cancel.clone()).await {
        Told::Canceled { view: Some(view) } => assert_eq!(view.refunded.amount, ask.total.amount),
        other => panic!("{other:?}"),
    }
    assert!(matches!(buyer.ask(cancel).await, Told::Canceled { .. }), "asked again, it is the same");
    merchant.stop().await;
}
