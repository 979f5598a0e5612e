//! Buying: from a word to an order, over an enabler that is a pair of queues and a merchant that is a function.

use std::{sync::Arc, time::Duration};

use bevy::{prelude::*, time::TimeUpdateStrategy};
use vestibule_model::{
    Authorization, CallStatus, CallUpdate, Carrying, Confirmation, ContentHash, Json, LineId, Making, Money, OrderId,
    OrderLine, OrderView, PayWith, Product, Pseudonym, PurchaseState, PurchaseUpdate, Refusal, RefusalCode, RuleId,
    Serial, ServiceId, ServiceInfo, Sharing, SnapshotMark, StepKey, StepStatus, StepUpdate, SystemHealth, SystemId,
    SystemInfo, SystemKind, Timestamp, TwinId, UserId,
};
use vestibule_plugin_commerce::CommercePlugin;
use vestibule_plugin_enabler::{EnablerConnection, EnablerPlugin};
use vestibule_protocol::{Event, LinkEvent, Request, Response, SystemView};
use vestibule_tests::{FakeEnabler, FakeLink};
use vestibule_twin::{AddressBook, AddressEntry, KnownPurchases, Notify, Shop, ShopCart, ShopView, model::PurchaseId};

use crate::frames;

fn shop() -> SystemId {
    SystemId::slug("shop")
}

fn euro(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

/// What the enabler and the merchant behind it say, and what they heard.
#[derive(Default)]
struct Market {
    given: Vec<(ContentHash, String, Vec<u8>)>,
    inputs: Vec<(String, String)>,
    confirmed: Vec<Confirmation>,
    asked_for: Vec<PurchaseId>,
    /// Confirmations are heard and not answered.
    mute: bool,
}

const SERVICES: [&str; 4] = ["search", "checkout", "look_checkout", "cancel_checkout"];

impl Market {
    /// Answers everything that was asked.
    fn serve(&mut self, app: &mut App, enabler: &mut FakeEnabler) {
        for _ in 0..8 {
            frames(app, enabler, 2);
            for (id, request) in std::mem::take(&mut enabler.asked) {
                if let Some(response) = self.answer(request) {
                    enabler.respond(id, &response);
                }
            }
        }
    }

    fn answer(&mut self, request: Request) -> Option<Response> {
        Some(match request {
            Request::DiscoverSystems(_) => Response::Systems(vec![known()]),
            Request::Authorizations => Response::Authorizations(vec![agreed()]),
            Request::Purchases { .. } => Response::Purchases(Vec::new()),
            Request::Give { hash, size, media, offset, bytes } => {
                assert_eq!(offset, 0, "it is short");
                self.given.push((hash, media, bytes));
                Response::Given { next: size }
            }
            Request::Invoke(call) => {
                let service = call.steps[0].service.clone();
                self.inputs.push((service.to_string(), call.input.as_str().to_owned()));
                let output = if service.as_str() == "search" { found() } else { checkout(call.input.as_str()) };
                let at = Timestamp(1_000_000);
                let (key, status) = (StepKey::slug("use"), StepStatus::Done);
                let step = StepUpdate { key, system: shop(), service, status, attempts: 1, at };
                let (user, output) = (UserId::slug("owner"), Some(Json::new(output).unwrap()));
                let (status, steps) = (CallStatus::Succeeded, vec![step]);
                Response::Call(CallUpdate { call: call.id, user, status, steps, output, at })
            }
            Request::Confirm(confirmation) => {
                self.confirmed.push(*confirmation.clone());
                if self.mute {
                    return None;
                }
                Response::Purchase(Box::new(purchase(&confirmation, PurchaseState::Confirmed, None, 2)))
            }
            Request::Purchase(id) => {
                self.asked_for.push(id);
                match self.confirmed.iter().find(|confirmed| confirmed.id == id) {
                    Some(known) => Response::Purchase(Box::new(purchase(known, placed(), None, 3))),
                    None => Response::Refused(Refusal::new(RefusalCode::NotFound, "there is none")),
                }
            }
            other => panic!("{other:?}"),
        })
    }
}

fn known() -> SystemView {
    let mut info = SystemInfo::new(shop(), SystemKind::ThirdParty, "The shop");
    let services = SERVICES.map(ServiceId::slug);
    info.services = services.iter().map(|id| (id.clone(), ServiceInfo::new(id.as_str()))).collect();
    let usable = services.into_iter().map(|id| (id, RuleId::slug("everybody"))).collect();
    let health = SystemHealth { online: true, ..SystemHealth::default() };
    SystemView { info: Arc::new(info), health, usable }
}

fn agreed() -> Authorization {
    Authorization {
        system: shop(),
        pseudonym: Pseudonym::slug("u-1"),
        services: SERVICES.map(ServiceId::slug).into(),
        share: Sharing::default(),
        until: Timestamp(10_000_000),
        account: None,
        since: Timestamp(0),
    }
}

fn found() -> String {
    r#"{"ucp":{"version":"2026-04-08"},"products":[{"id":"p","title":"Desk lamp",
        "price_range":{"min":{"amount":3900,"currency":"EUR"},"max":{"amount":3900,"currency":"EUR"}},
        "variants":[{"id":"lamp","title":"Desk lamp","price":{"amount":3900,"currency":"EUR"}}]}]}"#
        .to_owned()
}

