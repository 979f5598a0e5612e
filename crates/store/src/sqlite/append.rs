//! One batch, one transaction, one message to SQLite's thread: what lies between a decision and its durability.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, SqliteConnection, error::ErrorKind, query::Query, sqlite::SqliteArguments};
use vestibule_model::Name;

use super::{hash, head, number, signed};
use crate::{Head, NewLine, StoreError};

/// Lines of one insert: a batch of the hub has at most some hundred, and SQLite takes 32,766 parameters.
const TOGETHER: usize = 256;

const BEGIN: &str = "BEGIN IMMEDIATE; ";
const NAME: &str = "INSERT OR IGNORE INTO name (pseudonym, person, salt, text) VALUES (?, ?, ?, ?); ";
// Behind another head nothing is inserted, nothing is changed, and the last statement says where the log is.
const END: &str = "UPDATE head SET sequence = ?, hash = ? WHERE sequence = ? AND hash = ?; COMMIT; \
                   SELECT sequence, hash FROM head";

fn insert(sql: &mut String, lines: usize) {
    sql.push_str("INSERT INTO log (sequence, at, payload, hash) SELECT * FROM (VALUES ");
    for line in 0..lines {
        sql.push_str(if line == 0 { "(?, ?, ?, ?)" } else { ", (?, ?, ?, ?)" });
    }
    sql.push_str(") WHERE EXISTS (SELECT 1 FROM head WHERE sequence = ? AND hash = ?); ");
}

fn statement(lines: usize, names: usize) -> String {
    let mut sql = String::from(BEGIN);
    (0..names).for_each(|_| sql.push_str(NAME));
    let mut left = lines;
    while left > 0 {
        insert(&mut sql, left.min(TOGETHER));
        left -= left.min(TOGETHER);
    }
    // Writing to a text cannot fail.
    let _ = sql.write_str(END);
    sql
}

type Bound<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

fn bind_names<'q>(mut query: Bound<'q>, names: Vec<Name>) -> Bound<'q> {
    for name in names {
        let (pseudonym, person) = (name.pseudonym.0.to_vec(), name.person.0.to_vec());
        query = query.bind(pseudonym).bind(person).bind(name.salt.to_vec()).bind(name.text);
    }
    query
}

/// Appends all lines or none, in a transaction that may be left open where this fails.
pub(super) async fn together(
    connection: &mut SqliteConnection,
    after: Head,
    lines: Vec<NewLine>,
    names: Vec<Name>,
) -> Result<Head, StoreError> {
    let sql = statement(lines.len(), names.len());
    // The statements of most batches come again and again; those of the largest would push them out.
    let keep = lines.len() <= 64 && names.is_empty();
    let mut query = bind_names(sqlx::query(AssertSqlSafe(sql)).persistent(keep), names);
    let mut end = after;
    let count = lines.len();
    for (index, new) in lines.into_iter().enumerate() {
        let line = end.chain(new);
        end = Head { sequence: line.sequence, hash: line.hash };
        query = query.bind(signed(line.sequence)?).bind(signed(line.at.0)?);
        query = query.bind(line.payload).bind(line.hash.0.to_vec());
        if (index + 1) % TOGETHER == 0 || index + 1 == count {
            query = query.bind(signed(after.sequence)?).bind(after.hash.0.to_vec());
        }
    }
    query = query.bind(signed(end.sequence)?).bind(end.hash.0.to_vec());
    query = query.bind(signed(after.sequence)?).bind(after.hash.0.to_vec());
    let row = match query.fetch_one(&mut *connection).await {
        Ok(row) => row,
        // A line of this number is there: the log has moved on.
        Err(error) if error.as_database_error().is_some_and(|e| e.kind() == ErrorKind::UniqueViolation) => {
            // The transaction is undone by the caller.
            return Err(StoreError::Moved(head(connection).await?));
        }
        Err(error) => return Err(error.into()),
    };
    let found = Head { sequence: number(&row, "sequence")?, hash: hash(&row)? };
    if found == end { Ok(end) } else { Err(StoreError::Moved(found)) }
}
