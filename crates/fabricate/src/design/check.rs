use std::collections::BTreeSet;

use thiserror::Error;
use vestibule_model::MAX_TEXT;

use super::{Amount, Design, Does, Feature, FeatureKey, FormulaError, MaterialKey, ParamKey, Repeat, Shape, Use};

/// The most bytes of a design's text: a thousand features with a path each.
pub const MAX_BYTES: usize = 4 << 20;
/// The most features: what a person still finds their way in.
pub const MAX_FEATURES: usize = 1_000;
/// The most pieces that repeating makes of all features: what is evaluated while a person waits.
pub const MAX_REPEATS: usize = 2_000;
/// The most parameters.
pub const MAX_PARAMS: usize = 128;
/// The most materials: more than a machine changes.
pub const MAX_MATERIALS: usize = 16;
/// The most sides of a circle: finer than any machine.
pub(crate) const MAX_SIDES: u16 = 512;
/// The most points of a feature's profile.
const MAX_POINTS: usize = 4_096;
/// How often a profile may be the offset of another one.
const MAX_NESTED: usize = 8;
/// The longest text on a thing, in characters.
const MAX_LETTERS: usize = 64;
/// The smallest and the largest size, in millimetres.
const SIZES: (f64, f64) = (1e-2, 1e5);

/// Why something is no design.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DesignError {
    /// There is more of something than there may be.
    #[error("{what}: {count} are too many, {most} are the most")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// Two features have the same key.
    #[error("two features are called {0}")]
    Twice(FeatureKey),
    /// A feature names one that does not stand before it, or is no body.
    #[error("{feature} needs {names}, and no such {what} stands before it")]
    NoFeature {
        /// Who names it.
        feature: FeatureKey,
        /// Whom.
        names: FeatureKey,
        /// What it would have to be.
        what: &'static str,
    },
    /// A feature is made of something that is not among the materials.
    #[error("{feature} is made of {material}, which is no material of this design")]
    NoMaterial {
        /// Which feature.
        feature: FeatureKey,
        /// Of what.
        material: MaterialKey,
    },
    /// No parameter has this name.
    #[error("no parameter is called {0}")]
    NoParam(String),
    /// A parameter has a value that makes no sense.
    #[error("{param} is {value}, and must be between {least} and {most}")]
    Bounds {
        /// Which.
        param: ParamKey,
        /// Its value.
        value: f64,
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
    /// A formula has no value.
    #[error("{field} of {feature}: {why}")]
    Formula {
        /// Of which feature.
        feature: FeatureKey,
        /// Which of its fields.
        field: &'static str,
        /// Why.
        why: FormulaError,
    },
    /// A field has a value that it must not have.
    #[error("{field} of {feature} is {value}, which cannot be")]
    Value {
        /// Of which feature.
        feature: FeatureKey,
        /// Which of its fields.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// It cannot be read.
    #[error("no design: {0}")]
    Unreadable(String),
}

/// A design that was found good, with a number in place of every formula.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub(crate) features: Vec<Feature>,
}

impl Resolved {
    /// Its features; every amount is a number.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }
}

impl Design {
    /// Looks at all of it, and computes its formulas.
    ///
    /// # Errors
    /// [`DesignError`], the first that is found.
    pub fn resolve(&self) -> Result<Resolved, DesignError> {
        self.within_limits()?;
        let mut features = self.features.clone();
        let mut pieces = 0_usize;
        for feature in &mut features {
            self.number(feature)?;
            pieces += repeats(feature);
            at_most("repeated pieces", pieces, MAX_REPEATS)?;
        }
        self.names()?;
        Ok(Resolved { features })
    }

    /// Why it could not take a feature, apart from what has to stand before that.
    pub(crate) fn refuses(&self, feature: &Feature) -> Option<DesignError> {
        let look = || {
            at_most("bytes of a name", feature.name.len(), MAX_TEXT)?;
            feature_within_limits(feature)?;
            if !self.materials.contains_key(&feature.material) {
                let (feature, material) = (feature.key.clone(), feature.material.clone());
                return Err(DesignError::NoMaterial { feature, material });
            }
            self.number(&mut feature.clone())
        };
        look().err()
    }

