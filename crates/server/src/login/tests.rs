//! Against a real provider: the npm package oidc-provider, its login form filled in like a browser does.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    str::FromStr,
};

use openidconnect::core::CoreIdToken;
use reqwest::{Client, StatusCode, redirect::Policy};
use serde_json::Value;

use super::*;
use crate::{Hub, HubConfig};

const REDIRECT: &str = "http://127.0.0.1:1/auth/callback";

/// A provider in a process of its own; ends with it.
struct Peer {
    child: Child,
    issuer: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run these tests with `cargo xtask test`"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Peer {
    fn start() -> Self {
        let port = free_port();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/login/provider.mjs");
        let mut child = Command::new(variable("VESTIBULE_NODE"))
            .args([script, &variable("VESTIBULE_NODE_MODULES"), &port.to_string(), REDIRECT])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        Self { child, issuer: format!("http://127.0.0.1:{port}") }
    }
}

/// A browser, as far as logging in needs one: it keeps cookies and shows where it is sent.
struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { client: Client::builder().redirect(Policy::none()).build().unwrap(), cookies: BTreeMap::new() }
    }

    /// Where it is sent, or what it is shown.
    async fn go(&mut self, url: &str, form: Option<&str>) -> Result<String, (StatusCode, String)> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = match form {
            Some(form) => {
                self.client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
            }
            None => self.client.get(url),
        };
        let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(location) = answer.headers().get("location") {
            return Ok(answer.url().join(location.to_str().unwrap()).unwrap().to_string());
        }
        Err((answer.status(), answer.text().await.unwrap()))
    }

    /// Logs in at the provider; the query that it sends back to the enabler.
    async fn log_in(&mut self, url: &str, name: &str) -> String {
        let mut url = url.to_owned();
        for _ in 0..12 {
            if url.starts_with(REDIRECT) {
                return url.split_once('?').unwrap().1.to_owned();
            }
            url = match self.go(&url, None).await {
                Ok(next) => next,
                // The login form, then that of consent.
                Err((_, page)) => {
                    let action = page.split("action=\"").nth(1).expect("a form").split('"').next().unwrap().to_owned();
                    let target = reqwest::Url::from_str(&url).unwrap().join(&action).unwrap().to_string();
                    let prompt = if page.contains("name=\"login\"") { "login" } else { "consent" };
                    let form = format!("prompt={prompt}&login={name}&password=secret");
                    self.go(&target, Some(&form)).await.expect("the form leads on")
                }
            };
        }
        panic!("no way back from the provider");
    }
}

/// An enabler's desk, served over HTTP as it is in production.
struct House {
    clock: Clock,
    hub: Hub,
    desk: Arc<LoginDesk>,
    address: String,
}

