//! The kit can fail over HTTP, too: enablers that do one thing wrong there fail the rows that are about it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use common::{
    http_proxy::{self, Fault},
    *,
};
use serde_json::{Value, json};
use vestibule_conformance::{
    Report,
    catalogue::{self, Group, Reach},
};
use vestibule_model::ContentHash;

/// Plays everything against an enabler with this fault.
async fn played(fault: Box<dyn Fault>) -> Report {
    let enabler = Enabler::start().await;
    let report = play_http(&enabler, &http_proxy::start(enabler.url(), fault).await, &enabler.code().await).await;
    enabler.stop().await;
    report
}

/// Says that it has done what it has refused.
struct Polite;

impl Fault for Polite {
    fn answer(&self, path: &str, status: StatusCode, body: Value) -> (StatusCode, Value) {
        if status == StatusCode::CONFLICT && path == "/v1/dii/registration" {
            return (StatusCode::OK, json!({ "now": 0 }));
        }
        (status, body)
    }
}

/// Shows what is wanted as if it were so.
struct Hopeful;

fn hope(value: &mut Value) {
    match value {
        Value::Object(parts) => {
            if parts.get("truth") == Some(&json!("pending"))
                && let Some(wish) = parts.remove("desired").filter(|wish| !wish.is_null())
            {
                parts.insert("value".to_owned(), wish);
                parts.insert("truth".to_owned(), json!("live"));
                parts.insert("desired".to_owned(), Value::Null);
            }
            parts.values_mut().for_each(hope);
        }
        Value::Array(values) => values.iter_mut().for_each(hope),
        _ => {}
    }
}

impl Fault for Hopeful {
    fn answer(&self, path: &str, status: StatusCode, mut body: Value) -> (StatusCode, Value) {
        if path.starts_with("/v1/twins/") {
            hope(&mut body);
        }
        (status, body)
    }

    fn line(&self, line: &str) -> String {
        let Some(data) = line.strip_prefix("data: ") else { return line.to_owned() };
        let mut data: Value = serde_json::from_str(data).unwrap();
        hope(&mut data);
        format!("data: {data}")
    }
}

/// Finds what does not meet the conditions.
struct Wide;

impl Fault for Wide {
    fn path(&self, path: &str) -> String {
        let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
        let conditions = ["cell=", "ring=", "charge_", "promised_"];
        let kept: Vec<_> =
            query.split('&').filter(|pair| conditions.iter().all(|name| !pair.starts_with(name))).collect();
        format!("{path}?{}", kept.join("&"))
    }
}

/// A message to a system, where a line of a stream is one.
fn message(line: &str) -> Option<Value> {
    serde_json::from_str(line.strip_prefix("data: ")?).ok()
}

/// Tells third parties who somebody really is.
struct Gossip;

impl Fault for Gossip {
    fn line(&self, line: &str) -> String {
        match message(line) {
            Some(mut told) if told["message"]["authorize"].is_object() => {
                told["message"]["authorize"]["name"] = json!("somebody");
                format!("data: {told}")
            }
            _ => line.to_owned(),
        }
    }
}

/// Asks for orders twice.
struct Eager;

impl Fault for Eager {
    fn line(&self, line: &str) -> String {
        match message(line) {
            Some(told)
                if told["message"]["invoke"]["service"] == "order" && told["message"]["invoke"]["undo"] == false =>
            {
                format!("{line}\n\n{line}")
            }
            _ => line.to_owned(),
        }
    }
}

/// Does not look at what was seen before a change: who comes last wins.
struct Last;

impl Fault for Last {
    fn asked(&self, _path: &str, headers: &mut HeaderMap) {
        headers.remove(header::IF_MATCH);
        headers.remove(header::IF_NONE_MATCH);
    }
}

/// Has one entity tag for whatever state.
struct Constant;

impl Fault for Constant {
    fn told(&self, path: &str, headers: &mut HeaderMap) {
        if path.starts_with("/v1/twins/") && headers.contains_key(header::ETAG) {
            headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
        }
    }
}

