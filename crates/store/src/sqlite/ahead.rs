//! Lines that are durable before SQLite's own file is: one write over blocks that are there already and one `fdatasync`,
//! in the thread that asks.
//!
//! A file of one size beside the log, written over again and again. SQLite appends the same lines meanwhile, in its own
//! thread and without waiting for the disk; what a machine that loses its power takes from SQLite's file is appended again
//! from here at the next start. Nobody reads it otherwise. Where a file grows, the disk writes down its new length as well;
//! this one does not grow.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use vestibule_model::{ContentHash, Timestamp};

use crate::{Head, NewLine, StoreError};

/// Bytes that the disk writes at once. An entry begins with a new one: what is written later cannot tear it.
const BLOCK: usize = 4_096;
/// Blocks of the file. Some hundred small appends, then one that waits for SQLite's file.
const BLOCKS: usize = 256;
/// Bytes of an entry, at most: more lines have more to gain from being written while others are decided.
const MOST: usize = 4 * BLOCK;
/// What an entry begins with.
const MARK: [u8; 8] = *b"ahead 01";
/// The mark, the length of what follows, its hash.
const BEFORE: usize = MARK.len() + 4 + 32;

/// Lines and what they follow.
pub(super) type Entry = (Head, Vec<NewLine>);

/// The file.
#[derive(Debug)]
pub(super) struct Ahead {
    file: File,
    /// The next free block.
    next: usize,
    /// It could not be written once, and is not tried again.
    broken: bool,
}

/// Where the file of a log is. SQLite takes names that end in `-journal` and `-wal` for its own.
pub(super) fn beside(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".ahead");
    name.into()
}

fn hash(body: &[u8]) -> [u8; 32] {
    *blake3::hash(body).as_bytes()
}

/// The bytes of an entry; `None`: more than belongs here.
pub(super) fn encoded(after: Head, lines: &[NewLine]) -> Option<Vec<u8>> {
    let length: usize = BEFORE + 44 + lines.iter().map(|line| 12 + line.payload.len()).sum::<usize>();
    if length > MOST {
        return None;
    }
    let mut body = Vec::with_capacity(length);
    body.extend(after.sequence.to_le_bytes());
    body.extend(after.hash.0);
    body.extend(u32::try_from(lines.len()).ok()?.to_le_bytes());
    for line in lines {
        body.extend(line.at.0.to_le_bytes());
        body.extend(u32::try_from(line.payload.len()).ok()?.to_le_bytes());
        body.extend(&line.payload);
    }
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(MARK);
    bytes.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
    bytes.extend(hash(&body));
    bytes.extend(body);
    Some(bytes)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// The entry that `bytes` begin with, and how many of them it takes; `None`: there is none, or not the whole of it.
fn decoded(mut bytes: &[u8]) -> Option<(Entry, usize)> {
    let bytes = &mut bytes;
    if take(bytes)? != MARK {
        return None;
    }
    let length = usize::try_from(u32::from_le_bytes(take(bytes)?)).ok()?;
    let told: [u8; 32] = take(bytes)?;
    let mut body = bytes.get(..length.min(MOST))?;
    if hash(body) != told {
        return None;
    }
    let body = &mut body;
    let sequence = u64::from_le_bytes(take(body)?);
    let after = Head { sequence, hash: ContentHash(take(body)?) };
    let count = u32::from_le_bytes(take(body)?);
    let mut lines = Vec::new();
    for _ in 0..count {
        let at = Timestamp(u64::from_le_bytes(take(body)?));
        let length = usize::try_from(u32::from_le_bytes(take(body)?)).ok()?;
        let (payload, rest) = body.split_at_checked(length)?;
        *body = rest;
        lines.push(NewLine { at, payload: payload.to_vec() });
    }
    let is_whole = body.is_empty() && !lines.is_empty();
    is_whole.then_some(((after, lines), BEFORE + length))
}

/// All entries in the file's bytes, in no order that means anything.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match decoded(rest) {
            Some((entry, length)) => {
                found.push(entry);
                at += length.next_multiple_of(BLOCK);
            }
            None => at += BLOCK,
        }
    }
    found
}

impl Ahead {
    /// Opens the file of a log, or makes it, and says what is in it. `None`: somebody else has it, or it cannot be made:
    /// then every append waits for SQLite's file.
    ///
    /// # Errors
    /// [`StoreError`] where it is there and cannot be read: lines could be in it that are nowhere else.
    pub(super) fn open(log: &Path) -> Result<Option<(Self, Vec<Entry>)>, StoreError> {
        let path = beside(log);
        let is_there = path.try_exists()?;
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if is_there => return Err(error.into()),
            Err(_) => return Ok(None),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut bytes = Vec::new();
        let most = u64::try_from(BLOCK * BLOCKS).unwrap_or(u64::MAX);
        (&mut file).take(most).read_to_end(&mut bytes)?;
        let found = entries(&bytes);
        let mut ahead = Self { file, next: 0, broken: false };
        if bytes.len() < BLOCK * BLOCKS
            && let Err(error) = ahead.lengthen(bytes.len())
        {
            tracing::warn!(%error, "there is no room to write ahead of the log: its own file is waited for");
            ahead.broken = true;
        }
        Ok(Some((ahead, found)))
    }

