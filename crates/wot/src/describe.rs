//! A twin as a Thing Description 1.1.

use serde_json::{Map, Value as Json, json};
use vestibule_model::{
    ActionId, ActionInfo, ContentHash, EventKind, FeatureId, FeatureInfo, PropertyId, PropertyInfo, TwinId, TwinInfo,
    ValueType,
};

use crate::{Affordance, Site, schema, thing_id, writer};

/// The context of Thing Descriptions 1.1.
pub const CONTEXT: &str = "https://www.w3.org/2022/wot/td/v1.1";
/// The media type of Thing Descriptions.
pub const MEDIA_TYPE: &str = "application/td+json";

const JSON: &str = "application/json";
/// The name of the one security definition.
const BEARER: &str = "bearer";

/// The Thing Description of a twin. `info` is the twin as one user may see it, as in a `TwinView`: what they may not
/// read or do is not in it.
#[must_use]
pub fn describe(info: &TwinInfo, site: &Site) -> Json {
    let mut td = json!({
        "@context": [CONTEXT, { "schema": "https://schema.org/", "vestibule": "urn:vestibule:ns:" }],
        "id": thing_id(&info.id),
        "title": info.name,
        "base": site.base(),
        "securityDefinitions": { BEARER: { "scheme": "bearer", "in": "header", "format": "opaque" } },
        "security": [BEARER],
        "links": links(info, site),
    });
    let mut parts = Parts { twin: &info.id, site, properties: Map::new(), actions: Map::new(), events: Map::new() };
    let mut features = Map::new();
    for (id, feature) in &info.features {
        features.insert(id.to_string(), about(feature));
        parts.take(id, feature);
    }
    td["vestibule:features"] = Json::Object(features);
    if !info.physical_ids.is_empty() {
        let ids = info.physical_ids.iter().map(|id| json!({ "kind": id.kind, "value": id.value }));
        td["vestibule:physicalIds"] = ids.collect();
    }
    for (name, text) in [("schema:manufacturer", &info.manufacturer), ("schema:model", &info.model)] {
        if let Some(text) = text {
            td[name] = json!(text);
        }
    }
    parts.finish(&mut td);
    td
}

/// What tells two Thing Descriptions apart, for ETag: the hash of the whole description.
#[must_use]
pub fn etag(td: &Json) -> String {
    format!("\"{}\"", ContentHash::of(td.to_string().as_bytes()))
}

fn links(info: &TwinInfo, site: &Site) -> Json {
    let mut links = vec![json!({ "rel": "collection", "href": site.things(), "type": "application/ld+json" })];
    if let Some(visual) = &info.visual {
        links.push(json!({ "rel": "alternate", "href": site.content(visual.model.hash), "type": visual.model.media }));
    }
    Json::Array(links)
}

fn about(feature: &FeatureInfo) -> Json {
    let mut about = json!({ "name": feature.name, "kind": feature.kind });
    if let Some(class) = &feature.class {
        about["class"] = json!(class);
    }
    about
}

struct Parts<'a> {
    twin: &'a TwinId,
    site: &'a Site,
    properties: Map<String, Json>,
    actions: Map<String, Json>,
    events: Map<String, Json>,
}

