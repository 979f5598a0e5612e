//! The document that describes the API (OpenAPI 3.1), generated from the handlers.

use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use super::{Problem, twins::TwinName};

/// What no single handler says.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vestibule integration enabler",
        description = "MII, DII and SII of the integration enabler (ITU FGMV-29, Y.4240) as JSON over HTTP. Whoever \
            asks shows who they are with the bearer token that `POST /v1/pairing` gave, or with a client certificate \
            that was paired. Moments are milliseconds since the Unix epoch on the enabler's clock.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, TwinName)),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "identity", description = "Who asks."),
        (name = "mii", description = "Metaverse systems: discover, look, act, be told."),
        (name = "dii", description = "Digital twin systems: register, describe, report, execute."),
        (name = "sii", description = "Third-party systems: register, agree with users, serve, ask for shared twins."),
        (name = "administration", description = "Owners: rules and the log."),
    )
)]
struct Frame;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The document as it is served: as exact as what is taken.
pub(crate) fn served(document: &Document) -> Value {
    // Nothing in the document cannot be JSON.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    bound(&mut document);
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in paths.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut()) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for schema in parameters.into_iter().flatten().filter_map(|parameter| parameter.get_mut("schema")) {
            no_null(schema);
        }
    }
    document
}

/// A format names how many bits there are, and only a bound says it to programs that do not know the name.
fn bound(value: &mut Value) {
    match value {
        Value::Object(schema) => {
            schema.values_mut().for_each(bound);
            for kind in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
                closed(kind);
            }
            // Who names a member of a set twice is not refused.
            schema.remove("uniqueItems");
            // The format as the registry of OpenAPI spells it.
            let (format, most) = match schema.get("format").and_then(Value::as_str) {
                Some("u-int8") => ("uint8", u64::from(u8::MAX)),
                Some("u-int16") => ("uint16", u64::from(u16::MAX)),
                Some("u-int32") => ("uint32", u64::from(u32::MAX)),
                Some("u-int64") => ("uint64", u64::MAX),
                _ => return,
            };
            schema.insert("format".to_owned(), json!(format));
            schema.entry("minimum").or_insert(json!(0));
            schema.entry("maximum").or_insert(json!(most));
        }
        Value::Array(values) => values.iter_mut().for_each(bound),
        _ => {}
    }
}

/// One of several things is named by its one member: with a second one nobody knows which it is.
fn closed(kind: &mut Value) {
    let count = |name: &str| match &kind[name] {
        Value::Object(members) => members.len(),
        Value::Array(members) => members.len(),
        _ => 0,
    };
    if count("properties") == 1 && count("required") == 1 {
        kind["additionalProperties"] = json!(false);
    }
}

/// A parameter is left out where there is none: its text `null` would be a value like any other.
fn no_null(schema: &mut Value) {
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            schema["type"] = kind.clone();
        }
    }
    if let Some(kinds) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind["type"] != "null");
        if let [kind] = kinds.as_slice() {
            *schema = kind.clone();
        }
    }
}

/// The document without paths.
pub(crate) fn frame() -> Document {
    Frame::openapi()
}
