//! Doors that stand as the real ones report.
//!
//! **Does**: turns a [`DoorLeaf`] to the position that the twin reports, slides a [`DoorBolt`] with the reported lock,
//! shows the camera's newest picture on a [`DoorScreen`], says who rang ([`GuestRang`], [`Notify`]) and when a door has
//! opened or closed ([`DoorOpened`], [`DoorClosed`]), and finds the right action for [`OpenDoor`].
//!
//! **Does not**: move a door because somebody wished it open. Without a report nothing moves.
//!
//! Works for any entity: give it [`Twin`] and [`DoorLeaf`]. Parts of a glTF world with the role `leaf`, `bolt` or
//! `screen` ([`TwinPart`]) get theirs by themselves.
//!
//! ```
//! use bevy::prelude::*;
//! use vestibule_door::{DoorLeaf, DoorPlugin};
//! use vestibule_twin::{Twin, model::TwinId};
//!
//! let mut app = App::new();
//! app.add_plugins((MinimalPlugins, AssetPlugin::default(), DoorPlugin::default()));
//! let twin = Twin(TwinId::new("home/front_door")?);
//! app.world_mut().spawn((twin, DoorLeaf::default(), Transform::default()));
//! app.update();
//! # Ok::<(), vestibule_twin::model::IdError>(())
//! ```

mod leaf;
mod open;
mod reported;
mod ring;
mod screen;

use bevy::prelude::*;
use vestibule_twin::{TwinSystems, ensure_twin_plugin};

pub use leaf::{DoorBolt, DoorClosed, DoorLeaf, DoorOpened};
pub use open::{OpenDoor, open_action};
pub use reported::{ReportedDoor, reported_door};
pub use ring::GuestRang;
pub use screen::DoorScreen;

#[cfg(doc)]
use vestibule_twin::{Notify, Twin, TwinPart};

/// Doors that follow their twins.
#[derive(Clone, Debug)]
pub struct DoorPlugin {
    /// Seconds in which a leaf comes to the place that was reported: reports come in steps, eyes want motion. Never
    /// longer than a report is old. Default 0.15.
    pub smoothing_s: f32,
    /// A ring that is older than this when it arrives (seconds) is told as missed. Default 60.
    pub missed_after_s: f32,
}

impl Default for DoorPlugin {
    fn default() -> Self {
        Self { smoothing_s: 0.15, missed_after_s: 60.0 }
    }
}

#[derive(Resource, Clone, Debug)]
pub(crate) struct Settings(pub(crate) DoorPlugin);

/// In [`Update`]: leaves, bolts and screens have followed their twins after this set.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DoorSystems;

impl Plugin for DoorPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        // Without a renderer nobody else brings these; with one, to bring them again would empty them.
        if !app.world().contains_resource::<Assets<Image>>() {
            app.init_asset::<Image>();
        }
        if !app.world().contains_resource::<Assets<StandardMaterial>>() {
            app.init_asset::<StandardMaterial>();
        }
        app.insert_resource(Settings(self.clone()))
            .add_message::<OpenDoor>()
            .add_message::<DoorOpened>()
            .add_message::<DoorClosed>()
            .add_message::<GuestRang>()
            .add_systems(
                Update,
                (leaf::bind, leaf::follow, leaf::slide, leaf::tell, screen::show, ring::notify)
                    .chain()
                    .in_set(DoorSystems),
            )
            .add_systems(PostUpdate, open::open.before(TwinSystems::Send));
    }
}
