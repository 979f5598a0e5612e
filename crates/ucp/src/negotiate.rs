use std::collections::BTreeMap;

use thiserror::Error;

use crate::{Capability, Handler, Name, Profile, Refused, UcpMeta, Version, code};

/// A capability as answers name it: its version, and nothing else.
pub type CapabilityRef = Capability;

/// What two parties can do together.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    /// The version of the protocol.
    pub version: Version,
    /// What both can do, each with the version that is spoken and what it extends.
    pub capabilities: BTreeMap<Name, (Version, Vec<Name>)>,
    /// The business's ways of paying that the platform knows.
    pub handlers: BTreeMap<Name, Vec<Handler>>,
}

/// Why two parties can do nothing together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoDeal {
    /// No version in common. Said as [`Trouble::VersionUnsupported`](crate::Trouble::VersionUnsupported).
    #[error("version {theirs} of the protocol is not spoken here")]
    Version {
        /// The platform's.
        theirs: Version,
    },
    /// No capability in common.
    #[error("there is no capability in common")]
    Nothing,
    /// What is needed is not in common.
    #[error("{0} is not in common")]
    Missing(String),
}

impl NoDeal {
    /// What is answered, with a status of success: for all but [`NoDeal::Version`].
    #[must_use]
    pub fn refused(&self) -> Refused {
        let code = match self {
            Self::Version { .. } => code::VERSION_UNSUPPORTED,
            Self::Nothing | Self::Missing(_) => code::CAPABILITIES_INCOMPATIBLE,
        };
        let mut refused = Refused::because(code, self.to_string());
        refused.ucp.capabilities = Some(BTreeMap::new());
        refused
    }
}

