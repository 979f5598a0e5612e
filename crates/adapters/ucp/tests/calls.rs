//! SDC's conversion: what worlds call is what merchants understand, and nothing personal stays on the way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Desk, Do, Fake, Given, Judge, Kind, Setup, golden, invocation, invoke, now, platform, shop};
use serde_json::{Value, json};
use vestibule_model::{CallId, ContentHash, Json, TwinId};
use vestibule_protocol::{CallResult, Persons, TradeAsk, TradeUp};

fn done(result: CallResult) -> Value {
    match result {
        CallResult::Done(answer) => answer.check().unwrap().value(),
        CallResult::Failed { reason } => panic!("{reason}"),
    }
}

fn why(result: CallResult) -> String {
    match result {
        CallResult::Failed { reason } => reason,
        CallResult::Done(answer) => panic!("{answer:?}"),
    }
}

fn person() -> (ContentHash, Persons) {
    let document = json!({
        "salt": "5a17",
        "buyer": {"first_name": "Ada", "last_name": "Owner", "email": "ada@example.com"},
        "destination": {"street_address": "11 Example Street", "address_locality": "Sample Town", "postal_code": "12345", "address_country": "DE"},
    });
    let document = Json::of(&document).unwrap();
    let hash = ContentHash::of(document.as_str().as_bytes());
    (hash, Persons([(hash, document)].into()))
}

#[tokio::test]
async fn goods_are_found() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    let found = done(
        desk.call("search", json!({"query": "milk", "context": {"intent": "a surprise", "language": "en"}})).await,
    );
    assert_eq!(found["products"][0]["variants"][0]["id"], "milk_1l");
    let sent = fake.shop.seen("search").remove(0);
    assert_eq!(sent.json(), json!({"query": "milk", "context": {"language": "en"}}), "why somebody looks is theirs");
    assert!(sent.signed && !sent.headers.contains_key("idempotency-key"));
    assert_eq!(sent.headers["request-id"], "05050505-0505-0505-0505-050505050505");
    done(desk.call("look_up", json!({"ids": ["milk_1l"]})).await);
    for (service, input) in [
        ("search", json!([])),
        ("search", json!({"pagination": {"limit": 0}})),
        ("look_up", json!({"ids": []})),
        ("rob", json!({})),
    ] {
        why(desk.call(service, input).await);
    }
    fake.shop.next("search", Do::Say(200, golden("checkout_error.json")));
    assert_eq!(why(desk.call("search", json!({})).await), "There is no basil left. (out_of_stock)");
    fake.shop.next("search", Do::Say(500, json!({})));
    assert!(why(desk.call("search", json!({})).await).contains("500"));
    assert_eq!(fake.shop.asked().len(), 4, "what is no question is not asked");
}

#[tokio::test]
async fn a_package_is_handed_over_before_it_is_quoted_and_only_once() {
    let fake = Fake::start().await;
    let package = Bytes::from(vec![7; 3 << 20]);
    let hash = ContentHash::of(&package);
    let given = Given([(hash, package.clone())].into());
    let mut desk = Setup { given, ..Setup::of(&fake) }.open();
    let mut input = golden("fabrication_quote_request.json");
    input["package"] = json!(hash);
    assert_eq!(done(desk.call("quote", input.clone()).await)["item"]["id"], "made_7f3c");
    assert_eq!(fake.shop.asked(), ["design", "quote"]);
    let sent = fake.shop.seen("design").remove(0);
    assert!(sent.signed && sent.body == package && sent.headers["content-type"] == "model/3mf");
    done(desk.call("quote", input.clone()).await);
    assert_eq!(fake.shop.asked(), ["design", "quote", "quote"]);
    // It has lost the package in between.
    fake.shop.next("quote", Do::Say(404, json!({"code": "not_found", "content": "no such package"})));
    done(desk.call("quote", input.clone()).await);
    assert_eq!(fake.shop.asked()[3..], ["quote", "design", "quote"]);
    for change in [
        |quote: &mut Value| quote["design"] = json!("00".repeat(32)),
        |quote: &mut Value| quote["package"] = json!("00".repeat(32)),
    ] {
        fake.shop.next("quote", Do::But(change));
        assert!(why(desk.call("quote", input.clone()).await).contains("another design"));
    }
    // Something else was kept than was given.
    let other = Fake::start().await;
    other.shop.next("design", Do::Say(201, json!({"package": ContentHash([1; 32])})));
    let given = Given([(hash, package)].into());
    let mut desk = Setup { given, ..Setup::of(&other) }.open();
    assert!(why(desk.call("quote", input.clone()).await).contains("another package"));
    input["package"] = json!(ContentHash([9; 32]));
    assert!(why(desk.call("quote", input).await).contains("nobody has given"));
}

