//! Recipes as schema.org writes them, from a file, a page or a service.

mod duration;
mod html;
mod json_ld;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use duration::milliseconds;
pub use json_ld::read;
pub(crate) use json_ld::{images, line, short, steps as steps_of};
pub use text::strip;

use crate::{howto::Instructions, ingredient::Ingredient, words::Style};

/// Why a text gives no recipe.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecipeError {
    /// Longer than the limit.
    #[error("a recipe's text has at most {limit} bytes, this one has {length}")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
        /// Bytes given.
        length: usize,
    },
    /// Arrays and objects too deep in each other.
    #[error("arrays and objects lie at most {0} deep in each other")]
    TooDeep(usize),
    /// More of something than is looked at.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// Not JSON.
    #[error("not JSON: {0}")]
    Malformed(String),
    /// There is none in it.
    #[error("there is no recipe in it")]
    Nothing,
    /// A recipe without a name or without a list.
    #[error("a recipe without {0}")]
    Without(&'static str),
}

/// What a recipe is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yield {
    /// How many it serves or makes; `None`: it does not say.
    pub servings: Option<u32>,
    /// As it was written: `4 servings`, `12 muffins`.
    pub text: String,
}

/// One thing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it belongs to: "For the sauce".
    pub section: Option<String>,
    /// What to do.
    pub text: String,
    /// A picture of it. Nobody here fetches it.
    pub image: Option<String>,
}

/// A recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// What it is called.
    pub name: String,
    /// What is said of it.
    pub description: String,
    /// Addresses of pictures. Nobody here fetches them.
    pub images: Vec<String>,
    /// Where it is from.
    pub url: Option<String>,
    /// For how many it is.
    pub serves: Yield,
    /// What is needed.
    pub ingredients: Vec<Ingredient>,
    /// What is done.
    pub steps: Vec<Step>,
    /// Milliseconds to prepare.
    pub prepare_ms: Option<u64>,
    /// Milliseconds to cook.
    pub cook_ms: Option<u64>,
    /// Milliseconds in all.
    pub total_ms: Option<u64>,
    /// As it was written: `calories`: `270 calories`.
    pub nutrition: BTreeMap<String, String>,
    /// Its language and measures.
    pub style: Style,
}

/// What a text had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Recipes, in the text's order.
    pub recipes: Vec<Recipe>,
    /// Instructions for other things, in the text's order.
    pub instructions: Vec<Instructions>,
}

#[cfg(test)]
#[path = "recipe_tests.rs"]
mod tests;
