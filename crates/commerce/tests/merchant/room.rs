//! Whether it fits where its buyer wants it: asked of the enabler, under the rights of that call alone.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post, put},
};
use serde_json::{Value, json};
use vestibule_commerce::{Config, EnablerConfig, Role, start};
use vestibule_fabricate::Start;

use crate::platform::{PATIENCE, Platform};

const USER: &str = "u-00112233445566778899aabbccddeeff";
const CALL: &str = "05050505050505050505050505050505";

/// An enabler that lets a merchant in and shows it one twin, for one call. What it was asked for, in order.
#[derive(Default)]
struct Enabler {
    asked: Mutex<Vec<String>>,
    registered: tokio::sync::Notify,
    /// How often it breaks before it answers.
    breaks: Mutex<u32>,
    /// Signs of life, and looks at the inbox.
    heard: Mutex<Vec<&'static str>>,
    looked: tokio::sync::Notify,
}

/// Looks at the inbox that are answered at once.
const LOOKS: usize = 3;

type Asked = (StatusCode, Json<Value>);

async fn twin(
    State(enabler): State<Arc<Enabler>>,
    Path((user, system, twin)): Path<(String, String, String)>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Asked {
    let call = query.iter().find(|(name, _)| name == "call").map(|(_, call)| call.clone()).unwrap_or_default();
    enabler.asked.lock().unwrap().push(format!("{user} {system}/{twin} {call}"));
    assert_eq!(headers["authorization"], "Bearer t0k3n");
    let is_broken = {
        let mut breaks = enabler.breaks.lock().unwrap();
        let is_broken = *breaks > 0;
        *breaks = breaks.saturating_sub(1);
        is_broken
    };
    if is_broken {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"code": "unavailable", "detail": "a moment"})));
    }
    if (user.as_str(), system.as_str(), twin.as_str(), call.as_str()) != (USER, "home", "lounge_room", CALL) {
        return (StatusCode::FORBIDDEN, Json(json!({"code": "forbidden", "detail": "nobody shares this with you"})));
    }
    let shown = json!({
        "info": {"features": {"gap": {"properties": {"width": {"unit": "mm"}}}}},
        "readings": {"gap": {"width": {"value": 20.0}}},
    });
    (StatusCode::OK, Json(shown))
}

/// Nothing ever comes.
async fn inbox(State(enabler): State<Arc<Enabler>>) -> Json<Value> {
    let looks = {
        let mut heard = enabler.heard.lock().unwrap();
        heard.push("looks");
        heard.iter().filter(|what| **what == "looks").count()
    };
    if looks > LOOKS {
        enabler.looked.notify_one();
        std::future::pending::<()>().await;
    }
    Json(json!({"messages": []}))
}

