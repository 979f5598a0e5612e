//! Who is let in, and what is not looked at.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use serde_json::{Value, json};
use vestibule_commerce::{Config, Role, StartError, Tls, start};
use vestibule_ucp::{Parts, sign_request};

use crate::platform::{Answer, Merchant, Platform, cart};

async fn spoilt(platform: &Platform, url: &str, spoil: impl FnOnce(&mut BTreeMap<String, String>)) -> Answer {
    let body = cart(&[("bulb_7w", 1)], None).to_string().into_bytes();
    platform.try_send("POST", url, Some(&platform.fresh()), body, spoil).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_sign_is_not_heard() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let url = format!("{}/ucp/checkout-sessions", shop.base());
    let set = |name: &'static str, value: &'static str| {
        move |headers: &mut BTreeMap<String, String>| {
            headers.insert(name.into(), value.into());
        }
    };
    let unset = |name: &'static str| {
        move |headers: &mut BTreeMap<String, String>| {
            headers.remove(name);
        }
    };
    spoilt(&platform, &url, unset("signature")).await.is(401, "signature_missing");
    spoilt(&platform, &url, unset("signature-input")).await.is(401, "signature_missing");
    spoilt(&platform, &url, set("signature", "sig1=:AAAA:")).await.is(401, "signature_invalid");
    spoilt(&platform, &url, set("signature", "nonsense")).await.is(401, "signature_invalid");
    let other_key = "11111111-2222-3333-4444-555555555555";
    spoilt(&platform, &url, set("idempotency-key", other_key)).await.is(401, "signature_invalid");
    let digest = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
    assert!(matches!(spoilt(&platform, &url, set("content-digest", digest)).await.status, 400 | 401));
    spoilt(&platform, &url, unset("ucp-agent")).await.is(400, "invalid_profile_url");
    spoilt(&platform, &url, set("ucp-agent", "profile=\"http://example.com/\"")).await.is(400, "invalid_profile_url");
    spoilt(&platform, &url, set("ucp-agent", "profile=\"http://127.0.0.1:1/\"")).await.is(424, "profile_unreachable");
    let unknown = |headers: &mut BTreeMap<String, String>| {
        let input = headers["signature-input"].replace("platform-1", "platform-9");
        headers.insert("signature-input".into(), input);
    };
    spoilt(&platform, &url, unknown).await.is(401, "key_not_found");
    assert_eq!(shop.number("SELECT count(*) FROM session").await, 0);
    assert_eq!(spoilt(&platform, &url, |_| {}).await.status, 201);
    assert!(platform.heard.fetched.load(Ordering::SeqCst) <= 2, "a profile is fetched once, and not for every bad key");
}