impl Parts<'_> {
    fn take(&mut self, id: &FeatureId, feature: &FeatureInfo) {
        for (property, info) in &feature.properties {
            let name = Affordance::new(id, property).to_string();
            let described = self.property(&name, feature, property, info);
            self.properties.insert(name, described);
        }
        for (action, info) in &feature.actions {
            let name = Affordance::new(id, action).to_string();
            let described = self.action(&name, feature, action, info);
            self.actions.insert(name, described);
        }
        for event in &feature.events {
            let name = Affordance::new(id, event).to_string();
            let described = self.event(&name, feature, event);
            self.events.insert(name, described);
        }
    }

    fn property(&self, name: &str, feature: &FeatureInfo, id: &PropertyId, info: &PropertyInfo) -> Json {
        let href = self.site.below(self.twin, "properties", name);
        let observe = format!("{href}/observe");
        // A picture is read as itself, everything else as JSON.
        let bytes = if let ValueType::Blob { media } = &info.value { Some(media.as_str()) } else { None };
        let media = bytes.unwrap_or(JSON);
        let mut forms = vec![form("readproperty", &href, "GET", media)];
        let written = writer(feature, id);
        if written.is_some() {
            forms.push(form("writeproperty", &href, "PUT", JSON));
        }
        let observed = json!(["observeproperty", "unobserveproperty"]);
        // First what every client can do with a bearer token: browsers' own event streams carry none.
        forms.push(told(&observed, &observe, "longpoll", media));
        if bytes.is_none() {
            forms.push(told(&observed, &observe, "sse", JSON));
        }
        let mut described = schema::of(&info.value);
        described.insert("title".to_owned(), json!(format!("{}: {id}", feature.name)));
        described.insert("readOnly".to_owned(), json!(written.is_none()));
        described.insert("observable".to_owned(), json!(true));
        described.insert("forms".to_owned(), Json::Array(forms));
        if let Some(unit) = &info.unit {
            described.insert("unit".to_owned(), json!(unit));
        }
        if let Some(period) = info.period_ms {
            described.insert("vestibule:periodMs".to_owned(), json!(period));
        }
        if let Some(within) = info.tolerance {
            described.insert("vestibule:tolerance".to_owned(), json!(within));
        }
        if info.assumed {
            described.insert("vestibule:assumed".to_owned(), json!(true));
        }
        Json::Object(described)
    }

    fn action(&self, name: &str, feature: &FeatureInfo, id: &ActionId, info: &ActionInfo) -> Json {
        let href = self.site.below(self.twin, "actions", name);
        let mut described = json!({
            "title": format!("{}: {id}", feature.name),
            "output": status(),
            "safe": false,
            "idempotent": false,
            "synchronous": false,
            "forms": [form("invokeaction", &href, "POST", JSON)],
        });
        if let Some(input) = &info.input {
            described["input"] = Json::Object(schema::of(input));
        }
        if let Some(takes) = info.takes_ms {
            described["vestibule:takesMs"] = json!(takes);
        }
        described
    }

    fn event(&self, name: &str, feature: &FeatureInfo, id: &EventKind) -> Json {
        let href = self.site.below(self.twin, "events", name);
        let subscribed = json!(["subscribeevent", "unsubscribeevent"]);
        json!({
            "title": format!("{}: {id}", feature.name),
            "data": {
                "type": "object",
                "properties": {
                    "at": { "type": "integer", "unit": "ms", "minimum": 0 },
                    "details": { "type": "object" },
                },
                "required": ["at", "details"],
            },
            "forms": [
                told(&subscribed, &href, "longpoll", JSON),
                told(&subscribed, &href, "sse", JSON),
            ],
        })
    }

    fn finish(self, td: &mut Json) {
        let mut forms = Vec::new();
        if !self.properties.is_empty() {
            let all = self.site.below(self.twin, "properties", "");
            forms.push(form("readallproperties", &all, "GET", JSON));
        }
        for (name, parts) in [("properties", self.properties), ("actions", self.actions), ("events", self.events)] {
            if !parts.is_empty() {
                td[name] = Json::Object(parts);
            }
        }
        if !forms.is_empty() {
            td["forms"] = Json::Array(forms);
        }
    }
}

fn form(op: &str, href: &str, method: &str, media: &str) -> Json {
    json!({ "op": op, "href": href, "htv:methodName": method, "contentType": media })
}

fn told(op: &Json, href: &str, subprotocol: &str, media: &str) -> Json {
    json!({ "op": op, "href": href, "subprotocol": subprotocol, "contentType": media })
}

/// What an action answers: how far it is, and where to ask again.
fn status() -> Json {
    json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": ["pending", "running", "completed", "failed"] },
            "href": { "type": "string" },
            "timeRequested": { "type": "string" },
            "timeEnded": { "type": "string" },
            "error": { "type": "object" },
        },
        "required": ["status", "href"],
    })
}
