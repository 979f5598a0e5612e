//! What operators see and do: health, readiness, metrics, the doctor, another certificate, log lines for programs.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{os::unix::fs::PermissionsExt, time::Duration};

use common::{
    enabler::{Running, program, run, text},
    *,
};
use vestibule_protocol::{Party, Request, Response};
use vestibule_quic::Identity;

/// The value of a sample, by its name and labels as they are written.
fn sample(page: &str, name: &str) -> Option<f64> {
    let line = page.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Running::start(folder.path());
    let health = enabler.ask("GET", "/health", None, None).await;
    assert_eq!((health.0, health.1["status"].as_str()), (200, Some("alive")));
    assert_eq!(enabler.ask("GET", "/ready", None, None).await.0, 200);
    assert_eq!(enabler.ask("GET", "/metrics", None, None).await.0, 401);
    let guest = enabler.token("guest").await;
    assert_eq!(enabler.ask("GET", "/metrics", Some(&guest), None).await.0, 403, "what all systems do is the owners'");

    let (bench, me) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    enabler.pair_over_quic(&bench, "twin_system").await;
    enabler.pair_over_quic(&me, "owner").await;
    let mut system = FakeSystem::new(enabler.address, enabler.fingerprint, &bench);
    let mut person = Peer::new(enabler.address, enabler.fingerprint, &me, Party::Metaverse);
    both(&mut system, &mut person, "the lamp", |_, person| person.twins.contains_key(&lamp_id())).await;
    let ms = person.ms();
    let id = person.session.request(Request::Actuate(turn_on([7; 16])), ms);
    both(&mut system, &mut person, "an answer", |_, person| person.answers.contains_key(&id)).await;
    assert!(matches!(person.answers.remove(&id), Some(Ok(Response::Command(_)))));
    both(&mut system, &mut person, "the lamp was told", |system, _| system.executed.len() == 1).await;

    let owner = enabler.token("owner").await;
    let (status, page) = enabler.text("GET", "/metrics", Some(&owner), None).await;
    assert_eq!(status, 200);
    let at_least = |name: &str, least: f64| {
        let value = sample(&page, name).unwrap_or_else(|| panic!("no {name} in\n{page}"));
        assert!(value >= least, "{name} {value}");
    };
    at_least("vestibule_ready", 1.0);
    at_least("vestibule_twins", 1.0);
    at_least("vestibule_system_online{system=\"bench\"}", 1.0);
    at_least("vestibule_system_commands_total{system=\"bench\"}", 1.0);
    at_least("vestibule_sessions{party=\"twin_system\"}", 1.0);
    at_least("vestibule_connections{transport=\"quic\"}", 2.0);
    at_least("vestibule_commit_seconds_count", 3.0);
    at_least("vestibule_hot_messages_total", 1.0);
    at_least("vestibule_queue_limit{queue=\"decide\"}", 1024.0);
    at_least("vestibule_requests_total{interface=\"mii\",outcome=\"done\"}", 1.0);
    at_least("vestibule_refusals_total{code=\"forbidden\"}", 1.0);
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let family = name.split('{').next().unwrap();
        assert!(family.starts_with("vestibule_") && value.parse::<f64>().is_ok(), "{line}");
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| family.strip_suffix(end)).unwrap_or(family);
        assert!(DOCUMENTED.contains(&format!("`{family}`")), "{family} is not in docs/operating.md");
    }
}

const DOCUMENTED: &str = include_str!("../../../docs/operating.md");

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
