//! From a dish to a full cart and a full fridge: the kitchen against an enabler that is a pair of queues.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bevy::prelude::*;
use vestibule_model::{
    Authorization, CallStatus, CallUpdate, FeatureId, FeatureInfo, FeatureKind, Json, PropertyId, PropertyInfo,
    Pseudonym, ServiceId, ServiceInfo, Sharing, StepKey, StepStatus, StepUpdate, SystemHealth, SystemId, SystemInfo,
    SystemKind, Timestamp, TwinId, TwinInfo, UserId, Value, ValueType,
};
use vestibule_plugin_commerce::CommercePlugin;
use vestibule_plugin_kitchen::KitchenPlugin;
use vestibule_protocol::{Event, Request, Response, SystemView};
use vestibule_tests::{FakeEnabler, reading, view};
use vestibule_twin::{Cook, EnablerClock, KitchenDecision, KitchenFood, KitchenView, Shop, ShopView};

use crate::{app, frames, messages};

const CATALOGUE: &str = r#"{"ucp": {"version": "2026-04-08"}, "products": [
    {"id": "milk", "title": "Milk", "price_range": {"min": {"amount": 129, "currency": "EUR"}, "max": {"amount": 129, "currency": "EUR"}},
     "variants": [{"id": "milk_1l", "title": "1 l", "price": {"amount": 129, "currency": "EUR"}}]}]}"#;

fn grocer() -> SystemId {
    SystemId::slug("grocer")
}

fn search() -> ServiceId {
    ServiceId::slug("search")
}

/// A fridge whose only property is how much milk it has.
fn fridge() -> TwinInfo {
    let mut property = PropertyInfo::new(ValueType::AnyNumber);
    property.unit = Some("mL".to_owned());
    let milk = FeatureInfo {
        name: "Milk".to_owned(),
        kind: FeatureKind::Sensor,
        class: None,
        properties: [(PropertyId::slug("value"), property)].into(),
        actions: BTreeMap::new(),
        events: std::collections::BTreeSet::new(),
    };
    let mut info = TwinInfo::new(TwinId::of(&SystemId::slug("home"), "fridge"), "Fridge");
    info.features.insert(FeatureId::slug("milk"), milk);
    info
}

fn kitchen() -> (App, FakeEnabler) {
    let (mut app, mut enabler) = app();
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/recipes");
    app.add_plugins(KitchenPlugin { folder: None, recipes: Some(recipes) });
    enabler.tell(&Event::Twin(Box::new(view(fridge(), 2))));
    frames(&mut app, &mut enabler, 2);
    enabler.report(2, 0, reading(Value::Int(400), 1));
    frames(&mut app, &mut enabler, 8);
    (app, enabler)
}

fn plan(app: &mut App, enabler: &mut FakeEnabler) {
    let now = app.world().resource::<EnablerClock>().0.unwrap().0;
    app.world_mut().write_message(Cook::Choose { recipe: "pancakes".to_owned(), at: now.plus(90_000_000) });
    frames(app, enabler, 8);
}

fn milk(app: &App) -> KitchenFood {
    let foods = &app.world().resource::<KitchenView>().foods;
    foods.iter().find(|food| food.id == "milk").unwrap_or_else(|| panic!("{foods:#?}")).clone()
}

/// Takes the oldest question of a kind out of those that were asked.
#[track_caller]
fn asked(enabler: &mut FakeEnabler, is: impl Fn(&Request) -> bool) -> (u64, Request) {
    let place = enabler.asked.iter().position(|(_, request)| is(request));
    enabler.asked.remove(place.unwrap_or_else(|| panic!("not among {:?}", enabler.asked)))
}

#[test]
fn what_a_thing_reports_decides_what_is_missing() {
    let (mut app, mut enabler) = kitchen();
    plan(&mut app, &mut enabler);
    let before = milk(&app);
    assert_eq!((before.there.as_str(), before.missing.as_str()), ("400 ml", "100 ml"));
    assert_eq!(before.sources[0].place, "Fridge, Milk");
    enabler.report(2, 0, reading(Value::Int(1_400), 2));
    frames(&mut app, &mut enabler, 10);
    assert_eq!((milk(&app).decision, milk(&app).there.as_str()), (KitchenDecision::Enough, "1.4 l"));
}

