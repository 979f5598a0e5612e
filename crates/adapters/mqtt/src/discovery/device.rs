//! The `device` and `origin` of a document.

use serde_json::{Map, Value as Json};
use vestibule_model::{Origin, PhysicalId};

use super::fields::text_of;
use crate::limits::MAX_PHYSICAL_IDS;

/// Longest name in bytes that is shown.
const MAX_NAME: usize = 256;

/// What a document says of its device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Device {
    pub(crate) physical_ids: Vec<PhysicalId>,
    pub(crate) name: Option<String>,
    pub(crate) manufacturer: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) origin: Option<Origin>,
}

/// Reads them; what does not fit is left out.
pub(crate) fn about(device: &Map<String, Json>, origin: Option<&Json>) -> Device {
    let short =
        |field: &str| device.get(field).and_then(text_of).map(|text| cut(&text)).filter(|text| !text.is_empty());
    let mut physical_ids: Vec<PhysicalId> = Vec::new();
    let identifiers = match device.get("identifiers") {
        Some(Json::Array(list)) => list.iter().filter_map(text_of).collect(),
        Some(one) => text_of(one).into_iter().collect(),
        None => Vec::new(),
    };
    physical_ids.extend(identifiers.into_iter().map(|value| PhysicalId { kind: "id".to_owned(), value }));
    for pair in device.get("connections").and_then(Json::as_array).into_iter().flatten() {
        if let Some([kind, value]) = pair.as_array().map(Vec::as_slice)
            && let (Some(kind), Some(value)) = (text_of(kind), text_of(value))
        {
            // Home Assistant also compares MAC addresses in lower case.
            let value = if kind == "mac" { value.to_lowercase() } else { value };
            physical_ids.push(PhysicalId { kind, value });
        }
    }
    physical_ids.retain(|id| !id.value.trim().is_empty() && id.value.len() <= MAX_NAME && id.kind.len() <= MAX_NAME);
    let mut seen = std::collections::BTreeSet::new();
    physical_ids.retain(|id| seen.insert(id.clone()));
    physical_ids.truncate(MAX_PHYSICAL_IDS - 1);
    Device {
        physical_ids,
        name: short("name"),
        manufacturer: short("manufacturer"),
        model: short("model").or_else(|| short("model_id")),
        origin: origin.and_then(Json::as_object).and_then(|origin| {
            let short = |field: &str| origin.get(field).and_then(text_of).map(|text| cut(&text));
            Some(Origin { name: short("name")?, version: short("sw_version"), url: short("support_url") })
        }),
    }
}

impl Device {
    /// The serial number is an identity too, where one is given.
    pub(crate) fn with_serial(mut self, device: &Map<String, Json>) -> Self {
        if let Some(value) =
            device.get("serial_number").and_then(text_of).filter(|v| !v.is_empty() && v.len() <= MAX_NAME)
        {
            self.physical_ids.push(PhysicalId { kind: "serial".to_owned(), value });
        }
        self
    }
}

/// A text of at most as many bytes as a name has.
pub(crate) fn cut(text: &str) -> String {
    let text = text.trim();
    text[..text.floor_char_boundary(MAX_NAME)].to_owned()
}
