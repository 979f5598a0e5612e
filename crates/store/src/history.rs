//! Beside the log: which lines are about which twin, and what things said. None of it is proof of anything; the first
//! part is made again from the log where it is missing, the second says where it has gaps.

use std::{path::Path, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use vestibule_model::{FeatureId, PropertyId, Timestamp, TwinId, Value};

use crate::StoreError;

/// The form of the file. One of another form is made anew: nothing in it cannot be lost.
const FORM: i64 = 2;
/// The form whose index says nothing of leases: that is made again from the log, and readings stay.
const WITHOUT_LEASES: i64 = 1;

const TABLES: [&str; 5] = [
    "CREATE TABLE line (about TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (about, sequence)) STRICT,
     WITHOUT ROWID",
    "CREATE TABLE indexed (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL) STRICT",
    "CREATE TABLE reading (id INTEGER PRIMARY KEY, twin TEXT NOT NULL, feature TEXT NOT NULL, property TEXT NOT NULL,
     at INTEGER NOT NULL, value TEXT NOT NULL) STRICT",
    "CREATE INDEX reading_of ON reading (twin, at, id)",
    "CREATE TABLE covered (since INTEGER PRIMARY KEY, until INTEGER NOT NULL) STRICT",
];

/// What every twin's past depends on is kept under this word, which is no twin's id.
const EVERYTHING: &str = "*";

/// Lines of the index that one statement inserts: each statement is a message to SQLite's thread.
const TOGETHER: usize = 256;

/// A value that a property took on.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptReading {
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// The property.
    pub property: PropertyId,
    /// What it became; `None`: the thing says that nobody knows.
    pub value: Option<Value>,
    /// When the enabler heard it.
    pub at: Timestamp,
}

/// A time in which every change was kept, from its first moment to its second.
pub type Covered = (Timestamp, Timestamp);

/// The index and the readings, in a SQLite file of their own.
#[derive(Debug)]
pub struct History {
    connection: SqliteConnection,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column).map_err(|error| StoreError::Damaged(error.to_string()))?;
    u64::try_from(number).map_err(|_| StoreError::Damaged(format!("{column} is negative")))
}

fn reading(row: &SqliteRow) -> Result<KeptReading, StoreError> {
    let text = |column: &str| {
        row.try_get::<String, _>(column).map_err(|error| StoreError::Damaged(format!("a reading: {error}")))
    };
    let damaged = |error: &dyn std::fmt::Display| StoreError::Damaged(format!("a reading: {error}"));
    Ok(KeptReading {
        twin: TwinId::new(text("twin")?).map_err(|error| damaged(&error))?,
        feature: FeatureId::new(text("feature")?).map_err(|error| damaged(&error))?,
        property: PropertyId::new(text("property")?).map_err(|error| damaged(&error))?,
        value: serde_json::from_str(&text("value")?).map_err(|error| damaged(&error))?,
        at: Timestamp(number(row, "at")?),
    })
}

impl History {
    /// Opens the file, or makes it; `None`: in memory. One that is damaged or of another form is made anew.
    ///
    /// # Errors
    /// [`StoreError`] where the disk says no.
    pub async fn open(file: Option<&Path>) -> Result<Self, StoreError> {
        match (Self::try_open(file).await, file) {
            (Err(StoreError::Damaged(why)), Some(path)) => {
                tracing::warn!(%why, "the history beside the log is made anew; what things said before is lost");
                for ending in ["", "-wal", "-shm"] {
                    let mut name = path.as_os_str().to_owned();
                    name.push(ending);
                    // What is not there need not go; what cannot go is said by the next attempt.
                    let _ = std::fs::remove_file(name);
                }
                Self::try_open(file).await
            }
            (opened, _) => opened,
        }
    }

    async fn try_open(file: Option<&Path>) -> Result<Self, StoreError> {
        let options = match file {
            Some(file) => SqliteConnectOptions::new().filename(file).journal_mode(SqliteJournalMode::Wal),
            None => SqliteConnectOptions::new().in_memory(true),
        };
        let options = options
            .create_if_missing(true)
            // A crash of the machine may cost the last moments; the index is compared with the log at each start.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_millis(2_000))
            .disable_statement_logging();
        let mut connection = options.connect().await?;
        let form: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await?;
        let known = [FORM, WITHOUT_LEASES].contains(&form);
        if tables > 0 && !known {
            return Err(StoreError::Damaged(format!("it has the form {form}")));
        }
        if tables == 0 {
            let mut transaction = connection.begin().await?;
            for table in TABLES {
                sqlx::query(table).execute(&mut *transaction).await?;
            }
            sqlx::query("INSERT INTO indexed (id, sequence) VALUES (1, 0)").execute(&mut *transaction).await?;
            sqlx::query("PRAGMA user_version = 2").execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        let mut history = Self { connection };
        if form == WITHOUT_LEASES {
            history.reset_index().await?;
            sqlx::query("PRAGMA user_version = 2").execute(&mut history.connection).await?;
        }
        Ok(history)
    }

    /// The last line of the log that is in the index.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    pub async fn indexed(&mut self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT sequence FROM indexed").fetch_one(&mut self.connection).await?;
        number(&row, "sequence")
    }

