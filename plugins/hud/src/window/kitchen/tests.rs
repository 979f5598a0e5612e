use std::{collections::BTreeSet, time::Duration};

use bevy::{
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
    },
    time::TimeUpdateStrategy,
    ui::InteractionDisabled,
    ui_widgets::Activate,
};
use vestibule_input::Attention;
use vestibule_twin::{
    KitchenCook, KitchenDecision, KitchenDish, KitchenFood, KitchenGoods, KitchenInstructions, KitchenLost,
    KitchenMadePart, KitchenOffered, KitchenOrder, KitchenPart, KitchenPlace, KitchenRecipe, KitchenSource,
    KitchenSupplier, KitchenWay, Readiness,
    model::{LineId, Money, PurchaseId, SystemId},
};

use super::*;
use crate::{HudPlugin, find_button, find_named, hud_texts, moment::utc};

fn text(text: &str) -> String {
    text.to_owned()
}

fn now() -> Timestamp {
    Timestamp::from_utc("2026-11-26T14:00:00Z").unwrap()
}

fn milk() -> KitchenFood {
    let source = |amount: &str, place: &str, ignored: Option<&str>| KitchenSource {
        place: text(place),
        how: "listed",
        amount: text(amount),
        age_ms: 240_000,
        confidence: 898,
        ignored: ignored.map(str::to_owned),
    };
    let part = |amount: &str| KitchenPart { dish: text("Pancakes"), amount: text(amount) };
    KitchenFood {
        id: text("milk"),
        name: text("milk"),
        needed: vec![part("500 ml")],
        need: text("500 ml"),
        there: text("400 ml"),
        sources: vec![
            source("400 ml", "Fridge, Milk", None),
            source("1 l", "Cellar, Milk", Some("too old or too unsure a report")),
        ],
        reserved: vec![part("400 ml")],
        missing: text("100 ml"),
        order: text("100 ml"),
        by: Some(now().plus(5 * 3_600_000)),
        decision: KitchenDecision::Order,
        ..KitchenFood::default()
    }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

fn flour() -> KitchenFood {
    KitchenFood {
        id: text("flour_wheat"),
        name: text("flour"),
        need: text("250 g"),
        there: text("320 g"),
        ..KitchenFood::default()
    }
}

fn rice() -> KitchenFood {
    let way = KitchenWay { amount: text("1 kg"), arrives: Some(now().plus(3_600_000)), delivered: false };
    KitchenFood {
        id: text("rice"),
        name: text("rice"),
        way: text("1 kg"),
        coming: vec![way],
        keep: text("500 g"),
        decision: KitchenDecision::Coming,
        ..KitchenFood::default()
    }
}

/// How something else is made: one part is there, the other one is not.
fn shelf() -> KitchenInstructions {
    KitchenInstructions {
        key: text("shelf"),
        name: text("Hang a shelf"),
        description: text("On the wall."),
        parts: vec![
            KitchenMadePart {
                name: text("Drill"),
                words: text("Drill (a tool)"),
                tool: true,
                needed: 1,
                missing: 0,
                how: Some("counted"),
            },
            KitchenMadePart {
                name: text("screws, 4 mm"),
                words: text("2 screws, 4 mm"),
                tool: false,
                needed: 2,
                missing: 2,
                how: None,
            },
        ],
        steps: vec![text("Drill.")],
        own: true,
    }
}

/// A kitchen where pancakes are planned and milk is short.
pub(crate) fn kitchen() -> KitchenView {
    let recipe = |key: &str, name: &str, ready| KitchenRecipe {
        key: text(key),
        name: text(name),
        description: text("Thin ones."),
        serves: text("4 servings"),
        minutes: Some(35),
        lines: vec![text("250 g flour"), text("500 ml milk")],
        steps: vec![text("Whisk."), text("Bake.")],
        ready,
        ..KitchenRecipe::default()
    };
    let place = KitchenPlace {
        twin: TwinId::new("home/scale").unwrap(),
        feature: FeatureId::slug("weight"),
        name: text("Scale"),
        amount: text("70 kg"),
    };
    KitchenView {
        recipes: vec![
            recipe("omelette", "Cheese omelette", Readiness::Now),
            recipe("pancakes", "Pancakes", Readiness::Missing(vec![text("milk")])),
        ],
        instructions: vec![shelf()],
        dishes: vec![KitchenDish {
            id: 7,
            recipe: text("pancakes"),
            title: text("Pancakes"),
            at: now().plus(5 * 3_600_000),
            servings: 4,
            ready: Readiness::Missing(vec![text("milk")]),
            notes: vec![text("not understood: love")],
        }],
        foods: vec![milk(), flour(), rice()],
        places: vec![place],
        suppliers: vec![KitchenSupplier {
            system: SystemId::slug("farm"),
            name: text("Farm shop"),
            agreed: false,
            why_not: Some(text("nothing is agreed with it")),
        }],
        orders: vec![KitchenOrder {
            system: SystemId::slug("grocer"),
            name: text("The grocer"),
            distance_m: Some(2_040),
            goods: vec![KitchenGoods { words: text("1 × Milk, 1 l"), price: eur(129) }],
            delivery: eur(390),
            between: (now().plus(18 * 3_600_000), now().plus(20 * 3_600_000)),
            total: eur(519),
            at_most: eur(532),
            in_cart: false,
        }],
        now: Some(now()),
        ..KitchenView::default()
    }
}

fn app(view: KitchenView) -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, HudPlugin));
    app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(100)));
    app.insert_resource(view).insert_resource(utc());
    app.update();
    tap(&mut app, KeyCode::KeyF);
    app
}

