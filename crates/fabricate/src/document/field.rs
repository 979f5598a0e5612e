use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::design::{Amount, Axis, Expression, FeatureKey, MaterialKey, ParamKey};

/// The longest path of a shape's field, in bytes: `profile.` and eight times `of.`, with room.
const MAX_PATH: usize = 64;
/// The longest text of a field, in bytes: a profile of as many points as a feature may have.
pub const MAX_SCALAR: usize = 512 << 10;

/// One value of a document that is edited by itself. As text: `feature/board/p.size.0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Field {
    /// What the design is called.
    Name,
    /// The part that its twin plays.
    Role,
    /// Of a parameter.
    Param(ParamKey, ParamField),
    /// Of a material.
    Material(MaterialKey, MaterialField),
    /// Of a feature.
    Feature(FeatureKey, FeatureField),
}

/// Why a text names no field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no field")]
pub struct FieldError(String);

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Nothing.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A number: millimetres, degrees, how many.
    Number(f64),
    /// A text; a formula begins with `=`.
    Text(String),
}

impl Scalar {
    /// Whether a document takes it.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Nothing | Self::Flag(_) => true,
            Self::Number(value) => value.is_finite(),
            Self::Text(text) => text.len() <= MAX_SCALAR,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        if let Self::Number(value) = self { Some(*value) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The amount that it stands for: a number, or a formula behind a `=`.
    pub(super) fn amount(&self) -> Option<Amount> {
        match self {
            Self::Number(value) => Some(Amount::Value(*value)),
            Self::Text(text) => Expression::new(text.strip_prefix('=')?).ok().map(Amount::Formula),
            Self::Nothing | Self::Flag(_) => None,
        }
    }
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&Amount> for Scalar {
    fn from(amount: &Amount) -> Self {
        match amount {
            Amount::Value(value) => Self::Number(*value),
            Amount::Formula(formula) => Self::Text(format!("={}", formula.as_str())),
        }
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$each])* $variant,)+ }

        impl $name {
            const fn id(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            fn named(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named! {
    /// What a parameter says.
    ParamField {
        /// What people call it: text.
        Label = "label",
        /// Number.
        Value = "value",
        /// What it counts: `millimetre`, `degree`, `count`.
        Unit = "unit",
        /// Number.
        Least = "least",
        /// Number.
        Most = "most",
        /// Number.
        Step = "step",
        /// Whether it was removed: flag.
        Gone = "gone",
    }
}

named! {
    /// What a material says.
    MaterialField {
        /// What people call it: text.
        Name = "name",
        /// `pla`, `petg`, `pa12`, `resin`, `plywood`.
        Kind = "kind",
        /// Its colour (sRGB): `#rrggbb`.
        Colour = "colour",
        /// How rough it is: 0 to 1000.
        Rough = "rough",
        /// Whether it shines as metal does: flag.
        Metal = "metal",
        /// Whether it was removed: flag.
        Gone = "gone",
    }
}

/// What a feature says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureField {
    /// What its maker calls it: text.
    Name,
    /// Its shape's name; see [`super::ShapeKind`].
    Shape,
    /// A field of its shape.
    Part(Path),
    /// `body`, `add`, `cut`, `meet`, `guide`.
    Does,
    /// The keys of the bodies that it does that to, with spaces between them.
    To,
    /// Its material's key.
    Material,
    /// Where it comes among the others: texts in their order, see [`super::Document::reordering`].
    Order,
    /// Where it is along an axis: number or formula.
    Position(Axis),
    /// How it is turned about an axis: number or formula.
    Turn(Axis),
    /// `line`, `grid`, `circle` or nothing.
    Repeat,
    /// A field of how it is repeated.
    Times(Path),
    /// `x`, `y`, `z` or nothing.
    Mirror,
    /// Whether it was removed: flag.
    Gone,
}

/// The way to a field of a shape or of a repetition: `size.0`, `profile.radius`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Arc<str>);

impl Path {
    /// The path that `text` is: names of `a` to `z` and `_`, or single digits, with dots between them.
    ///
    /// # Errors
    /// [`FieldError`] where it is none.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let name = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let digit = |part: &str| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = text.len() <= MAX_PATH && text.split('.').all(|part| name(part) || digit(part));
        if fits { Ok(Self(text.into())) } else { Err(FieldError(text.chars().take(MAX_PATH).collect())) }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For paths of what was checked before.
    pub(super) fn known(text: &str) -> Self {
        Self(text.into())
    }
}

const POSITIONS: [(&str, Axis); 3] = [("px", Axis::X), ("py", Axis::Y), ("pz", Axis::Z)];
const TURNS: [(&str, Axis); 3] = [("rx", Axis::X), ("ry", Axis::Y), ("rz", Axis::Z)];

impl FeatureField {
    fn named(text: &str) -> Option<Self> {
        let axis = |names: [(&str, Axis); 3]| names.into_iter().find(|(name, _)| *name == text).map(|(_, axis)| axis);
        Some(match text {
            "name" => Self::Name,
            "shape" => Self::Shape,
            "does" => Self::Does,
            "to" => Self::To,
            "material" => Self::Material,
            "order" => Self::Order,
            "repeat" => Self::Repeat,
            "mirror" => Self::Mirror,
            "gone" => Self::Gone,
            _ => match text.split_once('.') {
                Some(("p", path)) => Self::Part(Path::new(path).ok()?),
                Some(("repeat", path)) => Self::Times(Path::new(path).ok()?),
                Some(_) => return None,
                None => axis(POSITIONS).map(Self::Position).or_else(|| axis(TURNS).map(Self::Turn))?,
            },
        })
    }
}

impl fmt::Display for FeatureField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Shape => f.write_str("shape"),
            Self::Part(path) => write!(f, "p.{}", path.0),
            Self::Does => f.write_str("does"),
            Self::To => f.write_str("to"),
            Self::Material => f.write_str("material"),
            Self::Order => f.write_str("order"),
            Self::Position(axis) => f.write_str(POSITIONS[*axis as usize].0),
            Self::Turn(axis) => f.write_str(TURNS[*axis as usize].0),
            Self::Repeat => f.write_str("repeat"),
            Self::Times(path) => write!(f, "repeat.{}", path.0),
            Self::Mirror => f.write_str("mirror"),
            Self::Gone => f.write_str("gone"),
        }
    }
}