    /// Makes blocks that can be written over. The folder's entry becomes durable with SQLite's next file in it.
    fn lengthen(&mut self, from: usize) -> io::Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(&vec![0; (BLOCK * BLOCKS).saturating_sub(from)])?;
        self.file.sync_all()
    }

    /// Whether an entry of these bytes has room.
    pub(super) const fn has_room(&self, bytes: &[u8]) -> bool {
        !self.broken && self.next + bytes.len().div_ceil(BLOCK) <= BLOCKS
    }

    /// Writes an entry that has room; when this returns, it survives a loss of power.
    ///
    /// # Errors
    /// What the system says. Nothing more is written here then.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let at = self.next;
        self.next += bytes.len().div_ceil(BLOCK);
        let written = self.put(at, bytes);
        self.broken |= written.is_err();
        written
    }

    /// The last entry does not count: SQLite did not take its lines.
    pub(super) fn void(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.next = self.next.saturating_sub(bytes.len().div_ceil(BLOCK));
        let voided = self.put(self.next, &[0; BEFORE]);
        self.broken |= voided.is_err();
        voided
    }

    fn put(&mut self, block: usize, bytes: &[u8]) -> io::Result<()> {
        let at = u64::try_from(block.saturating_mul(BLOCK)).map_err(io::Error::other)?;
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    /// All lines are durable in SQLite's file: what is here may be written over.
    pub(super) const fn restart(&mut self) {
        self.next = 0;
    }

    /// The same, and nothing of it stays: lines were removed from the log, or names from beside it.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn wipe(&mut self) -> io::Result<()> {
        self.restart();
        self.put(0, &vec![0; BLOCK * BLOCKS])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines() -> impl Strategy<Value = Vec<NewLine>> {
        let line = (any::<u64>(), proptest::collection::vec(any::<u8>(), 0..3_000));
        let line = line.prop_map(|(at, payload)| NewLine { at: Timestamp(at), payload });
        proptest::collection::vec(line, 1..5)
    }

    proptest! {
        /// Whatever a disk makes of an entry: it is the entry or none.
        #[test]
        fn an_entry_is_whole_or_none(
            lines in lines(),
            sequence in any::<u64>(),
            place in any::<prop::sample::Index>(),
            torn in any::<bool>(),
            bit in 0_u8..8,
        ) {
            let after = Head { sequence, hash: ContentHash([7; 32]) };
            let bytes = encoded(after, &lines).unwrap();
            prop_assert_eq!(decoded(&bytes), Some(((after, lines), bytes.len())));
            let place = place.index(bytes.len());
            let mut changed = bytes.clone();
            if torn {
                changed.truncate(place);
            } else {
                changed[place] ^= 1 << bit;
            }
            prop_assert_eq!(decoded(&changed), None);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..9_000), marked in any::<bool>()) {
            let mut bytes = bytes;
            if marked && bytes.len() > BEFORE {
                bytes[..8].copy_from_slice(&MARK);
                let length = bytes.len() - BEFORE;
                bytes[8..12].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
                let told = hash(&bytes[BEFORE..]);
                bytes[12..44].copy_from_slice(&told);
            }
            // No body of random bytes is an entry: its lines would have to fill it exactly.
            prop_assert!(entries(&bytes).is_empty());
        }
    }

    #[test]
    fn more_than_belongs_here_is_no_entry() {
        let line = |length| NewLine { at: Timestamp(1), payload: vec![b'x'; length] };
        assert!(encoded(Head::EMPTY, &[line(MOST)]).is_none());
        assert!(encoded(Head::EMPTY, &[line(MOST - BEFORE - 44 - 12)]).is_some_and(|bytes| bytes.len() == MOST));
    }

    #[test]
    fn a_file_has_one_holder_and_says_what_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log.sqlite");
        let (mut ahead, found) = Ahead::open(&log).unwrap().unwrap();
        assert!(found.is_empty() && Ahead::open(&log).unwrap().is_none());
        let entry = |text: &str| (Head::EMPTY, vec![NewLine { at: Timestamp(1), payload: text.repeat(3_000).into() }]);
        let bytes = |entry: &Entry| encoded(entry.0, &entry.1).unwrap();
        let (one, two, three) = (entry("a"), entry("bc"), entry("d"));
        for entry in [&one, &two, &three] {
            ahead.write(&bytes(entry)).unwrap();
        }
        ahead.void(&bytes(&three)).unwrap();
        drop(ahead);
        let (mut ahead, found) = Ahead::open(&log).unwrap().unwrap();
        assert_eq!(found, [one, two]);
        let mut written = 0;
        while ahead.has_room(&bytes(&three)) {
            ahead.write(&bytes(&three)).unwrap();
            written += 1;
        }
        assert_eq!(written, BLOCKS);
        ahead.wipe().unwrap();
        drop(ahead);
        assert_eq!(Ahead::open(&log).unwrap().unwrap().1, []);
        assert_eq!(beside(&log).metadata().unwrap().len(), (BLOCK * BLOCKS) as u64);
    }
}