async fn house(issuer: &str, client: &str) -> House {
    let clock = Clock::manual(Clock::system().now());
    let hub = Hub::start(HubConfig { clock: clock.clone(), ..HubConfig::in_memory("test") }).await.unwrap();
    let config = LoginConfig {
        issuer: issuer.to_owned(),
        client_id: client.to_owned(),
        client_secret: Some(Secret("secret".to_owned())),
        redirect: REDIRECT.to_owned(),
        roles: vec!["groups=ops:owner".parse().unwrap()],
    };
    let desk = LoginDesk::new(hub.clone(), clock.clone(), config).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = router(desk.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    House { clock, hub, desk, address }
}

/// The problem's words.
fn detail(body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap();
    problem["detail"].as_str().unwrap().to_owned()
}

async fn who(house: &House, token: &str) -> Response {
    let device = ContentHash::of(token.as_bytes()).0;
    house.desk.ask(device, Some(Request::WhoAmI)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_is_an_owner_and_logs_out() {
    let peer = Peer::start();
    let house = house(&peer.issuer, "vestibule").await;
    let mut browser = Browser::new();
    let login = format!("{}/auth/login", house.address);
    let there = browser.go(&login, None).await.unwrap();
    for part in ["code_challenge_method=S256", "nonce=", "state=", "response_type=code"] {
        assert!(there.contains(part), "{part} in {there}");
    }
    let back = browser.log_in(&there, "ada").await;
    let callback = format!("{}/auth/callback?{back}", house.address);
    let (status, body) = browser.go(&callback, None).await.unwrap_err();
    assert_eq!(status, StatusCode::OK, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&answer["user"], &answer["roles"][0]), (&"ada_of_Example".into(), &"owner".into()));
    let token = answer["token"].as_str().unwrap();
    assert!(matches!(who(&house, token).await, Response::Me(me) if me.owner));
    // The same answer again, by the same browser: used up.
    let (status, body) = browser.go(&callback, None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("begin it again")), (StatusCode::BAD_REQUEST, true), "{body}");
    // A second login is the same user.
    let there = browser.go(&login, None).await.unwrap();
    let back = browser.log_in(&there, "ada").await;
    let (_, body) = browser.go(&format!("{}/auth/callback?{back}", house.address), None).await.unwrap_err();
    let again: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(again["user"], answer["user"]);
    let out = browser.client.post(format!("{}/auth/logout", house.address)).bearer_auth(token).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert!(matches!(who(&house, token).await, Response::Refused(_)));
    let second = again["token"].as_str().unwrap();
    assert!(matches!(who(&house, second).await, Response::Me(_)), "the other login stays");
    house.clock.advance(LASTS_MS);
    assert!(matches!(who(&house, second).await, Response::Refused(_)), "until its end");
    house.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_role_here_is_told_so() {
    let peer = Peer::start();
    let house = house(&peer.issuer, "vestibule").await;
    let mut browser = Browser::new();
    let there = browser.go(&format!("{}/auth/login", house.address), None).await.unwrap();
    let back = browser.log_in(&there, "bob").await;
    let (status, body) = browser.go(&format!("{}/auth/callback?{back}", house.address), None).await.unwrap_err();
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(detail(&body).contains("has to give a role to \"bob\""), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_of_other_browsers_states_and_nonces_are_refused() {
    let peer = Peer::start();
    let house = house(&peer.issuer, "vestibule").await;
    let login = format!("{}/auth/login", house.address);
    let callback = |query: &str| format!("{}/auth/callback?{query}", house.address);
    let mut browser = Browser::new();
    let there = browser.go(&login, None).await.unwrap();
    let back = browser.log_in(&there, "ada").await;
    // Somebody is made to finish another one's login.
    let (status, _) = Browser::new().go(&callback(&back), None).await.unwrap_err();
    assert_eq!(status, StatusCode::BAD_REQUEST, "without the browser that began it");
    let forged = "state=forged&code=x";
    assert_eq!(browser.go(&callback(forged), None).await.unwrap_err().0, StatusCode::BAD_REQUEST);
    assert_eq!(browser.go(&callback("code=x"), None).await.unwrap_err().0, StatusCode::BAD_REQUEST);
    // The provider answers a question that was changed on the way: another nonce.
    let there = browser.go(&login, None).await.unwrap();
    let (before, rest) = there.split_once("nonce=").unwrap();
    let after = rest.split_once('&').map_or("", |(_, after)| after);
    let back = browser.log_in(&format!("{before}nonce=other&{after}"), "ada").await;
    let (status, body) = browser.go(&callback(&back), None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("nonce")), (StatusCode::UNAUTHORIZED, true), "{body}");
    // A code that the provider never gave.
    let there = browser.go(&login, None).await.unwrap();
    let state = there.split_once("state=").unwrap().1.split('&').next().unwrap();
    let (status, body) = browser.go(&callback(&format!("state={state}&code=guessed")), None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("says no")), (StatusCode::FORBIDDEN, true), "{body}");
    let (status, _) = browser.go(&callback("error=access_denied"), None).await.unwrap_err();
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_for_others_and_expired_ones_are_not_believed() {
    let peer = Peer::start();
    let (other, ours) = (house(&peer.issuer, "other").await, house(&peer.issuer, "vestibule").await);
    // A real ID token of the same provider, for another client.
    let now = other.clock.now();
    let (there, asked) = other.desk.provider.question(now).await.unwrap();
    let nonce = asked.nonce.clone();
    let back = Browser::new().log_in(&there, "ada").await;
    let code = back.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap();
    let token = other.desk.provider.exchange(now, code, asked).await.unwrap();
    other.desk.provider.believe(now, &token, nonce.clone()).await.unwrap();
    let words = |error: LoginError| error.to_string().to_lowercase();
    let stolen = words(ours.desk.provider.believe(now, &token, nonce.clone()).await.unwrap_err());
    assert!(stolen.contains("audience"), "{stolen}");
    let later = now.plus(24 * 60 * 60 * 1_000);
    let expired = words(other.desk.provider.believe(later, &token, nonce.clone()).await.unwrap_err());
    assert!(expired.contains("expired"), "{expired}");
    let nonce = words(other.desk.provider.believe(now, &token, "other".to_owned()).await.unwrap_err());
    assert!(nonce.contains("nonce"), "{nonce}");
    // A changed claim.
    let text = token.to_string();
    let parts: Vec<&str> = text.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["aud"] = "vestibule".into();
    let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
    let forged = CoreIdToken::from_str(&forged).unwrap();
    let error = words(ours.desk.provider.believe(now, &forged, "x".to_owned()).await.unwrap_err());
    assert!(error.contains("signature") || error.contains("crypto"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_named() {
    let issuer = format!("http://127.0.0.1:{}", free_port());
    let house = house(&issuer, "vestibule").await;
    let (status, body) = Browser::new().go(&format!("{}/auth/login", house.address), None).await.unwrap_err();
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let words = detail(&body);
    assert!(words.contains(&issuer) && words.contains("cannot be asked"), "{words}");
    for (issuer, redirect) in [("http://id.example", REDIRECT), (&*issuer, "http://house.example/auth/callback")] {
        let config = LoginConfig {
            issuer: issuer.to_owned(),
            client_id: "x".to_owned(),
            client_secret: None,
            redirect: redirect.to_owned(),
            roles: Vec::new(),
        };
        let refused = LoginDesk::new(house.hub.clone(), house.clock.clone(), config).unwrap_err();
        assert!(refused.to_string().contains("https"), "{refused}");
    }
}