impl Field {
    /// Whether it says that something was removed.
    pub(super) const fn says_gone(&self) -> bool {
        matches!(
            self,
            Self::Param(_, ParamField::Gone)
                | Self::Material(_, MaterialField::Gone)
                | Self::Feature(_, FeatureField::Gone)
        )
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Role => f.write_str("role"),
            Self::Param(key, field) => write!(f, "param/{key}/{}", field.id()),
            Self::Material(key, field) => write!(f, "material/{key}/{}", field.id()),
            Self::Feature(key, field) => write!(f, "feature/{key}/{field}"),
        }
    }
}

impl FromStr for Field {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let read = || {
            let Some((of, rest)) = text.split_once('/') else {
                return match text {
                    "name" => Some(Self::Name),
                    "role" => Some(Self::Role),
                    _ => None,
                };
            };
            let (key, field) = rest.split_once('/')?;
            match of {
                "param" => Some(Self::Param(ParamKey::new(key).ok()?, ParamField::named(field)?)),
                "material" => Some(Self::Material(MaterialKey::new(key).ok()?, MaterialField::named(field)?)),
                "feature" => Some(Self::Feature(FeatureKey::new(key).ok()?, FeatureField::named(field)?)),
                _ => None,
            }
        };
        read().ok_or_else(|| FieldError(text.chars().take(2 * MAX_PATH).collect()))
    }
}

impl TryFrom<String> for Field {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        text.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_are_written() {
        let texts = [
            "name",
            "role",
            "param/width/value",
            "param/width/gone",
            "material/wood/colour",
            "feature/board/p.size.0",
            "feature/0b/p.profile.of.radius",
            "feature/board/px",
            "feature/board/rz",
            "feature/board/repeat",
            "feature/board/repeat.steps.0.1",
            "feature/board/mirror",
        ];
        for text in texts {
            assert_eq!(text.parse::<Field>().unwrap().to_string(), text);
        }
        for text in
            ["", "format", "param/Width/value", "param/width", "feature/a/p.", "feature/a/p.10", "feature/a/q.a"]
        {
            assert!(text.parse::<Field>().is_err(), "{text}");
        }
        let long = format!("feature/a/p.{}", "of.".repeat(40));
        assert!(long.parse::<Field>().is_err());
    }

    #[test]
    fn scalars_go_through_json() {
        for (scalar, text) in
            [(Scalar::Nothing, "null"), (true.into(), "true"), (1.5.into(), "1.5"), ("=width".into(), "\"=width\"")]
        {
            assert_eq!(serde_json::to_string(&scalar).unwrap(), text);
            assert_eq!(serde_json::from_str::<Scalar>(text).unwrap(), scalar);
        }
        assert!(!Scalar::Number(f64::NAN).is_sound());
    }
}
