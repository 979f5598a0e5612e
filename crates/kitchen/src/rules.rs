//! What the user decided about their kitchen: kept in `kitchen.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    name::plain,
    table::{IngredientId, Permille, Table},
    units::Amount,
};

/// The most bytes of the file.
const BYTES: usize = 256 * 1024;
/// The most entries of each kind.
const ENTRIES: usize = 2_048;

/// What a person decided against the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverruledBy {
    /// "I have it": nothing is ordered.
    Have,
    /// "I do without it": nothing is ordered, and no dish waits for it.
    Without,
    /// "Order this much", whatever is missing.
    Order(Amount),
}

/// A person's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KitchenRules {
    /// From which confidence on a stock counts, in thousandths.
    pub trust: Permille,
    /// What has to be there at least, also after everything is cooked.
    pub keep: BTreeMap<IngredientId, Amount>,
    /// Decisions that win.
    pub overrule: BTreeMap<IngredientId, OverruledBy>,
    /// What the user calls a food.
    pub names: BTreeMap<String, IngredientId>,
    /// Which food is where, by twin and feature: `"home/shelf left" = "rice"`. It wins over what the thing says.
    pub places: BTreeMap<String, IngredientId>,
    /// Whether lines that nobody has to buy are bought.
    pub buy_optional: bool,
}

impl Default for KitchenRules {
    fn default() -> Self {
        Self {
            trust: 500,
            keep: BTreeMap::new(),
            overrule: BTreeMap::new(),
            names: BTreeMap::new(),
            places: BTreeMap::new(),
            buy_optional: false,
        }
    }
}

/// Why a text is none of these rules.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RulesError {
    /// Too much of it.
    #[error("a kitchen's rules have at most {ENTRIES} entries of a kind in {BYTES} bytes")]
    TooLong,
    /// Not TOML, or not of this shape.
    #[error("not a kitchen's rules: {0}")]
    Malformed(String),
    /// A name or place that means no food.
    #[error("there is no food called {0}")]
    NoFood(IngredientId),
}

impl KitchenRules {
    /// Reads `kitchen.toml`.
    ///
    /// # Errors
    /// [`RulesError`].
    ///
    /// ```
    /// use vestibule_kitchen::KitchenRules;
    /// let rules = KitchenRules::read("[keep]\nrice = \"500 g\"")?;
    /// assert_eq!(KitchenRules::read(&rules.write()?)?, rules);
    /// # Ok::<(), vestibule_kitchen::RulesError>(())
    /// ```
    pub fn read(text: &str) -> Result<Self, RulesError> {
        if text.len() > BYTES {
            return Err(RulesError::TooLong);
        }
        let rules: Self = toml::from_str(text).map_err(|error| RulesError::Malformed(error.message().to_owned()))?;
        let longest = [rules.keep.len(), rules.overrule.len(), rules.names.len(), rules.places.len()];
        if longest.into_iter().any(|length| length > ENTRIES) { Err(RulesError::TooLong) } else { Ok(rules) }
    }

    /// The text of `kitchen.toml`.
    ///
    /// # Errors
    /// [`RulesError::Malformed`] where it cannot be written.
    pub fn write(&self) -> Result<String, RulesError> {
        toml::to_string(self).map_err(|error| RulesError::Malformed(error.to_string()))
    }

    /// The table with the user's own names in it.
    ///
    /// # Errors
    /// [`RulesError::NoFood`] where one means a food that is not in the table.
    pub fn table(&self, table: &Table) -> Result<Table, RulesError> {
        let mut table = table.clone();
        for (name, id) in &self.names {
            if !table.call(name, id) {
                return Err(RulesError::NoFood(id.clone()));
            }
        }
        Ok(table)
    }

    /// Which food lies at a place: what the user said, else what the thing says, by id or by name.
    #[must_use]
    pub fn food_at(&self, twin: &str, feature: &str, said: Option<&str>, table: &Table) -> Option<IngredientId> {
        if let Some(id) = self.places.get(&format!("{twin} {feature}")) {
            return Some(id.clone());
        }
        let said = said?;
        let by_id = IngredientId::new(&plain(said).replace(' ', "_")).ok().filter(|id| table.get(id).is_some());
        by_id.or_else(|| table.named(said).map(|food| food.id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> IngredientId {
        IngredientId::new(text).unwrap()
    }

    #[test]
    fn rules_are_kept_as_they_are() {
        let mut rules = KitchenRules::default();
        rules.keep.insert(id("milk"), Amount::Volume(500_000));
        rules.overrule.insert(id("salt"), OverruledBy::Have);
        rules.overrule.insert(id("rice"), OverruledBy::Order(Amount::Mass(1_000_000)));
        rules.names.insert("grandma's flour".to_owned(), id("flour_rye"));
        rules.places.insert("home/shelf left".to_owned(), id("rice"));
        assert_eq!(KitchenRules::read(&rules.write().unwrap()).unwrap(), rules);
        let table = rules.table(Table::shipped()).unwrap();
        assert_eq!(table.named("Grandma’s Flour").unwrap().id, id("flour_rye"));
        assert_eq!(rules.food_at("home/shelf", "left", Some("Sugar"), &table), Some(id("rice")), "the user wins");
        assert_eq!(rules.food_at("home/shelf", "right", Some("Zucker"), &table), Some(id("sugar")));
        assert_eq!(rules.food_at("home/shelf", "right", Some("flour_rye"), &table), Some(id("flour_rye")));
        assert_eq!(rules.food_at("home/shelf", "right", Some("moon dust"), &table), None);
    }

    #[test]
    fn hostile_rules_are_refused() {
        for wrong in ["keep = 3", "[keep]\nrice = \"much\"", "[keep]\n\"Rice!\" = \"1 g\"", "unknown = 1", "trust = -1"]
        {
            assert!(matches!(KitchenRules::read(wrong), Err(RulesError::Malformed(_))), "{wrong}");
        }
        assert_eq!(KitchenRules::read(&" ".repeat(BYTES + 1)), Err(RulesError::TooLong));
        let many: String = (0..=ENTRIES).map(|n| format!("r{n} = \"1 g\"\n")).collect();
        assert_eq!(KitchenRules::read(&format!("[keep]\n{many}")), Err(RulesError::TooLong));
        let names = KitchenRules::read("[names]\nx = \"moon_dust\"").unwrap();
        assert_eq!(names.table(Table::shipped()).unwrap_err(), RulesError::NoFood(id("moon_dust")));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,80}") {
            let _ = KitchenRules::read(&text);
        }
    }
}
