//! What may be confirmed: exactly what was seen, once.

use super::*;

fn code(outcome: Result<PurchaseUpdate, Refusal>) -> RefusalCode {
    outcome.unwrap_err().code
}

#[test]
fn what_was_seen_is_bought_once() {
    let mut street = Street::shown(&["chk_1"]);
    let said = confirmation(1, "chk_1");
    let update = street.confirm(&said).unwrap();
    assert_eq!(
        (update.state, update.total, update.checkout),
        (PurchaseState::Confirmed, euro(PRICE), checkout("chk_1"))
    );
    let [TradeAsk::Complete(ask)] = &street.asks()[..] else { panic!("asked once") };
    assert_eq!((ask.purchase, ask.total, ask.attempt), (said.id, euro(PRICE), 1));
    let lines = street.log.len();
    // Said again: the same purchase, nothing new.
    let again = street.confirm(&said).unwrap();
    assert!(matches!(again.state, PurchaseState::Placing { attempts: 1, .. }));
    assert_eq!((street.log.len(), street.asks().len()), (lines, 0));
}

#[test]
fn one_id_is_one_purchase_and_one_cart_is_bought_once() {
    let mut street = Street::shown(&["chk_1", "chk_1"]);
    street.confirm(&confirmation(1, "chk_1")).unwrap();
    let other = Confirmation { total: euro(1), most: euro(1), ..confirmation(1, "chk_1") };
    assert_eq!(code(street.confirm(&other)), RefusalCode::Conflict, "the same id for something else");
    let refusal = street.confirm(&confirmation(2, "chk_1")).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Conflict, "two clients, one cart");
    assert!(refusal.message.contains(&PurchaseId([1; 16]).to_string()), "{refusal}");
    assert_eq!(street.state.purchases.len(), 1);
}

#[test]
fn nobody_pays_what_they_have_not_seen() {
    let total = |amount| Confirmation { total: euro(amount), most: euro(amount), ..confirmation(1, "chk_1") };
    let cases: Vec<(&str, Confirmation, RefusalCode)> = vec![
        ("less", total(PRICE - 1), RefusalCode::RevisionMismatch),
        ("more", total(PRICE + 1), RefusalCode::RevisionMismatch),
        ("below nothing", total(-1), RefusalCode::Invalid),
        ("another cart", confirmation(1, "chk_2"), RefusalCode::Invalid),
        (
            "nothing seen",
            Confirmation { shown: CallId([7; 16]), ..confirmation(1, "chk_1") },
            RefusalCode::RevisionMismatch,
        ),
        (
            "no design",
            Confirmation { designs: BTreeMap::new(), ..confirmation(1, "chk_1") },
            RefusalCode::RevisionMismatch,
        ),
        ("less at most", Confirmation { most: euro(PRICE - 1), ..confirmation(1, "chk_1") }, RefusalCode::Invalid),
        ("much more at most", Confirmation { most: euro(PRICE * 2), ..confirmation(1, "chk_1") }, RefusalCode::Invalid),
        (
            "other money",
            Confirmation { total: Money::new(PRICE, "USD".parse().unwrap()), ..confirmation(1, "chk_1") },
            RefusalCode::Invalid,
        ),
    ];
    for (name, said, expected) in cases {
        let mut street = Street::shown(&["chk_1"]);
        assert_eq!(code(street.confirm(&said)), expected, "{name}");
        assert!(street.state.purchases.is_empty() && street.asks().is_empty(), "{name}");
    }
    let weighed = Confirmation { most: euro(PRICE + 300), ..confirmation(1, "chk_1") };
    assert!(Street::shown(&["chk_1"]).confirm(&weighed).is_ok(), "goods by weight");
}

