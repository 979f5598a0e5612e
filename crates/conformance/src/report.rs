//! What came of a run: a line for people, an object for programs.

use std::fmt;

use serde::Serialize;

use crate::catalogue::Entry;

/// What came of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The row: `P2.11`, `REQ-DT-05`.
    pub id: &'static str,
    /// Its group: `procedure-2`.
    pub group: &'static str,
    /// Where it is demanded.
    pub clause: &'static str,
    /// What was done.
    pub done: &'static str,
    /// What was seen.
    pub seen: String,
    /// Whether that is what has to be seen.
    pub passed: bool,
}

impl Row {
    /// The row of an entry of the catalogue after it was played.
    #[must_use]
    pub fn new(entry: &Entry, seen: Result<String, String>) -> Self {
        let (passed, seen) = match seen {
            Ok(seen) => (true, seen),
            Err(seen) => (false, seen),
        };
        let Entry { id, group, clause, done, .. } = *entry;
        Self { id, group: group.name(), clause, done, seen: one_line(&seen), passed }
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Which enabler, over which transport.
    pub enabler: String,
    /// The rows, in the order in which they were played.
    pub rows: Vec<Row>,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
}

impl Report {
    /// Counts.
    #[must_use]
    pub fn new(enabler: String, rows: Vec<Row>) -> Self {
        let passed = rows.iter().filter(|row| row.passed).count();
        Self { enabler, passed, failed: rows.len() - passed, rows }
    }

    /// The ids of the rows that failed.
    #[must_use]
    pub fn failures(&self) -> Vec<&'static str> {
        self.rows.iter().filter(|row| !row.passed).map(|row| row.id).collect()
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in it cannot be JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Row) -> &str| self.rows.iter().map(|row| of(row).len()).max().unwrap_or(0);
        let (id, clause, done) = (width(|row| row.id), width(|row| row.clause), width(|row| row.done));
        for row in &self.rows {
            let word = if row.passed { "pass" } else { "FAIL" };
            writeln!(f, "{word}  {:id$}  {:clause$}  {:done$}  {}", row.id, row.clause, row.done, row.seen)?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// What an enabler says comes from outside: one line of bounded length, without control characters.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(320).collect();
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn a_report_says_what_was_seen_and_counts() {
        let entries = catalogue::entries(catalogue::Reach::ALL);
        let rows = vec![
            Row::new(entries[0], Ok("it was taken".to_owned())),
            Row::new(entries[1], Err("nothing\ncame".to_owned())),
        ];
        let report = Report::new("quic://home:4433".to_owned(), rows);
        let text = report.to_string();
        assert!(text.ends_with("1 passed, 1 failed") && text.contains("nothing came"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!((json["failed"].as_u64(), json["rows"][1]["passed"].as_bool()), (Some(1), Some(false)));
        assert_eq!(report.failures(), [entries[1].id]);
    }
}
