//! The log in SQLite: one table, one writer, durable at commit (WAL, `synchronous=FULL`), or ahead of it.

mod ahead;
mod append;
mod cut;
mod quick;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use tokio::sync::Mutex;
use vestibule_model::{Commitment, ContentHash, Name, Timestamp};

use crate::{EventLog, Head, Line, NewLine, StoreError, VerifyReport, chain::Checker};

use quick::Quick;

/// The form of the file; grows with each change of the tables, and of what has to be read beside it: a program that does
/// not know the lines that were written ahead would go on without them.
const SCHEMA: i64 = 3;

const TABLES: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS form (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS log (sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, payload BLOB NOT NULL,
     hash BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS head (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL,
     hash BLOB NOT NULL) STRICT",
    // The line that the first one is chained to, once lines were cut off.
    "CREATE TABLE IF NOT EXISTS anchor (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL,
     hash BLOB NOT NULL) STRICT",
    // Not part of the chain: what can be forgotten.
    "CREATE TABLE IF NOT EXISTS name (pseudonym BLOB PRIMARY KEY, person BLOB NOT NULL, salt BLOB NOT NULL,
     text TEXT NOT NULL) STRICT, WITHOUT ROWID",
];

/// A log in a SQLite file. Hold the folder's [`DataFolder`](crate::DataFolder) while using it.
#[derive(Debug)]
pub struct SqliteLog {
    // One writer.
    connection: Mutex<Option<SqliteConnection>>,
    // Taken by who has `connection`. There is none where the file ahead of the log belongs to somebody else.
    quick: Mutex<Option<Quick>>,
    // One view of what is committed: a long read holds no write up.
    reader: Mutex<Option<SqliteConnection>>,
}

impl SqliteLog {
    /// Opens the log in `file`, or makes it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a newer program wrote it, others where the disk says no.
    pub async fn open(file: impl AsRef<Path>) -> Result<Self, StoreError> {
        let file = file.as_ref();
        let mut connection = writing(file, SqliteSynchronous::Full).connect().await?;
        // A killed append leaves no transaction: the file is as of the last commit.
        prepare(&mut connection).await?;
        let quick = Quick::open(file, &mut connection).await?;
        let reader = reading(file).connect().await?;
        let [connection, reader] = [connection, reader].map(|connection| Mutex::new(Some(connection)));
        Ok(Self { connection, quick: Mutex::new(quick), reader })
    }

    /// Opens the log in `file` to be read, also while another process writes to it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a newer program wrote it, others where it cannot be read.
    pub async fn read_only(file: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut connection = reading(file.as_ref()).connect().await?;
        let found: i64 = sqlx::query_scalar("SELECT version FROM form").fetch_one(&mut connection).await?;
        if found > SCHEMA {
            return Err(StoreError::Newer { found, known: SCHEMA });
        }
        Ok(Self { connection: Mutex::new(None), quick: Mutex::new(None), reader: Mutex::new(Some(connection)) })
    }

    /// Lets the file grow to about `bytes` and no further; appends then say [`StoreError::Full`].
    ///
    /// # Errors
    /// [`StoreError`] where SQLite says no.
    pub async fn limit(&self, bytes: u64) -> Result<(), StoreError> {
        let mut guard = self.connection.lock().await;
        let connection = guard.as_mut().ok_or_else(closed)?;
        let size: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut *connection).await?;
        let pages = bytes / u64::try_from(size.max(1)).unwrap_or(1);
        let sql = format!("PRAGMA max_page_count = {}", pages.clamp(1, 0xffff_fffe));
        let mut quick = self.quick.lock().await;
        for connection in quick.as_mut().map(|quick| &mut quick.connection).into_iter().chain([connection]) {
            sqlx::query(sqlx::AssertSqlSafe(sql.clone())).execute(connection).await?;
        }
        Ok(())
    }

    /// Appends in SQLite's file and waits for the disk; then nothing ahead of it is needed any more.
    async fn append_in_file(
        &self,
        connection: &mut SqliteConnection,
        after: Head,
        lines: Vec<NewLine>,
        names: Vec<Name>,
    ) -> Result<Head, StoreError> {
        let done = append::together(connection, after, lines, names).await;
        if done.is_err() {
            // Fails where SQLite has done it already; what counts is that the next one can begin.
            let _ = run(connection, "ROLLBACK").await;
        } else if let Some(quick) = self.quick.lock().await.as_mut() {
            quick.ahead.restart();
        }
        settled(connection, done).await
    }

    /// Nothing that has left the log stays ahead of it.
    async fn wipe_ahead(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut quick = self.quick.lock().await;
        let Some(quick) = quick.as_mut() else { return Ok(()) };
        quick::touch(connection).await?;
        Ok(quick.ahead.wipe()?)
    }
}

