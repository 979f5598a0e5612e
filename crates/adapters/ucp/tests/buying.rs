//! Buying: exactly one order, or nothing, and never a wrong word about which.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::time::Duration;

use common::{Act, Desk, Do, Fake, Mode, Proxy, Setup, complete_ask, golden, shop};
use serde_json::{Value, json};
use vestibule_adapter_ucp::Busy;
use vestibule_model::{CheckoutId, Money, OrderId, PayWith, PurchaseId};
use vestibule_protocol::{Told, TradeAsk};
use vestibule_ucp::uuid;

fn placed(total: i64) -> Told {
    Told::Placed { order: OrderId::new("ord_01").unwrap(), total: Money::new(total, "EUR".parse().unwrap()) }
}

fn is_unknown(told: &Told) -> bool {
    matches!(told, Told::Unknown { .. })
}

/// Long enough for every honest answer, and short enough to wait for one that never comes.
const SHORT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn what_was_confirmed_is_ordered_once_however_often_it_is_asked() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    assert_eq!(desk.complete().await, placed(3380));
    assert_eq!(fake.shop.asked(), ["session", "pay", "complete"]);
    assert!(fake.shop.seen.lock().unwrap().iter().all(|seen| seen.signed || seen.kind == "profile"));
    let sent = fake.shop.seen("complete").remove(0);
    assert_eq!(sent.headers["idempotency-key"], uuid([1; 16]));
    assert_eq!(sent.headers["ucp-agent"], r#"profile="http://127.0.0.1:7800/.well-known/ucp""#);
    let body = sent.json();
    assert_eq!(
        body["com.example.vestibule.confirmed"],
        golden("checkout_complete_request.json")["com.example.vestibule.confirmed"]
    );
    assert_eq!(body["payment"]["instruments"][0]["credential"]["token"], "tok_sandbox-ok_1");
    assert!(body.get("buyer").is_none() && body.get("line_items").is_none());
    // Once more: the session says that it is ordered, and nothing is sent that orders.
    assert_eq!(desk.complete().await, placed(3380));
    assert_eq!(fake.shop.asked(), ["session", "pay", "complete", "session"]);
    assert_eq!(fake.shop.placed(), 1);
    // The profile was asked for once.
    assert_eq!(fake.shop.seen("profile").len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_doubt_and_asking_again_finds_the_order() {
    for what in [
        Do::Hang,
        Do::Forged,
        Do::Say(500, json!({"code": "broken", "content": "it broke"})),
        Do::Say(503, json!({})),
        Do::Say(429, json!({"code": "rate_limited", "content": "slowly"})),
        Do::Say(200, json!({"nothing": "of the kind"})),
        Do::Text(200, "application/json", "{\"id\": \"chk_01\"".to_owned()),
        Do::Text(200, "text/html", "<h1>It works!</h1>".to_owned()),
        Do::Text(200, "application/json", format!("{{\"x\": \"{}\"}}", "x".repeat(300 * 1024))),
        Do::Redirect("http://127.0.0.1:1/".to_owned()),
        Do::But(|answer| answer["id"] = json!("chk_02")),
        Do::But(|answer| answer["status"] = json!("complete_in_progress")),
        Do::But(|answer| answer["status"] = json!("shipped_to_the_moon")),
        Do::But(|answer| answer["order"] = Value::Null),
        Do::But(|answer| answer["order"]["id"] = json!("no visible name")),
        Do::Say(409, json!({"code": "idempotency_in_progress", "content": "a moment"})),
        Do::Say(401, json!({"code": "key_not_found", "content": "who are you?"})),
        Do::Say(424, json!({"code": "profile_unreachable", "content": "you are away"})),
        Do::Say(422, json!({"code": "profile_malformed", "content": "you are none"})),
    ] {
        let fake = Fake::start().await;
        let usual = Setup::of(&fake);
        let patience = if matches!(what, Do::Hang) { SHORT } else { usual.patience };
        let mut desk = Setup { patience, ..usual }.open();
        fake.shop.next("complete", what.clone());
        let told = desk.complete().await;
        assert!(is_unknown(&told), "{what:?}: {told:?}");
        assert_eq!(desk.complete().await, placed(3380), "{what:?}");
        assert_eq!(fake.shop.placed(), 1, "{what:?}");
        let keys: Vec<String> =
            fake.shop.seen("complete").iter().map(|seen| seen.headers["idempotency-key"].clone()).collect();
        assert!(keys.iter().all(|key| *key == uuid([1; 16])), "{what:?}: {keys:?}");
        let bodies: Vec<Vec<u8>> = fake.shop.seen("complete").into_iter().map(|seen| seen.body).collect();
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "the same key is the same request");
    }
}

#[tokio::test]
async fn nothing_is_known_of_whoever_never_answers() {
    let fake = Fake::start().await;
    let mut desk = Setup { patience: SHORT, ..Setup::of(&fake) }.open();
    for kind in ["session", "pay", "complete"] {
        fake.shop.next(kind, Do::Ignore);
        let told = desk.complete().await;
        assert!(is_unknown(&told), "{kind}: {told:?}");
        assert_eq!(fake.shop.placed(), 0);
    }
    drop(fake);
    assert!(is_unknown(&desk.complete().await));
}

#[tokio::test]
async fn a_network_that_breaks_after_the_last_byte_hides_no_order() {
    let fake = Fake::start().await;
    let proxy = Proxy::start(fake.profile().authority().parse().unwrap()).await;
    fake.shop.at(&format!("http://{}", proxy.address));
    let mut desk = Desk::new(&fake);
    // The order has arrived whole, and is placed. Nothing of the answer comes back.
    fake.shop.next("complete", Do::First(Act::new(proxy.setter(Mode::Cut))));
    let told = desk.complete().await;
    assert!(is_unknown(&told), "{told:?}");
    assert_eq!(fake.shop.placed(), 1);
    assert!(is_unknown(&desk.complete().await));
    assert_eq!(fake.shop.asked(), ["session", "pay", "complete", "session"], "without the session nothing is ordered");
    proxy.set(Mode::Pass);
    assert_eq!(desk.complete().await, placed(3380));
    assert_eq!(fake.shop.placed(), 1);
}

#[tokio::test]
async fn a_shop_that_answers_twice_is_heard_once() {
    let fake = Fake::start().await;
    let proxy = Proxy::start(fake.profile().authority().parse().unwrap()).await;
    fake.shop.at(&format!("http://{}", proxy.address));
    proxy.set(Mode::Twice);
    let mut desk = Desk::new(&fake);
    // What came too often spoils the connection, never the answer to the next question.
    assert_eq!(desk.complete().await, placed(3380));
    assert_eq!(desk.session().await, placed(3380));
    assert!(matches!(desk.look().await, Told::Order(_)));
    assert_eq!(fake.shop.placed(), 1);
}

#[tokio::test]
async fn another_total_before_is_not_sent() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 6] = [
        (
            |checkout| {
                checkout["totals"][1]["amount"] = json!(491);
                checkout["totals"][3]["amount"] = json!(3381);
            },
            "33.81 EUR",
        ),
        (|checkout| checkout["currency"] = json!("USD"), "33.80 USD"),
        (|checkout| checkout["totals"][1]["amount"] = json!(489), "add up"),
        (
            |checkout| {
                checkout["line_items"][0]["com.example.vestibule.fabrication"]["design"] = json!("00".repeat(32))
            },
            "another design",
        ),
        (|checkout| checkout["line_items"][0]["id"] = json!("li_2"), "another design"),
        (
            |checkout| {
                checkout["messages"] = json!([{"type": "error", "code": "out_of_stock", "content": "Sold out.", "severity": "recoverable"}]);
            },
            "has an error",
        ),
    ];
    for (change, words) in changes {
        let fake = Fake::start().await;
        fake.shop.change(change);
        match Desk::new(&fake).complete().await {
            Told::Differs { what } => assert!(what.contains(words), "{what}"),
            other => panic!("{words}: {other:?}"),
        }
        assert_eq!(fake.shop.asked(), ["session"]);
    }
}

