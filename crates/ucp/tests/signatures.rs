//! Requests and answers: signed as others verify them, and believed only as they were signed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use proptest::prelude::*;
use vestibule_model::Timestamp;
use vestibule_ucp::{
    Endpoint, Envelope, Jwk, Parts, SignatureError, Signed, SigningKey, Subject, Trouble, WebhookError, agent_header,
    content_digest, sign_request, sign_response, verify_head, verify_request, verify_response,
};

const NOW: Timestamp = Timestamp(1_795_737_600_000);
const VECTOR: &str = include_str!("data/ours/signed_request.txt");

fn key() -> SigningKey {
    let mut bytes = [0; 32];
    (0..32).for_each(|at| bytes[usize::from(at)] = at + 1);
    SigningKey::from_bytes("platform-1", &bytes).unwrap()
}

/// A request that owns what [`Parts`] borrows, so that tests can change it.
#[derive(Clone)]
struct Request {
    method: String,
    authority: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn with<R>(&self, look: impl FnOnce(&Parts<'_>) -> R) -> R {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        look(&Parts {
            subject: Subject::Method(&self.method),
            authority: &self.authority,
            secure: false,
            path: &self.path,
            query: self.query.as_deref(),
            headers: &headers,
            body: &self.body,
        })
    }

    fn signed(mut self, key: &SigningKey) -> Self {
        let signed: Signed = self.with(|parts| sign_request(parts, key, NOW)).unwrap();
        self.headers.extend(signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    fn verify(&self, keys: &[Jwk]) -> Result<String, SignatureError> {
        self.with(|parts| verify_request(parts, keys, &[], NOW))
    }

    fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn get(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| known == name).unwrap().1
    }
}

