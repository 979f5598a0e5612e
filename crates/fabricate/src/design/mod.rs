//! A design as plain data: what it is made of, what it is called, what may be changed on it.

mod canonical;
mod check;
mod expression;
mod key;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use canonical::FORMAT;
pub use check::{DesignError, MAX_BYTES, MAX_FEATURES, MAX_MATERIALS, MAX_PARAMS, MAX_REPEATS, Resolved};
pub(crate) use check::{MAX_SIDES, range, whole as check_whole};
pub use expression::{Amount, Expression, FormulaError, MAX_FORMULA};
pub use key::{FeatureKey, KeyError, MAX_KEY, MaterialKey, ParamKey};
pub(crate) use shape::Use;
pub use shape::{Anchor, Angle, Count, Length, Profile, Segment, Shape};
pub use vestibule_model::DesignHash;

/// A thing that somebody thought of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// What its maker calls it.
    pub name: String,
    /// What formulas read, and what people turn.
    pub params: BTreeMap<ParamKey, Param>,
    /// What it is made of.
    pub materials: BTreeMap<MaterialKey, Material>,
    /// What it consists of; what is cut is cut from what stands before.
    pub features: Vec<Feature>,
    /// The part that its twin plays in a world, such as `lamp`, where it is to have one.
    #[serde(default)]
    pub role: Option<String>,
}

/// Something about a design that a person may turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// What people call it.
    pub label: String,
    /// Its value: millimetres, degrees or how many.
    pub value: f64,
    /// What it counts.
    pub unit: ParamUnit,
    /// The least that makes sense.
    pub least: f64,
    /// The most that makes sense.
    pub most: f64,
    /// By how much a key changes it.
    pub step: f64,
}

impl Param {
    /// A length in whole millimetres.
    #[must_use]
    pub fn length(label: &str, value: f64, least: f64, most: f64) -> Self {
        Self { label: label.to_owned(), value, unit: ParamUnit::Millimetre, least, most, step: 1.0 }
    }

    /// How many.
    #[must_use]
    pub fn count(label: &str, value: f64, least: f64, most: f64) -> Self {
        Self { unit: ParamUnit::Count, ..Self::length(label, value, least, most) }
    }
}

/// What a parameter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamUnit {
    /// Millimetres.
    Millimetre,
    /// Degrees.
    Degree,
    /// Things.
    Count,
}

/// What something is made of, and how it looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Material {
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: MaterialKind,
    /// Red, green, blue (sRGB).
    pub colour: [u8; 3],
    /// 0 a mirror, 1000 chalk.
    pub roughness_permille: u16,
    /// Whether it shines as metal does.
    pub metallic: bool,
}

/// What machines ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaterialKind {
    /// Polylactic acid.
    Pla,
    /// Glycol-modified polyethylene terephthalate.
    Petg,
    /// Nylon powder.
    Pa12,
    /// Photopolymer.
    Resin,
    /// Wood in layers.
    Plywood,
}

/// A part of a design.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Which; no two have the same.
    pub key: FeatureKey,
    /// What its maker calls it.
    pub name: String,
    /// What it is.
    pub shape: Shape,
    /// Where it is.
    pub at: Placement,
    /// What it does to the others.
    pub does: Does,
    /// How often it is there.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// The plane on whose other side it is a second time.
    #[serde(default)]
    pub mirror: Option<MirrorPlane>,
    /// What it is made of; what counts is a body's own.
    pub material: MaterialKey,
}

/// What a feature does to others, all of which stand before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It is a body of its own.
    Body,
    /// It becomes part of a body.
    Add {
        /// Which.
        to: FeatureKey,
    },
    /// It is taken away from bodies.
    Cut {
        /// Which; none stands for every body before it.
        from: BTreeSet<FeatureKey>,
    },
    /// Only what is in both is left of a body.
    Meet {
        /// Which.
        with: FeatureKey,
    },
    /// It is only there to be measured, or for a hull.
    Guide,
}

/// Where something is, and how it is turned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Along X, Y and Z.
    pub position: [Length; 3],
    /// About its own X, then its own Y, then its own Z.
    pub turn: [Angle; 3],
}

