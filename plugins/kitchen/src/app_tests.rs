use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use bevy::time::TimeUpdateStrategy;
use vestibule_model::{
    FeatureId, FeatureInfo, FeatureKind, PropertyId, PropertyInfo, Truth, TwinId, TwinInfo, Value, ValueType,
};
use vestibule_twin::{KitchenDecision, OverruleFood, Readiness, Reading, Twin};

use super::*;

const NOW: Timestamp = Timestamp(1_795_183_387_000);

fn app(folder: Option<&Path>) -> App {
    let mut app = App::new();
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/recipes");
    app.add_plugins(MinimalPlugins);
    app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(100)));
    app.add_plugins(KitchenPlugin { folder: folder.map(Path::to_owned), recipes: Some(recipes) });
    app.insert_resource(EnablerClock(Some((NOW, 0.0))));
    app.update();
    app
}

fn value() -> PropertyId {
    PropertyId::slug("value")
}

fn state(milk_ml: f64, at: f64) -> TwinState {
    let reading = Reading {
        value: Some(Value::Float(milk_ml)),
        desired: None,
        truth: Truth::Live,
        reported_at: Some(at),
        revision: 1,
    };
    let readings = BTreeMap::from([((FeatureId::slug("milk"), value()), reading)]);
    TwinState { readings: Arc::new(readings), reachable: true, ..TwinState::default() }
}

/// A fridge that lists so many millilitres of milk.
fn fridge(app: &mut App, milk_ml: f64) -> Entity {
    let mut info = TwinInfo::new(TwinId::new("home/fridge").unwrap(), "Fridge");
    let mut property = PropertyInfo::new(ValueType::AnyNumber);
    property.unit = Some("mL".to_owned());
    let milk = FeatureInfo {
        name: "Milk".to_owned(),
        kind: FeatureKind::Sensor,
        class: None,
        properties: [(value(), property)].into(),
        actions: BTreeMap::new(),
        events: BTreeSet::new(),
    };
    info.features.insert(FeatureId::slug("milk"), milk);
    let twin = Twin(info.id.clone());
    app.world_mut().spawn((twin, TwinRoot, TwinDescription(Arc::new(info)), state(milk_ml, 0.0))).id()
}

fn ask(app: &mut App, wish: Cook) {
    app.world_mut().write_message(wish);
    app.update();
}

fn view(app: &App) -> &KitchenView {
    app.world().resource::<KitchenView>()
}

fn food<'a>(app: &'a App, id: &str) -> &'a vestibule_twin::KitchenFood {
    view(app).foods.iter().find(|food| food.id == id).unwrap_or_else(|| panic!("no {id}: {:#?}", view(app).foods))
}

fn plan(app: &mut App, recipe: &str) {
    ask(app, Cook::Choose { recipe: recipe.to_owned(), at: NOW.plus(36_000_000) });
}

#[test]
fn a_dish_says_what_is_missing_and_why() {
    let mut app = app(None);
    fridge(&mut app, 400.0);
    plan(&mut app, "pancakes");
    let milk = food(&app, "milk");
    assert_eq!((milk.need.as_str(), milk.there.as_str(), milk.missing.as_str()), ("500 ml", "400 ml", "100 ml"));
    assert_eq!((milk.decision, milk.order.as_str()), (KitchenDecision::Order, "100 ml"));
    let source = &milk.sources[0];
    assert_eq!((source.place.as_str(), source.how, source.ignored.as_deref()), ("Fridge, Milk", "listed", None));
    assert_eq!((milk.reserved[0].dish.as_str(), milk.reserved[0].amount.as_str()), ("Pancakes", "400 ml"));
    let Readiness::Missing(missing) = &view(&app).dishes[0].ready else { panic!("{:?}", view(&app).dishes) };
    assert!(missing.contains(&"milk".to_owned()), "{missing:?}");
    ask(&mut app, Cook::Servings { dish: 1, servings: 2 });
    assert_eq!(food(&app, "milk").decision, KitchenDecision::Enough);
    plan(&mut app, "rice_pudding");
    assert_eq!(food(&app, "milk").missing, "850 ml", "two dishes do not drink the same milk");
}

