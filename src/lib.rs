//! Vestibule: worlds that mirror what is physical, and act on it.
//!
//! **Does**: gathers what a game needs to show digital twins and act through them: [`VestibulePlugins`] and
//! [`connect`]. Features add the embedded enabler (`embedded`), the simulated home (`sim`) and headsets (`xr`); `client`
//! (on by default) is all of them and the client that a person starts.
//!
//! **Does not**: anything of its own; every part is a crate that can be used alone (`docs/architecture.md` is the map).
//!
//! ```
//! use bevy::prelude::*;
//! use vestibule::prelude::*;
//!
//! let mut app = App::new();
//! app.add_plugins((MinimalPlugins, AssetPlugin::default(), VestibulePlugins));
//! let door = TwinId::new("home/front_door")?;
//! app.world_mut().spawn((Twin(door), DoorLeaf::default(), Transform::default()));
//! app.update();
//! # Ok::<(), vestibule::prelude::IdError>(())
//! ```

#[cfg(feature = "client")]
pub mod client;
mod connect;
#[cfg(feature = "client")]
pub mod tour;

use bevy::app::{PluginGroup, PluginGroupBuilder};

pub use connect::{ConnectError, connect};
#[cfg(feature = "client")]
pub use vestibule_design as design;
pub use vestibule_door as door;
pub use vestibule_hud as hud;
pub use vestibule_input as input;
pub use vestibule_model as model;
pub use vestibule_plugin_enabler as enabler;
pub use vestibule_protocol as protocol;
pub use vestibule_quic as quic;
#[cfg(feature = "embedded")]
pub use vestibule_server as server;
#[cfg(feature = "sim")]
pub use vestibule_sim as sim;
pub use vestibule_twin as twin;
pub use vestibule_world as world;
#[cfg(feature = "xr")]
pub use vestibule_xr as xr;

/// What a game adds to have its own entities follow twins: the vocabulary, the enabler's client, doors.
///
/// Worlds, panels and headsets are [`world`], [`hud`] and `vestibule-xr`: add what you want of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct VestibulePlugins;

impl PluginGroup for VestibulePlugins {
    fn build(self) -> PluginGroupBuilder {
        PluginGroupBuilder::start::<Self>()
            .add(vestibule_twin::TwinPlugin)
            .add(vestibule_plugin_enabler::EnablerPlugin { key_seed: connect::random(), ..Default::default() })
            .add(vestibule_door::DoorPlugin::default())
    }
}

/// What most games need.
pub mod prelude {
    pub use vestibule_door::{DoorBolt, DoorClosed, DoorLeaf, DoorOpened, DoorScreen, GuestRang, OpenDoor};
    pub use vestibule_model::{ActionId, EventKind, FeatureId, IdError, PropertyId, Truth, TwinId, Value};
    pub use vestibule_plugin_enabler::{EnablerConnection, enabler_connected};
    pub use vestibule_twin::{
        ActuateTwin, ActuationRefused, ActuationTicket, Twin, TwinActuated, TwinDescription, TwinOccurred, TwinState,
    };

    pub use crate::{VestibulePlugins, connect};
}
