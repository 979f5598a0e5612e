//! What follows from what a merchant says, and from its silence.

use super::*;

/// Bought, and asked for once.
fn asked() -> Street {
    let mut street = Street::shown(&["chk_1"]);
    street.confirm(&confirmation(1, "chk_1")).unwrap();
    assert_eq!(street.asks().len(), 1);
    street
}

fn placed() -> Told {
    Told::Placed { order: order("ord_1"), total: euro(PRICE) }
}

fn unknown() -> Told {
    Told::Unknown { reason: "the connection was cut".to_owned() }
}

fn ordered() -> Street {
    let mut street = asked();
    street.told(1, placed());
    street
}

fn pushed(view: OrderView) -> TradeUp {
    TradeUp::Pushed { system: shop(), checkout: checkout("chk_1"), order: order("ord_1"), view: Box::new(view) }
}

#[test]
fn a_second_answer_changes_nothing() {
    let mut street = ordered();
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") });
    let lines = street.log.len();
    for told in [placed(), unknown(), Told::Refused { code: "late".to_owned(), reason: String::new() }, Told::Open] {
        assert!(!street.told(1, told));
    }
    assert_eq!((street.log.len(), street.state_of(1)), (lines, PurchaseState::Placed { order: order("ord_1") }));
}

#[test]
fn what_a_second_order_becomes_says_nothing_of_the_first() {
    let mut street = ordered();
    street.hear(&pushed(view(1, PRICE)));
    let id = PurchaseId([1; 16]);
    let first = street.state.purchases[&id].view.clone();
    let other = Box::new(view(7, PRICE + 1));
    street.hear(&TradeUp::Pushed { system: shop(), checkout: checkout("chk_1"), order: order("ord_2"), view: other });
    let record = &street.state.purchases[&id];
    assert_eq!((&record.view, record.order.as_ref()), (&first, Some(&order("ord_1"))));
    assert!(record.dispute.as_ref().is_some_and(|what| what.contains("ordered it twice")), "{:?}", record.dispute);
    // The first goes on.
    street.hear(&pushed(view(2, PRICE)));
    assert_ne!(street.state.purchases[&id].view, first);
}

#[test]
fn nothing_is_believed_of_another_merchant() {
    let mut street = asked();
    let (purchase, system) = (PurchaseId([1; 16]), SystemId::slug("thief"));
    assert!(!street.hear(&TradeUp::Told { purchase, system: system.clone(), told: placed() }));
    let view = Box::new(view(1, PRICE));
    assert!(!street.hear(&TradeUp::Pushed { system, checkout: checkout("chk_1"), order: order("ord_1"), view }));
    assert!(matches!(street.state_of(1), PurchaseState::Placing { .. }));
}

