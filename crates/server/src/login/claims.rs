//! What a provider says of somebody beyond its ID token.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Claims of whatever name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AnyClaims(Map<String, Value>);

impl AdditionalClaims for AnyClaims {}

/// Adds what else was said. What the provider has signed counts, and whether an address was checked is said of that
/// address alone.
pub(super) fn merge(claims: &mut Value, said: Value) {
    let (Some(claims), Value::Object(mut said)) = (claims.as_object_mut(), said) else { return };
    if claims.get("email").is_some_and(|email| said.get("email") != Some(email)) {
        said.remove("email_verified");
    }
    if claims.get("email").is_none() && said.contains_key("email") {
        claims.remove("email_verified");
    }
    for (name, value) in said {
        claims.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_signed_counts_and_an_address_is_checked_by_whoever_names_it() {
        let merged = |mut signed: Value, said: Value| {
            merge(&mut signed, said);
            signed
        };
        let (a, b) = ("a@house.example", "b@house.example");
        assert_eq!(merged(json!({ "sub": "1" }), json!({ "sub": "1", "groups": ["ops"] }))["groups"], json!(["ops"]));
        assert_eq!(merged(json!({ "groups": [] }), json!({ "groups": ["ops"] }))["groups"], json!([]));
        let checked = json!({ "email": b, "email_verified": true });
        assert_eq!(merged(json!({}), checked.clone()), checked);
        assert_eq!(
            merged(json!({ "email": a }), checked.clone()),
            json!({ "email": a }),
            "another address was checked"
        );
        assert_eq!(merged(json!({ "email": b }), checked.clone()), checked);
        let stray = json!({ "email_verified": true });
        assert_eq!(merged(stray, json!({ "email": a })), json!({ "email": a }), "nobody says that it was checked");
    }
}