fn request() -> Request {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Request {
        method: "POST".into(),
        authority: "127.0.0.1:7801".into(),
        path: "/ucp/checkout-sessions".into(),
        query: None,
        headers: vec![
            header("ucp-agent", r#"profile="http://127.0.0.1:7800/.well-known/ucp""#),
            header("idempotency-key", "550e8400-e29b-41d4-a716-446655440000"),
            header("content-type", "application/json"),
        ],
        body: br#"{"line_items":[{"item":{"id":"made_7f3c"},"quantity":1}]}"#.to_vec(),
    }
}

/// What another program signed and a third one verified.
#[test]
fn our_bytes_are_those_of_others() {
    let signed = request().signed(&key());
    let line = |name: &str| VECTOR.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    assert_eq!(signed.get("content-digest"), line("Content-Digest: "));
    assert_eq!(signed.get("signature-input"), line("Signature-Input: "));
    assert_eq!(signed.get("signature"), line("Signature: "));
    let jwk: Jwk = serde_json::from_str(line("JWK: ")).unwrap();
    assert_eq!(jwk, key().jwk());
    assert_eq!(jwk.thumbprint().unwrap(), line("RFC 7638 thumbprint: "));
    assert_eq!(signed.verify(&[jwk]), Ok("platform-1".to_owned()));
}

#[test]
fn nothing_that_is_signed_can_change() {
    let (good, keys) = (request().signed(&key()), [key().jwk()]);
    type Change = fn(&mut Request);
    let changes: &[(Change, SignatureError)] = &[
        (|r| r.method = "PUT".into(), SignatureError::Invalid),
        (|r| r.authority = "127.0.0.1:7802".into(), SignatureError::Invalid),
        (|r| r.path.push('x'), SignatureError::Invalid),
        (|r| r.query = Some("a=b".into()), SignatureError::NotCovered("@query".into())),
        (|r| r.set("ucp-agent", r#"profile="http://127.0.0.1:9/""#), SignatureError::Invalid),
        (|r| r.set("idempotency-key", "550e8400-e29b-41d4-a716-446655440001"), SignatureError::Invalid),
        (|r| r.set("content-type", "text/plain"), SignatureError::Invalid),
        (|r| r.headers.push(("ucp-agent".into(), "x".into())), SignatureError::Invalid),
        (|r| r.body.clear(), SignatureError::Digest),
        (|r| r.headers.retain(|(name, _)| name != "signature"), SignatureError::Missing("signature")),
        (|r| r.headers.retain(|(name, _)| name != "signature-input"), SignatureError::Missing("signature-input")),
        (|r| r.headers.retain(|(name, _)| name != "content-digest"), SignatureError::Missing("content-digest")),
    ];
    for (at, (change, error)) in changes.iter().enumerate() {
        let mut changed = good.clone();
        change(&mut changed);
        assert_eq!(changed.verify(&keys), Err(error.clone()), "change {at}");
    }
    for at in 0..good.body.len() {
        let mut changed = good.clone();
        changed.body[at] ^= 1;
        assert_eq!(changed.verify(&keys), Err(SignatureError::Digest));
        // Whoever changes the body too can make a digest that fits it, and no signature.
        let digest = content_digest(&changed.body);
        changed.set("content-digest", &digest);
        assert_eq!(changed.verify(&keys), Err(SignatureError::Invalid));
    }
    assert_eq!(good.verify(&keys), Ok("platform-1".into()));
}

#[test]
fn a_head_is_believed_before_its_body_came() {
    let (good, keys) = (request().signed(&key()), [key().jwk()]);
    let head = |request: &Request| request.with(|parts| verify_head(&Parts { body: &[], ..*parts }, &keys, &[], NOW));
    assert_eq!(head(&good), Ok("platform-1".to_owned()));
    let mut changed = good.clone();
    changed.set("content-digest", &content_digest(b"another body"));
    assert_eq!(head(&changed), Err(SignatureError::Invalid));
    // What says nothing of its body could come with any.
    let mut bare = request();
    bare.body.clear();
    assert_eq!(head(&bare.signed(&key())), Err(SignatureError::Missing("content-digest")));
}

#[test]
fn no_byte_of_a_signature_can_change() {
    let (good, keys) = (request().signed(&key()), [key().jwk()]);
    for name in ["signature", "signature-input"] {
        for at in 0..good.get(name).len() {
            let mut bytes = good.get(name).as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let mut changed = good.clone();
            changed.set(name, std::str::from_utf8(&bytes).unwrap());
            assert!(changed.verify(&keys).is_err(), "{name}, byte {at}");
        }
    }
}

#[test]
fn what_must_be_covered_is() {
    let keys = [key().jwk()];
    let without = |left_out: &'static str| {
        // As a signer would who leaves it out: signed without the header, sent with it.
        let mut request = request();
        let value = request.get(left_out).to_owned();
        request.headers.retain(|(name, _)| name != left_out);
        let mut signed = request.signed(&key());
        signed.set(left_out, &value);
        signed.verify(&keys)
    };
    assert_eq!(without("idempotency-key"), Err(SignatureError::NotCovered("idempotency-key".into())));
    assert_eq!(without("ucp-agent"), Err(SignatureError::NotCovered("ucp-agent".into())));
    let mut plain = request();
    plain.headers.retain(|(name, _)| name == "content-type");
    let signed = plain.signed(&key());
    assert!(signed.verify(&keys).is_ok());
    let error = signed.with(|parts| verify_request(parts, &keys, &["idempotency-key"], NOW));
    assert_eq!(error, Err(SignatureError::Missing("idempotency-key")));
    assert_eq!(SignatureError::NotCovered("x".into()).trouble(), Trouble::SignatureMissing);
}

#[test]
fn hosts_and_queries_are_what_they_mean() {
    let keys = [key().jwk()];
    let mut get = Request { method: "GET".into(), authority: "Shop.Example.com:80".into(), ..request() };
    get.body.clear();
    get.query = Some("a=%20&b".into());
    let mut signed = get.signed(&key());
    assert_eq!(signed.get("signature-input").matches("content").count(), 0, "there is no content");
    signed.authority = "shop.example.com".into();
    assert!(signed.verify(&keys).is_ok(), "the port that goes without saying");
    signed.query = Some("a= &b".into());
    assert_eq!(signed.verify(&keys), Err(SignatureError::Invalid));
    signed.query = None;
    assert_eq!(signed.verify(&keys), Err(SignatureError::Invalid), "no query is not the one that was signed");
}

/// What is signed by our key, but says other things of itself.
fn with_params(params: &str) -> Result<String, SignatureError> {
    let mut request = request();
    request.headers.retain(|(name, _)| name == "content-type");
    request.body.clear();
    let base = format!(
        "\"@method\": POST\n\"@authority\": 127.0.0.1:7801\n\"@path\": /ucp/checkout-sessions\n\"@signature-params\": {params}"
    );
    let signature = key().sign(base.as_bytes());
    request.set("signature-input", &format!("sig1={params}"));
    request.set("signature", &format!("sig1=:{}:", encode(&signature)));
    request.verify(&[key().jwk()])
}

fn encode(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

#[test]
fn a_signature_says_until_when_and_with_what() {
    let list = r#"("@method" "@authority" "@path")"#;
    let params = |more: &str| with_params(&format!("{list};{more}"));
    assert_eq!(params(r#"keyid="platform-1""#), Ok("platform-1".into()), "created may be left out");
    assert_eq!(params(r#"created=1795737600;expires=1795737601;keyid="platform-1""#), Ok("platform-1".into()));
    assert_eq!(params(r#"expires=1795737600;keyid="platform-1""#), Err(SignatureError::Expired));
    assert_eq!(params(r#"expires=1;keyid="platform-1""#), Err(SignatureError::Expired));
    assert_eq!(params(r#"created=1795737901;keyid="platform-1""#), Err(SignatureError::NotYet));
    assert!(params(r#"created=1795737900;keyid="platform-1""#).is_ok(), "clocks differ");
    assert!(params(r#"created=1;keyid="platform-1""#).is_ok(), "what is sent again is known by its Idempotency-Key");
    assert!(params(r#"keyid="platform-1";alg="ecdsa-p256-sha256";nonce="n";tag="t""#).is_ok());
    assert_eq!(params(r#"keyid="platform-1";alg="hmac-sha256""#), Err(SignatureError::Algorithm("hmac-sha256".into())));
    assert_eq!(params(r#"keyid="other""#), Err(SignatureError::KeyNotFound("other".into())));
    assert_eq!(params("created=1"), Err(SignatureError::Missing("keyid")));
    for wrong in [
        r#"created=-1;keyid="platform-1""#,
        r#"created="1";keyid="platform-1""#,
        r#"keyid="platform-1";x=1"#,
        r#"keyid=platform-1"#,
        r#"keyid="platform-1";keyid="platform-1""#,
    ] {
        assert!(matches!(params(wrong), Err(SignatureError::Malformed(_))), "{wrong}");
    }
    let covered = |list: &str| with_params(&format!(r#"{list};keyid="platform-1""#));
    assert_eq!(covered(r#"("@method" "@path")"#), Err(SignatureError::NotCovered("@authority".into())));
    for wrong in [
        r#"("@method" "@authority" "@path" "@path")"#,
        r#"("@method";req "@authority" "@path")"#,
        r#"("@method" "@authority" "@path" "@status")"#,
        r#"("@method" "@authority" "@path" "X-Upper")"#,
        r#"("@method" "@authority" "@path" "absent")"#,
        r#"("@method" "@authority" "@path" token)"#,
        r#""@method""#,
    ] {
        assert!(matches!(covered(wrong), Err(SignatureError::Malformed(_))), "{wrong}");
    }
    let many: Vec<String> = (0..17).map(|at| format!("\"h{at}\"")).collect();
    assert_eq!(covered(&format!("({})", many.join(" "))), Err(SignatureError::TooLong));
}

#[test]
fn only_one_raw_signature_is_taken() {
    let (good, keys) = (request().signed(&key()), [key().jwk()]);
    let with = |name: &str, value: &str| {
        let mut changed = good.clone();
        changed.set(name, value);
        changed.verify(&keys)
    };
    let mut der = vec![0x30, 0x45];
    der.extend([7; 69]);
    assert_eq!(with("signature", &format!("sig1=:{}:", encode(&der))), Err(SignatureError::Der));
    assert!(matches!(with("signature", &format!("sig1=:{}:", encode(&[1; 63]))), Err(SignatureError::Malformed(_))));
    assert_eq!(with("signature", &format!("sig1=:{}:", encode(&[0; 64]))), Err(SignatureError::Invalid));
    assert_eq!(with("signature", &format!("sig1=:{}:", encode(&[255; 64]))), Err(SignatureError::Invalid));
    let signature = good.get("signature");
    assert!(matches!(with("signature", &signature.replace("sig1", "sig2")), Err(SignatureError::Malformed(_))));
    assert!(matches!(with("signature", &format!("{signature}, sig2=:AA==:")), Err(SignatureError::Malformed(_))));
    let input = good.get("signature-input");
    let two = format!("{input}, {}", input.replace("sig1", "sig2"));
    assert!(matches!(with("signature-input", &two), Err(SignatureError::Malformed(_))));
    assert_eq!(with("x-long", &"a".repeat(4096)), Err(SignatureError::TooLong));
    assert_eq!(good.verify(&[]), Err(SignatureError::KeyNotFound("platform-1".into())));
    let mut other = SigningKey::from_bytes("platform-1", &[9; 32]).unwrap().jwk();
    assert_eq!(good.verify(&[other.clone()]), Err(SignatureError::Invalid));
    other.crv = Some("P-384".into());
    assert_eq!(good.verify(&[other]), Err(SignatureError::Algorithm("P-384".into())));
}

#[test]
fn answers_are_signed_too() {
    let (key, body) = (key(), br#"{"id":"chk_1"}"#.to_vec());
    let signed = sign_response(201, &body, &key, NOW).unwrap();
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(signed.headers());
    let parts = Parts { subject: 201.into(), headers: &headers, body: &body, ..Parts::default() };
    assert_eq!(verify_response(&parts, &[key.jwk()], NOW), Ok("platform-1".into()));
    let verify = |parts: Parts<'_>| verify_response(&parts, &[key.jwk()], NOW);
    assert_eq!(verify(Parts { subject: 200.into(), ..parts }), Err(SignatureError::Invalid));
    assert_eq!(verify(Parts { body: br#"{"id":"chk_2"}"#, ..parts }), Err(SignatureError::Digest));
    assert!(verify(Parts { subject: "POST".into(), ..parts }).is_err(), "a request is no answer");
    assert!(verify_request(&parts, &[key.jwk()], &[], NOW).is_err(), "an answer is no request");
    // An answer without a body.
    let signed = sign_response(204, b"", &key, NOW).unwrap();
    let headers: Vec<_> = signed.headers().collect();
    assert!(verify(Parts { subject: 204.into(), headers: &headers, body: b"", ..parts }).is_ok());
}

#[test]
fn webhooks_are_of_who_sends_them() {
    let merchant = SigningKey::from_bytes("workshop-1", &[5; 32]).unwrap();
    let agent = Endpoint::new("http://127.0.0.1:7801/.well-known/ucp").unwrap();
    let envelope = Envelope { id: "0a0b0c0d-0e0f-4011-8213-141516171819".into(), at: NOW, agent: agent.clone() };
    let mut hook = Request { path: "/ucp/webhooks/orders".into(), ..request() };
    hook.headers = vec![("content-type".into(), "application/json".into())];
    hook.headers.extend(envelope.headers().map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(hook.get("ucp-agent"), agent_header(&agent));
    let hook = hook.signed(&merchant);
    let must = ["webhook-id", "webhook-timestamp"];
    let take =
        |hook: &Request| hook.with(|parts| Envelope::read(parts, NOW)?.verify(parts, &[merchant.jwk()], &must, NOW));
    assert_eq!(take(&hook), Ok("workshop-1".into()));
    assert_eq!(hook.with(|parts| Envelope::read(parts, NOW)), Ok(envelope));
    for (name, value) in [
        ("webhook-id", "another"),
        ("webhook-timestamp", "1795737601"),
        ("ucp-agent", r#"profile="http://127.0.0.1:1/""#),
    ] {
        let mut repeated = hook.clone();
        repeated.set(name, value);
        assert_eq!(take(&repeated), Err(WebhookError::Signature(SignatureError::Invalid)), "{name}");
    }
    let mut elsewhere = hook.clone();
    elsewhere.authority = "127.0.0.1:7900".into();
    assert!(take(&elsewhere).is_err(), "what was sent to another platform is not for this one");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_signed_is_believed_and_nothing_else(
        path in "/[a-z0-9/%-]{0,20}", query in proptest::option::of("[a-z0-9=&%]{0,20}"),
        body in proptest::collection::vec(any::<u8>(), 0..60), at: usize,
    ) {
        let mut request = Request { path, query, body, ..request() };
        let keys = [key().jwk()];
        let signed = request.clone().signed(&key());
        prop_assert_eq!(signed.verify(&keys), Ok("platform-1".to_owned()));
        if request.body.is_empty() {
            request.body.push(1);
        } else {
            let at = at % request.body.len();
            request.body[at] ^= 0x40;
        }
        request.headers = signed.headers.clone();
        prop_assert!(request.verify(&keys).is_err());
    }

    #[test]
    fn any_headers_are_believed_or_refused(input in ".{0,60}", signature in ".{0,60}", digest in ".{0,20}") {
        let mut request = request();
        request.set("signature-input", &input);
        request.set("signature", &signature);
        request.set("content-digest", &digest);
        prop_assert!(request.verify(&[key().jwk()]).is_err());
    }
}
