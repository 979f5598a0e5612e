//! Cooking: from a recipe to what has to be bought, with the reason for each.
//!
//! **Does**: reads recipes and instructions as schema.org writes them ([`read`]); understands lines of ingredients
//! ([`parse`]); changes units by the food ([`Food::to_base`], [`Table`]); says how far a stock is to be believed
//! ([`confidence`]); reckons several dishes, minimum stock and what is on its way together ([`plan()`]), or each dish by itself ([`readiness`]); chooses packs
//! ([`choose`]) and suppliers ([`choose_suppliers`]).
//!
//! **Does not**: fetch pages or pictures, read a clock, order anything, keep anything on a disk.
//!
//! ```
//! use vestibule_kitchen::*;
//! use vestibule_model::Timestamp;
//!
//! let page = r#"{"@type": "Recipe", "name": "Pancakes", "recipeYield": "4 servings",
//!                "recipeIngredient": ["250 g flour", "500 ml milk", "2 eggs", "a pinch of salt, to taste"]}"#;
//! let table = Table::shipped();
//! let recipe = read(page, &Limits::default(), table)?.recipes.remove(0);
//! let dish = Dish::of(DishId(1), &recipe, 8, Timestamp(3_600_000));
//! let plan = plan(&[dish], &[], &[], &KitchenRules::default(), table, Timestamp(0));
//! let orders: Vec<String> = plan.orders().map(|why| format!("{} {}", why.order, why.ingredient)).collect();
//! assert_eq!(orders, ["4 piece egg", "500 g flour_wheat", "1 l milk"]);
//! # Ok::<(), vestibule_kitchen::RecipeError>(())
//! ```

mod howto;
mod ingredient;
mod limits;
mod name;
mod number;
mod opening;
mod pack;
mod pantry;
mod plan;
mod recipe;
mod rules;
mod supplier;
mod table;
mod units;
mod words;

pub use howto::{Instructions, MissingPart, Part};
pub use ingredient::{Alternative, Ingredient, parse, parse_all};
pub use limits::Limits;
pub use name::{SURE, plain as plain_name};
pub use number::Number;
pub use opening::Delivers;
pub use pack::{Choice, Pack, choose};
pub use pantry::{LineKey, Stock, StockSource, confidence};
pub use plan::{
    Coming, Decision, Delivery, Dish, DishId, DishPlan, From, Have, Ignored, Picked, Plan, Ready, Reserved,
    UNPACKED_MS, Unclear, Way, Why, plan, readiness,
};
pub use recipe::{Found, Recipe, RecipeError, Step, Yield, milliseconds, read, strip};
pub use rules::{KitchenRules, OverruledBy, RulesError};
pub use supplier::{Good, Hours, Split, SupplierOffer, Window, choose_suppliers, distance};
pub use table::{Base, Food, IngredientId, Meaning, Permille, Table, TableError};
pub use units::{Amount, AmountError, CountUnit, Measure};
pub use words::{Language, Style};
