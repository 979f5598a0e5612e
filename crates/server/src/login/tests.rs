//! Against a real provider, with a clock that can be moved, and where a provider lies.

use std::str::FromStr;

use openidconnect::{JsonWebKeySet, core::CoreIdToken};
use reqwest::StatusCode;
use serde_json::Value;

use super::*;
use crate::{Hub, HubConfig};

#[path = "../../tests/common/oidc.rs"]
mod oidc;

use oidc::{Browser, Provider as Peer, REDIRECT};

/// An enabler's desk, served over HTTP as it is in production.
struct House {
    clock: Clock,
    hub: Hub,
    desk: Arc<LoginDesk>,
    address: String,
}

fn config(issuer: &str, client: &str) -> LoginConfig {
    LoginConfig {
        issuer: issuer.to_owned(),
        client_id: client.to_owned(),
        client_secret: (client != "open").then(|| Secret("secret".to_owned())),
        redirect: REDIRECT.to_owned(),
        roles: vec!["groups=ops:owner".parse().unwrap()],
    }
}

async fn house(issuer: &str, client: &str) -> House {
    house_with(config(issuer, client)).await
}

async fn house_with(config: LoginConfig) -> House {
    let clock = Clock::manual(Clock::system().now());
    let hub = Hub::start(HubConfig { clock: clock.clone(), ..HubConfig::in_memory("test") }).await.unwrap();
    let desk = LoginDesk::new(hub.clone(), clock.clone(), config).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app: axum::Router = axum::Router::from(routes()).with_state(desk.clone());
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
    // Without a secret: with one, the other tests do.
    let house = house(&peer.issuer, "open").await;
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
    assert_eq!((status, detail(&body).contains("begin it again")), (StatusCode::UNPROCESSABLE_ENTITY, true), "{body}");
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
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "without the browser that began it");
    let forged = "state=forged&code=x";
    assert_eq!(browser.go(&callback(forged), None).await.unwrap_err().0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(browser.go(&callback("code=x"), None).await.unwrap_err().0, StatusCode::UNPROCESSABLE_ENTITY);
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
    // Words that come with no login that was begun are told nobody.
    let (status, body) = browser.go(&callback("error=access_denied&error_description=Pay"), None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("Pay")), (StatusCode::UNPROCESSABLE_ENTITY, false), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_for_one_login_and_for_nobody_who_took_it() {
    let peer = Peer::start();
    let house = house(&peer.issuer, "vestibule").await;
    let login = format!("{}/auth/login", house.address);
    let callback = |query: &str| format!("{}/auth/callback?{query}", house.address);
    let mut browser = Browser::new();
    let there = browser.go(&login, None).await.unwrap();
    let cookies = browser.cookies.clone();
    let back = browser.log_in(&there, "ada").await;
    let (status, body) = browser.go(&callback(&back), None).await.unwrap_err();
    assert_eq!(status, StatusCode::OK, "{body}");
    // A thief has everything that the browser had, and comes second.
    let mut thief = Browser { cookies, ..Browser::new() };
    let (status, body) = thief.go(&callback(&back), None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("says no")), (StatusCode::FORBIDDEN, true), "{body}");
    // Or comes first with the code alone, in a login of their own: it proves the wrong thing (PKCE).
    let there = browser.go(&login, None).await.unwrap();
    let back = browser.log_in(&there, "ada").await;
    let part = |query: &str, name: &str| {
        let mut pairs = query.split(['?', '&']);
        pairs.find_map(|pair| pair.strip_prefix(name)).unwrap().to_owned()
    };
    let mut thief = Browser::new();
    let own = part(&thief.go(&login, None).await.unwrap(), "state=");
    let query = format!("state={own}&code={}", part(&back, "code="));
    let (status, body) = thief.go(&callback(&query), None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("says no")), (StatusCode::FORBIDDEN, true), "{body}");
    // In vain for the one whom it belonged to as well: the provider took it back. They begin again.
    let there = browser.go(&login, None).await.unwrap();
    let back = browser.log_in(&there, "ada").await;
    house.clock.advance(11 * 60 * 1_000);
    let (status, body) = browser.go(&callback(&back), None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("too long ago")), (StatusCode::UNPROCESSABLE_ENTITY, true), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_declines_is_told_so() {
    let peer = Peer::start();
    let house = house(&peer.issuer, "vestibule").await;
    let mut browser = Browser::new();
    let there = browser.go(&format!("{}/auth/login", house.address), None).await.unwrap();
    let back = browser.decline(&there).await;
    assert!(back.contains("error=access_denied"), "{back}");
    let callback = format!("{}/auth/callback?{back}", house.address);
    let (status, body) = browser.go(&callback, None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("says no")), (StatusCode::FORBIDDEN, true), "{body}");
    let (status, page) = browser.look(&callback, None, "text/html").await.unwrap_err();
    assert!(status == StatusCode::FORBIDDEN && page.contains("<h1>Not logged in</h1>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_for_others_and_expired_ones_are_not_believed() {
    let peer = Peer::start();
    let (other, ours) = (house(&peer.issuer, "other").await, house(&peer.issuer, "vestibule").await);
    // A real ID token of the same provider, for another client.
    let now = other.clock.now();
    let asked = other.desk.begun.begin(now);
    let there = other.desk.provider.question(now, &asked).await.unwrap();
    let nonce = asked.nonce.clone();
    let back = Browser::new().log_in(&there, "ada").await;
    let code = back.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap();
    let token = other.desk.provider.exchange(now, code, asked).await.unwrap().id;
    other.desk.provider.believe(now, &token, nonce.clone()).await.unwrap();
    let words = |error: LoginError| error.to_string().to_lowercase();
    let stolen = words(ours.desk.provider.believe(now, &token, nonce.clone()).await.unwrap_err());
    assert!(stolen.contains("audience"), "{stolen}");
    let later = now.plus(24 * 60 * 60 * 1_000);
    let expired = words(other.desk.provider.believe(later, &token, nonce.clone()).await.unwrap_err());
    assert!(expired.contains("expired") && expired.contains("clock"), "{expired}");
    let early = Timestamp(now.0 - 10 * 60 * 1_000);
    let early = words(other.desk.provider.believe(early, &token, nonce.clone()).await.unwrap_err());
    assert!(early.contains("in the future") && early.contains("ntp"), "{early}");
    let wrong = words(other.desk.provider.believe(now, &token, "other".to_owned()).await.unwrap_err());
    assert!(wrong.contains("nonce"), "{wrong}");
    // A changed claim.
    let text = token.to_string();
    let parts: Vec<&str> = text.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["aud"] = "vestibule".into();
    let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
    let forged = CoreIdToken::from_str(&forged).unwrap();
    let error = words(ours.desk.provider.believe(now, &forged, nonce.clone()).await.unwrap_err());
    assert!(error.contains("signature") || error.contains("crypto"), "{error}");
    // Signed with the client's secret, which the client's owner knows, or not at all.
    for head in [r#"{"alg":"HS256"}"#, r#"{"alg":"none"}"#] {
        let unsigned = format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(head), parts[1], URL_SAFE_NO_PAD.encode([7; 32]));
        let Ok(unsigned) = CoreIdToken::from_str(&unsigned) else { continue };
        assert!(other.desk.provider.believe(now, &unsigned, nonce.clone()).await.is_err(), "{head}");
    }
}