async fn enabler() -> (Arc<Enabler>, String) {
    let enabler = Arc::new(Enabler::default());
    let router = Router::new()
        .route("/v1/pairing", post(async || (StatusCode::CREATED, Json(json!({"token": "t0k3n"})))))
        .route(
            "/v1/sii/registration",
            put(async |State(enabler): State<Arc<Enabler>>| {
                enabler.registered.notify_one();
                StatusCode::NO_CONTENT
            }),
        )
        .route(
            "/v1/sii/heartbeat",
            post(async |State(enabler): State<Arc<Enabler>>| {
                enabler.heard.lock().unwrap().push("alive");
                StatusCode::NO_CONTENT
            }),
        )
        .route("/v1/sii/inbox", get(inbox))
        .route("/v1/sii/users/{user}/twins/{system}/{twin}", get(twin))
        .with_state(enabler.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (enabler, url)
}

/// The findings of a quote for a hook that is shared these twins for, and whether there is an item.
async fn findings(platform: &Platform, base: &str, delegation: Option<Value>) -> (Vec<Value>, bool) {
    let (bytes, design) = crate::maker::package(&Start::Hook.design());
    let kept = crate::maker::hand_over(platform, base, &bytes).await.ok();
    let mut wanted = crate::maker::wanted(&kept["package"], design, 1);
    if let Some(delegation) = delegation {
        wanted["com.example.vestibule.delegation"] = delegation;
    }
    let quote = platform.post(&format!("{base}/ucp/designs/quote"), &wanted).await.ok();
    assert!(quote.get("com.example.vestibule.delegation").is_none(), "whose twins they are is not repeated");
    let fit = quote["findings"].as_array().unwrap().iter();
    let fit = fit.filter(|one| matches!(one["kind"].as_str(), Some("fits" | "does_not_fit" | "fit_unknown")));
    (fit.cloned().collect(), quote["item"]["id"].is_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_for_a_call_is_asked_for_and_said_in_the_quote() {
    let (enabler, url) = enabler().await;
    let (folder, platform) = (tempfile::tempdir().unwrap(), Platform::new(1).await);
    let known = EnablerConfig { url, code: Some("123456".into()), system: "workshop".into() };
    let config = Config { enabler: Some(known), ..Config::new(Role::Manufacturer, folder.path()) };
    let workshop = start(config).await.unwrap();
    let base = workshop.url();
    tokio::time::timeout(PATIENCE, enabler.registered.notified()).await.expect("it registers");
    // It is known from the answer to that on, which is on its way.
    let shared = |call: &str, twin: &str| Some(json!({"user": USER, "call": call, "twins": [twin]}));
    let waiting = async {
        loop {
            let (said, _) = findings(&platform, base, shared(CALL, "home/lounge_room")).await;
            if said.iter().all(|one| one["kind"] != "fit_unknown") {
                return said;
            }
        }
    };
    let said = tokio::time::timeout(PATIENCE, waiting).await.expect("it is shown");
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(
        (&said[0]["kind"], &said[0]["blocks"], &said[0]["limit"]),
        (&json!("does_not_fit"), &json!(false), &json!(20.0))
    );
    assert!(said[0]["says"].as_str().unwrap().contains("home/lounge_room has measured 20 mm"));
    enabler.asked.lock().unwrap().clear();

    // An enabler that has to be asked again is.
    *enabler.breaks.lock().unwrap() = 2;
    assert_eq!(findings(&platform, base, shared(CALL, "home/lounge_room")).await.0, said);
    assert_eq!(enabler.asked.lock().unwrap().len(), 3);
    // What is not shared, or for another call, is asked for once, and said to be unknown. It can be bought all the same.
    for (call, twin) in [("06".repeat(16), "home/lounge_room"), (CALL.to_owned(), "home/bedroom")] {
        enabler.asked.lock().unwrap().clear();
        let (said, can_be_bought) = findings(&platform, base, shared(&call, twin)).await;
        assert_eq!((said.len(), &said[0]["kind"], can_be_bought), (1, &json!("fit_unknown"), true));
        assert_eq!(*enabler.asked.lock().unwrap(), [format!("{USER} {twin} {call}")]);
    }
    // Nothing shared, nothing asked; and nothing that is no name of a user, a call or a twin.
    enabler.asked.lock().unwrap().clear();
    let strange = json!({"user": "../../../v1/users", "call": CALL, "twins": ["home/lounge_room"]});
    for delegation in [None, Some(strange), Some(json!("everything"))] {
        assert_eq!(findings(&platform, base, delegation).await, (Vec::new(), true));
    }
    assert!(enabler.asked.lock().unwrap().is_empty());
    workshop.stop().await;
}

/// Who only listens is away to an enabler that was promised signs of life.
#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_is_heard_of_between_two_looks_at_its_inbox() {
    let (enabler, url) = enabler().await;
    let folder = tempfile::tempdir().unwrap();
    let known = EnablerConfig { url, code: Some("123456".into()), system: "shop".into() };
    let config = Config { enabler: Some(known), ..Config::new(Role::Shop, folder.path()) };
    let _shop = start(config).await.unwrap();
    tokio::time::timeout(PATIENCE, enabler.looked.notified()).await.expect("it looks");
    let heard = enabler.heard.lock().unwrap().clone();
    assert!(heard.chunks(2).all(|two| *two == ["alive", "looks"]), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manufacturer_that_knows_no_enabler_says_that_it_does_not_know() {
    let (workshop, platform) = (crate::platform::Merchant::new(Role::Manufacturer, 1).await, Platform::new(1).await);
    let shared = json!({"user": USER, "call": CALL, "twins": ["home/lounge_room"]});
    let (said, can_be_bought) = findings(&platform, workshop.base(), Some(shared)).await;
    assert_eq!((said.len(), &said[0]["kind"], can_be_bought), (1, &json!("fit_unknown"), true));
}