#[tokio::test]
async fn twins_that_are_shared_are_named_to_who_may_ask_for_them() {
    let fake = Fake::start().await;
    let package = Bytes::from_static(b"3mf");
    let mut input = golden("fabrication_quote_request.json");
    input["package"] = json!(ContentHash::of(&package));
    let mut desk = Setup { given: Given([(ContentHash::of(&package), package)].into()), ..Setup::of(&fake) }.open();
    let twins = [TwinId::new("home/lounge_room").unwrap()].into();
    let invocation = Box::new(invocation("quote", input.clone()));
    desk.trade.ask(TradeAsk::Invoke { system: shop(), invocation, twins, persons: Persons::default() }).unwrap();
    assert!(matches!(desk.up().await, TradeUp::Result { .. }));
    done(desk.call("quote", input).await);
    let sent: Vec<Value> = fake.shop.seen("quote").iter().map(|seen| seen.json()).collect();
    let delegation = "com.example.vestibule.delegation";
    assert_eq!(sent[0][delegation], json!({"user": "u-1", "call": CallId([5; 16]), "twins": ["home/lounge_room"]}));
    assert!(sent[1].get(delegation).is_none(), "where nothing is shared, nobody is named");
}

#[tokio::test]
async fn who_buys_and_where_it_goes_is_known_to_the_merchant_alone() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    let (hash, persons) = person();
    let mut input = golden("checkout_create_request.json");
    input.as_object_mut().unwrap().retain(|name, _| name == "line_items");
    let begun = done(desk.call("checkout", input.clone()).await);
    assert_eq!(begun["id"], "chk_01");
    assert!(!begun.to_string().contains("Example Street") && begun.get("buyer").is_none(), "{begun}");

    input["id"] = json!("chk_01");
    input["line_items"][0]["id"] = json!("li_1");
    input["buyer"] = json!({"$person": hash, "at": "/buyer"});
    input["fulfillment"] = json!({"methods": [{
        "type": "shipping",
        "destinations": [{"id": "dest_1", "$person": hash, "at": "/destination"}],
        "selected_destination_id": "dest_1",
    }]});
    fake.shop.next(
        "update",
        Do::But(|answer| {
            answer["messages"] = json!([{"type": "info", "content": "We bring it to 11 Example Street, Sample Town."}]);
        }),
    );
    let changed = done(desk.invoke(invocation("checkout", input.clone()), persons.clone()).await);
    let sent = fake.shop.seen("update").remove(0).json();
    assert_eq!(sent["buyer"]["email"], "ada@example.com");
    assert_eq!(sent["fulfillment"]["methods"][0]["destinations"][0]["street_address"], "11 Example Street");
    assert!(!sent.to_string().contains("5a17") && !sent.to_string().contains("$person"), "{sent}");
    assert!(sent.get("id").is_none(), "which session it is says the path");
    assert_eq!(
        sent["fulfillment"]["methods"][0]["line_item_ids"],
        json!(["li_1"]),
        "an update says which lines go that way"
    );
    assert!(fake.shop.seen("create")[0].json().get("fulfillment").is_none());
    assert_eq!(changed["fulfillment"]["methods"][0]["destinations"], json!([{"id": "dest_1"}]));
    assert_eq!(changed["totals"][3]["amount"], 3380);
    for word in ["Ada", "ada@example.com", "Example Street", "Sample Town", "12345"] {
        assert!(!changed.to_string().contains(word), "{word}: {changed}");
    }
    let looked = done(desk.call("look_checkout", json!({"id": "chk_01"})).await);
    assert!(!looked.to_string().contains("Example Street"), "{looked}");
    // Nor where it is only said in words: who buys is referred to there, too.
    for (service, kind) in [("look_checkout", "session"), ("cancel_checkout", "cancel_session")] {
        let says = |answer: &mut Value| {
            answer["messages"] = json!([{"type": "info", "content": "We bring it to 11 Example Street, Sample Town."}]);
        };
        fake.shop.next(kind, Do::But(says));
        let session = json!({"id": "chk_01", "buyer": {"$person": hash, "at": "/buyer"}});
        let said = done(desk.invoke(invocation(service, session), persons.clone()).await);
        let said = said.to_string();
        assert!(said.contains("We bring it to …") && !said.contains("Example Street"), "{said}");
    }

    // A document of somebody else is not among those that came with the call.
    assert!(
        why(desk.invoke(invocation("checkout", input.clone()), Persons::default()).await).contains("no such document")
    );
    input["buyer"] = json!({"email": "ada@example.com"});
    assert!(why(desk.invoke(invocation("checkout", input), persons).await).contains("in clear"));
    assert_eq!(fake.shop.seen("update").len(), 1);
}

