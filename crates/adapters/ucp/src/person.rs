//! What is personal: put in at the last moment, taken out of what comes back.
//!
//! What goes into a call and what comes out of it is written down for ever. So a call names documents by their hash
//! (`{"$person": "<hash>", "at": "/buyer"}`), and only the request to the merchant has their words.

use serde_json::{Map, Value};
use thiserror::Error;
use vestibule_model::ContentHash;
use vestibule_protocol::Persons;

use crate::limits::MAX_PERSON;

/// Names a document in what stands for a part of it.
const REFERENCE: &str = "$person";
/// Names the part.
const AT: &str = "at";
/// Parts that may leave. The salt never does.
const PARTS: [&str; 2] = ["/buyer", "/destination"];

/// Why a call's input is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PersonError {
    /// Nobody has given it, or somebody else has: not told apart.
    #[error("there is no such document about a person")]
    NotThere,
    /// Not `{"$person": hash, "at": part}`.
    #[error("a reference to a person has a hash, and /buyer or /destination of it")]
    Malformed,
    /// Where nobody expects one.
    #[error("a person is referred to as buyer, as a destination or as a billing address, and nowhere else")]
    Misplaced,
    /// In clear, where it would be written down.
    #[error("{0} is given by reference ($person), never in clear: calls are written down for ever")]
    InClear(&'static str),
}

/// Puts what is referred to into a checkout's input, and refuses what is there in clear.
pub(crate) fn fill(checkout: &mut Value, persons: &Persons) -> Result<(), PersonError> {
    if let Some(buyer) = checkout.get_mut("buyer") {
        fill_one(buyer, persons, "the buyer", |_| false)?;
    }
    for method in list(checkout.pointer_mut("/fulfillment/methods")) {
        for destination in list(method.get_mut("destinations")) {
            fill_one(destination, persons, "a destination", |name| name == "id")?;
        }
    }
    for instrument in list(checkout.pointer_mut("/payment/instruments")) {
        if let Some(address) = instrument.get_mut("billing_address") {
            fill_one(address, persons, "a billing address", |_| false)?;
        }
    }
    if has_reference(checkout) { Err(PersonError::Misplaced) } else { Ok(()) }
}

fn list(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_array_mut).into_iter().flatten()
}

fn fill_one(
    place: &mut Value,
    persons: &Persons,
    what: &'static str,
    in_clear: impl Fn(&str) -> bool,
) -> Result<(), PersonError> {
    let Value::Object(said) = place else {
        return if place.is_null() { Ok(()) } else { Err(PersonError::InClear(what)) };
    };
    let is_reference = said.contains_key(REFERENCE);
    if said.keys().any(|name| !in_clear(name) && !(is_reference && (name == REFERENCE || name == AT))) {
        return Err(PersonError::InClear(what));
    }
    if is_reference {
        let part = part(said, persons)?;
        said.retain(|name, _| name != REFERENCE && name != AT);
        for (name, value) in part {
            // An id that was chosen here stays.
            said.entry(name).or_insert(value);
        }
    }
    Ok(())
}

