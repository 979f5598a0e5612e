//! What leaves the log: old lines by retention, names by erasure.

use sqlx::{Connection, Row, SqliteConnection};
use vestibule_model::{Commitment, ContentHash, Name};

use super::{anchor, head, run, signed};
use crate::{BadLine, Fault, Head, StoreError};

/// Lines that go in one transaction: some milliseconds in which nobody else writes.
const PIECE: u64 = 1_000;

async fn hash_at(connection: &mut SqliteConnection, sequence: u64) -> Result<ContentHash, StoreError> {
    let row = sqlx::query("SELECT hash FROM log WHERE sequence = ?")
        .bind(signed(sequence)?)
        .fetch_optional(connection)
        .await?;
    let row = row.ok_or(BadLine { sequence, fault: Fault::Missing })?;
    super::hash(&row)
}

/// Removes the next lines up to `to`, and notes what the rest is chained to; whether that was all.
pub(super) async fn piece(connection: &mut SqliteConnection, to: Head) -> Result<bool, StoreError> {
    let from = anchor(connection).await?;
    if from.sequence >= to.sequence {
        return Ok(true);
    }
    if hash_at(connection, to.sequence).await? != to.hash || head(connection).await?.sequence < to.sequence {
        return Err(BadLine { sequence: to.sequence, fault: Fault::Changed }.into());
    }
    let sequence = from.sequence.saturating_add(PIECE).min(to.sequence);
    let hash = hash_at(connection, sequence).await?;
    run(connection, "BEGIN IMMEDIATE").await?;
    sqlx::query("DELETE FROM log WHERE sequence <= ?").bind(signed(sequence)?).execute(&mut *connection).await?;
    sqlx::query("INSERT OR REPLACE INTO anchor (id, sequence, hash) VALUES (1, ?, ?)")
        .bind(signed(sequence)?)
        .bind(hash.0.to_vec())
        .execute(&mut *connection)
        .await?;
    run(connection, "COMMIT").await?;
    Ok(sequence == to.sequence)
}

fn bytes<const N: usize>(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = row.try_get(column).map_err(|error| StoreError::Damaged(error.to_string()))?;
    bytes.try_into().map_err(|_| StoreError::Damaged(format!("a name's {column} has {} bytes", bytes.len())))
}

/// All names. A log of an older form has none.
pub(super) async fn names(connection: &mut SqliteConnection) -> Result<Vec<Name>, StoreError> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'name'";
    if sqlx::query(table).fetch_optional(&mut *connection).await?.is_none() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query("SELECT pseudonym, person, salt, text FROM name").fetch_all(connection).await?;
    let name = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Name {
            pseudonym: Commitment(bytes(row, "pseudonym")?),
            person: Commitment(bytes(row, "person")?),
            salt: bytes(row, "salt")?,
            text: row.try_get("text").map_err(|error| StoreError::Damaged(error.to_string()))?,
        })
    };
    rows.iter().map(name).collect()
}

/// Destroys what says who a person was ([`Name::tells_of`]), also in the write-ahead log.
pub(super) async fn forget(connection: &mut SqliteConnection, person: Commitment) -> Result<(), StoreError> {
    let known = names(connection).await?;
    let gone = known.iter().find(|name| name.pseudonym == person).map_or_else(Vec::new, |person| {
        known.iter().filter(|name| name.tells_of(person)).map(|name| name.pseudonym).collect()
    });
    // All at once: their own name is what finds the others after a kill.
    let mut transaction = connection.begin().await?;
    for name in gone {
        sqlx::query("DELETE FROM name WHERE pseudonym = ?").bind(name.0.to_vec()).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
    let busy: i64 = row.try_get(0).map_err(|error| StoreError::Damaged(error.to_string()))?;
    // Somebody else reads the file: their view still has the page with the name.
    if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
}