#[tokio::test]
async fn another_total_after_is_told_as_it_is() {
    let fake = Fake::start().await;
    fake.shop.next(
        "complete",
        Do::But(|answer| {
            answer["totals"][1]["amount"] = json!(510);
            answer["totals"][3]["amount"] = json!(3400);
        }),
    );
    assert_eq!(Desk::new(&fake).complete().await, placed(3400));
}

#[tokio::test]
async fn a_no_is_a_no_only_where_it_is_definite() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    let mut ask = complete_ask();
    ask.pay.instrument = "sandbox-declined".into();
    let told = desk.ask(TradeAsk::Complete(Box::new(ask.clone()))).await;
    assert_eq!(told, Told::NotReady { messages: vec!["The card was declined.".to_owned()] });
    ask.pay = PayWith { handler: "card_1".into(), instrument: "card".into() };
    assert!(matches!(desk.ask(TradeAsk::Complete(Box::new(ask))).await, Told::Refused { .. }));

    let refused = |code: &str| Told::Refused { code: code.to_owned(), reason: "There is no basil left.".to_owned() };
    fake.shop.next("complete", Do::Say(200, golden("checkout_error.json")));
    assert_eq!(desk.complete().await, refused("out_of_stock"));
    fake.shop.next("complete", Do::Say(400, json!({"code": "invalid_request", "content": "There is no basil left."})));
    assert_eq!(desk.complete().await, refused("invalid_request"));
    // Somebody else's request had this key: nothing of it is known here, and the session goes on.
    fake.shop.next("complete", Do::Say(409, json!({"code": "idempotency_conflict", "content": "another body"})));
    assert!(is_unknown(&desk.complete().await));
    assert_eq!(fake.shop.placed(), 0);
    // The session was completed under another key in between: it is one session, so it is one order.
    fake.shop.next("session", Do::But(|_| {}));
    fake.shop.orders.lock().unwrap().push("another".to_owned());
    fake.shop.change(|checkout| {
        checkout["order"] = json!({"id": "ord_01", "permalink_url": "https://example.com/orders/ord_01"});
    });
    fake.shop.next("complete", Do::Say(409, json!({"code": "session_completed", "content": "It is completed."})));
    fake.shop.next("session", Do::But(|answer| answer["status"] = json!("completed")));
    assert_eq!(desk.complete().await, placed(3380));

    fake.shop.change(|checkout| {
        checkout["status"] = json!("incomplete");
        checkout["messages"] =
            json!([{"type": "error", "code": "missing", "content": "Where to?", "severity": "recoverable"}]);
    });
    assert_eq!(desk.complete().await, Told::NotReady { messages: vec!["Where to?".to_owned()] });
}

