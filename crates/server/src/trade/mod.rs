//! Merchants that the owner has bound: the adapter, where it is reached, and what it is known by.

mod keys;
mod routes;
mod stand_in;

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use thiserror::Error;
use tokio::{sync::mpsc, task::JoinHandle};
use vestibule_adapter_ucp::{Contents, Merchant, Platform, UcpConfig, UcpError, UcpTrade, is_over_ucp};
use vestibule_model::{ContentHash, ServiceId, SystemId, Timestamp};
use vestibule_protocol::{TradeAsk, TradeUp};
use vestibule_ucp::{Endpoint, EndpointError};

use crate::{Clock, HubError, HubHandle, Trade};

pub(crate) use routes::router;

/// What merchants are known by, in the data folder.
const PINS: &str = "trade.json";
/// What merchants say that waits for the hub: a fifth of a second of its work. More makes them wait.
const TOLD: usize = 256;

/// Whom people may buy from.
#[derive(Clone, Debug)]
pub struct TradeConfig {
    /// The merchants. Nobody else's address is ever spoken to.
    pub merchants: Vec<Merchant>,
    /// Those of them that register themselves: nobody stands in for them, however late they come.
    pub themselves: BTreeSet<SystemId>,
    /// A PEM file with certificates that vouch for them, besides the machine's.
    pub roots: Option<PathBuf>,
    /// Where they reach this enabler; `None`: at its own address for HTTP.
    pub platform: Option<Endpoint>,
}

/// Why nobody can be bought from.
#[derive(Debug, Error)]
pub enum TradeError {
    /// The key that signs.
    #[error("the key that signs for merchants: {0}")]
    Key(io::Error),
    /// The file with certificates.
    #[error("{}: {}", .0.display(), .1)]
    Roots(PathBuf, String),
    /// Nobody could answer.
    #[error("merchants tell of orders over https, or over http on this machine: --http, --https or --ucp-platform")]
    NoHttp,
    /// Where merchants would reach this enabler.
    #[error("{0} is no address for merchants: {1}")]
    Platform(String, EndpointError),
    /// The merchants.
    #[error(transparent)]
    Ucp(#[from] UcpError),
}

/// Who speaks to merchants, once that has begun.
pub(crate) struct Desk {
    trade: OnceLock<Arc<UcpTrade>>,
    /// Merchants that register themselves.
    themselves: OnceLock<BTreeSet<SystemId>>,
    clock: Clock,
}

impl Default for Desk {
    fn default() -> Self {
        Self { trade: OnceLock::new(), themselves: OnceLock::new(), clock: Clock::system() }
    }
}

impl Desk {
    /// Who speaks to merchants; `None`: nobody.
    pub(crate) fn trade(&self) -> Option<&Arc<UcpTrade>> {
        self.trade.get()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Begins to speak to merchants. What runs until its handle is aborted.
    pub(crate) fn begin(
        &self,
        config: TradeConfig,
        folder: &Path,
        http: Option<Endpoint>,
        hub: &HubHandle,
    ) -> Result<Vec<JoinHandle<()>>, TradeError> {
        let key = keys::signing_key(folder).map_err(TradeError::Key)?;
        let base = config.platform.or(http).ok_or(TradeError::NoHttp)?;
        let platform =
            Platform::new(&base, key).map_err(|error| TradeError::Platform(base.as_str().to_owned(), error))?;
        let roots = config.roots.map(roots).transpose()?.unwrap_or_default();
        let (up, told) = mpsc::channel(TOLD);
        let speaks = UcpConfig {
            merchants: config.merchants,
            platform,
            roots,
            pins: Some(folder.join(PINS)),
            patience: UcpConfig::PATIENCE,
        };
        let trade = Arc::new(UcpTrade::spawn(speaks, Arc::new(Packages(hub.clone())), up)?);
        let systems = trade.merchants().filter(|system| !config.themselves.contains(*system)).cloned();
        let stand_ins = systems.map(|system| tokio::spawn(stand_in::stand_in(hub.clone(), trade.clone(), system)));
        let tasks = stand_ins.chain([tokio::spawn(hear(hub.clone(), told))]).collect();
        // Begun once: what was there before would go on.
        let _ = self.trade.set(trade);
        let _ = self.themselves.set(config.themselves);
        Ok(tasks)
    }
}

/// What merchants say is decided on in its order.
async fn hear(hub: HubHandle, mut told: mpsc::Receiver<TradeUp>) {
    while let Some(said) = told.recv().await {
        match hub.told(said).await {
            Ok(()) => {}
            Err(HubError::Stopped) => return,
            // Nobody waits for it any more, or the disk is full: what counts is asked for again.
            Err(error) => tracing::info!(%error, "a merchant's words are not taken"),
        }
    }
}

impl Trade for Desk {
    fn serves(&self, system: &SystemId, service: &ServiceId) -> bool {
        is_over_ucp(service) && self.trade().is_some_and(|trade| trade.merchants().any(|bound| bound == system))
    }

    fn themselves(&self) -> BTreeSet<SystemId> {
        self.themselves.get().cloned().unwrap_or_default()
    }

    fn ask(&self, ask: TradeAsk) -> Result<(), String> {
        let trade = self.trade().ok_or("nobody is bought from here")?;
        trade.ask(ask).map_err(|busy| busy.to_string())
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({} merchants)", self.trade().map_or(0, |trade| trade.merchants().count()))
    }
}

fn roots(path: PathBuf) -> Result<Vec<CertificateDer<'static>>, TradeError> {
    let wrong = |error: &dyn std::fmt::Display| TradeError::Roots(path.clone(), error.to_string());
    let found: Result<Vec<_>, _> = match CertificateDer::pem_file_iter(&path) {
        Ok(certificates) => certificates.collect(),
        Err(error) => return Err(wrong(&error)),
    };
    match found {
        Ok(roots) if roots.is_empty() => Err(wrong(&"there is no certificate in it")),
        Ok(roots) => Ok(roots),
        Err(error) => Err(wrong(&error)),
    }
}

/// Packages lie where all contents do.
struct Packages(HubHandle);

impl Contents for Packages {
    fn get(&self, hash: ContentHash) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send + '_>> {
        Box::pin(async move {
            let found = self.0.content(hash).await;
            found.unwrap_or_else(|error| {
                tracing::warn!(%error, "a package cannot be read");
                None
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_or_the_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, text).unwrap();
            let error = roots(path.clone()).unwrap_err().to_string();
            assert!(error.contains("ca.pem"), "{error}");
        }
        assert!(matches!(roots(folder.path().join("none.pem")), Err(TradeError::Roots(..))));
        let text = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, text).unwrap();
        assert_eq!(roots(path).unwrap(), [CertificateDer::from(vec![1, 2, 3])]);
    }
}
