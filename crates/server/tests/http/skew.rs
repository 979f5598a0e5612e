//! Clocks that are wrong, and systems that call themselves what another one is called.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Home, lamp, problem};

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_makes_nothing_newer_or_longer() {
    let home = Home::start().await;
    let (bench, me) = (home.bench().await, home.pair("owner").await);
    let now = home.get(&me, "/v1/me").await["now"].as_u64().unwrap();
    let (hour, day) = (3_600_000, 86_400_000);
    // A system whose clock is a day ahead reports nothing from the future: its value is as old as its arrival.
    let ahead = json!({ "twin": "bench/lamp", "feature": "light", "property": "on", "value": true, "at": now + day });
    let taken = home.tell(&bench, Method::POST, "/v1/dii/reports", json!({ "reports": [ahead] })).await;
    assert_eq!(taken.json::<Value>().await.unwrap(), json!({ "taken": 1, "refused": [] }));
    let reading = home.get(&me, "/v1/twins/bench/lamp/properties/light/on").await;
    assert_eq!((&reading["value"], &reading["truth"]), (&json!(true), &json!("live")), "{reading}");
    assert!(reading["age_ms"].as_u64().unwrap() < hour, "{reading}");
    // A person's clock that is behind gives a command that has ended, one that is ahead a command that nobody means
    // any more when it is done.
    for (not_after, code) in [(now - hour, "expired"), (now + day, "invalid"), (u64::MAX, "invalid")] {
        let wish = json!({ "feature": "light", "action": "turn_on", "not_after": not_after });
        let press = home.ask(&me, Method::POST, "/v1/twins/bench/lamp/commands").header("Idempotency-Key", code);
        let answer = press.json(&wish).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{not_after}");
        assert_eq!(problem(answer).await["code"], code, "{not_after}");
    }
    // Nobody was told to do anything.
    let inbox = home.get(&bench, "/v1/dii/inbox").await;
    assert!(
        inbox["messages"].as_array().unwrap().iter().all(|message| message["message"]["execute"].is_null()),
        "{inbox}"
    );
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_registers_as_somebody_else() {
    let home = Home::start().await;
    let (bench, other, me) = (home.bench().await, home.pair("twin_system").await, home.pair("owner").await);
    let info = json!({ "id": "bench", "kind": "digital_twin", "name": "Also a bench", "heartbeat_ms": 0 });
    let shadow = home.ask(&other, Method::PUT, "/v1/dii/registration").json(&info).send().await.unwrap();
    assert!([403, 409].contains(&shadow.status().as_u16()), "{}", shadow.status());
    problem(shadow).await;
    // Nor does it speak for another one's things once it is registered as itself.
    let own = json!({ "id": "own", "kind": "digital_twin", "name": "Its own", "heartbeat_ms": 0 });
    home.tell(&other, Method::PUT, "/v1/dii/registration", own).await;
    let lamp = json!({ "twin": lamp(), "reachable": true });
    let described = home.ask(&other, Method::POST, "/v1/dii/twins").json(&lamp).send().await.unwrap();
    assert!(described.status().is_client_error(), "{}", described.status());
    let gone = home.ask(&other, Method::DELETE, "/v1/dii/twins/bench/lamp").send().await.unwrap();
    assert!(gone.status().is_client_error(), "{}", gone.status());
    let report = json!({ "twin": "bench/lamp", "feature": "light", "property": "on", "value": true });
    let taken = home.tell(&other, Method::POST, "/v1/dii/reports", json!({ "reports": [report] })).await;
    assert_eq!(taken.json::<Value>().await.unwrap()["taken"], 0);
    // The first one goes on as if nothing had been said.
    home.report(&bench, false).await;
    assert_eq!(home.get(&me, "/v1/twins/bench/lamp/properties/light/on").await["value"], false);
    let systems = home.get(&me, "/v1/systems?text=bench").await;
    let names: Vec<_> = systems["systems"].as_array().unwrap().iter().map(|view| &view["info"]["name"]).collect();
    assert_eq!(names, ["A bench"]);
    home.enabler.stop().await;
}
