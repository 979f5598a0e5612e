//! Whom to believe: profiles, keys, signatures, addresses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use common::{Authority, Desk, Do, Fake, Setup, merchant_key};
use serde_json::{Value, json};
use vestibule_adapter_ucp::{Contents, Merchant, UcpConfig, UcpError, UcpTrade};
use vestibule_model::SystemId;
use vestibule_protocol::Told;
use vestibule_ucp::SigningKey;

fn unknown(told: Told) -> String {
    match told {
        Told::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn over_tls_only_whom_somebody_vouches_for() {
    let authority = Authority::new();
    let fake = Fake::start_tls(&authority).await;
    let mut desk = Setup { roots: vec![authority.root()], ..Setup::of(&fake) }.open();
    assert!(matches!(desk.complete().await, Told::Placed { .. }));
    assert!(fake.shop.seen("complete")[0].signed);
    let asked = fake.shop.seen.lock().unwrap().len();
    let others = [Vec::new(), vec![Authority::new().root()]];
    for roots in others {
        let mut stranger = Setup { roots, ..Setup::of(&fake) }.open();
        assert!(unknown(stranger.session().await).contains("cannot be reached"));
    }
    assert_eq!(fake.shop.seen.lock().unwrap().len(), asked, "nobody else has heard a word");
}

#[tokio::test]
async fn a_profile_that_is_none_is_not_used() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 8] = [
        (
            |profile| profile["ucp"]["services"]["dev.ucp.shopping"][0]["endpoint"] = json!("http://127.0.0.2:1/ucp"),
            "somebody else",
        ),
        (
            |profile| profile["ucp"]["services"]["dev.ucp.shopping"][0]["endpoint"] = json!("https://shop.example/ucp"),
            "somebody else",
        ),
        (
            |profile| profile["ucp"]["services"]["dev.ucp.shopping"][0]["endpoint"] = json!("http://192.0.2.1/ucp"),
            "REST",
        ),
        (|profile| profile["ucp"]["version"] = json!("2026-01-11"), "version"),
        (|profile| profile["ucp"]["capabilities"] = json!({}), "capability"),
        (|profile| profile["signing_keys"][0]["d"] = json!("secret"), "private key"),
        (|profile| profile["ucp"] = json!([]), "not what was expected"),
        (|profile| profile["ucp"]["supported_versions"] = json!({"2026-04-08": "https://elsewhere.example/ucp"}), ""),
    ];
    for (change, words) in changes {
        let fake = Fake::start().await;
        change(&mut fake.shop.profile.lock().unwrap());
        let told = Desk::new(&fake).session().await;
        if words.is_empty() {
            assert_eq!(told, Told::Open, "the profile of our version is this one");
        } else {
            let reason = unknown(told);
            assert!(reason.contains(words), "{words}: {reason}");
            assert_eq!(fake.shop.asked(), [""; 0]);
        }
    }
    let long = format!("{{\"x\": \"{}\"}}", "x".repeat(300 * 1024));
    for (what, words) in [
        (Do::Redirect("http://127.0.0.1:1/".to_owned()), "307"),
        (Do::Text(200, "text/html", "<p>".to_owned()), "no JSON"),
        (Do::Text(200, "application/json", long), "more than is taken"),
        (Do::Text(200, "application/json", "{".to_owned()), "not what was expected"),
        (Do::Say(404, json!({})), "404"),
    ] {
        let fake = Fake::start().await;
        fake.shop.next("profile", what);
        let mut desk = Desk::new(&fake);
        let reason = unknown(desk.session().await);
        assert!(reason.contains(words), "{words}: {reason}");
        // The failure is remembered: who asks again at once does not burden whoever is broken.
        assert_eq!(unknown(desk.session().await), reason);
        assert_eq!(fake.shop.seen("profile").len(), 1);
    }
}

#[tokio::test]
async fn an_older_version_is_spoken_where_its_profile_is() {
    let fake = Fake::start().await;
    let ours = fake.shop.profile.lock().unwrap().clone();
    let mut newer = ours.clone();
    newer["ucp"]["version"] = json!("2027-01-01");
    newer["ucp"]["supported_versions"] = json!({"2026-04-08": fake.profile()});
    fake.shop.next("profile", Do::Say(200, newer));
    assert_eq!(Desk::new(&fake).session().await, Told::Open);
    assert_eq!(fake.shop.seen("profile").len(), 2);
}

#[tokio::test]
async fn money_goes_to_the_merchant_and_nobody_else() {
    let fake = Fake::start().await;
    let elsewhere = Fake::start().await;
    for url in ["http://192.0.2.1/pay", "https://bank.example/pay", "http://127.0.0.2:1/pay", "ftp://x/"] {
        fake.shop.change(|checkout| {
            checkout["ucp"]["payment_handlers"]["com.example.vestibule.sandbox_pay"][0]["config"]["tokenize_url"] =
                json!(url);
        });
        unknown(Desk::new(&fake).complete().await);
    }
    assert_eq!((fake.shop.seen("complete").len(), elsewhere.shop.asked().len()), (0, 0));
}