    /// Begins the index anew.
    ///
    /// # Errors
    /// [`StoreError`] where the disk says no.
    pub async fn reset_index(&mut self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM line").execute(&mut self.connection).await?;
        sqlx::query("UPDATE indexed SET sequence = 0").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Notes what lines are about; `None`: what every twin's past depends on. `through`: the last line looked at.
    ///
    /// # Errors
    /// [`StoreError`] where the disk says no; then nothing is noted.
    pub async fn index(&mut self, lines: &[(u64, Option<TwinId>)], through: u64) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin().await?;
        for together in lines.chunks(TOGETHER) {
            let mut sql = String::from("INSERT OR IGNORE INTO line (about, sequence) VALUES (?, ?)");
            (1..together.len()).for_each(|_| sql.push_str(", (?, ?)"));
            // Full ones come again and again, of the others each is another statement.
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(together.len() == TOGETHER);
            for (sequence, twin) in together {
                query = query.bind(twin.as_ref().map_or(EVERYTHING, TwinId::as_str)).bind(signed(*sequence));
            }
            query.execute(&mut *transaction).await?;
        }
        sqlx::query("UPDATE indexed SET sequence = ?").bind(signed(through)).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Lines about a twin and about everything, after a number, in order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    pub async fn lines(&mut self, twin: &TwinId, after: u64, limit: u32) -> Result<Vec<u64>, StoreError> {
        let rows =
            sqlx::query("SELECT sequence FROM line WHERE about IN (?, ?) AND sequence > ? ORDER BY sequence LIMIT ?")
                .bind(twin.as_str())
                .bind(EVERYTHING)
                .bind(signed(after))
                .bind(i64::from(limit))
                .fetch_all(&mut self.connection)
                .await?;
        rows.iter().map(|row| number(row, "sequence")).collect()
    }

    /// Keeps readings, and notes that nothing was missed from `covered.0` to `covered.1`.
    ///
    /// # Errors
    /// [`StoreError`] where the disk says no; then nothing is kept.
    pub async fn keep(&mut self, readings: &[KeptReading], covered: Covered) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin().await?;
        for kept in readings {
            let value = serde_json::to_string(&kept.value).map_err(|error| StoreError::Io(error.to_string()))?;
            sqlx::query("INSERT INTO reading (twin, feature, property, at, value) VALUES (?, ?, ?, ?, ?)")
                .bind(kept.twin.as_str())
                .bind(kept.feature.as_str())
                .bind(kept.property.as_str())
                .bind(signed(kept.at.0))
                .bind(value)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query(
            "INSERT INTO covered (since, until) VALUES (?, ?)
             ON CONFLICT (since) DO UPDATE SET until = max(until, excluded.until)",
        )
        .bind(signed(covered.0.0))
        .bind(signed(covered.1.0))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// What a twin's properties became from `from` on and before `until`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    pub async fn readings(
        &mut self,
        twin: &TwinId,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<KeptReading>, StoreError> {
        let rows = sqlx::query("SELECT * FROM reading WHERE twin = ? AND at >= ? AND at < ? ORDER BY at, id LIMIT ?")
            .bind(twin.as_str())
            .bind(signed(from.0))
            .bind(signed(until.0))
            .bind(i64::from(limit))
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter().map(reading).collect()
    }

    /// The newest value of each property of a twin at a moment.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    pub async fn readings_at(&mut self, twin: &TwinId, at: Timestamp) -> Result<Vec<KeptReading>, StoreError> {
        // SQLite takes the other columns from the row that has the greatest `id`.
        let rows = sqlx::query(
            "SELECT twin, feature, property, at, value, max(id) FROM reading WHERE twin = ? AND at <= ?
             GROUP BY feature, property ORDER BY max(id)",
        )
        .bind(twin.as_str())
        .bind(signed(at.0))
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter().map(reading).collect()
    }

    /// The times without gaps that touch `from` to `until`.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    pub async fn covered(&mut self, from: Timestamp, until: Timestamp) -> Result<Vec<Covered>, StoreError> {
        // As many as starts in the time kept; more are not told one by one.
        let rows = sqlx::query(
            "SELECT since, until FROM covered WHERE until >= ? AND since <= ? ORDER BY since DESC LIMIT 256",
        )
        .bind(signed(from.0))
        .bind(signed(until.0))
        .fetch_all(&mut self.connection)
        .await?;
        let times = rows.iter().rev().map(|row| Ok((number(row, "since")?, number(row, "until")?)));
        let times = times.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(times.into_iter().map(|(a, b)| (Timestamp(a).max(from), Timestamp(b).min(until))).collect())
    }

