//! The API over HTTP with a client that is not ours: identity, discovery, commands, rules, streams, bad input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod certificates;
mod limits;
mod login;
#[path = "../common/oidc.rs"]
mod oidc;
mod past;
mod people;
mod procedures;
mod purchases;
mod services;
mod skew;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use vestibule_model::{ContentHash, RoleId};
use vestibule_server::{Embedded, EmbeddedConfig, HttpConfig, login::LoginConfig};

/// Loaded machines are slow; whatever takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

struct Home {
    enabler: Embedded,
    client: Client,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

/// Somebody with a token.
#[derive(Clone)]
struct Who(String);

/// A connection each: the server ends one after a bad request, just when the next request may be on it.
fn unpooled() -> Client {
    Client::builder().pool_max_idle_per_host(0).build().unwrap()
}

impl Home {
    async fn start() -> Self {
        Self::start_with(None).await
    }

    async fn start_with(login: Option<LoginConfig>) -> Self {
        // The client's; whoever was first has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let any = Some(([127, 0, 0, 1], 0).into());
        let http = HttpConfig { plain: any, tls: any, ..HttpConfig::default() };
        let config = EmbeddedConfig { http, login, ..EmbeddedConfig::local(folder.path().join("data")) };
        let enabler = Embedded::start(config).await.unwrap();
        let address = enabler.http().unwrap();
        Self { enabler, client: unpooled(), address, folder }
    }

    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    async fn pair(&self, role: &str) -> Who {
        let code = self.enabler.pairing_code(RoleId::slug(role)).await.unwrap();
        let body = json!({ "code": code.as_str(), "name": role });
        let answer = self.bare(Method::POST, "/v1/pairing").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let paired: Value = answer.json().await.unwrap();
        assert_eq!(paired["roles"], json!([role]));
        Who(paired["token"].as_str().unwrap().to_owned())
    }

    fn ask(&self, who: &Who, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&who.0)
    }

