//! HTTPS: the enabler shows the certificate that it has over QUIC, and a client's own says who asks.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{Client, Identity, Method, StatusCode, tls::TlsInfo};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use vestibule_enabler_core::token::attenuate;
use vestibule_model::{Limits, RoleId};
use vestibule_quic::Fingerprint;

use super::{Home, PATIENCE, problem};

/// A client with a certificate of its own, or none.
fn client(certificate: Option<Identity>) -> Client {
    // The enabler's certificate is signed by nobody: what counts is its fingerprint, which the tests compare.
    let builder = Client::builder().tls_danger_accept_invalid_certs(true).tls_info(true);
    certificate.into_iter().fold(builder, |builder, identity| builder.identity(identity)).build().unwrap()
}

/// A new certificate, and what the enabler knows it by.
fn certificate(home: &Home, name: &str) -> (Identity, Fingerprint) {
    let file = home.folder.path().join(name);
    let fingerprint = vestibule_quic::Identity::load_or_create(&file).unwrap().fingerprint();
    (Identity::from_pem(&std::fs::read(file).unwrap()).unwrap(), fingerprint)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_over_https_is_that_over_quic() {
    let home = Home::start().await;
    let (client, url) = (client(None), format!("https://{}", home.enabler.https().unwrap()));
    let code = home.enabler.pairing_code(RoleId::slug("owner")).await.unwrap();
    let body = json!({ "code": code.as_str(), "name": "phone" });
    let answer = client.post(format!("{url}/v1/pairing")).json(&body).send().await.unwrap();
    let shown = answer.extensions().get::<TlsInfo>().unwrap().peer_certificate().unwrap().to_vec();
    let paired: Value = answer.json().await.unwrap();
    assert_eq!(Fingerprint::of(&shown.into()), home.enabler.fingerprint());
    assert_eq!(paired["enabler"], home.enabler.fingerprint().to_string());
    let me = client.get(format!("{url}/v1/me")).bearer_auth(paired["token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(me.json::<Value>().await.unwrap()["roles"], json!(["owner"]));
    // A token is one and the same over both.
    let plain = home.bare(Method::GET, "/v1/me").bearer_auth(paired["token"].as_str().unwrap());
    assert_eq!(plain.send().await.unwrap().status(), StatusCode::OK);
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_certificate_says_who_asks() {
    let home = Home::start().await;
    let url = format!("https://{}", home.enabler.https().unwrap());
    let (known, fingerprint) = certificate(&home, "known.pem");
    home.enabler.enroll_owner(fingerprint).await.unwrap();
    let known = client(Some(known));
    let me: Value = known.get(format!("{url}/v1/me")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&me["user"], &me["roles"]), (&json!("owner"), &json!(["owner"])));
    // A token that is wrong is not made right by a certificate.
    let forged = known.get(format!("{url}/v1/me")).bearer_auth("x".repeat(43)).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::UNAUTHORIZED);
    let (stranger, _) = certificate(&home, "stranger.pem");
    for nobody in [client(Some(stranger)), client(None)] {
        let answer = nobody.get(format!("{url}/v1/me")).send().await.unwrap();
        assert_eq!(problem(answer).await["code"], "unauthenticated");
    }
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_bound_to_a_certificate_counts_with_it_alone() {
    let home = Home::start().await;
    let (_bench, me) = (home.bench().await, home.pair("owner").await);
    let url = format!("https://{}", home.enabler.https().unwrap());
    let (postman, fingerprint) = certificate(&home, "postman.pem");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let limits = json!({ "twins": [{ "twin": "bench/lamp" }], "until": now + 600_000,
        "device": fingerprint.to_string() });
    let delegation = json!({ "guest": "postman", "limits": limits });
    let token: Value = home.tell(&me, Method::POST, "/v1/tokens", delegation).await.json().await.unwrap();
    let token = token["token"].as_str().unwrap();
    let ask = async |client: &Client, path: &str, token: Option<&str>| {
        let request = client.get(format!("{url}{path}"));
        token.into_iter().fold(request, |request, token| request.bearer_auth(token)).send().await.unwrap()
    };
    let postman = client(Some(postman));
    let seen = ask(&postman, "/v1/twins/bench/lamp", Some(token)).await;
    assert_eq!(seen.status(), StatusCode::OK);
    assert_eq!(ask(&postman, "/v1/rules", Some(token)).await.status(), StatusCode::FORBIDDEN);
    // The token without the certificate, with another one, in the clear; the certificate without the token.
    let (thief, _) = certificate(&home, "thief.pem");
    for thief in [client(Some(thief)), client(None)] {
        let answer = ask(&thief, "/v1/twins/bench/lamp", Some(token)).await;
        assert_eq!(problem(answer).await["code"], "unauthenticated");
    }
    let plain = home.bare(Method::GET, "/v1/twins/bench/lamp").bearer_auth(token).send().await.unwrap();
    assert_eq!(plain.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&postman, "/v1/twins/bench/lamp", None).await.status(), StatusCode::UNAUTHORIZED);
    // Nobody makes it count by narrowing it to a device of their own.
    let (other, own) = certificate(&home, "other.pem");
    let bound = Limits { device: Some(vestibule_model::Fingerprint(own.0)), ..Limits::default() };
    let torn = attenuate(token, rand::random(), &bound).unwrap();
    for client in [&client(Some(other)), &postman] {
        let answer = ask(client, "/v1/twins/bench/lamp", Some(&torn)).await;
        assert!(answer.status().is_client_error(), "{}", answer.status());
    }
    // Nor does it let anybody speak for things.
    assert_eq!(ask(&postman, "/v1/dii/inbox", Some(token)).await.status(), StatusCode::UNAUTHORIZED);
    // Revoked, it ends at once.
    let people = home.get(&me, "/v1/users").await;
    let path = format!("/v1/tokens/{}", people["tokens"][0]["id"].as_str().unwrap());
    assert_eq!(home.ask(&me, Method::DELETE, &path).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(ask(&postman, "/v1/twins/bench/lamp", Some(token)).await.status(), StatusCode::UNAUTHORIZED);
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_is_shown_after_a_reload() {
    let home = Home::start().await;
    let url = format!("https://{}/v1/problems/invalid", home.enabler.https().unwrap());
    let (_, new) = certificate(&home, "data/new.pem");
    std::fs::rename(home.folder.path().join("data/new.pem"), home.folder.path().join("data/identity.pem")).unwrap();
    let before = client(None).get(&url).send().await.unwrap();
    home.enabler.reload().unwrap();
    let after = client(None).get(&url).send().await.unwrap();
    let shown = |answer: &reqwest::Response| {
        let shown = answer.extensions().get::<TlsInfo>().unwrap().peer_certificate().unwrap().to_vec();
        Fingerprint::of(&shown.into())
    };
    assert_ne!(shown(&before), new);
    assert_eq!(shown(&after), new);
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_is_hung_up_on() {
    let home = Home::start().await;
    let mut stream = TcpStream::connect(home.enabler.https().unwrap()).await.unwrap();
    stream.write_all(b"GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // At most an alert of TLS, then the end.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    home.enabler.stop().await;
}