    fn within_limits(&self) -> Result<(), DesignError> {
        at_most("features", self.features.len(), MAX_FEATURES)?;
        at_most("parameters", self.params.len(), MAX_PARAMS)?;
        at_most("materials", self.materials.len(), MAX_MATERIALS)?;
        let labels = self.params.values().map(|param| &param.label);
        let names = self.materials.values().map(|material| &material.name);
        let all = [&self.name].into_iter().chain(self.role.as_ref()).chain(labels).chain(names);
        for text in all.chain(self.features.iter().map(|feature| &feature.name)) {
            at_most("bytes of a name", text.len(), MAX_TEXT)?;
        }
        for (key, param) in &self.params {
            let (value, least, most) = (param.value, param.least, param.most);
            let sizes = -SIZES.1..=SIZES.1;
            let sound = sizes.contains(&least) && sizes.contains(&most) && param.step.is_finite();
            if !sound || !(least..=most).contains(&value) {
                return Err(DesignError::Bounds { param: key.clone(), value, least, most });
            }
        }
        self.features.iter().try_for_each(feature_within_limits)
    }

    /// Puts numbers in place of formulas.
    fn number(&self, feature: &mut Feature) -> Result<(), DesignError> {
        let key = feature.key.clone();
        feature.visit(&mut |field, used, amount| {
            if let Amount::Formula(formula) = amount {
                let value = formula.value(&self.params);
                let value = value.map_err(|why| DesignError::Formula { feature: key.clone(), field, why })?;
                *amount = Amount::Value(value);
            }
            let value = amount.number();
            if may_be(used, value) { Ok(()) } else { Err(DesignError::Value { feature: key.clone(), field, value }) }
        })
    }

    /// Names lead to what stands before.
    fn names(&self) -> Result<(), DesignError> {
        let (mut before, mut bodies) = (BTreeSet::new(), BTreeSet::new());
        for feature in &self.features {
            let missing = |names: &FeatureKey, what| DesignError::NoFeature {
                feature: feature.key.clone(),
                names: names.clone(),
                what,
            };
            if !self.materials.contains_key(&feature.material) {
                let (feature, material) = (feature.key.clone(), feature.material.clone());
                return Err(DesignError::NoMaterial { feature, material });
            }
            if let Shape::Hull { of } = &feature.shape
                && let Some(names) = of.iter().find(|names| !before.contains(*names))
            {
                return Err(missing(names, "feature"));
            }
            let targets: Vec<_> = match &feature.does {
                Does::Add { to: target } | Does::Meet { with: target } => vec![target],
                Does::Cut { from } => from.iter().collect(),
                Does::Body | Does::Guide => Vec::new(),
            };
            if let Some(names) = targets.into_iter().find(|names| !bodies.contains(*names)) {
                return Err(missing(names, "body"));
            }
            if !before.insert(&feature.key) {
                return Err(DesignError::Twice(feature.key.clone()));
            }
            if feature.does == Does::Body {
                bodies.insert(&feature.key);
            }
        }
        Ok(())
    }
}

fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), DesignError> {
    if count > most { Err(DesignError::TooMany { what, count, most }) } else { Ok(()) }
}

fn feature_within_limits(feature: &Feature) -> Result<(), DesignError> {
    if let Some(profile) = feature.shape.profile() {
        let (points, depth) = profile.points_and_depth();
        at_most("points of a profile", points, MAX_POINTS)?;
        at_most("offsets of offsets", depth, MAX_NESTED)?;
    }
    if let Shape::Text { text, .. } = &feature.shape {
        at_most("letters", text.chars().count(), MAX_LETTERS)?;
    }
    match feature.shape.sides().into_iter().find(|sides| !(3..=MAX_SIDES).contains(sides)) {
        Some(sides) => {
            Err(DesignError::Value { feature: feature.key.clone(), field: "sides", value: f64::from(sides) })
        }
        None => Ok(()),
    }
}

fn may_be(used: Use, value: f64) -> bool {
    let (least, most) = range(used);
    let value = if used == Use::Count { value.round() } else { value };
    (least..=most).contains(&value) || (used == Use::Optional && value == 0.0)
}

/// What an amount that is for this lies between.
pub(crate) const fn range(used: Use) -> (f64, f64) {
    match used {
        Use::Size | Use::Optional => SIZES,
        Use::Offset => (-SIZES.1, SIZES.1),
        // Ten turns: more only costs time.
        Use::Angle => (-3_600.0, 3_600.0),
        Use::Factor => (0.0, 100.0),
        Use::Count => (1.0, 2_000.0),
    }
}

/// How many pieces a feature with numbers makes.
fn repeats(feature: &Feature) -> usize {
    let many = |count: &Amount| whole(count.number());
    let repeated = match &feature.repeat {
        None => 1,
        Some(Repeat::Line { count, .. } | Repeat::Circle { count, .. }) => many(count),
        Some(Repeat::Grid { counts: [first, second], .. }) => many(first) * many(second),
    };
    repeated * if feature.mirror.is_some() { 2 } else { 1 }
}

/// A count that was looked at: 1 to 2,000.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
pub(crate) fn whole(count: f64) -> usize {
    count.round().clamp(0.0, 2_000.0) as usize
}
