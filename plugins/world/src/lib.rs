//! The world of Vestibule: what a person walks through, points at and furnishes.
//!
//! **Does**: loads any glTF scene and binds its nodes to twins ([`scene`]), lets a person walk in it ([`walk`]), says
//! what they point at ([`pointer`]), lets lamps, blinds and indicators follow what their twins *report* ([`fixtures`]),
//! shows twins that no node shows ([`visual`], after [`model_check`]), lets the printer follow what is being made
//! ([`making`]), puts down what others send ([`put`]), makes days and nights ([`sky`]), and lets a person furnish it
//! ([`furnish`]) and find it again ([`world_file`]).
//!
//! **Does not**: talk to an enabler (it reads `vestibule-twin`), draw cards or menus (the HUD does), move door leaves,
//! bolts and screens (the door's plugin does), ask any twin to do anything.
//!
//! Each part is a plugin of its own with its settings as fields; [`WorldPlugin`] is all of them.
//!
//! ```no_run
//! use bevy::prelude::*;
//! use vestibule_world::{WorldPlugin, scene::ScenePlugin};
//!
//! App::new()
//!     .add_plugins(DefaultPlugins)
//!     .add_plugins(WorldPlugin {
//!         scene: ScenePlugin { scene: Some("home/home.glb".into()), ..default() },
//!         ..default()
//!     })
//!     .run();
//! ```

pub mod fixtures;
pub mod furnish;
pub mod making;
pub mod model_check;
pub mod pointer;
pub mod put;
pub mod scene;
pub mod sky;
#[cfg(test)]
mod testing;
mod twins;
pub mod visual;
pub mod walk;
pub mod world_file;

use bevy::app::{App, Plugin};

/// Everything of this crate. Needs Bevy's `DefaultPlugins` (a window is not needed) before it.
#[derive(Clone, Debug, Default)]
pub struct WorldPlugin {
    /// Which world.
    pub scene: scene::ScenePlugin,
    /// How one walks, and what the eye renders to.
    pub walk: walk::WalkPlugin,
    /// How far one points.
    pub pointer: pointer::PointerPlugin,
    /// How lamps shine.
    pub fixtures: fixtures::FixturePlugin,
    /// Models and tiles of twins that the scene does not show.
    pub visual: visual::VisualPlugin,
    /// Time of day and what pictures may cost.
    pub sky: sky::SkyPlugin,
    /// The printer in the workshop.
    pub making: making::MakingPlugin,
    /// Dishes, parcels.
    pub put: put::PutPlugin,
    /// Catalogue and world file.
    pub furnish: furnish::FurnishPlugin,
}

impl Plugin for WorldPlugin {
    fn build(&self, app: &mut App) {
        // Furniture first: it opens the world file, whose bindings the scene reads.
        app.add_plugins((
            self.furnish.clone(),
            self.scene.clone(),
            self.walk.clone(),
            self.pointer,
            self.fixtures,
            self.visual,
            self.making,
            self.put,
            self.sky,
        ));
    }
}