impl Placement {
    /// At a place, not turned.
    #[must_use]
    pub fn at(x: impl Into<Amount>, y: impl Into<Amount>, z: impl Into<Amount>) -> Self {
        Self { position: [x.into(), y.into(), z.into()], turn: [0.0, 0.0, 0.0].map(Amount::Value) }
    }

    /// At the same place, turned.
    #[must_use]
    pub fn turned(self, x: impl Into<Amount>, y: impl Into<Amount>, z: impl Into<Amount>) -> Self {
        Self { turn: [x.into(), y.into(), z.into()], ..self }
    }
}

/// How often something is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// In a row.
    Line {
        /// How often.
        count: Count,
        /// From one to the next.
        step: [Length; 3],
    },
    /// In rows and columns.
    Grid {
        /// How often each way.
        counts: [Count; 2],
        /// From one to the next, each way.
        steps: [[Length; 3]; 2],
    },
    /// Around an axis through the design's origin.
    Circle {
        /// How often.
        count: Count,
        /// Around which axis.
        axis: Axis,
        /// From the first to where one after the last would be: 360 for a whole turn.
        angle: Angle,
    },
}

/// An axis of a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// To the right.
    X,
    /// Up.
    Y,
    /// Towards the viewer.
    Z,
}

/// A plane through a design's origin, by the axis that it is square to.
pub type MirrorPlane = Axis;

impl Design {
    /// Turns a parameter, within what makes sense.
    ///
    /// # Errors
    /// [`DesignError`] where there is none of this name, or the value is out of its bounds.
    pub fn set(&mut self, param: &str, value: f64) -> Result<(), DesignError> {
        let (key, found) = self
            .params
            .get_key_value(param)
            .map(|(key, found)| (key.clone(), found))
            .ok_or_else(|| DesignError::NoParam(param.chars().take(MAX_KEY).collect()))?;
        if !(found.least..=found.most).contains(&value) {
            return Err(DesignError::Bounds { param: key, value, least: found.least, most: found.most });
        }
        if let Some(param) = self.params.get_mut(&key) {
            param.value = value;
        }
        Ok(())
    }
}

impl Does {
    /// The bodies that it names.
    pub fn to(&self) -> impl Iterator<Item = &FeatureKey> {
        let (one, many) = match self {
            Self::Add { to: body } | Self::Meet { with: body } => (Some(body), None),
            Self::Cut { from } => (None, Some(from)),
            Self::Body | Self::Guide => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

impl std::borrow::Borrow<str> for ParamKey {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl Feature {
    /// The features that it names, which have to stand before it.
    pub fn needs(&self) -> impl Iterator<Item = &FeatureKey> {
        let hull = if let Shape::Hull { of } = &self.shape { Some(of) } else { None };
        self.does.to().chain(hull.into_iter().flatten())
    }

    /// The formulas in it.
    #[must_use]
    pub fn formulas(&self) -> Vec<Expression> {
        let mut found = Vec::new();
        let mut keep = |_: &'static str, _: Use, amount: &mut Amount| -> Result<(), std::convert::Infallible> {
            if let Amount::Formula(formula) = amount {
                found.push(formula.clone());
            }
            Ok(())
        };
        let Ok(()) = self.clone().visit(&mut keep);
        found
    }

    /// Every amount in it.
    pub(crate) fn visit<E>(&mut self, each: shape::Visit<'_, E>) -> Result<(), E> {
        self.shape.visit(each)?;
        self.at.position.iter_mut().try_for_each(|amount| each("position", Use::Offset, amount))?;
        self.at.turn.iter_mut().try_for_each(|amount| each("turn", Use::Angle, amount))?;
        match &mut self.repeat {
            None => Ok(()),
            Some(Repeat::Line { count, step }) => {
                each("repeat.count", Use::Count, count)?;
                step.iter_mut().try_for_each(|step| each("repeat.step", Use::Offset, step))
            }
            Some(Repeat::Grid { counts, steps }) => {
                counts.iter_mut().try_for_each(|count| each("repeat.count", Use::Count, count))?;
                steps.iter_mut().flatten().try_for_each(|step| each("repeat.step", Use::Offset, step))
            }
            Some(Repeat::Circle { count, angle, .. }) => {
                each("repeat.count", Use::Count, count)?;
                each("repeat.angle", Use::Angle, angle)
            }
        }
    }
}
