//! What users give, part by part: designs go to the contents, documents about people to a place of their own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use vestibule_enabler_core::PERSON_MEDIA;
use vestibule_model::{ContentHash, Json, Refusal, RefusalCode, UserId};
use vestibule_protocol::{Persons, Request, Response};
use vestibule_store::StoreError;

use super::{
    contents::Contents,
    core::Core,
    handle::{Ask, Work},
    persons::PersonStore,
    shelf::{Dropped, NotTaken, Shelf},
};

/// Bytes of parts in memory whose rest has not come: two of the longest; those that nobody adds to go first.
const MOST_BEGUN_BYTES: usize = 128 * 1024 * 1024;
/// Things that one user can give at once.
const MOST_BEGUN_EACH: usize = 4;
/// References to documents about people in the input of one service.
const MOST_REFERENCES: usize = 16;
/// What a reference to a document about a person is called.
const REFERENCE: &str = "$person";

/// Something of which parts have come.
#[derive(Debug)]
struct Begun {
    media: String,
    size: u64,
    bytes: Vec<u8>,
    used: u64,
}

#[derive(Debug, Default)]
struct AllBegun {
    by_hash: BTreeMap<(UserId, ContentHash), Begun>,
    uses: u64,
}

/// A part, as it was asked to be taken.
struct Part {
    hash: ContentHash,
    size: u64,
    media: String,
    offset: u64,
    bytes: Vec<u8>,
}

/// Whether more is to come, or all of it is there.
enum Taken {
    More(u64),
    Whole(Vec<u8>),
}

impl AllBegun {
    fn take(&mut self, user: &UserId, part: Part) -> Taken {
        self.uses += 1;
        let (key, used) = ((user.clone(), part.hash), self.uses);
        let fresh = || Begun { media: part.media.clone(), size: part.size, bytes: Vec::new(), used };
        let begun = self.by_hash.entry(key.clone()).or_insert_with(fresh);
        if (begun.size, &begun.media) != (part.size, &part.media) {
            *begun = fresh();
        }
        begun.used = used;
        let next = begun.bytes.len() as u64;
        // What is there already is not taken again, and nothing is left out.
        if part.offset == next {
            begun.bytes.extend_from_slice(&part.bytes);
        }
        let next = begun.bytes.len() as u64;
        if next == begun.size
            && let Some(whole) = self.by_hash.remove(&key)
        {
            return Taken::Whole(whole.bytes);
        }
        self.make_room(user, &key);
        Taken::More(next)
    }

    /// What nobody adds to goes where there is no room.
    fn make_room(&mut self, user: &UserId, kept: &(UserId, ContentHash)) {
        loop {
            let bytes: usize = self.by_hash.values().map(|begun| begun.bytes.len()).sum();
            let mine = self.by_hash.keys().filter(|(whose, _)| whose == user).count();
            let too_many = mine > MOST_BEGUN_EACH;
            if bytes <= MOST_BEGUN_BYTES && !too_many {
                return;
            }
            let others = self.by_hash.iter().filter(|(key, _)| *key != kept && (!too_many || key.0 == *user));
            let Some(oldest) = others.min_by_key(|(_, begun)| begun.used).map(|(key, _)| key.clone()) else { return };
            self.by_hash.remove(&oldest);
        }
    }
}

/// Takes what users give.
#[derive(Debug)]
pub(super) struct Given {
    contents: Arc<Contents>,
    persons: PersonStore,
    shelf: Arc<Shelf>,
    begun: Mutex<AllBegun>,
}

fn storage(error: impl ToString) -> Refusal {
    Refusal::new(RefusalCode::Storage, error.to_string())
}

impl Given {
    pub(super) fn new(contents: Arc<Contents>, persons: PersonStore, shelf: Shelf) -> Self {
        Self { contents, persons, shelf: Arc::new(shelf), begun: Mutex::default() }
    }

    fn begun(&self) -> MutexGuard<'_, AllBegun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a part; where the next one begins.
    async fn take(&self, user: &UserId, part: Part) -> Result<u64, Refusal> {
        let (hash, size, media) = (part.hash, part.size, part.media.clone());
        let is_person = media == PERSON_MEDIA;
        let known = match is_person {
            true => self.persons.get(user, hash).await.map_err(storage)?.is_some(),
            false => self.contents.get(hash).await.map_err(storage)?.is_some_and(|known| known.len() as u64 == size),
        };
        if known {
            // What a system has brought stays the system's: naming it makes it nobody's who could have it removed.
            if is_person || !(self.shelf.is_given(&hash) || self.shelf.is_going(&hash)) {
                return Ok(size);
            }
            self.shelve(user, hash, size).await?;
            if self.contents.get(hash).await.map_err(storage)?.is_some() {
                return Ok(size);
            }
            // It went just before that: it is to be given anew.
        }
        if !is_person {
            self.shelf.fits(user, hash, size)?;
        }
        let taken = self.begun().take(user, part);
        let bytes = match taken {
            Taken::More(next) => return Ok(next),
            Taken::Whole(bytes) => bytes,
        };
        if ContentHash::of(&bytes) != hash {
            return Err(Refusal::new(RefusalCode::Invalid, format!("what was given does not hash to {hash}")));
        }
        if is_person {
            self.persons.put(user, hash, bytes).await?;
        } else {
            self.contents.put(Bytes::from(bytes), &media).await.map_err(storage)?;
            self.shelve(user, hash, size).await?;
        }
        Ok(size)
    }

