#![allow(dead_code, reason = "each test program uses its own part")]

pub mod http_proxy;
pub mod proxy;

use std::{sync::Arc, time::Duration};

use futures_util::stream::{StreamExt, iter};
use tempfile::TempDir;
use vestibule_commerce::{Role, Running};
use vestibule_conformance::{Config, Http, Quic, Report, Transport, Trust, catalogue::Group, run};
use vestibule_model::{RoleId, SystemId};
use vestibule_server::{Embedded, EmbeddedConfig, HttpConfig, TradeConfig};

/// A slow and loaded machine needs less for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What the manufacturer is called at the enabler.
pub const WORKSHOP: &str = "workshop";
/// How many times faster than the real one its clock goes: a day in half a second.
const SPEED: u32 = 200_000;

/// An enabler in this process, in a folder of its own.
pub struct Enabler {
    pub embedded: Embedded,
    /// A manufacturer that it buys from.
    workshop: Option<Running>,
    _folder: TempDir,
}

impl Enabler {
    pub async fn start() -> Self {
        Self::with(tempfile::tempdir().unwrap(), None).await
    }

    /// One that buys from a manufacturer.
    pub async fn buying() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workshop = vestibule_commerce::Config::new(Role::Manufacturer, folder.path().join(WORKSHOP));
        let workshop = vestibule_commerce::start(vestibule_commerce::Config { speed: SPEED, ..workshop });
        Self::with(folder, Some(workshop.await.unwrap())).await
    }

    async fn with(folder: TempDir, workshop: Option<Running>) -> Self {
        let trade = workshop.as_ref().map(|workshop| {
            let merchants = vec![format!("{WORKSHOP}={}/.well-known/ucp", workshop.url()).parse().unwrap()];
            TradeConfig { merchants, themselves: Default::default(), roots: None, platform: None }
        });
        let http = HttpConfig { plain: Some(([127, 0, 0, 1], 0).into()), ..HttpConfig::default() };
        let config = EmbeddedConfig { http, trade, ..EmbeddedConfig::local(folder.path().join("data")) };
        let embedded = Embedded::start(config).await.unwrap();
        Self { embedded, workshop, _folder: folder }
    }

    pub async fn stop(self) {
        self.embedded.stop().await;
        if let Some(workshop) = self.workshop {
            workshop.stop().await;
        }
    }

    /// What the kit is told of it.
    fn config(&self, groups: &[Group]) -> Config {
        let merchant = self.workshop.as_ref().map(|_| SystemId::slug(WORKSHOP));
        Config { patience: PATIENCE, groups: groups.to_vec(), merchant }
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

/// Plays these groups, or everything that there is for it, over QUIC at `target`: the enabler itself, or who stands before
/// it.
pub async fn play_quic(enabler: &Enabler, target: &str, code: &str, groups: &[Group]) -> Report {
    play(Arc::new(Quic::new(target, PATIENCE)), code, &enabler.config(groups)).await
}

/// The same over HTTP.
pub async fn play_http(enabler: &Enabler, url: &str, code: &str) -> Report {
    play(Arc::new(Http::new(url, Trust::default()).unwrap()), code, &enabler.config(&[])).await
}

async fn play(transport: Arc<dyn Transport>, code: &str, config: &Config) -> Report {
    run(transport, code, config).await.unwrap()
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
