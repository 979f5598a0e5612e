//! The Web of Things against a consumer that is not ours: node-wot. `cargo xtask setup --peer node` brings it; what is
//! missing is a failure.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::{enabler::Running, *};
use vestibule_model::*;
use vestibule_protocol::{DiiDown, DiiUp, Occurrence, Party, Report};
use vestibule_quic::Identity;

fn id() -> TwinId {
    TwinId::new("workshop/lamp").unwrap()
}

/// A lamp whose level can be written, and a bell.
fn described() -> TwinInfo {
    let feature = |name: &str, kind| FeatureInfo {
        name: name.to_owned(),
        kind,
        class: None,
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: Default::default(),
    };
    let level = ValueType::Number { min: 0.0, max: 1.0, step: 0.1 };
    let mut light = feature("Light", FeatureKind::Light);
    light.properties.insert(PropertyId::slug("on"), PropertyInfo::new(ValueType::Bool));
    light.properties.insert(PropertyId::slug("level"), PropertyInfo::new(level.clone()));
    let sets = |input, property: &str, expect| ActionInfo {
        input,
        effects: vec![Effect { property: PropertyId::slug(property), expect }],
        takes_ms: None,
    };
    let on = Expect::Value(Value::Bool(true));
    light.actions.insert(ActionId::slug("turn_on"), sets(None, "on", on));
    light.actions.insert(ActionId::slug("dim"), sets(Some(level), "level", Expect::Input));
    let mut bell = feature("Bell", FeatureKind::Event);
    bell.events.insert(EventKind::slug("press"));
    let mut info = TwinInfo::new(id(), "Lamp");
    info.features = [(FeatureId::slug("light"), light), (FeatureId::slug("bell"), bell)].into();
    info
}

/// The lamp's system, as a test plays it.
struct Workshop {
    peer: Peer,
    registered: usize,
    revision: u64,
}

impl Workshop {
    fn new(enabler: &Running, identity: &Identity) -> Self {
        let peer = Peer::new(enabler.address, enabler.fingerprint, identity, Party::TwinSystem);
        Self { peer, registered: 0, revision: 0 }
    }

    fn pump(&mut self) {
        self.peer.pump();
        let ms = self.peer.ms();
        if self.peer.connected > self.registered {
            self.registered = self.peer.connected;
            let info = SystemInfo::new(SystemId::slug("workshop"), SystemKind::DigitalTwin, "Workshop");
            self.peer.session.tell(DiiUp::Register(info), ms);
        }
        for message in std::mem::take(&mut self.peer.dii) {
            match message {
                DiiDown::Registered => {
                    self.peer.session.tell(DiiUp::Describe(Box::new(described())), ms);
                    self.peer.session.tell(DiiUp::Reachable { twin: id(), feature: None, reachable: true }, ms);
                    self.report("on", Value::Bool(false));
                }
                DiiDown::Execute(execution) => {
                    let outcome = DiiUp::Outcome { command: execution.command, status: CommandStatus::Executed };
                    self.peer.session.tell(outcome, ms);
                    match execution.input {
                        Some(level) => self.report("level", level),
                        None => self.report("on", Value::Bool(true)),
                    }
                }
                _ => {}
            }
        }
        self.peer.pump();
    }

    fn report(&mut self, property: &str, value: Value) {
        self.revision = (self.revision + 1).max(now().0);
        let (feature, property) = (FeatureId::slug("light"), PropertyId::slug(property));
        let (value, at) = (Some(value), Some(now()));
        let report = Report { twin: id(), feature, property, value, at, fresh: true, revision: self.revision };
        self.peer.session.tell(DiiUp::Report(report), self.peer.ms());
    }

    fn ring(&mut self) {
        let (feature, event) = (FeatureId::slug("bell"), EventKind::slug("press"));
        let details = [("times".to_owned(), Value::Int(2))].into();
        let occurrence = Occurrence { twin: id(), feature, event, details, at: now() };
        self.peer.session.tell(DiiUp::Occurred(occurrence), self.peer.ms());
    }
}

fn modules() -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers/node/node_modules");
    let folder = std::env::var_os("VESTIBULE_NODE_MODULES").map_or_else(beside, PathBuf::from);
    assert!(folder.is_dir(), "{} is not here: cargo xtask setup --peer node", folder.display());
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn node_wot_reads_observes_invokes_and_writes() {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Running::start(folder.path());
    let identity = Identity::generate().unwrap();
    enabler.pair_over_quic(&identity, "twin_system").await;
    let mut workshop = Workshop::new(&enabler, &identity);
    let token = enabler.token("owner").await;
    let start = Instant::now();
    loop {
        workshop.pump();
        let (_, on) = enabler.ask("GET", "/v1/twins/workshop/lamp/properties/light/on", Some(&token), None).await;
        if on["value"] == false {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "the lamp is not there: {on}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let node = std::env::var_os("VESTIBULE_NODE").unwrap_or_else(|| "node".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/wot.cjs");
    let mut command = Command::new(node);
    command.env("NODE_PATH", modules()).arg(script).arg(&enabler.http).arg(token);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("node starts");
    let mut rounds = 0_u32;
    while child.try_wait().unwrap().is_none() {
        workshop.pump();
        rounds += 1;
        if rounds.is_multiple_of(50) {
            workshop.ring();
        }
        assert!(rounds < 12_000, "node-wot takes too long");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains("node-wot")).collect();
    let wanted =
        ["directory ThingDirectory", "found urn:vestibule:workshop/lamp", "read false", "observed true", "written 0.5"];
    assert_eq!(lines[..5], wanted, "{said}");
    assert!(lines[5].starts_with("refused ") && lines[6] == "happened 2", "{said}");
}