/// What both can do: of each capability the highest version that both have; then extensions go whose parents are all
/// gone, until nothing changes.
///
/// # Errors
/// [`NoDeal`].
pub fn negotiate(business: &Profile, platform: &Profile) -> Result<Active, NoDeal> {
    let theirs = &platform.ucp.version;
    let is_older = business.ucp.supported_versions.as_ref().is_some_and(|older| older.contains_key(theirs));
    if *theirs != business.ucp.version && !is_older {
        return Err(NoDeal::Version { theirs: theirs.clone() });
    }
    let mut capabilities = in_common(&business.ucp, &platform.ucp);
    loop {
        let orphans: Vec<Name> = capabilities
            .iter()
            .filter(|(_, (_, parents))| {
                !parents.is_empty() && !parents.iter().any(|parent| capabilities.contains_key(parent))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if orphans.is_empty() {
            break;
        }
        orphans.iter().for_each(|name| {
            capabilities.remove(name);
        });
    }
    if capabilities.is_empty() {
        return Err(NoDeal::Nothing);
    }
    Ok(Active { version: theirs.clone(), capabilities, handlers: handlers(&business.ucp, &platform.ucp) })
}

fn in_common(business: &UcpMeta, platform: &UcpMeta) -> BTreeMap<Name, (Version, Vec<Name>)> {
    let mut common = BTreeMap::new();
    let Some(known) = &platform.capabilities else { return common };
    for (name, versions) in business.capabilities.iter().flatten() {
        let Some(theirs) = known.get(name) else { continue };
        let both = versions.iter().filter(|mine| theirs.iter().any(|other| other.version == mine.version));
        if let Some(highest) = both.max_by(|one, other| one.version.cmp(&other.version)) {
            // A business may leave out what it extends: then the platform's word counts.
            let parents = match highest.parents() {
                [] => theirs.iter().find(|other| other.version == highest.version).map_or(&[][..], Capability::parents),
                parents => parents,
            };
            common.insert(name.clone(), (highest.version.clone(), parents.to_vec()));
        }
    }
    common
}

fn handlers(business: &UcpMeta, platform: &UcpMeta) -> BTreeMap<Name, Vec<Handler>> {
    let Some(known) = &platform.payment_handlers else { return BTreeMap::new() };
    let mut handlers = BTreeMap::new();
    for (name, mine) in business.payment_handlers.iter().flatten() {
        let Some(theirs) = known.get(name) else { continue };
        let both = mine.iter().filter(|mine| theirs.iter().any(|other| other.version == mine.version));
        let both: Vec<Handler> = both.cloned().collect();
        if !both.is_empty() {
            handlers.insert(name.clone(), both);
        }
    }
    handlers
}

impl Active {
    /// Whether both can do this.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.capabilities.contains_key(name)
    }

    /// Both can do this.
    ///
    /// # Errors
    /// [`NoDeal::Missing`].
    pub fn need(&self, name: &str) -> Result<(), NoDeal> {
        if self.has(name) { Ok(()) } else { Err(NoDeal::Missing(name.to_owned())) }
    }

    /// What an answer about `root` names: it, and what extends it, of what both can do.
    #[must_use]
    pub fn for_answer(&self, root: &str) -> BTreeMap<Name, Vec<CapabilityRef>> {
        let relevant = |(name, (_, parents)): &(&Name, &(Version, Vec<Name>))| {
            name.as_str() == root || parents.iter().any(|parent| parent.as_str() == root)
        };
        let all = self.capabilities.iter().filter(relevant);
        all.map(|(name, (version, _))| (name.clone(), vec![Capability::of(version.clone())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Extends, More};

    fn profile(version: &str, capabilities: &[(&str, &[&str], &[&str])]) -> Profile {
        let mut ucp = UcpMeta::new();
        ucp.version = Version::new(version).unwrap();
        let of = |(name, versions, parents): &(&str, &[&str], &[&str])| {
            let parents: Vec<Name> = parents.iter().map(|parent| Name::new(*parent).unwrap()).collect();
            let extends = (!parents.is_empty()).then_some(Extends::Any(parents));
            let one = |version: &&str| Capability {
                extends: extends.clone(),
                ..Capability::of(Version::new(*version).unwrap())
            };
            (Name::new(*name).unwrap(), versions.iter().map(one).collect())
        };
        ucp.capabilities = Some(capabilities.iter().map(of).collect());
        Profile { ucp, signing_keys: None, more: More::new() }
    }

    fn names(active: &Active) -> Vec<&str> {
        active.capabilities.keys().map(Name::as_str).collect()
    }

    #[test]
    fn the_highest_version_of_both_is_spoken() {
        let v = "2026-04-08";
        let business = profile(
            v,
            &[("a.checkout", &["2026-01-01", "2026-04-08", "2026-09-01"], &[]), ("a.order", &["2026-04-08"], &[])],
        );
        let platform =
            profile(v, &[("a.checkout", &["2026-04-08", "2026-01-01"], &[]), ("a.order", &["2026-05-01"], &[])]);
        let active = negotiate(&business, &platform).unwrap();
        assert_eq!(names(&active), ["a.checkout"]);
        assert_eq!(active.capabilities["a.checkout"].0.as_str(), "2026-04-08");
        assert!(active.need("a.checkout").is_ok());
        assert_eq!(active.need("a.order"), Err(NoDeal::Missing("a.order".into())));
        assert_eq!(active.need("a.order").unwrap_err().refused().code(), Some("capabilities_incompatible"));
    }

    #[test]
    fn orphans_go_and_theirs_after_them() {
        let v = "2026-04-08";
        let business = profile(
            v,
            &[
                ("a.root", &[v], &[]),
                ("a.one", &[v], &["a.gone"]),
                ("a.two", &[v], &["a.one"]),
                ("a.three", &[v], &["a.two", "a.root"]),
                ("a.gone", &[v], &[]),
            ],
        );
        let platform =
            profile(v, &[("a.root", &[v], &[]), ("a.one", &[v], &[]), ("a.two", &[v], &[]), ("a.three", &[v], &[])]);
        let active = negotiate(&business, &platform).unwrap();
        assert_eq!(names(&active), ["a.root", "a.three"]);
        assert_eq!(active.for_answer("a.root").len(), 2);
        assert!(active.for_answer("a.two").contains_key("a.three") && active.for_answer("a.none").is_empty());
    }

    #[test]
    fn versions_of_the_protocol_must_fit() {
        let all: &[(&str, &[&str], &[&str])] = &[("a.b", &["2026-04-08"], &[])];
        let (mut business, platform) = (profile("2026-09-01", all), profile("2026-04-08", all));
        let theirs = Version::ours();
        assert_eq!(negotiate(&business, &platform), Err(NoDeal::Version { theirs: theirs.clone() }));
        business.ucp.supported_versions = Some([(theirs.clone(), "https://a.example/old".to_owned())].into());
        assert_eq!(negotiate(&business, &platform).unwrap().version, theirs);
        assert_eq!(negotiate(&profile("2026-04-08", all), &profile("2026-04-08", &[])), Err(NoDeal::Nothing));
    }

    proptest! {
        /// Whatever two parties can do: what is active both have, and no extension stands without a parent.
        #[test]
        fn what_is_active_stands_on_something(
            mine in proptest::collection::btree_map(0_usize..8, proptest::collection::vec(0_usize..8, 0..3), 0..8),
            theirs in proptest::collection::btree_set(0_usize..8, 0..8),
        ) {
            const NAMES: [&str; 8] = ["x.a", "x.b", "x.c", "x.d", "x.e", "x.f", "x.g", "x.h"];
            let parents: Vec<Vec<&str>> = mine.values().map(|all| all.iter().map(|at| NAMES[*at]).collect()).collect();
            let v: &[&str] = &["2026-04-08"];
            let of = mine.keys().zip(&parents).map(|(at, parents)| (NAMES[*at], v, parents.as_slice())).collect::<Vec<_>>();
            let business = profile("2026-04-08", &of);
            let platform = profile("2026-04-08", &theirs.iter().map(|at| (NAMES[*at], v, &[][..])).collect::<Vec<_>>());
            if let Ok(active) = negotiate(&business, &platform) {
                for (name, (_, parents)) in &active.capabilities {
                    prop_assert!(platform.ucp.capabilities.as_ref().unwrap().contains_key(name));
                    prop_assert!(parents.is_empty() || parents.iter().any(|parent| active.has(parent.as_str())));
                }
            }
        }
    }
}