#[test]
fn what_nobody_understands_is_not_said_to_be_there() {
    let mut app = app(None);
    let love = r#"{"@type": "Recipe", "name": "Love", "recipeIngredient": ["1 glimble of love"]}"#;
    ask(&mut app, Cook::Import(love.to_owned()));
    let recipe = view(&app).recipes.iter().find(|recipe| recipe.own).unwrap().clone();
    assert_eq!((recipe.ready, recipe.unclear.len()), (Readiness::Understood, 1));
    plan(&mut app, &recipe.key);
    assert_eq!(view(&app).dishes[0].ready, Readiness::Understood);
    ask(&mut app, Cook::When { dish: 1, at: Timestamp(NOW.0 - 4 * 3_600_000) });
    assert_eq!(view(&app).dishes[0].ready, Readiness::Over, "it waits for nobody");
}

#[test]
fn what_a_person_has_is_missing_to_nobody() {
    let mut app = app(None);
    plan(&mut app, "pancakes");
    let not_ready = |app: &App| view(app).not_ready.clone().unwrap_or_default();
    assert_eq!(not_ready(&app), "No supplier of groceries is known here.");
    let ordered = view(&app).foods.iter().filter(|food| !food.order.is_empty()).map(|food| food.id.clone());
    for ingredient in ordered.collect::<Vec<_>>() {
        ask(&mut app, Cook::Overrule { ingredient, by: Some(OverruleFood::Have) });
    }
    assert_eq!(not_ready(&app), "Nothing is missing.");
}

#[test]
fn what_things_report_counts_at_once_and_grows_old() {
    let mut app = app(None);
    let fridge = fridge(&mut app, 400.0);
    plan(&mut app, "pancakes");
    app.world_mut().entity_mut(fridge).insert(state(1_400.0, 0.3));
    for _ in 0..4 {
        app.update();
    }
    assert_eq!(food(&app, "milk").decision, KitchenDecision::Enough, "it was put away");
    // Nobody has told anything for three days.
    app.world_mut().entity_mut(fridge).insert(state(1_400.0, -260_000.0));
    for _ in 0..4 {
        app.update();
    }
    let milk = food(&app, "milk");
    assert_eq!((milk.there.as_str(), milk.missing.as_str()), ("", "500 ml"), "what is old is not believed");
    assert!(milk.sources[0].ignored.as_deref().is_some_and(|why| why.contains("too old")));
}

#[test]
fn a_person_overrules_counts_and_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(Some(folder.path()));
    plan(&mut app, "pancakes");
    let milk = |by| Cook::Overrule { ingredient: "milk".to_owned(), by };
    ask(&mut app, milk(Some(OverruleFood::Have)));
    assert_eq!((food(&app, "milk").decision, food(&app, "milk").order.as_str()), (KitchenDecision::Have, ""));
    ask(&mut app, milk(Some(OverruleFood::Order("2 l".to_owned()))));
    assert_eq!((food(&app, "milk").decision, food(&app, "milk").order.as_str()), (KitchenDecision::Said, "2 l"));
    ask(&mut app, milk(None));
    assert_eq!(food(&app, "milk").decision, KitchenDecision::Order);
    ask(&mut app, Cook::Count { ingredient: "milk".to_owned(), amount: "1 l".to_owned() });
    assert_eq!((food(&app, "milk").decision, food(&app, "milk").sources[0].how), (KitchenDecision::Enough, "counted"));
    ask(&mut app, Cook::Keep { ingredient: "milk".to_owned(), amount: "1 l".to_owned() });
    assert_eq!((food(&app, "milk").keep.as_str(), food(&app, "milk").missing.as_str()), ("1 l", "500 ml"));
    ask(&mut app, Cook::Keep { ingredient: "milk".to_owned(), amount: "loads".to_owned() });
    assert!(view(&app).problem.as_deref().is_some_and(|why| why.contains("loads")));
    ask(&mut app, Cook::Drop(1));
    assert_eq!(view(&app).problem, None, "what was done since is no problem");
    let again = app_tests::app(Some(folder.path()));
    assert_eq!((food(&again, "milk").keep.as_str(), food(&again, "milk").there.as_str()), ("1 l", "1 l"));
}

