//! A zip file, written in one pass: what is not known before is said after each entry.

use std::io::{self, Write};

use flate2::{Compression, write::DeflateEncoder};
use serde::{Deserialize, Serialize};
use vestibule_model::ContentHash;

use super::ExportError;

/// Fast, and nearly as small as the slow levels on numbers in text.
const LEVEL: u32 = 3;
/// An entry's sizes and checksum come after it.
const SIZES_FOLLOW: u16 = 1 << 3;
/// What is needed to read it: deflate.
const VERSION: u16 = 20;
const DEFLATED: u16 = 8;
/// Midnight of the first day that the format knows: the same design gives the same bytes.
const DATE: u16 = (1 << 5) | 1;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// How many bytes.
    pub bytes: u64,
    /// What they hash to.
    pub hash: ContentHash,
}

/// Counts and hashes what goes through.
struct Counted<W> {
    to: W,
    bytes: u64,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

struct Entry {
    name: String,
    at: u32,
    crc: u32,
    packed: u32,
    size: u32,
}

/// A zip file that is being written.
pub(crate) struct Archive<W: Write> {
    to: Counted<W>,
    entries: Vec<Entry>,
}

/// One entry's content.
pub(crate) struct Content<'a, W: Write> {
    to: DeflateEncoder<&'a mut Counted<W>>,
    crc: crc32fast::Hasher,
    size: u64,
}

impl<W: Write> Write for Content<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write_all(bytes)?;
        self.crc.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn small(value: u64) -> Result<u32, ExportError> {
    u32::try_from(value).map_err(|_| ExportError::TooLarge)
}

impl<W: Write> Archive<W> {
    pub fn new(to: W) -> Self {
        Self { to: Counted { to, bytes: 0, hasher: blake3::Hasher::new() }, entries: Vec::new() }
    }

    /// Writes an entry with what `fill` writes into it.
    pub fn entry(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut Content<'_, W>) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let at = small(self.to.bytes)?;
        let mut head = Vec::from(*b"PK\x03\x04");
        for value in [VERSION, SIZES_FOLLOW, DEFLATED, 0, DATE] {
            head.extend(value.to_le_bytes());
        }
        head.extend([0; 12]);
        head.extend(length(name)?.to_le_bytes());
        head.extend([0; 2]);
        head.extend(name.as_bytes());
        self.to.write_all(&head)?;
        let begin = self.to.bytes;
        let (crc, size) = {
            let to = DeflateEncoder::new(&mut self.to, Compression::new(LEVEL));
            let mut content = Content { to, crc: crc32fast::Hasher::new(), size: 0 };
            fill(&mut content)?;
            let Content { to, crc, size } = content;
            to.finish()?;
            (crc.finalize(), small(size)?)
        };
        let packed = small(self.to.bytes - begin)?;
        let mut tail = Vec::from(*b"PK\x07\x08");
        for value in [crc, packed, size] {
            tail.extend(value.to_le_bytes());
        }
        self.to.write_all(&tail)?;
        self.entries.push(Entry { name: name.to_owned(), at, crc, packed, size });
        Ok(())
    }

    /// Writes the directory.
    pub fn finish(mut self) -> Result<Package, ExportError> {
        let at = small(self.to.bytes)?;
        for entry in &self.entries {
            let mut head = Vec::from(*b"PK\x01\x02");
            for value in [VERSION, VERSION, SIZES_FOLLOW, DEFLATED, 0, DATE] {
                head.extend(value.to_le_bytes());
            }
            for value in [entry.crc, entry.packed, entry.size] {
                head.extend(value.to_le_bytes());
            }
            head.extend(length(&entry.name)?.to_le_bytes());
            // No extra field, comment, disk, attributes.
            head.extend([0; 12]);
            head.extend(entry.at.to_le_bytes());
            head.extend(entry.name.as_bytes());
            self.to.write_all(&head)?;
        }
        let size = small(self.to.bytes)? - at;
        let count = u16::try_from(self.entries.len()).map_err(|_| ExportError::TooLarge)?.to_le_bytes();
        let mut end = Vec::from(*b"PK\x05\x06");
        end.extend([0; 4]);
        end.extend(count);
        end.extend(count);
        end.extend(size.to_le_bytes());
        end.extend(at.to_le_bytes());
        end.extend([0; 2]);
        self.to.write_all(&end)?;
        self.to.flush()?;
        Ok(Package { bytes: self.to.bytes, hash: ContentHash(*self.to.hasher.finalize().as_bytes()) })
    }
}

fn length(name: &str) -> Result<u16, ExportError> {
    u16::try_from(name.len()).map_err(|_| ExportError::TooLarge)
}
