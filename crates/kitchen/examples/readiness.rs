//! How long the home takes to say which of 1,000 recipes can be cooked, with 1,000 places that tell their stock.

use std::{error::Error, time::Instant};

use vestibule_kitchen::{Dish, DishId, KitchenRules, Ready, Stock, StockSource, Style, Table, parse, plan, readiness};
use vestibule_model::{FeatureId, Timestamp, Truth, TwinId};

const NOW: Timestamp = Timestamp(0);

fn main() -> Result<(), Box<dyn Error>> {
    let table = Table::shipped();
    let foods: Vec<_> = table.foods().collect();
    let mut pantry = Vec::new();
    for (food, number) in foods.iter().cycle().zip(0..1_000) {
        pantry.push(Stock {
            ingredient: food.id.clone(),
            twin: TwinId::new(format!("home/place{number}"))?,
            feature: FeatureId::new("amount")?,
            amount: food.nothing().with(100_000),
            source: StockSource::Counted,
            reported: NOW,
            truth: Truth::Live,
            best_before: None,
        });
    }
    let names: Vec<&str> = foods.iter().map(|food| food.title()).collect();
    let dish = |number: usize| {
        // Ten lines each, strewn over the table by steps that share no divisor with its length.
        let names = (0..10).filter_map(|line| names.get((number * 31 + line * 17) % names.len()));
        let line = |name: &&str| {
            let mut line = parse(name, Style::US, table);
            let food = line.food().and_then(|id| table.get(id));
            line.amount = food.map(|food| food.nothing().with(50_000 + 1_000 * (number as i64 % 400)));
            line
        };
        let ingredients = names.map(line).collect();
        let at = NOW.plus(3_600_000);
        Dish { id: DishId(number as u64), title: format!("Dish {number}"), at, serves: 4, servings: 4, ingredients }
    };
    let dishes: Vec<Dish> = (0..1_000).map(dish).collect();
    let rules = KitchenRules::default();
    let start = Instant::now();
    let ready = readiness(&dishes, &pantry, &[], &rules, table, NOW);
    let took = start.elapsed();
    let now = ready.iter().filter(|ready| **ready == Ready::Now).count();
    println!("{now} of {} recipes can be cooked: {took:?}", ready.len());
    let start = Instant::now();
    let ten = plan(dishes.get(..10).unwrap_or_default(), &pantry, &[], &rules, table, NOW);
    println!("a plan of 10 dishes, {} to order: {:?}", ten.orders().count(), start.elapsed());
    Ok(())
}
