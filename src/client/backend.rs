//! What runs beside the App: the simulated home, merchants, the embedded enabler, the way to it.

use std::{collections::BTreeMap, net::Ipv4Addr};

use bevy::prelude::*;
use vestibule_adapter_mqtt::{AdapterState, MqttConfig};
use vestibule_model::SystemId;
use vestibule_plugin_enabler::EnablerConnection;
use vestibule_quic::Identity;
use vestibule_server::{Embedded, EmbeddedConfig, HttpConfig, TradeConfig};
use vestibule_sim::{HomeConfig, SimHome};
use vestibule_twin::{EnablerLink, Notify, Twin, TwinRoot, TwinState, Urgency};

use super::{
    ClientError, Flags,
    folders::Folders,
    kept::Kept,
    merchants::{Merchants, News, OURS, Setup},
};
use crate::{connect, connect::runtime, tour::Physical};

/// How many times faster than the real one the clock of our own makers and carriers goes: a day in six minutes.
const SPEED: u32 = 240;

/// The running parts; dropped when the App ends.
pub(super) struct Backend {
    home: Option<SimHome>,
    merchants: Option<Merchants>,
    enabler: Option<Embedded>,
    connection: EnablerConnection,
}

/// Keeps the parts for as long as the App lives.
#[derive(Resource)]
struct Running {
    home: Option<SimHome>,
    merchants: Option<Merchants>,
    enabler: Option<Embedded>,
}

impl Backend {
    /// Starts what the flags ask for.
    pub(super) fn start(flags: &Flags, folders: &Folders) -> Result<Self, ClientError> {
        let backend = Self::begin(flags, folders)?;
        match Kept::open(&folders.data.join("models")) {
            Ok(kept) => {
                Ok(Self { connection: backend.connection.map_link(|link| Box::new(kept.link(link))), ..backend })
            }
            Err(error) => {
                warn!("models are fetched anew each time: {error}");
                Ok(backend)
            }
        }
    }

