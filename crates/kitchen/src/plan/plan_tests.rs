use proptest::prelude::*;

use super::*;
use crate::{ingredient::parse, words::Style};
use vestibule_model::Truth;

const HOUR: u64 = 3_600_000;
const NOW: Timestamp = Timestamp(100 * 86_400_000);

fn id(text: &str) -> IngredientId {
    IngredientId::new(text).unwrap()
}

fn dish(number: u64, hours: u64, lines: &[&str]) -> Dish {
    Dish {
        id: DishId(number),
        title: format!("Dish {number}"),
        at: NOW.plus(hours * HOUR),
        serves: 4,
        servings: 4,
        ingredients: lines.iter().map(|line| parse(line, Style::US, Table::shipped())).collect(),
    }
}

fn stock(place: &str, food: &str, amount: &str) -> Stock {
    Stock {
        ingredient: id(food),
        twin: TwinId::new(format!("home/{place}")).unwrap(),
        feature: FeatureId::new("weight").unwrap(),
        amount: amount.parse().unwrap(),
        source: StockSource::Scale { tare_mg: 0 },
        reported: NOW,
        truth: Truth::Live,
        best_before: None,
    }
}

fn line(number: u32, food: &str, amount: &str, hours: Option<u64>) -> Coming {
    Coming {
        key: LineKey::new("p1", &number.to_string()),
        ingredient: id(food),
        amount: amount.parse().unwrap(),
        since: Some(NOW),
        arrives: hours.map(|hours| NOW.plus(hours * HOUR)),
        told: None,
        part: None,
        delivered: None,
        put_away: false,
    }
}

fn reckon(dishes: &[Dish], pantry: &[Stock], coming: &[Coming], rules: &KitchenRules) -> Plan {
    plan(dishes, pantry, coming, rules, Table::shipped(), NOW)
}

fn simple(dishes: &[Dish], pantry: &[Stock], coming: &[Coming]) -> Plan {
    reckon(dishes, pantry, coming, &KitchenRules::default())
}

fn missing(plan: &Plan, food: &str) -> String {
    plan.whys[&id(food)].missing.to_string()
}

#[test]
fn only_what_is_missing_is_ordered_and_everything_says_why() {
    let dishes = [dish(1, 5, &["300 g flour", "2 eggs"]), dish(2, 9, &["400 g flour", "1 pinch salt"])];
    let plan = simple(&dishes, &[stock("jar", "flour_wheat", "500 g"), stock("box", "salt", "200 g")], &[]);
    let flour = &plan.whys[&id("flour_wheat")];
    assert_eq!(flour.needed.len(), 2);
    assert_eq!((flour.missing.to_string(), flour.by), ("200 g".to_owned(), Some(NOW.plus(9 * HOUR))));
    assert_eq!((flour.decision, flour.have.len(), flour.have[0].confidence), (Decision::Order, 1, 980));
    assert_eq!(plan.whys[&id("salt")].decision, Decision::Enough);
    assert_eq!(plan.orders().count(), 2);
    assert_eq!(plan.dishes[0].ready, Ready::Missing(BTreeSet::from([id("egg")])));
    assert_eq!(plan.dishes[1].ready, Ready::Missing(BTreeSet::from([id("flour_wheat")])));
}

#[test]
fn servings_are_scaled_and_rounded_up() {
    let mut three = dish(1, 1, &["100 g rice"]);
    three.servings = 3;
    three.serves = 7;
    assert_eq!(missing(&simple(&[three], &[], &[]), "rice"), "42.858 g");
}

#[test]
fn a_recipe_that_does_not_say_for_how_many_counts_as_one_serving() {
    let page = r#"{"@type": "Recipe", "name": "Rice", "recipeIngredient": ["100 g rice"]}"#;
    let read = crate::recipe::read(page, &crate::limits::Limits::default(), Table::shipped());
    let recipe = read.unwrap().recipes.remove(0);
    for (servings, lacks) in [(1, "100 g"), (3, "300 g")] {
        let dish = Dish::of(DishId(1), &recipe, servings, NOW.plus(HOUR));
        assert_eq!(missing(&simple(&[dish], &[], &[]), "rice"), lacks, "{servings}");
    }
}