/// An idempotency key that is text; the kit's other rows name commands by their ids.
fn key(headers: &HeaderMap) -> Option<String> {
    let key = headers.get("idempotency-key")?.to_str().ok()?;
    key.contains(' ').then(|| key.to_owned())
}

/// Takes each request for a new one, whatever its key.
#[derive(Default)]
struct Oblivious(AtomicU32);

impl Fault for Oblivious {
    fn asked(&self, _path: &str, headers: &mut HeaderMap) {
        if let Some(key) = key(headers) {
            let key = format!("{key} {}", self.0.fetch_add(1, Ordering::SeqCst));
            headers.insert("idempotency-key", key.parse().unwrap());
        }
    }
}

/// Takes one user's key for another's.
struct Mixed;

impl Fault for Mixed {
    fn asked(&self, _path: &str, headers: &mut HeaderMap) {
        if let Some(key) = key(headers) {
            let id: String = ContentHash::of(key.as_bytes()).to_string().chars().take(32).collect();
            headers.insert("idempotency-key", id.parse().unwrap());
        }
    }
}

/// Takes commands without a key.
#[derive(Default)]
struct Lax(AtomicU32);

impl Fault for Lax {
    fn asked(&self, path: &str, headers: &mut HeaderMap) {
        if path.ends_with("/commands") && !headers.contains_key("idempotency-key") {
            let key = format!("lax {}", self.0.fetch_add(1, Ordering::SeqCst));
            headers.insert("idempotency-key", key.parse().unwrap());
        }
    }
}

/// Begins streams anew, whatever was heard.
struct Forgetful;

impl Fault for Forgetful {
    fn asked(&self, _path: &str, headers: &mut HeaderMap) {
        headers.remove("last-event-id");
    }
}

/// Goes on with streams for whoever names an event of them.
#[derive(Default)]
struct Open(Mutex<Option<HeaderValue>>);

impl Fault for Open {
    fn asked(&self, path: &str, headers: &mut HeaderMap) {
        if !path.starts_with("/v1/events") {
            return;
        }
        let mut last = self.0.lock().unwrap();
        match (last.clone(), headers.contains_key("last-event-id")) {
            (Some(owner), true) => drop(headers.insert(header::AUTHORIZATION, owner)),
            _ => *last = headers.get(header::AUTHORIZATION).cloned(),
        }
    }
}

/// Names no events.
struct Nameless;

impl Fault for Nameless {
    fn line(&self, line: &str) -> String {
        // A comment says nothing.
        if line.starts_with("id:") { ":".to_owned() } else { line.to_owned() }
    }
}

/// Says to strangers no, and not why, nor what they could do.
struct Blunt;

impl Fault for Blunt {
    fn answer(&self, path: &str, status: StatusCode, mut body: Value) -> (StatusCode, Value) {
        if path == "/v1/me" && status == StatusCode::UNAUTHORIZED {
            body.as_object_mut().unwrap().remove("title");
        }
        if path.starts_with("/v1/problems/") { (StatusCode::NOT_FOUND, body) } else { (status, body) }
    }

    fn told(&self, _path: &str, headers: &mut HeaderMap) {
        headers.remove(header::WWW_AUTHENTICATE);
    }
}

/// Tells the first part of everything.
struct Short;

impl Fault for Short {
    fn answer(&self, path: &str, status: StatusCode, mut body: Value) -> (StatusCode, Value) {
        if path.contains("/twins?") {
            body.as_object_mut().unwrap().remove("next");
        }
        if path == "/openapi.json" {
            body["paths"].as_object_mut().unwrap().remove("/v1/events");
        }
        (status, body)
    }
}

/// Says nothing of purchases.
struct Silent;

