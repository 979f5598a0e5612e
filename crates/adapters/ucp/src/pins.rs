//! What merchants are known by: the thumbprints of their keys. An address says nothing of who answers there; ports of
//! merchants on this machine change with each start, and names can be taken over.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::SystemId;
use vestibule_ucp::Jwk;

use crate::limits::MAX_PINS;

/// Kinds of requests. Who signs answers to one kind goes on to do so: an unsigned one is then not theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Profile,
    Catalog,
    Package,
    Quote,
    Create,
    Update,
    Session,
    CancelSession,
    Pay,
    Complete,
    Order,
    CancelOrder,
}

/// Why the file with what merchants are known by is not used.
#[derive(Debug, Error)]
pub enum PinsError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// It is something else.
    #[error("{0} is not what merchants are known by: {1}")]
    Malformed(PathBuf, String),
}

/// None of a merchant's keys is one that it is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it shows other keys than it is known by; take it out of trade.json to trust it anew")]
pub(crate) struct Stranger;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pin {
    #[serde(default)]
    keys: BTreeSet<String>,
    #[serde(default)]
    signs: BTreeSet<Kind>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    #[serde(default)]
    merchants: BTreeMap<SystemId, Pin>,
}

/// What merchants are known by, kept in a file.
#[derive(Debug)]
pub(crate) struct Pins {
    path: Option<PathBuf>,
    known: Mutex<Known>,
}

impl Pins {
    /// Reads the file; one that is not there is empty. Without a path nothing outlives the process.
    pub(crate) fn load(path: Option<PathBuf>) -> Result<Self, PinsError> {
        let known = match &path {
            Some(path) => read(path)?,
            None => Known::default(),
        };
        Ok(Self { path, known: Mutex::new(known) })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of a profile's keys that its merchant is known by. The first keys that are seen are those; later ones
    /// become it where `vouched`: the profile that shows them is signed with one of the earlier.
    ///
    /// A merchant without keys has none, and is none the less a stranger where it once had some.
    pub(crate) fn admit(&self, system: &SystemId, keys: &[Jwk], vouched: bool) -> Result<Vec<Jwk>, Stranger> {
        let named = |key: &Jwk| key.thumbprint().ok().map(|thumbprint| (thumbprint, key.clone()));
        let named: Vec<(String, Jwk)> = keys.iter().filter_map(named).collect();
        let mut known = self.known();
        let before = known.clone();
        let pin = known.merchants.entry(system.clone()).or_default();
        if pin.keys.is_empty() || vouched {
            pin.keys.extend(named.iter().map(|(thumbprint, _)| thumbprint.clone()));
        }
        let admitted: Vec<Jwk> =
            named.into_iter().filter(|(thumbprint, _)| pin.keys.contains(thumbprint)).map(|(_, key)| key).collect();
        let stranger = admitted.is_empty() && !pin.keys.is_empty();
        if *known != before {
            self.keep(&known);
        }
        if stranger { Err(Stranger) } else { Ok(admitted) }
    }

    /// Those of a profile's keys that its merchant is known by already.
    pub(crate) fn pinned(&self, system: &SystemId, keys: &[Jwk]) -> Vec<Jwk> {
        let known = self.known();
        let Some(pin) = known.merchants.get(system) else { return Vec::new() };
        let is_known = |key: &&Jwk| key.thumbprint().is_ok_and(|thumbprint| pin.keys.contains(&thumbprint));
        keys.iter().filter(is_known).cloned().collect()
    }

    /// Whether answers of this kind have been signed before.
    pub(crate) fn signs(&self, system: &SystemId, kind: Kind) -> bool {
        self.known().merchants.get(system).is_some_and(|pin| pin.signs.contains(&kind))
    }

    /// An answer of this kind was signed.
    pub(crate) fn signed(&self, system: &SystemId, kind: Kind) {
        let mut known = self.known();
        if known.merchants.entry(system.clone()).or_default().signs.insert(kind) {
            self.keep(&known);
        }
    }

    /// Written a few times in a merchant's life. What cannot be written is known until the end of the process.
    fn keep(&self, known: &Known) {
        if let Some(path) = &self.path
            && let Err(error) = write(path, known)
        {
            tracing::warn!(path = %path.display(), %error, "what merchants are known by could not be written down");
        }
    }
}

fn read(path: &Path) -> Result<Known, PinsError> {
    let failed = |error| PinsError::File(path.to_owned(), error);
    let malformed = |words: String| PinsError::Malformed(path.to_owned(), words);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Known::default()),
        Err(error) => return Err(failed(error)),
        Ok(data) if data.len() > MAX_PINS => return Err(malformed("it is too long".to_owned())),
        Ok(_) => {}
    }
    let bytes = fs::read(path).map_err(failed)?;
    serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))
}

/// Beside it first, then in its place: whoever reads it sees the older or the newer one.
fn write(path: &Path, known: &Known) -> io::Result<()> {
    use io::Write as _;
    let beside = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(&serde_json::to_vec_pretty(known)?)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use vestibule_ucp::SigningKey;

    use super::*;

    fn key(kid: &str, byte: u8) -> Jwk {
        SigningKey::from_bytes(kid, &[byte; 32]).unwrap().jwk()
    }

    #[test]
    fn the_first_keys_are_the_ones_and_others_need_their_word() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trade.json");
        let pins = Pins::load(Some(path.clone())).unwrap();
        let shop = SystemId::slug("shop");
        assert_eq!(pins.admit(&shop, &[], false), Ok(Vec::new()), "without keys nobody is known by one");
        assert_eq!(pins.admit(&shop, &[key("a", 1)], false), Ok(vec![key("a", 1)]));
        assert_eq!(pins.admit(&shop, &[key("b", 2)], false), Err(Stranger));
        assert_eq!(pins.admit(&shop, &[], false), Err(Stranger));
        // The same key by another name is the same; one beside it that nobody vouches for is not used.
        assert_eq!(pins.admit(&shop, &[key("z", 1), key("b", 2)], false), Ok(vec![key("z", 1)]));
        let again = Pins::load(Some(path.clone())).unwrap();
        assert_eq!(again.admit(&shop, &[key("b", 2)], false), Err(Stranger), "a restart forgets nothing");
        assert_eq!(again.admit(&shop, &[key("a", 1), key("b", 2)], true).unwrap().len(), 2);
        assert_eq!(again.admit(&shop, &[key("b", 2)], false), Ok(vec![key("b", 2)]));
        assert_eq!(again.pinned(&shop, &[key("b", 2), key("c", 3)]), vec![key("b", 2)]);
        assert!(!again.signs(&shop, Kind::Order));
        again.signed(&shop, Kind::Order);
        assert!(Pins::load(Some(path)).unwrap().signs(&shop, Kind::Order));
    }

    #[test]
    fn a_file_that_is_none_is_told_and_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trade.json");
        for bytes in [&b"{"[..], b"7", b"{\"merchants\":{\"\":{}}}", &[0xff; 8]] {
            fs::write(&path, bytes).unwrap();
            assert!(matches!(Pins::load(Some(path.clone())), Err(PinsError::Malformed(..))), "{bytes:?}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trade.json");
        let pins = Pins::load(Some(path.clone())).unwrap();
        pins.signed(&SystemId::slug("shop"), Kind::Order);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
