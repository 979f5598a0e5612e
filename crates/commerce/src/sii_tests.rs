use vestibule_model::SystemInfo;

use super::*;
use crate::Config;

#[test]
fn who_introduces_it_is_looked_at_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("enabler.json");
    let by = Introduction::File(path.clone());
    assert!(matches!(by.read(), Err(SiiError::NotIntroduced)));
    let long = " ".repeat(5_000);
    for wrong in ["", "7", r#"{"url": "http://127.0.0.1:1"}"#, r#"{"url": 7, "system": "s"}"#, &long] {
        std::fs::write(&path, wrong).unwrap();
        let why = by.read().unwrap_err().to_string();
        assert!(why.contains("enabler.json"), "{why}");
    }
    for port in [1, 2] {
        let said = json!({"url": format!("http://127.0.0.1:{port}"), "code": "123456", "system": "shop"});
        std::fs::write(&path, said.to_string()).unwrap();
        assert_eq!(by.read().unwrap().url, format!("http://127.0.0.1:{port}"));
    }
    std::fs::write(&path, r#"{"url": "http://127.0.0.1:1", "code": "123456", "system": }"#).unwrap();
    assert!(!by.read().unwrap_err().to_string().contains("123456"), "codes stand in no log");
}

/// Somebody who takes only the newest code.
async fn doorkeeper(good: &'static str) -> String {
    use axum::{Json, Router, http::StatusCode, routing::post};
    let pair = move |Json(asked): Json<Value>| async move {
        match asked["code"] == good {
            true => (StatusCode::OK, Json(json!({"token": "t0k3n"}))),
            false => (StatusCode::UNAUTHORIZED, Json(json!({"detail": "that pairing code is not valid"}))),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/pairing", post(pair));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn comes(file: &Path) {
    let there = async {
        while !file.exists() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), there).await.unwrap_or_else(|_| panic!("{file:?} comes"));
}

#[tokio::test]
async fn who_comes_when_its_code_is_spent_asks_for_another_one_and_gets_in() {
    let folder = tempfile::tempdir().unwrap();
    let (running, app) = crate::merchant::start_app(Config::new(Role::Shop, folder.path())).await.unwrap();
    let (file, wanted) = (folder.path().join("enabler.json"), folder.path().join("enabler.wanted"));
    let url = doorkeeper("222222").await;
    let say = |code: &str| {
        std::fs::write(&file, json!({"url": url, "code": code, "system": "shop"}).to_string()).unwrap();
    };
    say("111111");
    let (end, stop) = watch::channel(false);
    let joining = tokio::spawn(join(app, Role::Shop, Introduction::File(file.clone()), stop));
    comes(&wanted).await;
    std::fs::remove_file(&wanted).unwrap();
    say("222222");
    comes(&folder.path().join("token")).await;
    // It may have asked once more before it saw that.
    let _ = std::fs::remove_file(&wanted);
    sleep(Duration::from_millis(100)).await;
    assert!(!wanted.exists(), "it needs no other");
    end.send(true).unwrap();
    joining.await.unwrap();
    running.stop().await;
}

/// What is registered is what the enabler takes.
#[tokio::test]
async fn what_is_said_of_a_merchant_is_sound() {
    for role in [Role::Shop, Role::Manufacturer, Role::Supplier] {
        let folder = tempfile::tempdir().unwrap();
        // Only a merchant that is somewhere says where.
        let place = (role == Role::Supplier).then(|| "8828308281fffff".parse().unwrap());
        let config = Config { place, ..Config::new(role, folder.path()) };
        let (running, app) = crate::merchant::start_app(config).await.unwrap();
        let info: SystemInfo = serde_json::from_value(registration(&app, role, role.name())).unwrap();
        info.check().unwrap();
        let has = |name: &str| info.services.keys().any(|service| service.as_str() == name);
        assert_eq!(has("quote"), role == Role::Manufacturer);
        assert_eq!((has("search"), has("look_up")), (!has("quote"), !has("quote")), "its shelf is empty");
        assert_eq!(info.properties.contains_key("delivers"), role == Role::Supplier, "in windows");
        assert!(info.properties["delivery"].contains(".90 EUR"), "{:?}", info.properties);
        assert_eq!((info.place, info.charge), (place, None));
        // What it says of a service is so: over this connection, or it says how.
        let asked = |service: &str, input: Value| Invoke {
            call: Value::Null,
            step: Value::Null,
            undo: false,
            service: service.into(),
            input,
            not_after: Timestamp(u64::MAX),
        };
        let found = invoke(&app, &asked("search", json!({"query": ""}))).await.unwrap();
        assert!(found["done"]["products"].is_array());
        assert_eq!(has("recipes"), role == Role::Supplier);
        let recipes = invoke(&app, &asked("recipes", json!({"query": "Onion"}))).await.unwrap();
        assert_eq!(recipes["done"]["@graph"][0]["@type"] == "Recipe", has("recipes"), "{recipes}");
        assert!(invoke(&app, &asked("look_up", json!({}))).await.unwrap()["failed"]["reason"].is_string());
        for (id, service) in &info.services {
            let here = invoke(&app, &asked(id.as_str(), json!({"ids": ["x"]}))).await.unwrap();
            let elsewhere = here["failed"]["reason"].as_str().is_some_and(|reason| reason.contains("--ucp"));
            assert_eq!(elsewhere, service.description.contains("--ucp"), "{id}: {here}");
        }
        drop(app);
        running.stop().await;
    }
}