/// A session in which somebody is to say yes on another page.
fn escalated() -> Value {
    let mut checkout = golden("checkout_ready.json");
    checkout["status"] = json!("requires_escalation");
    checkout["messages"] = json!([{"type": "error", "code": "requires_3ds", "content": "Your bank asks you.",
        "severity": "requires_buyer_input"}]);
    checkout
}

#[tokio::test]
async fn what_a_page_could_still_order_is_ended_before_it_is_said_not_to_be() {
    let gone = Told::Gone { code: "canceled".to_owned(), reason: "Your bank asks you.".to_owned() };
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    fake.shop.next("complete", Do::Say(200, escalated()));
    assert_eq!(desk.complete().await, gone);
    assert_eq!(fake.shop.asked(), ["session", "pay", "complete", "cancel_session"]);
    assert!(matches!(desk.session().await, Told::Gone { .. }), "a yes comes too late");

    // It waits for a yes before anything was paid.
    let fake = Fake::start().await;
    fake.shop.next("session", Do::Say(200, escalated()));
    assert_eq!(Desk::new(&fake).complete().await, gone);
    assert_eq!(fake.shop.asked(), ["session", "cancel_session"]);

    // Somebody said yes before it could be ended: it is ordered.
    let fake = Fake::start().await;
    let shop = fake.shop.clone();
    let says_yes = move || {
        shop.change(|checkout| {
            checkout["status"] = json!("completed");
            checkout["order"] = json!({"id": "ord_01", "permalink_url": "https://example.com/orders/ord_01"});
        });
    };
    fake.shop.next("complete", Do::Say(200, escalated()));
    fake.shop.next("cancel_session", Do::First(Act::new(says_yes)));
    assert_eq!(Desk::new(&fake).complete().await, placed(3380));

    // Nobody knows whether it was ended.
    let fake = Fake::start().await;
    fake.shop.next("complete", Do::Say(200, escalated()));
    fake.shop.next("cancel_session", Do::Say(500, json!({})));
    let mut desk = Desk::new(&fake);
    assert!(is_unknown(&desk.complete().await));
    assert_eq!(fake.shop.placed(), 0);
}