/// What `name` is answered who logs in.
async fn logged_in(house: &House, name: &str) -> (StatusCode, Value) {
    let mut browser = Browser::new();
    let there = browser.go(&format!("{}/auth/login", house.address), None).await.unwrap();
    let back = browser.log_in(&there, name).await;
    let callback = format!("{}/auth/callback?{back}", house.address);
    let (status, body) = browser.go(&callback, None).await.unwrap_err();
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_id_token_leaves_out_is_asked_for() {
    let peer = Peer::reserved();
    let roles = ["groups=ops:owner", "email=bob@house.example:guest", "email=cai@house.example:guest"];
    let roles = roles.map(|role| role.parse().unwrap()).to_vec();
    let house = house_with(LoginConfig { roles, ..config(&peer.issuer, "vestibule") }).await;
    let (status, ada) = logged_in(&house, "ada").await;
    assert_eq!(
        (status, &ada["user"], &ada["roles"]),
        (StatusCode::OK, &"ada_of_Example".into(), &serde_json::json!(["owner"])),
        "{ada}"
    );
    let (_, bob) = logged_in(&house, "bob").await;
    assert_eq!(bob["roles"], serde_json::json!(["guest"]), "{bob}");
    // Nobody has checked cai's address.
    let (status, cai) = logged_in(&house, "cai").await;
    assert_eq!((status, &cai["code"]), (StatusCode::FORBIDDEN, &"forbidden".into()), "{cai}");
    // What is said there of somebody else is about nobody.
    let (status, liar) = logged_in(&house, "mallory").await;
    assert_eq!((status, &liar["code"]), (StatusCode::UNAUTHORIZED, &"login_unbelievable".into()), "{liar}");
    house.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_may_change_its_keys() {
    let peer = Peer::start();
    let house = house(&peer.issuer, "vestibule").await;
    let (now, provider) = (house.clock.now(), &house.desk.provider);
    let asked = house.desk.begun.begin(now);
    let there = provider.question(now, &asked).await.unwrap();
    let nonce = asked.nonce.clone();
    let back = Browser::new().log_in(&there, "ada").await;
    let code = back.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap();
    let token = provider.exchange(now, code, asked).await.unwrap().id;
    provider.change_keys(|keys| *keys = JsonWebKeySet::new(Vec::new()));
    assert!(provider.believe(now, &token, nonce.clone()).await.is_err(), "keys were asked for a moment ago");
    provider.believe(now.plus(31_000), &token, nonce).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_says_too_much_is_not_listened_to() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let endless = axum::Router::new().fallback(|| async { vec![b' '; 1024 * 1024] });
    tokio::spawn(async move { axum::serve(listener, endless).await });
    let house = house(&issuer, "vestibule").await;
    let (status, body) = Browser::new().go(&format!("{}/auth/login", house.address), None).await.unwrap_err();
    assert_eq!((status, detail(&body).contains("longer than")), (StatusCode::BAD_GATEWAY, true), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let house = house(&issuer, "vestibule").await;
    let (status, body) = Browser::new().go(&format!("{}/auth/login", house.address), None).await.unwrap_err();
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let words = detail(&body);
    assert!(words.contains(&issuer) && words.contains("cannot be asked"), "{words}");
    let wrong = [
        ("http://id.example", REDIRECT, "https"),
        (&*issuer, "http://house.example/auth/callback", "https"),
        (&*issuer, "https://house.example/elsewhere", "/auth/callback"),
        ("no address", REDIRECT, "--oidc-issuer"),
    ];
    for (issuer, redirect, words) in wrong {
        let config = LoginConfig { redirect: redirect.to_owned(), ..config(issuer, "vestibule") };
        let refused = LoginDesk::new(house.hub.clone(), house.clock.clone(), config).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
}
