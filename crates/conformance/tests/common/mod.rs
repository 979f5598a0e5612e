#![allow(dead_code, reason = "each test program uses its own part")]

pub mod http_proxy;
pub mod proxy;

use std::{sync::Arc, time::Duration};

use futures_util::stream::{StreamExt, iter};
use vestibule_conformance::{Config, Http, Quic, Report, Transport, Trust, run};
use vestibule_model::RoleId;
use vestibule_server::{Embedded, EmbeddedConfig, HttpConfig};

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
        let http = HttpConfig { plain: Some(([127, 0, 0, 1], 0).into()), ..HttpConfig::default() };
        let config = EmbeddedConfig { http, ..EmbeddedConfig::local(folder.path().join("data")) };
        let embedded = Embedded::start(config).await.unwrap();
        Self { embedded, _folder: folder }
    }

    pub fn target(&self) -> String {
        self.embedded.address().to_string()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.embedded.http().unwrap())
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

pub async fn play_http(url: &str, code: &str) -> Report {
    play(Arc::new(Http::new(url, Trust::default()).unwrap()), code).await
}

/// The rows that fail.
pub type Due = &'static [&'static str];

/// Broken enablers that are played against at once: rows that fail wait, most of the time, for what does not come.
const AT_ONCE: usize = 6;

/// Plays against each broken enabler: exactly the due rows fail, and no others.
pub async fn exactly<F>(broken: Vec<(&'static str, F, Due)>, played: impl AsyncFn(F) -> Report) {
    let played = &played;
    let verdicts = iter(broken).map(|(name, fault, due)| async move {
        let report = played(fault).await;
        (report.failures() != due).then(|| format!("{name}: {due:?} have to fail\n{report}"))
    });
    let verdicts: Vec<Option<String>> = verdicts.buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<String> = verdicts.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