#[test]
fn the_minimum_stays_and_coming_counts_once() {
    let mut rules = KitchenRules::default();
    rules.keep.insert(id("rice"), Amount::Mass(500_000));
    let dishes = [dish(1, 48, &["300 g rice"])];
    let here = [stock("jar", "rice", "400 g")];
    assert_eq!(missing(&reckon(&dishes, &here, &[], &rules), "rice"), "400 g");
    let twice = [line(1, "rice", "250 g", Some(2)), line(1, "rice", "250 g", Some(2))];
    assert_eq!(missing(&reckon(&dishes, &here, &twice, &rules), "rice"), "150 g", "one line, told twice");
    let late = [line(1, "rice", "500 g", Some(200))];
    assert_eq!(missing(&reckon(&dishes, &here, &late, &rules), "rice"), "0 g", "soon enough for what has to stay");
    let too_late = reckon(&[dish(1, 1, &["600 g rice"])], &here, &late, &KitchenRules::default());
    assert_eq!(missing(&too_late, "rice"), "200 g", "and too late for tonight");
}

#[test]
fn dishes_wait_for_what_is_coming() {
    let plan = simple(&[dish(1, 5, &["100 g rice"])], &[], &[line(1, "rice", "1 kg", Some(3))]);
    assert_eq!(plan.whys[&id("rice")].decision, Decision::Coming);
    assert_eq!(plan.dishes[0].ready, Ready::Coming(Some(NOW.plus(3 * HOUR))));
    assert!(matches!(&plan.dishes[0].reserved[0].from, From::Line(key) if *key == LineKey::new("p1", "1")));
    let unknown = simple(&[dish(1, 5, &["100 g rice"])], &[], &[line(1, "rice", "1 kg", None)]);
    assert_eq!(unknown.dishes[0].ready, Ready::Coming(None));
}

#[test]
fn what_spoils_first_is_eaten_first_and_what_is_spoilt_never() {
    let mut soon = stock("fridge", "milk", "500 ml");
    soon.best_before = Some(NOW.plus(10 * HOUR));
    let mut gone = stock("shelf", "milk", "1 l");
    gone.best_before = Some(NOW);
    let later = stock("cellar", "milk", "500 ml");
    let dishes = [dish(1, 5, &["500 ml milk"]), dish(2, 20, &["500 ml milk"])];
    let plan = simple(&dishes, &[later, gone, soon], &[]);
    let milk = &plan.whys[&id("milk")];
    assert_eq!(milk.decision, Decision::Enough);
    assert_eq!(milk.ignored.len(), 1);
    assert_eq!(milk.ignored[0].2, Ignored::Spoilt);
    assert!(matches!(&plan.dishes[0].reserved[0].from, From::Twin(twin, _) if twin.as_str() == "home/fridge"));
}

#[test]
fn doubtful_stock_is_shown_and_not_counted() {
    let mut stale = stock("jar", "rice", "1 kg");
    stale.truth = Truth::Stale;
    let mut old = stock("box", "rice", "1 kg");
    old.reported = Timestamp(NOW.0 - 6 * 86_400_000);
    let bunches = stock("bag", "rice", "2 bunch");
    let plan = simple(&[dish(1, 1, &["100 g rice"])], &[stale, old, bunches], &[]);
    let rice = &plan.whys[&id("rice")];
    assert_eq!((rice.have.len(), rice.ignored.len(), rice.missing.to_string().as_str()), (0, 3, "100 g"));
    assert!(rice.ignored.iter().any(|(_, _, why)| *why == Ignored::Doubtful(490)));
    assert!(rice.ignored.iter().any(|(_, _, why)| *why == Ignored::NoMeasure));
}