fn tap(app: &mut App, key: KeyCode) {
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(key);
    app.update();
    let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
    keys.release(key);
    keys.clear();
    app.update();
}

fn write(app: &mut App, letters: &str) {
    for letter in letters.chars().map(Some).chain([None]) {
        let logical_key = letter.map_or(Key::Enter, |letter| Key::Character(letter.to_string().into()));
        let (key_code, window) = (KeyCode::F35, Entity::PLACEHOLDER);
        let text = letter.map(|letter| letter.to_string().into());
        let input = KeyboardInput { key_code, logical_key, state: ButtonState::Pressed, text, repeat: false, window };
        app.world_mut().write_message(input);
        app.update();
    }
    app.update();
}

/// Presses a button; what was asked for because of it.
#[track_caller]
fn click(app: &mut App, label: &str) -> Vec<Cook> {
    let entity = find_button(app.world(), label).unwrap_or_else(|| panic!("no button {label:?}"));
    app.world_mut().resource_mut::<Messages<Cook>>().clear();
    app.world_mut().trigger(Activate { entity });
    app.update();
    app.update();
    sent(app)
}

fn sent(app: &App) -> Vec<Cook> {
    let messages = app.world().resource::<Messages<Cook>>();
    messages.get_cursor().read(messages).cloned().collect()
}

fn reads(app: &App, text: &str) -> bool {
    hud_texts(app.world()).iter().any(|shown| shown.contains(text))
}

#[test]
fn its_key_opens_it_and_closes_it() {
    let mut app = app(kitchen());
    assert!(find_named(app.world(), "kitchen").is_some());
    assert_eq!(*app.world().resource::<State<Attention>>().get(), Attention::Panel);
    tap(&mut app, KeyCode::KeyF);
    app.update();
    assert!(find_named(app.world(), "kitchen").is_none());
}

#[test]
fn dishes_are_planned_for_tonight_changed_and_dropped() {
    let mut app = app(kitchen());
    let tonight = Timestamp::from_utc("2026-11-26T19:00:00Z").unwrap();
    assert!(reads(&app, "19:00") && reads(&app, "for 4") && reads(&app, "not understood: love"));
    assert!(reads(&app, "everything is there") && reads(&app, "missing: milk"));
    let plan = Cook::Choose { recipe: text("omelette"), at: tonight };
    assert_eq!(click(&mut app, "Plan Cheese omelette"), [plan]);
    assert_eq!(click(&mut app, "Pancakes for one more"), [Cook::Servings { dish: 7, servings: 5 }]);
    let later = Cook::When { dish: 7, at: tonight.plus(3_600_000) };
    assert_eq!(click(&mut app, "Pancakes an hour later"), [later]);
    assert_eq!(click(&mut app, "Drop Pancakes"), [Cook::Drop(7)]);
    app.world_mut().resource_mut::<KitchenView>().now = None;
    app.update();
    let button = find_button(app.world(), "Plan Pancakes").unwrap();
    assert!(app.world().get::<InteractionDisabled>(button).is_some(), "nobody knows when tonight is");
    assert!(reads(&app, "The enabler was not reached yet") || reads(&app, "milk"));
}

#[test]
fn nothing_is_said_to_be_there_that_nobody_understands() {
    let mut view = kitchen();
    (view.recipes[0].ready, view.dishes[0].ready) = (Readiness::Understood, Readiness::Over);
    view.dishes[0].servings = u32::MAX;
    let app = app(view);
    assert!(reads(&app, "all that is understood is there") && !reads(&app, "everything is there"));
    assert!(reads(&app, "its time is over: nothing is kept for it") && !reads(&app, "waits for the enabler"));
}