fn part(said: &Map<String, Value>, persons: &Persons) -> Result<Map<String, Value>, PersonError> {
    let text = |name: &str| said.get(name).and_then(Value::as_str).ok_or(PersonError::Malformed);
    let hash: ContentHash = text(REFERENCE)?.parse().map_err(|_| PersonError::Malformed)?;
    let at = text(AT)?;
    if !PARTS.contains(&at) {
        return Err(PersonError::Malformed);
    }
    let document = persons.0.get(&hash).filter(|document| document.as_str().len() <= MAX_PERSON);
    match document.ok_or(PersonError::NotThere)?.value().pointer(at) {
        // A document refers to no other.
        Some(Value::Object(part)) if !part.values().any(has_reference) && !part.contains_key(REFERENCE) => {
            Ok(part.clone())
        }
        _ => Err(PersonError::Malformed),
    }
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.contains_key(REFERENCE) || members.values().any(has_reference),
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// Takes what is personal out of a checkout that a merchant answered with. Shops where things are picked up stay: they
/// are the merchant's.
pub(crate) fn strip(checkout: &mut Value) {
    let Value::Object(members) = checkout else { return };
    for name in ["buyer", "context", "signals", "attribution"] {
        members.remove(name);
    }
    for method in list(checkout.pointer_mut("/fulfillment/methods")) {
        if method.get("type").and_then(Value::as_str) == Some("pickup") {
            continue;
        }
        for destination in list(method.get_mut("destinations")) {
            keep_id(destination);
        }
    }
    for instrument in list(checkout.pointer_mut("/payment/instruments")) {
        if let Value::Object(instrument) = instrument {
            for name in ["billing_address", "display", "credential"] {
                instrument.remove(name);
            }
        }
    }
}

fn keep_id(destination: &mut Value) {
    match destination {
        Value::Object(members) => members.retain(|name, _| name == "id"),
        other => *other = Value::Null,
    }
}

/// Takes what a person gave out of what a merchant says in words: some repeat the address in a message. Short words
/// are in many others, and stay.
pub(crate) fn hush(checkout: &mut Value, persons: &Persons) {
    const SHORT: usize = 4;
    let mut words = Vec::new();
    persons.0.values().for_each(|document| collect(&document.value(), &mut words));
    words.retain(|word| word.len() >= SHORT);
    // The longest first: a street with its number before the street.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    if !words.is_empty() {
        replace(checkout, &words, false);
    }
}

