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
    ("Erase", "erase"),
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
    ("Give", "give"),
    ("Confirm", "confirm"),
    ("CancelPurchase", "cancel_purchase"),
    ("Purchase", "purchase"),
    ("Purchases", "purchases"),
    ("Bind", "bind"),
    ("Keep", "keep"),
    ("Unbind", "unbind"),
    ("Products", "products"),
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

/// All that is documented, as where people log in with a provider.
fn document() -> serde_json::Value {
    let (_, mut document) = routes().split_for_parts();
    document.merge(login::routes().split_for_parts().1);
    openapi::served(&document)
}

fn operations() -> Vec<serde_json::Value> {
    let document = document();
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
        assert!(answers.keys().any(|status| status.starts_with(['2', '3'])), "{id}");
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is not there");
    }
}

#[test]
fn whole_numbers_have_the_bounds_of_what_takes_them() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Rule"]["properties"]["priority"]["maximum"], 255);
    assert_eq!(schemas["Acknowledged"]["properties"]["up_to"]["maximum"], u64::MAX);
    let parameters = document["paths"]["/v1/systems/{system}/twins"]["get"]["parameters"].as_array().unwrap();
    let limit = &parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap()["schema"];
    assert_eq!((&limit["type"], &limit["maximum"]), (&"integer".into(), &65_535.into()));
}

/// Two structs of one name would have one schema, and the other's readers would be told nonsense.
#[test]
fn each_schema_has_a_name_of_its_own() {
    let document = document();
    let schema = |path: &str| {
        let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
        body["schema"]["$ref"].as_str().unwrap().to_owned()
    };
    let (command, lease) = (schema("/v1/twins/{system}/{twin}/commands"), schema("/v1/twins/{system}/{twin}/leases"));
    assert_ne!(command, lease);
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http")).unwrap();
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let mut names: Vec<String> = files.flat_map(|path| named(&std::fs::read_to_string(path).unwrap())).collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert!(all > 20 && names.len() == all, "{names:?}");
}

/// Names of schemas that a source file derives.
fn named(source: &str) -> Vec<String> {
    let derived = source.split("ToSchema)]").skip(1);
    let name = |text: &str| {
        let alias = text.split("struct ").next().and_then(|head| head.split("schema(as = ").nth(1));
        let text = alias.or_else(|| text.split("struct ").nth(1))?;
        text.split(|c: char| !c.is_alphanumeric()).next().map(str::to_owned)
    };
    derived.filter_map(name).collect()
}

#[test]
fn logging_in_is_documented_with_its_answers() {
    let document = document();
    let begun = &document["paths"]["/auth/login"]["get"];
    assert!(
        begun["responses"]["303"]["headers"]["Location"].is_object() && begun["security"][0] == serde_json::json!({})
    );
    let back = &document["paths"]["/auth/callback"]["get"];
    let content = &back["responses"]["200"]["content"];
    assert!(content["application/json"].is_object() && content["text/html"].is_object(), "{content}");
    for operation in [begun, back, &document["paths"]["/auth/logout"]["post"]] {
        let content = &operation["responses"]["502"]["content"];
        assert!(content["application/problem+json"].is_object() && content["text/html"].is_object(), "{operation}");
    }
}