#[test]
fn each_food_says_why_and_can_be_overruled() {
    let mut app = app(kitchen());
    assert!(reads(&app, "buy 100 ml") && reads(&app, "enough") && reads(&app, "on its way"));
    assert_eq!(click(&mut app, "Why milk"), []);
    assert!(reads(&app, "400 ml · Fridge, Milk · listed 4 min ago · believed 89 %"));
    assert!(reads(&app, "does not count: too old or too unsure a report"));
    assert!(reads(&app, "Pancakes 500 ml") && reads(&app, "Pancakes 400 ml") && reads(&app, "by 19:00"));
    let overrule = |by| vec![Cook::Overrule { ingredient: text("milk"), by }];
    assert_eq!(click(&mut app, "milk: I have it"), overrule(Some(OverruleFood::Have)));
    assert_eq!(click(&mut app, "milk: I do without"), overrule(Some(OverruleFood::Without)));
    assert_eq!(click(&mut app, "milk: as reckoned"), overrule(None));
    click(&mut app, "milk buy exactly");
    write(&mut app, "2 l");
    assert_eq!(sent(&app), overrule(Some(OverruleFood::Order(text("2 l")))));
    click(&mut app, "Why milk");
    assert!(!reads(&app, "Fridge, Milk"));
    click(&mut app, "Why rice");
    assert!(reads(&app, "1 kg · by 15:00"));
    click(&mut app, "rice has to stay");
    assert!(reads(&app, "500 g|"), "what is there is changed");
    tap(&mut app, KeyCode::Escape);
}

#[test]
fn jars_places_and_recipes_are_written() {
    let mut app = app(kitchen());
    click(&mut app, "Count a jar");
    write(&mut app, "salt 200 g");
    assert_eq!(sent(&app), [Cook::Count { ingredient: text("salt"), amount: text("200 g") }]);
    app.world_mut().resource_mut::<Messages<Cook>>().clear();
    click(&mut app, "What lies on Scale");
    write(&mut app, "sugar");
    let (twin, feature) = (TwinId::new("home/scale").unwrap(), FeatureId::slug("weight"));
    assert_eq!(sent(&app), [Cook::Lies { twin, feature, food: text("sugar") }]);
    app.world_mut().resource_mut::<Messages<Cook>>().clear();
    click(&mut app, "A recipe, its page or its file");
    write(&mut app, "/tmp/soup.json");
    assert_eq!(sent(&app), [Cook::Import(text("/tmp/soup.json"))]);
    app.world_mut().resource_mut::<KitchenView>().reading = Some(text("https://example.com/soup"));
    app.update();
    assert!(reads(&app, "Reading https://example.com/soup ..."));
    assert_eq!(click(&mut app, "Stop reading the page"), [Cook::StopReading]);
    assert_eq!(click(&mut app, "Buy what no dish insists on"), [Cook::BuyOptional(true)]);
    app.world_mut().resource_mut::<KitchenView>().problem = Some(text("It cannot be read."));
    app.update();
    assert!(reads(&app, "It cannot be read."));
}

#[test]
fn what_is_ordered_is_seen_with_its_sum_and_a_reason() {
    let mut app = app(kitchen());
    assert!(reads(&app, "2.0 km away · brings it Fri 27 Nov, 08:00 to 10:00"));
    assert!(reads(&app, "5.19 EUR with 3.90 EUR for bringing it, at most 5.32 EUR once it is weighed"));
    assert!(reads(&app, "1 × Milk, 1 l 1.29 EUR"));
    assert_eq!(click(&mut app, "Put it into the cart"), [Cook::Order]);
    assert_eq!(click(&mut app, "Agree with Farm shop"), [Cook::Agree(SystemId::slug("farm"))]);
    app.world_mut().resource_mut::<KitchenView>().not_ready = Some(text("Nothing is missing."));
    app.update();
    let button = find_button(app.world(), "Put it into the cart").unwrap();
    assert!(app.world().get::<InteractionDisabled>(button).is_some() && reads(&app, "Nothing is missing."));
}

#[test]
fn what_is_late_is_not_at_the_door_and_can_be_given_up() {
    let mut view = kitchen();
    view.foods[2].coming[0].arrives = Some(Timestamp(now().0 - 3_600_000));
    let (purchase, line) = (PurchaseId([1; 16]), LineId::new("l1").unwrap());
    view.overdue = vec![KitchenLost { purchase, line: line.clone(), name: text("1 l of milk") }];
    let mut app = app(view);
    assert!(reads(&app, "1 l of milk should have come more than a day ago."));
    assert_eq!(click(&mut app, "1 l of milk did not come"), [Cook::NotCome { purchase, line }]);
    click(&mut app, "Why rice");
    assert!(reads(&app, "1 kg · it was to come by 13:00") && !reads(&app, "it was delivered"));
}