    async fn get(&self, who: &Who, path: &str) -> Value {
        let answer = self.ask(who, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    async fn tell(&self, who: &Who, method: Method, path: &str, body: Value) -> Response {
        let answer = self.ask(who, method, path).json(&body).send().await.unwrap();
        let status = answer.status();
        if !status.is_success() {
            panic!("{path}: {}", answer.text().await.unwrap());
        }
        answer
    }

    /// A twin system with a lamp that is off.
    async fn bench(&self) -> Who {
        let bench = self.pair("twin_system").await;
        let info = json!({ "id": "bench", "kind": "digital_twin", "name": "A bench", "heartbeat_ms": 0 });
        self.tell(&bench, Method::PUT, "/v1/dii/registration", info).await;
        self.tell(&bench, Method::POST, "/v1/dii/twins", json!({ "twin": lamp(), "reachable": true })).await;
        self.report(&bench, false).await;
        bench
    }

    async fn report(&self, bench: &Who, on: bool) {
        let report = json!({ "twin": "bench/lamp", "feature": "light", "property": "on", "value": on });
        let taken: Value = self
            .tell(bench, Method::POST, "/v1/dii/reports", json!({ "reports": [report] }))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(taken, json!({ "taken": 1, "refused": [] }));
    }

    /// Waits until a twin system is told to do something: the message's number and the command.
    async fn execution(&self, bench: &Who) -> (u64, Value) {
        let mut after = 0;
        let start = Instant::now();
        loop {
            // Without `after`: nothing is acknowledged.
            let inbox = self.get(bench, "/v1/dii/inbox?wait_ms=1000").await;
            for message in inbox["messages"].as_array().unwrap() {
                after = message["sequence"].as_u64().unwrap();
                if message["message"]["execute"].is_object() {
                    return (after, message["message"]["execute"]["command"].clone());
                }
            }
            assert!(start.elapsed() < PATIENCE, "nothing to do after message {after}");
        }
    }

    fn press(&self, who: &Who, key: &str) -> RequestBuilder {
        let wish = json!({ "feature": "light", "action": "turn_on", "valid_for_ms": 60_000 });
        self.ask(who, Method::POST, "/v1/twins/bench/lamp/commands").header("Idempotency-Key", key).json(&wish)
    }
}

fn lamp() -> Value {
    json!({
        "id": "bench/lamp",
        "name": "Lamp",
        "features": { "light": {
            "name": "Light",
            "kind": "light",
            "properties": { "on": { "value": "bool" } },
            "actions": { "turn_on": { "effects": [{ "property": "on", "expect": { "value": true } }] } },
        } },
    })
}

async fn problem(answer: Response) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert!(!problem["detail"].as_str().unwrap().is_empty() && problem["type"].is_string());
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_turns_a_lamp_on_over_http_alone() {
    let home = Home::start().await;
    let (bench, me) = (home.bench().await, home.pair("owner").await);
    let systems = home.get(&me, "/v1/systems?kind=digital_twin&online=true").await;
    assert_eq!(systems["systems"][0]["info"]["id"], "bench");
    assert_eq!(home.get(&me, "/v1/systems?after=bench").await["systems"], json!([]));
    let twins = home.get(&me, "/v1/systems/bench/twins").await;
    assert_eq!(twins["twins"][0]["readings"]["light"]["on"]["value"], false);
    let answer = home.ask(&me, Method::GET, "/v1/twins/bench/lamp").send().await.unwrap();
    let seen = answer.headers()["etag"].to_str().unwrap().to_owned();

    let first = home.press(&me, "press 1").header("If-Match", &seen).send().await.unwrap();
    assert_eq!(first.status(), StatusCode::ACCEPTED);
    let location = first.headers()["location"].to_str().unwrap().to_owned();
    let again = home.press(&me, "press 1").header("If-Match", &seen).send().await.unwrap();
    assert_eq!(again.headers()["location"].to_str().unwrap(), location, "a repetition is the same command");

    let (last, command) = home.execution(&bench).await;
    assert_eq!(location, format!("/v1/commands/{}", command.as_str().unwrap()));
    let again = home.get(&bench, "/v1/dii/inbox").await;
    let again = again["messages"].as_array().unwrap();
    assert!(again.iter().all(|message| message["again"] == true), "not acknowledged: {again:?}");
    assert_eq!(again.iter().filter(|message| message["message"]["execute"].is_object()).count(), 1, "{again:?}");
    assert_eq!(home.get(&bench, &format!("/v1/dii/inbox?after={last}")).await["messages"], json!([]));
    let outcome = json!({ "command": command, "status": "executed" });
    home.tell(&bench, Method::POST, "/v1/dii/outcomes", outcome).await;
    home.report(&bench, true).await;
    let start = Instant::now();
    while home.get(&me, &location).await["status"] != "confirmed" {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stale = home.press(&me, "press 2").header("If-Match", &seen).send().await.unwrap();
    assert_eq!(problem(stale).await["code"], "revision_mismatch");
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_is_told_which_rule_says_so() {
    let home = Home::start().await;
    let (_bench, me, guest) = (home.bench().await, home.pair("owner").await, home.pair("guest").await);
    let nobody = home.bare(Method::GET, "/v1/systems").send().await.unwrap();
    assert_eq!(nobody.headers()["www-authenticate"], "Bearer");
    assert_eq!(problem(nobody).await["code"], "unauthenticated");
    let forged = home.ask(&Who("x".repeat(43)), Method::GET, "/v1/systems").send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(home.press(&guest, "1").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let rule = json!({ "id": "no-guests", "who": { "role": "guest" }, "twins": "all", "feature": null,
        "right": "act_any", "effect": "deny" });
    home.tell(&me, Method::PUT, "/v1/rules/no-guests", rule).await;
    let refused = problem(home.press(&guest, "1").send().await.unwrap()).await;
    assert_eq!((refused["code"].as_str(), refused["rule"].as_str()), (Some("forbidden"), Some("no-guests")));
    let explained = home.get(&guest, "/v1/explain?twin=bench/lamp&feature=light&action=turn_on").await;
    assert_eq!((&explained["allowed"], &explained["rule"]), (&json!(false), &json!("no-guests")));
    for path in ["/v1/rules", "/v1/log"] {
        assert_eq!(home.ask(&guest, Method::GET, path).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    let log = home.get(&me, "/v1/log?limit=500").await;
    assert!(log["lines"].as_array().unwrap().iter().any(|line| line["event"]["rule_set"]["rule"]["id"] == "no-guests"));
    // Twin systems ask nothing of other twins, users say nothing for twins.
    let wrong = home.ask(&me, Method::POST, "/v1/dii/heartbeat").send().await.unwrap();
    assert!(wrong.status().is_client_error());
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_one_rule_at_once_one_wins() {
    let home = Home::start().await;
    let me = home.pair("owner").await;
    let rule = |feature: &str| json!({ "id": "race", "who": "anyone", "twins": "all", "feature": feature, "right": "read", "effect": "allow" });
    let put = |feature: &str, name: &str, value: &str| {
        home.ask(&me, Method::PUT, "/v1/rules/race").header(name, value).json(&rule(feature)).send()
    };
    let first = put("a", "If-None-Match", "*").await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(put("b", "If-None-Match", "*").await.unwrap().status(), StatusCode::PRECONDITION_FAILED);
    let names: Vec<_> = (0..16).map(|number| format!("racer{number}")).collect();
    let racers: Vec<_> = names.iter().map(|name| tokio::spawn(put(name, "If-Match", &tag))).collect();
    let mut statuses = Vec::new();
    for racer in racers {
        statuses.push(racer.await.unwrap().unwrap().status());
    }
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{statuses:?}");
    let stale = home.ask(&me, Method::DELETE, "/v1/rules/race").header("If-Match", &tag).send().await.unwrap();
    assert_eq!(stale.status(), StatusCode::PRECONDITION_FAILED);
    let gone = home.ask(&me, Method::DELETE, "/v1/rules/race").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    home.enabler.stop().await;
}

/// Reads server-sent events until one has this name; all that came, as (id, name, data).
async fn until(answer: &mut Response, name: &str) -> Vec<(String, String, Value)> {
    let (mut text, mut events) = (String::new(), Vec::new());
    loop {
        let chunk =
            timeout(PATIENCE, answer.chunk()).await.expect("in time").unwrap().expect("a stream without an end");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let field =
                |field: &str| event.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default().trim();
            if field("event:").is_empty() {
                continue;
            }
            let data = serde_json::from_str(field("data:")).unwrap();
            events.push((field("id:").to_owned(), field("event:").to_owned(), data));
        }
        if events.iter().any(|(_, found, _)| found == name) {
            return events;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_where_it_broke() {
    let home = Home::start().await;
    let (bench, me) = (home.bench().await, home.pair("owner").await);
    let open = |last: Option<String>| {
        let request = home.ask(&me, Method::GET, "/v1/events?twin=bench/lamp");
        last.into_iter().fold(request, |request, last| request.header("Last-Event-ID", last)).send()
    };
    let mut stream = open(None).await.unwrap();
    let events = until(&mut stream, "synchronized").await;
    assert_eq!(events[0].1, "begin");
    assert!(events.iter().any(|(_, name, data)| name == "twin" && data["info"]["id"] == "bench/lamp"));
    let last = events.last().unwrap().0.clone();
    drop(stream);
    home.report(&bench, true).await;
    let mut stream = open(Some(last)).await.unwrap();
    let missed = until(&mut stream, "readings").await;
    assert!(missed.iter().all(|(_, name, _)| name != "begin" && name != "twin"), "told again: {missed:?}");
    assert_eq!(missed.last().unwrap().2["readings"]["light"]["on"]["value"], true);
    // Out of reach: everything anew.
    let mut stream = open(Some("0000000000000001-7".to_owned())).await.unwrap();
    let events = until(&mut stream, "synchronized").await;
    assert_eq!((events[0].1.as_str(), events[1].1.as_str()), ("resync", "begin"));
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_brought_and_fetched_by_its_hash() {
    let home = Home::start().await;
    let (bench, me) = (home.bench().await, home.pair("guest").await);
    let picture = vec![7_u8; 200_000];
    let hash = ContentHash::of(&picture);
    let put = |path: String, bytes: Vec<u8>| {
        home.ask(&bench, Method::PUT, &path).header("Content-Type", "image/jpeg").body(bytes).send()
    };
    let other = put(format!("/v1/dii/contents/{hash}"), vec![1]).await.unwrap();
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let kept = put(format!("/v1/dii/contents/{hash}"), picture.clone()).await.unwrap();
    assert_eq!(kept.status(), StatusCode::NO_CONTENT);
    let answer = home.ask(&me, Method::GET, &format!("/v1/contents/{hash}")).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), picture);
    let long = put(format!("/v1/dii/contents/{hash}"), vec![0; 5 * 1024 * 1024]).await;
    assert!(long.map_or(true, |answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_what_is_wrong() {
    let home = Home::start().await;
    let (bench, me) = (home.bench().await, home.pair("owner").await);
    let cases = [
        (Method::GET, "/v1/nothing", None, 404),
        (Method::DELETE, "/v1/systems", None, 405),
        (Method::GET, "/v1/systems?knid=x", None, 400),
        (Method::GET, "/v1/twins/a%20b/c", None, 400),
        (Method::GET, "/v1/commands/xyz", None, 400),
        (Method::GET, "/v1/commands/00000000000000000000000000000000", None, 404),
        (Method::GET, "/v1/twins/bench/nothing", None, 404),
        (Method::PUT, "/v1/rules/x", Some("{"), 400),
        (Method::PUT, "/v1/rules/x", Some("{}"), 400),
        (Method::GET, "/v1/dii/inbox?wait_ms=30001", None, 400),
        (Method::GET, "/v1/explain?feature=light", None, 422),
        (Method::GET, "/v1/systems?cell=000000000000000", None, 422),
        (Method::POST, "/v1/twins/bench/lamp/commands", Some(r#"{"feature":"light","action":"turn_on"}"#), 400),
    ];
    for (method, path, body, status) in cases {
        let mut request = home.ask(&me, method.clone(), path);
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path} {body:?}");
        problem(answer).await;
    }
    // No log is so long: there is nothing, and nothing is wrong with the log.
    assert_eq!(home.get(&me, "/v1/log?after=9223372036854775808").await, json!({ "lines": [] }));
    let plain = home.ask(&me, Method::PUT, "/v1/rules/x").header("Content-Type", "text/plain").body("{}");
    assert_eq!(plain.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = home.ask(&bench, Method::POST, "/v1/dii/reports").header("Content-Type", "application/json").body(deep);
    assert!(deep.send().await.unwrap().status().is_client_error());
    let long = home.ask(&bench, Method::POST, "/v1/dii/reports").header("Content-Type", "application/json");
    let long = long.body(vec![b' '; 2 * 1024 * 1024]).send().await;
    assert!(long.map_or(true, |answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    // Still there.
    assert_eq!(home.get(&me, "/v1/me").await["roles"], json!(["owner"]));
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_slow_connections_hold_nobody_up() {
    let home = Home::start().await;
    let me = home.pair("owner").await;
    let mut held = Vec::new();
    for number in 0..10_000 {
        // Half a request, or half a handshake (a record of TLS that says it is longer), and then nothing; whoever was
        // crowded out may find the connection closed.
        let (address, half) = match number % 4 {
            0 => (home.enabler.https().unwrap(), &b"\x16\x03\x01\x02\x00\x01"[..]),
            _ => (home.address, &b"GET /v1/systems HTTP/1.1\r\nHost: x\r\nX-Slow: "[..]),
        };
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(half).await;
        held.push(stream);
        if held.len() > 400 {
            held.remove(0);
        }
        if number % 1_000 == 0 {
            let asked = Client::new().get(format!("http://{}/v1/me", home.address)).bearer_auth(&me.0).send();
            let answer = timeout(PATIENCE, asked).await.expect("nobody is held up").unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "after {number}");
        }
    }
    // The oldest ones were sent away, not served.
    let mut bytes = [0; 1];
    let ended = timeout(PATIENCE, held[0].read(&mut bytes)).await.unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)) || bytes[0] == b'H', "closed, or told that it took too long");
    home.enabler.stop().await;
}

#[tokio::test]
async fn tokens_are_not_shown_to_the_network_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    let http = HttpConfig { plain: Some(([0, 0, 0, 0], 0).into()), ..HttpConfig::default() };
    let config = EmbeddedConfig { http, ..EmbeddedConfig::local(folder.path().join("data")) };
    let error = Embedded::start(config).await.unwrap_err().to_string();
    assert!(error.contains("--https") && error.contains("--http-insecure"), "{error}");
}
