//! Programs in another language, with nothing but HTTP, at an enabler as people run it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// A program that is ended with the test.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it has ended").unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn enabler() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule-enabler"));
    for name in ["DATA", "QUIC", "HTTP", "HTTPS", "MQTT", "NAME"] {
        command.env_remove(format!("VESTIBULE_{name}"));
    }
    command
}

fn code(data: &Path, role: &str) -> String {
    let output = enabler().args(["pair", "--role", role, "--data"]).arg(data).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned()
}

fn example(name: &str) -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/http").join(name);
    let mut command = Command::new("python3");
    command.arg(file);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_system_in_python_is_found_and_does_as_told() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut served = Running::start(
        enabler().args(["serve", "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"]).arg(&data),
    );
    assert!(served.line().starts_with("listening on "));
    let url = served.line().split_whitespace().last().unwrap().to_owned();
    let mut python = Running::start(example("twin_system.py").args([&url, &code(&data, "twin_system")]));
    assert_eq!(python.line(), "ready");

    let client = reqwest::Client::new();
    let body = json!({ "code": code(&data, "owner"), "name": "me" });
    let paired: Value =
        client.post(format!("{url}/v1/pairing")).json(&body).send().await.unwrap().json().await.unwrap();
    let token = paired["token"].as_str().unwrap();
    let get = async |path: &str| -> Value {
        client.get(format!("{url}{path}")).bearer_auth(token).send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(get("/v1/systems?text=workshop&feature=light").await["systems"][0]["info"]["id"], "workshop");
    let wish = json!({ "feature": "light", "action": "turn_on", "valid_for_ms": 60_000 });
    let press = client.post(format!("{url}/v1/twins/workshop/lamp/commands")).bearer_auth(token);
    let answer = press.header("Idempotency-Key", "press").json(&wish).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(python.line(), "turn_on");
    let start = Instant::now();
    while get(&location).await["status"] != "confirmed" {
        assert!(start.elapsed() < Duration::from_secs(60), "{}", get(&location).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(get("/v1/twins/workshop/lamp/properties/light/on").await["value"], true);
}