#[test]
fn alternatives_are_taken_where_they_are_there() {
    let wants = [dish(1, 1, &["50 g butter or margarine"])];
    let plan = simple(&wants, &[stock("tub", "margarine", "60 g")], &[]);
    assert_eq!(plan.orders().count(), 0);
    assert_eq!(plan.dishes[0].instead, [(id("butter"), id("margarine"))]);
    assert_eq!(missing(&simple(&wants, &[stock("tub", "margarine", "40 g")], &[]), "butter"), "50 g");
    let mut rules = KitchenRules::default();
    rules.keep.insert(id("margarine"), Amount::Mass(60_000));
    let kept = reckon(&wants, &[stock("tub", "margarine", "60 g")], &[], &rules);
    assert_eq!(missing(&kept, "margarine"), "0 g", "what has to stay is no alternative");
}

#[test]
fn nothing_is_ordered_silently() {
    let dish = dish(1, 1, &["1 glimble of love", "2 bunches flour", "parsley, to serve", "salt", "pepper"]);
    let plan = simple(&[dish], &[stock("box", "salt", "100 g")], &[]);
    assert_eq!(plan.orders().count(), 0);
    let unclear: Vec<&str> = plan.dishes[0].unclear.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(unclear, ["1 glimble of love", "2 bunches flour"]);
    assert_eq!(plan.whys[&id("parsley")].decision, Decision::Optional);
    assert_eq!(plan.whys[&id("salt")].decision, Decision::Enough);
    assert_eq!(plan.whys[&id("pepper_black")].decision, Decision::Unmeasured);
}

#[test]
fn people_overrule() {
    let dishes = [dish(1, 1, &["100 g rice", "2 eggs", "1 l milk"])];
    let mut rules = KitchenRules::default();
    rules.overrule.insert(id("rice"), OverruledBy::Have);
    rules.overrule.insert(id("egg"), OverruledBy::Order("10 piece".parse().unwrap()));
    rules.overrule.insert(id("milk"), OverruledBy::Without);
    let plan = reckon(&dishes, &[], &[], &rules);
    let orders: Vec<String> = plan.orders().map(|why| why.order.to_string()).collect();
    assert_eq!(orders, ["10 piece"]);
    assert_eq!(plan.whys[&id("rice")].decision, Decision::Overruled(OverruledBy::Have));
    assert_eq!(plan.whys[&id("rice")].missing.to_string(), "100 g", "what the arithmetic says stays visible");
    assert_eq!(plan.dishes[0].ready, Ready::Missing(BTreeSet::from([id("egg")])));
}

#[test]
fn a_delivery_is_put_away_by_and_by() {
    let wants = [dish(1, 20, &["1 kg rice"])];
    let mut parcel = line(1, "rice", "1 kg", Some(0));
    parcel.delivered = Some(Delivery { at: Timestamp(NOW.0 - HOUR), stock: "200 g".parse().unwrap() });
    let with =
        |grams: &str, parcel: &Coming| simple(&wants, &[stock("jar", "rice", grams)], std::slice::from_ref(parcel));
    for (grams, missing_now, settled) in
        [("200 g", "0 g", false), ("700 g", "0 g", false), ("1000 g", "0 g", true), ("1.2 kg", "0 g", true)]
    {
        let plan = with(grams, &parcel);
        assert_eq!(
            (missing(&plan, "rice").as_str(), plan.settled.len()),
            (missing_now, usize::from(settled)),
            "{grams}"
        );
    }
    let half = with("700 g", &parcel);
    assert_eq!(half.whys[&id("rice")].coming[0].amount.to_string(), "500 g", "what is in the jar is not at the door");
    parcel.delivered = Some(Delivery { at: Timestamp(NOW.0 - 25 * HOUR), stock: "200 g".parse().unwrap() });
    let lost = with("200 g", &parcel);
    assert_eq!((lost.lost.len(), missing(&lost, "rice").as_str()), (1, "800 g"));
    parcel.put_away = true;
    let told = with("200 g", &parcel);
    assert!(told.lost.is_empty() && told.whys[&id("rice")].coming.is_empty());
}

