use proptest::prelude::*;

use super::*;
use crate::{
    ingredient::parse,
    plan::{Dish, DishId, plan},
    rules::KitchenRules,
    words::Style,
};

const NOW: Timestamp = Timestamp(1_795_183_387_123);
const HOUR: u64 = 3_600_000;

fn id(text: &str) -> IngredientId {
    IngredientId::new(text).unwrap()
}

fn wanted(lines: &[&str]) -> Plan {
    wanted_at(&[(24, lines)], &KitchenRules::default())
}

/// A dish for each: in how many hours, and what it needs.
fn wanted_at(dishes: &[(u64, &[&str])], rules: &KitchenRules) -> Plan {
    let dish = |(number, (hours, lines)): (u64, &(u64, &[&str]))| Dish {
        id: DishId(number),
        title: "Dish".to_owned(),
        at: NOW.plus(hours * HOUR),
        serves: 1,
        servings: 1,
        ingredients: lines.iter().map(|line| parse(line, Style::US, Table::shipped())).collect(),
    };
    let dishes: Vec<Dish> = (0..).zip(dishes).map(dish).collect();
    plan(&dishes, &[], &[], rules, Table::shipped(), NOW)
}

fn offer(name: &str, cell: &str, goods: &[(&str, &str, i64)]) -> SupplierOffer {
    let mut by_food: BTreeMap<IngredientId, Vec<Good>> = BTreeMap::new();
    for (food, holds, price) in goods {
        let item = format!("{food} {holds}");
        let good = Good { item, holds: holds.parse().unwrap(), price: *price, least: 1, available: None };
        by_food.entry(id(food)).or_default().push(good);
    }
    SupplierOffer {
        supplier: SystemId::new(name).unwrap(),
        cell: Some(cell.parse().unwrap()),
        hours: Hours::default(),
        currency: "EUR".parse().unwrap(),
        windows: vec![Window {
            order_by: NOW.plus(HOUR),
            from: NOW.plus(2 * HOUR),
            until: NOW.plus(4 * HOUR),
            price: 390,
        }],
        goods: by_food,
    }
}

const HOME: &str = "8828308281fffff";
const NEAR: &str = "8828308281fffff";
const FAR: &str = "881fa44121fffff";

fn split(plan: &mut Plan, offers: &[SupplierOffer]) -> Vec<(String, i64)> {
    let splits = choose_suppliers(plan, offers, Table::shipped(), Some(HOME.parse().unwrap()), NOW);
    splits.into_iter().map(|split| (split.supplier.to_string(), split.total)).collect()
}

#[test]
fn one_near_shop_is_better_than_a_cheap_far_one() {
    let near = offer("near", NEAR, &[("rice", "500 g", 199)]);
    let far = offer("far", FAR, &[("rice", "500 g", 99)]);
    let mut plan = wanted(&["700 g rice"]);
    assert_eq!(split(&mut plan, &[far.clone(), near.clone()]), [("near".to_owned(), 2 * 199 + 390)]);
    let picked = plan.whys[&id("rice")].picked.as_ref().unwrap();
    assert_eq!(
        (picked.items.as_slice(), picked.over.to_string()),
        (&[("rice 500 g".to_owned(), 2)][..], "300 g".to_owned())
    );
    let shut = SupplierOffer { hours: Hours { ahead: 0, open: vec![(0, 0)] }, ..near.clone() };
    assert_eq!(split(&mut wanted(&["700 g rice"]), &[far.clone(), shut]), [("far".to_owned(), 2 * 99 + 390)]);
    let mut slow = near;
    slow.windows[0].until = NOW.plus(25 * HOUR);
    assert_eq!(split(&mut wanted(&["700 g rice"]), &[far, slow]).len(), 1, "who comes too late is not asked");
}

#[test]
fn one_that_has_all_is_better_than_two() {
    let near = offer("near", NEAR, &[("rice", "500 g", 199)]);
    let far = offer("far", FAR, &[("rice", "500 g", 99), ("egg", "10 piece", 250)]);
    assert_eq!(split(&mut wanted(&["700 g rice", "2 eggs"]), &[near.clone(), far.clone()]), [("far".to_owned(), 838)]);
    let eggs = offer("eggs", FAR, &[("egg", "10 piece", 250)]);
    let mut plan = wanted(&["700 g rice", "2 eggs", "1 l milk"]);
    let two = split(&mut plan, &[eggs, near]);
    assert_eq!(two, [("near".to_owned(), 788), ("eggs".to_owned(), 640)]);
    assert_eq!(plan.whys[&id("milk")].decision, Decision::NoSupplier);
    assert_eq!(plan.whys[&id("rice")].decision, Decision::Order);
    let mut none = wanted(&["1 l milk"]);
    assert!(split(&mut none, &[]).is_empty());
    assert_eq!(none.whys[&id("milk")].decision, Decision::NoSupplier);
}

