//! `vestibule-enabler` as people run it: flags, words, exit codes, and `kill -9` in the middle of everything.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use common::*;
use vestibule_model::*;
use vestibule_protocol::{Party, Response};
use vestibule_quic::{Fingerprint, Identity, pair};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule-enabler"));
    for name in ["VESTIBULE_DATA", "VESTIBULE_QUIC", "VESTIBULE_MQTT", "VESTIBULE_NAME", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

fn run(arguments: &[&str], data: &Path) -> Output {
    program().args(arguments).arg("--data").arg(data).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Running {
    child: Child,
    address: SocketAddr,
    fingerprint: Fingerprint,
}

impl Running {
    fn start(data: &Path, quic: &str) -> Self {
        let mut command = program();
        command.args(["serve", "--quic", quic, "--name", "Test home", "--data"]).arg(data);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut words = line.split_whitespace();
        let Some((address, fingerprint)) = words.nth(2).zip(words.nth(1)) else {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("it did not start: {line:?} {error}");
        };
        let mut stderr = child.stderr.take().unwrap();
        // Nobody may block on a full pipe.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { address: address.parse().unwrap(), fingerprint: fingerprint.parse().unwrap(), child }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    fn wait(mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn code(data: &Path, role: &str) -> String {
    let output = run(&["pair", "--role", role], data);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().next().unwrap().to_owned()
}

#[test]
fn words_and_codes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for order in ["pair", "status"] {
        let output = run(&[order], &data);
        assert_eq!(output.status.code(), Some(3));
        let error = text(&output.stderr);
        assert!(error.contains("no enabler runs on") && error.contains("vestibule-enabler serve"), "{error}");
    }
    let output = run(&["log"], &data);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(!data.exists(), "looking makes nothing");
    assert_eq!(run(&["dance"], &data).status.code(), Some(2));
    assert_eq!(run(&["serve", "--mqtt", "http://x"], &data).status.code(), Some(2));

    let enabler = Running::start(&data, "127.0.0.1:0");
    let digits = code(&data, "owner");
    assert!(digits.len() == 6 && digits.chars().all(|c| c.is_ascii_digit()), "{digits}");
    let status = run(&["status"], &data);
    let words = text(&status.stdout);
    assert!(status.status.success() && words.starts_with("Test home (vestibule-enabler "), "{words}");
    assert!(words.contains(&enabler.fingerprint.to_string()) && words.contains("connections  0"), "{words}");

    // The folder and the port are taken, each said in words.
    let output = run(&["serve", "--quic", "127.0.0.1:0"], &data);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("in use by another enabler"), "{}", text(&output.stderr));
    let other = folder.path().join("other");
    let output = run(&["serve", "--quic", &enabler.address.to_string()], &other);
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stderr).contains("is in use"), "{}", text(&output.stderr));
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let output = run(&["serve", "--quic", "127.0.0.1:0"], &file);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));

    // The log, while it runs and after.
    let lines = text(&run(&["log"], &data).stdout);
    assert!(lines.lines().count() >= 2 && lines.contains("owners-everything"), "{lines}");
    assert_eq!(text(&run(&["log", "--after", "1"], &data).stdout).lines().count(), lines.lines().count() - 1);
    assert!(text(&run(&["log", "--verify"], &data).stdout).contains("all as they were written"));
    enabler.signal("-TERM");
    assert_eq!(enabler.wait(), Some(0));
    assert!(!data.join("endpoint").exists());
    assert_eq!(run(&["status"], &data).status.code(), Some(3));
    assert_eq!(text(&run(&["log"], &data).stdout), lines);
    let enabler = Running::start(&data, "127.0.0.1:0");
    enabler.signal("-INT");
    assert_eq!(enabler.wait(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_tells_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Running::start(folder.path(), "127.0.0.1:0");
    let me = Identity::generate().unwrap();
    pair(&enabler.address.to_string(), &me, &code(folder.path(), "owner"), "me").await.unwrap();
    let mut person = Peer::new(enabler.address, enabler.fingerprint, &me, Party::Metaverse);
    person.until("synchronized", |person| person.synchronized == 1).await;
    enabler.signal("-TERM");
    person.until("told", |person| !person.disconnected.is_empty()).await;
    assert!(person.disconnected[0].contains("the enabler stops"), "{:?}", person.disconnected);
    assert_eq!(enabler.wait(), Some(0));
}

/// What people ask about the past: filters, exports that prove themselves, the state of a moment, a name that goes.
#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_printed_exported_replayed_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("log.jsonl"));
    let enabler = Running::start(&data, "127.0.0.1:0");
    for name in ["Keeper", "Esmeralda"] {
        let me = Identity::generate().unwrap();
        pair(&enabler.address.to_string(), &me, &code(&data, "owner"), name).await.unwrap();
    }
    let said = |output: Output| {
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let path = file.to_str().unwrap();
    let wrote = said(run(&["log", "--export", path], &data));
    let check = || program().args(["log", "--verify", path]).output().unwrap();
    assert_eq!(said(check()), wrote, "the file proves what the log said");
    let log = said(run(&["log"], &data));
    assert!(wrote.starts_with(&format!("{} lines", log.lines().count())), "{wrote}");
    let count = |filter: &[&str]| said(run(&[&["log"], filter].concat(), &data)).lines().count();
    assert_eq!((count(&["--kind", "device_enrolled"]), count(&["--who", "Esmeralda"])), (2, 1), "{log}");
    assert_eq!((count(&["--since", "2200-01-01T00:00:00Z"]), count(&["--until", "2200-01-01T00:00:00Z"])), {
        (0, log.lines().count())
    });
    assert_eq!(run(&["log", "--since", "yesterday"], &data).status.code(), Some(2));

    // The state of a moment, by number and by time; both say on which line it stands.
    let last = log.lines().count();
    let now = said(run(&["replay", "--until", "2200-01-01T00:00:00Z"], &data));
    assert_eq!(said(run(&["replay", "--until", &last.to_string()], &data)), now);
    let before = said(run(&["replay", "--until", &(last - 1).to_string()], &data));
    assert!(now.contains("Esmeralda") && !before.contains("Esmeralda") && before.contains("Keeper"), "{before}");

    // Forgotten while it runs: nowhere in the folder, and nothing else has changed.
    let unknown = run(&["erase", "--user", "nobody"], &data);
    assert_eq!(unknown.status.code(), Some(1));
    let report = said(run(&["erase", "--user", "Esmeralda"], &data));
    assert!(report.contains("no system was told anything of them"), "{report}");
    let alone = run(&["erase", "--user", "Keeper"], &data);
    assert!(text(&alone.stderr).contains("nobody could change the rules"), "{}", text(&alone.stderr));
    let after = said(run(&["log"], &data));
    assert!(!after.contains("Esmeralda") && after.contains("erased:"), "{after}");
    assert!(said(run(&["log", "--verify"], &data)).contains("all as they were written"));
    enabler.signal("-TERM");
    assert_eq!(enabler.wait(), Some(0));
    let then = said(run(&["replay", "--until", &last.to_string()], &data));
    assert!(!then.contains("Esmeralda") && then.contains("erased:"), "{then}");

    // The older export is what it was. One changed byte of a line is found.
    assert_eq!(said(check()), wrote);
    let changed = std::fs::read_to_string(&file).unwrap().replacen("owners-everything", "owners-everythinG", 1);
    std::fs::write(&file, changed).unwrap();
    assert_eq!(check().status.code(), Some(6));
    let status = run(&["replay", "--until", "1"], &folder.path().join("none")).status;
    assert_eq!(status.code(), Some(4));
}

/// Acknowledged is what the person was answered. After a kill at any moment all of it is in the log, nothing is
/// executed twice, and the log is whole.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let mut enabler = Running::start(data, "127.0.0.1:0");
    let address = enabler.address;
    let (me, bench) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    pair(&address.to_string(), &me, &code(data, "owner"), "me").await.unwrap();
    pair(&address.to_string(), &bench, &code(data, "twin_system"), "bench").await.unwrap();
    let mut person = Peer::new(address, enabler.fingerprint, &me, Party::Metaverse);
    let mut bench = FakeSystem::new(address, enabler.fingerprint, &bench);
    let mut acknowledged = HashSet::new();
    let mut number = 0u64;
    for round in 1..=3usize {
        both(&mut bench, &mut person, "synchronized with the lamp", |_, person| {
            person.synchronized == round && person.twins.contains_key(&lamp_id())
        })
        .await;
        let start = Instant::now();
        let lasts = Duration::from_millis(300 + 170 * round as u64);
        while start.elapsed() < lasts {
            for _ in 0..3 {
                number += 1;
                let mut id = [0; 16];
                id[..8].copy_from_slice(&number.to_le_bytes());
                let ms = person.ms();
                person.session.actuate(turn_on(id), ms);
            }
            bench.pump();
            person.pump();
            collect(&mut person, &mut acknowledged);
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        // `Child::kill` is SIGKILL: no handler runs.
        enabler.child.kill().unwrap();
        enabler.child.wait().unwrap();
        person.pump();
        collect(&mut person, &mut acknowledged);
        let verified = run(&["log", "--verify"], data);
        assert!(verified.status.success(), "{}", text(&verified.stderr));
        let lines = text(&run(&["log"], data).stdout);
        for id in &acknowledged {
            assert!(lines.contains("command_accepted"), "no commands in the log");
            assert!(holds(&lines, *id), "{id:?} was acknowledged and is lost");
        }
        enabler = Running::start(data, &address.to_string());
    }
    assert!(acknowledged.len() > 20, "{} of {number} acknowledged: too few to say anything", acknowledged.len());
    // What was sent without an answer is sent again, and answered one way or the other.
    both(&mut bench, &mut person, "synchronized at last", |_, person| person.synchronized == 4).await;
    both(&mut bench, &mut person, "all are answered", |_, person| {
        person.answers.len() as u64 >= number - acknowledged.len() as u64
    })
    .await;
    let twice: Vec<_> = bench.executed.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "executed more than once: {twice:?}");
}

