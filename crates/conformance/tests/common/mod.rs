#![allow(dead_code, reason = "each test program uses its own part")]

pub mod proxy;

use std::{sync::Arc, time::Duration};

use vestibule_conformance::{Config, Quic, Report, Transport, run};
use vestibule_model::RoleId;
use vestibule_server::{Embedded, EmbeddedConfig};

/// A slow and loaded machine needs less for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An enabler in this process, in a folder of its own.
pub struct Enabler {
    pub embedded: Embedded,
    _folder: tempfile::TempDir,
}

impl Enabler {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let embedded = Embedded::start(EmbeddedConfig::local(folder.path().join("data"))).await.unwrap();
        Self { embedded, _folder: folder }
    }

    pub fn target(&self) -> String {
        self.embedded.address().to_string()
    }

    /// A pairing code for an owner.
    pub async fn code(&self) -> String {
        self.embedded.pairing_code(RoleId::slug("owner")).await.unwrap().as_str().to_owned()
    }
}

/// Plays everything.
pub async fn play(transport: Arc<dyn Transport>, code: &str) -> Report {
    let config = Config { patience: PATIENCE, groups: Vec::new() };
    run(transport, code, &config).await.unwrap()
}

pub async fn play_quic(target: &str, code: &str) -> Report {
    play(Arc::new(Quic::new(target, PATIENCE)), code).await
}
