//! The enabler on the network: QUIC connections become the hub's sessions.

mod client;
pub mod control;
pub(crate) mod desk;
mod turns;

use std::sync::Arc;

use tokio::{sync::watch, task::JoinSet};
use vestibule_adapter_mqtt::AdapterStatus;
use vestibule_quic::{CloseCode, QuicServer};

use crate::{HubError, HubHandle, trade};
use desk::Desk;

/// What clients are told when the enabler ends.
const GOODBYE: &str = "the enabler stops";

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) server: QuicServer,
    pub(crate) hub: HubHandle,
    pub(crate) desk: Desk,
    pub(crate) trade: Arc<trade::Desk>,
    pub(crate) adapters: Vec<watch::Receiver<AdapterStatus>>,
    /// Why products without electronics are not shown as they are; `None`: they are.
    pub(crate) things: watch::Receiver<Option<String>>,
    /// Cloned for each client, and so their number.
    pub(crate) clients: Arc<()>,
}

impl Shared {
    async fn hub_status(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
        let hub = self.hub.status().await;
        if hub.running {
            line("sessions", hub.sessions.to_string());
            line("systems", format!("{}, {} online", hub.systems, hub.systems_online));
            line("twins", hub.twins.to_string());
            line("devices", hub.devices.to_string());
            line("commands", format!("{} open", hub.open_commands));
            line("leases", format!("{} held or waited for", hub.leases));
            line("log", format!("{} lines, head {}", hub.head.sequence, hub.head.hash));
            line("storage", hub.storage.unwrap_or_else(|| "writable".to_owned()));
        } else {
            line("hub", HubError::Stopped.to_string());
        }
        if let Some(why) = self.things.borrow().clone() {
            line("things", why);
        }
        for adapter in &self.adapters {
            let status = adapter.borrow();
            line("adapter", status.to_string());
            for (topic, message) in &status.notes {
                line("  problem", format!("{topic}: {message}"));
            }
        }
        lines
    }
}

/// Serves everybody who connects until [`close`] is called.
pub(crate) async fn serve(shared: Arc<Shared>) {
    // As many as the server's limits let in.
    let mut clients = JoinSet::new();
    while let Some(connection) = shared.server.accept().await {
        let shared = shared.clone();
        clients.spawn(async move {
            let (remote, fingerprint) = (connection.remote(), connection.fingerprint());
            tracing::info!(%remote, %fingerprint, "connected");
            let why = if connection.is_own() {
                control::serve(connection, &shared).await
            } else {
                let _counted = shared.clients.clone();
                client::serve(connection, shared).await
            };
            tracing::info!(%remote, %why, "disconnected");
        });
        while clients.try_join_next().is_some() {}
    }
    clients.shutdown().await;
}

/// Tells all clients that the enabler ends, and takes no more.
pub(crate) async fn close(shared: &Shared) {
    shared.server.close(CloseCode::ShuttingDown, GOODBYE).await;
}
