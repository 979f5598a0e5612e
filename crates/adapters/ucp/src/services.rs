//! What a bound merchant offers to worlds, where it does not say so itself.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_model::{Json, ServiceId, ServiceInfo, SystemId, SystemInfo, SystemKind};
use vestibule_ucp::{Active, name};

use crate::limits;

pub(crate) const SEARCH: &str = "search";
pub(crate) const LOOK_UP: &str = "look_up";
pub(crate) const QUOTE: &str = "quote";
pub(crate) const CHECKOUT: &str = "checkout";
pub(crate) const LOOK_CHECKOUT: &str = "look_checkout";
pub(crate) const CANCEL_CHECKOUT: &str = "cancel_checkout";

/// Whether a merchant is asked for this service over the protocol. What else it registers itself for, it is asked for there.
#[must_use]
pub fn is_over_ucp(service: &ServiceId) -> bool {
    [SEARCH, LOOK_UP, QUOTE, CHECKOUT, LOOK_CHECKOUT, CANCEL_CHECKOUT].contains(&service.as_str())
}

/// A service, what both sides must be able to do for it, and how it is described.
struct Offer {
    id: &'static str,
    needs: &'static str,
    name: &'static str,
    words: &'static str,
    patience: Duration,
    input: Value,
}

fn offers() -> [Offer; 6] {
    let object = |properties: Value, required: &[&str]| json!({"type": "object", "properties": properties, "required": required});
    let text = || json!({"type": "string"});
    let lines = json!({"type": "array", "minItems": 1, "items": {
        "type": "object",
        "properties": {"item": {"type": "object", "properties": {"id": text()}, "required": ["id"]}, "quantity": {"type": "integer", "minimum": 1}},
        "required": ["item", "quantity"],
    }});
    let session = || object(json!({"id": text(), "buyer": {"type": "object"}}), &["id"]);
    [
        Offer {
            id: SEARCH,
            needs: name::CATALOG_SEARCH,
            name: "Search",
            words: "Looks for goods in words (catalog search of UCP 2026-04-08).",
            patience: limits::ANSWER,
            input: object(json!({"query": text(), "pagination": {"type": "object"}}), &[]),
        },
        Offer {
            id: LOOK_UP,
            needs: name::CATALOG_LOOKUP,
            name: "Look up",
            words: "Says what goods are, by their ids (catalog lookup of UCP 2026-04-08).",
            patience: limits::ANSWER,
            input: object(json!({"ids": {"type": "array", "minItems": 1, "items": text()}}), &["ids"]),
        },
        Offer {
            id: QUOTE,
            needs: name::FABRICATION,
            name: "Quote",
            words: "Says whether a design can be made, and for how much. Its package is handed over.",
            patience: limits::ANSWER * limits::QUOTE_TIMES,
            input: object(
                json!({"package": text(), "design": text(), "process": text(), "material": text(), "colour": text(),
                       "infill_percent": {"type": "integer", "minimum": 0, "maximum": 100}, "quantity": {"type": "integer", "minimum": 1}}),
                &["package", "design", "process", "material", "colour", "quantity"],
            ),
        },
        Offer {
            id: CHECKOUT,
            needs: name::CHECKOUT,
            name: "Checkout",
            words: "Begins a checkout (UCP 2026-04-08), or changes the one of the id that is given. Who buys and where it \
                    goes is given by reference: {\"$person\": hash, \"at\": \"/buyer\"}.",
            patience: limits::ANSWER,
            input: object(
                json!({"id": text(), "line_items": lines, "buyer": {"type": "object"}, "fulfillment": {"type": "object"}}),
                &["line_items"],
            ),
        },
        Offer {
            id: LOOK_CHECKOUT,
            needs: name::CHECKOUT,
            name: "Look at a checkout",
            words: "Says how a checkout is by now. What the document about a person says that is referred to as buyer is left \
                    out of the merchant's words.",
            patience: limits::ANSWER,
            input: session(),
        },
        Offer {
            id: CANCEL_CHECKOUT,
            needs: name::CHECKOUT,
            name: "Cancel a checkout",
            words: "Ends a checkout that was not ordered. The buyer is referred to as where it is looked at.",
            patience: limits::ANSWER,
            input: session(),
        },
    ]
}

/// A bound merchant as a third-party system: with what both sides can do, or, where it is not known yet, with all that
/// there is.
pub(crate) fn describe(system: SystemId, host: &str, active: Option<&Active>) -> SystemInfo {
    let can = |capability: &str| active.is_none_or(|active| active.has(capability));
    let is = |capability: &str| active.is_some_and(|active| active.has(capability));
    let system_type = match () {
        () if is(name::FABRICATION) => "manufacturer",
        () if is(name::MEASURED_GOODS) => "supplier",
        () => "shop",
    };
    let mut info = SystemInfo::new(system.clone(), SystemKind::ThirdParty, system.as_str());
    info.system_type = system_type.to_owned();
    info.properties.insert("ucp".to_owned(), host.to_owned());
    for offer in offers().into_iter().filter(|offer| can(offer.needs)) {
        let undo = (offer.id == CHECKOUT).then(|| ServiceId::slug(CANCEL_CHECKOUT));
        let needs = if offer.id == CHECKOUT { vec!["address", "email"] } else { Vec::new() };
        let service = ServiceInfo {
            name: offer.name.to_owned(),
            description: offer.words.to_owned(),
            input: Json::of(&offer.input).ok(),
            output: None,
            idempotent: true,
            undo,
            timeout_ms: u64::try_from(offer.patience.as_millis()).unwrap_or(u64::MAX),
            charge: None,
            needs: needs.into_iter().map(str::to_owned).collect(),
        };
        info.services.insert(ServiceId::slug(offer.id), service);
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_sound() {
        let info = describe(SystemId::slug("shop"), "shop.example", None);
        info.check().unwrap();
        assert_eq!(info.services.len(), 6);
        assert!(info.services.values().all(|service| service.idempotent && service.input.is_some()));
        assert!(info.services.keys().all(is_over_ucp) && !is_over_ucp(&ServiceId::slug("recipes")));
    }
}
