//! What a merchant publishes of itself, and its key.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::Path,
};

use rand::Rng as _;
use serde_json::json;
use vestibule_ucp::{
    Capability, EXTENSIONS_VERSION, Endpoint, Extends, Handler, Id, Instruments, More, Name, Profile, Service,
    SigningKey, TextError, UcpMeta, Version, name,
};

use crate::Role;

/// The key in `folder`, made where there is none. Whoever may read it can speak as this merchant: only its owner may.
pub(crate) fn key(folder: &Path) -> io::Result<SigningKey> {
    let file = folder.join("key");
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Nearly every 32 bytes are a key; the few that are not are thrown again.
            let fresh = std::iter::repeat_with(|| rand::rng().random::<[u8; 32]>());
            let fresh = fresh.take(8).find(|bytes| SigningKey::from_bytes("new", bytes).is_ok());
            let fresh = fresh.ok_or_else(|| io::Error::other("no key could be made"))?;
            let mut new = tempfile::NamedTempFile::new_in(folder)?;
            new.write_all(&fresh)?;
            new.as_file().sync_all()?;
            new.persist(&file).map_err(|error| error.error)?;
            fresh.to_vec()
        }
        Err(error) => return Err(error),
    };
    let none = || io::Error::new(io::ErrorKind::InvalidData, "the file `key` holds no key");
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| none())?;
    let nameless = SigningKey::from_bytes("key", &bytes).map_err(|_| none())?;
    let thumbprint = nameless.jwk().thumbprint().map_err(|_| none())?;
    let kid = format!("merchant-{}", thumbprint.get(..8).unwrap_or_default());
    SigningKey::from_bytes(&kid, &bytes).map_err(|_| none())
}

fn described(version: &str, spec: &str, schema: &str, extends: &[&str]) -> Result<Vec<Capability>, TextError> {
    let mut names = extends.iter().map(|name| Name::new(*name)).collect::<Result<Vec<_>, _>>()?;
    let extends = match names.len() {
        0 => None,
        1 => names.pop().map(Extends::One),
        _ => Some(Extends::Any(names)),
    };
    let (spec, schema) = (Some(spec.to_owned()), Some(schema.to_owned()));
    Ok(vec![Capability { spec, schema, extends, ..Capability::of(Version::new(version)?) }])
}

fn of_protocol(page: &str, schema: &str, extends: &[&str]) -> Result<Vec<Capability>, TextError> {
    let version = vestibule_ucp::VERSION;
    let spec = format!("https://ucp.dev/{version}/specification/{page}");
    let schema = format!("https://ucp.dev/{version}/schemas/shopping/{schema}.json");
    described(version, &spec, &schema, extends)
}

fn of_ours(page: &str, extends: &[&str]) -> Result<Vec<Capability>, TextError> {
    let spec = format!("https://example.com/vestibule/{page}");
    described(EXTENSIONS_VERSION, &spec, &format!("{spec}.json"), extends)
}

/// The profile of a merchant that is reached at `base`.
pub(crate) fn profile(role: Role, base: &str, key: &SigningKey) -> Result<Profile, TextError> {
    let mut capabilities = BTreeMap::new();
    let mut can = |name: &str, how: Vec<Capability>| Name::new(name).map(|name| capabilities.insert(name, how));
    can(name::CHECKOUT, of_protocol("checkout", "checkout", &[])?)?;
    can(name::FULFILLMENT, of_protocol("fulfillment", "fulfillment", &[name::CHECKOUT])?)?;
    can(name::ORDER, of_protocol("order", "order", &[])?)?;
    can(name::CATALOG_SEARCH, of_protocol("catalog/search", "catalog_search", &[])?)?;
    can(name::CATALOG_LOOKUP, of_protocol("catalog/lookup", "catalog_lookup", &[])?)?;
    can(name::ORDER_CARE, of_ours("order_care", &[name::ORDER])?)?;
    if role == Role::Manufacturer {
        can(name::FABRICATION, of_ours("fabrication", &[name::CHECKOUT, name::ORDER])?)?;
    }
    if role == Role::Supplier {
        let extends = [name::CHECKOUT, name::ORDER, name::CATALOG_SEARCH, name::CATALOG_LOOKUP];
        can(name::MEASURED_GOODS, of_ours("measured_goods", &extends)?)?;
    }
    let version = vestibule_ucp::VERSION;
    let service = Service {
        version: Version::ours(),
        transport: "rest".to_owned(),
        spec: Some(format!("https://ucp.dev/{version}/specification/overview")),
        schema: Some(format!("https://ucp.dev/{version}/services/shopping/rest.openapi.json")),
        endpoint: Some(format!("{base}/ucp")),
        more: More::new(),
    };
    let config = json!({
        "environment": "sandbox", "tokenize_url": format!("{base}/pay/tokenize"), "merchant_id": role.name()
    });
    let handler = Handler {
        id: Id::new("sandbox_1")?,
        version: Version::new(EXTENSIONS_VERSION)?,
        spec: Some("https://example.com/vestibule/sandbox_pay".to_owned()),
        schema: Some("https://example.com/vestibule/sandbox_pay.json".to_owned()),
        available_instruments: Some(vec![Instruments {
            kind: "sandbox".to_owned(),
            constraints: None,
            more: More::new(),
        }]),
        config: config.as_object().cloned(),
        more: More::new(),
    };
    Ok(Profile {
        ucp: UcpMeta {
            services: Some([(Name::new(name::SHOPPING)?, vec![service])].into()),
            capabilities: Some(capabilities),
            payment_handlers: Some([(Name::new(name::SANDBOX_PAY)?, vec![handler])].into()),
            ..UcpMeta::new()
        },
        signing_keys: Some(vec![key.jwk()]),
        more: More::new(),
    })
}

/// Where the profile of a merchant at `base` is.
pub(crate) fn address(base: &str) -> Result<Endpoint, vestibule_ucp::EndpointError> {
    Endpoint::new(&format!("{base}/.well-known/ucp"))
}

#[cfg(test)]
mod tests {
    use vestibule_ucp::{Side, write};

    use super::*;

    #[test]
    fn every_role_has_a_profile_that_others_read() {
        let folder = tempfile::tempdir().unwrap();
        let key = key(folder.path()).unwrap();
        for role in [Role::Shop, Role::Manufacturer, Role::Supplier] {
            let profile = profile(role, "http://127.0.0.1:7801", &key).unwrap();
            let (read, dropped) = Profile::read(&write(&profile).unwrap(), Side::Business).unwrap();
            assert_eq!((read.keys().len(), dropped), (1, Vec::new()));
            assert_eq!(read.rest().unwrap().as_str(), "http://127.0.0.1:7801/ucp");
        }
    }

    #[test]
    fn a_key_stays_the_same_and_what_is_none_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let first = key(folder.path()).unwrap();
        assert_eq!(key(folder.path()).unwrap().jwk(), first.jwk());
        std::fs::write(folder.path().join("key"), b"short").unwrap();
        assert!(key(folder.path()).unwrap_err().to_string().contains("no key"));
    }
}
