//! Whole recipes, from the text to what is bought. They are made up for this test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use vestibule_kitchen::{Amount, Decision, Dish, DishId, KitchenRules, Limits, Plan, Recipe, Style, Table, plan, read};
use vestibule_model::Timestamp;

fn recipe(text: &str) -> Recipe {
    read(text, &Limits::default(), Table::shipped()).unwrap().recipes.remove(0)
}

fn bought(recipe: &Recipe, servings: u32) -> Plan {
    let dish = Dish::of(DishId(1), recipe, servings, Timestamp(3_600_000));
    plan(&[dish], &[], &[], &KitchenRules::default(), Table::shipped(), Timestamp(0))
}

fn list(plan: &Plan) -> Vec<String> {
    plan.orders().map(|why| format!("{} {}", why.ingredient, why.order)).collect()
}

#[test]
fn lentil_soup() {
    let soup = recipe(include_str!("recipes/lentil_soup.json"));
    assert_eq!(
        (soup.images.as_slice(), soup.total_ms),
        (&["https://cook.example/soup.jpg".to_owned()][..], Some(2_100_000))
    );
    assert_eq!((soup.steps.len(), soup.steps[0].section.as_deref()), (4, Some("Base")));
    assert_eq!(soup.steps[3].text, "Season with lemon, salt & pepper.");
    let plan = bought(&soup, 4);
    assert_eq!(plan.dishes[0].unclear, []);
    assert_eq!(
        list(&plan),
        [
            "carrot 160 g",
            "cumin 2.218 g",
            "garlic 15 g",
            "lemon 1 piece",
            "lentils_red 300 g",
            "oil_olive 14.787 ml",
            "onion 110 g",
            "stock_vegetable 946.353 ml",
            "tomato_can 400 g",
        ]
    );
    assert_eq!(plan.whys.values().filter(|why| why.decision == Decision::Optional).count(), 3);
    assert_eq!(list(&bought(&soup, 8))[4], "lentils_red 600 g");
}

#[test]
fn apfelkuchen() {
    let cake = recipe(include_str!("recipes/apfelkuchen.html"));
    assert_eq!((cake.style, cake.serves.servings, cake.total_ms), (Style::GERMAN, Some(12), Some(4_200_000)));
    let plan = bought(&cake, 12);
    assert_eq!(plan.dishes[0].unclear, []);
    assert_eq!(
        list(&plan),
        [
            "apple 510 g",
            "baking_powder 9 g",
            "butter 125 g",
            "egg 3 piece",
            "flour_wheat 200 g",
            "milk 30 ml",
            "salt 0.36 g",
            "sugar 125 g",
            "sugar_vanilla 8 g",
        ]
    );
}

#[test]
fn pancakes() {
    let pancakes = recipe(include_str!("recipes/pancakes.json"));
    assert_eq!(pancakes.style, Style::BRITISH);
    let plan = bought(&pancakes, 2);
    assert_eq!(plan.dishes[0].unclear, []);
    assert_eq!(pancakes.ingredients[6].alternatives[0].amount, Some(Amount::Mass(25_000)));
    assert_eq!(
        list(&plan),
        [
            "baking_powder 9 g",
            "blueberry 100 g",
            "butter 25 g",
            "egg 1 piece",
            "flour_wheat 150 g",
            "milk 150 ml",
            "salt 3 g",
            "sugar 12.75 g",
        ]
    );
}