    /// Notes whose something is; what has to go for it goes.
    async fn shelve(&self, user: &UserId, hash: ContentHash, size: u64) -> Result<(), Refusal> {
        let (shelf, user) = (self.shelf.clone(), user.clone());
        let taken = tokio::task::spawn_blocking(move || shelf.put(&user, hash, size)).await.map_err(storage)?;
        let gone = taken.map_err(|why| match why {
            NotTaken::Refused(refusal) => refusal,
            NotTaken::Disk(error) => storage(error),
        })?;
        self.remove(gone).await.map_err(storage)
    }

    async fn remove(&self, gone: BTreeSet<ContentHash>) -> Result<(), StoreError> {
        // Given again meanwhile, it stays.
        for hash in gone {
            if !self.shelf.is_wanted(&hash) {
                self.contents.remove(hash).await?;
            }
            self.shelf.gone(&hash);
        }
        Ok(())
    }

    /// From now on these are referred to, and stay. What nothing refers to any more goes, unless `keeps` says of it that
    /// something else does. Whoever asks for it does not wait for the disk.
    pub(super) fn refer(
        self: &Arc<Self>,
        pins: &BTreeSet<(UserId, ContentHash)>,
        keeps: impl Fn(&ContentHash) -> bool,
    ) {
        let Some(mut dropped) = self.shelf.pin(pins) else { return };
        self.contents.hold(pins.iter().map(|(_, hash)| *hash).collect());
        dropped.contents.retain(|hash| {
            let goes = !keeps(hash);
            if !goes {
                self.shelf.gone(hash);
            }
            goes
        });
        if dropped.is_empty() {
            return;
        }
        let given = self.clone();
        tokio::spawn(async move {
            if let Err(error) = given.clear(dropped).await {
                tracing::warn!(%error, "what is not referred to any more cannot be removed");
            }
        });
    }

    async fn clear(&self, dropped: Dropped) -> Result<(), StoreError> {
        let shelf = self.shelf.clone();
        let cleared = tokio::task::spawn_blocking(move || {
            shelf.clear(&dropped);
            dropped.contents
        });
        let gone = cleared.await.map_err(|error| StoreError::Io(error.to_string()))?;
        self.remove(gone).await
    }

    /// The documents that an input refers to, of those that this user gave.
    pub(super) async fn persons(&self, user: &UserId, hashes: Vec<ContentHash>) -> Persons {
        let mut found = BTreeMap::new();
        for hash in hashes {
            match self.persons.get(user, hash).await {
                Ok(document) => found.extend(document.map(|document| (hash, document))),
                Err(error) => tracing::warn!(%error, "a document about a person cannot be read"),
            }
        }
        Persons(found)
    }

    /// Nothing that this user gave is kept any longer, but what somebody else has given as well.
    pub(super) async fn forget(&self, user: &UserId) -> Result<(), StoreError> {
        self.begun().by_hash.retain(|(whose, _), _| whose != user);
        self.persons.forget(user).await?;
        let (shelf, user) = (self.shelf.clone(), user.clone());
        let gone = tokio::task::spawn_blocking(move || shelf.forget(&user)).await;
        let gone = gone.map_err(|error| StoreError::Io(error.to_string()))??;
        self.remove(gone).await
    }
}

/// The documents about people that an input refers to.
pub(super) fn references(input: &Json) -> Vec<ContentHash> {
    let mut found = Vec::new();
    if input.as_str().contains(REFERENCE) {
        collect(&input.value(), &mut found);
    }
    found
}

/// As deep as JSON is taken at all.
fn collect(value: &serde_json::Value, found: &mut Vec<ContentHash>) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        serde_json::Value::Object(fields) => {
            let hash = fields.get(REFERENCE).and_then(serde_json::Value::as_str).and_then(|text| text.parse().ok());
            if let Some(hash) = hash.filter(|hash| found.len() < MOST_REFERENCES && !found.contains(hash)) {
                found.push(hash);
            }
            fields.values().for_each(|item| collect(item, found));
        }
        _ => {}
    }
}

impl Core {
    /// What orders under way and kept products refer to stays.
    pub(super) fn refer(&self) {
        let state = self.committed();
        // A thing may look like what somebody gave: its system brings it only once.
        let shown = |hash: &ContentHash| {
            let mut models = state.twins.values().filter_map(|twin| twin.info.visual.as_ref());
            models.any(|visual| visual.model.hash == *hash)
        };
        self.given.refer(&state.referred(), shown);
    }

    /// Takes a part of what a user gives, and says where the next one begins.
    pub(super) fn take_part(&self, work: Work, user: UserId) {
        let Work::Ask(Ask { request: Request::Give { hash, size, media, offset, bytes }, reply, _in_flight, .. }) =
            work
        else {
            return;
        };
        let given = self.given.clone();
        tokio::spawn(async move {
            // Until it is taken, it counts as one that waits.
            let _in_flight = _in_flight;
            let part = Part { hash, size, media, offset, bytes };
            let taken = given.take(&user, part).await;
            // Who gave it may be gone: it is kept all the same.
            let _ = reply.send(taken.map_or_else(Response::Refused, |next| Response::Given { next }));
        });
    }
}

#[cfg(test)]
#[path = "given_tests.rs"]
mod tests;
