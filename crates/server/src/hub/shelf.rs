//! What each user has given for orders to refer to, and how much of it there may be.
//!
//! What an order under way or a kept product refers to stays, whatever else comes; what nothing refers to any more goes,
//! unless somebody else has given it as well. The contents themselves lie elsewhere: here is whose they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use vestibule_model::{ContentHash, Refusal, RefusalCode, UserId};

/// The folder in the data folder.
const FOLDER: &str = "given";
/// Bytes of a note: a number.
const LONGEST_NOTE: u64 = 32;
/// How long something is kept that no order refers to: as long as a cart may wait.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How much of what one user gave is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes.
    pub(super) bytes: u64,
    /// Pieces.
    pub(super) pieces: usize,
}

impl Room {
    /// Four of the longest that there are, or many hundred usual designs: an eighth of all contents.
    pub(super) const USUAL: Self = Self { bytes: 256 * 1024 * 1024, pieces: 1_024 };
}

/// A giver's name is nowhere: a listing names nobody.
type Key = (ContentHash, ContentHash);

#[derive(Clone, Copy, Debug)]
struct Piece {
    size: u64,
    given: SystemTime,
    /// Grows with each time it is given.
    used: u64,
}

#[derive(Debug, Default)]
struct Book {
    pieces: BTreeMap<Key, Piece>,
    /// What something of whose refers to.
    pinned: BTreeSet<Key>,
    /// What is nobody's any more and may lie there still: whoever gives it again has to say that it is theirs.
    going: BTreeSet<ContentHash>,
    uses: u64,
}

/// What is nobody's any more.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    /// Whose what was: the notes of it on the disk go.
    notes: Vec<Key>,
    /// What nobody else has given, and nothing refers to.
    pub(super) contents: BTreeSet<ContentHash>,
}

impl Dropped {
    pub(super) fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.contents.is_empty()
    }
}

/// Why something is not taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// There is no room.
    Refused(Refusal),
    /// The disk.
    Disk(io::Error),
}

impl From<io::Error> for NotTaken {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Whose is what. What blocks says so; nothing else ever waits for the disk, so that the hub's own task can ask.
#[derive(Debug)]
pub(super) struct Shelf {
    /// `None`: in memory, gone at the end.
    folder: Option<PathBuf>,
    room: Room,
    /// Never held while the disk is waited for.
    book: Mutex<Book>,
    /// Whoever writes, one after the other. Taken before the book.
    disk: Mutex<()>,
}

fn giver(user: &UserId) -> ContentHash {
    ContentHash::of(user.as_str().as_bytes())
}

impl Shelf {
    /// With what was written there before. Blocks.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub(super) fn open(data: Option<&Path>, room: Room) -> io::Result<Self> {
        let folder = data.map(|data| data.join(FOLDER));
        let mut found = folder.as_deref().map(read).transpose()?.unwrap_or_default();
        found.sort_unstable_by_key(|(_, size, given)| (*given, *size));
        let mut book = Book::default();
        for (key, size, given) in found {
            book.uses += 1;
            book.pieces.insert(key, Piece { size, given, used: book.uses });
        }
        Ok(Self { folder, room, book: Mutex::new(book), disk: Mutex::default() })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disk(&self) -> MutexGuard<'_, ()> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, (giver, hash): &Key) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(giver.to_string()).join(hash.to_string()))
    }

    /// Whether there can be room for so much, before any of it is kept.
    ///
    /// # Errors
    /// Why not, for its giver.
    pub(super) fn fits(&self, user: &UserId, hash: ContentHash, size: u64) -> Result<(), Refusal> {
        self.book().goes(self.room, (giver(user), hash), size, SystemTime::now()).map(|_| ())
    }

    /// Notes that this is there and whose it is; the contents that nobody has given any more. Blocks.
    ///
    /// # Errors
    /// [`NotTaken`]; nothing is changed by a refusal.
    pub(super) fn put(&self, user: &UserId, hash: ContentHash, size: u64) -> Result<BTreeSet<ContentHash>, NotTaken> {
        let (key, now) = ((giver(user), hash), SystemTime::now());
        let _alone = self.disk();
        self.book().goes(self.room, key, size, now).map_err(NotTaken::Refused)?;
        if let Some(path) = self.path(&key) {
            write(&path, size)?;
        }
        // While the disk was waited for, an order may have come to need what was to go.
        let taken = self.book().take(self.room, key, size, now);
        match taken {
            Ok(dropped) => {
                self.remove_notes(&dropped.notes);
                Ok(dropped.contents)
            }
            Err(refusal) => {
                self.remove_notes(&[key]);
                Err(NotTaken::Refused(refusal))
            }
        }
    }

    /// From now on something of these users refers to these; what is dropped for it, whose notes are to be
    /// [cleared](Self::clear). `None`: it referred to these and no others before.
    pub(super) fn pin(&self, pinned: &BTreeSet<(UserId, ContentHash)>) -> Option<Dropped> {
        let pinned: BTreeSet<Key> = pinned.iter().map(|(user, hash)| (giver(user), *hash)).collect();
        let mut book = self.book();
        if book.pinned == pinned {
            return None;
        }
        let released = book.pinned.difference(&pinned).copied().collect();
        book.pinned = pinned;
        Some(book.drop_pieces(released))
    }

    /// Removes the notes of what was dropped. Blocks.
    pub(super) fn clear(&self, dropped: &Dropped) {
        let _alone = self.disk();
        self.remove_notes(&dropped.notes);
    }

    /// Whether somebody has given it.
    pub(super) fn is_given(&self, hash: &ContentHash) -> bool {
        self.book().is_given(hash)
    }

