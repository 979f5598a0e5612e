use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FeatureId, Json, PropertyId, StepKey, TwinId, Unit};

/// The most transformations that make one input.
pub const MAX_TRANSFORMS: usize = 128;

/// A document that a transformation can read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// What the user gave to the whole collaboration.
    Input,
    /// What an earlier step gave.
    Step(StepKey),
    /// What the step itself was given: only where it is undone.
    Sent,
    /// What has been made so far.
    Made,
    /// A property of a twin that the user shares: `{"value": ..., "truth": "live", "age_ms": ...}`.
    Twin {
        /// The twin.
        twin: TwinId,
        /// The feature.
        feature: FeatureId,
        /// The property.
        property: PropertyId,
    },
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    /// Which document.
    pub of: Source,
    /// Where in it: a JSON pointer (RFC 6901); empty: all of it.
    #[serde(default)]
    pub at: String,
}

/// Something to compare with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operand {
    /// This.
    Constant(Json),
    /// What is there.
    Value(Reference),
}

/// Which elements of an array stay.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those that equal it.
    Equal(Operand),
    /// Those that do not.
    Unequal(Operand),
    /// Those that are in an array.
    In(Reference),
    /// Those that are not: what is missing there.
    NotIn(Reference),
}

/// How names of fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// `postalCode`.
    Camel,
    /// `PostalCode`.
    Pascal,
    /// `postal_code`.
    Snake,
    /// `postal-code`.
    Kebab,
}

/// What a scalar becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A number: `"12"` becomes `12`.
    Number,
    /// A text: `12` becomes `"12"`.
    Text,
    /// `true` or `false`, from the texts of them.
    Bool,
    /// An amount of money becomes whole minor units, exactly: `"12.30"` becomes `1230`. More digits are refused.
    Minor {
        /// Decimal digits of the currency: 2 for euro, 0 for yen.
        digits: u8,
    },
    /// Whole minor units become an amount as text, exactly: `1230` becomes `"12.30"`.
    Major {
        /// Decimal digits of the currency.
        digits: u8,
    },
}

/// One step in making the input of a service from what is known. They are done in order, on a document that begins
/// as `{}`.
///
/// `at` and `to` are places in what is being made: JSON pointers (RFC 6901) in which a part `*` stands for every
/// element of an array (`/items/*/weight`). In such a pointer `~2` is a literal `*`. `to` makes objects on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Puts what is at `from` to `to`. Copies from what was made rename.
    Copy {
        /// What.
        from: Reference,
        /// Where to.
        to: String,
    },
    /// Puts a value there.
    Constant {
        /// The value.
        value: Json,
        /// Where to.
        to: String,
    },
    /// Puts a value where there is nothing, or `null`.
    Default {
        /// The value.
        value: Json,
        /// Where to.
        to: String,
    },
    /// Puts a text there in which `{name}` stands for a part and `{{` for a brace.
    Template {
        /// The text.
        text: String,
        /// The parts: texts, numbers, truths.
        parts: BTreeMap<String, Reference>,
        /// Where to.
        to: String,
    },
    /// Takes away what is there.
    Remove {
        /// Where.
        at: String,
    },
    /// Converts a number from one unit to another.
    Convert {
        /// Where.
        at: String,
        /// The unit that it is in.
        from: Unit,
        /// The unit that it shall be in.
        to: Unit,
    },
    /// Writes a scalar in another way.
    Write {
        /// Where.
        at: String,
        /// How.
        shape: Shape,
    },
    /// Writes the names of fields in another way, however deep they are.
    Rename {
        /// Where.
        at: String,
        /// How.
        naming: Naming,
    },
    /// Makes an object of it with this one field: an envelope.
    Wrap {
        /// Where.
        at: String,
        /// The field.
        field: String,
    },
    /// Puts a part of it in its place: out of the envelope.
    Unwrap {
        /// Where.
        at: String,
        /// Which part: a plain JSON pointer.
        part: String,
    },
    /// Keeps these fields of an object.
    Pick {
        /// Where.
        at: String,
        /// The fields.
        fields: BTreeSet<String>,
    },
    /// Makes each element of an array a new object.
    Each {
        /// The array.
        at: String,
        /// The fields of each new element, each from a place in the old one (a plain JSON pointer); what is not there
        /// is left out.
        fields: BTreeMap<String, String>,
    },
    /// Makes each element of an array one of its parts.
    Pluck {
        /// The array.
        at: String,
        /// Which part: a plain JSON pointer.
        part: String,
    },
    /// Keeps some elements of an array.
    Filter {
        /// The array.
        at: String,
        /// What of each element is compared: a plain JSON pointer; empty: the element.
        part: String,
        /// Which ones.
        keep: Keep,
    },
    /// Puts the first element of an array in its place.
    First {
        /// The array.
        at: String,
    },
}

impl Transform {
    /// Every place outside of what is being made that it reads.
    pub fn reads(&self) -> impl Iterator<Item = &Reference> {
        let operand = |operand| match operand {
            &Operand::Constant(_) => None,
            Operand::Value(reference) => Some(reference),
        };
        let (one, many) = match self {
            Self::Copy { from, .. } => (Some(from), None),
            Self::Template { parts, .. } => (None, Some(parts.values())),
            Self::Filter { keep: Keep::Equal(with) | Keep::Unequal(with), .. } => (operand(with), None),
            Self::Filter { keep: Keep::In(with) | Keep::NotIn(with), .. } => (Some(with), None),
            _ => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}