    /// The parts without the disk's share.
    fn begin(flags: &Flags, folders: &Folders) -> Result<Self, ClientError> {
        let words = |error: &dyn std::fmt::Display| ClientError::Backend(error.to_string());
        if let Some(target) = &flags.connect {
            let connection = connect(target, flags.pair.as_deref(), &folders.data);
            let connection = connection.map_err(|error| words(&error))?;
            return Ok(Self { home: None, merchants: None, enabler: None, connection });
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
        // They need nobody; the enabler needs to know where they are.
        let merchants = runtime.block_on(merchants(flags, folders));
        let trade = trade(flags, merchants.as_ref());
        // Merchants read there who buys, and tell there of orders. Nobody else's business: this machine's only.
        let plain = trade.is_some().then_some((Ipv4Addr::LOCALHOST, 0).into());
        let identity = Identity::load_or_create(folders.data.join("client")).map_err(|error| words(&error))?;
        let config = EmbeddedConfig {
            name: "this computer".to_owned(),
            mqtt: vec![mqtt],
            http: HttpConfig { plain, ..HttpConfig::default() },
            trade,
            ..EmbeddedConfig::local(folders.data.join("enabler"))
        };
        let enabler = runtime.block_on(Embedded::start(config)).map_err(|error| words(&error))?;
        if let Some(merchants) = &merchants {
            runtime.block_on(merchants.introduce(&enabler));
        }
        let enrolled = runtime.block_on(enabler.enroll_owner(identity.fingerprint()));
        enrolled.map_err(|error| words(&error))?;
        let address = enabler.address().to_string();
        let mut connection = connect::link(&address, enabler.fingerprint(), identity).map_err(|error| words(&error))?;
        connection.name = "this computer".to_owned();
        Ok(Self { home, merchants, enabler: Some(enabler), connection })
    }
}

/// Our own merchants, but for those whose place somebody else's takes.
async fn merchants(flags: &Flags, folders: &Folders) -> Option<Merchants> {
    let replaced = |role: &str| flags.merchants.iter().any(|other| other.system.as_str() == role);
    let ours: Vec<_> = OURS.into_iter().filter(|ours| !flags.no_merchants && !replaced(ours.role)).collect();
    if ours.is_empty() {
        return None;
    }
    let setup = Setup::beside(folders.data.join("merchants"), flags.speed.unwrap_or(SPEED));
    Some(Merchants::start(&setup, &ours).await)
}

/// Whom people may buy from.
fn trade(flags: &Flags, ours: Option<&Merchants>) -> Option<TradeConfig> {
    let ours = ours.map(Merchants::bound).unwrap_or_default();
    let merchants: Vec<_> = flags.merchants.iter().chain(ours).cloned().collect();
    let themselves = ours.iter().map(|merchant| merchant.system.clone()).collect();
    (!merchants.is_empty()).then_some(TradeConfig { merchants, themselves, roots: None, platform: None })
}

/// Gives the App its connection, and keeps the rest alive.
pub(super) fn attach(app: &mut App, backend: Backend) {
    let Backend { home, merchants, enabler, connection } = backend;
    app.insert_resource(Physical(home.as_ref().map(SimHome::hand)));
    app.world_mut().spawn((Name::new("enabler"), connection));
    app.insert_resource(Running { home, merchants, enabler });
    app.add_systems(Update, (brokers, systems, sellers)).add_systems(Last, stop.run_if(on_message::<AppExit>));
}

/// The person leaves: what is decided is on disk already, devices say goodbye.
fn stop(mut running: ResMut<Running>) {
    let Ok(runtime) = runtime() else { return };
    let (home, merchants, enabler) = (running.home.take(), running.merchants.take(), running.enabler.take());
    runtime.block_on(async {
        // Merchants listen to the enabler: they take leave of it while it is there, and miss nothing then.
        if let Some(merchants) = merchants {
            merchants.stop().await;
        }
        if let Some(enabler) = enabler {
            enabler.stop().await;
        }
        if let Some(home) = home {
            home.stop().await;
        }
    });
}

/// With an enabler somewhere else, what is known of its brokers is what becomes of their devices: where all of a system's
/// are gone at once, that is told.
fn systems(
    running: Res<Running>,
    link: Res<EnablerLink>,
    twins: Query<(&Twin, &TwinState), With<TwinRoot>>,
    mut there: Local<BTreeMap<SystemId, bool>>,
    mut notify: MessageWriter<Notify>,
) {
    if running.enabler.is_some() || !link.state.is_connected() {
        return;
    }
    let mut now: BTreeMap<SystemId, bool> = BTreeMap::new();
    for (twin, state) in &twins {
        *now.entry(twin.0.system()).or_default() |= state.reachable;
    }
    for (system, reachable) in now {
        let (urgency, title, text) = match (there.get(&system), reachable) {
            (Some(true), false) => (
                Urgency::Problem,
                format!("No device of {system} can be reached"),
                "Its twin system, its broker or the network between them is away. What you see of it is old.",
            ),
            (Some(false), true) => (Urgency::Info, format!("The devices of {system} are back"), ""),
            (None, true) => {
                there.insert(system, true);
                continue;
            }
            _ => continue,
        };
        notify.write(Notify { urgency, title, text: text.to_owned(), twin: None });
        there.insert(system, reachable);
    }
}

/// What was last told of an adapter.
#[derive(Clone, Debug, Default)]
struct Told {
    state: AdapterState,
    notes: Vec<(String, String)>,
}

/// A broker that goes or comes back is told to the person: its devices are what they see going stale. So is what of
/// them cannot be shown, and why.
fn brokers(running: Res<Running>, mut told: Local<Vec<Told>>, mut notify: MessageWriter<Notify>) {
    let Some(enabler) = &running.enabler else { return };
    told.resize(enabler.adapters().len(), Told::default());
    for (adapter, told) in enabler.adapters().iter().zip(&mut *told) {
        let status = adapter.borrow();
        let mut tell = |urgency, title: &str, text: String| {
            notify.write(Notify { urgency, title: title.to_owned(), text, twin: None });
        };
        let fails = |state: &AdapterState| {
            matches!(state, AdapterState::Away { .. } | AdapterState::Broken { .. } | AdapterState::Ended)
        };
        let was_away = fails(&told.state);
        let news = match &status.state {
            state if fails(state) && !was_away => Some((Urgency::Problem, "Your devices cannot be reached")),
            AdapterState::Connected if was_away => Some((Urgency::Info, "Your devices are back")),
            _ => None,
        };
        if let Some((urgency, title)) = news {
            told.state = status.state.clone();
            tell(urgency, title, status.to_string());
        }
        for note in status.notes.iter().filter(|note| !told.notes.contains(note)) {
            tell(Urgency::Info, "A device cannot be shown as it is", format!("{}: {}", note.0, note.1));
        }
        if told.notes != status.notes {
            told.notes.clone_from(&status.notes);
        }
    }
}

/// A merchant that does not run is told to the person, and that it runs again. Everything else goes on.
fn sellers(mut running: ResMut<Running>, mut notify: MessageWriter<Notify>) {
    let Some(merchants) = &mut running.merchants else { return };
    while let Some(news) = merchants.news() {
        let (urgency, title, text) = match news {
            News::Away(who, why) => {
                let text = format!("{why}. It is started again; what was ordered there is not lost.");
                (Urgency::Problem, format!("{} cannot be reached", who.name), text)
            }
            News::Back(who) => (Urgency::Info, format!("{} is back", who.name), String::new()),
        };
        notify.write(Notify { urgency, title, text, twin: None });
    }
}
