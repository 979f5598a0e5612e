//! Whether what is made goes where it is wanted: what a manufacturer asks to see for that, and what it says then.

use vestibule_model::TwinId;

/// A free place that a twin has measured, and that a manufacturer asks to see (FGMV-29 P1.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopAsk {
    /// The twin.
    pub twin: TwinId,
    /// What people call it.
    pub name: String,
    /// What of it would be seen, as people call that, and nothing else: `Free place, width`.
    pub measures: Vec<String>,
    /// Whether the person lets the manufacturer see it whenever it works for them, so that nobody has to be asked.
    pub shared: bool,
}

/// What a manufacturer says of whether a thing goes where it is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ShopFit {
    /// Nothing: it was shown no place.
    #[default]
    Nothing,
    /// It does: the measures of both.
    Fits(String),
    /// It does not, and by how much.
    TooLarge(Vec<String>),
    /// It could not see what was measured.
    Unknown(Vec<String>),
}
