//! What the home's twins have of the food.
//!
//! A pantry place is a sensor that tells a weight, a volume or a number of pieces, and of which somebody knows what lies
//! there: the person said so, or the twin has a text beside it (`NAME_food`, `NAME_ingredient`, or the property
//! `ingredient`), or the sensor is called as a food is.

use std::collections::BTreeMap;

use vestibule_kitchen::{Amount, CountUnit, IngredientId, KitchenRules, Stock, StockSource, Table, plain_name};
use vestibule_model::{Cell, FeatureId, FeatureInfo, FeatureKind, PropertyId, Timestamp, Truth, TwinId, TwinInfo};
use vestibule_twin::{KitchenPlace, KnownSystems, Reading, TwinState};

use crate::words;

/// Places that are looked at: four times what the arithmetic is measured with.
const MOST_PLACES: usize = 4_096;
/// Units of amounts, as Home Assistant writes them. A `C` is no cup here, and `%` of salt no amount.
const UNITS: [&str; 11] = ["mg", "g", "kg", "oz", "lb", "mL", "ml", "L", "l", "pcs", "pieces"];
/// Classes of sensors that tell how much there is; others tell what flows or happens.
const CLASSES: [&str; 2] = ["weight", "volume_storage"];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pantry {
    pub stocks: Vec<Stock>,
    /// Places that tell an amount of nobody knows what.
    pub unknown: Vec<KitchenPlace>,
    /// What people call each place.
    pub names: BTreeMap<(TwinId, FeatureId), String>,
    /// How many pieces there are of what is no food, by what things at home call it ([`plain_name`]).
    pub pieces: BTreeMap<String, u32>,
}

/// How much there is of each food, all places together.
pub(crate) fn together<'a>(stocks: impl Iterator<Item = &'a Stock>, table: &Table) -> BTreeMap<IngredientId, Amount> {
    let mut sums: BTreeMap<IngredientId, Amount> = BTreeMap::new();
    for stock in stocks {
        let Some(amount) = table.get(&stock.ingredient).and_then(|food| food.to_base(stock.amount)) else {
            continue;
        };
        let sum = sums.entry(stock.ingredient.clone()).or_insert(amount.with(0));
        *sum = sum.plus(amount).unwrap_or(*sum);
    }
    sums
}

impl Pantry {
    /// Where the food is: the place of the first system that says where it is.
    pub(crate) fn home(&self, systems: &KnownSystems) -> Option<Cell> {
        self.stocks.iter().find_map(|stock| systems.systems.get(&stock.twin.system())?.info.place)
    }
}

/// Looks through all twins at `now`, the enabler's time, which is second `seconds` of the app's own.
pub(crate) fn look<'a>(
    twins: impl Iterator<Item = (&'a TwinInfo, &'a TwinState)>,
    rules: &KitchenRules,
    table: &Table,
    now: Timestamp,
    seconds: f64,
) -> Pantry {
    let mut pantry = Pantry::default();
    let mut twins: Vec<_> = twins.collect();
    twins.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    for (info, state) in twins {
        for (id, feature) in &info.features {
            if pantry.stocks.len() + pantry.unknown.len() >= MOST_PLACES {
                return pantry;
            }
            let Some((amount, reading, weighs)) = told(id, feature, state) else { continue };
            let name = words::place(&info.name, &feature.name);
            let food = food_at(info, id, state, rules, table);
            let key = (info.id.clone(), id.clone());
            match food {
                Some(ingredient) => {
                    pantry.names.insert(key, name);
                    pantry.stocks.push(stock(ingredient, info, id, amount, reading, (state, weighs, now, seconds)));
                }
                None if weighs => {
                    let amount = words::amount(amount);
                    pantry.unknown.push(KitchenPlace { twin: key.0, feature: key.1, name, amount });
                }
                None => {
                    if let Some(count) = pieces(amount).filter(|_| reading.truth == Truth::Live) {
                        let sum = pantry.pieces.entry(plain_name(&feature.name)).or_default();
                        *sum = sum.saturating_add(count);
                    }
                }
            }
        }
    }
    pantry
}

/// Whole pieces, where they are counted.
fn pieces(amount: Amount) -> Option<u32> {
    let Amount::Count { milli, of: CountUnit::Piece } = amount else { return None };
    u32::try_from(milli / 1_000).ok()
}

/// How much a feature tells, and whether it is a scale.
fn told<'a>(id: &FeatureId, feature: &FeatureInfo, state: &'a TwinState) -> Option<(Amount, &'a Reading, bool)> {
    let class = feature.class.as_deref();
    if feature.kind != FeatureKind::Sensor || class.is_some_and(|class| !CLASSES.contains(&class)) {
        return None;
    }
    let value = PropertyId::slug("value");
    let unit = feature.properties.get(&value)?.unit.as_deref().filter(|unit| UNITS.contains(unit))?;
    let reading = state.readings.get(&(id.clone(), value))?;
    let amount = Amount::reported(reading.value.as_ref()?, Some(unit))?;
    Some((amount, reading, class == Some("weight")))
}

fn food_at(
    info: &TwinInfo,
    id: &FeatureId,
    state: &TwinState,
    rules: &KitchenRules,
    table: &Table,
) -> Option<IngredientId> {
    let text = |feature: &str, property: &str| state.reported(feature, property).and_then(|value| value.as_text());
    let beside = ["food", "ingredient"].iter().find_map(|what| text(&format!("{id}_{what}"), "value"));
    let said = text(id.as_str(), "ingredient").or(beside);
    let name = info.features.get(id).map(|feature| feature.name.as_str());
    rules.food_at(info.id.as_str(), id.as_str(), said.or(name), table)
}

fn stock(
    ingredient: IngredientId,
    info: &TwinInfo,
    id: &FeatureId,
    amount: Amount,
    reading: &Reading,
    (state, weighs, now, seconds): (&TwinState, bool, Timestamp, f64),
) -> Stock {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; ages of years fit")]
    let age_ms = reading.age(seconds).map(|age| (age * 1_000.0) as u64);
    // What nobody knows the age of is as old as can be.
    let reported = age_ms.map_or(Timestamp(0), |age| Timestamp(now.0.saturating_sub(age)));
    let truth = if state.reaches(id) || reading.truth == Truth::Diverged { reading.truth } else { Truth::Stale };
    Stock {
        ingredient,
        twin: info.id.clone(),
        feature: id.clone(),
        amount,
        source: if weighs { StockSource::Scale { tare_mg: 0 } } else { StockSource::Inventory },
        reported,
        truth,
        best_before: None,
    }
}

#[cfg(test)]
#[path = "pantry_tests.rs"]
mod tests;
