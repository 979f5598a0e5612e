//! Third-party systems over HTTP: procedure P1, and one that means no good.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use vestibule_model::MAX_JSON;

use super::{Home, PATIENCE, Who, problem, until};

fn shop_info(id: &str) -> Value {
    json!({ "id": id, "kind": "third_party", "name": "A shop", "heartbeat_ms": 0, "services": {
        "order": { "name": "Order", "undo": "cancel" },
        "cancel": { "name": "Cancel", "idempotent": true },
    } })
}

fn order(twin: bool) -> Value {
    let input = json!([{ "constant": { "value": 2, "to": "/count" } }]);
    json!({ "input": { "item": "bulb" }, "steps":
        [{ "key": "buy", "system": "shop", "service": "order", "input": if twin { input } else { json!([]) } }] })
}

/// What a shop is asked for, and where it is in its inbox.
struct Shop {
    who: Who,
    last: u64,
}

impl Shop {
    async fn start(home: &Home) -> Self {
        let who = home.pair("third_party").await;
        home.tell(&who, Method::PUT, "/v1/sii/registration", shop_info("shop")).await;
        Self { who, last: 0 }
    }

    /// The next message of a kind.
    async fn told(&mut self, home: &Home, kind: &str) -> Value {
        let start = Instant::now();
        loop {
            let inbox = home.get(&self.who, &format!("/v1/sii/inbox?after={}&wait_ms=1000", self.last)).await;
            for message in inbox["messages"].as_array().unwrap() {
                self.last = message["sequence"].as_u64().unwrap();
                if let Some(found) = message["message"].get(kind) {
                    return found.clone();
                }
            }
            assert!(start.elapsed() < PATIENCE, "no {kind}");
        }
    }

    /// Agrees to what it is asked; on a slow machine too late.
    async fn agree(&mut self, home: &Home) {
        let asked = self.told(home, "authorize").await;
        let granted = json!({ "services": asked["services"], "until": asked["until"], "account": "customer 7" });
        let answer = json!({ "inquiry": asked["inquiry"], "answer": { "granted": granted } });
        home.ask(&self.who, Method::POST, "/v1/sii/answers").json(&answer).send().await.unwrap();
    }

    async fn result(&self, home: &Home, asked: &Value, result: Value) -> reqwest::Response {
        let said = json!({ "call": asked["call"], "step": asked["step"], "undo": asked["undo"], "result": result });
        home.ask(&self.who, Method::POST, "/v1/sii/results").json(&said).send().await.unwrap()
    }
}

/// A person and the shop agree; the shop may see the lamp while a call runs.
async fn agreed(home: &Home, me: &Who, shop: &mut Shop) -> Value {
    let until = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() + 3_600_000;
    let until = u64::try_from(until).unwrap();
    let wish = json!({ "services": ["order"], "share": { "twins": { "bench/lamp": [] } }, "until": until });
    let start = Instant::now();
    loop {
        let asked = home.ask(me, Method::PUT, "/v1/authorizations/shop").json(&wish).send();
        let both = async { tokio::join!(asked, shop.agree(home)) };
        let (answer, ()) = timeout(PATIENCE, both).await.expect("in time");
        let answer = answer.unwrap();
        if answer.status() == StatusCode::OK {
            return answer.json().await.unwrap();
        }
        assert_eq!(problem(answer).await["code"], "unavailable");
        assert!(start.elapsed() < PATIENCE, "it never answers in time");
    }
}