/// Each merchant of these tests has what it was asked judged in passing, whatever a test is about; here is what makes sure
/// that no kind is left out. Taking a session or an order back has no body in the protocol's schemas.
#[tokio::test]
async fn every_kind_of_message_that_merchants_get_passes_the_protocols_judge() {
    let judge = Judge::here();
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    done(desk.call("search", json!({"query": "lamp", "pagination": {"limit": 5}})).await);
    done(desk.call("look_up", json!({"ids": ["lamp"]})).await);
    let (hash, persons) = person();
    let mut input = json!({
        "line_items": golden("checkout_create_request.json")["line_items"],
        "buyer": {"$person": hash, "at": "/buyer"},
        "fulfillment": {"methods": [{
            "type": "shipping",
            "destinations": [{"id": "dest_1", "$person": hash, "at": "/destination"}],
            "selected_destination_id": "dest_1",
        }]},
    });
    done(desk.invoke(invocation("checkout", input.clone()), persons.clone()).await);
    input["id"] = json!("chk_01");
    input["fulfillment"]["methods"][0]["groups"] = json!([{"id": "pkg_1", "selected_option_id": "standard"}]);
    done(desk.invoke(invocation("checkout", input), persons).await);
    desk.complete().await;
    let mut messages = fake.shop.messages();
    messages.push((Kind::PlatformProfile, platform().body().to_vec()));
    messages.push((Kind::Accepted, vestibule_ucp::write(&vestibule_ucp::accepted()).unwrap()));

    let count = judge.all(messages.clone()).unwrap();
    for kind in
        [Kind::Search, Kind::LookUp, Kind::Create, Kind::Update, Kind::Complete, Kind::PlatformProfile, Kind::Accepted]
    {
        assert_eq!(count.get(&kind), Some(&1), "{kind:?}: {count:?}");
    }
    // It is the judge that lets them pass.
    for (kind, message) in messages.iter().filter(|(kind, _)| *kind != Kind::Search) {
        judge.one(*kind, b"{}").unwrap_err();
        let mut cut = message.clone();
        cut.pop();
        judge.one(*kind, &cut).unwrap_err();
    }
}

