use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use vestibule_plugin_enabler::EnablerConnection;
use vestibule_quic::{Fingerprint, Identity, IdentityError, KnownError, KnownServers, LinkConfig, PairError, QuicLink};

/// Why there is no connection to an enabler.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// This device's own certificate cannot be read or made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The enablers that this device knows cannot be read or written.
    #[error(transparent)]
    Known(#[from] KnownError),
    /// The code was not taken.
    #[error("pairing with {0} did not work: {1}")]
    Pair(String, PairError),
    /// Never paired.
    #[error("{0} is not known here yet: run `vestibule-enabler pair` beside it and give the six digits that it shows")]
    Unknown(String),
    /// No threads.
    #[error("the network cannot be started: {0}")]
    Runtime(std::io::Error),
}

/// The threads that sockets live on, one pair for each process.
pub(crate) fn runtime() -> Result<&'static Runtime, ConnectError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let built = Builder::new_multi_thread().worker_threads(2).thread_name("vestibule-net").enable_all().build();
    let built = built.map_err(ConnectError::Runtime)?;
    Ok(RUNTIME.get_or_init(|| built))
}

/// Sixteen bytes that nobody else has.
pub(crate) fn random() -> [u8; 16] {
    rand::random()
}

/// A connection to the enabler at `target` (`host:port`), to be spawned in an App with `EnablerPlugin`.
///
/// `code` are the six digits of `vestibule-enabler pair`, needed once; `folder` keeps this device's certificate and the
/// enablers that it knows. The connection lives on threads of its own and reconnects by itself.
///
/// # Errors
/// [`ConnectError`] where the folder cannot be used, or the enabler is neither known nor lets itself be paired.
pub fn connect(target: &str, code: Option<&str>, folder: impl AsRef<Path>) -> Result<EnablerConnection, ConnectError> {
    let folder: PathBuf = folder.as_ref().to_owned();
    let identity = Identity::load_or_create(folder.join("client"))?;
    let mut known = KnownServers::load(folder.join("known-enablers"))?;
    let runtime = runtime()?;
    if let Some(code) = code {
        let name = std::env::var("HOSTNAME").unwrap_or_else(|_| "a Vestibule client".to_owned());
        let paired = runtime.block_on(vestibule_quic::pair(target, &identity, code, &name));
        let paired = paired.map_err(|error| ConnectError::Pair(target.to_owned(), error))?;
        known.remember(target, paired.server, target)?;
    }
    let server = known.get(target).ok_or_else(|| ConnectError::Unknown(target.to_owned()))?;
    link(target, server, identity)
}

/// A connection to an enabler whose certificate is known.
pub(crate) fn link(target: &str, server: Fingerprint, identity: Identity) -> Result<EnablerConnection, ConnectError> {
    let config = LinkConfig { target: target.to_owned(), server, identity, wake: None };
    let link = QuicLink::spawn(runtime()?.handle(), config);
    Ok(EnablerConnection::new(target, Box::new(link)))
}