fn collect(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => words.push(text.clone()),
        Value::Object(members) => members.values().for_each(|value| collect(value, words)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}

/// Only members that people read: an id with such a word in it has to stay what it is.
fn replace(value: &mut Value, words: &[String], read: bool) {
    match value {
        Value::String(text) if read => {
            for word in words {
                if text.contains(word.as_str()) {
                    *text = text.replace(word.as_str(), "…");
                }
            }
        }
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                let read = matches!(name.as_str(), "content" | "title" | "description" | "display_text" | "label");
                replace(value, words, read);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|value| replace(value, words, read)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use vestibule_model::Json;

    use super::*;

    fn given() -> (ContentHash, Persons) {
        let document = json!({
            "salt": "00ff",
            "buyer": {"first_name": "Ada", "email": "ada@example.com"},
            "destination": {"id": "theirs", "street_address": "11 Example Street", "address_country": "DE"},
        });
        let document = Json::of(&document).unwrap();
        let hash = ContentHash::of(document.as_str().as_bytes());
        (hash, Persons([(hash, document)].into()))
    }

    #[test]
    fn only_the_parts_that_are_named_are_put_in() {
        let (hash, persons) = given();
        let mut checkout = json!({
            "line_items": [{"item": {"id": "lamp"}, "quantity": 1}],
            "buyer": {"$person": hash, "at": "/buyer"},
            "fulfillment": {"methods": [
                {"type": "shipping", "destinations": [{"$person": hash, "at": "/destination", "id": "dest_1"}, {"id": "dest_2"}]},
            ]},
        });
        fill(&mut checkout, &persons).unwrap();
        assert_eq!(checkout["buyer"], json!({"first_name": "Ada", "email": "ada@example.com"}));
        let destinations = &checkout["fulfillment"]["methods"][0]["destinations"];
        let filled = json!({"id": "dest_1", "street_address": "11 Example Street", "address_country": "DE"});
        assert_eq!(*destinations, json!([filled, {"id": "dest_2"}]));
        assert!(!checkout.to_string().contains("00ff"), "the salt stays at home");
    }

    #[test]
    fn what_would_be_written_down_or_belongs_to_others_is_refused() {
        let (hash, persons) = given();
        let refused = |checkout: Value| fill(&mut checkout.clone(), &persons).unwrap_err();
        for buyer in
            [json!({"email": "ada@example.com"}), json!("Ada"), json!({"$person": hash, "at": "/buyer", "email": "x"})]
        {
            assert_eq!(refused(json!({"buyer": buyer})), PersonError::InClear("the buyer"));
        }
        let street = json!({"fulfillment": {"methods": [{"destinations": [{"street_address": "11 Example Street"}]}]}});
        assert_eq!(refused(street), PersonError::InClear("a destination"));
        let other = ContentHash([1; 32]);
        assert_eq!(refused(json!({"buyer": {"$person": other, "at": "/buyer"}})), PersonError::NotThere);
        for at in [json!("/salt"), json!(""), json!("/buyer/email"), json!(null), json!("/other")] {
            assert_eq!(refused(json!({"buyer": {"$person": hash, "at": at}})), PersonError::Malformed, "{at}");
        }
        assert_eq!(refused(json!({"buyer": {"$person": "zz", "at": "/buyer"}})), PersonError::Malformed);
        let hidden = json!({"line_items": [{"item": {"$person": hash, "at": "/buyer"}}]});
        assert_eq!(refused(hidden), PersonError::Misplaced);
        let inner = Json::of(&json!({"buyer": {"x": {"$person": hash, "at": "/buyer"}}})).unwrap();
        let nested = Persons([(other, inner)].into());
        let mut checkout = json!({"buyer": {"$person": other, "at": "/buyer"}});
        assert_eq!(fill(&mut checkout, &nested), Err(PersonError::Malformed));
    }

    /// Messages of any shape, with the names that matter in any place.
    fn anything() -> impl Strategy<Value = Value> {
        const NAMES: &[&str] = &[
            "id",
            "buyer",
            "fulfillment",
            "methods",
            "destinations",
            "payment",
            "instruments",
            "billing_address",
            "type",
            "$person",
            "at",
            "content",
            "street_address",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            Just(json!("pickup")),
            Just(json!("/buyer")),
            Just(json!("11 Example Street")),
            Just(json!(given().0)),
        ];
        leaf.prop_recursive(6, 40, 4, |inner| {
            let name = prop::sample::select(NAMES).prop_map(str::to_owned);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(name, inner, 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    fn destinations(checkout: &Value) -> Vec<&Value> {
        let methods = checkout.pointer("/fulfillment/methods").and_then(Value::as_array).into_iter().flatten();
        let brought = methods.filter(|method| method.get("type").and_then(Value::as_str) != Some("pickup"));
        brought.filter_map(|method| method.get("destinations")?.as_array()).flatten().collect()
    }

    proptest! {
        #[test]
        fn whatever_a_merchant_answers_nothing_personal_stays(mut checkout in anything()) {
            strip(&mut checkout);
            prop_assert!(checkout.get("buyer").is_none());
            for destination in destinations(&checkout) {
                let only_id = destination.as_object().is_none_or(|members| members.keys().all(|name| name == "id"));
                prop_assert!(only_id && !destination.is_string(), "{}", destination);
            }
        }

        #[test]
        fn whatever_is_sent_no_reference_is_left_in_it(mut checkout in anything()) {
            let (_, persons) = given();
            if fill(&mut checkout, &persons).is_ok() {
                prop_assert!(!has_reference(&checkout), "{}", checkout);
                prop_assert!(!checkout.to_string().contains("00ff"), "the salt stays at home");
            }
        }
    }

    #[test]
    fn nothing_personal_comes_back() {
        let (_, persons) = given();
        let mut checkout = json!({
            "id": "chk_01",
            "buyer": {"first_name": "Ada"},
            "context": {"postal_code": "12345"},
            "fulfillment": {"methods": [
                {"type": "shipping", "destinations": [{"id": "dest_1", "street_address": "11 Example Street"}, "text"]},
                {"type": "pickup", "destinations": [{"id": "shop_1", "name": "The shop", "street_address": "1 Market"}]},
            ]},
            "payment": {"instruments": [{"id": "i", "display": {"label": "Ada"}, "billing_address": {"a": 1}}]},
            "messages": [{"content": "To 11 Example Street, DE", "code": "11 Example Street"}],
        });
        strip(&mut checkout);
        hush(&mut checkout, &persons);
        assert_eq!(
            checkout,
            json!({
                "id": "chk_01",
                "fulfillment": {"methods": [
                    {"type": "shipping", "destinations": [{"id": "dest_1"}, null]},
                    {"type": "pickup", "destinations": [{"id": "shop_1", "name": "The shop", "street_address": "1 Market"}]},
                ]},
                "payment": {"instruments": [{"id": "i"}]},
                "messages": [{"content": "To …, DE", "code": "11 Example Street"}],
            })
        );
    }
}
