use std::{collections::BTreeMap, fs, io, path::PathBuf};

use thiserror::Error;

use crate::{Fingerprint, identity::write_private};

/// Lines that a file of enablers may have: nobody pairs with more.
const MOST: usize = 1000;

/// Why the file of known enablers cannot be used.
#[derive(Debug, Error)]
pub enum KnownError {
    /// Not readable or writable.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line that is none of ours.
    #[error("line {line} of {} is not \"fingerprint host:port name\"", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
}

/// The enablers that this device has paired with: a text file, a line each, `fingerprint host:port name`.
#[derive(Clone, Debug)]
pub struct KnownServers {
    path: PathBuf,
    servers: BTreeMap<String, (Fingerprint, String)>,
}

impl KnownServers {
    /// Reads the file; one that is not there is empty.
    ///
    /// # Errors
    /// [`KnownError`].
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, KnownError> {
        let path = path.into();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(KnownError::File { path, source }),
        };
        Self::read(path, &text)
    }

    /// Reads what a file says; it is written to `path` when something changes.
    ///
    /// # Errors
    /// [`KnownError::Line`].
    pub fn read(path: PathBuf, text: &str) -> Result<Self, KnownError> {
        let mut servers = BTreeMap::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).take(MOST) {
            let mut words = line.splitn(3, ' ');
            let (Some(Ok(fingerprint)), Some(target)) = (words.next().map(str::parse), words.next()) else {
                return Err(KnownError::Line { path, line: number + 1 });
            };
            servers.insert(target.to_owned(), (fingerprint, words.next().unwrap_or_default().to_owned()));
        }
        Ok(Self { path, servers })
    }

    /// The file as it is written.
    #[must_use]
    pub fn text(&self) -> String {
        self.iter().map(|(target, fingerprint, name)| format!("{fingerprint} {target} {name}\n")).collect()
    }

    /// The fingerprint of the enabler at `target` (`host:port`), where this device has paired with it.
    #[must_use]
    pub fn get(&self, target: &str) -> Option<Fingerprint> {
        self.servers.get(target).map(|(fingerprint, _)| *fingerprint)
    }

    /// All of them: where, who, what they call themselves.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Fingerprint, &str)> {
        self.servers.iter().map(|(target, (fingerprint, name))| (target.as_str(), *fingerprint, name.as_str()))
    }

    /// Remembers an enabler after pairing, in the file as well.
    ///
    /// # Errors
    /// [`KnownError::File`].
    pub fn remember(&mut self, target: &str, fingerprint: Fingerprint, name: &str) -> Result<(), KnownError> {
        let clean = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        self.servers.insert(clean(target).replace(' ', ""), (fingerprint, clean(name)));
        self.save()
    }

    /// Forgets the enabler at `target`, in the file as well.
    ///
    /// # Errors
    /// [`KnownError::File`].
    pub fn forget(&mut self, target: &str) -> Result<(), KnownError> {
        self.servers.remove(target);
        self.save()
    }

    fn save(&self) -> Result<(), KnownError> {
        let failed = |source| KnownError::File { path: self.path.clone(), source };
        write_private(&self.path, self.text().as_bytes(), true).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enablers_are_remembered_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/known");
        let mut known = KnownServers::load(&path).unwrap();
        known.remember("home:4433", Fingerprint([7; 32]), "Home\nsweet home").unwrap();
        let mut again = KnownServers::load(&path).unwrap();
        assert_eq!(again.get("home:4433"), Some(Fingerprint([7; 32])));
        assert_eq!(again.iter().next().unwrap().2, "Home sweet home");
        again.forget("home:4433").unwrap();
        assert_eq!(KnownServers::load(&path).unwrap().get("home:4433"), None);
        fs::write(&path, "what is this\n").unwrap();
        assert!(matches!(KnownServers::load(&path), Err(KnownError::Line { line: 1, .. })));
    }
}
