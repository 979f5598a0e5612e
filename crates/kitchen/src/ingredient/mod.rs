//! A line of a recipe's list, understood or kept as it is.

mod amount;
mod lex;
mod line;

use serde::{Deserialize, Serialize};

pub use line::{parse, parse_all};

use crate::{
    name::SURE,
    table::{IngredientId, Permille},
    units::Amount,
};

/// What may be taken instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// How much of it; `None`: as much as of what it stands for, or nobody knows.
    pub amount: Option<Amount>,
    /// What it is called.
    pub name: String,
    /// The food it most likely is.
    pub id: Option<IngredientId>,
    /// How sure that is.
    pub confidence: Permille,
}

/// One line of a recipe's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredient {
    /// As it was written, for people.
    pub text: String,
    /// How much is needed; of a range the most.
    pub amount: Option<Amount>,
    /// The least of a range.
    pub least: Option<Amount>,
    /// What it is called.
    pub name: String,
    /// The food it most likely is.
    pub id: Option<IngredientId>,
    /// What may be taken instead, in the recipe's order.
    pub alternatives: Vec<Alternative>,
    /// Nobody has to buy it: "to taste", "for serving".
    pub optional: bool,
    /// What else was said: "finely chopped".
    pub note: String,
    /// How sure it is what is meant, in thousandths; below 700 it is a guess that a person has to confirm.
    pub confidence: Permille,
}

impl Ingredient {
    /// The food, where it is sure which one.
    #[must_use]
    pub fn food(&self) -> Option<&IngredientId> {
        self.id.as_ref().filter(|_| self.confidence >= SURE)
    }
}

#[cfg(test)]
#[path = "ingredient_tests.rs"]
mod tests;
