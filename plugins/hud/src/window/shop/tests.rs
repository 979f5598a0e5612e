use std::collections::BTreeMap;

use vestibule_input::Attention;
use vestibule_twin::{
    AddressEntry, DesignFinding, EnablerClock, EnablerLink, KeepProduct, LinkState, ManagePurchases, Shop, ShopCart,
    ShopDelivery, ShopFit, ShopGoods, ShopLine, ShopMerchant, ShopNote, ShopNoteKind, ShopQuote, ShopTold,
    model::{
        Carrying, CheckoutId, ContentHash, DesignHash, LineId, Making, Money, OrderId, OrderLine, OrderNote, OrderView,
        PayWith, PurchaseId, PurchaseState, PurchaseUpdate, Refusal, RefusalCode, SnapshotMark, SystemId, UserId,
    },
};

use super::*;
use crate::{
    HudPlugin,
    action::{AddressPart, HudWindow},
    find_button, hud_texts,
    render::{Screen, Surface},
};

fn shop() -> SystemId {
    SystemId::slug("shop")
}

pub(super) fn workshop() -> SystemId {
    SystemId::slug("workshop")
}

fn euro(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_utc(text).unwrap()
}

fn merchant(system: SystemId, name: &str, makes: bool) -> ShopMerchant {
    let name = name.to_owned();
    let asks = Vec::new();
    ShopMerchant { system, name, sells: !makes, makes, agreed: true, asking: false, asks, why_not: None }
}

fn good(item: &str, title: &str, price: i64, why_not: Option<&str>) -> ShopGoods {
    ShopGoods {
        system: shop(),
        item: item.to_owned(),
        title: title.to_owned(),
        says: "An arm in two parts, a warm light, a switch at its foot.".to_owned(),
        price: euro(price),
        measure: String::new(),
        least: 1,
        why_not: why_not.map(str::to_owned),
    }
}

/// A cart that can be confirmed.
fn cart() -> ShopCart {
    let way = |card: &str, words: &str| {
        (PayWith { handler: "sandbox_1".to_owned(), instrument: card.to_owned() }, words.to_owned())
    };
    let option = |id: &str, title: &str, price: i64, chosen: bool| ShopDelivery {
        group: "grp_1".to_owned(),
        id: id.to_owned(),
        title: title.to_owned(),
        says: "The day after it is made, Courier".to_owned(),
        price: euro(price),
        between: (Some(at("2026-11-30T08:00:00Z")), Some(at("2026-12-01T08:00:00Z"))),
        chosen,
    };
    let ways = vec![way("sandbox-ok", "Sandbox (no money moves)"), way("sandbox-declined", "Sandbox, declined")];
    ShopCart {
        system: workshop(),
        name: "The workshop".to_owned(),
        lines: vec![ShopLine {
            id: "li_1".to_owned(),
            item: "made_7f3c".to_owned(),
            title: "Lamp, made to your design".to_owned(),
            quantity: 1,
            price: euro(2_350),
            total: euro(2_350),
            design: Some(DesignHash(ContentHash([7; 32]))),
        }],
        wanted: vec![("made_7f3c".to_owned(), 1)],
        totals: vec![
            ("Subtotal".to_owned(), euro(2_350)),
            ("Standard".to_owned(), euro(490)),
            ("VAT 19 %".to_owned(), euro(540)),
            ("Total".to_owned(), euro(3_380)),
        ],
        total: Some(euro(3_380)),
        most: None,
        notes: vec![ShopNote {
            kind: ShopNoteKind::Info,
            code: String::new(),
            text: "About 2 hours on a machine.".to_owned(),
            line: None,
        }],
        links: vec![("Terms of service".to_owned(), "https://workshop.example/terms".to_owned())],
        address: Some(0),
        goes_to: Some(home()),
        leaves: Vec::new(),
        told: ShopTold::Told,
        deliveries: vec![option("standard", "Standard", 490, true), option("express", "Express", 1_290, false)],
        pay: Some(ways[0].0.clone()),
        ways,
        busy: None,
        problem: None,
        was: None,
        why_not: None,
        purchase: None,
    }
}

