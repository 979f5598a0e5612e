//! The merchant's database: one SQLite file, one writer that commits what came meanwhile together.

pub(crate) mod design;
pub(crate) mod hook;
pub(crate) mod known;
pub(crate) mod order;
pub(crate) mod pay;
pub(crate) mod session;
pub(crate) mod shelf;

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use thiserror::Error;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use crate::rules::Broken;

/// Writes that are committed together.
const GROUP: usize = 64;
/// Writes that wait: beyond it whoever asks waits before they are taken. Four groups.
const WAITING: usize = 256;
/// The form of the file; grows with each change of the tables.
const FORM: i64 = 1;

/// Why something was not stored or not found out. Nothing of it was written.
#[derive(Clone, Debug, Error)]
pub(crate) enum StoreError {
    /// The disk or the database says no.
    #[error("{0}")]
    Database(Arc<sqlx::Error>),
    /// What is stored is not what was written.
    #[error("what is stored cannot be read: {0}")]
    Stored(Arc<serde_json::Error>),
    /// A rule came to no end.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The merchant stops.
    #[error("the merchant stops")]
    Closed,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Stored(Arc::new(error))
    }
}

/// Why there is no database.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    #[error("another merchant works in this folder")]
    Taken,
    #[error("a newer program wrote it (form {found}, known is {FORM})")]
    Newer { found: i64 },
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What is done after the commit: with what it says.
type Tell = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Where something is written, or why it cannot be.
type Place<'c> = Result<&'c mut SqliteConnection, StoreError>;
/// Something to write; whether it stays, and whom to tell.
type Work = Box<dyn for<'c> FnOnce(Place<'c>) -> BoxFuture<'c, (bool, Tell)> + Send>;

/// A merchant's database. Its clones are the same one.
#[derive(Clone)]
pub(crate) struct Store {
    writer: mpsc::Sender<Work>,
    reader: Arc<Mutex<SqliteConnection>>,
    /// One merchant a folder.
    _lock: Arc<File>,
}

impl Store {
    /// Opens the database in `folder`, or makes it. The task ends when the last clone is gone.
    ///
    /// # Errors
    /// [`OpenError`].
    pub(crate) async fn open(folder: &Path) -> Result<(Self, JoinHandle<()>), OpenError> {
        let lock = File::create(folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(OpenError::Taken),
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        let file = folder.join("merchant.sqlite");
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answer that was given stays true after the power went.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is forgotten is overwritten, not only unlinked.
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(2))
            .disable_statement_logging();
        let mut connection = options.connect().await?;
        let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await?;
        if found > FORM {
            return Err(OpenError::Newer { found });
        }
        sqlx::raw_sql(include_str!("schema.sql")).execute(&mut connection).await?;
        sqlx::query("PRAGMA user_version = 1").execute(&mut connection).await?;
        let reading = SqliteConnectOptions::new().filename(&file).read_only(true);
        let reader = reading.busy_timeout(Duration::from_secs(2)).disable_statement_logging().connect().await?;
        let (writer, works) = mpsc::channel(WAITING);
        let task = tokio::spawn(write_all(connection, works));
        Ok((Self { writer, reader: Arc::new(Mutex::new(reader)), _lock: Arc::new(lock) }, task))
    }

    /// Does `work` within a transaction, after whatever came before; it is durable when this answers. Where `work`
    /// fails, nothing of it stays.
    ///
    /// # Errors
    /// What `work` says, or why it could not be committed.
    pub(crate) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (answer, heard) = oneshot::channel();
        let work: Work = Box::new(move |place| {
            Box::pin(async move {
                let done = match place {
                    Ok(connection) => work(connection).await,
                    Err(error) => Err(error),
                };
                let stays = done.is_ok();
                let tell: Tell = Box::new(move |committed| {
                    // Whoever asked may be gone.
                    let _ = answer.send(done.and_then(|value| committed.map(|()| value)));
                });
                (stays, tell)
            })
        });
        self.writer.send(work).await.map_err(|_| StoreError::Closed)?;
        heard.await.map_err(|_| StoreError::Closed)?
    }

    /// Looks at what was committed, at one moment of it.
    ///
    /// # Errors
    /// What `look` says.
    pub(crate) async fn read<T, L>(&self, look: L) -> Result<T, StoreError>
    where
        L: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>,
    {
        let mut connection = self.reader.lock().await;
        let mut moment = connection.begin().await?;
        let seen = look(&mut moment).await;
        moment.rollback().await?;
        seen
    }
}

async fn write_all(mut connection: SqliteConnection, mut works: mpsc::Receiver<Work>) {
    while let Some(first) = works.recv().await {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = works.try_recv()
        {
            group.push(next);
        }
        let mut told = Vec::with_capacity(group.len());
        let committed = write_group(&mut connection, group, &mut told).await;
        if committed.is_err() {
            // What was begun is gone with it; where nothing was begun this says so, and nothing is lost.
            let _ = sqlx::query("ROLLBACK").execute(&mut connection).await;
        }
        told.into_iter().for_each(|tell: Tell| tell(committed.clone()));
    }
    let _ = connection.close().await;
}

async fn write_group(
    connection: &mut SqliteConnection,
    group: Vec<Work>,
    told: &mut Vec<Tell>,
) -> Result<(), StoreError> {
    if let Err(error) = sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await {
        let error = StoreError::from(error);
        for work in group {
            told.push(work(Err(error.clone())).await.1);
        }
        return Err(error);
    }
    for work in group {
        sqlx::query("SAVEPOINT one").execute(&mut *connection).await?;
        let (stays, tell) = work(Ok(&mut *connection)).await;
        told.push(tell);
        if !stays {
            sqlx::query("ROLLBACK TO one").execute(&mut *connection).await?;
        }
        sqlx::query("RELEASE one").execute(&mut *connection).await?;
    }
    sqlx::query("COMMIT").execute(&mut *connection).await?;
    Ok(())
}
