//! Snapshots: the state at a line, in a file that is whole or not there.
//!
//! The first line says which line of the log it stands at, the last one is the BLAKE3 of everything before it. What is
//! in between is the caller's.

use std::{
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use vestibule_model::{ContentHash, Timestamp};

use crate::{Head, StoreError};

const FORM: u32 = 1;
const ENDING: &str = "snapshot";
/// A newline and the digits of a hash.
const TRAILER: usize = 65;

/// The folder of snapshots. Blocks: call it off the event loop.
#[derive(Clone, Debug)]
pub struct Snapshots {
    folder: PathBuf,
}

/// A snapshot that seems to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The line that it stands at, by its name.
    pub sequence: u64,
    /// Where it is.
    pub path: PathBuf,
}

/// A snapshot that was read and is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The line of the log that it stands at.
    pub head: Head,
    /// When that line was written.
    pub at: Timestamp,
    /// The hash of the file.
    pub checksum: ContentHash,
    /// What the caller wrote.
    pub body: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct About {
    vestibule_snapshot: u32,
    sequence: u64,
    hash: ContentHash,
    at: Timestamp,
}

struct Hashing<W> {
    inner: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl Snapshots {
    /// Uses `folder`; what a kill left half-written goes.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder })
    }

    /// Looks at `folder` without making or changing anything.
    pub fn look(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Those that are there, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<SnapshotFile> {
        // A folder that is not there has none.
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries.filter_map(|entry| Self::named(&entry.path())).collect();
        found.sort_by(|a, b| b.sequence.cmp(&a.sequence).then_with(|| a.path.cmp(&b.path)));
        found
    }

    fn named(path: &Path) -> Option<SnapshotFile> {
        path.extension().filter(|extension| *extension == ENDING)?;
        let sequence = path.file_stem()?.to_str()?.split('-').next()?.parse().ok()?;
        Some(SnapshotFile { sequence, path: path.to_owned() })
    }

    /// Writes a snapshot at `head`; whole or not at all, also across a kill.
    ///
    /// # Errors
    /// [`StoreError`] where the disk says no; nothing is left behind.
    pub fn write(
        &self,
        head: Head,
        at: Timestamp,
        body: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<ContentHash, StoreError> {
        let path = self.folder.join(format!("{:020}-{}.{ENDING}", head.sequence, head.hash));
        let part = path.with_extension("part");
        let written = Self::write_to(&part, head, at, body).and_then(|checksum| {
            fs::rename(&part, &path)?;
            // The name is durable as well: lines that it stands for may be cut off.
            fs::File::open(&self.folder)?.sync_all()?;
            Ok(checksum)
        });
        if written.is_err() {
            // Room for what will be tried next; that it cannot be removed either changes nothing.
            let _ = fs::remove_file(&part);
        }
        Ok(written?)
    }

    fn write_to(
        part: &Path,
        head: Head,
        at: Timestamp,
        body: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> std::io::Result<ContentHash> {
        let mut out = Hashing {
            inner: BufWriter::with_capacity(1 << 20, fs::File::create(part)?),
            hasher: blake3::Hasher::new(),
        };
        let about = About { vestibule_snapshot: FORM, sequence: head.sequence, hash: head.hash, at };
        serde_json::to_writer(&mut out, &about)?;
        out.write_all(b"\n")?;
        body(&mut out)?;
        let checksum = ContentHash(*out.hasher.finalize().as_bytes());
        write!(out.inner, "\n{checksum}")?;
        out.inner.flush()?;
        out.inner.get_ref().sync_all()?;
        Ok(checksum)
    }

    /// Reads a snapshot and checks that it is as it was written.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is not, [`StoreError::Newer`] where a newer program wrote it.
    pub fn read(file: &SnapshotFile) -> Result<Snapshot, StoreError> {
        Snapshot::from_bytes(file.sequence, fs::read(&file.path)?)
    }

    /// Removes one.
    ///
    /// # Errors
    /// [`StoreError`] where the disk says no.
    pub fn remove(file: &SnapshotFile) -> Result<(), StoreError> {
        Ok(fs::remove_file(&file.path)?)
    }
}

impl Snapshot {
    /// The snapshot of line `sequence`, in the bytes of its file.
    ///
    /// # Errors
    /// As [`Snapshots::read`].
    pub fn from_bytes(sequence: u64, mut bytes: Vec<u8>) -> Result<Self, StoreError> {
        let damaged = |what: &str| StoreError::Damaged(format!("snapshot {sequence}: {what}"));
        let end = bytes.len().checked_sub(TRAILER).ok_or_else(|| damaged("it is cut off"))?;
        let trailer = std::str::from_utf8(&bytes[end..]).ok().and_then(|text| text.strip_prefix('\n'));
        let stated: Option<ContentHash> = trailer.and_then(|text| text.parse().ok());
        let checksum = ContentHash::of(&bytes[..end]);
        if stated != Some(checksum) {
            return Err(damaged("its checksum does not fit"));
        }
        bytes.truncate(end);
        let first = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("it says nothing of itself"))?;
        let about: About = serde_json::from_slice(&bytes[..first]).map_err(|error| damaged(&error.to_string()))?;
        if about.vestibule_snapshot > FORM {
            return Err(StoreError::Newer { found: about.vestibule_snapshot.into(), known: FORM.into() });
        }
        if about.sequence != sequence {
            return Err(damaged("its name is another one's"));
        }
        let head = Head { sequence: about.sequence, hash: about.hash };
        let body = bytes.split_off(first + 1);
        Ok(Self { head, at: about.at, checksum, body })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: Head = Head { sequence: 7, hash: ContentHash([3; 32]) };

    fn one(folder: &Path, body: &[u8]) -> (Snapshots, ContentHash) {
        let snapshots = Snapshots::open(folder).unwrap();
        let checksum = snapshots.write(HEAD, Timestamp(5), |out| out.write_all(body)).unwrap();
        (snapshots, checksum)
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.part"), b"half").unwrap();
        let (snapshots, checksum) = one(dir.path(), b"{}\n{}");
        let list = snapshots.list();
        assert_eq!(list.len(), 1);
        let read = Snapshots::read(&list[0]).unwrap();
        assert_eq!(read, Snapshot { head: HEAD, at: Timestamp(5), checksum, body: b"{}\n{}".to_vec() });
        let full = snapshots.write(HEAD, Timestamp(5), |_| Err(std::io::ErrorKind::StorageFull.into()));
        assert!(matches!(full, Err(StoreError::Full)));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half is left, nothing whole is lost");
    }

    proptest! {
        #[test]
        fn any_change_is_found(body in proptest::collection::vec(any::<u8>(), 0..60),
                               place in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let dir = tempfile::tempdir().unwrap();
            let (snapshots, _) = one(dir.path(), &body);
            let file = snapshots.list().remove(0);
            let good = fs::read(&file.path).unwrap();
            let mut bad = good.clone();
            let place = place.index(bad.len());
            bad[place] ^= 1 << bit;
            fs::write(&file.path, &bad).unwrap();
            // Hexadecimal digits may be written in either case; nothing else may be changed.
            let case = place >= good.len() - 64 && bad[place].eq_ignore_ascii_case(&good[place]);
            prop_assert_eq!(Snapshots::read(&file).is_ok(), case);
            fs::write(&file.path, &good[..place]).unwrap();
            prop_assert!(Snapshots::read(&file).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("1-x.snapshot");
            fs::write(&path, bytes).unwrap();
            let file = SnapshotFile { sequence: 1, path };
            prop_assert!(Snapshots::read(&file).is_err());
        }
    }
}
