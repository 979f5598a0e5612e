//! An enabler over HTTP, as any program asks it.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Nobody waits longer for a moment's answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// One that is asked, by whoever has this token.
#[derive(Clone)]
pub struct Enabler {
    client: Client,
    base: String,
    token: String,
}

/// What came of it.
pub enum Answer {
    Done(Value),
    /// A definite no: its status, and what it says.
    Refused(u16, Value),
    /// Nobody knows.
    Nothing,
}

impl Enabler {
    pub fn new(base: impl Into<String>, token: impl Into<String>) -> Self {
        // What comes on a connection answers what was asked on it, and nothing else.
        let client =
            Client::builder().no_proxy().timeout(PATIENCE).pool_max_idle_per_host(0).build().expect("a client");
        Self { client, base: base.into(), token: token.into() }
    }

    pub async fn ask(&self, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Self::answered(request).await
    }

    async fn answered(request: reqwest::RequestBuilder) -> Answer {
        let Ok(answer) = request.send().await else { return Answer::Nothing };
        let status = answer.status();
        let Ok(bytes) = answer.bytes().await else { return Answer::Nothing };
        let said = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or(Value::Null) };
        match status.as_u16() {
            200..=299 => Answer::Done(said),
            429 | 500..=599 => Answer::Nothing,
            code => Answer::Refused(code, said),
        }
    }

    /// Asks until there is an answer that is definite.
    pub async fn surely(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, (u16, Value)> {
        loop {
            match self.ask(method.clone(), path, key, body).await {
                Answer::Done(said) => return Ok(said),
                Answer::Refused(status, said) => return Err((status, said)),
                Answer::Nothing => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Gives bytes until they are there.
    pub async fn give(&self, bytes: &[u8], media: &str) -> String {
        let hash = vestibule_model::ContentHash::of(bytes).to_string();
        let media = media.replace('+', "%2B");
        let url = format!("{}/v1/contents/{hash}?size={}&media={media}", self.base, bytes.len());
        loop {
            let request = self.client.put(&url).bearer_auth(&self.token);
            let request = request.header("Content-Type", "application/octet-stream").body(bytes.to_vec());
            match Self::answered(request).await {
                Answer::Done(_) => return hash,
                Answer::Refused(status, said) => panic!("{status}: {said}"),
                Answer::Nothing => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Uses one service, and gives what it gave; `None`: it did not, and may be used anew.
    pub async fn call(&self, system: &str, service: &str, input: Value) -> Option<(String, Value)> {
        let id = format!("{:032x}", rand::random::<u128>());
        let body = json!({"input": input, "valid_for_ms": 60_000, "steps": [{"key": "it", "system": system, "service": service}]});
        self.surely(Method::POST, "/v1/calls", Some(&id), Some(&body)).await.ok()?;
        loop {
            let update = self.surely(Method::GET, &format!("/v1/calls/{id}"), None, None).await.ok()?;
            match &update["status"] {
                Value::String(status) if status == "succeeded" => return Some((id, update["output"].clone())),
                Value::String(status) if status == "running" => tokio::time::sleep(Duration::from_millis(25)).await,
                Value::Object(status) if status.contains_key("undoing") => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => return None,
            }
        }
    }

    /// Is there, as a client with a window is: whose purchases are looked at more often.
    pub async fn watch(self) {
        loop {
            // One that is told of everything; what is told is not of interest.
            let request = Client::new().get(format!("{}/v1/events", self.base)).bearer_auth(&self.token);
            if let Ok(mut answer) = request.send().await {
                while let Ok(Some(_)) = answer.chunk().await {}
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
