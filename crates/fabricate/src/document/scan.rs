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

/// What bytes that may be read hold.
#[derive(Debug, PartialEq)]
pub(super) struct Scanned<'a> {
    /// How many changes at most.
    pub changes: usize,
    /// Its chunks.
    pub chunks: Vec<&'a [u8]>,
}

/// Looks at bytes before they are read.
pub(super) fn scan(bytes: &[u8]) -> Result<Scanned<'_>, DocumentError> {
    too_large(bytes.len())?;
    let (mut reader, mut sum, mut chunks) = (Reader { bytes }, Sum::default(), Vec::new());
    if bytes.is_empty() {
        return Err(broken("nothing"));
    }
    while !reader.bytes.is_empty() {
        let before = reader.bytes;
        reader.chunk(&mut sum)?;
        chunks.push(&before[..before.len() - reader.bytes.len()]);
        if sum.changes > MAX_PIECES {
            return Err(DocumentError::TooMany { changes: usize::try_from(sum.changes).unwrap_or(usize::MAX) });
        }
    }
    Ok(Scanned { changes: usize::try_from(sum.changes).unwrap_or(usize::MAX), chunks })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Start, document::Document};

    fn chunk(kind: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 128);
        [&MAGIC[..], &[0; CHECKSUM], &[kind, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// A document with one column of changes of these bytes.
    fn column(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        chunk(DOCUMENT, &[&[0, 0, 1, kind, length, 0][..], content].concat())
    }

    #[test]
    fn what_documents_hold_is_counted() {
        let mut document = Document::new([1; 16], &Start::Lamp.design()).unwrap();
        for height in 300..310 {
            document.apply(&document.turning_param("height", height.into()).unwrap()).unwrap();
        }
        let saved = document.save();
        assert_eq!(scan(&saved).map(|scanned| (scanned.changes, scanned.chunks.len())), Ok((11, 1)));
        let all = document.changes_since(&[]);
        let both = [saved, all].concat();
        let scanned = scan(&both).unwrap();
        assert_eq!((scanned.changes, scanned.chunks.concat() == both), (22, true));
    }

    #[test]
    fn runs_of_a_million_million_are_refused() {
        // A value, 2^42 times; nothing, 2^42 times; a flag, 2^42 times.
        let many = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        for (kind, content) in [(1, [&many[..], &[7]].concat()), (2, [&[0][..], &many].concat()), (4, many.to_vec())] {
            let refused = scan(&column(kind, &content)).err();
            assert!(matches!(refused, Some(DocumentError::TooMany { .. })), "{refused:?}");
        }
        assert_eq!(scan(&column(1, &[3, 7])).map(|scanned| scanned.changes), Ok(3));
        assert_eq!(
            scan(&column(1, &[0x7e, 7, 8])).map(|scanned| scanned.changes),
            Ok(2),
            "two values, one after the other"
        );
        assert!(scan(&column(1, &[0x7e, 7])).is_err());
        let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert!(scan(&column(1, &least)).is_err());
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let packed = |zeros: usize| {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut packer, &vec![0; zeros]).unwrap();
            packer.finish().unwrap()
        };
        let bomb = packed(MAX_UNPACKED + 1);
        let length = |count: usize| {
            let seven = |shift: u32| u8::try_from(count >> shift & 0x7f).unwrap();
            [seven(0) | 0x80, seven(7) | 0x80, seven(14)]
        };
        let bytes = [&MAGIC[..], &[0; CHECKSUM], &[PACKED_CHANGE], &length(bomb.len()), &bomb].concat();
        assert!(matches!(scan(&bytes), Err(DocumentError::TooLarge { .. })));
        let head = [0, 0, 1, 9];
        let inner = [&head[..], &length(bomb.len()), &[0], &bomb].concat();
        let bytes = [&MAGIC[..], &[0; CHECKSUM], &[DOCUMENT], &length(inner.len()), &inner].concat();
        assert!(matches!(scan(&bytes), Err(DocumentError::TooLarge { .. })));
    }

    #[test]
    fn a_document_of_too_many_changes_is_refused() {
        // 200,001 changes of somebody.
        let bytes = column(1, &[0xc1, 0x9a, 0x0c, 0]);
        assert_eq!(scan(&bytes).map(|scanned| scanned.changes), Ok(200_001));
        assert_eq!(Document::load([1; 16], &bytes).err(), Some(DocumentError::TooMany { changes: 200_001 }));
    }
}