async fn invoke(home: &Home, me: &Who, key: &str, order: &Value) -> String {
    let request = home.ask(me, Method::POST, "/v1/calls").header("Idempotency-Key", key).json(order);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "{}", answer.text().await.unwrap());
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn end(home: &Home, me: &Who, location: &str) -> Value {
    let start = Instant::now();
    loop {
        let call = home.get(me, location).await;
        let status = &call["status"];
        if status == "succeeded" || ["failed", "cancelled", "expired"].iter().any(|end| !status[end].is_null()) {
            return call;
        }
        assert!(start.elapsed() < PATIENCE, "{call}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_found_agreed_used_and_told_of_a_twin_and_each_step_is_noted() {
    let home = Home::start().await;
    let (_bench, me, mut shop) = (home.bench().await, home.pair("owner").await, Shop::start(&home).await);
    let mut stream = home.ask(&me, Method::GET, "/v1/events").send().await.unwrap();
    until(&mut stream, "synchronized").await;
    let found = home.get(&me, "/v1/systems?kind=third_party&service=order").await;
    assert_eq!(found["systems"][0]["info"]["id"], "shop");
    let agreed = agreed(&home, &me, &mut shop).await;
    assert_eq!(agreed["account"], "customer 7");
    assert_eq!(home.get(&me, "/v1/authorizations").await["authorizations"], json!([agreed]));
    let location = invoke(&home, &me, "1", &order(true)).await;
    assert_eq!(invoke(&home, &me, "1", &order(true)).await, location, "a repetition is the same call");

    // As a stream, too: with what was not acknowledged.
    let inbox = home.ask(&shop.who, Method::GET, &format!("/v1/sii/inbox?after={}", shop.last));
    let mut told = inbox.header("Accept", "text/event-stream").send().await.unwrap();
    let asked = loop {
        let events = until(&mut told, "message").await;
        let invoked = events.iter().find_map(|(_, _, data)| data["message"].get("invoke").cloned());
        if let Some(asked) = invoked {
            break asked;
        }
    };
    assert_eq!((&asked["input"], &asked["user"]), (&json!({ "count": 2 }), &agreed["pseudonym"]));
    let twin = format!("/v1/sii/users/{}/twins/bench/lamp", asked["user"].as_str().unwrap());
    let call = asked["call"].as_str().unwrap();
    let seen = home.get(&shop.who, &format!("{twin}?call={call}")).await;
    assert_eq!(seen["readings"]["light"]["on"]["value"], false);
    assert_eq!(seen["info"]["features"]["light"]["actions"], json!({}), "it may look, not act");
    assert_eq!(shop.result(&home, &asked, json!({ "done": { "order": 4711 } })).await.status(), StatusCode::NO_CONTENT);
    let done = end(&home, &me, &location).await;
    assert_eq!((&done["status"], &done["output"]), (&json!("succeeded"), &json!({ "order": 4711 })));
    let late = home.ask(&shop.who, Method::GET, &format!("{twin}?call={call}")).send().await.unwrap();
    assert_eq!(problem(late).await["code"], "forbidden", "its step is done");
    let told = loop {
        let events = until(&mut stream, "call").await;
        let last = events.iter().rev().find(|(_, name, _)| name == "call").unwrap().2.clone();
        if last["status"] == "succeeded" {
            break last;
        }
    };
    assert_eq!(told["output"], json!({ "order": 4711 }));

    let steps = home.get(&me, "/v1/steps?limit=500").await;
    let steps: Vec<_> = steps["steps"].as_array().unwrap().iter().filter(|step| step["procedure"] == "P1").collect();
    for number in 1..=19 {
        assert!(steps.iter().any(|step| step["step"] == number), "P1.{number} is not in {steps:?}");
    }
    let user = agreed["pseudonym"].as_str().unwrap();
    let revoked = home.ask(&shop.who, Method::DELETE, &format!("/v1/sii/users/{user}")).send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::NO_CONTENT);
    let told = until(&mut stream, "deauthorized").await;
    assert_eq!(told.last().unwrap().2["system"], "shop");
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_takes_a_call_back() {
    let home = Home::start().await;
    let (_bench, me, mut shop) = (home.bench().await, home.pair("owner").await, Shop::start(&home).await);
    let guest = home.pair("guest").await;
    agreed(&home, &me, &mut shop).await;
    let location = invoke(&home, &me, "1", &order(false)).await;
    let asked = shop.told(&home, "invoke").await;
    assert_eq!(asked["input"], json!({ "item": "bulb" }));
    for method in [Method::GET, Method::DELETE] {
        let other = home.ask(&guest, method, &location).send().await.unwrap();
        assert_eq!(problem(other).await["code"], "not_found", "it is nobody else's");
    }
    let cancelled = home.ask(&me, Method::DELETE, &location).send().await.unwrap();
    assert_eq!(cancelled.status(), StatusCode::OK);
    assert_eq!(shop.told(&home, "cancel").await["call"], asked["call"]);
    let undo = shop.told(&home, "invoke").await;
    assert_eq!((&undo["undo"], &undo["service"]), (&json!(true), &json!("cancel")));
    let late = shop.result(&home, &asked, json!({ "done": 1 })).await;
    assert_eq!(problem(late).await["code"], "expired", "nobody waits for it any more");
    assert_eq!(shop.result(&home, &undo, json!({ "done": null })).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(end(&home, &me, &location).await["status"], json!({ "cancelled": { "kept": [] } }));
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_party_that_means_no_good_harms_nobody() {
    let home = Home::start().await;
    let (_bench, me, mut shop) = (home.bench().await, home.pair("owner").await, Shop::start(&home).await);
    let agreed = agreed(&home, &me, &mut shop).await;
    let location = invoke(&home, &me, "1", &order(false)).await;
    let asked = shop.told(&home, "invoke").await;

    // Another one takes neither its name, nor its calls, nor its users; and who is no third party is none.
    let thief = Shop { who: home.pair("third_party").await, last: 0 };
    let put = |who: &Who, id: &str| home.ask(who, Method::PUT, "/v1/sii/registration").json(&shop_info(id)).send();
    assert_eq!(problem(put(&thief.who, "shop").await.unwrap()).await["code"], "conflict");
    assert_eq!(problem(put(&me, "mine").await.unwrap()).await["code"], "forbidden");
    let unheard = thief.result(&home, &asked, json!({ "done": 0 })).await;
    assert!(unheard.status().is_client_error(), "it has not registered");
    assert_eq!(put(&thief.who, "thief").await.unwrap().status(), StatusCode::OK);
    assert_eq!(problem(thief.result(&home, &asked, json!({ "done": 0 })).await).await["code"], "not_found");
    let twin = format!("/v1/sii/users/{}/twins/bench/lamp", agreed["pseudonym"].as_str().unwrap());
    let twin = format!("{twin}?call={}", asked["call"].as_str().unwrap());
    assert_eq!(problem(home.ask(&thief.who, Method::GET, &twin).send().await.unwrap()).await["code"], "not_found");

    // It floods: each of it is answered, most of it with a refusal, and a person is answered all the same.
    let floods: Vec<_> = (0..200)
        .map(|_| {
            let said = json!({ "call": asked["call"], "step": "buy", "result": { "done": 0 } });
            tokio::spawn(home.ask(&thief.who, Method::POST, "/v1/sii/results").json(&said).send())
        })
        .collect();
    assert_eq!(home.get(&me, "/v1/me").await["owner"], true);
    for flood in floods {
        // Without a place it is not even let in.
        let Ok(answer) = flood.await.unwrap() else { continue };
        assert!(answer.status().is_client_error() || answer.status() == StatusCode::SERVICE_UNAVAILABLE);
    }

    // It lies about its size: whoever says that much is not read.
    let mut liar = TcpStream::connect(home.address).await.unwrap();
    let head = format!(
        "POST /v1/sii/results HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 99999999999\r\n\r\n{{",
        shop.who.0
    );
    liar.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    timeout(PATIENCE, liar.read_exact(&mut answer)).await.expect("in time").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");

    // It answers with more than anybody reads: refused, and what it did is taken back.
    let huge = shop.result(&home, &asked, json!({ "done": "x".repeat(MAX_JSON + 1) })).await;
    assert_eq!(problem(huge).await["code"], "invalid");
    let undo = shop.told(&home, "invoke").await;
    assert_eq!((&undo["undo"], &undo["call"]), (&json!(true), &asked["call"]));
    assert_eq!(shop.result(&home, &undo, json!({ "done": null })).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(end(&home, &me, &location).await["status"]["failed"]["kept"], json!([]));
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_with_what_is_wrong() {
    let home = Home::start().await;
    let (_bench, me, shop) = (home.bench().await, home.pair("owner").await, Shop::start(&home).await);
    let nowhere = "00000000000000000000000000000000";
    let cases = [
        (&me, Method::POST, "/v1/calls".to_owned(), order(false), 403),
        (&me, Method::POST, "/v1/calls".to_owned(), json!({ "steps": [] }), 422),
        (&me, Method::POST, "/v1/calls".to_owned(), json!({ "steps": [], "more": 1 }), 400),
        (&me, Method::GET, format!("/v1/calls/{nowhere}"), Value::Null, 404),
        (&me, Method::GET, "/v1/calls/x".to_owned(), Value::Null, 400),
        (&me, Method::DELETE, format!("/v1/calls/{nowhere}"), Value::Null, 404),
        (&me, Method::DELETE, "/v1/authorizations/shop".to_owned(), Value::Null, 404),
        (&me, Method::PUT, "/v1/authorizations/shop".to_owned(), json!({ "services": ["order"], "until": 1 }), 422),
        (&me, Method::PUT, "/v1/authorizations/none".to_owned(), json!({ "services": ["order"], "until": 1 }), 404),
        (&shop.who, Method::POST, "/v1/sii/answers".to_owned(), json!({ "inquiry": 7, "answer": {} }), 400),
        (
            &shop.who,
            Method::POST,
            "/v1/sii/answers".to_owned(),
            json!({ "inquiry": 7, "answer": { "refused": { "reason": "no" } } }),
            404,
        ),
        (
            &shop.who,
            Method::POST,
            "/v1/sii/results".to_owned(),
            json!({ "call": nowhere, "step": "a", "result": { "done": 1 } }),
            404,
        ),
        (&shop.who, Method::DELETE, "/v1/sii/users/u-1".to_owned(), Value::Null, 404),
        (&shop.who, Method::GET, "/v1/sii/users/u-1/twins/bench/lamp".to_owned(), Value::Null, 404),
        (&shop.who, Method::GET, "/v1/sii/inbox?since=1".to_owned(), Value::Null, 400),
    ];
    for (who, method, path, body, status) in cases {
        let mut request = home.ask(who, method.clone(), &path).header("Idempotency-Key", "k");
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let problem = (answer.status().as_u16(), problem(answer).await);
        assert_eq!(problem.0, status, "{method} {path} {body}: {}", problem.1);
    }
    home.enabler.stop().await;
}