/// Everything that the window can show, and the person's addresses.
pub(crate) fn full() -> (ShopView, AddressBook) {
    let quote = ShopQuote {
        design: Some(DesignHash(ContentHash([7; 32]))),
        name: "Shelf".to_owned(),
        quantity: 1,
        item: Some("made_7f3c".to_owned()),
        price: Some(euro(2_350)),
        parts: vec![("Material".to_owned(), euro(420)), ("Machine time".to_owned(), euro(1_930))],
        lead_s: 9_000,
        findings: Vec::new(),
        fit: ShopFit::Nothing,
        until: None,
        busy: None,
        problem: None,
    };
    let view = ShopView {
        merchants: vec![merchant(shop(), "The shop", false), merchant(workshop(), "The workshop", true)],
        words: "lamp".to_owned(),
        goods: vec![
            good("lamp_white", "Desk lamp, white", 3_900, None),
            good("lamp_black", "Desk lamp, black", 4_100, Some("sold out")),
            good("bulb", "Light bulb, 7 W, E27", 690, None),
        ],
        quotes: [(workshop(), quote)].into(),
        carts: [(workshop(), cart())].into(),
        ..ShopView::default()
    };
    (view, AddressBook { addresses: vec![home()] })
}

pub(super) fn home() -> AddressEntry {
    AddressEntry {
        label: "Home".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Example".to_owned(),
        email: "ada@example.com".to_owned(),
        street: "11 Example Street".to_owned(),
        postal_code: "12345".to_owned(),
        town: "Exampleton".to_owned(),
        country: "DE".to_owned(),
        ..AddressEntry::default()
    }
}

fn purchase(n: u8, state: PurchaseState, line: Option<OrderLine>) -> PurchaseUpdate {
    let mark = SnapshotMark { events: 3, adjustments: 0, last: None, digest: ContentHash([1; 32]), revision: None };
    let note = |id: &str, when: &str, text: &str| OrderNote {
        id: id.to_owned(),
        at: at(when),
        kind: "processing".to_owned(),
        text: text.to_owned(),
    };
    let order = line.map(|line| OrderView {
        lines: vec![line],
        total: euro(3_380),
        refunded: euro(0),
        notes: vec![
            note("1", "2026-11-27T14:05:00Z", "The order is taken."),
            note("2", "2026-11-27T14:06:12Z", "The design can be made."),
            note("3", "2026-11-27T14:09:41Z", "A machine has begun."),
        ],
        expected: Some((at("2026-11-30T08:00:00Z"), at("2026-12-01T08:00:00Z"))),
        cancellable: false,
        permalink: "https://workshop.example/orders/ord_01".to_owned(),
        mark,
    });
    PurchaseUpdate {
        id: PurchaseId([n; 16]),
        user: UserId::slug("ada"),
        system: workshop(),
        checkout: CheckoutId::new(format!("chk_{n}")).unwrap(),
        state,
        total: euro(3_380),
        order,
        checked: Some(at("2026-11-27T14:20:00Z")),
        said: None,
        confirmed: Timestamp(at("2026-11-27T14:03:00Z").0 + u64::from(n)),
        at: at("2026-11-27T14:20:00Z"),
    }
}

pub(crate) fn line(making: Option<Making>, carrying: Carrying) -> OrderLine {
    OrderLine {
        id: LineId::new("li_1").unwrap(),
        item: "made_7f3c".to_owned(),
        title: "Lamp, made to your design".to_owned(),
        price: euro(2_350),
        ordered: 1,
        total: 1,
        fulfilled: 0,
        design: None,
        serials: Vec::new(),
        certificates: BTreeMap::new(),
        making,
        carrying,
        measured: None,
    }
}

