use proptest::prelude::*;
use vestibule_kitchen::Table;
use vestibule_model::{CheckoutId, ContentHash, LineId, Money, OrderId, SnapshotMark, UserId};
use vestibule_twin::{ShopLine, ShopTold};

use super::*;
use crate::diary::MOST_GOODS;

const NOW: Timestamp = Timestamp(1_795_183_387_000);

fn eur(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

pub(crate) fn grocer() -> SystemId {
    SystemId::slug("grocer")
}

fn milk() -> IngredientId {
    IngredientId::new("milk").unwrap()
}

/// Makes milk known, as a catalogue does.
pub(crate) fn know_milk(book: &mut Book) {
    let (holds, title) = (Amount::Volume(1_000_000), "Milk, 1 l".to_owned());
    book.know(&grocer(), "milk_1l", &Known { ingredient: milk(), holds, title, by_measure: false });
}

fn book() -> Book {
    let mut book = Book::default();
    know_milk(&mut book);
    book
}

pub(crate) fn line(ordered: u32, fulfilled: u32) -> OrderLine {
    OrderLine {
        id: LineId::new("l1").unwrap(),
        item: "milk_1l".to_owned(),
        title: "Milk".to_owned(),
        price: eur(258),
        ordered,
        total: ordered,
        fulfilled,
        design: None,
        serials: Vec::new(),
        certificates: BTreeMap::new(),
        making: None,
        carrying: Carrying::default(),
        measured: None,
    }
}

pub(crate) fn update(state: PurchaseState, line: Option<OrderLine>) -> PurchaseUpdate {
    let mark = SnapshotMark { events: 0, adjustments: 0, last: None, digest: ContentHash([0; 32]), revision: None };
    let order = line.map(|line| OrderView {
        lines: vec![line],
        total: eur(258),
        refunded: eur(0),
        notes: Vec::new(),
        expected: Some((NOW, NOW.plus(3_600_000))),
        cancellable: true,
        permalink: String::new(),
        mark,
    });
    PurchaseUpdate {
        id: PurchaseId([1; 16]),
        user: UserId::slug("ada"),
        system: grocer(),
        checkout: CheckoutId::new("chk_1").unwrap(),
        state,
        total: eur(258),
        order,
        checked: None,
        said: None,
        confirmed: NOW,
        at: NOW,
    }
}

pub(crate) fn placed() -> PurchaseState {
    PurchaseState::Placed { order: OrderId::new("o1").unwrap() }
}

pub(crate) fn purchases(update: PurchaseUpdate) -> KnownPurchases {
    KnownPurchases { by_id: [(update.id, update)].into(), ..KnownPurchases::default() }
}

fn cart(purchase: Option<PurchaseId>) -> BTreeMap<SystemId, ShopCart> {
    let line = ShopLine {
        id: "cart1".to_owned(),
        item: "milk_1l".to_owned(),
        title: "Milk".to_owned(),
        quantity: 2,
        price: eur(129),
        total: eur(258),
        design: None,
    };
    let cart = ShopCart {
        system: grocer(),
        name: "The grocer".to_owned(),
        lines: vec![line],
        wanted: vec![("milk_1l".to_owned(), 2)],
        totals: Vec::new(),
        total: Some(eur(258)),
        most: None,
        notes: Vec::new(),
        links: Vec::new(),
        address: None,
        goes_to: None,
        leaves: Vec::new(),
        told: ShopTold::Nothing,
        deliveries: Vec::new(),
        ways: Vec::new(),
        pay: None,
        busy: None,
        problem: None,
        was: None,
        why_not: None,
        purchase,
    };
    [(grocer(), cart)].into()
}

fn see(book: &mut Book, purchases: &KnownPurchases, carts: &BTreeMap<SystemId, ShopCart>) -> Vec<FoodDelivered> {
    see_since(NOW.plus(1), book, purchases, carts)
}

fn see_since(
    began: Timestamp,
    book: &mut Book,
    purchases: &KnownPurchases,
    carts: &BTreeMap<SystemId, ShopCart>,
) -> Vec<FoodDelivered> {
    let (suppliers, told) = (Suppliers::default(), BTreeMap::new());
    let things_tell = false;
    let bought = Bought { purchases, carts, suppliers: &suppliers, told: &told, things_tell, now: NOW, began };
    follow(book, &bought).came
}

/// Looks at a later moment, or while there is so much milk at home.
fn see_milk(millilitres: i64, now: Timestamp, book: &mut Book, purchases: &KnownPurchases) {
    let (suppliers, carts) = (Suppliers::default(), BTreeMap::new());
    let told = BTreeMap::from([(milk(), Amount::Volume(millilitres * 1_000))]);
    let bought =
        Bought { purchases, carts: &carts, suppliers: &suppliers, told: &told, things_tell: true, now, began: NOW };
    follow(book, &bought);
}

#[test]
fn what_is_brought_faster_than_anybody_looks_is_told_once() {
    let (mut book, none) = (book(), BTreeMap::new());
    let here = purchases(update(placed(), Some(line(2, 2))));
    assert!(see(&mut book.clone(), &here, &none).is_empty(), "bought before this kitchen began");
    assert_eq!(see_since(NOW, &mut book, &here, &none).len(), 1, "bought since, and never seen on its way");
    assert!(see_since(NOW, &mut book, &here, &none).is_empty(), "it is told once");
}

fn amounts(book: &Book) -> Vec<String> {
    book.diary.coming.iter().filter(|line| !line.put_away).map(|line| line.amount.to_string()).collect()
}

#[test]
fn a_purchase_counts_once_from_the_cart_to_the_cupboard() {
    let mut book = book();
    let (none, id) = (BTreeMap::new(), PurchaseId([1; 16]));
    see(&mut book, &KnownPurchases::default(), &cart(None));
    assert!(amounts(&book).is_empty(), "a cart is not bought");
    let doubt = KnownPurchases { in_doubt: [id].into(), ..KnownPurchases::default() };
    see(&mut book, &doubt, &cart(Some(id)));
    assert_eq!(amounts(&book), ["2 l"], "it may have been bought");
    let asked = update(PurchaseState::Confirmed, None);
    see(&mut book, &purchases(asked), &cart(Some(id)));
    assert_eq!(amounts(&book), ["2 l"]);
    see(&mut book, &purchases(update(placed(), Some(line(2, 0)))), &cart(Some(id)));
    assert_eq!(amounts(&book), ["2 l"], "the order takes the cart's place");
    assert_eq!(book.diary.coming[0].arrives, Some(NOW.plus(3_600_000)));
    assert!(see(&mut book, &purchases(update(placed(), Some(line(2, 1)))), &none).is_empty(), "half of it");
    let came = see(&mut book, &purchases(update(placed(), Some(line(2, 2)))), &none);
    assert_eq!(came, [FoodDelivered { purchase: id, foods: vec![("milk".to_owned(), 2_000.0)] }]);
    assert!(see(&mut book, &purchases(update(placed(), Some(line(2, 2)))), &none).is_empty(), "it is told once");
    assert_eq!(crate::view::at_door(&book), [id].into());
    assert!(book.settle(&[book.diary.coming[0].key.clone()]));
    see(&mut book, &purchases(update(placed(), Some(line(2, 2)))), &none);
    assert!(amounts(&book).is_empty(), "what is put away stays put away");
    assert!(crate::view::at_door(&book).is_empty());
}

#[test]
fn what_will_not_come_is_not_on_its_way() {
    let none = BTreeMap::new();
    for gone in [
        update(PurchaseState::Canceled { order: None }, Some(line(2, 0))),
        update(PurchaseState::NotPlaced { code: "x".to_owned(), reason: String::new() }, None),
        update(placed(), Some(line(0, 0))),
        update(placed(), Some(OrderLine { carrying: Carrying::Lost, ..line(2, 0) })),
    ] {
        let mut book = book();
        see(&mut book, &purchases(update(placed(), Some(line(2, 0)))), &none);
        assert_eq!(amounts(&book), ["2 l"]);
        see(&mut book, &purchases(gone.clone()), &none);
        assert!(amounts(&book).is_empty(), "{gone:?}");
    }
    let mut book = book();
    see(&mut book, &purchases(update(placed(), Some(line(2, 0)))), &none);
    see(&mut book, &KnownPurchases::default(), &none);
    assert_eq!(amounts(&book), ["2 l"], "after a start nobody has told of it yet, and it still comes");
}

#[test]
fn what_never_came_is_followed_for_two_months() {
    let later = |days: u64| NOW.plus(days * 24 * 60 * 60 * 1_000);
    let here = purchases(update(placed(), Some(line(2, 0))));
    for (days, known, left) in [(59, true, 1), (59, false, 1), (61, true, 0), (61, false, 0)] {
        let mut book = book();
        see_milk(0, NOW, &mut book, &here);
        let known = if known { here.clone() } else { KnownPurchases::default() };
        see_milk(0, later(days), &mut book, &known);
        assert_eq!(amounts(&book).len(), left, "{days} days, told of: {known:?}");
    }
    // A diary of before says nothing of its lines' age: they are as old as the first look at them.
    let mut book = book();
    see_milk(0, NOW, &mut book, &here);
    book.diary.coming[0].since = None;
    see_milk(0, later(61), &mut book, &KnownPurchases::default());
    assert_eq!(book.diary.coming[0].since, Some(later(61)));
}

#[test]
fn what_was_there_before_a_delivery_is_remembered() {
    let mut book = book();
    let order = |fulfilled| purchases(update(placed(), Some(line(2, fulfilled))));
    see_milk(500, NOW, &mut book, &order(0));
    see_milk(480, NOW, &mut book, &order(0));
    assert_eq!(book.diary.coming[0].told, Some(Amount::Volume(500_000)), "scales tremble");
    see_milk(200, NOW, &mut book, &order(0));
    assert_eq!(book.diary.coming[0].told, Some(Amount::Volume(200_000)), "some was drunk");
    // A part of it came: it is looked for, and what is there now is no measure any more.
    see_milk(1_200, NOW, &mut book, &order(1));
    let coming = &book.diary.coming[0];
    assert_eq!((coming.part, coming.told), (Some(Amount::Volume(1_000_000)), Some(Amount::Volume(200_000))));
    // The rest came while nobody looked, and is in the fridge already.
    let mut read = crate::diary::Diary::read(&book.diary.write().unwrap()).unwrap();
    assert_eq!(read, book.diary);
    std::mem::swap(&mut book.diary, &mut read);
    see_milk(2_200, NOW, &mut book, &order(2));
    assert_eq!(book.diary.coming[0].delivered.map(|delivery| delivery.stock), Some(Amount::Volume(200_000)));
}

#[test]
fn what_the_cart_s_lines_knew_the_order_s_know() {
    let mut book = book();
    let id = PurchaseId([1; 16]);
    see(&mut book, &purchases(update(PurchaseState::Confirmed, None)), &cart(Some(id)));
    book.diary.coming[0].told = Some(Amount::Volume(300_000));
    see_milk(2_300, NOW, &mut book, &purchases(update(placed(), Some(line(2, 2)))));
    assert_eq!(book.diary.coming.len(), 1);
    assert_eq!(book.diary.coming[0].delivered.map(|delivery| delivery.stock), Some(Amount::Volume(300_000)));
}

#[test]
fn goods_that_nobody_offers_make_room() {
    let known =
        Known { ingredient: milk(), holds: Amount::Volume(1_000_000), title: "Milk".to_owned(), by_measure: false };
    let mut book = Book::default();
    for number in 0..MOST_GOODS {
        assert!(book.know(&grocer(), &format!("old_{number}"), &known));
    }
    let currency = "EUR".parse().unwrap();
    let stocked = Stocked { known, price: 129, currency, least: 1, there: true, tolerance: 0 };
    let mut suppliers = Suppliers::default();
    suppliers.0.entry(grocer()).or_default().goods = Some([("milk_1l".to_owned(), stocked)].into());
    let order = purchases(update(placed(), Some(OrderLine { item: "old_7".to_owned(), ..line(2, 0) })));
    let (carts, told) = (BTreeMap::new(), BTreeMap::new());
    for (complete, left) in [(false, MOST_GOODS), (true, 2)] {
        let known = KnownPurchases { complete, ..order.clone() };
        let (purchases, carts, told) = (&known, &carts, &told);
        let bought = Bought { purchases, carts, suppliers: &suppliers, told, things_tell: false, now: NOW, began: NOW };
        follow(&mut book, &bought);
        assert_eq!(book.diary.goods.len(), left);
        assert_eq!(book.known(&grocer(), "milk_1l").is_some(), complete);
    }
    assert_eq!(amounts(&book), ["2 l"], "what was bought is remembered");
}

#[test]
fn exactly_so_much_is_said_of_one_purchase() {
    let (mut book, none, id) = (book(), BTreeMap::new(), PurchaseId([1; 16]));
    let rule = OverruledBy::Order(Amount::Volume(2_000_000));
    book.rules.overrule.insert(milk(), rule);
    see(&mut book, &KnownPurchases::default(), &cart(None));
    assert_eq!(book.rules.overrule.get(&milk()), Some(&rule), "a cart is not bought");
    let doubt = KnownPurchases { in_doubt: [id].into(), ..KnownPurchases::default() };
    see(&mut book, &doubt, &cart(Some(id)));
    assert_eq!(book.rules.overrule.get(&milk()), None, "it is on its way: nobody wants it again");
    book.rules.overrule.insert(milk(), rule);
    see(&mut book, &purchases(update(placed(), Some(line(2, 0)))), &none);
    assert_eq!(book.rules.overrule.get(&milk()), Some(&rule), "what is said since is of the next purchase");
    let mut other = self::book();
    other.rules.overrule.insert(milk(), OverruledBy::Have);
    see(&mut other, &purchases(update(placed(), Some(line(2, 0)))), &none);
    assert_eq!(other.rules.overrule.len(), 1, "that they have it, they say of no purchase");
}

#[test]
fn what_was_given_up_and_comes_is_told() {
    let (mut book, none) = (book(), BTreeMap::new());
    see(&mut book, &purchases(update(placed(), Some(line(2, 0)))), &none);
    let key = book.diary.coming[0].key.clone();
    let gone = vestibule_twin::Cook::NotCome { purchase: PurchaseId([1; 16]), line: LineId::new("l1").unwrap() };
    book.follow(&gone, Some(NOW)).unwrap();
    see(&mut book, &purchases(update(placed(), Some(line(2, 0)))), &none);
    assert!(amounts(&book).is_empty() && book.diary.coming[0].key == key, "it is not on its way");
    assert_eq!(see(&mut book, &purchases(update(placed(), Some(line(2, 2)))), &none).len(), 1);
    assert_eq!(amounts(&book), ["2 l"]);
}

#[test]
fn what_was_weighed_counts_as_it_was_weighed() {
    let mut book = book();
    let weighed = Weighed { unit: Unit::Litre, milli: 1_750 };
    let line = OrderLine { measured: Some(weighed), ..line(2, 0) };
    see(&mut book, &purchases(update(placed(), Some(line))), &BTreeMap::new());
    assert_eq!(amounts(&book), ["1.75 l"]);
}

proptest! {
    #[test]
    fn never_more_than_was_bought(steps in proptest::collection::vec((1_u32..4, 0_u32..4, 0_u8..6), 1..12)) {
        let mut book = book();
        let id = PurchaseId([1; 16]);
        let mut delivered = 0;
        for (ordered, fulfilled, kind) in steps {
            let carts = if kind % 2 == 0 { cart(Some(id)) } else { BTreeMap::new() };
            let known = match kind {
                0 | 1 => KnownPurchases::default(),
                2 => KnownPurchases { in_doubt: [id].into(), ..KnownPurchases::default() },
                _ => purchases(update(placed(), Some(line(ordered, fulfilled)))),
            };
            delivered += see(&mut book, &known, &carts).len();
            let food = Table::shipped().named("milk").unwrap();
            let sum: i64 = book.diary.coming.iter().filter_map(|line| food.to_base(line.amount)).map(Amount::number).sum();
            prop_assert!(sum <= 3_000_000, "{:?}", book.diary.coming);
        }
        prop_assert!(delivered <= 1, "the courier comes once");
    }
}
