//! Content by its hash: pictures in memory, models on disk.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use vestibule_model::ContentHash;
use vestibule_store::{ContentStore, StoreError};

/// Bytes of pictures in memory: some hundred pictures of a camera; the oldest go first.
const MEMORY: usize = 64 * 1024 * 1024;

/// Content that was given to the hub.
#[derive(Debug)]
pub(super) struct Contents {
    memory: Mutex<Lru>,
    disk: Option<ContentStore>,
}

#[derive(Debug, Default)]
struct Lru {
    entries: HashMap<ContentHash, (u64, Bytes)>,
    by_use: BTreeMap<u64, ContentHash>,
    uses: u64,
    bytes: usize,
    held: BTreeSet<ContentHash>,
}

impl Lru {
    fn get(&mut self, hash: ContentHash) -> Option<Bytes> {
        self.uses += 1;
        let (used, bytes) = self.entries.get_mut(&hash)?;
        self.by_use.remove(used);
        *used = self.uses;
        self.by_use.insert(self.uses, hash);
        Some(bytes.clone())
    }

    fn put(&mut self, hash: ContentHash, bytes: Bytes) {
        if self.get(hash).is_some() {
            return;
        }
        self.bytes += bytes.len();
        self.entries.insert(hash, (self.uses, bytes));
        self.by_use.insert(self.uses, hash);
        while self.bytes > MEMORY
            && let Some(oldest) = self.by_use.values().find(|hash| !self.held.contains(hash)).copied()
        {
            self.remove(oldest);
        }
    }

    fn remove(&mut self, hash: ContentHash) {
        if let Some((used, bytes)) = self.entries.remove(&hash) {
            self.by_use.remove(&used);
            self.bytes -= bytes.len();
        }
    }
}

impl Contents {
    pub(super) fn new(disk: Option<ContentStore>) -> Self {
        Self { memory: Mutex::default(), disk }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Lru> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps bytes: a model (`model/...`) on disk where there is one, anything else in memory.
    pub(super) async fn put(&self, bytes: Bytes, media: &str) -> Result<ContentHash, StoreError> {
        if let Some(disk) = self.disk.clone().filter(|_| media.starts_with("model/")) {
            return blocking(move || disk.put(&bytes)).await;
        }
        if bytes.len() > MEMORY {
            return Err(StoreError::TooMuch { size: bytes.len() as u64, limit: MEMORY as u64 });
        }
        let hash = ContentHash::of(&bytes);
        self.memory().put(hash, bytes);
        Ok(hash)
    }

    /// These stay however much comes, until others are held in their place.
    pub(super) fn hold(&self, held: BTreeSet<ContentHash>) {
        if let Some(disk) = &self.disk {
            disk.hold(held.clone());
        }
        self.memory().held = held;
    }

    /// Removes what is kept under `hash`.
    pub(super) async fn remove(&self, hash: ContentHash) -> Result<(), StoreError> {
        self.memory().remove(hash);
        match self.disk.clone() {
            Some(disk) => blocking(move || disk.remove(hash)).await,
            None => Ok(()),
        }
    }

    /// The bytes of `hash`, where they are kept.
    pub(super) async fn get(&self, hash: ContentHash) -> Result<Option<Bytes>, StoreError> {
        let found = self.memory().get(hash);
        match (found, self.disk.clone()) {
            (None, Some(disk)) => blocking(move || disk.get(hash)).await,
            (found, _) => Ok(found),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(StoreError::Io(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pictures_are_bounded_and_models_stay() {
        let dir = tempfile::tempdir().unwrap();
        let contents = Contents::new(Some(ContentStore::open(dir.path(), 1 << 20).unwrap()));
        let model = contents.put(Bytes::from_static(b"glTF"), "model/gltf-binary").await.unwrap();
        let mut hashes = Vec::new();
        for n in 0..10_u8 {
            hashes.push(contents.put(Bytes::from(vec![n; 10 * 1024 * 1024]), "image/jpeg").await.unwrap());
        }
        assert_eq!(contents.get(hashes[0]).await.unwrap(), None);
        assert!(contents.get(hashes[9]).await.unwrap().is_some());
        assert!(contents.memory().bytes <= MEMORY);
        contents.hold([hashes[9]].into());
        for n in 10..20_u8 {
            contents.put(Bytes::from(vec![n; 10 * 1024 * 1024]), "image/jpeg").await.unwrap();
        }
        assert!(contents.get(hashes[9]).await.unwrap().is_some() && contents.memory().bytes <= MEMORY);
        contents.remove(hashes[9]).await.unwrap();
        assert_eq!(contents.get(hashes[9]).await.unwrap(), None);
        let again = Contents::new(Some(ContentStore::open(dir.path(), 1 << 20).unwrap()));
        assert_eq!(again.get(model).await.unwrap().unwrap(), b"glTF".as_slice());
    }
}
