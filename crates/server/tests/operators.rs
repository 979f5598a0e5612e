//! What operators do: ask the doctor, change the certificate, read log lines by program.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{os::unix::fs::PermissionsExt, time::Duration};

use common::{
    enabler::{Running, program, run, text},
    *,
};
use vestibule_protocol::{Party, Request};
use vestibule_quic::Identity;

#[test]
fn the_doctor_finds_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = port.local_addr().unwrap().to_string();
    let doctor = |quic: &str| {
        let output = run(&data, &["doctor", "--quic", quic]);
        (output.status.code(), text(&output.stdout))
    };
    let (code, words) = doctor("127.0.0.1:0");
    assert_eq!(code, Some(0), "{words}");
    assert!(!data.exists(), "looking makes nothing");
    let (code, words) = doctor(&taken);
    assert_eq!(code, Some(1));
    let line = words.lines().find(|line| line.starts_with("fail  quic")).unwrap();
    assert!(line.contains("operators") && line.contains("choose another port"), "{line}");
    drop(port);

    let enabler = Running::start(&data);
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, words) = doctor(&enabler.address.to_string());
    assert_eq!(code, Some(0), "{words}");
    for line in
        ["warn  folder", "ok    enabler      Test home runs on it", "ok    log", "ok    clock", "ok    certificate"]
    {
        assert!(words.lines().any(|found| found.starts_with(line)), "no {line} in\n{words}");
    }
    assert!(words.contains("is the running enabler's"), "{words}");
    enabler.signal("-TERM");
    assert_eq!(enabler.wait(), Some(0));
    std::fs::write(data.join("identity.pem"), "nothing").unwrap();
    let (code, words) = doctor("127.0.0.1:0");
    assert_eq!(code, Some(1));
    assert!(words.lines().any(|line| line.starts_with("fail  certificate")), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_is_taken_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Running::start_with(folder.path(), &["--log-format", "json"]);
    let me = Identity::generate().unwrap();
    enabler.pair_over_quic(&me, "owner").await;
    let mut person = Peer::new(enabler.address, enabler.fingerprint, &me, Party::Metaverse);
    person.until("a connection", |person| person.connected > 0).await;

    std::fs::write(folder.path().join("identity.pem"), "nothing").unwrap();
    assert!(run(folder.path(), &["reload"]).status.success());
    until(|| enabler.said().contains("the certificate stays as it was")).await;
    let new = Identity::load_or_create(folder.path().join("new.pem")).unwrap();
    std::fs::rename(folder.path().join("new.pem"), folder.path().join("identity.pem")).unwrap();
    assert!(run(folder.path(), &["reload"]).status.success());
    until(|| enabler.said().contains(&new.fingerprint().to_string())).await;

    assert!(person.ask(Request::Rules).await.is_ok(), "who is there stays");
    let mut newcomer = Peer::new(enabler.address, new.fingerprint(), &me, Party::Metaverse);
    newcomer.until("a connection with the new certificate", |peer| peer.connected > 0).await;
    for line in enabler.said().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[test]
fn nobody_reloads_what_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(run(&data, &["reload"]).status.code(), Some(3));
    // What a killed enabler leaves behind names a process that is somebody else's by now.
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("endpoint"), format!("127.0.0.1:1\n{}\n", std::process::id())).unwrap();
    assert_eq!(run(&data, &["reload"]).status.code(), Some(3));
    assert_eq!(program().arg("--log-format").arg("xml").output().unwrap().status.code(), Some(2));
}

async fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not in time");
}
