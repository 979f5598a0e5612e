//! What merchants tell without being asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use common::{Desk, Fake, golden, merchant_key, now, platform, shop};
use serde_json::Value;
use vestibule_model::Timestamp;
use vestibule_protocol::{Certified, NotCertified, TradeAsk, TradeUp};
use vestibule_ucp::{Certificate, Endpoint, Envelope, Id, Parts, SigningKey, Trouble, sign_request};

/// A webhook, as it is sent.
struct Hook {
    authority: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Hook {
    fn new(fake: &Fake, key: &SigningKey, id: &str, at: Timestamp, order: &Value) -> Self {
        Self::from(fake.profile(), key, id, at, order, "127.0.0.1:7800")
    }

    fn from(agent: Endpoint, key: &SigningKey, id: &str, at: Timestamp, order: &Value, authority: &str) -> Self {
        let body = order.to_string().into_bytes();
        let envelope = Envelope { id: id.to_owned(), at, agent };
        let mut headers: Vec<(String, String)> =
            envelope.headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        let mut hook = Self { authority: authority.to_owned(), path: "/ucp/webhooks/orders".to_owned(), headers, body };
        let signed = hook.with_parts(|parts| sign_request(parts, key, now()).unwrap());
        hook.headers.extend(signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
        hook
    }

    fn with_parts<T>(&self, look: impl FnOnce(&Parts<'_>) -> T) -> T {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        look(&Parts {
            subject: "POST".into(),
            authority: &self.authority,
            path: &self.path,
            headers: &headers,
            body: &self.body,
            ..Parts::default()
        })
    }

    async fn send(&self, desk: &Desk) -> Result<bool, Trouble> {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let parts = Parts {
            subject: "POST".into(),
            authority: &self.authority,
            path: &self.path,
            headers: &headers,
            body: &self.body,
            ..Parts::default()
        };
        desk.trade.webhook(&parts, now()).await
    }
}

#[tokio::test]
async fn news_are_heard_once() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    let order = golden("order_in_production.json");
    let hook = Hook::new(&fake, &merchant_key(), "hook_1", now(), &order);
    assert_eq!(hook.send(&desk).await, Ok(true));
    match desk.up().await {
        TradeUp::Pushed { system, checkout, order, view } => {
            assert_eq!((system, checkout.as_str(), order.as_str()), (shop(), "chk_01", "ord_01"));
            assert_eq!(view.mark.revision, Some(7));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(hook.send(&desk).await, Ok(false), "the same again is only answered");
    let next = Hook::new(&fake, &merchant_key(), "hook_2", now(), &golden("order_delivered.json"));
    assert_eq!(next.send(&desk).await, Ok(true));
    assert_eq!(hook.send(&desk).await, Ok(false));
    assert!(matches!(desk.up().await, TradeUp::Pushed { .. }));
    // Nobody takes them any more: refused until there is room, and then taken as new.
    let many = async |from: usize, to: usize| {
        for at in from..to {
            let hook = Hook::new(&fake, &merchant_key(), &format!("many_{at}"), now(), &order);
            assert_eq!(hook.send(&desk).await, Ok(true), "{at}");
        }
    };
    many(0, 256).await;
    let late = Hook::new(&fake, &merchant_key(), "late", now(), &order);
    assert_eq!(late.send(&desk).await, Err(Trouble::Unavailable));
    desk.up().await;
    assert_eq!(late.send(&desk).await, Ok(true));
}

#[tokio::test]
async fn news_of_others_are_not() {
    let fake = Fake::start().await;
    let desk = Desk::new(&fake);
    let order = golden("order_in_production.json");
    let good = || Hook::new(&fake, &merchant_key(), "hook_1", now(), &order);
    let refused = async |hook: Hook, trouble: Trouble, what: &str| {
        assert_eq!(hook.send(&desk).await, Err(trouble), "{what}");
    };

    let mut unsigned = good();
    unsigned.headers.retain(|(name, _)| !name.starts_with("signature"));
    refused(unsigned, Trouble::SignatureMissing, "unsigned").await;

    let same_name = SigningKey::from_bytes("workshop-1", &[9; 32]).unwrap();
    refused(Hook::new(&fake, &same_name, "hook_1", now(), &order), Trouble::SignatureInvalid, "another key").await;
    let other_name = SigningKey::from_bytes("mallory-1", &[9; 32]).unwrap();
    refused(Hook::new(&fake, &other_name, "hook_1", now(), &order), Trouble::KeyNotFound, "an unknown key").await;

    // Another merchant, with a good signature of its own.
    let other = Fake::start().await;
    refused(
        Hook::new(&other, &merchant_key(), "hook_1", now(), &order),
        Trouble::ProfileNotTrusted,
        "another merchant",
    )
    .await;
    assert_eq!(other.shop.seen("profile").len(), 0, "whoever writes does not choose whom we ask");

    let days = 24 * 60 * 60 * 1000;
    let stale = Timestamp(now().0 - 3 * days - 60_000);
    refused(Hook::new(&fake, &merchant_key(), "hook_1", stale, &order), Trouble::InvalidRequest, "stale").await;
    refused(
        Hook::new(&fake, &merchant_key(), "hook_1", now().plus(600_000), &order),
        Trouble::InvalidRequest,
        "not yet",
    )
    .await;

    let mut changed = good();
    changed.body = golden("order_delivered.json").to_string().into_bytes();
    refused(changed, Trouble::DigestMismatch, "another body").await;
    for (name, value) in [("webhook-id", "hook_2"), ("webhook-timestamp", "1795737600")] {
        let mut changed = good();
        changed.headers.iter_mut().filter(|(known, _)| known == name).for_each(|(_, was)| *was = value.to_owned());
        let told = changed.send(&desk).await;
        assert!(matches!(told, Err(Trouble::SignatureInvalid | Trouble::InvalidRequest)), "{name}: {told:?}");
    }
    let mut elsewhere = good();
    elsewhere.path = "/ucp/webhooks/other".to_owned();
    refused(elsewhere, Trouble::SignatureInvalid, "another path").await;

    // What it tells another platform, handed on: the signature is good, and the host is that other's.
    let theirs = Hook::from(fake.profile(), &merchant_key(), "hook_1", now(), &order, "other.example");
    refused(theirs, Trouble::InvalidRequest, "another platform's").await;

    let mut broken = order.clone();
    broken["line_items"][0]["quantity"]["fulfilled"] = 9.into();
    refused(Hook::new(&fake, &merchant_key(), "hook_1", now(), &broken), Trouble::InvalidRequest, "no order").await;
    // None of these has used up the id.
    assert_eq!(good().send(&desk).await, Ok(true));
}

#[tokio::test]
async fn products_certificates_are_their_merchants_own() {
    let fake = Fake::start().await;
    let mut desk = Desk::new(&fake);
    let id = |text: &str| Id::new(text).unwrap();
    let said = Certificate {
        v: 1,
        kid: String::new(),
        merchant: fake.profile(),
        order: id("ord_01"),
        line: id("li_1"),
        serial: id("W1042-0001"),
        design: None,
        item: id("made_7f3c"),
        at: "2026-11-28T08:00:00Z".into(),
    };
    let mut certify = async |certificate: String| {
        let inquiry = vestibule_model::InquiryId(1);
        desk.trade.ask(TradeAsk::Certify { inquiry, system: shop(), certificate }).unwrap();
        match desk.up().await {
            TradeUp::Certified { inquiry: vestibule_model::InquiryId(1), answer } => answer,
            other => panic!("{other:?}"),
        }
    };
    let answer: Result<Certified, NotCertified> = certify(said.issue(&merchant_key()).unwrap()).await;
    let certified = answer.unwrap();
    assert_eq!((certified.order.as_str(), certified.serial.as_str()), ("ord_01", "W1042-0001"));
    let other = SigningKey::from_bytes("workshop-1", &[9; 32]).unwrap();
    let unknown = SigningKey::from_bytes("mallory-1", &[9; 32]).unwrap();
    for text in [said.issue(&other).unwrap(), said.issue(&unknown).unwrap(), "no certificate".to_owned()] {
        assert_eq!(certify(text).await, Err(NotCertified::Forged));
    }
    let strange = Certificate { serial: id("with spaces"), ..said };
    assert_eq!(certify(strange.issue(&merchant_key()).unwrap()).await, Err(NotCertified::Forged));
    assert_eq!(platform().profile().authority(), "127.0.0.1:7800");
}
