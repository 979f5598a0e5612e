use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{
    field::{Field, Scalar},
    kind::ShapeKind,
};
use crate::design::{Does, FeatureKey, MaterialKey};

/// What a click does: fields that are set at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The fields and their values; of a field that is there twice, the last counts.
    pub sets: Vec<(Field, Scalar)>,
    /// What people read beside "undo".
    pub label: EditLabel,
}

/// What was done to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditLabel {
    /// What was done.
    pub deed: Deed,
    /// To what.
    pub what: String,
}

impl fmt::Display for EditLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.deed.word(), self.what)
    }
}

/// What an edit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Something new.
    Add,
    /// Something less.
    Remove,
    /// The same once more.
    Copy,
    /// The same on the other side.
    Mirror,
    /// The same so many times.
    Repeat,
    /// Somewhere else.
    Move,
    /// Another name.
    Rename,
    /// Another colour.
    Colour,
    /// Another value.
    Set,
    /// Another place among the others.
    Reorder,
}

impl Deed {
    const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Copy => "copy",
            Self::Mirror => "mirror",
            Self::Repeat => "repeat",
            Self::Move => "move",
            Self::Rename => "rename",
            Self::Colour => "colour",
            Self::Set => "change",
            Self::Reorder => "reorder",
        }
    }
}

/// A feature to be added, with sensible sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFeature {
    /// Its key, as nobody else has it: eight random bytes as hex.
    pub key: FeatureKey,
    /// What it is.
    pub kind: ShapeKind,
    /// What it does.
    pub does: Does,
    /// Where it is, in millimetres.
    pub at: [f64; 3],
    /// About how wide, in millimetres; a default where it is nothing.
    pub size: Option<f64>,
    /// Of what; where it is nothing, of what the feature before it is made of.
    pub material: Option<MaterialKey>,
}

impl NewFeature {
    /// One that does this.
    #[must_use]
    pub const fn new(key: FeatureKey, kind: ShapeKind, does: Does) -> Self {
        Self { key, kind, does, at: [0.0; 3], size: None, material: None }
    }

    /// A body.
    #[must_use]
    pub const fn body(key: FeatureKey, kind: ShapeKind) -> Self {
        Self::new(key, kind, Does::Body)
    }

    /// Something that is cut from all bodies.
    #[must_use]
    pub const fn cut(key: FeatureKey, kind: ShapeKind) -> Self {
        Self::new(key, kind, Does::Cut { from: BTreeSet::new() })
    }

    /// At a place.
    #[must_use]
    pub fn at(self, at: [f64; 3]) -> Self {
        Self { at, ..self }
    }

    /// About so wide, in millimetres.
    #[must_use]
    pub fn sized(self, size: f64) -> Self {
        Self { size: Some(size), ..self }
    }
}

impl Edit {
    pub(super) fn of(deed: Deed, what: &str, sets: Vec<(Field, Scalar)>) -> Self {
        let what = what.chars().take(80).collect();
        Self { sets, label: EditLabel { deed, what } }
    }
}
