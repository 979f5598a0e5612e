//! An append that waits for the disk in the thread that asks, while SQLite's thread does its part.

use std::{future::poll_fn, path::Path, pin::pin, task::Poll};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteSynchronous};
use vestibule_model::Name;

use super::{
    ahead::{Ahead, Entry, encoded},
    append, head, run, writing,
};
use crate::{Head, NewLine, StoreError};

/// A change that changes nothing in the end, but is written: SQLite leaves out pages whose bytes stay, so it is two.
const TOUCH: [&str; 4] =
    ["BEGIN IMMEDIATE", "UPDATE head SET sequence = sequence + 1", "UPDATE head SET sequence = sequence - 1", "COMMIT"];

/// With this everything before it is durable in SQLite's file.
pub(super) async fn touch(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    for step in TOUCH {
        if let Err(error) = run(connection, step).await {
            // Fails where nothing had begun; what counts is that the next one can begin.
            let _ = run(connection, "ROLLBACK").await;
            return Err(error);
        }
    }
    Ok(())
}

/// The way ahead of SQLite's file.
#[derive(Debug)]
pub(super) struct Quick {
    /// Commits without waiting for the disk.
    pub(super) connection: SqliteConnection,
    pub(super) ahead: Ahead,
}

impl Quick {
    /// Takes what is ahead of the file into it, through a connection that waits for the disk.
    pub(super) async fn open(file: &Path, full: &mut SqliteConnection) -> Result<Option<Self>, StoreError> {
        let Some((mut ahead, entries)) = Ahead::open(file)? else { return Ok(None) };
        // A killed process leaves in the system's memory what it had not waited for. It must be on the disk before
        // anything that stands for it is written over.
        if !entries.is_empty()
            && let Err(error) = touch(full).await
        {
            let end = head(full).await?;
            if entries.iter().any(|(after, _)| *after == end) {
                return Err(error);
            }
            tracing::warn!(%error, "what was written ahead of the log stays: its own file is waited for");
            return Ok(None);
        }
        take_in(full, entries).await?;
        ahead.restart();
        let connection = writing(file, SqliteSynchronous::Normal).connect().await?;
        Ok(Some(Self { connection, ahead }))
    }

    /// What is to be written ahead; `None`: these lines wait for SQLite's file. Names do always, so that they are nowhere
    /// else when they are to be forgotten, and so does what a log begins with: nothing here continues another log.
    pub(super) fn entry(&self, after: Head, lines: &[NewLine], names: &[Name]) -> Option<Vec<u8>> {
        let belongs = names.is_empty() && after.sequence > 0;
        let entry = belongs.then(|| encoded(after, lines)).flatten();
        entry.filter(|entry| self.ahead.has_room(entry))
    }

    /// Appends all lines or none; durable when this returns. `full` waits for the disk where this way cannot be gone.
    pub(super) async fn append(
        &mut self,
        full: &mut SqliteConnection,
        after: Head,
        lines: Vec<NewLine>,
        entry: Vec<u8>,
    ) -> Result<Head, StoreError> {
        let Self { connection, ahead } = self;
        let (appended, written) = {
            let mut append = pin!(append::together(connection, after, lines, Vec::new()));
            // SQLite's thread begins, and this one waits for the disk meanwhile.
            let begun = poll_fn(|context| match append.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending => Poll::Ready(None),
            });
            let begun = begun.await;
            let written = ahead.write(&entry);
            let appended = match begun {
                Some(done) => done,
                None => append.await,
            };
            (appended, written)
        };
        let Ok(head) = appended else {
            // Fails where SQLite has done it already; what counts is that the next one can begin.
            let _ = run(connection, "ROLLBACK").await;
            if let Err(error) = ahead.void(&entry) {
                tracing::warn!(%error, "lines that were refused may come back after a loss of power");
            }
            return appended;
        };
        if let Err(error) = written {
            tracing::warn!(%error, "nothing can be written ahead of the log: its own file is waited for");
            touch(full).await?;
        }
        Ok(head)
    }

    pub(super) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the log was not closed cleanly; nothing is lost");
        }
    }
}

/// Appends what follows the log's end, and what follows that. Anything else is in the log already.
async fn take_in(connection: &mut SqliteConnection, mut entries: Vec<Entry>) -> Result<(), StoreError> {
    let mut end = head(connection).await?;
    while let Some(next) = entries.iter().position(|(after, _)| *after == end) {
        let (after, lines) = entries.swap_remove(next);
        let count = lines.len();
        let done = append::together(connection, after, lines, Vec::new()).await;
        if done.is_err() {
            let _ = run(connection, "ROLLBACK").await;
        }
        end = done?;
        tracing::warn!(
            lines = count,
            through = end.sequence,
            "lines were taken in that the disk had not had in the log"
        );
    }
    Ok(())
}