#[tokio::test]
async fn a_step_is_one_request_however_often_it_is_sent() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    let input = json!({"line_items": [{"item": {"id": "lamp"}, "quantity": 1}]});
    done(desk.call("checkout", input.clone()).await);
    let again = vestibule_protocol::Invocation { attempt: 2, ..invocation("checkout", input.clone()) };
    done(desk.invoke(again, Persons::default()).await);
    let other = vestibule_protocol::Invocation { call: CallId([6; 16]), ..invocation("checkout", input) };
    done(desk.invoke(other, Persons::default()).await);
    let keys: Vec<String> =
        fake.shop.seen("create").iter().map(|seen| seen.headers["idempotency-key"].clone()).collect();
    assert!(keys[0] == keys[1] && keys[0] != keys[2], "{keys:?}");
}

#[tokio::test]
async fn a_checkout_is_taken_back_also_where_its_answer_was_lost() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    let input = json!({"line_items": [{"item": {"id": "lamp"}, "quantity": 1}]});
    let undo = |input: Value| vestibule_protocol::Invocation { undo: true, ..invocation("cancel_checkout", input) };
    // SDC has no output of a step that it is in doubt about.
    let result = desk.invoke(undo(json!({"input": input, "output": null})), Persons::default()).await;
    assert_eq!(done(result)["status"], "canceled");
    assert_eq!(fake.shop.asked(), ["create", "cancel_session"]);
    done(desk.call("checkout", input.clone()).await);
    let keys: Vec<String> =
        fake.shop.seen("create").iter().map(|seen| seen.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys[0], keys[1], "it is found by the step's own key");

    let known = json!({"input": input, "output": {"id": "chk_01"}});
    fake.shop.change(|checkout| checkout["status"] = json!("ready_for_complete"));
    assert_eq!(done(desk.invoke(undo(known.clone()), Persons::default()).await)["status"], "canceled");
    fake.shop.change(|checkout| {
        checkout["status"] = json!("completed");
        checkout["order"] = json!({"id": "ord_01", "permalink_url": "https://example.com/orders/ord_01"});
    });
    assert!(why(desk.invoke(undo(known.clone()), Persons::default()).await).contains("ordered"));
    // One that is not there has nothing to take back.
    fake.shop.change(|checkout| checkout["id"] = json!("gone"));
    assert_eq!(done(desk.invoke(undo(known), Persons::default()).await), Value::Null);
    assert_eq!(done(desk.invoke(undo(json!({"input": input, "output": null})), Persons::default()).await), Value::Null);
}

#[tokio::test]
async fn what_may_have_been_heard_is_never_called_failed() {
    let fake = Fake::start().await;
    let mut desk = Setup { patience: Duration::from_secs(2), ..Setup::of(&fake) }.open();
    let input = json!({"line_items": [{"item": {"id": "lamp"}, "quantity": 1}]});
    done(desk.call("look_checkout", json!({"id": "chk_01"})).await);
    fake.shop.next("create", Do::Hang);
    fake.shop.next("create", Do::Say(500, json!({})));
    let late = vestibule_protocol::Invocation { not_after: now(), ..invocation("checkout", input.clone()) };
    for one in [invocation("checkout", input.clone()), invocation("checkout", input.clone()), late] {
        desk.trade.ask(invoke(one, Persons::default())).unwrap();
    }
    // The answer to something else is the first that comes: to those three there is none.
    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(2_500)).await;
    assert!(done(desk.call("look_checkout", json!({"id": "chk_01"})).await)["id"] == "chk_01");
    assert_eq!(fake.shop.seen("create").len(), 2, "what comes too late is not begun");
    // A merchant that is away has heard nothing: said at once the first time, and never where it was asked before.
    drop(fake);
    let before = vestibule_protocol::Invocation { attempt: 2, ..invocation("checkout", input.clone()) };
    desk.trade.ask(invoke(before, Persons::default())).unwrap();
    why(desk.call("checkout", input).await);
}
