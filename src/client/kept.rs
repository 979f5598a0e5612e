//! Models that were fetched before are not fetched again: kept on disk by their hash.

use std::{
    collections::{HashSet, VecDeque},
    path::Path,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use vestibule_model::ContentHash;
use vestibule_protocol::{Link, LinkBusy, LinkCommand, LinkEvent};
use vestibule_store::{ContentStore, StoreError};

/// Bytes of models that are kept: a house full of devices. What was used longest ago goes first.
const LIMIT: u64 = 1024 * 1024 * 1024;
/// Models that are looked up or written at once: as many as a link fetches.
const JOBS: usize = 256;

enum Job {
    Find { hash: ContentHash, size: u64 },
    Keep { bytes: Vec<u8> },
}

enum Found {
    Bytes { hash: ContentHash, bytes: Vec<u8> },
    Nothing { hash: ContentHash, size: u64 },
}

/// A link that asks the disk first. The disk is asked on a thread of its own: no frame waits for it.
pub(super) struct KeptLink {
    inner: Box<dyn Link + Sync>,
    jobs: SyncSender<Job>,
    found: Mutex<Receiver<Found>>,
    /// What the disk does not have, on its way to the link.
    missing: VecDeque<LinkCommand>,
    /// Fetched because the disk does not have it.
    wanted: HashSet<ContentHash>,
}

/// Where models are kept.
pub(super) struct Kept(ContentStore);

impl Kept {
    /// Keeps models in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        ContentStore::open(folder, LIMIT).map(Self)
    }

    /// A link that asks here first, then `inner`.
    pub(super) fn link(self, inner: Box<dyn Link + Sync>) -> KeptLink {
        let (jobs, todo) = sync_channel(JOBS);
        // As many answers as jobs.
        let (answers, found) = sync_channel(JOBS);
        std::thread::spawn(move || {
            for job in todo {
                let answer = work(&self.0, job);
                if answer.is_some_and(|answer| answers.send(answer).is_err()) {
                    return;
                }
            }
        });
        KeptLink { inner, jobs, found: Mutex::new(found), missing: VecDeque::new(), wanted: HashSet::new() }
    }
}

impl KeptLink {
    fn next_found(&self) -> Option<Found> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.try_recv().ok()
    }
}

fn work(store: &ContentStore, job: Job) -> Option<Found> {
    match job {
        Job::Find { hash, size } => match store.get(hash) {
            Ok(Some(bytes)) => Some(Found::Bytes { hash, bytes: bytes.to_vec() }),
            Ok(None) => Some(Found::Nothing { hash, size }),
            Err(error) => {
                tracing::warn!(%error, "a kept model cannot be read; it is fetched again");
                Some(Found::Nothing { hash, size })
            }
        },
        Job::Keep { bytes } => {
            if let Err(error) = store.put(&bytes) {
                tracing::warn!(%error, "a model is not kept");
            }
            None
        }
    }
}

impl Link for KeptLink {
    fn send(&mut self, command: LinkCommand) -> Result<(), LinkBusy> {
        match command {
            LinkCommand::Fetch { hash, size, keep: true } => {
                self.jobs.try_send(Job::Find { hash, size }).map_err(|_| LinkBusy)
            }
            other => self.inner.send(other),
        }
    }

    fn poll(&mut self) -> Option<LinkEvent> {
        // A link that is busy lets the disk wait, and the disk whoever asks.
        while self.missing.len() < JOBS
            && let Some(found) = self.next_found()
        {
            match found {
                Found::Bytes { hash, bytes } => return Some(LinkEvent::Content { hash, bytes: Ok(bytes) }),
                Found::Nothing { hash, size } => {
                    self.wanted.insert(hash);
                    self.missing.push_back(LinkCommand::Fetch { hash, size, keep: true });
                }
            }
        }
        while let Some(command) = self.missing.pop_front() {
            if self.inner.send(command.clone()).is_err() {
                self.missing.push_front(command);
                break;
            }
        }
        let event = self.inner.poll()?;
        if let LinkEvent::Content { hash, bytes } = &event
            && self.wanted.remove(hash)
            && let Ok(bytes) = bytes
        {
            // Too much to write at once: it is fetched again another time.
            let _ = self.jobs.try_send(Job::Keep { bytes: bytes.clone() });
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use super::*;

    /// Has every content, and counts how often it is asked.
    #[derive(Clone, Default)]
    struct Source {
        asked: Arc<Mutex<Vec<ContentHash>>>,
        answers: Arc<Mutex<VecDeque<LinkEvent>>>,
    }

    const MODEL: &[u8] = b"glTF of a lamp";

    impl Link for Source {
        fn send(&mut self, command: LinkCommand) -> Result<(), LinkBusy> {
            if let LinkCommand::Fetch { hash, .. } = command {
                self.asked.lock().unwrap().push(hash);
                let event = LinkEvent::Content { hash, bytes: Ok(MODEL.to_vec()) };
                self.answers.lock().unwrap().push_back(event);
            }
            Ok(())
        }

        fn poll(&mut self) -> Option<LinkEvent> {
            self.answers.lock().unwrap().pop_front()
        }
    }

    fn fetch(link: &mut KeptLink, keep: bool) {
        let hash = ContentHash::of(MODEL);
        link.send(LinkCommand::Fetch { hash, size: MODEL.len() as u64, keep }).unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(LinkEvent::Content { hash: came, bytes }) = link.poll() {
                assert_eq!((came, bytes.as_deref()), (hash, Ok(MODEL)));
                return;
            }
            assert!(Instant::now() < end, "it did not come");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn files(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().filter_map(Result::ok);
        entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
    }

    #[test]
    fn a_model_is_fetched_once_and_a_picture_never_kept() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::default();
        let mut link = Kept::open(folder.path()).unwrap().link(Box::new(source.clone()));
        fetch(&mut link, false);
        fetch(&mut link, true);
        assert_eq!(source.asked.lock().unwrap().len(), 2);
        let end = Instant::now() + Duration::from_secs(20);
        // Whole: what is being written has another name, and another start of the program takes it away.
        while !folder.path().join(ContentHash::of(MODEL).to_string()).exists() {
            assert!(Instant::now() < end, "it was not kept");
            std::thread::sleep(Duration::from_millis(1));
        }
        // Another start of the program.
        let mut link = Kept::open(folder.path()).unwrap().link(Box::new(source.clone()));
        fetch(&mut link, true);
        assert_eq!(source.asked.lock().unwrap().len(), 2, "the disk had it");
        assert_eq!(files(folder.path()), 1, "a camera's picture is nobody's to keep");
    }
}