#[test]
fn a_dish_that_comes_too_soon_takes_nothing_from_the_later_ones() {
    let near = offer("near", NEAR, &[("rice", "500 g", 199), ("milk", "1 l", 129)]);
    let two: [(u64, &[&str]); 2] = [(1, &["100 g rice"]), (24, &["700 g rice", "1 l milk"])];
    let mut plan = wanted_at(&two, &KitchenRules::default());
    assert_eq!(split(&mut plan, std::slice::from_ref(&near)), [("near".to_owned(), 2 * 199 + 129 + 390)]);
    let rice = &plan.whys[&id("rice")];
    assert_eq!((rice.decision, rice.missing.to_string(), rice.order.to_string()), told("800 g", "700 g"));
    assert_eq!(
        (rice.by, rice.picked.as_ref().unwrap().over.to_string()),
        (Some(NOW.plus(24 * HOUR)), "300 g".to_owned())
    );
    // What has to stay waits for no dish.
    let mut rules = KitchenRules::default();
    rules.keep.insert(id("rice"), Amount::Mass(200_000));
    let mut plan = wanted_at(&two[..1], &rules);
    assert_eq!(split(&mut plan, std::slice::from_ref(&near)), [("near".to_owned(), 199 + 390)]);
    let rice = &plan.whys[&id("rice")];
    assert_eq!((rice.decision, rice.missing.to_string(), rice.order.to_string()), told("300 g", "200 g"));
    assert_eq!(rice.by, None);
    // Whoever is in time for both is asked for both.
    let mut fast = offer("fast", FAR, &[("rice", "500 g", 199)]);
    fast.windows[0].until = NOW.plus(HOUR / 2);
    let mut plan = wanted_at(&two, &KitchenRules::default());
    let both = split(&mut plan, &[near, fast]);
    assert_eq!(both, [("near".to_owned(), 129 + 390), ("fast".to_owned(), 2 * 199 + 390)]);
    assert_eq!(
        (plan.whys[&id("rice")].order.to_string(), plan.whys[&id("rice")].by),
        ("800 g".to_owned(), Some(NOW.plus(HOUR)))
    );
}

fn told(missing: &str, order: &str) -> (Decision, String, String) {
    (Decision::Order, missing.to_owned(), order.to_owned())
}

#[test]
fn what_is_sold_out_is_not_had() {
    let mut near = offer("near", NEAR, &[("rice", "500 g", 199)]);
    near.goods.get_mut(&id("rice")).unwrap()[0].available = Some(1);
    let mut plan = wanted(&["700 g rice"]);
    assert!(split(&mut plan, &[near]).is_empty());
}

#[test]
fn hours_go_round_the_week() {
    let late = Hours { ahead: 0, open: vec![(6 * 1_440 + 1_200, 7 * 1_440 + 120)] };
    let at = |text: &str| Timestamp::from_utc(text).unwrap();
    assert!(late.is_open(at("2026-11-22T23:00:00Z")), "Sunday night");
    assert!(late.is_open(at("2026-11-23T01:00:00Z")), "and into Monday");
    assert!(!late.is_open(at("2026-11-23T02:00:00Z")));
    assert!(Hours::default().is_open(NOW));
}

#[test]
fn distances_are_those_of_the_earth() {
    let (here, there): (Cell, Cell) = (HOME.parse().unwrap(), FAR.parse().unwrap());
    assert_eq!(distance(here, here), Some(0));
    assert!(distance(here, there).is_some_and(|metres| (1_000_000..20_100_000).contains(&metres)));
}

fn any_offer() -> impl Strategy<Value = SupplierOffer> {
    let goods = proptest::collection::vec(
        (0_usize..3, 1_u32..2_000, 0_i64..500, 0_u32..4, proptest::option::of(0_u32..9)),
        0..6,
    );
    (0_u8..4, any::<bool>(), goods, 0_u64..30).prop_map(|(name, near, goods, until)| {
        let mut offer = offer(&format!("shop{name}"), if near { NEAR } else { FAR }, &[]);
        offer.windows[0].until = NOW.plus(until * HOUR);
        for (food, holds, price, least, available) in goods {
            let food = ["rice", "milk", "egg"][food];
            let holds = Table::shipped().get(&id(food)).unwrap().nothing().with(i64::from(holds) * 1_000);
            let item = format!("{food} {holds}");
            offer.goods.entry(id(food)).or_default().push(Good { item, holds, price, least, available });
        }
        offer
    })
}

proptest! {
    #[test]
    fn what_is_picked_is_enough_and_in_time(offers in proptest::collection::vec(any_offer(), 0..6), open in any::<u64>()) {
        let mut plan = wanted(&["700 g rice", "1 l milk", "3 eggs"]);
        let splits = choose_suppliers(&mut plan, &offers, Table::shipped(), Some(HOME.parse().unwrap()), NOW);
        prop_assert!(splits.len() <= 2);
        for why in plan.orders() {
            let of_it: Vec<&Split> = splits.iter().filter(|split| split.picks.contains_key(&why.ingredient)).collect();
            prop_assert!(of_it.len() <= 1, "nothing is ordered twice");
            prop_assert_eq!(of_it.is_empty(), why.decision == Decision::NoSupplier);
            if let Some(split) = of_it.first() {
                prop_assert!(why.by.is_none_or(|by| split.window.until <= by));
                prop_assert!(why.picked.as_ref().unwrap().over.number() >= 0);
            }
        }
        for split in &splits {
            let goods: i64 = split.picks.values().map(|picked| picked.price).sum();
            prop_assert_eq!(split.total, goods + split.window.price);
        }
        let _ = Hours { ahead: i16::MIN, open: vec![(u16::MAX, 3)] }.is_open(Timestamp(open));
    }
}
