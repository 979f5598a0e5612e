//! Twins that no node of the world shows: their own model where they have one, else a tile on the wall.

mod model;
mod shelf;
#[cfg(test)]
mod tests;
mod tile;

use std::sync::Arc;

use bevy::prelude::*;
use vestibule_twin::{TwinModel, TwinRoot, ensure_twin_plugin, model::TwinId};

pub use shelf::slot;
pub use tile::TileKind;

use crate::{
    model_check::{Limits, ModelRefusal},
    scene::WorldState,
};

/// Request: show this model for a twin, after it was checked. Nodes of the world that show the twin win over it.
#[derive(Message, Clone, Debug)]
pub struct ShowTwinModel {
    /// The twin.
    pub twin: TwinId,
    /// A glTF binary, as it came.
    pub bytes: Arc<[u8]>,
    /// The node that is the twin; the whole scene where `None`.
    pub node: Option<String>,
}

/// Fact: a twin's model was checked and loaded, and is being shown.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct TwinModelShown {
    /// The twin.
    pub twin: TwinId,
}

/// Fact: a twin's model is not shown, and why. The twin has a tile instead.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct TwinModelRefused {
    /// The twin.
    pub twin: TwinId,
    /// Why.
    pub refusal: ModelRefusal,
}

/// On the entity that this plugin shows for a twin.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct TwinVisual {
    /// The twin.
    pub twin: TwinId,
    /// Which place of the shelf it takes; `None`: it has a place of its own.
    pub slot: Option<usize>,
    /// Which tile it is; `None`: it is a model.
    pub tile: Option<TileKind>,
}

/// What models from outside may be.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct ModelLimits(pub Limits);

/// When twins get their visuals, in [`Update`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VisualSystems {
    /// Models are checked and tiles are put up.
    Show,
}

/// Models and tiles.
#[derive(Clone, Copy, Debug, Default)]
pub struct VisualPlugin {
    /// What models from outside may be.
    pub limits: Limits,
    /// Whether twins without node and model get a tile. On unless said otherwise.
    pub no_tiles: bool,
}

impl Plugin for VisualPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        app.insert_resource(ModelLimits(self.limits))
            .init_resource::<model::Checks>()
            .add_message::<ShowTwinModel>()
            .add_message::<TwinModelShown>()
            .add_message::<TwinModelRefused>()
            .add_systems(
                Update,
                (
                    request_models,
                    model::start_checks,
                    model::finish_checks.run_if(in_state(WorldState::Ready)),
                    model::give_up,
                    shelf::clear,
                )
                    .chain()
                    .in_set(VisualSystems::Show),
            )
            .add_observer(model::place_node);
        if !self.no_tiles {
            app.init_resource::<tile::TileLook>().add_systems(
                Update,
                shelf::shelve.after(shelf::clear).in_set(VisualSystems::Show).run_if(in_state(WorldState::Ready)),
            );
        }
    }
}

/// Models that came with twins are asked for like any other.
fn request_models(
    new: Query<(&vestibule_twin::Twin, &TwinModel), (With<TwinRoot>, Changed<TwinModel>)>,
    mut requests: MessageWriter<ShowTwinModel>,
) {
    for (twin, model) in &new {
        requests.write(ShowTwinModel { twin: twin.0.clone(), bytes: model.bytes.clone(), node: model.node.clone() });
    }
}