/// A merchant that wants to know where it goes and how, and is ready then.
fn checkout(input: &str) -> String {
    let (told, chosen) = (input.contains("$person"), input.contains("selected_option_id"));
    let (status, carried) = if told && chosen { ("ready_for_complete", 490) } else { ("incomplete", 0) };
    let option = if chosen { r#","selected_option_id":"standard""# } else { "" };
    let fulfillment = if told {
        format!(
            r#","fulfillment":{{"methods":[{{"id":"m","type":"shipping","line_item_ids":["li_1"],
                "destinations":[{{"id":"dest_1"}}],"selected_destination_id":"dest_1","groups":[{{"id":"g",
                "line_item_ids":["li_1"]{option},"options":[{{"id":"standard","title":"Standard",
                "totals":[{{"type":"total","amount":490}}]}}]}}]}}]}}"#
        )
    } else {
        String::new()
    };
    let shipping = if carried > 0 { r#"{"type":"fulfillment","amount":490},"# } else { "" };
    format!(
        r#"{{"ucp":{{"version":"2026-04-08","payment_handlers":{{"com.example.vestibule.sandbox_pay":[{{
            "id":"sandbox_1","version":"2026-11-26","available_instruments":[{{"type":"sandbox"}}]}}]}}}},
            "id":"chk_01","status":"{status}","currency":"EUR","links":[],
            "line_items":[{{"id":"li_1","item":{{"id":"lamp","title":"Desk lamp","price":3900}},"quantity":1,
            "totals":[{{"type":"total","amount":3900}}]}}],
            "totals":[{{"type":"subtotal","amount":3900}},{shipping}{{"type":"total","amount":{}}}]{fulfillment}}}"#,
        3_900 + carried
    )
}

fn placed() -> PurchaseState {
    PurchaseState::Placed { order: OrderId::new("ord_01").unwrap() }
}

fn purchase(confirmed: &Confirmation, state: PurchaseState, order: Option<OrderView>, at: u64) -> PurchaseUpdate {
    PurchaseUpdate {
        id: confirmed.id,
        user: UserId::slug("owner"),
        system: confirmed.system.clone(),
        checkout: confirmed.checkout.clone(),
        state,
        total: confirmed.total,
        order,
        checked: None,
        said: None,
        confirmed: Timestamp(1),
        at: Timestamp(at),
    }
}