#[tokio::test]
async fn what_became_of_a_session_is_told() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    assert_eq!(desk.session().await, Told::Open);
    fake.shop.next("session", Do::Say(404, json!({})));
    assert!(is_unknown(&desk.session().await));
    fake.shop.next("session", Do::But(|answer| answer["status"] = json!("complete_in_progress")));
    assert!(is_unknown(&desk.session().await));
    let cancel = TradeAsk::CancelSession {
        purchase: PurchaseId([1; 16]),
        system: shop(),
        checkout: CheckoutId::new("chk_01").unwrap(),
    };
    let gone = desk.ask(cancel.clone()).await;
    assert!(matches!(&gone, Told::Gone { code, .. } if code == "canceled"), "{gone:?}");
    assert_eq!(desk.session().await, gone);
    assert_eq!(desk.complete().await, gone);
    assert_eq!(fake.shop.seen("complete").len(), 0);
    fake.shop.change(|checkout| checkout["status"] = json!("ready_for_complete"));
    assert_eq!(desk.complete().await, placed(3380));
    assert_eq!(desk.ask(cancel.clone()).await, placed(3380), "what is ordered is no checkout any more");
    fake.shop.change(|checkout| checkout["id"] = json!("gone"));
    for told in [desk.session().await, desk.complete().await, desk.ask(cancel).await] {
        assert!(matches!(&told, Told::Gone { code, .. } if code == "session_expired"), "{told:?}");
    }
}

#[tokio::test]
async fn orders_are_looked_at_and_canceled() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    let Told::Order(view) = desk.look().await else { panic!("an order") };
    assert!(view.cancellable && !serde_json::to_string(&view).unwrap().contains("Example Street"));
    fake.shop.next("order", Do::But(|order| order["id"] = json!("ord_02")));
    assert!(is_unknown(&desk.look().await));
    let cancel =
        TradeAsk::Cancel { purchase: PurchaseId([1; 16]), system: shop(), order: OrderId::new("ord_01").unwrap() };
    let mut no = golden("checkout_error.json");
    no["messages"][0]["code"] = json!("not_cancellable");
    no["messages"][0]["content"] = json!("It is being made.");
    fake.shop.next("cancel_order", Do::Say(200, no));
    assert_eq!(desk.ask(cancel.clone()).await, Told::CannotCancel { reason: "It is being made.".to_owned() });
    fake.shop.next("cancel_order", Do::Say(500, json!({})));
    assert!(is_unknown(&desk.ask(cancel.clone()).await));
    let canceled = desk.ask(cancel.clone()).await;
    assert!(matches!(&canceled, Told::Canceled { view: Some(view) } if view.is_removed()), "{canceled:?}");
    let keys: Vec<String> =
        fake.shop.seen("cancel_order").iter().map(|seen| seen.headers["idempotency-key"].clone()).collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");

    let plain = Fake::start().await;
    plain.shop.profile.lock().unwrap()["ucp"]["capabilities"]
        .as_object_mut()
        .unwrap()
        .remove("com.example.vestibule.order_care");
    assert!(matches!(Desk::new(&plain).ask(cancel).await, Told::CannotCancel { .. }));
    assert_eq!(plain.shop.asked(), [""; 0]);
}

#[tokio::test]
async fn a_merchant_is_asked_a_few_things_at_once_and_the_rest_waits() {
    let fake = Fake::start().await;
    let mut desk = Setup { patience: SHORT, ..Setup::of(&fake) }.open();
    assert_eq!(desk.session().await, Told::Open);
    let look = |n: u8| TradeAsk::Look {
        purchase: PurchaseId([n; 16]),
        system: shop(),
        order: OrderId::new("ord_01").unwrap(),
    };
    (0..4).for_each(|_| fake.shop.next("order", Do::Ignore));
    let mut taken = 0;
    let full = loop {
        match desk.trade.ask(look(taken)) {
            Ok(()) => taken += 1,
            Err(busy) => break busy,
        }
    };
    assert_eq!((full, taken), (Busy::Full, 64));
    let mut unknown = 0;
    for _ in 0..taken {
        let vestibule_protocol::TradeUp::Told { told, .. } = desk.up().await else { panic!("about a purchase") };
        unknown += usize::from(is_unknown(&told));
    }
    assert_eq!(unknown, 4, "those that were not answered");
    assert_eq!(fake.shop.most_at_once.load(std::sync::atomic::Ordering::SeqCst), 4);
    let other = TradeAsk::Session {
        purchase: PurchaseId([1; 16]),
        system: vestibule_model::SystemId::slug("other"),
        checkout: CheckoutId::new("c").unwrap(),
    };
    assert_eq!(desk.trade.ask(other), Err(Busy::NotBound));
}
