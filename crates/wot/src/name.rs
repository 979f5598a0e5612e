//! What twins and their parts are called in the Web of Things.

use std::fmt;

use thiserror::Error;
use vestibule_model::{FeatureId, IdError, TwinId};

/// Before a twin's id, it makes a URN.
const URN: &str = "urn:vestibule:";

/// The URN of a twin: `urn:vestibule:home/front_door`. Every character of a twin's id may stand in one.
#[must_use]
pub fn thing_id(twin: &TwinId) -> String {
    format!("{URN}{twin}")
}

/// The twin that a URN of ours names.
///
/// # Errors
/// [`NameError`] where it is not one of ours.
pub fn twin_of(id: &str) -> Result<TwinId, NameError> {
    let local = id.strip_prefix(URN).ok_or(NameError::Foreign)?;
    Ok(TwinId::new(local)?)
}

/// Why a name is none of ours.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// It does not begin as our ids do.
    #[error("ids of things begin with {URN}")]
    Foreign,
    /// An affordance without its feature.
    #[error("affordances are called feature.name")]
    NoFeature,
    /// A part of it is no id.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// The name of a property, an action or an event: `feature.name`, as in `light.on`.
///
/// Ids may have dots. Those of the feature are written `%2E`, so that the first dot is where the feature ends, and two
/// parts of a twin never share a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Affordance<T> {
    /// The feature.
    pub feature: FeatureId,
    /// What it is in the feature: a property's, an action's or an event's id.
    pub name: T,
}

impl<T> Affordance<T> {
    /// The part `name` of `feature`.
    #[must_use]
    pub fn new(feature: &FeatureId, name: &T) -> Self
    where
        T: Clone,
    {
        Self { feature: feature.clone(), name: name.clone() }
    }
}

impl<T: fmt::Display> fmt::Display for Affordance<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.feature.as_str().replace('.', "%2E"), self.name)
    }
}

impl<T: std::str::FromStr<Err = IdError>> std::str::FromStr for Affordance<T> {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (feature, name) = text.split_once('.').ok_or(NameError::NoFeature)?;
        Ok(Self { feature: FeatureId::new(feature.replace("%2E", "."))?, name: name.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::PropertyId;

    use super::*;

    #[test]
    fn dots_do_not_make_two_parts_one() {
        let name = |feature: &str, property: &str| {
            let (feature, name) = (FeatureId::new(feature).unwrap(), PropertyId::new(property).unwrap());
            Affordance { feature, name }
        };
        assert_eq!(name("light", "on").to_string(), "light.on");
        assert_ne!(name("a.b", "c").to_string(), name("a", "b.c").to_string());
        for one in [name("a.b", "c"), name("a", "b.c"), name(".", "."), name("a:b", "..")] {
            assert_eq!(one.to_string().parse::<Affordance<PropertyId>>().unwrap(), one);
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        assert_eq!(twin_of("urn:uuid:1"), Err(NameError::Foreign));
        assert!(matches!(twin_of("urn:vestibule:nowhere"), Err(NameError::Id(_))));
        assert_eq!("light".parse::<Affordance<PropertyId>>(), Err(NameError::NoFeature));
        assert!("a%2F.b".parse::<Affordance<PropertyId>>().is_err());
    }
}