fn order(making: Option<Making>, carrying: Carrying) -> OrderView {
    let line = OrderLine {
        id: LineId::new("li_1").unwrap(),
        item: "lamp".to_owned(),
        title: "Desk lamp".to_owned(),
        price: euro(3_900),
        ordered: 1,
        total: 1,
        fulfilled: 0,
        design: None,
        serials: Vec::new(),
        certificates: Default::default(),
        making,
        carrying,
        measured: None,
    };
    let mark = SnapshotMark { events: 1, adjustments: 0, last: None, digest: ContentHash([1; 32]), revision: None };
    OrderView {
        lines: vec![line],
        total: euro(4_390),
        refunded: euro(0),
        notes: Vec::new(),
        expected: None,
        cancellable: true,
        permalink: String::new(),
        mark,
    }
}

#[derive(Resource, Default)]
struct Told(Vec<String>);

fn listen(mut told: ResMut<Told>, mut notes: MessageReader<Notify>) {
    told.0.extend(notes.read().map(|note| format!("{}: {}", note.title, note.text)));
}

fn started(link: FakeLink, purchases: Option<std::path::PathBuf>) -> App {
    let mut app = App::new();
    app.add_plugins(MinimalPlugins)
        .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(50)))
        .add_plugins((EnablerPlugin { purchases, ..EnablerPlugin::default() }, CommercePlugin { seed: [3; 16] }))
        .init_resource::<Told>()
        .add_systems(Last, listen);
    let home = AddressEntry {
        last_name: "Example".to_owned(),
        email: "ada@example.com".to_owned(),
        street: "11 Example Street".to_owned(),
        postal_code: "12345".to_owned(),
        town: "Exampleton".to_owned(),
        country: "DE".to_owned(),
        ..AddressEntry::default()
    };
    app.insert_resource(AddressBook { addresses: vec![home] });
    app.world_mut().spawn(EnablerConnection::new("fake", Box::new(link)));
    app
}

fn app(purchases: Option<std::path::PathBuf>) -> (App, FakeEnabler, Market) {
    let (mut enabler, link) = FakeEnabler::new();
    let mut app = started(link, purchases);
    let mut market = Market::default();
    frames(&mut app, &mut enabler, 4);
    app.world_mut().write_message(Shop::Look);
    market.serve(&mut app, &mut enabler);
    (app, enabler, market)
}

fn view(app: &App) -> ShopView {
    app.world().resource::<ShopView>().clone()
}

fn cart(app: &App) -> ShopCart {
    view(app).carts.get(&shop()).cloned().expect("there is a cart")
}

fn told(app: &App) -> String {
    app.world().resource::<Told>().0.join("\n")
}

/// From a word to a cart that can be confirmed.
fn fill(app: &mut App, enabler: &mut FakeEnabler, market: &mut Market) {
    let with = PayWith { handler: "sandbox_1".to_owned(), instrument: "sandbox-ok".to_owned() };
    for wish in [
        Shop::Search("lamp".to_owned()),
        Shop::Add { system: shop(), items: vec![("lamp".to_owned(), 1)] },
        Shop::Address { system: shop(), address: 0 },
        Shop::Send(shop()),
        Shop::Deliver { system: shop(), group: "g".to_owned(), option: "standard".to_owned() },
        Shop::Pay { system: shop(), with },
    ] {
        app.world_mut().write_message(wish);
        market.serve(app, enabler);
    }
    assert_eq!(cart(app).why_not, None, "{:#?}", cart(app));
    assert_eq!(cart(app).total, Some(euro(4_390)));
}

fn confirm(app: &mut App, enabler: &mut FakeEnabler, market: &mut Market) {
    app.world_mut().write_message(Shop::Confirm { system: shop(), shown: euro(4_390) });
    market.serve(app, enabler);
}

