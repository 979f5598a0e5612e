//! What several dishes need, what of it is there or on its way, and what is therefore ordered, with the reason.
//!
//! Everything is in whole parts of what a food is reckoned in. Dishes take in the order of their time, first what spoils
//! first; the minimum stock takes last. So a part of a stock or of a delivery serves one purpose, never two.

mod coming;
mod kitchen;
mod pool;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vestibule_model::{FeatureId, SystemId, Timestamp, TwinId};

pub use coming::{Coming, Delivery, UNPACKED_MS};

use crate::{
    ingredient::Ingredient,
    pantry::{LineKey, Stock, StockSource},
    recipe::Recipe,
    rules::{KitchenRules, OverruledBy},
    table::{IngredientId, Permille, Table},
    units::Amount,
};

/// A planned dish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DishId(pub u64);

/// A dish that is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dish {
    /// Which.
    pub id: DishId,
    /// What it is called.
    pub title: String,
    /// When it is cooked.
    pub at: Timestamp,
    /// For how many the list is written.
    pub serves: u32,
    /// For how many it is cooked.
    pub servings: u32,
    /// The list.
    pub ingredients: Vec<Ingredient>,
}

impl Dish {
    /// A recipe for so many. One that does not say for how many it is written counts as one serving.
    #[must_use]
    pub fn of(id: DishId, recipe: &Recipe, servings: u32, at: Timestamp) -> Self {
        Self {
            id,
            title: recipe.name.clone(),
            at,
            serves: recipe.serves.servings.unwrap_or(1).max(1),
            servings,
            ingredients: recipe.ingredients.clone(),
        }
    }
}

/// Why a stock does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// Too old or too unsure a report; how sure it is.
    Doubtful(Permille),
    /// Past its date.
    Spoilt,
    /// Reported again since, or twice.
    Twice,
    /// It came with a delivery, and something at home weighs or counts it by now.
    Elsewhere,
    /// Nobody knows how much that is: a bunch of flour.
    NoMeasure,
}

/// A stock that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// The twin that tells.
    pub twin: TwinId,
    /// Its feature.
    pub feature: FeatureId,
    /// How much.
    pub amount: Amount,
    /// How it knows.
    pub source: StockSource,
    /// Milliseconds since it told.
    pub age_ms: u64,
    /// How far it is believed, in thousandths.
    pub confidence: Permille,
    /// Until when it is good.
    pub best_before: Option<Timestamp>,
}

/// Something on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Which line of which purchase.
    pub key: LineKey,
    /// What of it is not in the cupboard yet.
    pub amount: Amount,
    /// When it comes, where that is known, or came.
    pub arrives: Option<Timestamp>,
    /// It stands at the door.
    pub delivered: bool,
}

/// What becomes of one ingredient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is ordered.
    Order,
    /// There is enough.
    Enough,
    /// There will be enough: it is on its way.
    Coming,
    /// Nobody has to buy it.
    Optional,
    /// No dish says how much, and there is none: a person has to look.
    Unmeasured,
    /// It is missing and no supplier can bring it.
    NoSupplier,
    /// A person decided.
    Overruled(OverruledBy),
}

/// What was chosen from a supplier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picked {
    /// From whom.
    pub supplier: SystemId,
    /// Which goods, and how many of each.
    pub items: Vec<(String, u32)>,
    /// What they cost, in the currency's smallest unit.
    pub price: i64,
    /// How much more than is ordered they hold.
    pub over: Amount,
}

/// Why an ingredient is ordered, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Which.
    pub ingredient: IngredientId,
    /// What each dish needs of it, in the order of their time.
    pub needed: Vec<(DishId, Amount)>,
    /// What is there.
    pub have: Vec<Have>,
    /// What does not count, and why.
    pub ignored: Vec<(TwinId, Amount, Ignored)>,
    /// What is on its way.
    pub coming: Vec<Way>,
    /// What has to stay.
    pub keep: Amount,
    /// What is missing.
    pub missing: Amount,
    /// What dishes lack of it at which moment, in the order of their time; the rest of what is missing has to stay.
    pub lacks: Vec<(Timestamp, Amount)>,
    /// What is ordered: what is missing, but where a person decided, or nobody brings all of it in time.
    pub order: Amount,
    /// When what is ordered has to be there; `None`: no dish waits for it.
    pub by: Option<Timestamp>,
    /// What becomes of it.
    pub decision: Decision,
    /// From whom, once that was chosen.
    pub picked: Option<Picked>,
}

/// Where a dish's part comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// From a place at home.
    Twin(TwinId, FeatureId),
    /// From a delivery.
    Line(LineKey),
}

/// A part that a dish may count on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// Of what.
    pub ingredient: IngredientId,
    /// From where.
    pub from: From,
    /// How much.
    pub amount: Amount,
}

/// A line that takes part in nothing, since nobody knows what or how much it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unclear {
    /// As it is written.
    pub text: String,
    /// The food that it may be.
    pub guess: Option<IngredientId>,
}

/// Whether a dish can be cooked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// Everything is there.
    Now,
    /// Everything will be there; when, where that is known.
    Coming(Option<Timestamp>),
    /// These are missing.
    Missing(BTreeSet<IngredientId>),
}

/// A dish, reckoned through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DishPlan {
    /// Which.
    pub id: DishId,
    /// Whether it can be cooked.
    pub ready: Ready,
    /// What it may count on.
    pub reserved: Vec<Reserved>,
    /// Alternatives that are taken, as they are called: (instead of, taken).
    pub instead: Vec<(IngredientId, IngredientId)>,
    /// Lines that were not understood.
    pub unclear: Vec<Unclear>,
}

/// Everything reckoned through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Each ingredient, with its reason.
    pub whys: BTreeMap<IngredientId, Why>,
    /// Each dish, in the order of their time.
    pub dishes: Vec<DishPlan>,
    /// Delivered lines that have arrived in the cupboard: write them down as put away.
    pub settled: Vec<LineKey>,
    /// Delivered lines of which nobody knows where they are: longer than a day, and no stock has grown. A person has to
    /// be told.
    pub lost: Vec<LineKey>,
    /// Lines that should have come more than a day ago. They count as on their way: a person has to say that they did not
    /// come.
    pub overdue: Vec<LineKey>,
}

impl Plan {
    /// What is to be ordered.
    pub fn orders(&self) -> impl Iterator<Item = &Why> {
        self.whys.values().filter(|why| why.order.number() > 0)
    }
}

/// Reckons everything through. The order in which anything is given plays no part.
///
/// More of a food never has more of it ordered, and with what is ordered there is enough for every dish and for what has to
/// stay. A choice between alternatives is made when its dish's turn comes: the first that is there without touching what has
/// to stay, else the recipe's own.
#[must_use]
pub fn plan(
    dishes: &[Dish],
    pantry: &[Stock],
    coming: &[Coming],
    rules: &KitchenRules,
    table: &Table,
    now: Timestamp,
) -> Plan {
    kitchen::Kitchen::new(rules, table, now).plan(dishes, pantry, coming)
}

/// Whether each dish could be cooked if it were the only one: for a shelf full of recipes, of which few are planned. The
/// home's stock is looked through once.
#[must_use]
pub fn readiness(
    dishes: &[Dish],
    pantry: &[Stock],
    coming: &[Coming],
    rules: &KitchenRules,
    table: &Table,
    now: Timestamp,
) -> Vec<Ready> {
    let mut kitchen = kitchen::Kitchen::new(rules, table, now);
    kitchen.fill(pantry, coming);
    dishes.iter().map(|dish| kitchen.alone(dish)).collect()
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
