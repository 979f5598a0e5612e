//! Logging in with an OpenID provider, and what people then may.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_server::login::{LoginConfig, Secret};

use super::{
    Home, Who,
    oidc::{Browser, Provider, REDIRECT},
    problem,
};

async fn home(provider: &Provider) -> Home {
    let config = LoginConfig {
        issuer: provider.issuer.clone(),
        client_id: "vestibule".to_owned(),
        client_secret: Some(Secret("secret".to_owned())),
        redirect: REDIRECT.to_owned(),
        roles: ["groups=ops:owner", "groups=staff:guest"].map(|role| role.parse().unwrap()).to_vec(),
    };
    Home::start_with(Some(config)).await
}

impl Home {
    /// What `name` gets who logs in with `browser`.
    async fn logged_in(&self, browser: &mut Browser, name: &str, accept: &str) -> (StatusCode, String) {
        let there = browser.go(&format!("http://{}/auth/login", self.address), None).await.unwrap();
        let back = browser.log_in(&there, name).await;
        let callback = format!("http://{}/auth/callback?{back}", self.address);
        browser.look(&callback, None, accept).await.unwrap_err()
    }

    async fn login(&self, name: &str) -> (Who, Value) {
        let (status, body) = self.logged_in(&mut Browser::new(), name, "application/json").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        (Who(answer["token"].as_str().unwrap().to_owned()), answer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_logged_in_may_what_their_role_may() {
    let provider = Provider::start();
    let home = home(&provider).await;
    let _bench = home.bench().await;
    let ((ada, answer), (bob, _)) = (home.login("ada").await, home.login("bob").await);
    assert_eq!((&answer["user"], &answer["roles"]), (&json!("ada_of_Example"), &json!(["owner"])));
    for (who, user, roles) in [(&ada, "ada_of_Example", ["owner"]), (&bob, "bob_of_Example", ["guest"])] {
        let me = home.get(who, "/v1/me").await;
        assert_eq!((&me["user"], &me["roles"]), (&json!(user), &json!(roles)));
        assert_eq!(home.get(who, "/v1/twins/bench/lamp").await["info"]["id"], "bench/lamp");
    }
    assert_eq!(home.press(&ada, "1").send().await.unwrap().status(), StatusCode::ACCEPTED);
    let refused = problem(home.press(&bob, "1").send().await.unwrap()).await;
    assert_eq!(refused["code"], "forbidden");
    let status = async |who: &Who, path: &str| home.ask(who, Method::GET, path).send().await.unwrap().status();
    assert_eq!(
        (status(&ada, "/v1/rules").await, status(&bob, "/v1/rules").await),
        (StatusCode::OK, StatusCode::FORBIDDEN)
    );
    // Whom the provider knows and nobody here does.
    let (status_of_eve, body) = home.logged_in(&mut Browser::new(), "eve", "application/json").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status_of_eve, &body["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")));
    // The owner names her; now she is let in without any claim.
    let eve = json!({ "id": "eve", "name": "Eve", "roles": ["guest"],
        "login": { "issuer": provider.issuer, "subject": "eve" } });
    home.tell(&ada, Method::PUT, "/v1/users/eve", eve).await;
    let (eve, answer) = home.login("eve").await;
    assert_eq!((&answer["user"], &answer["roles"]), (&json!("eve"), &json!(["guest"])));
    // Out, by oneself and by the owner.
    let out = home.ask(&eve, Method::POST, "/auth/logout").send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        home.ask(&ada, Method::DELETE, "/v1/users/bob_of_Example").send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    for gone in [&eve, &bob] {
        assert_eq!(status(gone, "/v1/me").await, StatusCode::UNAUTHORIZED);
    }
    // Nothing of the provider's is written down but who people are.
    let log = home.get(&ada, "/v1/log?limit=500").await.to_string();
    assert!(log.contains("\"subject\":\"ada\"") && !log.contains("id_token") && !log.contains("eyJ"), "{log}");
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_a_page_and_programs_a_problem() {
    let provider = Provider::start();
    let home = home(&provider).await;
    let (status, page) = home.logged_in(&mut Browser::new(), "ada", "text/html,*/*").await;
    assert!(status == StatusCode::OK && page.contains("Welcome, ada_of_Example"), "{page}");
    let token = page.split("#token=").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(home.get(&Who(token.to_owned()), "/v1/status").await["name"], "Vestibule", "the page's link works");
    let callback = format!("http://{}/auth/callback?state=x&code=y", home.address);
    let (status, page) = Browser::new().look(&callback, None, "text/html").await.unwrap_err();
    assert!(status == StatusCode::UNPROCESSABLE_ENTITY && page.contains("begin it again"), "{page}");
    let answer = home.bare(Method::GET, "/auth/callback?state=x&code=y").send().await.unwrap();
    let told = problem(answer).await;
    assert_eq!(told["code"], "login_stale");
    let kind = home.bare(Method::GET, told["type"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(kind.status(), StatusCode::OK);
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_nobody_logs_in() {
    let home = Home::start().await;
    let answer = home.bare(Method::GET, "/auth/login").send().await.unwrap();
    assert_eq!(problem(answer).await["code"], "not_found");
    home.enabler.stop().await;
}