#[tokio::test]
async fn a_merchant_is_known_by_its_keys_whatever_it_shows_later() {
    let dir = tempfile::tempdir().unwrap();
    let pins = Some(dir.path().join("trade.json"));
    let fake = Fake::start().await;
    let mut desk = Setup { pins: pins.clone(), ..Setup::of(&fake) }.open();
    assert!(matches!(desk.look().await, Told::Order(_)));
    // Somebody else at its address, after a restart of the enabler.
    let other = SigningKey::from_bytes("workshop-2", &[4; 32]).unwrap();
    let honest = fake.shop.profile.lock().unwrap().clone();
    *fake.shop.key.lock().unwrap() = other.clone();
    fake.shop.profile.lock().unwrap()["signing_keys"] = json!([other.jwk()]);
    let mut desk = Setup { pins: pins.clone(), ..Setup::of(&fake) }.open();
    assert!(unknown(desk.look().await).contains("other keys"));
    assert_eq!(fake.shop.seen("order").len(), 1, "whoever it is was not asked");
    // The key beside the one that is known, and nobody vouches for it: signatures of it count for nothing.
    fake.shop.profile.lock().unwrap()["signing_keys"] = json!([merchant_key().jwk(), other.jwk()]);
    let mut desk = Setup { pins: pins.clone(), ..Setup::of(&fake) }.open();
    assert!(unknown(desk.look().await).contains("not believed"));
    // The known key vouches for it by signing the profile that shows it: from then on it counts, also alone.
    *fake.shop.key.lock().unwrap() = merchant_key();
    *fake.shop.signs_all.lock().unwrap() = true;
    let mut desk = Setup { pins: pins.clone(), ..Setup::of(&fake) }.open();
    assert!(matches!(desk.look().await, Told::Order(_)));
    *fake.shop.key.lock().unwrap() = other.clone();
    fake.shop.profile.lock().unwrap()["signing_keys"] = json!([other.jwk()]);
    let mut desk = Setup { pins: pins.clone(), ..Setup::of(&fake) }.open();
    assert!(matches!(desk.look().await, Told::Order(_)));
    // Without any it is a stranger too.
    *fake.shop.profile.lock().unwrap() = honest;
    fake.shop.profile.lock().unwrap()["signing_keys"] = json!([]);
    assert!(unknown(Setup { pins, ..Setup::of(&fake) }.open().look().await).contains("other keys"));
}

#[tokio::test]
async fn who_signed_once_goes_on_signing() {
    let dir = tempfile::tempdir().unwrap();
    let pins = Some(dir.path().join("trade.json"));
    let fake = Fake::start().await;
    let mut desk = Setup { pins: pins.clone(), ..Setup::of(&fake) }.open();
    // Nobody has to sign, and a first answer without is taken.
    fake.shop.next("order", Do::Unsigned);
    assert!(matches!(desk.look().await, Told::Order(_)));
    assert!(matches!(desk.look().await, Told::Order(_)));
    fake.shop.next("order", Do::Unsigned);
    assert!(unknown(desk.look().await).contains("used to have"));
    fake.shop.next("order", Do::Forged);
    assert!(unknown(desk.look().await).contains("not believed"));
    // Answers of another kind were never signed, and are not doubted for that.
    assert_eq!(desk.session().await, Told::Open);
    let mut desk = Setup { pins, ..Setup::of(&fake) }.open();
    fake.shop.next("order", Do::Unsigned);
    assert!(unknown(desk.look().await).contains("used to have"), "a restart forgets nothing");
}

#[tokio::test]
async fn merchants_are_told_apart_and_are_not_many() {
    struct Nothing;
    impl Contents for Nothing {
        fn get(
            &self,
            _: vestibule_model::ContentHash,
        ) -> std::pin::Pin<Box<dyn Future<Output = Option<bytes::Bytes>> + Send + '_>> {
            Box::pin(async { None })
        }
    }
    let fake = Fake::start().await;
    let spawn = |names: Vec<String>| {
        let of = |name: &String| Merchant { system: SystemId::slug(name), profile: fake.profile() };
        let merchants = names.iter().map(of).collect();
        let (up, _) = tokio::sync::mpsc::channel(1);
        let platform = common::platform();
        let config = UcpConfig { merchants, platform, roots: Vec::new(), pins: None, patience: UcpConfig::PATIENCE };
        UcpTrade::spawn(config, std::sync::Arc::new(Nothing), up)
    };
    assert!(matches!(spawn(vec!["a".into(), "a".into()]), Err(UcpError::Twice(_))));
    assert!(matches!(spawn((0..65).map(|n| format!("s{n}")).collect()), Err(UcpError::TooMany)));
    let trade = spawn(vec!["a".into()]).unwrap();
    let info = trade.describe(&SystemId::slug("a")).await.unwrap();
    assert_eq!((info.0.system_type.as_str(), info.0.services.len()), ("manufacturer", 6));
    assert!(trade.describe(&SystemId::slug("b")).await.is_none());
}
