//! What this platform says of itself: its profile.

use serde_json::{Value, json};
use vestibule_ucp::{EXTENSIONS_VERSION, Endpoint, EndpointError, Profile, ReadError, Side, SigningKey, VERSION, name};

/// Where a platform's profile is, below its address.
pub const PROFILE_PATH: &str = "/.well-known/ucp";
/// Where merchants tell of orders, below a platform's address.
pub const WEBHOOK_PATH: &str = "/ucp/webhooks/orders";

/// Who buys: its address and its key. What it publishes follows from these.
#[derive(Clone)]
pub struct Platform {
    profile: Endpoint,
    key: SigningKey,
    said: Profile,
    body: Vec<u8>,
}

impl Platform {
    /// A platform that is reached at `base` (`https://host[:port]`, or loopback) and signs with `key`.
    ///
    /// # Errors
    /// [`EndpointError`] where `base` is no address that merchants may speak to.
    pub fn new(base: &Endpoint, key: SigningKey) -> Result<Self, EndpointError> {
        let base = base.as_str().trim_end_matches('/');
        let profile = Endpoint::new(&format!("{base}{PROFILE_PATH}"))?;
        let webhook = Endpoint::new(&format!("{base}{WEBHOOK_PATH}"))?;
        let said = document(&webhook, &key);
        let body = said.to_string().into_bytes();
        // Our own words; a test reads them.
        let said = read(&body).map_err(|_| EndpointError::Malformed)?;
        Ok(Self { profile, key, said, body })
    }

    /// Where the profile is: what `UCP-Agent` names.
    #[must_use]
    pub const fn profile(&self) -> &Endpoint {
        &self.profile
    }

    /// The profile as it is served, as JSON.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// What signs.
    pub(crate) const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// What this side can do.
    pub(crate) const fn said(&self) -> &Profile {
        &self.said
    }
}

fn read(body: &[u8]) -> Result<Profile, ReadError> {
    Profile::read(body, Side::Platform).map(|(profile, _)| profile)
}

fn document(webhook: &Endpoint, key: &SigningKey) -> Value {
    let spec = |path: &str| format!("https://ucp.dev/{VERSION}/specification/{path}");
    let schema = |path: &str| format!("https://ucp.dev/{VERSION}/schemas/shopping/{path}.json");
    let theirs = |path: &str, file: &str| json!({"version": VERSION, "spec": spec(path), "schema": schema(file)});
    let ours = |word: &str, extends: Value| {
        let about = format!("https://example.com/vestibule/{word}");
        let mut said = json!({"version": EXTENSIONS_VERSION, "spec": about, "schema": format!("{about}.json")});
        if !extends.is_null() {
            said["extends"] = extends;
        }
        said
    };
    let mut fulfillment = theirs("fulfillment", "fulfillment");
    fulfillment["extends"] = json!(name::CHECKOUT);
    let mut order = theirs("order", "order");
    order["config"] = json!({"webhook_url": webhook});
    let mut pay = ours("sandbox_pay", Value::Null);
    pay["id"] = json!("sandbox_1");
    pay["available_instruments"] = json!([{"type": "sandbox"}]);
    let goods = json!([name::CHECKOUT, name::ORDER, name::CATALOG_SEARCH, name::CATALOG_LOOKUP]);
    json!({
        "ucp": {
            "version": VERSION,
            "services": {name::SHOPPING: [{
                "version": VERSION,
                "spec": spec("overview"),
                "transport": "rest",
                "schema": format!("https://ucp.dev/{VERSION}/services/shopping/rest.openapi.json"),
            }]},
            "capabilities": {
                name::CHECKOUT: [theirs("checkout", "checkout")],
                name::FULFILLMENT: [fulfillment],
                name::ORDER: [order],
                name::CATALOG_SEARCH: [theirs("catalog/search", "catalog_search")],
                name::CATALOG_LOOKUP: [theirs("catalog/lookup", "catalog_lookup")],
                name::FABRICATION: [ours("fabrication", json!([name::CHECKOUT, name::ORDER]))],
                name::ORDER_CARE: [ours("order_care", json!(name::ORDER))],
                name::MEASURED_GOODS: [ours("measured_goods", goods)],
            },
            "payment_handlers": {name::SANDBOX_PAY: [pay]},
        },
        "signing_keys": [key.jwk()],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_platforms_profile_and_nothing_of_it_is_dropped() {
        let key = SigningKey::from_bytes("platform-1", &[7; 32]).unwrap();
        let platform = Platform::new(&Endpoint::new("https://home.example/").unwrap(), key.clone()).unwrap();
        let (profile, dropped) = Profile::read(platform.body(), Side::Platform).unwrap();
        assert_eq!(dropped, []);
        assert_eq!(profile.keys(), [key.jwk()]);
        assert_eq!(platform.profile().as_str(), "https://home.example/.well-known/ucp");
        assert_eq!(profile.webhook().unwrap().as_str(), "https://home.example/ucp/webhooks/orders");
        assert_eq!(profile.ucp.capabilities.unwrap().len(), 8);
    }
}