#[test]
fn a_part_that_was_brought_counts_once() {
    let mut order = line(1, "rice", "1 kg", Some(5));
    (order.told, order.part) = (Some("200 g".parse().unwrap()), Some("500 g".parse().unwrap()));
    for (jar, left) in [("200 g", "1 kg"), ("600 g", "600 g"), ("700 g", "500 g"), ("1.2 kg", "500 g")] {
        let plan = simple(&[], &[stock("jar", "rice", jar)], std::slice::from_ref(&order));
        assert_eq!(plan.whys[&id("rice")].coming[0].amount.to_string(), left, "{jar}");
    }
    // One of which nothing came says nothing about what another one has grown.
    let mut here = line(2, "rice", "500 g", Some(0));
    here.delivered = Some(Delivery { at: Timestamp(NOW.0 - HOUR), stock: "200 g".parse().unwrap() });
    (order.told, order.part) = (Some("700 g".parse().unwrap()), None);
    let plan = simple(&[], &[stock("jar", "rice", "700 g")], &[order, here]);
    assert_eq!((plan.settled.len(), plan.whys[&id("rice")].coming.len()), (1, 1));
}

#[test]
fn what_is_late_is_not_delivered_and_is_asked_about() {
    let mut order = line(1, "rice", "1 kg", None);
    for (ago, overdue) in [(1, 0), (23, 0), (24, 1), (500, 1)] {
        order.arrives = Some(Timestamp(NOW.0 - ago * HOUR));
        let plan = simple(&[dish(1, 5, &["100 g rice"])], &[], std::slice::from_ref(&order));
        let way = &plan.whys[&id("rice")].coming[0];
        assert!(!way.delivered, "{ago}");
        assert_eq!((plan.overdue.len(), way.arrives.is_none()), (overdue, overdue == 1), "{ago}");
    }
    order.delivered = Some(Delivery { at: Timestamp(NOW.0 - HOUR), stock: "0 g".parse().unwrap() });
    let plan = simple(&[], &[], &[order]);
    assert!(plan.whys[&id("rice")].coming[0].delivered && plan.overdue.is_empty());
}

#[test]
fn a_parcel_is_stock_where_nothing_weighs_it() {
    let key = LineKey::new("p1", "1");
    let mut parcel = stock("parcel", "rice", "1 kg");
    parcel.source = StockSource::Delivered(key.clone());
    let way = [line(1, "rice", "1 kg", Some(0))];
    let wants = [dish(1, 1, &["1500 g rice"])];
    let plan = simple(&wants, std::slice::from_ref(&parcel), &way);
    assert_eq!((missing(&plan, "rice").as_str(), plan.settled), ("500 g", vec![key]));
    let both = simple(&wants, &[parcel, stock("jar", "rice", "100 g")], &way);
    assert_eq!(missing(&both, "rice"), "400 g", "the scale and the line count, the parcel does not");
    assert!(both.whys[&id("rice")].ignored.iter().any(|(_, _, why)| *why == Ignored::Elsewhere));
}

const FOODS: [&str; 3] = ["rice", "milk", "egg"];

fn amount(food: usize, number: i64) -> Amount {
    Table::shipped().get(&id(FOODS[food])).unwrap().nothing().with(number)
}

