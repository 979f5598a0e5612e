//! How much of a stranger's text is looked at.

/// Bounds for what is read. Pages are long, recipes are short: who needs more writes no recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub bytes: usize,
    /// How deep arrays and objects may lie in each other.
    pub depth: usize,
    /// Objects that are looked at in search of recipes.
    pub nodes: usize,
    /// Script blocks of a page.
    pub scripts: usize,
    /// Recipes of one text.
    pub recipes: usize,
    /// Ingredients of a recipe.
    pub ingredients: usize,
    /// Steps of a recipe.
    pub steps: usize,
    /// Bytes of a line: an ingredient, a step, a name.
    pub line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1024 * 1024,
            depth: 32,
            nodes: 20_000,
            scripts: 32,
            recipes: 64,
            ingredients: 200,
            steps: 200,
            line: 2 * 1024,
        }
    }
}