#[test]
fn what_was_shown_has_to_be_ready_whole_and_not_over() {
    let change = |change: fn(&mut serde_json::Value)| {
        let mut answer = shown("chk_1", PRICE);
        change(&mut answer);
        answer
    };
    // The lamp, and things that are not made.
    fn lines(count: usize) -> serde_json::Value {
        let lamp = shown("chk_1", PRICE)["line_items"][0].clone();
        let others = (2..=count).map(|n| serde_json::json!({ "id": format!("li_{n}") }));
        std::iter::once(lamp).chain(others).collect()
    }
    let cases = [
        ("not ready", change(|a| a["status"] = "incomplete".into()), RefusalCode::RevisionMismatch),
        ("over", change(|a| a["expires_at"] = "2020-01-01T00:00:00Z".into()), RefusalCode::RevisionMismatch),
        ("no moment", change(|a| a["expires_at"] = "soon".into()), RefusalCode::RevisionMismatch),
        ("does not add up", change(|a| a["totals"][0]["amount"] = 1.into()), RefusalCode::Invalid),
        ("no total", change(|a| a["totals"] = serde_json::json!([])), RefusalCode::Invalid),
        ("two totals", change(|a| a["totals"][0]["type"] = "total".into()), RefusalCode::Invalid),
        ("no checkout", serde_json::json!({ "recipes": [] }), RefusalCode::Invalid),
        ("half a cent", change(|a| a["totals"][3]["amount"] = 33.5.into()), RefusalCode::Invalid),
        ("more pieces than are made", change(|a| a["line_items"][0]["quantity"] = 65.into()), RefusalCode::Invalid),
        ("more lines than an order has", change(|a| a["line_items"] = lines(65)), RefusalCode::Invalid),
    ];
    for (name, answer, expected) in cases {
        let mut street = Street::new();
        street.show(1, "checkout", &answer);
        assert_eq!(code(street.confirm(&confirmation(1, "chk_1"))), expected, "{name}");
    }
    let mut street = Street::new();
    street.show(1, "checkout", &change(|a| a["expires_at"] = "2030-01-01T00:00:00+01:00".into()));
    street.show(2, "recipe", &shown("chk_2", PRICE));
    street.show(3, "checkout", &change(|a| (a["id"], a["line_items"]) = ("chk_3".into(), lines(64))));
    assert!(street.confirm(&confirmation(1, "chk_1")).is_ok());
    assert_eq!(code(street.confirm(&confirmation(2, "chk_2"))), RefusalCode::Invalid, "a recipe shows no checkout");
    assert!(street.confirm(&confirmation(3, "chk_3")).is_ok(), "as many lines as an order has");
}

#[test]
fn who_may_not_use_the_shop_buys_nothing_there() {
    let mut street = Street::shown(&["chk_1"]);
    let request = Request::Confirm(Box::new(confirmation(1, "chk_1")));
    assert_eq!(street.ask(GUEST, &request).unwrap_err().code, RefusalCode::Forbidden);
    let name = pseudonym(&street.state, &shop(), &user()).unwrap();
    let end = AgreementEnd::TakenBack;
    street.commit(vec![LogEvent::Deauthorized { system: shop(), pseudonym: name, user: user(), end }]);
    assert_eq!(code(street.confirm(&confirmation(1, "chk_1"))), RefusalCode::Forbidden);
    assert!(street.state.purchases.is_empty());
}

#[test]
fn another_user_s_purchase_is_not_there() {
    let mut street = Street::shown(&["chk_1"]);
    street.confirm(&confirmation(1, "chk_1")).unwrap();
    for request in [Request::Purchase(PurchaseId([1; 16])), Request::CancelPurchase(PurchaseId([1; 16]))] {
        assert_eq!(street.ask(GUEST, &request).unwrap_err().code, RefusalCode::NotFound);
    }
    assert_eq!(street.ask(GUEST, &Request::Purchases { before: None, limit: 0 }), Ok(Response::Purchases(Vec::new())));
}

#[test]
fn there_is_room_for_so_many() {
    let names: Vec<String> = (1..=34).map(|number| format!("chk_{number}")).collect();
    let mut street = Street::shown(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for (number, name) in (1..).zip(&names).take(32) {
        street.confirm(&confirmation(number, name)).unwrap();
    }
    assert_eq!(code(street.confirm(&confirmation(33, "chk_33"))), RefusalCode::Overloaded);
    street.told(5, Told::Refused { code: "payment_declined".to_owned(), reason: "no".to_owned() });
    street.confirm(&confirmation(33, "chk_33")).unwrap();
    // What is at the door waits two weeks for what goes back, and keeps nobody from buying meanwhile.
    assert_eq!(code(street.confirm(&confirmation(34, "chk_34"))), RefusalCode::Overloaded);
    street.told(6, Told::Placed { order: order("ord_6"), total: euro(PRICE) });
    let mut delivered = view(5, PRICE);
    (delivered.lines[0].fulfilled, delivered.lines[0].carrying) = (1, Carrying::Delivered);
    street.told(6, Told::Order(Box::new(delivered)));
    assert_eq!(street.state_of(6), PurchaseState::Placed { order: order("ord_6") });
    street.confirm(&confirmation(34, "chk_34")).unwrap();
}

#[test]
fn purchases_are_listed_page_by_page() {
    let names: Vec<String> = (1..=9).map(|number| format!("chk_{number}")).collect();
    let mut street = Street::shown(&names.iter().map(String::as_str).collect::<Vec<_>>());
    // Three at each moment.
    for (number, name) in (1..).zip(&names) {
        street.confirm(&confirmation(number, name)).unwrap();
        street.now = street.now.plus(u64::from(number % 3 == 0));
    }
    let (mut before, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let answer = street.ask(OWNER, &Request::Purchases { before, limit: 2 }).unwrap();
        let Response::Purchases(page) = answer else { panic!("{answer:?}") };
        let Some(last) = page.last() else { break };
        (before, pages) = (Some(last.confirmed), pages + 1);
        seen.extend(page.iter().map(|update| update.id.0[0]));
    }
    assert_eq!((seen, pages), ((1..=9).rev().collect(), 3), "the newest first, none twice, none left out");
}
