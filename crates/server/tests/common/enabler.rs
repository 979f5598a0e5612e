//! `vestibule-enabler` as a process, with QUIC and HTTP on free ports.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use vestibule_quic::{Fingerprint, Identity, pair};

/// A running enabler; killed when dropped.
pub struct Running {
    child: Child,
    data: PathBuf,
    pub address: SocketAddr,
    pub fingerprint: Fingerprint,
    /// `http://127.0.0.1:PORT`.
    pub http: String,
    said: Arc<Mutex<String>>,
}

pub fn program() -> Command {
    // Programs of examples/ have none, and are given one.
    let mut command = Command::new(option_env!("CARGO_BIN_EXE_vestibule-enabler").unwrap_or_default());
    for name in ["VESTIBULE_DATA", "VESTIBULE_QUIC", "VESTIBULE_HTTP", "VESTIBULE_MQTT", "VESTIBULE_NAME", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

pub fn run(data: &Path, arguments: &[&str]) -> Output {
    program().args(arguments).arg("--data").arg(data).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Running {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub fn start_with(data: &Path, more: &[&str]) -> Self {
        let mut command = program();
        command.args(["serve", "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0", "--name", "Test home"]);
        command.args(more).arg("--data").arg(data);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = || lines.next().and_then(Result::ok).unwrap_or_default();
        let (quic, http) = (told(), told());
        let mut words = quic.split_whitespace();
        let Some((address, fingerprint)) = words.nth(2).zip(words.nth(1)) else {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("it did not start: {quic:?} {error}");
        };
        let http =
            http.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_else(|| panic!("{http:?}"));
        let (address, fingerprint) = (address.parse().unwrap(), fingerprint.parse().unwrap());
        let (said, stderr) = (Arc::new(Mutex::new(String::new())), child.stderr.take().unwrap());
        let heard = said.clone();
        // Nobody may block on a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        let http = http.trim_end_matches('/').to_owned();
        Self { child, data: data.to_owned(), address, fingerprint, http, said }
    }

    /// What it wrote to stderr so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub fn wait(mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A six-digit code for one device.
    pub fn code(&self, role: &str) -> String {
        let output = run(&self.data, &["pair", "--role", role]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).lines().next().unwrap().to_owned()
    }

    pub async fn pair_over_quic(&self, identity: &Identity, role: &str) {
        let code = self.code(role);
        pair(&self.address.to_string(), identity, &code, "A test").await.unwrap();
    }

    /// A bearer token of somebody who paired over HTTP.
    pub async fn token(&self, role: &str) -> String {
        let body = serde_json::json!({ "code": self.code(role), "name": "A test" });
        let (status, answer) = self.ask("POST", "/v1/pairing", None, Some(&body)).await;
        assert!((200..300).contains(&status), "{status} {answer}");
        answer["token"].as_str().unwrap().to_owned()
    }

    /// One request; its status and its JSON.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&serde_json::Value>,
    ) -> (u16, serde_json::Value) {
        let (status, text) = self.text(method, path, token, body).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// One request; its status and its text.
    pub async fn text(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&serde_json::Value>,
    ) -> (u16, String) {
        // The client's; whoever was first has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let mut request = client.request(method.parse().unwrap(), format!("{}{path}", self.http));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
