//! What runs beside the App: the simulated home, the embedded enabler, the way to it.


use bevy::prelude::*;
use vestibule_adapter_mqtt::{AdapterState, MqttConfig};
use vestibule_plugin_enabler::EnablerConnection;
use vestibule_quic::Identity;
use vestibule_server::{Embedded, EmbeddedConfig};
use vestibule_sim::{HomeConfig, SimHome};
use vestibule_twin::{Notify, Urgency};

use super::{ClientError, Flags, folders::Folders};
use crate::{connect, connect::runtime, tour::Physical};

/// The running parts; dropped when the App ends.
pub(super) struct Backend {
    home: Option<SimHome>,
    enabler: Option<Embedded>,
    connection: EnablerConnection,
}

/// Keeps the parts for as long as the App lives.
#[derive(Resource)]
struct Running {
    home: Option<SimHome>,
    enabler: Option<Embedded>,
}

impl Backend {
    /// Starts what the flags ask for.
    pub(super) fn start(flags: &Flags, folders: &Folders) -> Result<Self, ClientError> {
        let words = |error: &dyn std::fmt::Display| ClientError::Backend(error.to_string());
        if let Some(target) = flags.connect {
            let connection = connect(&target.to_string(), flags.pair.as_deref(), &folders.data);
            return Ok(Self { home: None, enabler: None, connection: connection.map_err(|error| words(&error))? });
        }
        let runtime = runtime().map_err(|error| words(&error))?;
        let (home, mqtt) = match &flags.mqtt {
            Some(url) => (None, MqttConfig::from_url(url).map_err(|error| words(&error))?),
            None => {
                let config = HomeConfig { seed: flags.seed, ..HomeConfig::default() };
                let home = runtime.block_on(SimHome::start(config)).map_err(|error| words(&error))?;
                let url = format!("mqtt://{}", home.broker_addr());
                (Some(home), MqttConfig::from_url(&url).map_err(|error| words(&error))?)
            }
        };
        let identity = Identity::load_or_create(folders.data.join("client")).map_err(|error| words(&error))?;
        let config = EmbeddedConfig {
            name: "this computer".to_owned(),
            mqtt: vec![mqtt],
            ..EmbeddedConfig::local(folders.data.join("enabler"))
        };
        let enabler = runtime.block_on(Embedded::start(config)).map_err(|error| words(&error))?;
        let enrolled = runtime.block_on(enabler.enroll_owner(identity.fingerprint()));
        enrolled.map_err(|error| words(&error))?;
        let address = enabler.address().to_string();
        let mut connection = connect::link(&address, enabler.fingerprint(), identity).map_err(|error| words(&error))?;
        connection.name = "this computer".to_owned();
        Ok(Self { home, enabler: Some(enabler), connection })
    }
}

/// Gives the App its connection, and keeps the rest alive.
pub(super) fn attach(app: &mut App, backend: Backend) {
    let Backend { home, enabler, connection } = backend;
    app.insert_resource(Physical(home.as_ref().map(SimHome::hand)));
    app.world_mut().spawn((Name::new("enabler"), connection));
    app.insert_resource(Running { home, enabler });
    app.add_systems(Update, brokers).add_systems(Last, stop.run_if(on_message::<AppExit>));
}

/// The person leaves: what is decided is on disk already, devices say goodbye.
fn stop(mut running: ResMut<Running>) {
    let Ok(runtime) = runtime() else { return };
    let (home, enabler) = (running.home.take(), running.enabler.take());
    runtime.block_on(async {
        if let Some(enabler) = enabler {
            enabler.stop().await;
        }
        if let Some(home) = home {
            home.stop().await;
        }
    });
}

/// A broker that goes or comes back is told to the person: its devices are what they see going stale.
fn brokers(running: Res<Running>, mut told: Local<Vec<AdapterState>>, mut notify: MessageWriter<Notify>) {
    let Some(enabler) = &running.enabler else { return };
    told.resize(enabler.adapters().len(), AdapterState::Connecting);
    for (adapter, told) in enabler.adapters().iter().zip(&mut *told) {
        let status = adapter.borrow();
        let was_away = matches!(told, AdapterState::Away { .. });
        let (urgency, title) = match &status.state {
            AdapterState::Away { .. } if !was_away => (Urgency::Problem, "Your devices cannot be reached"),
            AdapterState::Connected if was_away => (Urgency::Info, "Your devices are back"),
            _ => continue,
        };
        *told = status.state.clone();
        notify.write(Notify { urgency, title: title.to_owned(), text: status.to_string(), twin: None });
    }
}