#[test]
fn a_counted_jar_is_no_growth_of_a_delivery() {
    let mut app = app(None);
    coming::tests::know_milk(&mut app.world_mut().resource_mut::<Kitchen>().book);
    ask(&mut app, Cook::Count { ingredient: "milk".to_owned(), amount: "900 ml".to_owned() });
    for fulfilled in [0, 1] {
        let order = coming::tests::line(1, fulfilled);
        let known = coming::tests::update(coming::tests::placed(), Some(order));
        app.insert_resource(coming::tests::purchases(known));
        for _ in 0..4 {
            app.update();
        }
        let milk = food(&app, "milk");
        assert_eq!((milk.there.as_str(), milk.way.as_str()), ("900 ml", "1 l"), "{fulfilled} of 1");
        assert_eq!(milk.coming[0].delivered, fulfilled == 1);
    }
    assert_eq!(view(&app).at_door.len(), 1);
    let line = vestibule_model::LineId::new("l1").unwrap();
    ask(&mut app, Cook::PutAway { purchase: vestibule_model::PurchaseId([1; 16]), line });
    assert_eq!((food(&app, "milk").there.as_str(), food(&app, "milk").way.as_str()), ("1.9 l", ""));
}

#[test]
fn what_is_late_is_told_until_somebody_gives_it_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(Some(folder.path()));
    coming::tests::know_milk(&mut app.world_mut().resource_mut::<Kitchen>().book);
    let milk = |by| Cook::Overrule { ingredient: "milk".to_owned(), by };
    ask(&mut app, milk(Some(OverruleFood::Order("1 l".to_owned()))));
    let known = coming::tests::update(coming::tests::placed(), Some(coming::tests::line(1, 0)));
    app.insert_resource(coming::tests::purchases(known));
    // It was promised for an hour after it was bought.
    app.insert_resource(EnablerClock(Some((NOW.plus(26 * 3_600_000), 0.0))));
    for _ in 0..4 {
        app.update();
    }
    assert_eq!((food(&app, "milk").way.as_str(), food(&app, "milk").coming[0].delivered), ("1 l", false));
    assert_eq!(food(&app, "milk").order, "", "it was ordered, and is not ordered once more");
    let late = view(&app).overdue[0].clone();
    assert_eq!(late.name, "1 l of milk");
    let again = app_tests::app(Some(folder.path()));
    assert_ne!(food(&again, "milk").decision, KitchenDecision::Said, "nor after the next start");
    ask(&mut app, Cook::NotCome { purchase: late.purchase, line: late.line });
    assert_eq!((food(&app, "milk").way.as_str(), view(&app).overdue.len()), ("", 0));
}

#[test]
fn nothing_is_reckoned_before_the_enabler_s_time_is_known() {
    let mut app = app(None);
    app.insert_resource(EnablerClock::default());
    plan(&mut app, "pancakes");
    assert_eq!((view(&app).now, view(&app).foods.len()), (None, 0));
    assert_eq!(view(&app).dishes[0].ready, Readiness::Unknown);
    assert!(view(&app).recipes.iter().all(|recipe| recipe.ready == Readiness::Unknown));
    ask(&mut app, Cook::Import("/nowhere/at/all.json".to_owned()));
    assert!(view(&app).problem.as_deref().is_some_and(|why| why.contains("/nowhere/at/all.json")));
}