    /// Lets go of readings from before `oldest`, and of the oldest ones while they take more than `most` bytes.
    ///
    /// # Errors
    /// [`StoreError`] where the disk says no.
    pub async fn trim(&mut self, oldest: Timestamp, most: u64) -> Result<(), StoreError> {
        let mut oldest = signed(oldest.0);
        loop {
            sqlx::query("DELETE FROM reading WHERE at < ?").bind(oldest).execute(&mut self.connection).await?;
            sqlx::query("DELETE FROM covered WHERE until < ?").bind(oldest).execute(&mut self.connection).await?;
            // Nothing was kept of the time before, whatever it says.
            sqlx::query("UPDATE OR REPLACE covered SET since = ? WHERE since < ?")
                .bind(oldest)
                .bind(oldest)
                .execute(&mut self.connection)
                .await?;
            let bytes: Option<i64> = sqlx::query_scalar(
                "SELECT sum(length(twin) + length(feature) + length(property) + length(value) + 40) FROM reading",
            )
            .fetch_one(&mut self.connection)
            .await?;
            if u64::try_from(bytes.unwrap_or(0)).unwrap_or(0) <= most {
                return Ok(());
            }
            // A tenth of them at a time.
            let middle: Option<i64> = sqlx::query_scalar(
                "SELECT at FROM reading ORDER BY at LIMIT 1 OFFSET (SELECT count(*) / 10 FROM reading)",
            )
            .fetch_optional(&mut self.connection)
            .await?;
            let Some(middle) = middle else { return Ok(()) };
            oldest = middle.max(oldest).saturating_add(1);
        }
    }

