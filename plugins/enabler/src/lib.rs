//! Mirrors the twins that an integration enabler offers into an App, and sends what people ask for.
//!
//! **Does**: drives a [`ClientSession`] over any [`Link`] (QUIC in production, queues in tests); keeps
//! [`TwinDescription`], [`TwinAccess`] and [`TwinState`] on every entity with [`Twin`]; spawns one root entity for each
//! twin that the user may see, with its [`TwinPictures`]; turns [`ActuateTwin`] into a command with a validity window, the revision that was seen and
//! an idempotency key, and reports its way as [`TwinActuated`] or [`ActuationRefused`]; keeps [`KnownSystems`],
//! [`KnownPeople`], [`KnownServices`], a [`TwinPast`] and the [`Procedures`]' steps for whoever asked for them; asks for
//! the physical object's turn ([`IntegrateTwin`]), renews it while it is wanted, and keeps [`TwinTurns`]; has tokens signed
//! and ended, presents those of others on each connection for as long as they hold ([`LendRights`], [`KnownLending`]); gives
//! what purchases refer to, confirms them once and follows them ([`ManagePurchases`], [`KnownPurchases`]).
//!
//! **Does not**: open sockets, decide who may do what, draw, or show a wish as if it had come true.
//!
//! A connection is an entity with [`EnablerConnection`]; its state is which of [`Connected`] and [`Disconnected`] it has.
//!
//! ```
//! use bevy::prelude::*;
//! use vestibule_plugin_enabler::{EnablerConnection, EnablerPlugin};
//! use vestibule_protocol::{Link, LinkBusy, LinkCommand, LinkEvent};
//!
//! /// In a game this is `vestibule_quic::QuicLink`.
//! struct Nowhere;
//! impl Link for Nowhere {
//!     fn send(&mut self, _: LinkCommand) -> Result<(), LinkBusy> { Ok(()) }
//!     fn poll(&mut self) -> Option<LinkEvent> { None }
//! }
//!
//! let mut app = App::new();
//! app.add_plugins((MinimalPlugins, EnablerPlugin::default()));
//! app.world_mut().spawn(EnablerConnection::new("this computer", Box::new(Nowhere)));
//! app.update();
//! ```

mod actuate;
mod connection;
mod discover;
mod journal;
mod lend;
mod mirror;
mod past;
mod people;
mod pump;
mod purchases;
mod services;
mod turns;

use bevy::prelude::*;
use vestibule_protocol::Interest;
use vestibule_twin::{TwinSystems, ensure_twin_plugin};

pub use actuate::{AskEnabler, EnablerAnswered};
pub use connection::{Connected, Disconnected, EnablerConnection};

#[cfg(doc)]
use vestibule_protocol::{ClientSession, Link};
#[cfg(doc)]
use vestibule_twin::{
    ActuateTwin, ActuationRefused, IntegrateTwin, KnownLending, KnownPeople, KnownPurchases, KnownServices,
    KnownSystems, LendRights, ManagePurchases, Procedures, Twin, TwinAccess, TwinActuated, TwinDescription, TwinPast,
    TwinPictures, TwinState, TwinTurns,
};

/// Talks to enablers. Add it once, then spawn an [`EnablerConnection`].
#[derive(Clone, Debug)]
pub struct EnablerPlugin {
    /// Which twins to mirror. Default: all that the user may see.
    pub interest: Interest,
    /// The software's name in the enabler's log. Default: `vestibule-plugin-enabler` and its version.
    pub software: String,
    /// 16 bytes that no other run has: commands' idempotency keys are made from them. The client passes random ones;
    /// the default is all zero, for tests.
    pub key_seed: [u8; 16],
    /// Milliseconds that a command is good for beyond what its action takes. Default 5000.
    pub margin_ms: u64,
    /// The most bytes of a picture or model that is fetched. Default 16 MiB.
    pub max_content: u64,
    /// News that are taken in one frame at the most, so that a flood costs frames, not the session. Default 4096.
    pub max_news: usize,
    /// The file where ids of purchases stand before their confirmation leaves, so that the enabler can be asked about them
    /// after whatever happens. Default: none, and a program that is killed meanwhile does not know them any more.
    pub purchases: Option<std::path::PathBuf>,
}

impl Default for EnablerPlugin {
    fn default() -> Self {
        Self {
            interest: Interest::All,
            software: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
            key_seed: [0; 16],
            margin_ms: 5_000,
            max_content: 16 * 1024 * 1024,
            max_news: 4_096,
            purchases: None,
        }
    }
}

/// The plugin's settings as its systems read them.
#[derive(Resource, Clone, Debug)]
pub(crate) struct Settings(pub(crate) EnablerPlugin);

impl Plugin for EnablerPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        app.insert_resource(Settings(self.clone()))
            .init_resource::<mirror::Mirror>()
            .init_resource::<actuate::Tickets>()
            .init_resource::<discover::Further>()
            .insert_resource(purchases::Buying::open(self.purchases.clone()))
            .init_resource::<turns::Own>()
            .init_resource::<vestibule_twin::EnablerLink>()
            .add_message::<AskEnabler>()
            .add_message::<EnablerAnswered>()
            .add_systems(PreUpdate, (pump::receive, mirror::adopt).chain().in_set(TwinSystems::Receive))
            .add_systems(
                PostUpdate,
                (actuate::send, actuate::ask, discover::send, turns::send, pump::send)
                    .chain()
                    .in_set(TwinSystems::Send),
            );
    }
}

/// Run condition: some enabler answers.
pub fn enabler_connected(connections: Query<(), With<Connected>>) -> bool {
    !connections.is_empty()
}
