use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Capability, Check, Endpoint, Flaw, Jwk, More, Name, ReadError, Service, UcpMeta, Version,
    json::{all_different, at_most, read},
    limits::MAX_KEYS,
    name,
};

/// Whose profile it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who sells.
    Business,
    /// Who buys for somebody.
    Platform,
}

/// What a party publishes of itself: what it can do, and its keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// What it can do.
    pub ucp: UcpMeta,
    /// What its signatures are held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_keys: Option<Vec<Jwk>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// A capability that was left out, since its words are not at its owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Which one.
    pub name: Name,
    /// In which version.
    pub version: Version,
}

impl Check for Profile {
    fn check(&self) -> Result<(), Flaw> {
        self.ucp.check()?;
        let keys = self.keys();
        at_most("keys", keys, MAX_KEYS)?;
        all_different(keys.iter().map(|key| key.kid.as_str()), "each key has its own id")?;
        if keys.iter().any(Jwk::is_private) {
            return Err(Flaw::Rule("a profile never has a private key"));
        }
        if self.ucp.services.is_none() || self.ucp.payment_handlers.is_none() {
            return Err(Flaw::Rule("a profile has services and payment handlers"));
        }
        Ok(())
    }
}

impl Profile {
    /// Reads a profile. What it says it can do is left out where its words are not at the owner of its name; what was
    /// left out is told.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(body: &[u8], side: Side) -> Result<(Self, Vec<Dropped>), ReadError> {
        let mut profile: Self = read(body)?;
        profile.check_side(side)?;
        let mut dropped = Vec::new();
        if let Some(capabilities) = &mut profile.ucp.capabilities {
            for (name, versions) in capabilities.iter_mut() {
                versions.retain(|capability| {
                    let kept = is_at_its_owners(name, capability);
                    if !kept {
                        dropped.push(Dropped { name: name.clone(), version: capability.version.clone() });
                    }
                    kept
                });
            }
            capabilities.retain(|_, versions| !versions.is_empty());
        }
        Ok((profile, dropped))
    }

    fn check_side(&self, side: Side) -> Result<(), Flaw> {
        let services = || self.ucp.services.iter().flatten().flat_map(|(_, all)| all);
        let capabilities = || self.ucp.capabilities.iter().flatten().flat_map(|(_, all)| all);
        let handlers = || self.ucp.payment_handlers.iter().flatten().flat_map(|(_, all)| all);
        let whole = match side {
            Side::Business => services().all(|one| one.transport == "embedded" || one.endpoint.is_some()),
            Side::Platform => {
                services().all(|one| one.spec.is_some() && (one.transport == "a2a" || one.schema.is_some()))
                    && capabilities().all(|one| one.spec.is_some() && one.schema.is_some())
                    && handlers().all(|one| one.spec.is_some() && one.schema.is_some())
            }
        };
        if whole { Ok(()) } else { Err(Flaw::Rule("a profile says where each thing is described, or spoken")) }
    }

    /// What its signatures are held against.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        self.signing_keys.as_deref().unwrap_or_default()
    }

    /// Where a business is spoken to over HTTP. An address that may not be spoken to is as if it were not there.
    #[must_use]
    pub fn rest(&self) -> Option<Endpoint> {
        let services = self.ucp.services.as_ref()?.get(name::SHOPPING)?;
        let at = |service: &&Service| service.transport == "rest" && service.version == self.ucp.version;
        Endpoint::new(services.iter().find(at)?.endpoint.as_deref()?).ok()
    }

    /// Where a platform wants to hear of its orders.
    #[must_use]
    pub fn webhook(&self) -> Option<Endpoint> {
        let orders = self.ucp.capabilities.as_ref()?.get(name::ORDER)?;
        let urls = orders.iter().filter_map(|order| order.config.as_ref()?.get("webhook_url").and_then(Value::as_str));
        urls.filter_map(|url| Endpoint::new(url).ok()).next()
    }
}

/// Whether a capability's words are at the domain that its name begins with (reversed). Nobody describes what is
/// another's.
fn is_at_its_owners(name: &Name, capability: &Capability) -> bool {
    let mut urls = [&capability.spec, &capability.schema].into_iter().flatten();
    urls.all(|url| {
        // A part of a page is on the same page.
        let page = url.split(['?', '#']).next().unwrap_or_default();
        Endpoint::new(page).is_ok_and(|url| {
            let reversed: Vec<&str> = url.host().rsplit('.').collect();
            url.is_secure() && reversed.len() > 1 && name.belongs_to(&reversed.join("."))
        })
    })
}
