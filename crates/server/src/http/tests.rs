//! What the document says of the API, and that nothing of the protocol is left out.

use super::*;

/// How each request of the protocol is reached: by the id of an operation, or why it needs none.
const REACHED: &[(&str, &str)] = &[
    ("Hello", ""), // The first request of a session greets for it.
    ("Pair", "pair"),
    ("DiscoverSystems", "discover"),
    ("RemoveSystem", "remove_system"),
    ("ListTwins", "list"),
    ("DescribeTwin", "twin"),
    ("Acquire", "acquire"),
    ("Subscribe", "events"),
    ("Actuate", "actuate"),
    ("CommandStatus", "status"),
    ("Lease", "lease"),
    ("RenewLease", "renew"),
    ("ReleaseLease", "release"),
    ("Leases", "leases"),
    ("Refresh", "refresh"),
    ("Explain", "explain"),
    ("WhoAmI", "me"),
    ("Users", "users"),
    ("SetUser", "set_user"),
    ("RemoveUser", "remove_user"),
    ("RevokeDevice", "revoke_device"),
    ("OpenPairing", "open_pairing"),
    ("Delegate", "delegate"),
    ("Present", ""), // A bearer token is presented by the session that is opened for it.
    ("RevokeToken", "revoke_token"),
    ("Rules", "all"),
    ("SetRule", "put"),
    ("RemoveRule", "remove"),
    ("Log", "log"),
    ("Steps", "steps"),
    ("History", "history"),
    ("Readings", "readings"),
    ("PastTwin", "past"),
    ("Dii", "register"),
    ("Authorize", "authorize"),
    ("Deauthorize", "deauthorize"),
    ("Authorizations", "authorizations"),
    ("Invoke", "invoke"),
    ("Call", "call"),
    ("CancelCall", "cancel"),
    ("Sii", "sii_register"),
];

/// The same for what third-party systems say.
const SII: &[(&str, &str)] = &[
    ("Register", "sii_register"),
    ("Deregister", "sii_deregister"),
    ("Heartbeat", "sii_heartbeat"),
    ("Authorized", "sii_answer"),
    ("Revoke", "sii_revoke"),
    ("Result", "sii_result"),
    ("Acquire", "sii_acquire"),
];

/// The names of an enum's variants in a file of the protocol.
fn variants(source: &'static str, name: &str) -> Vec<&'static str> {
    let start = source.find(&format!("pub enum {name} {{")).unwrap();
    let body = &source[start..start + source[start..].find("\n}").unwrap()];
    let lines = body.lines().filter(|line| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase());
    lines.map(|line| line.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap()).collect()
}

fn operations() -> Vec<serde_json::Value> {
    let (_, document) = routes().split_for_parts();
    let document = serde_json::to_value(document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    paths.values().flat_map(|path| path.as_object().unwrap().values()).cloned().collect()
}

#[test]
fn every_request_of_the_protocol_has_a_route() {
    let operations: Vec<_> =
        operations().iter().map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect();
    let requests = variants(include_str!("../../../protocol/src/message.rs"), "Request");
    let said = variants(include_str!("../../../protocol/src/sii.rs"), "SiiUp");
    for (variants, table) in [(requests, REACHED), (said, SII)] {
        assert!(variants.len() >= table.len(), "{variants:?}");
        for variant in variants {
            let reached = table.iter().find(|(name, _)| *name == variant);
            let (_, id) = reached.unwrap_or_else(|| panic!("{variant} has no route in crates/server/src/http"));
            assert!(id.is_empty() || operations.iter().any(|known| known == id), "{variant}: no operation {id}");
        }
    }
}

#[test]
fn operations_are_told_apart() {
    let mut ids: Vec<_> = operations().iter().map(|operation| operation["operationId"].to_string()).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn every_operation_documents_its_answers() {
    for operation in operations() {
        let id = &operation["operationId"];
        let answers = operation["responses"].as_object().unwrap();
        for status in ["400", "401", "403", "404", "409", "412", "422", "423", "429", "503"] {
            assert!(answers.contains_key(status), "{id} does not document {status}");
        }
        let has_body = operation.get("requestBody").is_some();
        assert!(!has_body || ["408", "413", "415"].iter().all(|status| answers.contains_key(*status)), "{id}");
        assert!(answers.keys().any(|status| status.starts_with('2')), "{id}");
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let (_, document) = routes().split_for_parts();
    let text = serde_json::to_string(&document).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is not there");
    }
}
