//! Discovery documents: topics, JSON with bounds, abbreviations, both forms.

use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::limits::{MAX_COMPONENTS, MAX_DEPTH, MAX_DISCOVERY};

mod abbreviations;
mod device;
mod fields;

pub(crate) use device::{Device, about, cut};
pub(crate) use fields::{ConfigProblem, Fields};

/// What a device's form shares with its components.
const SHARED: &[&str] = &[
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "command_topic",
    "encoding",
    "payload_available",
    "payload_not_available",
    "qos",
    "retain",
    "state_topic",
    "~",
];

/// Why a document says nothing.
#[derive(Debug, Error)]
pub(crate) enum DocumentError {
    #[error("it has {0} bytes, at most {MAX_DISCOVERY} are taken")]
    TooLong(usize),
    #[error("it is no JSON object: {0}")]
    Json(String),
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    Deep,
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` has to be an object")]
    NoObject(&'static str),
    #[error("it has {0} components, at most {MAX_COMPONENTS} are taken")]
    Components(usize),
}

/// A discovery topic, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiscoveryTopic {
    /// `lock`, `sensor`, ... or `device`.
    pub(crate) component: String,
    pub(crate) node: Option<String>,
    pub(crate) object: String,
}

impl DiscoveryTopic {
    /// Reads `<prefix>/<component>/[<node_id>/]<object_id>/config`.
    pub(crate) fn parse(prefix: &str, topic: &str) -> Option<Self> {
        let levels: Vec<&str> = topic.strip_prefix(prefix)?.strip_prefix('/')?.split('/').collect();
        let id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let (component, node, object) = match levels.as_slice() {
            [component, object, "config"] => (component, None, object),
            [component, node, object, "config"] => (component, Some(node), object),
            _ => return None,
        };
        let sound = id(component) && id(object) && node.is_none_or(|node| id(node));
        sound.then(|| Self {
            component: (*component).to_owned(),
            node: node.map(|node| (*node).to_owned()),
            object: (*object).to_owned(),
        })
    }
}

/// What Home Assistant tells components apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntityKey {
    pub(crate) platform: String,
    pub(crate) node: Option<String>,
    pub(crate) object: String,
}

/// One component of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) key: EntityKey,
    /// What its feature is called, where nothing else is called so.
    pub(crate) base: String,
    /// Its fields, written out.
    pub(crate) fields: Map<String, Json>,
}

/// A document, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) device: Map<String, Json>,
    pub(crate) origin: Option<Json>,
    pub(crate) parts: Vec<Part>,
    /// Components that are no objects, or have no platform.
    pub(crate) broken: Vec<(String, String)>,
}

impl Document {
    /// Reads a payload; `None`: it takes away what was announced there.
    pub(crate) fn read(topic: &DiscoveryTopic, payload: &[u8]) -> Result<Option<Self>, DocumentError> {
        if payload.len() > MAX_DISCOVERY {
            return Err(DocumentError::TooLong(payload.len()));
        }
        if payload.is_empty() {
            return Ok(None);
        }
        let mut root = object(payload)?;
        expand(&mut root, abbreviations::FIELDS);
        // Home Assistant's way of moving from one form to the other: this document steps back for another.
        if root.get("migrate_discovery") == Some(&Json::Bool(true)) || root.is_empty() {
            return Ok(None);
        }
        nested(&mut root, "origin", abbreviations::ORIGIN);
        nested(&mut root, "device", abbreviations::DEVICE);
        if topic.component == "device" {
            Self::whole(topic, root).map(Some)
        } else {
            Ok(Some(Self::single(topic, root)))
        }
    }

    fn single(topic: &DiscoveryTopic, mut root: Map<String, Json>) -> Self {
        let device = take_object(&mut root, "device");
        let origin = root.remove("origin");
        let key =
            EntityKey { platform: topic.component.clone(), node: topic.node.clone(), object: topic.object.clone() };
        let part = part(key, topic.object.clone(), root);
        Self { device, origin, parts: vec![part], broken: Vec::new() }
    }

    fn whole(topic: &DiscoveryTopic, mut root: Map<String, Json>) -> Result<Self, DocumentError> {
        if !root.contains_key("device") {
            return Err(DocumentError::Missing("device"));
        }
        if !root.get("device").is_some_and(Json::is_object) {
            return Err(DocumentError::NoObject("device"));
        }
        let components = match root.remove("components") {
            Some(Json::Object(components)) => components,
            Some(_) => return Err(DocumentError::NoObject("components")),
            None => return Err(DocumentError::Missing("components")),
        };
        if components.len() > MAX_COMPONENTS {
            return Err(DocumentError::Components(components.len()));
        }
        let device = take_object(&mut root, "device");
        let mut document = Self { device, origin: root.remove("origin"), ..Self::default() };
        for (id, config) in components {
            let Json::Object(mut config) = config else {
                document.broken.push((id, "it has to be an object".to_owned()));
                continue;
            };
            expand(&mut config, abbreviations::FIELDS);
            let Some(platform) = config.remove("platform").and_then(|p| p.as_str().map(str::to_owned)) else {
                document.broken.push((id, "`platform` is missing".to_owned()));
                continue;
            };
            if config.is_empty() {
                // The way to take one component away.
                continue;
            }
            for field in SHARED {
                if let (Some(shared), false) = (root.get(*field), config.contains_key(*field)) {
                    config.insert((*field).to_owned(), shared.clone());
                }
            }
            let object = topic.node.as_ref().map_or_else(|| id.clone(), |node| format!("{node} {id}"));
            let key = EntityKey { platform, node: Some(topic.object.clone()), object };
            document.parts.push(part(key, id, config));
        }
        Ok(document)
    }
}

fn part(key: EntityKey, base: String, mut fields: Map<String, Json>) -> Part {
    for entry in availability_mut(&mut fields) {
        expand(entry, abbreviations::FIELDS);
    }
    if let Some(base) = fields.remove("~").and_then(|base| base.as_str().map(str::to_owned)) {
        rebase(&mut fields, &base);
        for entry in availability_mut(&mut fields) {
            rebase(entry, &base);
        }
    }
    Part { key, base, fields }
}

/// Replaces `~` at the beginning or the end of topics.
fn rebase(fields: &mut Map<String, Json>, base: &str) {
    for (key, value) in fields.iter_mut().filter(|(key, _)| key.ends_with("topic")) {
        let Json::String(topic) = value else { continue };
        let mut whole = topic.strip_prefix('~').map_or_else(|| topic.clone(), |rest| format!("{base}{rest}"));
        if let Some(rest) = whole.strip_suffix('~').filter(|_| topic.len() > 1) {
            whole = format!("{rest}{base}");
        }
        tracing::trace!(key, whole, "base topic");
        *topic = whole;
    }
}

fn availability_mut(fields: &mut Map<String, Json>) -> impl Iterator<Item = &mut Map<String, Json>> {
    let entries: Vec<&mut Json> = match fields.get_mut("availability") {
        Some(Json::Array(list)) => list.iter_mut().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    entries.into_iter().filter_map(Json::as_object_mut)
}

fn take_object(root: &mut Map<String, Json>, field: &str) -> Map<String, Json> {
    match root.remove(field) {
        Some(Json::Object(object)) => object,
        _ => Map::new(),
    }
}

fn nested(root: &mut Map<String, Json>, field: &str, table: &[(&str, &str)]) {
    if let Some(Json::Object(object)) = root.get_mut(field) {
        expand(object, table);
    }
}

fn expand(object: &mut Map<String, Json>, table: &[(&str, &str)]) {
    for (short, long) in table {
        if let Some(value) = object.remove(*short) {
            object.insert((*long).to_owned(), value);
        }
    }
}

fn object(payload: &[u8]) -> Result<Map<String, Json>, DocumentError> {
    if !shallow(payload) {
        return Err(DocumentError::Deep);
    }
    match serde_json::from_slice(payload) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(DocumentError::Json("it is something else".to_owned())),
        Err(error) => Err(DocumentError::Json(error.to_string())),
    }
}

/// JSON within the bounds, or nothing.
pub(crate) fn json(payload: &[u8]) -> Option<Json> {
    if shallow(payload) { serde_json::from_slice(payload).ok() } else { None }
}

/// Whether brackets nest no deeper than they may.
fn shallow(payload: &[u8]) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in payload {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
