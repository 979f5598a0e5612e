//! Looks at a document's bytes before they are read: how much they would become. Columns say "this value, a million
//! million times" in a few bytes, and may be packed on top of it; their reader believes them.
//!
//! The layout is automerge's: chunks of a magic number, a checksum, a kind, a length and content; documents and changes
//! have columns, whose kind says how their values are written.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::{DocumentError, store::too_large};

/// The most rows of a column: two hundred thousand changes of a click each, and a few that set a whole design.
const MAX_ROWS: u64 = 4_000_000;
/// The most bytes that all packed parts together may become.
const MAX_UNPACKED: usize = 128 << 20;
/// The most chunks, columns, actors or heads: each costs more than its bytes.
const MAX_PIECES: u64 = 250_000;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHECKSUM: usize = 4;
const HASH: usize = 32;
const DOCUMENT: u8 = 0;
const CHANGE: u8 = 1;
const PACKED_CHANGE: u8 = 2;
/// The bit of a column's kind that says that it is packed.
const PACKED: u64 = 1 << 3;
/// The column with the changes that each change comes after.
const COMES_AFTER: u64 = 67;

struct Reader<'a> {
    bytes: &'a [u8],
}

/// How much there is.
#[derive(Default)]
struct Sum {
    changes: u64,
    rows: u64,
    unpacked: usize,
}

fn broken(what: &str) -> DocumentError {
    DocumentError::Malformed(what.to_owned())
}

/// Nothing where these bytes may be read, with how many changes they have at most.
pub(super) fn scan(bytes: &[u8]) -> Result<usize, DocumentError> {
    too_large(bytes.len())?;
    let (mut reader, mut sum) = (Reader { bytes }, Sum::default());
    if bytes.is_empty() {
        return Err(broken("nothing"));
    }
    while !reader.bytes.is_empty() {
        reader.chunk(&mut sum)?;
        if sum.changes > MAX_PIECES {
            return Err(DocumentError::TooMany { changes: usize::try_from(sum.changes).unwrap_or(usize::MAX) });
        }
    }
    Ok(usize::try_from(sum.changes).unwrap_or(usize::MAX))
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DocumentError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or_else(|| broken("it ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn length(&mut self) -> Result<usize, DocumentError> {
        usize::try_from(self.unsigned()?).map_err(|_| broken("a length is too large"))
    }

    fn prefixed(&mut self) -> Result<&'a [u8], DocumentError> {
        let length = self.length()?;
        self.take(length)
    }

    /// A number in sevens of bits, the lowest first.
    fn unsigned(&mut self) -> Result<u64, DocumentError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(broken("a number is too long"))
    }

    fn signed(&mut self) -> Result<i64, DocumentError> {
        let mut value = 0_i64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let negative = byte & 0x40 != 0 && shift + 7 < 64;
                return Ok(if negative { value | (-1 << (shift + 7)) } else { value });
            }
        }
        Err(broken("a number is too long"))
    }

    fn pieces(&mut self) -> Result<u64, DocumentError> {
        let count = self.unsigned()?;
        if count > MAX_PIECES { Err(broken("too many pieces")) } else { Ok(count) }
    }

    fn chunk(&mut self, sum: &mut Sum) -> Result<(), DocumentError> {
        if self.take(MAGIC.len())? != MAGIC {
            return Err(broken("it does not begin as a document"));
        }
        self.take(CHECKSUM)?;
        let kind = self.take(1)?[0];
        let content = self.prefixed()?;
        match kind {
            DOCUMENT => Reader { bytes: content }.document(sum),
            CHANGE => Reader { bytes: content }.change(sum),
            PACKED_CHANGE => Reader { bytes: &unpacked(content, sum)? }.change(sum),
            _ => Err(broken("a chunk is of an unknown kind")),
        }
    }

    fn document(&mut self, sum: &mut Sum) -> Result<(), DocumentError> {
        for _ in 0..self.pieces()? {
            self.prefixed()?;
        }
        for _ in 0..self.pieces()? {
            self.take(HASH)?;
        }
        let (changes, operations) = (self.columns()?, self.columns()?);
        let rows = self.rows(&changes, sum)?;
        sum.changes = sum.changes.saturating_add(rows);
        self.rows(&operations, sum)?;
        Ok(())
    }

    fn change(&mut self, sum: &mut Sum) -> Result<(), DocumentError> {
        sum.changes += 1;
        for _ in 0..self.pieces()? {
            self.take(HASH)?;
        }
        self.prefixed()?;
        self.unsigned()?;
        self.unsigned()?;
        self.signed()?;
        self.prefixed()?;
        for _ in 0..self.pieces()? {
            self.prefixed()?;
        }
        let columns = self.columns()?;
        self.rows(&columns, sum)?;
        Ok(())
    }

    /// Columns' kinds and lengths.
    fn columns(&mut self) -> Result<Vec<(u64, usize)>, DocumentError> {
        let count = self.pieces()?;
        (0..count).map(|_| Ok((self.unsigned()?, self.length()?))).collect()
    }

    /// The most rows of any of these columns.
    fn rows(&mut self, columns: &[(u64, usize)], sum: &mut Sum) -> Result<u64, DocumentError> {
        let mut most = 0;
        for (kind, length) in columns {
            let content = self.take(*length)?;
            let rows = if kind & PACKED == 0 {
                Reader { bytes: content }.column(kind & 7)?
            } else {
                Reader { bytes: &unpacked(content, sum)? }.column(kind & 7)?
            };
            // A change may come after several others.
            if kind & !PACKED != COMES_AFTER {
                most = most.max(rows);
            }
            sum.rows = sum.rows.saturating_add(rows);
            // A dozen columns each, most of them short.
            if rows > MAX_ROWS || sum.rows > 8 * MAX_ROWS {
                return Err(DocumentError::TooMany { changes: usize::try_from(rows).unwrap_or(usize::MAX) });
            }
        }
        Ok(most)
    }

    /// How many values a column has.
    fn column(&mut self, kind: u64) -> Result<u64, DocumentError> {
        let mut rows = 0_u64;
        while !self.bytes.is_empty() {
            let count = match kind {
                // Flags: how many are false, how many true, and so on.
                4 => self.unsigned()?,
                // Bytes of values, whose lengths are in another column.
                7 => return Ok(0),
                _ => self.run(kind)?,
            };
            rows = rows.saturating_add(count);
        }
        Ok(rows)
    }

    /// A value so many times, so many values, or nothing so many times.
    fn run(&mut self, kind: u64) -> Result<u64, DocumentError> {
        let count = self.signed()?;
        if count == 0 {
            return self.unsigned();
        }
        for _ in 0..if count > 0 { 1 } else { count.unsigned_abs() } {
            if kind == 5 {
                self.prefixed()?;
            } else {
                // Signed or not, it has as many bytes.
                self.unsigned()?;
            }
        }
        Ok(count.unsigned_abs())
    }
}

fn unpacked(content: &[u8], sum: &mut Sum) -> Result<Vec<u8>, DocumentError> {
    let room = MAX_UNPACKED.saturating_sub(sum.unpacked);
    let mut bytes = Vec::new();
    let most = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
    DeflateDecoder::new(content).take(most).read_to_end(&mut bytes).map_err(|_| broken("a part cannot be unpacked"))?;
    if bytes.len() > room {
        return Err(DocumentError::TooLarge { bytes: sum.unpacked.saturating_add(bytes.len()) });
    }
    sum.unpacked += bytes.len();
    Ok(bytes)
}
