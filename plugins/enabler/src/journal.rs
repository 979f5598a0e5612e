//! Ids of purchases that were confirmed here, on the disk before they leave: whatever happens then, the enabler is asked
//! what became of them. One program at a time has the file: two would each forget what the other has confirmed.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use vestibule_model::PurchaseId;

/// Ids that wait at most: a purchase waits for one answer, and who confirms more than this has a broken enabler.
const MOST: usize = 64;
/// Bytes of the file at most: more is not this file.
const MOST_BYTES: u64 = 64 * 1024;

/// What waits for its enabler's answer, and the file that says so.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    path: Option<PathBuf>,
    waiting: BTreeSet<(String, PurchaseId)>,
    /// Why the file cannot be used. Nothing is confirmed then: what it said would be lost.
    broken: Option<String>,
    /// Nobody else uses the file while this lives.
    _lock: Option<File>,
}

impl Journal {
    /// With what an earlier run wrote. Without a path nothing outlives the program.
    pub(crate) fn open(path: Option<PathBuf>) -> Self {
        let Some(file) = path.as_deref() else { return Self::default() };
        let unreadable = |error: io::Error| format!("{} cannot be read: {error}", file.display());
        match lock(file).and_then(|lock| Ok((lock, read(file).map_err(unreadable)?))) {
            Ok((lock, waiting)) => Self { path, waiting, broken: None, _lock: Some(lock) },
            Err(broken) => Self { path, broken: Some(broken), ..Self::default() },
        }
    }

    /// What waits for this enabler.
    pub(crate) fn waiting(&self, enabler: &str) -> Vec<PurchaseId> {
        self.waiting.iter().filter(|(whose, _)| whose == enabler).map(|(_, id)| *id).collect()
    }

    /// Adds an id; it is on the disk when this returns.
    ///
    /// One click in many minutes, a few bytes: the frame waits for the disk, and nothing leaves before.
    pub(crate) fn add(&mut self, enabler: &str, id: PurchaseId) -> Result<(), String> {
        if self.broken.is_some() {
            // Who had the file may have ended, or somebody has mended it.
            *self = Self::open(self.path.take());
        }
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        if self.waiting.len() >= MOST {
            return Err(format!("{MOST} purchases wait for an answer already"));
        }
        let entry = (enabler.to_owned(), id);
        let new = self.waiting.insert(entry.clone());
        self.write().map_err(|error| {
            if new {
                self.waiting.remove(&entry);
            }
            error.to_string()
        })
    }

    /// An enabler has said what became of it. Where that cannot be written, it is asked once more some day.
    pub(crate) fn remove(&mut self, enabler: &str, id: PurchaseId) -> io::Result<()> {
        if self.waiting.remove(&(enabler.to_owned(), id)) { self.write() } else { Ok(()) }
    }

    /// Beside it, then in its place: a program that is killed meanwhile leaves the old one or the new one.
    fn write(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut text = String::new();
        for (enabler, id) in &self.waiting {
            text.push_str(&format!("{id} {enabler}\n"));
        }
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        // Its name is durable as well.
        match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }
}

/// The file itself is replaced each time it is written: the lock is one beside it.
fn lock(path: &Path) -> Result<File, String> {
    let beside = path.with_extension("lock");
    let unusable = |error: io::Error| format!("{} cannot be written: {error}", beside.display());
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&beside).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let folder = path.parent().unwrap_or(path).display();
            Err(format!(
                "another Vestibule is running with the folder {folder}: order there, or end it, or start this one with a \
                 folder of its own by --data"
            ))
        }
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn read(path: &Path) -> io::Result<BTreeSet<(String, PurchaseId)>> {
    let text = match fs::metadata(path) {
        Ok(about) if about.len() > MOST_BYTES => return Err(io::Error::other("it is too long")),
        Ok(_) => fs::read_to_string(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    let line = |line: &str| {
        let (id, enabler) = line.split_once(' ')?;
        Some((enabler.to_owned(), id.parse().ok()?))
    };
    let entries: Option<BTreeSet<_>> = text.lines().map(line).collect();
    entries.filter(|entries| entries.len() <= MOST).ok_or_else(|| io::Error::other("it is not what was written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "this computer";

    #[test]
    fn what_was_confirmed_is_known_at_the_next_start_until_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("purchases.txt");
        let mut journal = Journal::open(Some(path.clone()));
        journal.add(HOME, PurchaseId([1; 16])).unwrap();
        journal.add("hub.local:7743", PurchaseId([2; 16])).unwrap();
        drop(journal);
        let mut journal = Journal::open(Some(path.clone()));
        assert_eq!(journal.waiting(HOME), [PurchaseId([1; 16])], "each enabler is asked for its own");
        journal.remove(HOME, PurchaseId([1; 16])).unwrap();
        journal.remove(HOME, PurchaseId([1; 16])).unwrap();
        drop(journal);
        let journal = Journal::open(Some(path));
        assert!(journal.waiting(HOME).is_empty());
        assert_eq!(journal.waiting("hub.local:7743"), [PurchaseId([2; 16])]);
    }

    #[test]
    fn a_file_that_cannot_be_read_or_written_confirms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("purchases.txt");
        fs::write(&path, "what is this\n").unwrap();
        let mut journal = Journal::open(Some(path.clone()));
        assert!(journal.add(HOME, PurchaseId([1; 16])).unwrap_err().contains("purchases.txt cannot be read"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "what is this\n", "somebody may mend it");
        fs::remove_file(&path).unwrap();
        journal.add(HOME, PurchaseId([1; 16])).unwrap();
        let mut journal = Journal::open(Some(folder.path().join("nowhere").join("purchases.txt")));
        assert!(journal.add(HOME, PurchaseId([1; 16])).is_err());
        assert!(journal.waiting(HOME).is_empty(), "nothing left");
    }

    /// Two windows of one person, connected to an enabler elsewhere.
    #[test]
    fn two_programs_do_not_forget_each_other_s_purchases() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("purchases.txt");
        let mut first = Journal::open(Some(path.clone()));
        first.add(HOME, PurchaseId([1; 16])).unwrap();
        let mut second = Journal::open(Some(path.clone()));
        assert!(second.waiting(HOME).is_empty(), "the first one asks for its own");
        let why = second.add(HOME, PurchaseId([2; 16])).unwrap_err();
        assert!(why.contains("another Vestibule is running") && why.contains("--data"), "{why}");
        second.remove(HOME, PurchaseId([1; 16])).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1, "nothing of it is written over");
        // Whoever is left has all of it.
        drop(first);
        second.add(HOME, PurchaseId([2; 16])).unwrap();
        assert_eq!(second.waiting(HOME), [PurchaseId([1; 16]), PurchaseId([2; 16])]);
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn it_is_bounded() {
        let mut journal = Journal::default();
        for id in 0..64 {
            journal.add(HOME, PurchaseId([id; 16])).unwrap();
        }
        assert!(journal.add(HOME, PurchaseId([64; 16])).unwrap_err().contains("64 purchases wait"));
    }
}