fn collect(person: &mut Peer, acknowledged: &mut HashSet<CommandId>) {
    person.answers.retain(|_, answer| match answer {
        Ok(Response::Command(update)) => {
            acknowledged.insert(update.command);
            false
        }
        _ => true,
    });
}

/// The log writes ids as JSON does: an array of bytes.
fn holds(lines: &str, id: CommandId) -> bool {
    let bytes: Vec<String> = id.0.iter().map(u8::to_string).collect();
    lines.contains(&format!("[{}]", bytes.join(","))) || lines.contains(&id.to_string())
}

#[test]
fn people_rules_and_tokens_from_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _enabler = Running::start(&data, "127.0.0.1:0");
    let says = |arguments: &[&str]| {
        let output = run(arguments, &data);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    };
    assert_eq!(says(&["users", "set", "bob", "--role", "guest", "--name", "Bob B."]), "bob is known.");
    assert!(says(&["users"]).contains("bob  \"Bob B.\"  guest"), "{}", says(&["users"]));
    let people: serde_json::Value = serde_json::from_str(&says(&["users", "list", "--json"])).unwrap();
    assert_eq!(people["users"][0]["info"]["id"], "bob");
    let digits = says(&["pair", "--user", "bob", "--role", "guest"]);
    assert!(digits.lines().next().unwrap().len() == 6);
    let rule = says(&["grant", "bob", "unlock", "home/front_door", "--until", "12h", "--priority", "3"]);
    let (id, words) = rule.split_once(": ").unwrap();
    assert_eq!(words, "bob may unlock home/front_door, with priority 3, for a time");
    says(&["revoke", id]);
    let again = run(&["revoke", id], &data);
    assert!(!again.status.success() && text(&again.stderr).contains("there is no rule"), "{}", text(&again.stderr));

    let token = says(&["token", "mint", "postman", "--twin", "home/front_door", "--until", "12h"]);
    // Without the enabler and its folder: whoever has a token can narrow it.
    let alone = |arguments: &[&str]| {
        let output = program().args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    };
    let narrow = alone(&["token", "attenuate", &token, "--action", "unlock", "--priority", "3"]);
    let shown = alone(&["token", "show", &narrow]);
    for part in ["postman for console", "home/front_door", "unlock", "at most 3", "until"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(says(&["users"]).contains("postman for console"));
    says(&["revoke", &narrow]);
    says(&["revoke", &token]);
    assert!(!says(&["users"]).contains("postman"));
    says(&["users", "remove", "bob"]);
    let log = says(&["log"]);
    for part in ["token_key_set", "user_set", "token_delegated", "token_revoked", "user_removed", "\"by\":\"console\""]
    {
        assert!(log.contains(part), "{part} in {log}");
    }
    let endless = run(&["token", "mint", "postman"], &data);
    assert!(!endless.status.success() && text(&endless.stderr).contains("until when"), "{}", text(&endless.stderr));
    assert!(!log.contains(&token), "no token is written down");
}
