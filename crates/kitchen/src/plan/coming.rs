//! What is on its way, and when it stops being so.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vestibule_model::Timestamp;

use super::Way;
use crate::{
    pantry::LineKey,
    table::{Food, IngredientId},
    units::Amount,
};

/// How long a delivered line is looked for in the cupboard: a day.
pub const UNPACKED_MS: u64 = 86_400_000;

/// A delivered line's moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delivery {
    /// When it was delivered.
    pub at: Timestamp,
    /// What things at home told of the ingredient just then, all places together.
    pub stock: Amount,
}

/// A line of a purchase: what is bought and not in the cupboard yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Coming {
    /// Which line of which purchase.
    pub key: LineKey,
    /// Of what.
    pub ingredient: IngredientId,
    /// How much in all.
    pub amount: Amount,
    /// When it was bought, as far as that is known.
    pub since: Option<Timestamp>,
    /// Until when it is promised.
    pub arrives: Option<Timestamp>,
    /// What things at home told of the ingredient, all places together, before any of it came.
    pub told: Option<Amount>,
    /// How much of it was brought before all of it was.
    pub part: Option<Amount>,
    /// Delivered; from then on the cupboard is watched.
    pub delivered: Option<Delivery>,
    /// A person said that it is put away or did not come, or a plan found it put away.
    pub put_away: bool,
}

/// What of an ingredient's lines still is on its way.
#[derive(Default)]
pub struct Ways {
    pub ways: Vec<Way>,
    pub settled: Vec<LineKey>,
    pub lost: Vec<LineKey>,
    pub overdue: Vec<LineKey>,
}

/// Each line once, by ingredient: where one is told twice, the one that promises less counts.
pub fn by_ingredient(coming: &[Coming]) -> BTreeMap<&IngredientId, Vec<&Coming>> {
    let mut once: BTreeMap<&LineKey, &Coming> = BTreeMap::new();
    for line in coming {
        let rank = |line: &Coming| (!line.put_away, line.delivered.is_none(), line.amount.number(), line.arrives);
        let known = once.entry(&line.key).or_insert(line);
        if (rank(line), line) < (rank(known), *known) {
            *known = line;
        }
    }
    let mut lines: BTreeMap<&IngredientId, Vec<&Coming>> = BTreeMap::new();
    for line in once.into_values() {
        lines.entry(&line.ingredient).or_default().push(line);
    }
    lines
}

/// What of these lines still is on its way, given what things at home tell of the ingredient.
///
/// A delivered line is put away by and by: what the stock has grown since is taken off it, so that nothing counts both
/// here and there; from four fifths on it is all there. What one line's delivery has grown counts for no other line. Of a
/// line that was brought in part, that part is looked for in the same way.
pub fn on_the_way(lines: &[&Coming], food: &Food, told: i64, stocked: &BTreeSet<LineKey>, now: Timestamp) -> Ways {
    let mut lines: Vec<&Coming> = lines.to_vec();
    lines.sort_by_key(|line| (line.delivered.is_none(), line.delivered.map(|delivery| delivery.at), &line.key));
    let mut found = Ways::default();
    let mut floor = 0;
    for line in lines {
        let Some(amount) = food.to_base(line.amount).filter(|_| !line.put_away) else { continue };
        if stocked.contains(&line.key) {
            found.settled.push(line.key.clone());
            continue;
        }
        let base = |some: Option<Amount>| some.and_then(|some| food.to_base(some)).map_or(0, Amount::number);
        let brought = if line.delivered.is_some() { amount.number() } else { base(line.part).min(amount.number()) };
        let mut grown = 0;
        if brought > 0 {
            floor = base(line.delivered.map(|delivery| delivery.stock).or(line.told)).max(floor);
            grown = told.saturating_sub(floor).clamp(0, brought);
            floor = floor.saturating_add(grown);
        }
        let left = amount.with(amount.number() - grown);
        let way = |arrives, delivered| Way { key: line.key.clone(), amount: left, arrives, delivered };
        let Some(delivery) = line.delivered else {
            // A day after its promise nobody knows when it comes, or whether: a person is asked.
            let late = line.arrives.is_some_and(|at| now.since(at) >= UNPACKED_MS);
            found.overdue.extend(late.then(|| line.key.clone()));
            found.ways.push(way(line.arrives.filter(|_| !late), false));
            continue;
        };
        if grown.saturating_mul(5) >= amount.number().saturating_mul(4) {
            found.settled.push(line.key.clone());
        } else if now.since(delivery.at) >= UNPACKED_MS {
            found.lost.push(line.key.clone());
        } else {
            found.ways.push(way(Some(delivery.at), true));
        }
    }
    found
}
