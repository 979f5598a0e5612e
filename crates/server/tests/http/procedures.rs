//! Procedures over HTTP: a twin is acquired from its system, and every step is told.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{Home, PATIENCE, Who, lamp, problem, until};

/// Answers the next question that a system is asked.
async fn answer(home: &Home, bench: &Who) {
    let mut after = 0;
    loop {
        let inbox = home.get(bench, &format!("/v1/dii/inbox?after={after}&wait_ms=1000")).await;
        for message in inbox["messages"].as_array().unwrap() {
            after = message["sequence"].as_u64().unwrap();
            if let Some(asked) = message["message"].get("inquire") {
                let twin = json!({ "twin": { "info": lamp(), "permission": "unrestricted" } });
                let said = json!({ "inquiry": asked["inquiry"], "answer": twin });
                // On a slow machine it comes too late: then it is asked once more.
                home.ask(bench, Method::POST, "/v1/dii/answers").json(&said).send().await.unwrap();
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_is_acquired_from_its_system_and_each_step_is_told() {
    let home = Home::start().await;
    let (bench, me) = (home.bench().await, home.pair("owner").await);
    let mut stream = home.ask(&me, Method::GET, "/v1/events?steps=true").send().await.unwrap();
    until(&mut stream, "synchronized").await;
    let start = Instant::now();
    let acquired: Value = loop {
        let asked = home.ask(&me, Method::POST, "/v1/twins/bench/lamp/acquisition").send();
        let both = async { tokio::join!(asked, answer(&home, &bench)) };
        let (acquired, ()) = timeout(PATIENCE, both).await.expect("in time");
        let acquired = acquired.unwrap();
        if acquired.status() == StatusCode::OK {
            break acquired.json().await.unwrap();
        }
        assert_eq!(problem(acquired).await["code"], "unavailable");
        assert!(start.elapsed() < PATIENCE, "it never answers in time");
    };
    assert_eq!(acquired["info"]["id"], "bench/lamp");
    let steps = home.get(&me, "/v1/steps?limit=500").await;
    let steps: Vec<_> = steps["steps"].as_array().unwrap().iter().filter(|step| step["procedure"] == "P2").collect();
    for number in 8..=12 {
        assert!(steps.iter().any(|step| step["step"] == number), "P2.{number} is not in {steps:?}");
    }
    let told = until(&mut stream, "step").await;
    assert_eq!(told.last().unwrap().2["procedure"], "P2");
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn systems_go_and_are_taken_out() {
    let home = Home::start().await;
    let (bench, me) = (home.bench().await, home.pair("owner").await);
    let found = home.get(&me, "/v1/systems?feature=light&online=true&limit=5").await;
    assert_eq!(found["systems"][0]["info"]["id"], "bench");
    assert_eq!(home.get(&me, "/v1/systems?service=translate").await["systems"], json!([]));
    let gone = home.ask(&bench, Method::DELETE, "/v1/dii/registration").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(home.get(&me, "/v1/systems").await["systems"], json!([]));
    // Nobody inherits what people were allowed with it, until an owner gives the id away.
    let other = home.pair("twin_system").await;
    let info = json!({ "id": "bench", "kind": "digital_twin", "name": "Another", "heartbeat_ms": 0 });
    let refused = home.ask(&other, Method::PUT, "/v1/dii/registration").json(&info).send().await.unwrap();
    assert_eq!(problem(refused).await["code"], "conflict");
    let removed = home.ask(&me, Method::DELETE, "/v1/systems/bench").send().await.unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    home.tell(&other, Method::PUT, "/v1/dii/registration", info).await;
    home.enabler.stop().await;
}