/// The waits between the questions of an hour without an answer.
#[test]
fn it_is_asked_again_with_the_same_key_and_less_and_less() {
    let mut street = asked();
    let (mut waits, mut last, begin) = (Vec::new(), street.now, street.now);
    street.told(1, unknown());
    while street.now.since(begin) < 3_600_000 {
        street.pass(500);
        for ask in street.asks() {
            let TradeAsk::Complete(ask) = ask else { panic!("{ask:?}") };
            assert_eq!((ask.purchase, ask.checkout), (PurchaseId([1; 16]), checkout("chk_1")));
            waits.push(street.now.since(last) / 500 * 500);
            last = street.now;
            street.told(1, unknown());
        }
    }
    assert_eq!(waits[..8], [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    assert!(street.updates.iter().any(|update| update.said.as_deref() == Some("the connection was cut")));
}

#[test]
fn silence_is_an_answer_after_a_while_and_the_key_is_not_used_for_ever() {
    let mut street = asked();
    street.pass(14_999);
    assert!(street.asks().is_empty());
    street.pass(1);
    assert_eq!(street.asks().len(), 1, "no word for 15 s");
    street.pass(24 * 60 * 60 * 1_000);
    street.asks();
    street.pass(60 * 60 * 1_000);
    let asks = street.asks();
    assert!(!asks.is_empty() && asks.iter().all(|ask| matches!(ask, TradeAsk::Session { .. })), "{asks:?}");
    street.told(1, Told::Open);
    street.pass(299_000);
    assert!(street.asks().is_empty(), "every five minutes");
    street.pass(2_000);
    assert_eq!(street.asks().len(), 1);
    street.told(1, placed());
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") });
}

#[test]
fn a_no_is_believed_where_only_one_question_was_asked() {
    let no = || Told::Refused { code: "payment_declined".to_owned(), reason: "declined".to_owned() };
    let mut street = asked();
    street.told(1, no());
    let end = PurchaseState::NotPlaced { code: "payment_declined".to_owned(), reason: "declined".to_owned() };
    assert_eq!(street.state_of(1), end);
    street.pass(3_600_000);
    assert!(street.asks().is_empty());
    // Asked twice, the other question may have ordered it: the checkout is ended first.
    let mut street = asked();
    street.told(1, unknown());
    street.pass(1_000);
    street.asks();
    street.told(1, no());
    assert!(street.state_of(1).in_doubt());
    street.pass(1_000);
    assert!(matches!(street.asks()[..], [TradeAsk::CancelSession { .. }]));
    street.told(1, Told::Gone { code: "canceled".to_owned(), reason: "as you wish".to_owned() });
    assert_eq!(street.state_of(1), end, "why it was not ordered is what was said first");
}

#[test]
fn a_no_that_was_none() {
    let mut street = asked();
    street.told(1, unknown());
    street.pass(1_000);
    street.told(1, Told::NotReady { messages: vec!["a".to_owned(), "b".to_owned()] });
    street.told(1, placed());
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") });
    // After the end it is a matter for people.
    let mut street = asked();
    street.told(1, Told::NotReady { messages: vec!["a".to_owned(), "b".to_owned()] });
    assert_eq!(street.state_of(1), PurchaseState::NotPlaced { code: "not_ready".to_owned(), reason: "a b".to_owned() });
    street.told(1, placed());
    assert!(matches!(street.state_of(1), PurchaseState::Disputed { .. }));
    assert!(street.state.open_purchases.contains_key(&PurchaseId([1; 16])));
}

#[test]
fn what_is_not_what_was_confirmed_is_disputed() {
    let mut street = asked();
    street.told(1, Told::Placed { order: order("ord_1"), total: euro(PRICE + 1) });
    assert!(matches!(street.state_of(1), PurchaseState::Disputed { .. }));
    let changes: [fn(&mut OrderView); 3] = [
        |view| view.total = euro(PRICE + 1),
        |view| view.total = Money::new(1, "USD".parse().unwrap()),
        |view| view.lines[0].design = Some(DesignHash(ContentHash([8; 32]))),
    ];
    for change in changes {
        let mut street = ordered();
        let mut view = view(1, PRICE);
        change(&mut view);
        street.hear(&pushed(view));
        assert!(matches!(street.state_of(1), PurchaseState::Disputed { .. }));
    }
    let mut street = ordered();
    street.hear(&pushed(view(1, PRICE - 200)));
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") }, "less was weighed");
    // More was weighed: as much as was confirmed, and beyond that.
    let mut street = Street::shown(&["chk_1"]);
    street.confirm(&Confirmation { most: euro(PRICE + 300), ..confirmation(1, "chk_1") }).unwrap();
    street.told(1, placed());
    street.hear(&pushed(view(1, PRICE + 300)));
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") });
    street.hear(&pushed(view(2, PRICE + 301)));
    assert!(matches!(street.state_of(1), PurchaseState::Disputed { .. }));
}

#[test]
fn a_webhook_before_the_answer_says_that_it_is_ordered() {
    let mut street = asked();
    assert!(street.hear(&pushed(view(1, PRICE))));
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") });
    assert!(!street.told(1, placed()));
    street.told(1, Told::Placed { order: order("ord_2"), total: euro(PRICE) });
    assert!(matches!(street.state_of(1), PurchaseState::Disputed { .. }), "a second order");
}

#[test]
fn orders_are_looked_at_more_often_while_somebody_is_there() {
    let mut street = ordered();
    street.pass(1_999);
    assert!(street.asks().is_empty());
    street.pass(1);
    assert!(matches!(street.asks()[..], [TradeAsk::Look { .. }]), "after two seconds");
    street.told(1, Told::Order(Box::new(view(1, PRICE))));
    street.pass(299_999);
    assert!(street.asks().is_empty());
    street.pass(1);
    assert_eq!(street.asks().len(), 1, "every five minutes");
    street.told(1, Told::Order(Box::new(view(1, PRICE))));
    street.hot.watch_purchases(&street.state, street.now, [user()].into());
    street.pass(0);
    assert_eq!(street.asks().len(), 1, "at once for whoever comes");
    street.told(1, Told::Order(Box::new(view(1, PRICE))));
    street.pass(100_000);
    assert_eq!(street.asks().len(), 3, "no answer: not asked over and over");
    let lines = street.log.len();
    street.told(1, Told::Order(Box::new(view(1, PRICE))));
    assert_eq!(street.log.len(), lines, "looking writes nothing");
    let update = street.update(&Request::Purchase(PurchaseId([1; 16]))).unwrap();
    assert_eq!(update.checked, Some(street.now));
}

#[test]
fn snapshots_in_any_order_are_the_newest() {
    let mut street = ordered();
    assert!(street.hear(&pushed(view(3, PRICE))));
    for old in [view(1, PRICE), view(2, PRICE), view(3, PRICE)] {
        assert!(!street.hear(&pushed(old)), "older or the same");
    }
    street.asks();
    let mut other = view(3, PRICE);
    other.mark.digest = ContentHash([5; 32]);
    assert!(!street.hear(&pushed(other.clone())), "neither older nor newer");
    street.pass(0);
    assert!(matches!(street.asks()[..], [TradeAsk::Look { .. }]), "the merchant is asked");
    assert!(street.told(1, Told::Order(Box::new(other.clone()))), "what it answers counts");
    let numbered = |revision| {
        let mut view = view(1, PRICE);
        view.mark.revision = Some(revision);
        view
    };
    let mut street = ordered();
    assert!(street.hear(&pushed(numbered(7))));
    assert!(!street.hear(&pushed(numbered(6))) && street.hear(&pushed(numbered(8))));
}

#[test]
fn an_order_ends_delivered_or_taken_out() {
    let mut street = ordered();
    let mut delivered = view(5, PRICE);
    (delivered.lines[0].fulfilled, delivered.lines[0].carrying) = (1, Carrying::Delivered);
    street.hear(&pushed(delivered.clone()));
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") });
    for _ in 0..15 * 24 {
        street.pass(3_600_000);
        if !street.asks().is_empty() {
            street.told(1, Told::Order(Box::new(delivered.clone())));
        }
    }
    assert_eq!(street.state_of(1), PurchaseState::Completed { order: order("ord_1") }, "nothing went back for 14 days");
    let mut street = ordered();
    let mut removed = view(5, PRICE);
    removed.lines[0].total = 0;
    street.hear(&pushed(removed.clone()));
    assert_eq!(street.state_of(1), PurchaseState::Canceled { order: Some(order("ord_1")) });
    (removed.mark.events, removed.refunded) = (6, euro(PRICE));
    assert!(street.hear(&pushed(removed)), "what is paid back is told after the end as well");
    assert!(street.state.open_purchases.is_empty());
}

#[test]
fn a_cancellation_is_never_a_guess() {
    // Never asked: nothing to wait for.
    let mut street = Street::shown(&["chk_1"]);
    street.update(&Request::Confirm(Box::new(confirmation(1, "chk_1")))).unwrap();
    assert_eq!(street.cancel(1).state, PurchaseState::Canceled { order: None });
    assert!(street.asks().is_empty());
    // Asked and not answered: its checkout is ended first.
    let mut street = asked();
    assert_eq!(street.cancel(1).state, PurchaseState::Canceling { order: None, attempts: 0 });
    assert!(matches!(street.asks()[..], [TradeAsk::CancelSession { .. }]));
    street.told(1, placed());
    assert!(matches!(street.state_of(1), PurchaseState::Canceling { order: Some(_), .. }));
    assert!(matches!(street.asks()[..], [TradeAsk::Cancel { .. }]));
    street.told(1, unknown());
    street.pass(1_000);
    assert!(matches!(street.asks()[..], [TradeAsk::Cancel { .. }]), "until it is answered");
    street.told(1, Told::Canceled { view: None });
    assert_eq!(street.state_of(1), PurchaseState::Canceled { order: Some(order("ord_1")) });
    // Too late.
    let mut street = ordered();
    street.cancel(1);
    street.told(1, Told::CannotCancel { reason: "it is being made".to_owned() });
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") });
    let update = street.update(&Request::Purchase(PurchaseId([1; 16]))).unwrap();
    assert_eq!(update.said.as_deref(), Some("it is being made"));
    assert!(matches!(street.cancel(1).state, PurchaseState::Canceling { .. }), "it may be tried again");
}

#[test]
fn a_restart_asks_again_with_the_same_key() {
    let mut street = asked();
    street.restart();
    let [TradeAsk::Complete(ask)] = &street.asks()[..] else { panic!("asked at once") };
    assert_eq!((ask.purchase, ask.attempt), (PurchaseId([1; 16]), 2));
    street.told(1, placed());
    street.restart();
    assert!(matches!(street.asks()[..], [TradeAsk::Look { .. }]));
}

#[test]
fn what_is_kept_of_words_is_bounded() {
    let mut street = asked();
    street.told(1, Told::Refused { code: "é".repeat(9_999), reason: "é".repeat(9_999) });
    let PurchaseState::NotPlaced { code, reason } = street.state_of(1) else { panic!("not refused") };
    assert_eq!((code.chars().count(), reason.chars().count()), (500, 500));
    let mut street = ordered();
    let mut long = view(1, PRICE);
    long.permalink = "x".repeat(MAX_TEXT + 1);
    assert!(!street.hear(&pushed(long.clone())) && !street.told(1, Told::Order(Box::new(long))));
}

#[test]
fn who_is_forgotten_has_no_purchases_and_the_order_goes_on() {
    let mut street = Street::shown(&["chk_1", "chk_2"]);
    street.confirm(&confirmation(1, "chk_1")).unwrap();
    street.confirm(&confirmation(2, "chk_2")).unwrap();
    street.told(2, Told::Refused { code: "no".to_owned(), reason: "no".to_owned() });
    street.commit(vec![LogEvent::PersonErased { user: user(), by: None }]);
    assert_eq!(street.state.purchases.len(), 1, "what has ended is forgotten");
    street.updates.clear();
    street.told(1, placed());
    assert_eq!(street.state_of(1), PurchaseState::Placed { order: order("ord_1") });
    street.told(1, Told::Canceled { view: None });
    street.settle();
    assert!(street.updates.is_empty(), "nobody is told");
    assert!(street.state.purchases.is_empty() && street.state.by_session.is_empty());
}

/// A person is not forgotten while something comes to them; what has come keeps nobody here.
#[test]
fn whoever_waits_for_an_order_is_forgotten_when_it_has_come() {
    let forget = |street: &Street| {
        let viewer = Viewer::user(&street.state, street.now, &user()).unwrap();
        // Somebody else stays who manages the house.
        let mut state = street.state.clone();
        let roles = [RoleId::slug(OWNER_ROLE)];
        let decision = enroll(&state, Fingerprint([42; 32]), &UserId::slug("bo"), &roles, "x").unwrap();
        decision.events.iter().for_each(|event| state.apply(street.now, event));
        people::erase(&state, street.now, &viewer, &user())
    };
    let why = |street: &Street| {
        let refusal = forget(street).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::Conflict);
        refusal.message
    };
    let mut street = asked();
    assert!(why(&street).contains("not ordered yet") && why(&street).contains("cancel"), "{}", why(&street));
    street.told(1, placed());
    let words = why(&street);
    for word in ["1 orders", "ord_1 at shop", "when they have come", "cancel", "take out a merchant"] {
        assert!(words.contains(word), "{words}");
    }
    street.restart();
    assert_eq!(why(&street), words, "whatever happened since");
    // It is cancelled, or it has come.
    let mut cancelled = street.clone();
    cancelled.cancel(1);
    assert!(why(&cancelled).contains("under way"), "its merchant has not answered");
    cancelled.told(1, Told::Canceled { view: None });
    assert!(forget(&cancelled).is_ok());
    let mut delivered = view(5, PRICE);
    (delivered.lines[0].fulfilled, delivered.lines[0].carrying) = (1, Carrying::Delivered);
    let mut came = street.clone();
    came.told(1, Told::Order(Box::new(delivered)));
    let decision = forget(&came).unwrap();
    assert!(decision.effects.contains(&crate::Effect::Forget(user())));
    came.commit(decision.events);
    assert!(came.state.purchases[&PurchaseId([1; 16])].orphan, "what goes back is nobody's");
    // Or nobody is there any more who could bring it.
    street.commit(vec![LogEvent::SystemGone { system: shop(), by: None }]);
    assert!(forget(&street).is_ok());
}

#[test]
fn what_nobody_waits_for_and_nobody_can_order_ends() {
    let mut street = asked();
    street.told(1, unknown());
    street.commit(vec![LogEvent::UserRemoved { user: user(), by: UserId::slug("console") }]);
    street.pass(60_000);
    assert!(!street.asks().is_empty(), "its merchant may have ordered it");
    let mut ordered = ordered();
    ordered.commit(vec![LogEvent::UserRemoved { user: user(), by: UserId::slug("console") }]);
    for street in [&mut street, &mut ordered] {
        street.commit(vec![LogEvent::SystemGone { system: shop(), by: None }]);
        street.asks();
        street.pass(10 * 60_000);
    }
    assert!(street.asks().is_empty() && street.state.purchases.is_empty() && street.state.open_purchases.is_empty());
    assert_eq!(ordered.state.purchases.len(), 1, "what is ordered is looked after");
    street.restart();
}
