//! The status page as a person sees it, in Chromium. `cargo xtask setup --peer node --peer browser` brings both; what is
//! missing is a failure.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use common::{enabler::Running, *};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};
use vestibule_protocol::{Party, Request};
use vestibule_quic::Identity;

fn modules() -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers/node/node_modules");
    let folder = std::env::var_os("VESTIBULE_NODE_MODULES").map_or_else(beside, PathBuf::from);
    assert!(folder.is_dir(), "{} is not here: cargo xtask setup --peer node", folder.display());
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_what_happens_as_it_happens() {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Running::start(folder.path());
    let (bench, me) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    enabler.pair_over_quic(&bench, "twin_system").await;
    enabler.pair_over_quic(&me, "owner").await;
    let mut system = FakeSystem::new(enabler.address, enabler.fingerprint, &bench);
    let mut person = Peer::new(enabler.address, enabler.fingerprint, &me, Party::Metaverse);
    both(&mut system, &mut person, "the lamp", |_, person| person.twins.contains_key(&lamp_id())).await;

    let node = std::env::var_os("VESTIBULE_NODE").unwrap_or_else(|| "node".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/status.cjs");
    let mut command = Command::new(node);
    command.env("NODE_PATH", modules()).arg(script).args([&enabler.http, &enabler.code("owner")]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut browser = command.spawn().expect("node starts");
    let mut lines = BufReader::new(browser.stdout.take().unwrap()).lines();
    let mut said: Vec<String> = Vec::new();
    let start = Instant::now();
    loop {
        tokio::select! {
            line = lines.next_line() => match line.unwrap() {
                Some(line) => {
                    if line == "ready" {
                        let ms = person.ms();
                        person.session.request(Request::Actuate(turn_on([7; 16])), ms);
                    }
                    said.push(line);
                }
                None => break,
            },
            () = tokio::time::sleep(std::time::Duration::from_millis(5)) => {}
        }
        system.pump();
        person.pump();
        assert!(start.elapsed() < 4 * PATIENCE, "it takes too long: {said:?}");
    }
    let output = browser.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{said:?} {}", String::from_utf8_lossy(&output.stderr));
    let wanted = [
        "systems bench",
        "twins 1",
        "ready",
        "live live",
        "filtered P2.15",
        "log Nothing fits the filter.",
        "filter Nothing fits the filter.",
        "left true 0",
    ];
    assert_eq!(said, wanted);
}