/// Who hears that the log has moved on takes what it has there for durable, also what seemed to fail.
async fn settled(connection: &mut SqliteConnection, done: Result<Head, StoreError>) -> Result<Head, StoreError> {
    if matches!(done, Err(StoreError::Moved(_))) {
        quick::touch(connection).await?;
    }
    done
}

fn writing(file: &Path, synchronous: SqliteSynchronous) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        // What is forgotten is overwritten, not only unlinked.
        .pragma("secure_delete", "ON")
        // A backup reads for a moment; longer than this and the caller is told.
        .busy_timeout(Duration::from_millis(2_000))
        .disable_statement_logging()
}

fn reading(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .busy_timeout(Duration::from_millis(2_000))
        .disable_statement_logging()
}

fn closed() -> StoreError {
    StoreError::Io("the log was closed".to_owned())
}

async fn prepare(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for table in TABLES {
        sqlx::query(table).execute(&mut *transaction).await?;
    }
    sqlx::query("INSERT OR IGNORE INTO form (id, version) VALUES (1, ?)")
        .bind(SCHEMA)
        .execute(&mut *transaction)
        .await?;
    let found: i64 = sqlx::query_scalar("SELECT version FROM form").fetch_one(&mut *transaction).await?;
    if found > SCHEMA {
        return Err(StoreError::Newer { found, known: SCHEMA });
    }
    sqlx::query("UPDATE form SET version = ? WHERE version < ?")
        .bind(SCHEMA)
        .bind(SCHEMA)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT OR IGNORE INTO head (id, sequence, hash) VALUES (1, 0, ?)")
        .bind(&Head::EMPTY.hash.0[..])
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Io("a number is too large for the log".to_owned()))
}

fn number(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column).map_err(|e| StoreError::Damaged(e.to_string()))?;
    u64::try_from(number).map_err(|_| StoreError::Damaged(format!("{column} is negative")))
}

/// A hash of another length cannot be the right one: it becomes one that fits nothing.
fn hash(row: &SqliteRow) -> Result<ContentHash, StoreError> {
    let bytes: &[u8] = row.try_get("hash").map_err(|e| StoreError::Damaged(e.to_string()))?;
    Ok(ContentHash(<[u8; 32]>::try_from(bytes).unwrap_or([0xff; 32])))
}

fn line(row: &SqliteRow) -> Result<Line, StoreError> {
    let payload = row.try_get("payload").map_err(|e| StoreError::Damaged(e.to_string()))?;
    Ok(Line { sequence: number(row, "sequence")?, at: Timestamp(number(row, "at")?), payload, hash: hash(row)? })
}

async fn head(connection: &mut SqliteConnection) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT sequence, hash FROM head").fetch_optional(connection).await?;
    let row = row.ok_or_else(|| StoreError::Damaged("it does not say where it ends".to_owned()))?;
    Ok(Head { sequence: number(&row, "sequence")?, hash: hash(&row)? })
}

/// What the first line is chained to. A log of an older form has no such table, and begins at the beginning.
async fn anchor(connection: &mut SqliteConnection) -> Result<Head, StoreError> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'anchor'";
    if sqlx::query(table).fetch_optional(&mut *connection).await?.is_none() {
        return Ok(Head::EMPTY);
    }
    match sqlx::query("SELECT sequence, hash FROM anchor").fetch_optional(connection).await? {
        Some(row) => Ok(Head { sequence: number(&row, "sequence")?, hash: hash(&row)? }),
        None => Ok(Head::EMPTY),
    }
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

