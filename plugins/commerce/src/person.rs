//! What a merchant is told about a person: as a document that is given apart, and named by its hash in calls, which are
//! written down for ever.

use serde_json::{Map, Value, json};
use vestibule_model::ContentHash;
use vestibule_twin::{AddressEntry, Given};

/// What a reference calls the destination.
pub(crate) const DESTINATION: &str = "dest_1";

/// The parts of an entry: what people call each, the protocol's name for it, and what stands there.
fn buyer(entry: &AddressEntry) -> [(&'static str, &'static str, &str); 4] {
    [
        ("First name", "first_name", &entry.first_name),
        ("Last name", "last_name", &entry.last_name),
        ("E-mail", "email", &entry.email),
        ("Telephone", "phone_number", &entry.phone),
    ]
}

fn place(entry: &AddressEntry) -> [(&'static str, &'static str, &str); 6] {
    [
        ("Street", "street_address", &entry.street),
        ("Address, second line", "extended_address", &entry.extended),
        ("Postal code", "postal_code", &entry.postal_code),
        ("Town", "address_locality", &entry.town),
        ("State or province", "address_region", &entry.region),
        ("Country", "address_country", &entry.country),
    ]
}

/// What a merchant would be told, each a name and a value.
pub(crate) fn leaves(entry: &AddressEntry) -> Vec<(String, String)> {
    let all = buyer(entry).into_iter().chain(place(entry));
    let said = all.filter(|(.., value)| !value.trim().is_empty());
    said.map(|(name, _, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

/// Why nothing can be sent to this address, for a person.
pub(crate) fn lacks(entry: &AddressEntry) -> Option<String> {
    let needed = [
        ("last name", &entry.last_name),
        ("e-mail address", &entry.email),
        ("street", &entry.street),
        ("postal code", &entry.postal_code),
        ("town", &entry.town),
        ("country", &entry.country),
    ];
    let missing: Vec<_> = needed.iter().filter(|(_, value)| value.trim().is_empty()).map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        return Some(format!("The address has no {}.", missing.join(", no ")));
    }
    if !entry.email.contains('@') {
        return Some("The e-mail address has no @.".to_owned());
    }
    let country = entry.country.trim();
    let is_code = country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase());
    (!is_code).then(|| "A country is written by its two letters, DE for Germany.".to_owned())
}

fn part<const N: usize>(fields: [(&'static str, &'static str, &str); N]) -> Map<String, Value> {
    let said = fields.into_iter().filter(|(.., value)| !value.trim().is_empty());
    said.map(|(_, name, value)| (name.to_owned(), Value::from(value.trim()))).collect()
}

/// The document: exactly what [`leaves`] lists, and a salt that never leaves the enabler.
pub(crate) fn document(entry: &AddressEntry, salt: String) -> Given {
    let mut destination = part(place(entry));
    for (_, name, value) in
        buyer(entry).into_iter().filter(|(_, name, value)| *name != "email" && !value.trim().is_empty())
    {
        destination.insert(name.to_owned(), Value::from(value.trim()));
    }
    let document = json!({"salt": salt, "buyer": part(buyer(entry)), "destination": destination});
    Given::new(Given::PERSON, document.to_string().into_bytes())
}

/// The buyer, by reference.
pub(crate) fn as_buyer(document: ContentHash) -> Value {
    json!({"$person": document, "at": "/buyer"})
}

/// The destination, by reference.
pub(crate) fn as_destination(document: ContentHash) -> Value {
    json!({"$person": document, "at": "/destination", "id": DESTINATION})
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn home() -> AddressEntry {
        AddressEntry {
            label: "Home".to_owned(),
            first_name: "Ada".to_owned(),
            last_name: "Example".to_owned(),
            email: "ada@example.com".to_owned(),
            street: "11 Example Street".to_owned(),
            postal_code: "12345".to_owned(),
            town: "Exampleton".to_owned(),
            country: "DE".to_owned(),
            ..AddressEntry::default()
        }
    }

    #[test]
    fn what_is_listed_is_what_leaves() {
        let given = document(&home(), "5a17".to_owned());
        let document: Value = serde_json::from_slice(&given.bytes).unwrap();
        let mut sent: Vec<String> = ["/buyer", "/destination"]
            .iter()
            .flat_map(|at| document.pointer(at).unwrap().as_object().unwrap().values())
            .map(|value| value.as_str().unwrap().to_owned())
            .collect();
        let mut listed: Vec<String> = leaves(&home()).into_iter().map(|(_, value)| value).collect();
        sent.sort();
        listed.sort();
        sent.dedup();
        assert_eq!(sent, listed);
        assert!(!listed.contains(&"Home".to_owned()), "what the person calls it is theirs");
        assert_ne!(given.hash, super::document(&home(), "5a18".to_owned()).hash, "its hash says nothing");
    }

    #[test]
    fn an_address_that_lacks_something_says_what() {
        assert_eq!(lacks(&home()), None);
        let with = |change: fn(&mut AddressEntry)| {
            let mut entry = home();
            change(&mut entry);
            lacks(&entry).unwrap()
        };
        assert_eq!(with(|entry| entry.street.clear()), "The address has no street.");
        assert_eq!(
            with(|entry| (entry.email, entry.town) = (" ".to_owned(), String::new())),
            "The address has no e-mail address, no town."
        );
        assert_eq!(with(|entry| entry.email = "ada".to_owned()), "The e-mail address has no @.");
        assert!(with(|entry| entry.country = "Germany".to_owned()).contains("two letters"));
    }
}
