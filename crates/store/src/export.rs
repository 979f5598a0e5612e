//! A log as a text file that proves itself: JSON lines, checked without the log.

use std::io::{BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use vestibule_model::{ContentHash, Name, Timestamp};

use crate::{Checker, EventLog, Head, Line, StoreError, VerifyReport};

const FORM: u32 = 1;
/// Bytes of one line of an export: the longest decision, escaped, several times.
const LONGEST: u64 = 16 * 1024 * 1024;
/// Lines of the log that are read at once.
const PAGE: u32 = 1_000;

#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Record {
    Line { sequence: u64, at: Timestamp, hash: ContentHash, payload: String },
    Name { name: Name },
    Header { vestibule_log: u32, from: Head, head: Head },
}

fn put(out: &mut impl Write, record: &Record) -> Result<(), StoreError> {
    let text = serde_json::to_string(record).map_err(|error| StoreError::Io(error.to_string()))?;
    Ok(writeln!(out, "{text}")?)
}

/// Writes the log up to its present end, with the hash of each line and the names that are not erased.
///
/// # Errors
/// [`StoreError`] where it cannot be read or written, or is not as it was written.
pub async fn export(log: &dyn EventLog, out: &mut (impl Write + Send)) -> Result<VerifyReport, StoreError> {
    let (from, head) = (log.anchor().await?, log.head().await?);
    put(out, &Record::Header { vestibule_log: FORM, from, head })?;
    for name in log.names().await? {
        put(out, &Record::Name { name })?;
    }
    let mut checker = Checker::new(from);
    while checker.head().sequence < head.sequence {
        let lines = log.read(checker.head().sequence, PAGE).await?;
        if lines.is_empty() {
            break;
        }
        for line in lines.into_iter().take_while(|line| line.sequence <= head.sequence) {
            checker.next(&line)?;
            let payload = String::from_utf8(line.payload)
                .map_err(|_| StoreError::Damaged(format!("line {} is no text", line.sequence)))?;
            put(out, &Record::Line { sequence: line.sequence, at: line.at, hash: line.hash, payload })?;
        }
    }
    let report = checker.finish(head)?;
    out.flush()?;
    Ok(report)
}

/// Checks an exported file: each line against the one before, the end against what the file begins with, each name
/// against its pseudonym.
///
/// # Errors
/// [`StoreError::Bad`] names the first line that is not as it was written, [`StoreError::Damaged`] says what else is
/// wrong.
pub fn verify_export(mut file: impl BufRead) -> Result<VerifyReport, StoreError> {
    let damaged = |number: usize, what: &str| StoreError::Damaged(format!("line {number} of the file: {what}"));
    let mut state: Option<(Checker, Head)> = None;
    let mut text = String::new();
    for number in 1.. {
        text.clear();
        let length = match file.by_ref().take(LONGEST).read_line(&mut text) {
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(damaged(number, "it is no text"));
            }
            Err(error) => return Err(error.into()),
        };
        if length == 0 {
            break;
        }
        if !text.ends_with('\n') {
            return Err(damaged(number, "it is cut off, or too long"));
        }
        let record = serde_json::from_str(&text).map_err(|error| damaged(number, &error.to_string()))?;
        match (record, &mut state) {
            (Record::Header { vestibule_log, from, head }, None) if vestibule_log <= FORM => {
                state = Some((Checker::new(from), head));
            }
            (Record::Header { vestibule_log, .. }, None) => {
                return Err(StoreError::Newer { found: vestibule_log.into(), known: FORM.into() });
            }
            (Record::Name { name }, Some(_)) if name.is_sound() => {}
            (Record::Name { .. }, Some(_)) => return Err(damaged(number, "the name is not the one of its pseudonym")),
            (Record::Line { sequence, at, hash, payload }, Some((checker, _))) => {
                checker.next(&Line { sequence, at, payload: payload.into_bytes(), hash })?;
            }
            (Record::Header { .. }, Some(_)) => return Err(damaged(number, "a second beginning")),
            (_, None) => return Err(damaged(number, "an exported log begins with what it is")),
        }
    }
    let (checker, head) = state.ok_or_else(|| damaged(1, "the file is empty"))?;
    Ok(checker.finish(head)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vestibule_model::Commitment;

    use super::*;
    use crate::{MemoryLog, NewLine};

    async fn exported(count: u64) -> Vec<u8> {
        let log = MemoryLog::default();
        let lines = (1..=count).map(|n| NewLine { at: Timestamp(n), payload: format!("{{\"n\":{n}}}").into_bytes() });
        let pseudonym = Commitment::of(&[7; 32], "ada");
        let name = Name { pseudonym, person: pseudonym, salt: [7; 32], text: "ada".to_owned() };
        log.append(Head::EMPTY, lines.collect(), vec![name]).await.unwrap();
        let cut = log.read(1, 1).await.unwrap().remove(0);
        log.cut(Head { sequence: cut.sequence, hash: cut.hash }).await.unwrap();
        let mut file = Vec::new();
        assert_eq!(export(&log, &mut file).await.unwrap().lines, count - 2);
        file
    }

    #[tokio::test]
    async fn an_export_proves_itself() {
        let file = exported(6).await;
        let report = verify_export(file.as_slice()).unwrap();
        assert_eq!((report.lines, report.from.sequence, report.head.sequence), (4, 2, 6));
        let text = String::from_utf8(file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let without = |index: usize| {
            let mut left = lines.clone();
            left.remove(index);
            left.join("\n") + "\n"
        };
        for index in [0, 2, 3, lines.len() - 1] {
            assert!(verify_export(without(index).as_bytes()).is_err(), "without line {index}");
        }
        let other = text.replace("\"text\":\"ada\"", "\"text\":\"bob\"");
        assert!(verify_export(other.as_bytes()).unwrap_err().to_string().contains("pseudonym"));
        assert!(verify_export(text.trim_end().as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_other_byte_is_found(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let good = runtime.block_on(exported(5));
            let mut file = good.clone();
            let place = place.index(file.len());
            file[place] = byte;
            match verify_export(file.as_slice()) {
                // Another way to write the same: the case of a digit, a space, an escape.
                Ok(report) => prop_assert_eq!(report, verify_export(good.as_slice()).unwrap()),
                Err(_) => prop_assert_ne!(file, good),
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(verify_export(bytes.as_slice()).is_err());
        }
    }
}