/// A kitchen with a plan, and a grocer that has milk.
fn supplied() -> (App, FakeEnabler) {
    let (mut app, mut enabler) = kitchen();
    plan(&mut app, &mut enabler);
    let (id, _) = asked(&mut enabler, |request| matches!(request, Request::DiscoverSystems(_)));
    let mut info = SystemInfo::new(grocer(), SystemKind::ThirdParty, "The grocer");
    info.system_type = "supplier".to_owned();
    let delivers = r#"{"days":[1,2,3,4,5,6,7],"hours":[[0,1],[6,7],[12,13]],"cut_off_s":0,"price":390}"#;
    let said = [("hours", "Mo-Su 00:00-24:00"), ("delivers", delivers)];
    info.properties = said.map(|(name, said)| (name.to_owned(), said.to_owned())).into();
    info.services.insert(search(), ServiceInfo { timeout_ms: 10_000, ..ServiceInfo::new("Search") });
    let health = SystemHealth { online: true, ..SystemHealth::default() };
    let usable = BTreeMap::new();
    enabler.respond(id, &Response::Systems(vec![SystemView { info: Arc::new(info), health, usable }]));
    let (id, _) = asked(&mut enabler, |request| matches!(request, Request::Authorizations));
    let agreed = Authorization {
        system: grocer(),
        pseudonym: Pseudonym::slug("u-1"),
        services: [search()].into(),
        share: Sharing::default(),
        until: Timestamp(u64::MAX),
        account: None,
        since: Timestamp(0),
    };
    enabler.respond(id, &Response::Authorizations(vec![agreed]));
    frames(&mut app, &mut enabler, 6);
    let (id, request) = asked(&mut enabler, |request| matches!(request, Request::Invoke(_)));
    let Request::Invoke(call) = request else { panic!("{request:?}") };
    let at = Timestamp(1_000_000);
    let (key, system, service) = (StepKey::slug("use"), grocer(), search());
    let step = StepUpdate { key, system, service, status: StepStatus::Done, attempts: 1, at };
    let (user, output) = (UserId::slug("owner"), Some(Json::new(CATALOGUE).unwrap()));
    let update = CallUpdate { call: call.id, user, status: CallStatus::Succeeded, steps: vec![step], output, at };
    enabler.respond(id, &Response::Call(update));
    frames(&mut app, &mut enabler, 8);
    (app, enabler)
}

#[test]
fn what_is_missing_goes_into_the_cart_of_whoever_has_it() {
    let (mut app, _enabler) = supplied();
    let seen = app.world().resource::<KitchenView>().clone();
    assert_eq!(milk(&app).goods, "1 × Milk, 1 l", "{:#?}", seen.suppliers);
    let flour = seen.foods.iter().find(|food| food.id == "flour_wheat").unwrap();
    assert_eq!(flour.decision, KitchenDecision::NoSupplier, "it has no flour");
    assert_eq!((seen.orders[0].total.amount, seen.not_ready.as_deref()), (129 + 390, None));
    app.world_mut().write_message(Cook::Order);
    app.update();
    let items = vec![("milk_1l".to_owned(), 1)];
    assert_eq!(messages::<Shop>(&app), [Shop::Add { system: grocer(), items }]);
}

/// The person presses again before the merchant has said anything.
#[test]
fn a_cart_is_not_filled_twice() {
    let (mut app, mut enabler) = supplied();
    app.add_plugins(CommercePlugin::default());
    for _ in 0..3 {
        app.world_mut().write_message(Cook::Order);
        frames(&mut app, &mut enabler, 30);
        let cart = app.world().resource::<ShopView>().carts[&grocer()].clone();
        assert_eq!((cart.wanted, cart.lines.len()), (vec![("milk_1l".to_owned(), 1)], 0), "nobody has answered");
    }
    let seen = app.world().resource::<KitchenView>().clone();
    assert!(seen.orders[0].in_cart && seen.not_ready.is_some_and(|why| why.contains("in the cart")));
    let checkouts = enabler.asked.iter().filter(|(_, request)| match request {
        Request::Invoke(call) => call.steps[0].service.as_str() == "checkout",
        _ => false,
    });
    assert_eq!(checkouts.count(), 1, "the merchant is asked once");
}
