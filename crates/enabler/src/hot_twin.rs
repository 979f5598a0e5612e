//! What is known of one twin's things: as small as it can be, since there may be a million.

use std::{collections::BTreeSet, sync::Arc};

use vestibule_model::{FeatureId, PropertyId, PropertyInfo, PropertyState, Timestamp, Truth, TwinInfo};

/// A moment, or none, in the room of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When(u64);

impl When {
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) fn get(self) -> Option<Timestamp> {
        (self != Self::NEVER).then_some(Timestamp(self.0))
    }
}

impl From<Option<Timestamp>> for When {
    fn from(moment: Option<Timestamp>) -> Self {
        moment.map_or(Self::NEVER, |moment| Self(moment.0))
    }
}

/// What is known of a property that was neither reported nor wished for.
pub(crate) static NOTHING: PropertyState = PropertyState { reported: None, desired: None };

/// What is known of one property, once it was reported or wished for.
#[derive(Clone, Debug)]
pub(crate) struct HotProperty {
    pub(crate) state: PropertyState,
    /// The revision at which the value last became another one.
    pub(crate) changed_revision: u64,
    /// When its value last became another one.
    pub(crate) changed_at: When,
    /// Where it stands in the deadlines.
    pub(crate) deadline: When,
    /// When a report should have come, where it has not.
    pub(crate) late: When,
    /// The truth that was last told.
    pub(crate) told: Truth,
}

impl Default for HotProperty {
    fn default() -> Self {
        let (state, never) = (PropertyState::default(), When::NEVER);
        Self { state, changed_revision: 0, changed_at: never, deadline: never, late: never, told: Truth::Stale }
    }
}

/// What is known of one twin.
#[derive(Clone, Debug)]
pub(crate) struct HotTwin {
    /// The description, shared with the registry.
    pub(crate) info: Arc<TwinInfo>,
    /// In the order of the description: a property's place is its number in it.
    properties: Box<[Option<Box<HotProperty>>]>,
    /// Features of which its system says that they are not there.
    pub(crate) away: BTreeSet<FeatureId>,
    /// Whether its system says that the device is connected.
    pub(crate) device: bool,
}

/// The property with this number in a description, and the feature that has it.
pub(crate) fn named(info: &TwinInfo, place: u16) -> Option<(&FeatureId, &PropertyId, &PropertyInfo)> {
    let mut left = usize::from(place);
    for (feature, about) in &info.features {
        if let Some((property, about)) = about.properties.iter().nth(left) {
            return Some((feature, property, about));
        }
        left -= about.properties.len();
    }
    None
}

impl HotTwin {
    /// A twin of which nothing is known.
    pub(crate) fn new(info: Arc<TwinInfo>) -> Self {
        let properties = info.properties().map(|_| None).collect();
        Self { info, properties, away: BTreeSet::new(), device: false }
    }

    /// How many properties it has.
    pub(crate) fn count(&self) -> usize {
        self.properties.len()
    }

    /// What is known of the property with this number.
    pub(crate) fn property(&self, place: u16) -> Option<&HotProperty> {
        self.properties.get(usize::from(place))?.as_deref()
    }

    /// The same, to change it.
    pub(crate) fn property_mut(&mut self, place: u16) -> Option<&mut HotProperty> {
        self.properties.get_mut(usize::from(place))?.as_deref_mut()
    }

    /// The property with this number, of which something is known from now on; `None` where there is no such property.
    pub(crate) fn learn(&mut self, place: u16) -> Option<&mut HotProperty> {
        Some(self.properties.get_mut(usize::from(place))?.get_or_insert_default())
    }

    /// Takes what is known of a property.
    pub(crate) fn put(&mut self, place: u16, known: HotProperty) {
        if let Some(property) = self.properties.get_mut(usize::from(place)) {
            *property = Some(Box::new(known));
        }
    }

    /// The properties of which something is known.
    pub(crate) fn known(&self) -> impl Iterator<Item = (u16, &HotProperty)> {
        (0_u16..).zip(&self.properties).filter_map(|(place, property)| Some((place, property.as_deref()?)))
    }

    /// The number of a property in the description.
    pub(crate) fn place(&self, feature: &FeatureId, property: &PropertyId) -> Option<u16> {
        let own = self.info.features.get(feature)?;
        let before = self.info.features.range::<FeatureId, _>(..feature).map(|(_, other)| other.properties.len());
        let within = own.properties.keys().position(|id| id == property)?;
        u16::try_from(before.sum::<usize>() + within).ok()
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{FeatureInfo, FeatureKind, TwinId, ValueType};

    use super::*;

    fn twin() -> HotTwin {
        let mut info = TwinInfo::new(TwinId::new("home/lamp").unwrap(), "Lamp");
        for (feature, count) in [("a", 2), ("b", 0), ("c", 3)] {
            let ids = (0..count).map(|id| PropertyId::slug(&format!("p{id}")));
            let properties = ids.map(|id| (id, PropertyInfo::new(ValueType::Bool))).collect();
            let (actions, events) = Default::default();
            let (name, kind, class) = (feature.to_owned(), FeatureKind::Light, None);
            let about = FeatureInfo { name, kind, class, properties, actions, events };
            info.features.insert(FeatureId::slug(feature), about);
        }
        HotTwin::new(Arc::new(info))
    }

    #[test]
    fn places_count_through_the_description() {
        let twin = twin();
        let all: Vec<_> = twin.info.properties().collect();
        assert_eq!(all.len(), 5);
        for (place, (feature, property, about)) in (0_u16..).zip(all) {
            assert_eq!(twin.place(feature, property), Some(place));
            assert_eq!(named(&twin.info, place), Some((feature, property, about)));
        }
        assert_eq!(named(&twin.info, 5), None);
        assert_eq!(named(&twin.info, u16::MAX), None);
        assert_eq!(twin.place(&FeatureId::slug("b"), &PropertyId::slug("p0")), None);
        assert_eq!(twin.place(&FeatureId::slug("z"), &PropertyId::slug("p0")), None);
    }

    #[test]
    fn a_moment_is_a_moment() {
        for moment in [None, Some(Timestamp(0)), Some(Timestamp(7))] {
            assert_eq!(When::from(moment).get(), moment);
        }
    }
}
