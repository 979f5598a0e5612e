//! Users, delegated tokens and leases over HTTP.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Home, PATIENCE, Who, problem};

impl Home {
    async fn status(&self, who: &Who, method: Method, path: &str) -> StatusCode {
        self.ask(who, method, path).send().await.unwrap().status()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_of_a_user_comes_and_goes() {
    let home = Home::start().await;
    let (_bench, me) = (home.bench().await, home.pair("owner").await);
    home.tell(&me, Method::PUT, "/v1/users/ada", json!({ "id": "ada", "name": "Ada", "roles": ["guest"] })).await;
    let code = home.tell(&me, Method::POST, "/v1/pairing/codes", json!({ "role": "guest", "user": "ada" })).await;
    assert_eq!(code.status(), StatusCode::CREATED);
    let code: Value = code.json().await.unwrap();
    let body = json!({ "code": code["digits"], "name": "phone" });
    let paired: Value = home.bare(Method::POST, "/v1/pairing").json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(paired["user"], "ada");
    let ada = Who(paired["token"].as_str().unwrap().to_owned());
    assert_eq!(home.get(&ada, "/v1/me").await["user"], "ada");
    assert_eq!(home.status(&ada, Method::DELETE, "/v1/users/ada").await, StatusCode::FORBIDDEN);
    let people = home.get(&me, "/v1/users").await;
    let known = people["users"].as_array().unwrap().iter().find(|user| user["info"]["id"] == "ada").unwrap();
    let device = known["devices"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/devices/{device}");
    assert_eq!(home.status(&me, Method::DELETE, &path).await, StatusCode::NO_CONTENT);
    assert_eq!(home.status(&ada, Method::GET, "/v1/me").await, StatusCode::UNAUTHORIZED);
    assert_eq!(home.status(&me, Method::DELETE, "/v1/users/ada").await, StatusCode::NO_CONTENT);
    // Gone, and still in the log by name, until that is erased as well.
    let told: Value = home.tell(&me, Method::POST, "/v1/users/ada/erasure", json!({})).await.json().await.unwrap();
    assert_eq!(told, json!({ "systems": [], "more": 0, "begins": 0 }));
    assert_eq!(home.status(&me, Method::POST, "/v1/users/ada/erasure").await, StatusCode::NOT_FOUND);
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegated_token_is_a_bearer_token_within_its_limits() {
    let home = Home::start().await;
    let (_bench, me) = (home.bench().await, home.pair("owner").await);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let limits = json!({ "twins": [{ "twin": "bench/lamp" }], "until": now + 600_000 });
    let delegation = json!({ "guest": "postman", "limits": limits });
    let token: Value = home.tell(&me, Method::POST, "/v1/tokens", delegation).await.json().await.unwrap();
    let token = token["token"].as_str().unwrap().to_owned();
    let postman = Who(token.clone());
    let said = home.get(&postman, "/v1/me").await;
    assert!(said["user"].as_str().unwrap().ends_with(":postman") && said["owner"] == false, "{said}");
    assert_eq!(home.get(&postman, "/v1/twins/bench/lamp").await["info"]["id"], "bench/lamp");
    assert_eq!(home.press(&postman, "1").send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(home.status(&postman, Method::GET, "/v1/rules").await, StatusCode::FORBIDDEN);
    let torn = Who(token[..token.len() - 8].to_owned());
    assert_eq!(home.status(&torn, Method::GET, "/v1/me").await, StatusCode::UNAUTHORIZED);
    // Nobody registers a system with it.
    let info = json!({ "id": "x", "kind": "digital_twin", "name": "X", "heartbeat_ms": 0 });
    let refused = home.ask(&postman, Method::PUT, "/v1/dii/registration").json(&info).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let people = home.get(&me, "/v1/users").await;
    let path = format!("/v1/tokens/{}", people["tokens"][0]["id"].as_str().unwrap());
    assert_eq!(home.status(&me, Method::DELETE, &path).await, StatusCode::NO_CONTENT);
    assert_eq!(home.status(&postman, Method::GET, "/v1/twins/bench/lamp").await, StatusCode::UNAUTHORIZED);
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leases_a_thing_has_it_alone() {
    let home = Home::start().await;
    let (bench, me, other) = (home.bench().await, home.pair("owner").await, home.pair("owner").await);
    let wish = json!({ "ttl_ms": 300_000 });
    let ask = |who: &Who, key: &str| {
        home.ask(who, Method::POST, "/v1/twins/bench/lamp/leases").header("Idempotency-Key", key).json(&wish)
    };
    let first = ask(&me, "mine").send().await.unwrap();
    assert_eq!(first.status(), StatusCode::ACCEPTED);
    let first: Value = first.json().await.unwrap();
    let again: Value = ask(&me, "mine").send().await.unwrap().json().await.unwrap();
    assert_eq!(again["lease"], first["lease"], "a repetition is the same lease");
    let start = Instant::now();
    let fence = loop {
        let inbox = home.get(&bench, "/v1/dii/inbox?wait_ms=1000").await;
        let mut messages = inbox["messages"].as_array().unwrap().iter();
        if let Some(held) = messages.find_map(|message| message["message"].get("integrate")) {
            break held["fence"].clone();
        }
        assert!(start.elapsed() < PATIENCE, "{inbox}");
    };
    let done = json!({ "twin": "bench/lamp", "fence": fence });
    home.tell(&bench, Method::POST, "/v1/dii/integrations", done).await;
    loop {
        let leases = home.get(&me, "/v1/twins/bench/lamp/leases").await;
        if leases["leases"][0]["status"] == "integrated" {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{leases}");
    }
    let held = problem(home.press(&other, "1").send().await.unwrap()).await;
    assert_eq!((held["status"].as_u64(), held["code"].as_str()), (Some(423), Some("held")));
    let wish = json!({ "feature": "light", "action": "turn_on", "valid_for_ms": 60_000, "lease": first["lease"] });
    let press = home.ask(&me, Method::POST, "/v1/twins/bench/lamp/commands").header("Idempotency-Key", "1").json(&wish);
    assert_eq!(press.send().await.unwrap().status(), StatusCode::ACCEPTED);
    let path = format!("/v1/leases/{}", first["lease"].as_str().unwrap());
    assert_eq!(home.status(&me, Method::POST, &format!("{path}/renewal")).await, StatusCode::OK);
    assert!(home.status(&other, Method::DELETE, &path).await.is_client_error());
    assert_eq!(home.status(&me, Method::DELETE, &path).await, StatusCode::OK);
    assert_eq!(home.get(&me, "/v1/twins/bench/lamp/leases").await["leases"], json!([]));
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_pair_uses_no_code_up() {
    let home = Home::start().await;
    let code = home.enabler.pairing_code("guest".parse().unwrap()).await.unwrap();
    let pair = async |code: &str, name: String| {
        let body = json!({ "code": code, "name": name });
        home.bare(Method::POST, "/v1/pairing").json(&body).send().await.unwrap().status()
    };
    assert_eq!(pair(code.as_str(), " ".to_owned()).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(pair(code.as_str(), "x".repeat(65)).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(pair("1234567", "x".to_owned()).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(pair(code.as_str(), "x".repeat(2_000)).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(pair(code.as_str(), "phone".to_owned()).await, StatusCode::CREATED);
    home.enabler.stop().await;
}
