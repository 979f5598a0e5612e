//! The kit can fail over HTTP, too: enablers that do one thing wrong there fail the rows that are about it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use axum::http::StatusCode;
use common::{
    http_proxy::{self, Fault},
    *,
};
use serde_json::{Value, json};

/// Plays everything against an enabler with this fault: exactly these rows fail.
async fn fails(fault: impl Fault, due: &[&str]) {
    let enabler = Enabler::start().await;
    let url = enabler.url();
    // The client's cryptography, which nobody needs here and everybody asks for.
    drop(vestibule_conformance::Http::new(&url));
    let report = play_http(&http_proxy::start(url, fault).await, &enabler.code().await).await;
    assert_eq!(report.failures(), due, "\n{report}");
    enabler.embedded.stop().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn refusals_that_are_not_told() {
    fails(Polite, &["REF.shadow"]).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn truth_that_is_hope() {
    fails(Hopeful, &["INV-1.pending", "INV-1.executed"]).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn discovery_that_is_too_wide() {
    fails(Wide, &["DTSD.place", "DTSD.charge", "DTSD.level"]).await;
}
