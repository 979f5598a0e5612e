//! What is malformed, too much or against the protocol is refused, whatever it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule_ucp::{
    Answer, Checkout, CheckoutComplete, CheckoutCreate, Flaw, Message, Order, Profile, ReadError, Refused,
    SearchAnswer, Severity, Side, TotalsError, limits, read, read_answer, write,
};

fn checkout() -> Value {
    serde_json::from_str(include_str!("data/ours/checkout_ready.json")).unwrap()
}

fn order() -> Value {
    serde_json::from_str(include_str!("data/ours/order_delivered.json")).unwrap()
}

fn profile() -> Value {
    serde_json::from_str(include_str!("data/ours/profile_business.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn changed(mut value: Value, at: &str, new: Value) -> Vec<u8> {
    if let Some(place) = value.pointer_mut(at) {
        *place = new;
    } else {
        let (parent, member) = at.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap()[member] = new;
    }
    bytes(&value)
}

#[test]
fn no_member_may_be_of_another_shape() {
    for (at, new) in [
        ("/status", json!("done")),
        ("/currency", json!("euro")),
        ("/id", json!("")),
        ("/id", json!("x".repeat(257))),
        ("/id", json!("a\nb")),
        ("/totals/0/amount", json!(1.5)),
        ("/totals/0/amount", json!("100")),
        ("/totals/0/amount", json!(1_000_000_000_000_001_i64)),
        ("/line_items/0/quantity", json!(0)),
        ("/line_items/0/quantity", json!(-1)),
        ("/line_items/0/quantity", json!(1_u64 << 32)),
        ("/line_items/0/item/price", json!(-1)),
        ("/line_items", json!({})),
        ("/ucp/version", json!("1.0")),
        ("/ucp/capabilities", json!({"Not A Name": []})),
        ("/messages", json!([{"type": "error", "code": "x", "content": "x"}])),
        ("/messages", json!([{"type": "shout", "content": "x"}])),
        ("/fulfillment/methods/0/type", json!("teleport")),
        ("/payment", json!([])),
        ("/x", json!("x".repeat(limits::MAX_TEXT + 1))),
        ("/x", json!(vec![0; limits::MAX_ENTRIES + 1])),
    ] {
        let body = changed(checkout(), at, new.clone());
        assert!(matches!(read::<Checkout>(&body), Err(ReadError::Malformed(_))), "{at} {new}");
    }
    for member in ["ucp", "id", "line_items", "status", "currency", "totals", "links"] {
        let mut value = checkout();
        value.as_object_mut().unwrap().remove(member);
        assert!(matches!(read::<Checkout>(&bytes(&value)), Err(ReadError::Malformed(_))), "without {member}");
    }
}

fn flaw(body: &[u8]) -> Flaw {
    match read::<Checkout>(body) {
        Err(ReadError::Flaw(flaw)) => flaw,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_protocols_rules_are_held() {
    let rule = |at: &str, new: Value| flaw(&changed(checkout(), at, new));
    assert_eq!(rule("/totals", json!([])), Flaw::Totals(TotalsError::NotOne("subtotal")));
    assert_eq!(rule("/totals/1", json!({"type": "fee", "amount": -1})), Flaw::Totals(TotalsError::Sign("fee".into())));
    let line = checkout()["line_items"][0].clone();
    assert!(matches!(rule("/line_items", json!([line, line])), Flaw::Rule(_)));
    let lines: Vec<Value> = (0..=limits::MAX_LINES)
        .map(|at| {
            let mut line = line.clone();
            line["id"] = json!(format!("li_{at}"));
            line["com.example.vestibule.fabrication"] = json!({});
            line
        })
        .collect();
    assert_eq!(rule("/line_items", json!(lines)), Flaw::TooMany { what: "line items", most: limits::MAX_LINES });
    assert!(matches!(rule("/status", json!("completed")), Flaw::Rule(_)), "a completed session has its order");
    assert!(matches!(rule("/status", json!("requires_escalation")), Flaw::Rule(_)));
    let credential =
        json!({"instruments": [{"id": "i", "handler_id": "h", "type": "card", "credential": {"type": "card"}}]});
    assert!(matches!(rule("/payment", credential), Flaw::Rule(_)), "no answer has a credential");
    // Totals that do not add up are read, shown, and never completed.
    let odd: Checkout = read(&changed(checkout(), "/totals/3/amount", json!(3381))).unwrap();
    assert_eq!(odd.may_complete(), Err(Flaw::Totals(TotalsError::Sum { sum: 3380, total: 3381 })));
    let mut wrong: Checkout = read(&bytes(&checkout())).unwrap();
    wrong.messages = Some(vec![Message::new_error("missing", "Say where to.", Severity::Recoverable)]);
    assert!(wrong.may_complete().is_err());
}

#[test]
fn orders_are_what_orders_are() {
    let rule = |at: &str, new: Value| match read::<Order>(&changed(order(), at, new)) {
        Err(ReadError::Flaw(flaw)) => flaw,
        other => panic!("{other:?}"),
    };
    let event = order()["fulfillment"]["events"][0].clone();
    assert!(matches!(rule("/fulfillment/events", json!([event, event])), Flaw::Rule(_)));
    assert!(matches!(rule("/line_items/0/quantity/fulfilled", json!(2)), Flaw::Rule(_)));
    let adjustment = json!({"id": "a", "type": "refund", "occurred_at": "yesterday", "status": "completed"});
    assert!(matches!(rule("/adjustments", json!([adjustment])), Flaw::Rule(_)));
    let events: Vec<Value> = (0..=limits::MAX_EVENTS)
        .map(|at| json!({"id": format!("e{at}"), "type": "x", "occurred_at": "2026-11-27T00:00:00Z", "line_items": []}))
        .collect();
    assert!(matches!(rule("/fulfillment/events", json!(events)), Flaw::TooMany { what: "events", .. }));
}

#[test]
fn profiles_are_what_profiles_are() {
    let refused = |at: &str, new: Value, side| {
        Profile::read(&changed(profile(), at, new), side).expect_err("refused");
    };
    let key = profile()["signing_keys"][0].clone();
    let mut private = key.clone();
    private["d"] = json!("secret");
    refused("/signing_keys", json!([private]), Side::Business);
    refused("/signing_keys", json!([key, key]), Side::Business);
    refused("/signing_keys", json!(vec![json!({"kid": "k", "kty": "EC"}); limits::MAX_KEYS + 1]), Side::Business);
    refused("/ucp/services/dev.ucp.shopping/0/endpoint", Value::Null, Side::Business);
    refused("/ucp/services/dev.ucp.shopping/0/schema", Value::Null, Side::Platform);
    refused("/ucp/payment_handlers", Value::Null, Side::Business);
    let many = vec![json!({"version": "2026-04-08"}); limits::MAX_CAPABILITIES + 1];
    refused("/ucp/capabilities", json!({"dev.ucp.x": many}), Side::Business);
    // An endpoint without TLS on another machine is as if there were none.
    let body = changed(profile(), "/ucp/services/dev.ucp.shopping/0/endpoint", json!("http://shop.example.com/ucp"));
    assert_eq!(Profile::read(&body, Side::Business).unwrap().0.rest(), None);
}

#[test]
fn nobody_describes_what_is_anothers() {
    for url in [
        "https://example.com/ucp",
        "https://ucp.dev.example.com/x",
        "http://127.0.0.1/x",
        "https://dev/x",
        "nonsense",
        "https://ucp.dev@example.com/",
    ] {
        let body = changed(profile(), "/ucp/capabilities/dev.ucp.shopping.order/0/spec", json!(url));
        let (read, dropped) = Profile::read(&body, Side::Business).unwrap();
        assert_eq!(dropped.len(), 1, "{url}");
        assert_eq!(dropped[0].name.as_str(), "dev.ucp.shopping.order");
        assert!(!read.ucp.capabilities.unwrap().contains_key("dev.ucp.shopping.order"));
    }
}

#[test]
fn an_outcome_is_told_from_an_answer() {
    let refused = Refused::because("out_of_stock", "There is none left.");
    let body = write(&refused).unwrap();
    assert!(matches!(read_answer::<Checkout>(&body), Ok(Answer::Refused(same)) if *same == refused));
    assert!(read_answer::<Checkout>(br#"{"ucp":{"version":"2026-04-08","status":"error"},"messages":[]}"#).is_err());
    assert!(read_answer::<Checkout>(br#"{"ucp":{"version":"2026-04-08"}}"#).is_err());
    assert!(read_answer::<Checkout>(b"[]").is_err());
}

/// Any JSON in place of any part of a message.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z./:-]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("[a-z_]{1,8}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The places of a message.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(n, value)| places(value, &format!("{at}/{n}"), all)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), all);
        }),
        _ => {}
    }
    all.push(at.to_owned());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A message with a foreign part is refused, or read; and what was read is written, and read again as the same.
    #[test]
    fn any_part_may_be_foreign(which in 0_usize..4, place: usize, part in any_json()) {
        let mut message = match which {
            0 => checkout(),
            1 => order(),
            2 => profile(),
            _ => serde_json::from_str(include_str!("data/ours/catalog_search.json")).unwrap(),
        };
        let mut all = Vec::new();
        places(&message, "", &mut all);
        *message.pointer_mut(&all[place % all.len()]).unwrap() = part;
        let body = bytes(&message);
        if let Ok(checkout) = read::<Checkout>(&body) {
            prop_assert_eq!(read::<Checkout>(&write(&checkout).unwrap()), Ok(checkout));
        }
        if let Ok(order) = read::<Order>(&body) {
            prop_assert_eq!(read::<Order>(&write(&order).unwrap()), Ok(order));
        }
        if let Ok(answer) = read::<SearchAnswer>(&body) {
            prop_assert_eq!(read::<SearchAnswer>(&write(&answer).unwrap()), Ok(answer));
        }
        let _ = (read::<CheckoutCreate>(&body), read::<CheckoutComplete>(&body), Profile::read(&body, Side::Platform));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(read::<Checkout>(&bytes).is_err() && read::<Order>(&bytes).is_err());
    }

    #[test]
    fn any_cut_message_is_refused(cut in 0_usize..3000) {
        let body = bytes(&checkout());
        prop_assert!(read::<Checkout>(&body[..cut.min(body.len() - 1)]).is_err());
    }
}