#[test]
fn recipes_and_instructions_are_read() {
    let mut app = app(kitchen());
    click(&mut app, "Pancakes");
    assert!(reads(&app, "4 servings · 35 min") && reads(&app, "Whisk.") && !reads(&app, "buy 100 ml"));
    click(&mut app, "Hang a shelf");
    assert!(reads(&app, "2 screws, 4 mm") && reads(&app, "Drill.") && reads(&app, "On the wall."));
    assert!(reads(&app, "One thing for it is missing, or nobody has said that it is there."));
    let count = |part: &str, count| Cook::CountParts { part: text(part), count };
    assert_eq!(click(&mut app, "I have screws, 4 mm"), [count("screws, 4 mm", 2)]);
    assert_eq!(click(&mut app, "There is no Drill"), [count("Drill", 0)]);
    assert_eq!(click(&mut app, "Forget Hang a shelf"), [Cook::Forget(text("shelf"))]);
    assert!(find_button(app.world(), "Look in the shops for Drill").is_none());
    assert!(find_button(app.world(), "Look in the shops for screws, 4 mm").is_some());
    click(&mut app, "Back to the foods");
    assert!(reads(&app, "buy 100 ml"));
}

#[test]
fn what_is_seen_stays_while_numbers_change() {
    let mut app = app(kitchen());
    let cells = |app: &mut App| {
        let mut named = app.world_mut().query::<(Entity, &Name)>();
        named
            .iter(app.world())
            .filter(|(_, name)| name.as_str() == "cell")
            .map(|(cell, _)| cell)
            .collect::<BTreeSet<_>>()
    };
    let before = cells(&mut app);
    app.world_mut().resource_mut::<KitchenView>().foods[0].there = text("450 ml");
    app.update();
    assert!(reads(&app, "450 ml"));
    assert_eq!(cells(&mut app), before, "what is made anew is not seen for a moment");
    assert!(before.len() > 12);
}

#[test]
fn recipes_of_others_are_asked_for_and_taken_in() {
    let mut app = app(kitchen());
    assert_eq!(click(&mut app, "Who has recipes?"), [Cook::LookForRecipes]);
    let tell = |app: &mut App, change: &dyn Fn(&mut KitchenCook)| {
        let mut cook = KitchenCook {
            system: SystemId::slug("grocer"),
            name: text("The grocer"),
            agreed: false,
            asking: false,
            recipes: None,
            problem: None,
        };
        change(&mut cook);
        app.world_mut().resource_mut::<KitchenView>().cooks = vec![cook];
        app.update();
    };
    tell(&mut app, &|_| {});
    assert!(reads(&app, "Asking it agrees with it. It is told nothing new about you."));
    assert_eq!(click(&mut app, "Ask The grocer for recipes"), [Cook::AskForRecipes(SystemId::slug("grocer"))]);
    let disabled = |app: &App, label: &str| {
        app.world().get::<InteractionDisabled>(find_button(app.world(), label).unwrap()).is_some()
    };
    tell(&mut app, &|cook| cook.asking = true);
    assert!(disabled(&app, "Ask The grocer for recipes") && reads(&app, "It was asked; its answer is on its way."));
    let tart = |taken| KitchenOffered { name: text("Tart"), description: text("Long."), text: text("{}"), taken };
    tell(&mut app, &|cook| (cook.agreed, cook.recipes) = (true, Some(vec![tart(false)])));
    assert!(reads(&app, "Long."));
    assert_eq!(click(&mut app, "Take in Tart"), [Cook::Import(text("{}"))]);
    tell(&mut app, &|cook| (cook.agreed, cook.recipes) = (true, Some(vec![tart(true)])));
    assert!(disabled(&app, "Take in Tart"));
    tell(&mut app, &|cook| cook.problem = Some(text("It did not answer.")));
    assert!(reads(&app, "It did not answer."));
}

#[test]
fn jars_are_understood_as_people_write_them() {
    let read = |words: &str| counted(words).unwrap_or_default();
    for (words, food, amount) in [
        ("salt 200 g", "salt", "200 g"),
        ("olive oil 0.5 l", "olive oil", "0.5 l"),
        ("200 g salt", "salt", "200 g"),
        ("3 onions", "onions", "3"),
    ] {
        assert_eq!(read(words), (text(food), text(amount)), "{words}");
    }
    assert!(["", "salt", "200"].iter().all(|words| counted(words).is_none()));
    assert_eq!(read("salt ½ kg"), (text("salt"), text("½ kg")));
    let sent = |words: &str| wish(&KitchenField::CountNew, words);
    let count = |ingredient: &str, amount: &str| Cook::Count { ingredient: text(ingredient), amount: text(amount) };
    assert_eq!(sent("salt"), Some(count("salt", "salt")), "what is no amount is said to be none");
    assert_eq!(sent(" "), None);
}