/// An order in production, one on its way, one in doubt, one that was not placed.
pub(crate) fn bought() -> KnownPurchases {
    let order = || OrderId::new("ord_01").unwrap();
    let shipped = Carrying::Shipped {
        carrier: "Courier".to_owned(),
        tracking: "VC-4711".to_owned(),
        url: Some("https://courier.example/VC-4711".to_owned()),
    };
    let no =
        PurchaseState::NotPlaced { code: "payment_declined".to_owned(), reason: "The card was declined.".to_owned() };
    let asked = PurchaseState::Placing { attempts: 3, since: at("2026-11-27T14:03:10Z") };
    let making = Some(Making::InProduction { percent: 40 });
    let all = [
        purchase(4, PurchaseState::Placed { order: order() }, Some(line(making, Carrying::Nothing))),
        purchase(3, PurchaseState::Placed { order: order() }, Some(line(None, shipped))),
        purchase(2, asked, None),
        purchase(1, no, None),
    ];
    let by_id = all.into_iter().map(|update| (update.id, update)).collect();
    KnownPurchases { by_id, complete: true, ..KnownPurchases::default() }
}

pub(crate) fn app() -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, HudPlugin));
    let (view, book) = full();
    app.insert_resource(view).insert_resource(book).insert_resource(bought());
    app.insert_resource(crate::moment::utc());
    app.insert_resource(EnablerLink { state: LinkState::Connected, name: "home".to_owned() });
    app.insert_resource(EnablerClock(Some((at("2026-11-27T14:20:00Z"), 0.0))));
    let designed = DesignView { hash: Some(ContentHash([7; 32])), findings: Vec::new(), ..crate::window::designed() };
    app.insert_resource(designed);
    app.init_resource::<Sent>().add_systems(Last, record);
    app.world_mut().write_message(HudAction::Open(HudWindow::Shop));
    frames(&mut app);
    app
}

pub(super) fn frames(app: &mut App) {
    for _ in 0..3 {
        app.update();
    }
}

pub(crate) fn show(app: &mut App, part: ShopPart) {
    app.world_mut().write_message(HudAction::PrepareShop(PrepareShop::Show(part)));
    frames(app);
}

fn text(app: &App) -> String {
    hud_texts(app.world()).join("\n")
}

#[track_caller]
pub(crate) fn says(app: &App, words: &str) {
    let text = text(app);
    assert!(text.contains(words), "{words:?} is not in {text}");
}

/// Presses a button by what it says.
#[track_caller]
pub(crate) fn press(app: &mut App, label: &str) {
    let button = find_button(app.world(), label).unwrap_or_else(|| panic!("no {label:?} in {}", text(app)));
    app.world_mut().trigger(bevy::ui_widgets::Activate { entity: button });
    frames(app);
}

#[track_caller]
pub(crate) fn is_disabled(app: &App, label: &str) -> bool {
    let button = find_button(app.world(), label).unwrap_or_else(|| panic!("no {label:?} in {}", text(app)));
    app.world().get::<bevy::ui::InteractionDisabled>(button).is_some()
}

/// Everything that was asked for, but for a look.
#[derive(Resource, Default)]
pub(crate) struct Sent(Vec<Shop>, pub(crate) Vec<ManagePurchases>, pub(crate) Vec<KeepProduct>);

fn record(
    mut sent: ResMut<Sent>,
    mut shop: MessageReader<Shop>,
    mut manage: MessageReader<ManagePurchases>,
    mut keep: MessageReader<KeepProduct>,
) {
    sent.0.extend(shop.read().cloned());
    sent.1.extend(manage.read().cloned());
    sent.2.extend(keep.read().cloned());
}

pub(super) fn sent(app: &App) -> Vec<Shop> {
    app.world().resource::<Sent>().0.iter().filter(|wish| **wish != Shop::Look).cloned().collect()
}

#[test]
fn its_key_opens_it_and_what_is_known_is_looked_at_anew() {
    let mut app = app();
    assert_eq!(*app.world().resource::<State<Attention>>().get(), Attention::Panel);
    press(&mut app, "Close");
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(KeyCode::KeyO);
    app.update();
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().clear();
    frames(&mut app);
    assert_eq!(app.world().resource::<Sent>().0, [Shop::Look, Shop::Look], "each time that it opens");
    says(&app, "Desk lamp, white");
}

