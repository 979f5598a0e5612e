//! The API against what its own document says, by Schemathesis: no 5xx, no answer that is not documented, none of
//! another shape, nothing refused that the document takes and nothing taken that it does not. `cargo xtask setup
//! --peer schemathesis` brings it; what is missing is a failure. `cargo xtask chaos http` asks more.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;
#[path = "common/oidc.rs"]
mod oidc;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use common::{enabler::Running, *};
use tokio::process::Command;
use vestibule_protocol::Party;
use vestibule_quic::Identity;

fn schemathesis() -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers/schemathesis/bin/schemathesis");
    let program = std::env::var_os("VESTIBULE_SCHEMATHESIS").map_or_else(beside, PathBuf::from);
    assert!(program.is_file(), "{} is not here: cargo xtask setup --peer schemathesis", program.display());
    program
}

/// A number that `cargo xtask chaos http` sets.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// Who asks.
#[derive(Clone, Copy)]
enum Who<'a> {
    User(&'a str),
    /// A system, at an interface of its own.
    System(&'a str, &'static str),
    Stranger,
}

/// An enabler with a lamp that does as it is told.
struct Home {
    enabler: Running,
    system: FakeSystem,
    _provider: oidc::Provider,
    _folder: tempfile::TempDir,
}

impl Home {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let provider = oidc::Provider::start();
        let login = ["--oidc-issuer", &provider.issuer, "--oidc-client-id", "open", "--oidc-redirect", oidc::REDIRECT];
        let enabler = Running::start_with(folder.path(), &login);
        let (bench, me) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        enabler.pair_over_quic(&bench, "twin_system").await;
        enabler.pair_over_quic(&me, "owner").await;
        let mut system = FakeSystem::new(enabler.address, enabler.fingerprint, &bench);
        let mut person = Peer::new(enabler.address, enabler.fingerprint, &me, Party::Metaverse);
        both(&mut system, &mut person, "the lamp", |_, person| person.twins.contains_key(&lamp_id())).await;
        Self { enabler, system, _provider: provider, _folder: folder }
    }

    /// Runs Schemathesis as somebody.
    async fn examine(&mut self, who: Who<'_>, phases: &str, examples: u64) {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let mut command = Command::new(schemathesis());
        command.env("PYTHONPATH", &peers).env("PYTHONDONTWRITEBYTECODE", "1").env("SCHEMATHESIS_HOOKS", "http_hooks");
        command.arg("--config-file").arg(peers.join("http_schema.toml")).arg("run");
        command.arg(format!("{}/openapi.json", self.enabler.http)).args(["--no-color", "--phases", phases]);
        command.args(["--max-examples", &(examples * number("VESTIBULE_EXAMPLES").unwrap_or(1)).to_string()]);
        command.args(["--seed", &number("VESTIBULE_SEED").unwrap_or(1).to_string()]);
        let bearer = |token: &str| format!("Authorization: Bearer {token}");
        match who {
            Who::User(token) => command.args(["--header", &bearer(token)]),
            Who::System(token, interface) => {
                command.env("VESTIBULE_SPEAKS", token).env("VESTIBULE_INTERFACE", interface);
                command.args(["--header", &bearer(token), "--include-tag", interface])
            }
            Who::Stranger => command.env("VESTIBULE_STRANGER", "yes").args(["--checks", STRANGER]),
        };
        let folder = tempfile::tempdir().unwrap();
        let said = self.output(command.current_dir(folder.path())).await;
        assert!(!self.enabler.said().contains("panicked"), "{}", self.enabler.said());
        println!("{said}");
    }

    /// What a program that must succeed says; meanwhile the lamp goes on.
    async fn output(&mut self, command: &mut Command) -> String {
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        tokio::pin!(output);
        let (start, limit) = (Instant::now(), Duration::from_secs(number("VESTIBULE_SECONDS").unwrap_or(LONGEST)));
        let output = loop {
            tokio::select! {
                output = &mut output => break output.expect("schemathesis starts"),
                () = tokio::time::sleep(Duration::from_millis(5)) => self.system.pump(),
            }
            assert!(start.elapsed() < limit, "schemathesis takes too long");
        };
        let said = format!("{}{}", enabler::text(&output.stdout), enabler::text(&output.stderr));
        assert!(output.status.success(), "{said}");
        said
    }
}

/// Seconds of one run on a machine that does much else; alone it takes a tenth.
const LONGEST: u64 = 600;
/// What holds for answers to strangers.
const STRANGER: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,strangers_are_refused";

#[tokio::test(flavor = "multi_thread")]
async fn owners_get_what_the_document_says() {
    let mut home = Home::start().await;
    let token = home.enabler.token("owner").await;
    home.examine(Who::User(&token), "coverage,fuzzing,stateful", 6).await;
    // Nobody has locked themselves out: what was asked was not refused for that.
    let (status, me) = home.enabler.ask("GET", "/v1/me", Some(&token), None).await;
    assert_eq!((status, &me["roles"]), (200, &serde_json::json!(["owner"])), "{me}");
    let (status, lamp) = home.enabler.ask("GET", "/v1/twins/bench/lamp", Some(&token), None).await;
    assert_eq!(status, 200, "{lamp}");
}

#[tokio::test(flavor = "multi_thread")]
async fn systems_get_what_the_document_says() {
    for (role, interface) in [("twin_system", "dii"), ("third_party", "sii")] {
        let mut home = Home::start().await;
        let token = home.enabler.token(role).await;
        home.examine(Who::System(&token, interface), "coverage,fuzzing", 8).await;
        let (status, inbox) = home.enabler.ask("GET", &format!("/v1/{interface}/inbox"), Some(&token), None).await;
        assert_eq!(status, 200, "{inbox}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_get_what_the_document_says() {
    let mut home = Home::start().await;
    let token = home.enabler.token("guest").await;
    home.examine(Who::User(&token), "coverage,fuzzing", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_told_to_show_who_they_are() {
    let mut home = Home::start().await;
    home.examine(Who::Stranger, "coverage,fuzzing", 2).await;
}
