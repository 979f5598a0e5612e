//! The integration enabler as a running thing.
//!
//! **Does**: runs the pure functional entities of `vestibule-enabler-core` over a log, a clock and many connections
//! ([`Hub`]): decides waiting requests in order, writes what was decided in one transaction, then answers and acts.
//!
//! **Does not**: know a device's topics (`adapters` do), decide who may do what (`vestibule-enabler-core` does).
//!
//! ```
//! use vestibule_model::SystemId;
//! use vestibule_server::{Hub, HubConfig, Peer};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let hub = Hub::start(HubConfig::in_memory("home")).await?;
//! let (_session, _outgoing) = hub.open(Peer::Local(SystemId::slug("simulated"))).await?;
//! assert_eq!(hub.status().await.sessions, 1);
//! hub.shutdown().await;
//! # Ok::<(), vestibule_server::HubError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adapters;
mod audit;
pub mod cli;
mod embedded;
mod http;
mod hub;
mod local;
pub mod login;
mod net;
mod ops;
mod things;
mod trade;

pub use embedded::{Embedded, EmbeddedConfig, StartError};
pub use http::{HttpConfig, HttpError};
pub use hub::{
    Clock, Hub, HubConfig, HubError, HubHandle, HubStatus, Keeping, LOG_FILE, Outgoing, PairingCodes, Peer,
    SNAPSHOT_FOLDER, SessionHandle, Trade,
};
pub use net::control;
pub use trade::{TradeConfig, TradeError};