#[test]
fn a_page_is_read_by_whoever_has_a_network() {
    let mut app = app(None);
    let address = "https://example.com/soup".to_owned();
    ask(&mut app, Cook::Import(address.clone()));
    assert!(view(&app).problem.as_deref().is_some_and(|why| why.contains("save it")), "there is nobody");
    app.insert_resource(ReadsPages);
    let asked = |app: &mut App| app.world_mut().resource_mut::<Messages<ReadPage>>().drain().collect::<Vec<_>>();
    ask(&mut app, Cook::Import(address.clone()));
    assert_eq!((view(&app).reading.as_ref(), view(&app).problem.as_ref()), (Some(&address), None));
    assert_eq!(asked(&mut app), [ReadPage::Begin(address.clone())]);
    ask(&mut app, Cook::StopReading);
    assert_eq!(view(&app).reading, None);
    assert_eq!(asked(&mut app), [ReadPage::Stop]);
    let page = r#"<script type="application/ld+json">{"@type": "Recipe", "name": "Leek soup",
        "recipeIngredient": ["2 leeks"]}</script>"#;
    let read = |app: &mut App, page: Result<String, String>| {
        app.world_mut().write_message(PageRead { address: address.clone(), page });
        app.update();
        app.update();
    };
    read(&mut app, Ok(page.to_owned()));
    assert!(!view(&app).recipes.iter().any(|recipe| recipe.own), "what was stopped is not taken in");
    ask(&mut app, Cook::Import(address.clone()));
    read(&mut app, Ok(page.to_owned()));
    assert!(view(&app).recipes.iter().any(|recipe| recipe.name == "Leek soup" && recipe.own));
    assert_eq!(view(&app).reading, None);
    ask(&mut app, Cook::Import(address.clone()));
    read(&mut app, Err("its server answers 404".to_owned()));
    let problem = view(&app).problem.clone().unwrap_or_default();
    assert!(problem.contains("https://example.com/soup cannot be read: its server answers 404."), "{problem}");
}

#[test]
fn instructions_say_what_is_missing_for_them() {
    let mut app = app(None);
    let part = |app: &App, name: &str| {
        let made = view(app).instructions.iter().find(|made| made.key == "hang_shelf").unwrap();
        made.parts.iter().find(|part| part.name == name).unwrap_or_else(|| panic!("{:?}", made.parts)).clone()
    };
    let screws = part(&app, "screws, 4 × 40 mm");
    assert_eq!((screws.words.as_str(), screws.needed, screws.missing, screws.how), ("2 screws, 4 × 40 mm", 2, 2, None));
    let drill = part(&app, "Drill");
    assert_eq!((drill.words.as_str(), drill.tool, drill.missing), ("Drill (a tool)", true, 1));
    ask(&mut app, Cook::CountParts { part: "screws, 4 × 40 mm".to_owned(), count: 1 });
    assert_eq!((part(&app, "screws, 4 × 40 mm").missing, part(&app, "screws, 4 × 40 mm").how), (1, Some("counted")));
    let mut info = TwinInfo::new(TwinId::new("home/box").unwrap(), "Box");
    let mut property = PropertyInfo::new(ValueType::AnyNumber);
    property.unit = Some("pcs".to_owned());
    let screws = FeatureInfo {
        name: "Screws, 4 × 40 mm".to_owned(),
        kind: FeatureKind::Sensor,
        class: None,
        properties: [(value(), property)].into(),
        actions: BTreeMap::new(),
        events: BTreeSet::new(),
    };
    info.features.insert(FeatureId::slug("milk"), screws);
    let twin = Twin(info.id.clone());
    app.world_mut().spawn((twin, TwinRoot, TwinDescription(Arc::new(info)), state(60.0, 0.0)));
    for _ in 0..4 {
        app.update();
    }
    assert_eq!((part(&app, "screws, 4 × 40 mm").missing, part(&app, "screws, 4 × 40 mm").how), (0, Some("told")));
}