    /// Writes back what can be written back and lets go of the file.
    pub async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the history was not closed cleanly");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lamp() -> TwinId {
        TwinId::new("home/lamp").unwrap()
    }

    fn said(value: bool, at: u64) -> KeptReading {
        let (feature, property) = (FeatureId::slug("light"), PropertyId::slug("on"));
        KeptReading { twin: lamp(), feature, property, value: Some(Value::Bool(value)), at: Timestamp(at) }
    }

    #[tokio::test]
    async fn what_was_said_is_found_and_gaps_are_gaps() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history.sqlite");
        let mut history = History::open(Some(&file)).await.unwrap();
        history.keep(&[said(true, 10), said(false, 20)], (Timestamp(5), Timestamp(25))).await.unwrap();
        history.keep(&[], (Timestamp(5), Timestamp(30))).await.unwrap();
        history.close().await;
        let mut history = History::open(Some(&file)).await.unwrap();
        history.keep(&[said(true, 100)], (Timestamp(90), Timestamp(110))).await.unwrap();
        let at = |at| Timestamp(at);
        assert_eq!(history.readings(&lamp(), at(10), at(100), 9).await.unwrap(), [said(true, 10), said(false, 20)]);
        assert_eq!(history.readings_at(&lamp(), at(50)).await.unwrap(), [said(false, 20)]);
        assert_eq!(history.readings_at(&lamp(), at(9)).await.unwrap(), []);
        assert_eq!(history.covered(at(0), at(95)).await.unwrap(), [(at(5), at(30)), (at(90), at(95))]);
        history.trim(at(15), 1 << 20).await.unwrap();
        assert_eq!(history.readings(&lamp(), at(0), at(50), 9).await.unwrap(), [said(false, 20)]);
        assert_eq!(history.covered(at(0), at(50)).await.unwrap(), [(at(15), at(30))]);
        history.trim(at(15), 0).await.unwrap();
        assert_eq!(history.readings(&lamp(), at(0), at(500), 9).await.unwrap(), []);
    }

    /// What nobody writes like this: it is told, not guessed at and not died of.
    #[tokio::test]
    async fn rows_that_make_no_sense_are_told() {
        let good = ("light", "on", 7_i64, "true");
        let bad = [
            ("", "on", 7, "true"),
            ("a light", "on", 7, "true"),
            ("light", "\u{0}", 7, "true"),
            ("light", "on", 7, ""),
            ("light", "on", 7, "{"),
            ("light", "on", 7, "1e999"),
            ("light", "on", 7, r#"{"color":[1,2]}"#),
            ("light", "on", 7, r#"{"blob":{}}"#),
            ("light", "on", -7, "true"),
        ];
        for (feature, property, at, value) in [good].into_iter().chain(bad) {
            let mut history = History::open(None).await.unwrap();
            sqlx::query("INSERT INTO reading (twin, feature, property, at, value) VALUES (?, ?, ?, ?, ?)")
                .bind(lamp().as_str())
                .bind(feature)
                .bind(property)
                .bind(at)
                .bind(value)
                .execute(&mut history.connection)
                .await
                .unwrap();
            let read = history.readings_at(&lamp(), Timestamp(9)).await;
            match read {
                Ok(read) => assert_eq!((read.len(), value), (1, good.3), "{feature:?} {property:?} {at}"),
                Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "{error}"),
            }
            assert_eq!(
                history.readings_at(&lamp(), Timestamp(9)).await.is_ok(),
                (feature, property, at, value) == good
            );
        }
    }

    /// Keeps something, changes bytes of the file, and looks at all of it again.
    async fn changed(changes: &[(prop::sample::Index, u8)]) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history.sqlite");
        let mut history = History::open(Some(&file)).await.unwrap();
        let many: Vec<_> = (0..200).map(|at| said(at % 2 == 0, at)).collect();
        history.keep(&many, (Timestamp(0), Timestamp(200))).await.unwrap();
        history.index(&[(1, None), (2, Some(lamp()))], 2).await.unwrap();
        history.close().await;
        let mut bytes = std::fs::read(&file).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = *byte;
        }
        std::fs::write(&file, bytes).unwrap();
        let Ok(mut history) = History::open(Some(&file)).await else { return };
        // Each of them answers or says why not.
        let _ = history.indexed().await;
        let _ = history.lines(&lamp(), 0, 9).await;
        let _ = history.readings(&lamp(), Timestamp(0), Timestamp(500), 500).await;
        let _ = history.readings_at(&lamp(), Timestamp(500)).await;
        let _ = history.covered(Timestamp(0), Timestamp(500)).await;
        let _ = history.trim(Timestamp(50), 100).await;
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_changed_file_breaks_it(changes in proptest::collection::vec(any::<(prop::sample::Index, u8)>(), 1..40)) {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(changed(&changes));
        }
    }

    #[tokio::test]
    async fn lines_are_found_by_twin_and_damage_is_no_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history.sqlite");
        std::fs::write(&file, [b'?'; 5_000]).unwrap();
        let mut history = History::open(Some(&file)).await.unwrap();
        let door = TwinId::new("home/door").unwrap();
        let lines = [(1, None), (2, Some(lamp())), (3, Some(door.clone())), (5, Some(lamp()))];
        history.index(&lines, 7).await.unwrap();
        assert_eq!(history.indexed().await.unwrap(), 7);
        assert_eq!(history.lines(&lamp(), 0, 9).await.unwrap(), [1, 2, 5]);
        assert_eq!(history.lines(&lamp(), 1, 1).await.unwrap(), [2]);
        assert_eq!(history.lines(&door, 0, 9).await.unwrap(), [1, 3]);
        history.reset_index().await.unwrap();
        assert_eq!((history.indexed().await.unwrap(), history.lines(&door, 0, 9).await.unwrap()), (0, Vec::new()));
        // The index of an older form is made again; what things said stays.
        history.index(&lines, 7).await.unwrap();
        history.keep(&[said(true, 15)], (Timestamp(10), Timestamp(20))).await.unwrap();
        sqlx::query("PRAGMA user_version = 1").execute(&mut history.connection).await.unwrap();
        history.close().await;
        let mut history = History::open(Some(&file)).await.unwrap();
        assert_eq!(history.indexed().await.unwrap(), 0);
        assert_eq!(history.readings(&lamp(), Timestamp(0), Timestamp(500), 9).await.unwrap().len(), 1);
        history.index(&lines, 7).await.unwrap();
        history.close().await;
        assert_eq!(History::open(Some(&file)).await.unwrap().indexed().await.unwrap(), 7, "once");
    }
}