#[test]
fn goods_go_into_the_cart_and_what_is_sold_out_says_so() {
    let mut app = app();
    says(&app, "sold out");
    press(&mut app, "Add to cart");
    assert_eq!(sent(&app), [Shop::Add { system: shop(), items: vec![("lamp_white".to_owned(), 1)] }]);
    let mut view = app.world_mut().resource_mut::<ShopView>();
    view.merchants[0].agreed = false;
    view.goods.clear();
    frames(&mut app);
    says(&app, "Your name and address go to it only when you send them");
    press(&mut app, "Agree with The shop");
    assert!(sent(&app).contains(&Shop::Agree(shop())));
    app.world_mut().resource_mut::<ShopView>().merchants[0].why_not = Some("it is away".to_owned());
    frames(&mut app);
    assert!(is_disabled(&app, "Agree with The shop"));
    says(&app, "it is away");
}

#[test]
fn what_is_missing_elsewhere_is_looked_for_here() {
    let mut app = app();
    press(&mut app, "Close");
    app.world_mut().write_message(HudAction::PrepareShop(PrepareShop::Find("screws".to_owned())));
    frames(&mut app);
    assert_eq!(sent(&app).last(), Some(&Shop::Search("screws".to_owned())));
    says(&app, "Desk lamp, white");
}

#[test]
fn the_click_that_costs_money_says_how_much_and_is_two() {
    let mut app = app();
    show(&mut app, ShopPart::Carts);
    press(&mut app, "Order for 33.80 EUR");
    assert_eq!(sent(&app), [], "one press asks for another");
    press(&mut app, "Press again: order for 33.80 EUR");
    assert_eq!(sent(&app), [Shop::Confirm { system: workshop(), shown: euro(3_380) }]);
}

#[test]
fn another_total_is_another_button() {
    let mut app = app();
    show(&mut app, ShopPart::Carts);
    press(&mut app, "Order for 33.80 EUR");
    let mut view = app.world_mut().resource_mut::<ShopView>();
    let cart = view.carts.get_mut(&workshop()).unwrap();
    (cart.total, cart.was) = (Some(euro(3_480)), Some(euro(3_380)));
    frames(&mut app);
    says(&app, "It costs 34.80 EUR now. When you last saw it, it was 33.80 EUR.");
    assert!(
        find_button(app.world(), "Press again: order for 34.80 EUR").is_none(),
        "the first press was for another sum"
    );
    press(&mut app, "Order for 34.80 EUR");
    assert_eq!(sent(&app), []);
}

#[test]
fn what_cannot_be_confirmed_says_why_and_what_leaves_is_listed() {
    let mut app = app();
    show(&mut app, ShopPart::Carts);
    let mut view = app.world_mut().resource_mut::<ShopView>();
    let cart = view.carts.get_mut(&workshop()).unwrap();
    cart.why_not = Some("say where it goes, and send that to the merchant".to_owned());
    cart.leaves = vec![("Street".to_owned(), "11 Example Street".to_owned()), ("Country".to_owned(), "DE".to_owned())];
    frames(&mut app);
    assert!(is_disabled(&app, "Order for 33.80 EUR"));
    says(&app, "Not yet: say where it goes");
    says(&app, "The workshop will be told exactly this:\nStreet: 11 Example Street  ·  Country: DE");
    press(&mut app, "Send this to The workshop");
    press(&mut app, "Express");
    press(&mut app, "Sandbox, declined");
    let option = Shop::Deliver { system: workshop(), group: "grp_1".to_owned(), option: "express".to_owned() };
    let wishes = sent(&app);
    assert!(wishes.contains(&Shop::Send(workshop())) && wishes.contains(&option), "{wishes:?}");
    assert!(matches!(wishes.last(), Some(Shop::Pay { with, .. }) if with.instrument == "sandbox-declined"));
}

