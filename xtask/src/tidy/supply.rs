//! What we let in: licences, sources and bans as `deny.toml` says, checked on `cargo metadata`.
//!
//! The file has cargo-deny's form, so that whoever has that program can ask it the same, and for advisories, which need
//! a network.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use spdx::{Expression, Licensee};

use super::{Finding, Tree};
use crate::workspace::metadata;

/// A package from somewhere else.
#[derive(Debug, Clone, Default)]
pub struct Supplied {
    name: String,
    version: String,
    /// An SPDX expression, where its author gave one.
    license: Option<String>,
    /// Where cargo gets it from; `None`: a path.
    source: Option<String>,
    is_member: bool,
}

/// What may come in.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    allowed: Vec<Licensee>,
    banned: Vec<(String, String)>,
}

impl Policy {
    /// Reads `deny.toml`.
    pub fn read(text: &str) -> Result<Self> {
        let file: toml::Table = text.parse().context("deny.toml is no TOML")?;
        let list = |section: &str, key: &str| -> Vec<toml::Value> {
            let values = file.get(section).and_then(|section| section.get(key)).and_then(toml::Value::as_array);
            values.cloned().unwrap_or_default()
        };
        let allow = list("licenses", "allow");
        let allowed = allow.iter().filter_map(toml::Value::as_str).map(|name| {
            Licensee::parse(name).with_context(|| format!("deny.toml allows {name:?}, which is no SPDX licence"))
        });
        let text = |table: &toml::Value, key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let deny = list("bans", "deny");
        let banned = deny.iter().filter_map(|ban| Some((text(ban, "crate")?, text(ban, "reason")?)));
        Ok(Self { allowed: allowed.collect::<Result<_>>()?, banned: banned.collect() })
    }
}

/// The packages that `cargo metadata` names.
pub fn read(metadata: &Value) -> Vec<Supplied> {
    let members = metadata["workspace_members"].as_array().cloned().unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    packages
        .map(|package| Supplied {
            name: text(&package["name"]).unwrap_or_default(),
            version: text(&package["version"]).unwrap_or_default(),
            license: text(&package["license"]),
            source: text(&package["source"]),
            is_member: members.contains(&package["id"]),
        })
        .collect()
}

/// Everything that should not have come in.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.supplied.iter().flat_map(|package| problems(package, &tree.policy)).collect()
}

/// Which of these workspaces' locks cargo would change.
pub fn stale(root: &Path, folders: &[&str]) -> Vec<Finding> {
    let refused = |folder: &&str| {
        let manifest = root.join(folder).join("Cargo.toml");
        let locked = metadata(&["--locked", "--manifest-path", &manifest.to_string_lossy()]);
        Some(Finding::new(format!("{folder}/Cargo.lock"), format!("{:#}", locked.err()?)))
    };
    folders.iter().filter_map(refused).collect()
}

fn problems(package: &Supplied, policy: &Policy) -> Vec<Finding> {
    let place = format!("{} {}", package.name, package.version);
    let mut found = Vec::new();
    if let Some((_, reason)) = policy.banned.iter().find(|(name, _)| *name == package.name) {
        found.push(Finding::new(place.clone(), format!("is banned: {reason}")));
    }
    if package.is_member {
        return found;
    }
    match &package.source {
        Some(source) if source.starts_with("registry+") => {}
        source => {
            let from = source.as_deref().unwrap_or("a path outside of this workspace");
            found.push(Finding::new(place.clone(), format!("comes from {from}: only the registry has checksums")));
        }
    }
    // An older way to write OR.
    let license = package.license.as_deref().unwrap_or_default().replace('/', " OR ");
    let is_allowed = |requirement: &spdx::LicenseReq| policy.allowed.iter().any(|own| own.satisfies(requirement));
    match Expression::parse(&license) {
        Ok(expression) if expression.evaluate(is_allowed) => {}
        Ok(_) => found.push(Finding::new(place, format!("has the licence {license}, which deny.toml does not allow"))),
        Err(_) => found.push(Finding::new(place, format!("says {license:?} of its licence, which is none"))),
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let text = "[licenses]\nallow = ['MIT', 'Apache-2.0 WITH LLVM-exception']\n\
                    [bans]\ndeny = [{ crate = 'openssl', reason = 'rustls is here' }]\n";
        Policy::read(text).unwrap()
    }

    fn package(license: Option<&str>, source: Option<&str>) -> Supplied {
        let (license, source) = (license.map(str::to_owned), source.map(str::to_owned));
        Supplied { name: "some".to_owned(), version: "1.0.0".to_owned(), license, source, is_member: false }
    }

    #[test]
    fn licences_are_expressions() {
        let registry = Some("registry+index");
        let passes = |license| problems(&package(license, registry), &policy()).is_empty();
        assert!(passes(Some("MIT")) && passes(Some("MIT OR GPL-3.0-only")) && passes(Some("BSD-4-Clause/MIT")));
        assert!(passes(Some("Apache-2.0 WITH LLVM-exception")));
        for wrong in [Some("GPL-3.0-only"), Some("MIT AND GPL-3.0-only"), Some("Apache-2.0"), Some("mine"), None] {
            assert!(!passes(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_lock_that_is_behind_is_found() {
        let folder = std::env::temp_dir().join(format!("vestibule-stale-{}", std::process::id()));
        let inner = folder.join("own");
        std::fs::create_dir_all(inner.join("src")).unwrap();
        std::fs::write(inner.join("src/lib.rs"), "").unwrap();
        let manifest = "[package]\nname = 'own'\nversion = '0.1.0'\nedition = '2024'\n[workspace]\n";
        std::fs::write(inner.join("Cargo.toml"), manifest).unwrap();
        assert_eq!(stale(&folder, &["own"])[0].place, "own/Cargo.lock", "there is none");
        metadata(&["--manifest-path", &inner.join("Cargo.toml").to_string_lossy()]).unwrap();
        assert!(stale(&folder, &["own"]).is_empty());
        std::fs::write(inner.join("Cargo.toml"), manifest.replace("0.1.0", "0.2.0")).unwrap();
        assert!(stale(&folder, &["own"])[0].message.contains("--locked"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn sources_and_bans() {
        assert!(!problems(&package(Some("MIT"), Some("git+somewhere")), &policy()).is_empty());
        assert!(!problems(&package(Some("MIT"), None), &policy()).is_empty());
        let banned = Supplied { name: "openssl".to_owned(), ..package(Some("MIT"), Some("registry+index")) };
        assert!(problems(&banned, &policy())[0].message.contains("rustls is here"));
    }

    #[test]
    fn our_own_policy_can_be_read() {
        let policy = Policy::read(include_str!("../../../deny.toml")).unwrap();
        assert!(policy.allowed.len() > 5 && policy.banned.len() > 3);
        assert!(Policy::read("[licenses]\nallow = ['Beer']").is_err());
    }
}
