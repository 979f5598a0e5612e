//! What runs beside the App: the simulated home, the embedded enabler, the way to it.

use bevy::prelude::*;
use vestibule_plugin_enabler::EnablerConnection;
use vestibule_quic::Identity;
use vestibule_sim::{HomeConfig, SimHome};

use super::{ClientError, Flags, folders::Folders};
use crate::{connect, connect::runtime, tour::Physical};

/// The running parts; dropped when the App ends.
pub(super) struct Backend {
    home: Option<SimHome>,
    connection: EnablerConnection,
}

/// Keeps the parts for as long as the App lives.
#[derive(Resource)]
struct Running {
    home: Option<SimHome>,
}

impl Backend {
    /// Starts what the flags ask for.
    pub(super) fn start(flags: &Flags, folders: &Folders) -> Result<Self, ClientError> {
        let words = |error: &dyn std::fmt::Display| ClientError::Backend(error.to_string());
        if let Some(target) = flags.connect {
            let connection = connect(&target.to_string(), flags.pair.as_deref(), &folders.data);
            return Ok(Self { home: None, connection: connection.map_err(|error| words(&error))? });
        }
        let runtime = runtime().map_err(|error| words(&error))?;
        let config = HomeConfig { seed: flags.seed, ..HomeConfig::default() };
        let home = Some(runtime.block_on(SimHome::start(config)).map_err(|error| words(&error))?);
        let identity = Identity::load_or_create(folders.data.join("client")).map_err(|error| words(&error))?;
        let connection = connect::link("127.0.0.1:9", identity.fingerprint(), identity).map_err(|error| words(&error))?;
        Ok(Self { home, connection })
    }
}

/// Gives the App its connection, and keeps the rest alive.
pub(super) fn attach(app: &mut App, backend: Backend) {
    let Backend { home, connection } = backend;
    app.insert_resource(Physical(home.as_ref().map(SimHome::hand)));
    app.world_mut().spawn((Name::new("enabler"), connection));
    app.insert_resource(Running { home });
    app.add_systems(Last, stop.run_if(on_message::<AppExit>));
}

/// The person leaves: what is decided is on disk already, devices say goodbye.
fn stop(mut running: ResMut<Running>) {
    let Ok(runtime) = runtime() else { return };
    let home = running.home.take();
    runtime.block_on(async {
        if let Some(home) = home {
            home.stop().await;
        }
    });
}
