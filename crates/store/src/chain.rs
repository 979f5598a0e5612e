//! The chain: each line's hash covers the hash before it, its number, its time and its bytes.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::{Commitment, ContentHash, Name, Timestamp};

use crate::StoreError;

/// A line to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided; the log does not look inside.
    pub payload: Vec<u8>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1 without gaps.
    pub sequence: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided.
    pub payload: Vec<u8>,
    /// The hash of this line and, through the line before, of everything up to it.
    pub hash: ContentHash,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the last line; 0: the log is empty.
    pub sequence: u64,
    /// Its hash. Whoever notes it elsewhere can later prove that nothing up to it was changed.
    pub hash: ContentHash,
}

impl Head {
    /// Before the first line.
    pub const EMPTY: Self = Self { sequence: 0, hash: ContentHash([0; 32]) };

    /// The line that `line` becomes behind this head.
    #[must_use]
    pub fn chain(self, line: NewLine) -> Line {
        let sequence = self.sequence.saturating_add(1);
        let hash = hash_of(self.hash, sequence, line.at, &line.payload);
        Line { sequence, at: line.at, payload: line.payload, hash }
    }
}

/// The hash of a line behind one whose hash is `previous`.
fn hash_of(previous: ContentHash, sequence: u64, at: Timestamp, payload: &[u8]) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"vestibule log 1");
    hasher.update(&previous.0);
    hasher.update(&sequence.to_le_bytes());
    hasher.update(&at.0.to_le_bytes());
    hasher.update(payload);
    ContentHash(*hasher.finalize().as_bytes())
}

/// What [`EventLog::verify`] found where everything is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// How many lines were read and found unchanged.
    pub lines: u64,
    /// What they are chained to: [`Head::EMPTY`], or the last line that was cut off by retention.
    pub from: Head,
    /// Where the log ends.
    pub head: Head,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its bytes, its time, its hash or the order of lines is not what was written.
    Changed,
    /// It is not there, but later ones are.
    Missing,
    /// It and everything after it is not there, but the stored head says that it was.
    CutOff,
    /// It is there, but the stored head says that the log ends before it.
    Added,
}

/// The first line that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {sequence} of the log {}", fault.words())]
pub struct BadLine {
    /// Its number.
    pub sequence: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl Fault {
    const fn words(self) -> &'static str {
        match self {
            Self::Changed => "was changed after it was written",
            Self::Missing => "is missing",
            Self::CutOff => "and all after it were cut off",
            Self::Added => "was added behind the log's back",
        }
    }
}

/// Follows a chain line by line, so that a log of any length is checked in little memory.
#[derive(Clone, Copy, Debug)]
pub struct Checker {
    from: Head,
    head: Head,
}

impl Checker {
    /// Begins behind `from`.
    #[must_use]
    pub const fn new(from: Head) -> Self {
        Self { from, head: from }
    }

    /// Where the lines taken so far end.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Takes the next line that is there.
    ///
    /// # Errors
    /// [`BadLine`] where it is not the line that was written there.
    pub fn next(&mut self, line: &Line) -> Result<(), BadLine> {
        let expected = self.head.sequence.saturating_add(1);
        if line.sequence != expected {
            let fault = if line.sequence > expected { Fault::Missing } else { Fault::Changed };
            return Err(BadLine { sequence: expected, fault });
        }
        let hash = hash_of(self.head.hash, line.sequence, line.at, &line.payload);
        if hash != line.hash {
            return Err(BadLine { sequence: expected, fault: Fault::Changed });
        }
        self.head = Head { sequence: line.sequence, hash };
        Ok(())
    }

    /// No more lines: is this where the log says that it ends?
    ///
    /// # Errors
    /// [`BadLine`] where it is not.
    pub fn finish(self, stored: Head) -> Result<VerifyReport, BadLine> {
        let next = self.head.sequence.saturating_add(1);
        if stored.sequence > self.head.sequence {
            return Err(BadLine { sequence: next, fault: Fault::CutOff });
        }
        if stored.sequence < self.head.sequence {
            return Err(BadLine { sequence: stored.sequence.saturating_add(1), fault: Fault::Added });
        }
        if stored.hash != self.head.hash {
            return Err(BadLine { sequence: stored.sequence, fault: Fault::Changed });
        }
        let lines = self.head.sequence.saturating_sub(self.from.sequence);
        Ok(VerifyReport { lines, from: self.from, head: self.head })
    }
}

