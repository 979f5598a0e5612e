//! Programs in another language, with nothing but HTTP, at an enabler as people run it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use std::{
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use reqwest::{Client, RequestBuilder, Response};
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

/// An enabler that runs, and an owner's token.
struct Town {
    data: PathBuf,
    url: String,
    client: Client,
    token: String,
    _served: Running,
    _folder: tempfile::TempDir,
}

impl Town {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut served = Running::start(
            enabler().args(["serve", "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"]).arg(&data),
        );
        assert!(served.line().starts_with("listening on "));
        let url = served.line().split_whitespace().last().unwrap().to_owned();
        let (client, token) = (Client::new(), String::new());
        let mut town = Self { data, url, client, token, _served: served, _folder: folder };
        let body = json!({ "code": town.code("owner"), "name": "me" });
        let paired = town.client.post(town.at("/v1/pairing")).json(&body).send().await.unwrap();
        let paired: Value = paired.json().await.unwrap();
        town.token = paired["token"].as_str().unwrap().to_owned();
        town
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn code(&self, role: &str) -> String {
        let output = enabler().args(["pair", "--role", role, "--data"]).arg(&self.data).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned()
    }

    /// An example that runs, and is ready.
    fn example(&self, name: &str, role: &str) -> Running {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/http").join(name);
        let mut python = Running::start(Command::new("python3").arg(file).args([&self.url, &self.code(role)]));
        assert_eq!(python.line(), "ready");
        python
    }

    async fn send(&self, request: RequestBuilder) -> Response {
        request.bearer_auth(&self.token).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        self.send(self.client.get(self.at(path))).await.json().await.unwrap()
    }

    /// Something that is done once; where to ask how far it is.
    async fn post(&self, path: &str, key: &str, body: &Value) -> String {
        let request = self.client.post(self.at(path)).header("Idempotency-Key", key).json(body);
        let answer = self.send(request).await;
        assert_eq!(answer.status(), 202);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn until(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let seen = self.get(path).await;
            if done(&seen) {
                return seen;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{seen}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn in_an_hour() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3_600);
    u64::try_from(now.as_millis()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_system_in_python_is_found_and_does_as_told() {
    let town = Town::start().await;
    let mut python = town.example("twin_system.py", "twin_system");
    assert_eq!(town.get("/v1/systems?text=workshop&feature=light").await["systems"][0]["info"]["id"], "workshop");
    let wish = json!({ "feature": "light", "action": "turn_on", "valid_for_ms": 60_000 });
    let location = town.post("/v1/twins/workshop/lamp/commands", "press", &wish).await;
    assert_eq!(python.line(), "turn_on");
    town.until(&location, |command| command["status"] == "confirmed").await;
    assert_eq!(town.get("/v1/twins/workshop/lamp/properties/light/on").await["value"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_party_in_python_is_agreed_with_serves_and_sees_what_is_shared() {
    let town = Town::start().await;
    let _workshop = town.example("twin_system.py", "twin_system");
    let mut python = town.example("third_party.py", "third_party");
    let found = town.get("/v1/systems?kind=third_party&service=visit&online=true").await;
    assert_eq!(found["systems"][0]["info"]["id"], "electrician");
    let authorize = async |share: Value| -> Value {
        let wish = json!({ "services": ["visit"], "share": share, "until": in_an_hour() });
        // On a slow machine its answer comes too late: then it is asked once more.
        for _ in 0..12 {
            let put = town.client.put(town.at("/v1/authorizations/electrician")).json(&wish);
            let answer = town.send(put).await;
            if answer.status() == 200 {
                return answer.json().await.unwrap();
            }
            assert_eq!(answer.status(), 503);
        }
        panic!("it never answers in time");
    };
    let order = json!({ "input": { "twin": "workshop/lamp" }, "steps":
        [{ "key": "come", "system": "electrician", "service": "visit" }] });
    let refused = town.client.post(town.at("/v1/calls")).header("Idempotency-Key", "0").json(&order);
    assert_eq!(town.send(refused).await.status(), 403, "nothing is agreed yet");

    let agreed = authorize(json!({ "twins": { "workshop/lamp": [] } })).await;
    assert!(agreed["account"].as_str().unwrap().starts_with("customer "));
    let location = town.post("/v1/calls", "come", &order).await;
    assert_eq!(python.line(), "visits Workbench lamp");
    // Between failing and failed a call is being undone.
    let ended = |call: &Value| match &call["status"] {
        Value::String(word) => word == "succeeded",
        status => status["undoing"].is_null(),
    };
    let call = town.until(&location, ended).await;
    assert_eq!((&call["status"], &call["output"]), (&json!("succeeded"), &json!({ "visit": 1, "light": false })));
    assert_eq!(town.post("/v1/calls", "come", &order).await, location, "a repetition is the same call");

    let vague = json!({ "input": {}, "steps": [{ "key": "come", "system": "electrician", "service": "visit" }] });
    let location = town.post("/v1/calls", "come where?", &vague).await;
    let call = town.until(&location, ended).await;
    assert!(call["status"]["failed"]["reason"].as_str().unwrap().contains("which thing"), "{call}");

    // A name that no address holds is no reason to die.
    let strange = json!({ "input": { "twin": "a thing?\n" }, "steps":
        [{ "key": "come", "system": "electrician", "service": "visit" }] });
    let location = town.post("/v1/calls", "come to that?", &strange).await;
    let call = town.until(&location, ended).await;
    assert!(call["status"]["failed"].is_object(), "{call}");

    // What is not shared any more, it is not told: then it does not come.
    authorize(json!({})).await;
    let location = town.post("/v1/calls", "come again", &order).await;
    let call = town.until(&location, ended).await;
    assert!(call["status"]["failed"]["reason"].as_str().unwrap().contains("not shared"), "{call}");
    let taken = town.send(town.client.delete(town.at("/v1/authorizations/electrician"))).await;
    assert_eq!(taken.status(), 204);
    assert_eq!(python.line(), "revoked");
    assert_eq!(town.get("/v1/authorizations").await["authorizations"], json!([]));
}
