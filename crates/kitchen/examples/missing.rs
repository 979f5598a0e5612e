//! What is missing for a recipe: `cargo run -p vestibule-kitchen --example missing -- recipe.json [pantry.toml]`.
//!
//! The pantry is a list of foods and amounts, as a person counts them: `rice = "500 g"`.

use std::{collections::BTreeMap, error::Error};

use vestibule_kitchen::{
    Amount, Dish, DishId, IngredientId, KitchenRules, Limits, Stock, StockSource, Table, plan, read,
};
use vestibule_model::{FeatureId, Timestamp, Truth, TwinId};

const NOW: Timestamp = Timestamp(0);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let page = arguments.next().ok_or("give a recipe: a file with JSON-LD, or a page")?;
    let pantry = match arguments.next() {
        Some(file) => pantry(&std::fs::read_to_string(file)?)?,
        None => Vec::new(),
    };
    let table = Table::shipped();
    let found = read(&std::fs::read_to_string(page)?, &Limits::default(), table)?;
    for (recipe, number) in found.recipes.iter().zip(0..) {
        let servings = recipe.serves.servings.unwrap_or(1);
        let dish = Dish::of(DishId(number), recipe, servings, NOW.plus(3_600_000));
        let plan = plan(&[dish], &pantry, &[], &KitchenRules::default(), table, NOW);
        println!("{} for {servings}", recipe.name);
        for why in plan.whys.values().filter(|why| !why.needed.is_empty()) {
            println!("  {}: missing {}, since {:?}", why.ingredient, why.missing, why.decision);
        }
        for line in plan.dishes.iter().flat_map(|dish| &dish.unclear) {
            println!("  not understood: {}", line.text);
        }
    }
    Ok(())
}

fn pantry(text: &str) -> Result<Vec<Stock>, Box<dyn Error>> {
    let counted: BTreeMap<IngredientId, Amount> = toml::from_str(text)?;
    let stock = |(ingredient, amount): (IngredientId, Amount)| -> Result<Stock, Box<dyn Error>> {
        Ok(Stock {
            twin: TwinId::new(format!("counted/{ingredient}"))?,
            feature: FeatureId::new("amount")?,
            ingredient,
            amount,
            source: StockSource::Counted,
            reported: NOW,
            truth: Truth::Live,
            best_before: None,
        })
    };
    counted.into_iter().map(stock).collect()
}