async fn check(connection: &mut SqliteConnection) -> Result<VerifyReport, StoreError> {
    let mut checker = Checker::new(anchor(connection).await?);
    // By what is there, not by what should be: a number below 1 would never be asked for.
    let mut after = i64::MIN;
    loop {
        let rows =
            sqlx::query("SELECT sequence, at, payload, hash FROM log WHERE sequence > ? ORDER BY sequence LIMIT 1000")
                .bind(after)
                .fetch_all(&mut *connection)
                .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let line = line(row)?;
            checker.next(&line)?;
            after = signed(line.sequence)?;
        }
    }
    let report = checker.finish(head(connection).await?)?;
    let words: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(connection).await?;
    if words == "ok" { Ok(report) } else { Err(StoreError::Damaged(words)) }
}

#[async_trait]
impl EventLog for SqliteLog {
    async fn append(&self, after: Head, lines: Vec<NewLine>, names: Vec<Name>) -> Result<Head, StoreError> {
        let mut guard = self.connection.lock().await;
        let connection = guard.as_mut().ok_or_else(closed)?;
        self.append_in_file(connection, after, lines, names).await
    }

    async fn append_here(&self, after: Head, lines: Vec<NewLine>, names: Vec<Name>) -> Result<Head, StoreError> {
        let mut guard = self.connection.lock().await;
        let connection = guard.as_mut().ok_or_else(closed)?;
        if let Some(quick) = self.quick.lock().await.as_mut()
            && let Some(entry) = quick.entry(after, &lines, &names)
        {
            let done = quick.append(connection, after, lines, entry).await;
            return settled(connection, done).await;
        }
        self.append_in_file(connection, after, lines, names).await
    }

    async fn anchor(&self) -> Result<Head, StoreError> {
        let mut guard = self.reader.lock().await;
        anchor(guard.as_mut().ok_or_else(closed)?).await
    }

    async fn cut(&self, anchor: Head) -> Result<(), StoreError> {
        loop {
            // Between two pieces whoever writes has their turn.
            let mut guard = self.connection.lock().await;
            let connection = guard.as_mut().ok_or_else(closed)?;
            let piece = cut::piece(connection, anchor).await;
            if piece.is_err() {
                let _ = run(connection, "ROLLBACK").await;
            }
            if piece? {
                return self.wipe_ahead(connection).await;
            }
        }
    }

    async fn names(&self) -> Result<Vec<Name>, StoreError> {
        let mut guard = self.reader.lock().await;
        cut::names(guard.as_mut().ok_or_else(closed)?).await
    }

    async fn forget(&self, person: Commitment) -> Result<(), StoreError> {
        let mut guard = self.connection.lock().await;
        // A reader's view keeps old pages alive.
        let _reader = self.reader.lock().await;
        cut::forget(guard.as_mut().ok_or_else(closed)?, person).await
    }

    async fn read(&self, after: u64, limit: u32) -> Result<Vec<Line>, StoreError> {
        let mut guard = self.reader.lock().await;
        let connection = guard.as_mut().ok_or_else(closed)?;
        let rows =
            sqlx::query("SELECT sequence, at, payload, hash FROM log WHERE sequence > ? ORDER BY sequence LIMIT ?")
                // No line has a number that SQLite cannot hold: after such a one there is none.
                .bind(i64::try_from(after).unwrap_or(i64::MAX))
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await?;
        rows.iter().map(line).collect()
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let mut guard = self.reader.lock().await;
        head(guard.as_mut().ok_or_else(closed)?).await
    }

    async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut guard = self.reader.lock().await;
        let connection = guard.as_mut().ok_or_else(closed)?;
        // One view of the file: another process may be appending meanwhile.
        run(connection, "BEGIN").await?;
        let checked = check(connection).await;
        // Nothing was written: how it ends changes nothing.
        let _ = run(connection, "ROLLBACK").await;
        checked
    }

    async fn close(&self) {
        if let Some(quick) = self.quick.lock().await.take() {
            quick.close().await;
        }
        for side in [&self.reader, &self.connection] {
            if let Some(connection) = side.lock().await.take()
                && let Err(error) = connection.close().await
            {
                tracing::warn!(%error, "the log was not closed cleanly; nothing is lost");
            }
        }
    }
}

#[cfg(test)]
mod tests;