/// An append-only log of bytes. Every method may take as long as a disk takes.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends all lines or none behind `after`, with the names that are written in them; when it returns, they survive
    /// a kill.
    ///
    /// # Errors
    /// [`StoreError::Moved`] where the log does not end at `after`: read what is new, decide again. Any other:
    /// nothing was appended as far as is known, and trying again is allowed.
    async fn append(&self, after: Head, lines: Vec<NewLine>, names: Vec<Name>) -> Result<Head, StoreError>;

    /// The same, as soon as it can be done for few lines: the thread that polls this may be kept waiting for the disk.
    /// On a quick disk that takes less time than to hand the lines to another thread and to be woken up by it.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    async fn append_here(&self, after: Head, lines: Vec<NewLine>, names: Vec<Name>) -> Result<Head, StoreError> {
        self.append(after, lines, names).await
    }

    /// At most `limit` lines after number `after`, in order.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    async fn read(&self, after: u64, limit: u32) -> Result<Vec<Line>, StoreError>;

    /// What the first line that is there is chained to.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    async fn anchor(&self) -> Result<Head, StoreError>;

    /// Removes the lines up to `anchor`, in pieces; after each of them, and after a kill, the rest is whole.
    ///
    /// # Errors
    /// [`StoreError::Bad`] where `anchor` is no line of this log.
    async fn cut(&self, anchor: Head) -> Result<(), StoreError>;

    /// The names that lines are written with.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    async fn names(&self) -> Result<Vec<Name>, StoreError>;

    /// Destroys everything that says who a person was. When it returns, it is nowhere in the log's files.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be done now; trying again is allowed.
    async fn forget(&self, person: Commitment) -> Result<(), StoreError>;

    /// Where the log ends.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    async fn head(&self) -> Result<Head, StoreError>;

    /// Reads the whole log and checks every line against its chain and the end against the stored head.
    ///
    /// # Errors
    /// [`StoreError::Bad`] names the first line that is not as it was written.
    async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut checker = Checker::new(self.anchor().await?);
        loop {
            let lines = self.read(checker.head().sequence, 1_000).await?;
            if lines.is_empty() {
                return Ok(checker.finish(self.head().await?)?);
            }
            for line in &lines {
                checker.next(line)?;
            }
        }
    }

    /// Writes back what can be written back and lets go of the files.
    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(payloads: &[Vec<u8>]) -> (Vec<Line>, Head) {
        let mut head = Head::EMPTY;
        let mut lines = Vec::new();
        for (index, payload) in payloads.iter().enumerate() {
            let line = head.chain(NewLine { at: Timestamp(1_000 + index as u64), payload: payload.clone() });
            head = Head { sequence: line.sequence, hash: line.hash };
            lines.push(line);
        }
        (lines, head)
    }

    fn check(lines: &[Line], stored: Head) -> Result<VerifyReport, BadLine> {
        let mut checker = Checker::new(Head::EMPTY);
        lines.iter().try_for_each(|line| checker.next(line))?;
        checker.finish(stored)
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 1..12)
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_found_at_its_line(payloads in payloads(), which in any::<prop::sample::Index>(),
                                                place in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let (mut lines, head) = log(&payloads);
            prop_assert!(check(&lines, head).is_ok());
            let index = which.index(lines.len());
            let line = &mut lines[index];
            let place = place.index(line.payload.len() + 40);
            match place {
                0..32 => line.hash.0[place] ^= 1 << bit,
                32..40 => line.at.0 ^= 1 << ((place - 32) * 8 + usize::from(bit)),
                _ => line.payload[place - 40] ^= 1 << bit,
            }
            let bad = check(&lines, head).unwrap_err();
            prop_assert_eq!(bad, BadLine { sequence: index as u64 + 1, fault: Fault::Changed });
        }

        #[test]
        fn missing_swapped_and_cut_lines_are_found(payloads in payloads(), which in any::<prop::sample::Index>()) {
            let (lines, head) = log(&payloads);
            let index = which.index(lines.len());
            let mut missing = lines.clone();
            missing.remove(index);
            let fault = if index + 1 == lines.len() { Fault::CutOff } else { Fault::Missing };
            prop_assert_eq!(check(&missing, head).unwrap_err(), BadLine { sequence: index as u64 + 1, fault });
            if index + 1 < lines.len() {
                let mut swapped = lines.clone();
                let (a, b) = (swapped[index].payload.clone(), swapped[index + 1].payload.clone());
                prop_assume!(a != b);
                swapped[index].payload = b;
                swapped[index + 1].payload = a;
                prop_assert_eq!(check(&swapped, head).unwrap_err().sequence, index as u64 + 1);
            }
            let short = Head { sequence: head.sequence - 1, ..head };
            prop_assert_eq!(check(&lines, short).unwrap_err().fault, Fault::Added);
        }
    }
}
