//! What is known of a twin, found by its id.

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_twin::{
    TwinDescription, TwinIndex, TwinRoot, TwinState,
    model::{FeatureId, FeatureKind, TwinId, TwinInfo},
};

/// Finds descriptions and states by id.
#[derive(SystemParam)]
pub(crate) struct Twins<'w, 's> {
    index: Res<'w, TwinIndex>,
    roots: Query<'w, 's, (Option<&'static TwinDescription>, Option<&'static TwinState>), With<TwinRoot>>,
}

/// What is known of a twin right now.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    /// What it is, where its system has been found.
    pub info: Option<&'a TwinInfo>,
    /// What it last reported, if anything was heard of it.
    pub state: Option<&'a TwinState>,
}

impl Known<'_> {
    /// The first feature of one of these kinds, the kinds in order of preference.
    pub fn feature(&self, kinds: &[FeatureKind]) -> Option<&FeatureId> {
        let features = &self.info?.features;
        kinds.iter().find_map(|kind| features.iter().find(|(_, about)| about.kind == *kind).map(|(id, _)| id))
    }
}

impl Twins<'_, '_> {
    /// What is known of `twin`; nothing where no root mirrors it.
    pub fn get(&self, twin: &TwinId) -> Known<'_> {
        let found = self.index.get(twin).iter().find_map(|entity| self.roots.get(*entity).ok());
        let (info, state) = found.unwrap_or((None, None));
        Known { info: info.map(|about| &*about.0), state }
    }
}