fn any_dish() -> impl Strategy<Value = Dish> {
    let lines = proptest::collection::vec((0_usize..3, 0_i64..2_000_000), 0..5);
    (0_u64..6, 0_u64..72, 1_u32..9, 1_u32..9, lines).prop_map(|(number, hours, serves, servings, lines)| {
        let mut made = dish(number, hours, &[]);
        (made.serves, made.servings) = (serves, servings);
        made.ingredients = lines
            .into_iter()
            .map(|(food, number)| {
                let mut line = parse(FOODS[food], Style::US, Table::shipped());
                line.amount = Some(amount(food, number));
                line
            })
            .collect();
        made
    })
}

fn any_stock() -> impl Strategy<Value = Stock> {
    let best_before = proptest::option::of(0_u64..96);
    (0_u8..8, 0_usize..3, 0_i64..3_000_000, 0_u64..120, best_before).prop_map(|(place, food, number, age, best)| {
        Stock {
            amount: amount(food, number),
            reported: Timestamp(NOW.0 - age * HOUR),
            best_before: best.map(|hours| NOW.plus(hours * HOUR)),
            ..stock(&format!("place{place}"), FOODS[food], "1 g")
        }
    })
}

fn any_coming() -> impl Strategy<Value = Coming> {
    let delivered = proptest::option::of((0_u64..30, 0_i64..2_000_000));
    (0_u32..6, 0_usize..3, 0_i64..2_000_000, proptest::option::of(0_u64..96), delivered, proptest::bool::weighted(0.1))
        .prop_map(|(number, food, parts, hours, delivered, put_away)| Coming {
            amount: amount(food, parts),
            delivered: delivered
                .map(|(hours, before)| Delivery { at: Timestamp(NOW.0 - hours * HOUR), stock: amount(food, before) }),
            put_away,
            ..line(number, FOODS[food], "1 g", hours)
        })
}

fn any_rules() -> impl Strategy<Value = KitchenRules> {
    proptest::collection::btree_map(0_usize..3, 0_i64..1_000_000, 0..4).prop_map(|keep| KitchenRules {
        keep: keep.into_iter().map(|(food, number)| (id(FOODS[food]), amount(food, number))).collect(),
        ..KitchenRules::default()
    })
}

fn sum(amounts: impl Iterator<Item = Amount>) -> i64 {
    amounts.map(Amount::number).sum()
}