#[test]
fn a_design_is_ordered_from_its_window_and_one_that_cannot_be_made_is_not() {
    let mut app = app();
    press(&mut app, "Close");
    app.world_mut().write_message(HudAction::Open(HudWindow::Design));
    frames(&mut app);
    press(&mut app, "Order it");
    says(&app, "For each, without taxes and delivery");
    press(&mut app, "Go to the cart");
    says(&app, "Lamp, made to your design");
    show(&mut app, ShopPart::Design);
    press(&mut app, "+");
    says(&app, "ask again");
    press(&mut app, "Ask what it costs");
    assert_eq!(sent(&app), [Shop::Quote { system: workshop(), quantity: 2, shows: None }]);
    let finding =
        DesignFinding { says: "The arm is too thin.".to_owned(), blocks: true, part: None, places: Vec::new() };
    app.world_mut().resource_mut::<DesignView>().findings = vec![finding];
    frames(&mut app);
    assert!(is_disabled(&app, "Ask what it costs"));
    says(&app, "it cannot be made: The arm is too thin.");
}

#[test]
fn addresses_are_written_and_stay_here() {
    let mut app = app();
    show(&mut app, ShopPart::Addresses);
    says(&app, "Ada Example, 11 Example Street, 12345 Exampleton, DE");
    press(&mut app, "New address");
    let field = ShopField::Address(1, AddressPart::Country);
    app.world_mut().write_message(HudAction::PrepareShop(PrepareShop::Write(field)));
    frames(&mut app);
    let mut capturing = app.world_mut().resource_mut::<crate::window::Capturing>();
    capturing.wrote(|line| line.insert("de"));
    frames(&mut app);
    assert_eq!(app.world().resource::<AddressBook>().addresses[1].country, "DE");
    press(&mut app, "Ready");
    assert!(sent(&app).is_empty());
    press(&mut app, "Remove");
    press(&mut app, "Really remove it?");
    assert_eq!(app.world().resource::<AddressBook>().addresses.len(), 1);
}

#[test]
fn orders_say_how_far_they_are_and_what_is_in_doubt() {
    let mut app = app();
    show(&mut app, ShopPart::Orders);
    says(&app, "in production, 40 %");
    says(&app, "Courier has it under VC-4711, https://courier.example/VC-4711");
    says(&app, "Asked at 14:03:10, no answer yet (3rd time). It is ordered once or not at all.");
    says(&app, "Nothing was ordered: The card was declined.");
    says(&app, "Expected Mon 30 Nov to Tue 1 Dec");
    app.world_mut().resource_mut::<KnownPurchases>().in_doubt.insert(PurchaseId([9; 16]));
    frames(&mut app);
    says(&app, "nothing is ordered twice");
    let order = HudAction::PrepareShop(PrepareShop::Order(Some(PurchaseId([4; 16]))));
    app.world_mut().write_message(order);
    frames(&mut app);
    says(&app, "14:09:41  A machine has begun.");
    assert!(is_disabled(&app, "Cancel the order"));
    says(&app, "It cannot be cancelled: the merchant takes no cancellation any more.");
    let mut known = app.world_mut().resource_mut::<KnownPurchases>();
    known.by_id.get_mut(&PurchaseId([4; 16])).unwrap().order.as_mut().unwrap().cancellable = true;
    known.refused.insert(PurchaseId([4; 16]), Refusal::new(RefusalCode::Conflict, "too late"));
    frames(&mut app);
    says(&app, "It was not cancelled: too late");
    press(&mut app, "Cancel the order");
    press(&mut app, "Really cancel it?");
    let asked = &app.world().resource::<Sent>().1;
    assert_eq!(*asked, [ManagePurchases::Cancel(PurchaseId([4; 16]))]);
}

#[test]
fn a_lost_link_disables_everything_that_asks() {
    let mut app = app();
    app.world_mut().resource_mut::<EnablerLink>().state = LinkState::Connecting;
    frames(&mut app);
    says(&app, "nothing can be bought now");
    assert!(is_disabled(&app, "Look for it"));
    assert!(app.world().resource::<Screen>().root(Surface::Window).is_some());
}