    /// Whether it is about to be removed.
    pub(super) fn is_going(&self, hash: &ContentHash) -> bool {
        self.book().going.contains(hash)
    }

    /// It was removed, or stays.
    pub(super) fn gone(&self, hash: &ContentHash) {
        self.book().going.remove(hash);
    }

    /// Whether somebody has given it, or something refers to it.
    pub(super) fn is_wanted(&self, hash: &ContentHash) -> bool {
        let book = self.book();
        book.is_pinned(hash) || book.is_given(hash)
    }

    /// This user has given nothing; the contents that nobody else has. Blocks.
    pub(super) fn forget(&self, user: &UserId) -> io::Result<BTreeSet<ContentHash>> {
        let whose = giver(user);
        let _alone = self.disk();
        // First: where that fails, it is still known what is to go.
        if let Some(folder) = &self.folder {
            absent(fs::remove_dir_all(folder.join(whose.to_string())))?;
        }
        let mut book = self.book();
        let mine = book.pieces.keys().filter(|(giver, _)| *giver == whose).copied().collect();
        Ok(book.drop_pieces(mine).contents)
    }

    /// Removes notes, but of what is there by now: it was given again. A note that stays is one of something that nobody
    /// ordered, and goes like those.
    fn remove_notes(&self, keys: &[Key]) {
        for key in keys {
            let path = self.path(key).filter(|_| !self.book().pieces.contains_key(key));
            if let Some(path) = path
                && let Err(error) = absent(fs::remove_file(&path))
            {
                tracing::warn!(%error, file = %path.display(), "this note of what somebody gave cannot be removed");
            }
        }
    }
}

impl Book {
    /// Notes a piece; what goes for it.
    fn take(&mut self, room: Room, key: Key, size: u64, now: SystemTime) -> Result<Dropped, Refusal> {
        let goes = self.goes(room, key, size, now)?;
        self.uses += 1;
        self.pieces.insert(key, Piece { size, given: now, used: self.uses });
        self.going.remove(&key.1);
        Ok(self.drop_pieces(goes.into_iter().map(|hash| (key.0, hash)).collect()))
    }

    /// Takes pieces out, and with them the contents that are nobody's by that, and that nothing refers to.
    fn drop_pieces(&mut self, notes: Vec<Key>) -> Dropped {
        for key in &notes {
            self.pieces.remove(key);
        }
        let contents = notes.iter().map(|(_, hash)| *hash);
        let contents: BTreeSet<ContentHash> =
            contents.filter(|hash| !self.is_pinned(hash) && !self.is_given(hash)).collect();
        self.going.extend(&contents);
        Dropped { notes, contents }
    }

    fn is_given(&self, hash: &ContentHash) -> bool {
        self.pieces.keys().any(|(_, given)| given == hash)
    }

    fn is_pinned(&self, hash: &ContentHash) -> bool {
        self.pinned.iter().any(|(_, pinned)| pinned == hash)
    }

    /// What goes so that there is room for something, the oldest first.
    fn goes(&self, room: Room, (giver, hash): Key, size: u64, now: SystemTime) -> Result<Vec<ContentHash>, Refusal> {
        let mine = self.pieces.iter().filter(|((whose, other), _)| *whose == giver && *other != hash);
        let mut mine: Vec<(ContentHash, Piece)> = mine.map(|((_, other), piece)| (*other, *piece)).collect();
        mine.sort_unstable_by_key(|(_, piece)| piece.used);
        let (mut bytes, mut pieces) = (size, 1_usize);
        for (_, piece) in &mine {
            (bytes, pieces) = (bytes.saturating_add(piece.size), pieces.saturating_add(1));
        }
        let mut goes = Vec::new();
        for (other, piece) in mine.into_iter().filter(|(other, _)| !self.pinned.contains(&(giver, *other))) {
            let is_over = now.duration_since(piece.given).is_ok_and(|age| age > KEPT);
            if is_over || bytes > room.bytes || pieces > room.pieces {
                goes.push(other);
                (bytes, pieces) = (bytes.saturating_sub(piece.size), pieces.saturating_sub(1));
            }
        }
        if bytes > room.bytes || pieces > room.pieces {
            let message = format!(
                "orders of yours that are under way need {} of the {} bytes that are kept for you: try again when one of \
                 them has come",
                bytes.saturating_sub(size),
                room.bytes
            );
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
        Ok(goes)
    }
}

/// What is not there need not be removed.
fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A note is its size, as a number: what a kill left half-written is none, and its content goes like all that nobody gave.
fn write(path: &Path, size: u64) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, size.to_string())
}

/// What is no note of ours stays, and keeps nobody from starting.
fn read(folder: &Path) -> io::Result<Vec<(Key, u64, SystemTime)>> {
    let mut found = Vec::new();
    let unreadable = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    for giver in entries(folder).map_err(unreadable)? {
        let notes = named(&giver).map(|whose| entries(&giver).map(|notes| (whose, notes)));
        let Some(Ok((whose, notes))) = notes else {
            tracing::warn!(file = %giver.display(), "this is no folder of what somebody gave");
            continue;
        };
        for note in notes {
            match named(&note).zip(read_note(&note)) {
                Some((hash, (size, given))) => found.push(((whose, hash), size, given)),
                None => tracing::warn!(file = %note.display(), "this is no note of what somebody gave"),
            }
        }
    }
    Ok(found)
}

fn read_note(note: &Path) -> Option<(u64, SystemTime)> {
    let about = fs::metadata(note).ok().filter(|about| about.is_file() && about.len() <= LONGEST_NOTE)?;
    let size = fs::read_to_string(note).ok()?.parse().ok()?;
    Some((size, about.modified().ok()?))
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
    }
}

fn named(path: &Path) -> Option<ContentHash> {
    path.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
