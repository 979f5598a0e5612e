//! A zip file, written in one pass: what is not known before is said after each entry.

use std::{
    io::{self, Write},
    num::NonZero,
    sync::mpsc,
    thread,
};

use flate2::{Compress, Compression, FlushCompress, Status, write::DeflateEncoder};
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

/// A short part of a text, written where there is time for it.
pub(crate) trait Text: Sync {
    fn write(&self, to: &mut Vec<u8>);
}

/// A part of an entry that was deflated by itself.
struct Deflated {
    packed: Vec<u8>,
    crc: crc32fast::Hasher,
    size: u64,
}

/// Cores that are used at most: each holds half a megabyte.
const CORES: usize = 8;
/// Bytes of a packed piece, about.
const ROOM: usize = 40 << 10;

/// Deflates one piece after the other. What it needs for one serves the next: to get such memory from the system anew takes
/// a tenth of the time.
struct Packer {
    deflate: Compress,
    plain: Vec<u8>,
}

impl Packer {
    fn new() -> Self {
        Self { deflate: Compress::new(Compression::new(LEVEL), false), plain: Vec::new() }
    }

    /// What comes after it begins anew, at a whole byte, unless it is the last.
    fn pack(&mut self, texts: &[impl Text], is_last: bool) -> io::Result<Deflated> {
        self.deflate.reset();
        let mut done = Deflated { packed: Vec::new(), crc: crc32fast::Hasher::new(), size: 0 };
        for text in texts {
            self.plain.clear();
            text.write(&mut self.plain);
            done.crc.update(&self.plain);
            done.size += self.plain.len() as u64;
            self.take(FlushCompress::None, &mut done.packed)?;
        }
        self.plain.clear();
        let end = if is_last { FlushCompress::Finish } else { FlushCompress::Sync };
        self.take(end, &mut done.packed)?;
        Ok(done)
    }

    /// Deflates what is plain.
    fn take(&mut self, flush: FlushCompress, packed: &mut Vec<u8>) -> io::Result<()> {
        let begin = self.deflate.total_in();
        let taken = |deflate: &Compress| usize::try_from(deflate.total_in() - begin).unwrap_or(usize::MAX);
        loop {
            if packed.len() == packed.capacity() {
                packed.reserve(if packed.is_empty() { ROOM } else { ROOM / 4 });
            }
            let rest = self.plain.get(taken(&self.deflate)..).unwrap_or_default();
            let status = self.deflate.compress_vec(rest, packed, flush).map_err(io::Error::other)?;
            // Where there was room left, everything has been said.
            let is_all = packed.len() < packed.capacity() && taken(&self.deflate) == self.plain.len();
            if status == Status::StreamEnd || (is_all && flush != FlushCompress::Finish) {
                return Ok(());
            }
        }
    }
}

/// What workers pack, in the order of the pieces: each takes every so manieth, so that nobody has to ask what is next.
fn packed_by(
    workers: usize,
    pieces: &[Vec<impl Text>],
    mut write: impl FnMut(Deflated) -> io::Result<()>,
) -> io::Result<()> {
    let last = pieces.len() - 1;
    let broken = || io::Error::other("a piece could not be deflated");
    thread::scope(|scope| {
        let (mut packed, mut working) = (Vec::with_capacity(workers), Vec::with_capacity(workers));
        for worker in 0..workers {
            // One waits while the next is worked on.
            let (send, receive) = mpsc::sync_channel(1);
            packed.push(receive);
            let work = move || {
                let mut packer = Packer::new();
                for (at, piece) in pieces.iter().enumerate().skip(worker).step_by(workers) {
                    // Nobody receives any more: what is written to has refused.
                    if send.send(packer.pack(piece, at == last)).is_err() {
                        return;
                    }
                }
            };
            working.push(thread::Builder::new().name("deflate".to_owned()).spawn_scoped(scope, work)?);
        }
        let in_order = packed.iter().cycle().take(pieces.len());
        let mut written = Ok(());
        for next in in_order {
            written = next.recv().map_err(|_| broken()).flatten().and_then(&mut write);
            if written.is_err() {
                break;
            }
        }
        // Nobody waits for somebody who receives.
        drop(packed);
        let joined = working.into_iter().try_for_each(|one| one.join().map_err(|_| broken()));
        written.and(joined)
    })
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
        let at = self.begin(name)?;
        let begin = self.to.bytes;
        let (crc, size) = {
            let to = DeflateEncoder::new(&mut self.to, Compression::new(LEVEL));
            let mut content = Content { to, crc: crc32fast::Hasher::new(), size: 0 };
            fill(&mut content)?;
            let Content { to, crc, size } = content;
            to.finish()?;
            (crc.finalize(), size)
        };
        let packed = self.to.bytes - begin;
        self.end(Entry { name: name.to_owned(), at, crc, packed: small(packed)?, size: small(size)? })
    }

    /// Writes an entry whose text comes in pieces, each deflated by itself: by as many cores as there are, and always to
    /// the same bytes. No more pieces are held than are being worked on.
    pub fn pieces(&mut self, name: &str, pieces: &[Vec<impl Text>]) -> Result<(), ExportError> {
        let at = self.begin(name)?;
        let begin = self.to.bytes;
        let workers = thread::available_parallelism().map_or(1, NonZero::get).min(CORES).min(pieces.len());
        let (mut crc, mut size) = (crc32fast::Hasher::new(), 0);
        packed_by(workers, pieces, |piece| {
            crc.combine(&piece.crc);
            size += piece.size;
            self.to.write_all(&piece.packed)
        })?;
        let packed = self.to.bytes - begin;
        self.end(Entry { name: name.to_owned(), at, crc: crc.finalize(), packed: small(packed)?, size: small(size)? })
    }

    /// Begins an entry; gives where.
    fn begin(&mut self, name: &str) -> Result<u32, ExportError> {
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
        Ok(at)
    }

    /// Says what an entry was.
    fn end(&mut self, entry: Entry) -> Result<(), ExportError> {
        let mut tail = Vec::from(*b"PK\x07\x08");
        for value in [entry.crc, entry.packed, entry.size] {
            tail.extend(value.to_le_bytes());
        }
        self.to.write_all(&tail)?;
        self.entries.push(entry);
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