#[test]
fn a_lamp_is_found_ordered_and_followed() {
    let (mut app, mut enabler, mut market) = app(None);
    fill(&mut app, &mut enabler, &mut market);
    assert_eq!(view(&app).goods[0].title, "Desk lamp");
    let [(hash, media, document)] = market.given.as_slice() else { panic!("{:?}", market.given.len()) };
    assert_eq!((ContentHash::of(document), media.as_str()), (*hash, "application/vnd.vestibule.person+json"));
    for (service, input) in &market.inputs {
        assert!(!input.contains("Example") && !input.contains("ada@"), "{service}: calls are written down for ever");
    }
    confirm(&mut app, &mut enabler, &mut market);
    let confirmed = market.confirmed.clone();
    assert_eq!((confirmed.len(), confirmed[0].total, confirmed[0].most), (1, euro(4_390), euro(4_390)));
    assert_eq!(cart(&app).purchase, Some(confirmed[0].id));
    for (at, state, view) in [
        (3, PurchaseState::Placing { attempts: 1, since: Timestamp(3) }, None),
        (4, placed(), Some(order(None, Carrying::Nothing))),
        (5, placed(), Some(order(None, Carrying::InTransit))),
        (6, placed(), Some(order(None, Carrying::Delivered))),
    ] {
        let update = purchase(&confirmed[0], state, view, at);
        enabler.tell(&Event::Purchase(Box::new(update.clone())));
        // Told twice, as networks do.
        enabler.tell(&Event::Purchase(Box::new(update)));
        frames(&mut app, &mut enabler, 3);
    }
    let words = told(&app);
    let lines: Vec<&str> = words.lines().collect();
    assert_eq!(lines, ["Ordered: Desk lamp, for 43.90 EUR", "On its way to you: Desk lamp", "Delivered: Desk lamp"]);
}

#[test]
fn a_link_that_breaks_after_the_click_orders_once() {
    let (mut app, mut enabler, mut market) = app(None);
    fill(&mut app, &mut enabler, &mut market);
    market.mute = true;
    confirm(&mut app, &mut enabler, &mut market);
    let id = market.confirmed[0].id;
    assert!(app.world().resource::<KnownPurchases>().in_doubt.contains(&id));
    // Whoever presses again in doubt orders nothing more.
    confirm(&mut app, &mut enabler, &mut market);
    enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 200);
    market.serve(&mut app, &mut enabler);
    assert_eq!((market.confirmed.len(), market.asked_for.as_slice()), (1, [id].as_slice()), "asked, not sent again");
    let known = app.world().resource::<KnownPurchases>();
    assert!(known.in_doubt.is_empty());
    assert_eq!(known.by_id[&id].state, placed());
    assert_eq!(cart(&app).purchase, Some(id));
}

#[test]
fn a_program_that_is_killed_after_the_click_asks_at_its_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("purchases.txt");
    let (mut first, mut enabler, mut market) = app(Some(file.clone()));
    fill(&mut first, &mut enabler, &mut market);
    market.mute = true;
    confirm(&mut first, &mut enabler, &mut market);
    let confirmed = market.confirmed.clone();
    drop(first);
    let (mut second, mut enabler, mut market) = app(Some(file.clone()));
    assert_eq!(market.asked_for, [confirmed[0].id], "it never arrived at this one");
    let known = second.world().resource::<KnownPurchases>();
    assert!(known.in_doubt.is_empty() && known.refused[&confirmed[0].id].message.contains("nothing was ordered"));
    market.serve(&mut second, &mut enabler);
    drop(second);
    let (_, _, market) = app(Some(file));
    assert!(market.asked_for.is_empty(), "what is known is not asked again");
}

/// Bound by another program, or before this one was started: it knows it as soon as it is connected.
#[test]
fn a_program_that_starts_anew_knows_what_is_bound() {
    let (mut enabler, link) = FakeEnabler::new();
    let (line, serial) = (LineId::new("li_1").unwrap(), Serial::new("W-1").unwrap());
    let twin = TwinId::new("home/lamp").unwrap();
    let (purchase, since) = (PurchaseId([1; 16]), Timestamp(5));
    let product = Product { purchase, line, serial: serial.clone(), twin, design: None, since };
    enabler.products.push(product.clone());
    let mut app = started(link, None);
    frames(&mut app, &mut enabler, 8);
    assert_eq!(app.world().resource::<KnownPurchases>().products.get(&serial), Some(&product));
    // Another program unbinds it while this one is away.
    enabler.products.clear();
    enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 200);
    assert!(app.world().resource::<KnownPurchases>().products.is_empty());
}