/// What a platform asks one merchant is nothing that this one sends on to another in its name.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_for_another_merchant_is_not_heard() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let url = format!("{}/ucp/checkout-sessions", shop.base());
    let body = cart(&[("bulb_7w", 1)], None).to_string().into_bytes();
    for (host, status) in [("shop.example.com", 401), (shop.base().trim_start_matches("http://"), 201)] {
        let sign = |headers: &mut BTreeMap<String, String>| {
            ["content-digest", "signature-input", "signature"].into_iter().for_each(|name| drop(headers.remove(name)));
            let signed = {
                let named: Vec<(&str, &str)> =
                    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let parts = Parts {
                    subject: "POST".into(),
                    authority: host,
                    path: "/ucp/checkout-sessions",
                    headers: &named,
                    body: &body,
                    ..Parts::default()
                };
                sign_request(&parts, &platform.key, platform.clock.now()).unwrap()
            };
            headers.extend(signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
            headers.insert("host".to_owned(), host.to_owned());
        };
        let answer = platform.try_send("POST", &url, Some(&platform.fresh()), body.clone(), sign).await.unwrap();
        assert_eq!(answer.status, status, "{host}: {}", answer.body);
    }
    assert_eq!(shop.number("SELECT count(*) FROM session").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_profile_is_said() {
    let shop = Merchant::new(Role::Shop, 1).await;
    let url = format!("{}/ucp/checkout-sessions", shop.base());
    let bulb = cart(&[("bulb_7w", 1)], None);
    let with = async |number: u8, change: fn(&mut Value)| {
        let platform = Platform::new(number).await;
        change(&mut platform.heard.profile.lock().unwrap());
        platform.post(&url, &bulb).await
    };
    with(1, |profile| *profile = json!("nothing")).await.is(422, "profile_malformed");
    with(2, |profile| profile["ucp"]["version"] = json!("2027-01-01")).await.is(422, "version_unsupported");
    let without = with(3, |profile| {
        profile["ucp"]["capabilities"].as_object_mut().unwrap().remove("dev.ucp.shopping.checkout");
    });
    let without = without.await;
    assert_eq!((without.status, without.errors()), (200, vec!["capabilities_incompatible"]));
    // A capability that is described elsewhere than at its owner's is as if it were not there.
    let foreign = with(4, |profile| {
        profile["ucp"]["capabilities"]["dev.ucp.shopping.checkout"][0]["spec"] = json!("https://example.com/checkout");
    });
    assert_eq!(foreign.await.errors(), ["capabilities_incompatible"]);
    let private = with(5, |profile| profile["signing_keys"][0]["d"] = json!("secret"));
    private.await.is(422, "profile_malformed");
    // Without the extension the order says nothing of it.
    let plain = Platform::new(6).await;
    plain.heard.profile.lock().unwrap()["ucp"]["capabilities"]
        .as_object_mut()
        .unwrap()
        .remove("com.example.vestibule.order_care");
    let order = plain.buy(shop.base(), &[("bulb_7w", 1)]).await;
    let order = plain.get(&format!("{}/ucp/orders/{order}", shop.base())).await.ok();
    assert_eq!(order.get("com.example.vestibule.order_care"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_on_the_list_is_let_in() {
    let (friend, stranger) = (Platform::new(1).await, Platform::new(2).await);
    let folder = tempfile::tempdir().unwrap();
    let platform_keys = vec![friend.key.jwk().thumbprint().unwrap()];
    let shop = start(Config { platform_keys, ..Config::new(Role::Shop, folder.path()) }).await.unwrap();
    let url = format!("{}/ucp/checkout-sessions", shop.url());
    let bulb = cart(&[("bulb_7w", 1)], None);
    assert_eq!(friend.post(&url, &bulb).await.status, 201);
    stranger.post(&url, &bulb).await.is(403, "profile_not_trusted");
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_refused_and_nothing_breaks() {
    let (shop, platform) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await);
    let base = shop.base();
    let ready = platform.ready(base, &[("bulb_7w", 1)]).await;
    let session = format!("{base}/ucp/checkout-sessions/{}", ready["id"].as_str().unwrap());
    let good = cart(&[("bulb_7w", 1)], None).to_string();
    let mut bodies: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"null".to_vec(),
        b"\xff\xfe".to_vec(),
        "[".repeat(200_000).into_bytes(),
        format!("{{\"line_items\":{}}}", "[".repeat(64)).into_bytes(),
        br#"{"line_items":[]}"#.to_vec(),
        br#"{"line_items":[{"item":{"id":"bulb_7w"},"quantity":0}]}"#.to_vec(),
        br#"{"line_items":[{"item":{"id":"bulb_7w"},"quantity":-1}]}"#.to_vec(),
        br#"{"line_items":[{"item":{"id":"bulb_7w"},"quantity":1e99}]}"#.to_vec(),
        br#"{"line_items":[{"item":{"id":""},"quantity":1}]}"#.to_vec(),
        br#"{"line_items":[],"line_items":[{"item":{"id":"bulb_7w"},"quantity":1}]}"#.to_vec(),
        json!({"line_items": vec![json!({"item": {"id": "bulb_7w"}, "quantity": 1}); 101]}).to_string().into_bytes(),
    ];
    bodies.extend((1..good.len()).step_by(7).map(|end| good.as_bytes()[..end].to_vec()));
    for body in bodies {
        for (method, url) in [
            ("POST", format!("{base}/ucp/checkout-sessions")),
            ("PUT", session.clone()),
            ("POST", format!("{session}/complete")),
        ] {
            let answer = platform.try_send(method, &url, Some(&platform.fresh()), body.clone(), |_| {}).await.unwrap();
            answer.is(400, "invalid_request");
        }
    }
    let long = vec![b' '; 300 * 1024];
    let url = format!("{base}/ucp/checkout-sessions");
    let answer = platform.try_send("POST", &url, Some(&platform.fresh()), long, |_| {}).await;
    assert!(answer.is_none_or(|answer| answer.status == 413), "it may be cut off before it was read");
    let many = platform.post(&url, &cart(&[("bulb_7w", u32::MAX)], None)).await.ok();
    assert_eq!(many["line_items"][0]["quantity"], 200, "no more than there are");
    for path in ["/ucp/orders/%00", "/ucp/orders/..%2f..", "/ucp/checkout-sessions/'%20OR%201=1"] {
        let answer = platform.try_send("GET", &format!("{base}{path}"), None, Vec::new(), |_| {}).await.unwrap();
        assert_eq!((answer.status, answer.errors()), (200, vec!["not_found"]), "{path}");
    }
    let seen = platform.get(&session).await.ok();
    for part in ["status", "line_items", "totals", "buyer"] {
        assert_eq!(seen[part], ready[part], "what was there is as it was");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(Role::Shop, folder.path().join("shop"));
    let first = start(config.clone()).await.unwrap();
    let text = |error: StartError| error.to_string();
    assert!(text(start(config.clone()).await.unwrap_err()).contains("another merchant works in this folder"));
    let taken = Config { listen: first.address(), ..Config::new(Role::Shop, folder.path().join("other")) };
    assert!(text(start(taken).await.unwrap_err()).contains("cannot listen on"));
    let open = Config { listen: "0.0.0.0:0".parse().unwrap(), ..Config::new(Role::Shop, folder.path().join("open")) };
    assert!(text(start(open).await.unwrap_err()).contains("--certificate"));
    std::fs::write(folder.path().join("file"), b"x").unwrap();
    assert!(text(start(Config::new(Role::Shop, folder.path().join("file"))).await.unwrap_err()).contains("the folder"));
    let bad = folder.path().join("bad.toml");
    std::fs::write(&bad, "name = 1").unwrap();
    let own = Config { catalogue: Some(bad), ..Config::new(Role::Shop, folder.path().join("own")) };
    assert!(text(start(own).await.unwrap_err()).contains("bad.toml"));
    first.stop().await;
    start(config).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let config = Config { tls: Some(Tls { certificate, key }), ..Config::new(Role::Shop, folder.path().join("shop")) };
    let mut shop_config = config.clone();
    shop_config.url = Some("https://localhost:1".to_owned());
    let shop = start(shop_config).await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let url = format!("https://127.0.0.1:{}/.well-known/ucp", shop.address().port());
    let profile = client.get(url).send().await.unwrap().text().await.unwrap();
    assert!(profile.contains("https://localhost:1/ucp"));
    let broken = Tls { certificate: folder.path().join("none.pem"), key: folder.path().join("none.pem") };
    let broken = Config { tls: Some(broken), ..Config::new(Role::Shop, folder.path().join("broken")) };
    assert!(start(broken).await.unwrap_err().to_string().contains("none.pem"));
    shop.stop().await;
}
