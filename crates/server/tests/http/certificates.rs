//! HTTPS: the enabler shows the certificate that it has over QUIC, and a client's own says who asks.

use reqwest::{Client, Identity, StatusCode, tls::TlsInfo};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use vestibule_model::RoleId;
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
    let plain = home.bare(reqwest::Method::GET, "/v1/me").bearer_auth(paired["token"].as_str().unwrap());
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