impl Fault for Silent {
    fn line(&self, line: &str) -> String {
        // Nothing else that is told has a checkout.
        let is_purchase = message(line).is_some_and(|told| told["checkout"].is_string());
        if is_purchase || line == "event: purchase" { ":".to_owned() } else { line.to_owned() }
    }
}

/// Has a product for everybody.
struct Generous;

impl Fault for Generous {
    fn answer(&self, path: &str, status: StatusCode, mut body: Value) -> (StatusCode, Value) {
        if path.starts_with("/v1/products?") {
            body["products"] = json!([{
                "purchase": "00".repeat(16), "line": "li_1", "serial": "W-1", "twin": "home/lamp", "design": null, "since": 1
            }]);
        }
        (status, body)
    }
}

/// Takes whatever is confirmed for what was shown.
struct Greedy;

impl Fault for Greedy {
    fn answer(&self, path: &str, status: StatusCode, body: Value) -> (StatusCode, Value) {
        if path.starts_with("/v1/purchases/") && status == StatusCode::PRECONDITION_FAILED {
            let money = json!({ "amount": 1, "currency": "EUR" });
            let update = json!({
                "id": "00".repeat(16), "user": "somebody", "system": "shop", "checkout": "chk", "state": "confirmed",
                "total": money, "order": null, "checked": null, "said": null, "confirmed": 1, "at": 1
            });
            return (StatusCode::ACCEPTED, update);
        }
        (status, body)
    }
}

/// Each with the rows that have to fail, those first that take longest.
fn all() -> Vec<(&'static str, Box<dyn Fault>, Due)> {
    vec![
        ("services that are used twice", Box::new(Eager), &["SDC.timeout", "SDC.once"]),
        ("discovery that is too wide", Box::new(Wide), &["DTSD.place", "DTSD.charge", "DTSD.level"]),
        ("truth that is hope", Box::new(Hopeful), &["INV-1.pending", "INV-1.executed"]),
        ("refusals that are not told", Box::new(Polite), &["REF.shadow"]),
        ("procedure 1 without pseudonyms", Box::new(Gossip), &["P1.7"]),
        ("updates that are lost", Box::new(Last), &["REF.revision", "HTTP.stale", "HTTP.update"]),
        ("tags that say nothing", Box::new(Constant), &["HTTP.tag", "HTTP.stale"]),
        ("keys that are forgotten", Box::new(Oblivious::default()), &["HTTP.replay", "HTTP.conflict"]),
        ("keys that are everybody's", Box::new(Mixed), &["HTTP.own"]),
        ("keys that are not asked for", Box::new(Lax::default()), &["HTTP.key"]),
        ("streams that begin anew", Box::new(Forgetful), &["HTTP.resume", "HTTP.resync", "HTTP.foreign"]),
        ("streams that are everybody's", Box::new(Open::default()), &["HTTP.foreign"]),
        ("events without a name", Box::new(Nameless), &["HTTP.stream", "HTTP.resume", "HTTP.foreign"]),
        ("purchases that nobody hears of", Box::new(Silent), &["BUY.confirm", "BUY.cancel"]),
        ("prices that nobody has seen", Box::new(Greedy), &["BUY.unseen"]),
        ("products that everybody has", Box::new(Generous), &["PROD.foreign"]),
        ("problems that say nothing", Box::new(Blunt), &["HTTP.problem", "HTTP.kind", "HTTP.challenge"]),
        ("lists that end too early", Box::new(Short), &["HTTP.document", "HTTP.pages"]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_enabler_fails_the_rows_that_are_about_it_and_no_others() {
    exactly(all(), played).await;
}

#[test]
fn each_row_about_http_can_fail() {
    let due: BTreeSet<&str> = all().into_iter().flat_map(|(_, _, due)| due).copied().collect();
    let rows = catalogue::entries(Reach::ALL).into_iter().filter(|entry| entry.group == Group::Http);
    let never: Vec<_> = rows.map(|entry| entry.id).filter(|id| !due.contains(id)).collect();
    assert!(never.is_empty(), "{never:?}");
}