proptest! {
    #[test]
    fn nothing_is_counted_twice_and_there_is_enough(
        dishes in proptest::collection::vec(any_dish(), 0..6),
        pantry in proptest::collection::vec(any_stock(), 0..8),
        coming in proptest::collection::vec(any_coming(), 0..6),
        rules in any_rules(),
    ) {
        let plan = reckon(&dishes, &pantry, &coming, &rules);
        let mut taken: BTreeMap<(IngredientId, From), i64> = BTreeMap::new();
        for part in plan.dishes.iter().flat_map(|dish| &dish.reserved) {
            *taken.entry((part.ingredient.clone(), part.from.clone())).or_default() += part.amount.number();
        }
        for (food, why) in &plan.whys {
            for have in &why.have {
                let from = From::Twin(have.twin.clone(), have.feature.clone());
                prop_assert!(taken.get(&(food.clone(), from)).copied().unwrap_or(0) <= have.amount.number());
            }
            for way in &why.coming {
                let from = From::Line(way.key.clone());
                prop_assert!(taken.get(&(food.clone(), from)).copied().unwrap_or(0) <= way.amount.number());
            }
            // A place and a line are there once.
            let places: BTreeSet<_> = why.have.iter().map(|have| (&have.twin, &have.feature)).collect();
            let keys: BTreeSet<_> = why.coming.iter().map(|way| &way.key).collect();
            prop_assert_eq!((places.len(), keys.len()), (why.have.len(), why.coming.len()));
            let need = sum(why.needed.iter().map(|(_, amount)| *amount)) + why.keep.number();
            let got = sum(why.have.iter().map(|have| have.amount)) + sum(why.coming.iter().map(|way| way.amount));
            prop_assert!(got + why.missing.number() >= need, "never less than what is needed and has to stay");
            prop_assert!(why.missing.number() >= 0 && why.missing.number() <= need, "and never more than that");
        }
    }

    #[test]
    fn the_order_of_what_is_given_plays_no_part(
        dishes in proptest::collection::vec(any_dish(), 0..6),
        pantry in proptest::collection::vec(any_stock(), 0..8),
        coming in proptest::collection::vec(any_coming(), 0..6),
        rules in any_rules(),
        turn in 0_usize..6,
    ) {
        // Dishes of one id are one dish: here each has its own.
        let mut dishes = dishes;
        dishes.iter_mut().zip(0..).for_each(|(dish, number)| dish.id = DishId(number));
        let one = reckon(&dishes, &pantry, &coming, &rules);
        let (mut dishes, mut pantry, mut coming) = (dishes, pantry, coming);
        dishes.reverse();
        pantry.reverse();
        coming.reverse();
        let (a, b, c) = (turn % dishes.len().max(1), turn % pantry.len().max(1), turn % coming.len().max(1));
        dishes.rotate_left(a);
        pantry.rotate_left(b);
        coming.rotate_left(c);
        prop_assert_eq!(one, reckon(&dishes, &pantry, &coming, &rules));
    }

    #[test]
    fn alone_each_dish_is_as_ready_as_its_own_plan_says(
        dishes in proptest::collection::vec(any_dish(), 0..6),
        pantry in proptest::collection::vec(any_stock(), 0..8),
        coming in proptest::collection::vec(any_coming(), 0..6),
        rules in any_rules(),
    ) {
        let ready = readiness(&dishes, &pantry, &coming, &rules, Table::shipped(), NOW);
        for (dish, ready) in dishes.iter().zip(ready) {
            let own = reckon(std::slice::from_ref(dish), &pantry, &coming, &rules);
            prop_assert_eq!(&own.dishes[0].ready, &ready);
        }
    }

    #[test]
    fn more_stock_never_orders_more(
        dishes in proptest::collection::vec(any_dish(), 0..6),
        pantry in proptest::collection::vec(any_stock(), 0..8),
        rules in any_rules(),
        food in 0_usize..3,
        more in 0_i64..1_000_000,
    ) {
        let less = reckon(&dishes, &pantry, &[], &rules);
        let mut pantry = pantry;
        pantry.push(Stock { amount: amount(food, more), ..stock("more", FOODS[food], "1 g") });
        let plan = reckon(&dishes, &pantry, &[], &rules);
        for (food, why) in &less.whys {
            prop_assert!(plan.whys[food].missing.number() <= why.missing.number());
        }
    }

    #[test]
    fn deliveries_are_counted_once_however_they_are_put_away(
        lines in proptest::collection::vec((1_i64..1_000_000, 0_u64..20), 1..5),
        before in 0_i64..500_000,
        put in 0_u32..=100,
    ) {
        // Everything was delivered to the same stock, and so much of it is put away.
        let total: i64 = lines.iter().map(|(number, _)| number).sum();
        let inside = before + total * i64::from(put) / 100;
        let coming: Vec<Coming> = lines
            .iter()
            .zip(0..)
            .map(|((number, hours), place)| Coming {
                amount: Amount::Mass(*number),
                delivered: Some(Delivery { at: Timestamp(NOW.0 - hours * HOUR), stock: Amount::Mass(before) }),
                ..line(place, "rice", "1 g", None)
            })
            .collect();
        let jar = Stock { amount: Amount::Mass(inside), ..stock("jar", "rice", "1 g") };
        let plan = simple(&[], &[jar], &coming);
        let why = &plan.whys[&id("rice")];
        let counted = inside + sum(why.coming.iter().map(|way| way.amount));
        prop_assert!(counted <= before + total, "{counted} of {}", before + total);
        // What is settled may lack a fifth at most: that was eaten, or the scale is off.
        prop_assert!(counted >= before + total - total / 5 - 4);
    }
}
