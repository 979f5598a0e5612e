//! Bytes in files named by their BLAKE3 hash: models, captures.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use bytes::Bytes;
use vestibule_model::ContentHash;

use crate::StoreError;

/// Content in a folder, bounded in bytes; what was used longest ago goes first. Blocks: call it off the event loop.
#[derive(Clone, Debug)]
pub struct ContentStore {
    folder: PathBuf,
    limit: u64,
    held: Arc<RwLock<BTreeSet<ContentHash>>>,
}

impl ContentStore {
    /// Uses `folder`, at most `limit` bytes of it.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be made.
    pub fn open(folder: impl Into<PathBuf>, limit: u64) -> Result<Self, StoreError> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        // What a kill left half-written has no name yet.
        for entry in fs::read_dir(&folder)?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder, limit, held: Arc::default() })
    }

    fn path(&self, hash: ContentHash) -> PathBuf {
        self.folder.join(hash.to_string())
    }

    /// Keeps `bytes`: whole or not at all, also across a kill.
    ///
    /// # Errors
    /// [`StoreError::TooMuch`], [`StoreError::Full`] and what else a disk says.
    pub fn put(&self, bytes: &[u8]) -> Result<ContentHash, StoreError> {
        let size = bytes.len() as u64;
        if size > self.limit {
            return Err(StoreError::TooMuch { size, limit: self.limit });
        }
        let hash = ContentHash::of(bytes);
        let path = self.path(hash);
        if path.exists() {
            return Ok(hash);
        }
        self.make_room(size)?;
        let part = path.with_extension("part");
        let written = write_durably(&part, bytes).and_then(|()| fs::rename(&part, &path));
        if let Err(error) = written {
            // Room for what will be tried next; that it cannot be removed either changes nothing.
            let _ = fs::remove_file(&part);
            return Err(error.into());
        }
        Ok(hash)
    }

    /// The bytes of `hash`, checked; `None` where they are not kept.
    ///
    /// # Errors
    /// [`StoreError::Content`] where the file is not what its name says; it is removed, so that it can come anew.
    pub fn get(&self, hash: ContentHash) -> Result<Option<Bytes>, StoreError> {
        let path = self.path(hash);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if ContentHash::of(&bytes) != hash {
            fs::remove_file(&path)?;
            return Err(StoreError::Content(hash));
        }
        // Used just now; where that cannot be noted it only goes earlier.
        let _ = fs::File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Ok(Some(Bytes::from(bytes)))
    }

    /// These stay however much comes, until others are held in their place.
    pub fn hold(&self, held: BTreeSet<ContentHash>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// Removes what is kept under `hash`, if it is.
    ///
    /// # Errors
    /// What a disk says.
    pub fn remove(&self, hash: ContentHash) -> Result<(), StoreError> {
        match fs::remove_file(self.path(hash)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn is_held(&self, path: &Path) -> bool {
        let hash = path.file_name().and_then(|name| name.to_str()?.parse::<ContentHash>().ok());
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        hash.is_some_and(|hash| held.contains(&hash))
    }

    fn make_room(&self, size: u64) -> Result<(), StoreError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            if let Ok(about) = entry.metadata() {
                files.push((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len(), entry.path()));
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if total + size <= self.limit {
                return Ok(());
            }
            if !self.is_held(&path) {
                fs::remove_file(path)?;
                total -= length;
            }
        }
        if total + size <= self.limit {
            return Ok(());
        }
        Err(StoreError::TooMuch { size, limit: self.limit.saturating_sub(total) })
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_what_its_name_says() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path(), 100).unwrap();
        let hash = store.put(b"a house").unwrap();
        assert_eq!(store.get(hash).unwrap().unwrap(), b"a house".as_slice());
        assert_eq!(store.put(b"a house").unwrap(), hash);
        assert!(matches!(store.put(&[0; 101]), Err(StoreError::TooMuch { .. })));
        fs::write(dir.path().join(hash.to_string()), b"A house").unwrap();
        assert!(matches!(store.get(hash), Err(StoreError::Content(_))));
        assert_eq!(store.get(hash).unwrap(), None, "it can come anew");
    }

    #[test]
    fn it_is_bounded_and_half_files_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.part"), [0; 90]).unwrap();
        let store = ContentStore::open(dir.path(), 100).unwrap();
        let hashes: Vec<_> = (0..10_u8).map(|n| store.put(&[n; 30]).unwrap()).collect();
        let kept = hashes.iter().filter(|hash| store.get(**hash).unwrap().is_some()).count();
        assert_eq!(kept, 3);
        assert!(store.get(hashes[9]).unwrap().is_some(), "the newest stays");
    }

    #[test]
    fn what_is_held_stays_however_much_comes() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path(), 100).unwrap();
        let held = [store.put(&[1; 30]).unwrap(), store.put(&[2; 30]).unwrap()];
        store.clone().hold(held.into());
        for n in 3..10_u8 {
            store.put(&[n; 30]).unwrap();
        }
        assert!(held.iter().all(|hash| store.get(*hash).unwrap().is_some()));
        assert!(matches!(store.put(&[99; 50]), Err(StoreError::TooMuch { size: 50, limit: 40 })));
        store.hold(BTreeSet::new());
        store.put(&[99; 50]).unwrap();
        store.remove(held[1]).unwrap();
        store.remove(held[1]).unwrap();
        assert_eq!(store.get(held[1]).unwrap(), None);
    }
}
