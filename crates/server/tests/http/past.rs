//! What was, over HTTP: decisions, readings, the twin of a moment; nobody sees what they might not have seen.

use reqwest::Method;
use serde_json::json;

use super::{Home, problem};

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_s_past_is_told_to_whoever_might_have_seen_it() {
    let home = Home::start().await;
    let (bench, me) = (home.bench().await, home.pair("owner").await);
    home.press(&me, "press 1").send().await.unwrap();
    let (last, command) = home.execution(&bench).await;
    home.get(&bench, &format!("/v1/dii/inbox?after={last}")).await;
    let outcome = json!({ "command": command, "status": "executed" });
    home.tell(&bench, Method::POST, "/v1/dii/outcomes", outcome).await;
    home.report(&bench, true).await;

    let history = home.get(&me, "/v1/twins/bench/lamp/history").await;
    let entries = history["entries"].as_array().unwrap();
    assert_eq!((&entries[0]["what"], &history["begins"]), (&json!("described"), &json!(0)));
    let accepted = entries.iter().find_map(|entry| entry["what"].get("accepted")).unwrap();
    assert_eq!((&accepted["command"], &accepted["action"]), (&command, &json!("turn_on")));
    let first = home.get(&me, "/v1/twins/bench/lamp/history?limit=1").await;
    assert_eq!((first["entries"].as_array().unwrap().len(), &first["next"]), (1, &entries[0]["sequence"]));

    let told = home.get(&me, &format!("/v1/twins/bench/lamp/past/readings?until={}", u64::MAX)).await;
    let values: Vec<_> = told["readings"].as_array().unwrap().iter().map(|reading| &reading["value"]).collect();
    assert_eq!(values, [&json!(false), &json!(true)]);
    for (reading, value) in told["readings"].as_array().unwrap().iter().zip([false, true]) {
        let then = home.get(&me, &format!("/v1/twins/bench/lamp/past?at={}", reading["at"])).await;
        let seen = &then["twin"]["readings"]["light"]["on"]["value"];
        // Both may have come within one millisecond, whose state is the later one.
        assert!(*seen == value || *seen == true, "{then}");
    }
    let before = home.get(&me, "/v1/twins/bench/lamp/past?at=1").await;
    assert!(before.get("twin").is_none(), "there was none: {before}");

    for path in ["history", "past?at=1", "past/readings?until=9"] {
        let refused = home.ask(&bench, Method::GET, &format!("/v1/twins/bench/lamp/{path}")).send().await.unwrap();
        assert_eq!(problem(refused).await["code"], "forbidden", "{path}");
        let wrong = format!("/v1/twins/bench/lamp/{}&x=1", path.replace("history", "history?after=0"));
        let wrong = home.ask(&me, Method::GET, &wrong).send().await.unwrap();
        assert_eq!(problem(wrong).await["code"], "malformed", "{path}");
    }
    home.enabler.stop().await;
}
