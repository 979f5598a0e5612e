//! A log in memory: for demos without a disk, and for tests with a disk that fails.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use vestibule_model::{Commitment, Name};

use crate::{BadLine, EventLog, Fault, Head, Line, NewLine, StoreError};

/// A log in memory. It can be told to fail.
#[derive(Debug, Default)]
pub struct MemoryLog {
    inner: Mutex<Inner>,
    /// Whether appends wait.
    held: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Inner {
    lines: Vec<Line>,
    anchor: Option<Head>,
    names: Vec<Name>,
    full: bool,
    /// The next append is done and yet says that it failed, as when a disk dies between write and answer.
    lie: bool,
}

impl MemoryLog {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A log that begins with these lines and names: what a killed process left.
    #[must_use]
    pub fn of(lines: Vec<Line>, names: Vec<Name>) -> Self {
        Self { inner: Mutex::new(Inner { lines, names, ..Inner::default() }), held: watch::Sender::default() }
    }

    /// The names that lines were written with.
    #[must_use]
    pub fn kept_names(&self) -> Vec<Name> {
        self.inner().names.clone()
    }

    /// Whether every append fails with [`StoreError::Full`] from now on.
    pub fn set_full(&self, full: bool) {
        self.inner().full = full;
    }

    /// Whether appends wait from now on, as behind a disk that has much to do.
    pub fn set_held(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// The next append is written and says that it was not.
    pub fn lie_once(&self) {
        self.inner().lie = true;
    }

    /// Everything written.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.inner().lines.clone()
    }
}

impl Inner {
    fn anchor(&self) -> Head {
        self.anchor.unwrap_or(Head::EMPTY)
    }

    fn head(&self) -> Head {
        self.lines.last().map_or(self.anchor(), |line| Head { sequence: line.sequence, hash: line.hash })
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, after: Head, lines: Vec<NewLine>, names: Vec<Name>) -> Result<Head, StoreError> {
        let mut held = self.held.subscribe();
        // Its sender is here.
        let _ = held.wait_for(|held| !held).await;
        let mut inner = self.inner();
        if inner.full {
            return Err(StoreError::Full);
        }
        if inner.head() != after {
            return Err(StoreError::Moved(inner.head()));
        }
        inner.names.extend(names);
        for line in lines {
            let line = inner.head().chain(line);
            inner.lines.push(line);
        }
        if std::mem::take(&mut inner.lie) {
            Err(StoreError::Io("the disk went away".to_owned()))
        } else {
            Ok(inner.head())
        }
    }

    async fn read(&self, after: u64, limit: u32) -> Result<Vec<Line>, StoreError> {
        let inner = self.inner();
        Ok(inner.lines.iter().filter(|line| line.sequence > after).take(limit as usize).cloned().collect())
    }

    async fn anchor(&self) -> Result<Head, StoreError> {
        Ok(self.inner().anchor())
    }

    async fn cut(&self, anchor: Head) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let is_line = |line: &Line| line.sequence == anchor.sequence && line.hash == anchor.hash;
        if !inner.lines.iter().any(is_line) {
            return Err(BadLine { sequence: anchor.sequence, fault: Fault::Missing }.into());
        }
        inner.lines.retain(|line| line.sequence > anchor.sequence);
        inner.anchor = Some(anchor);
        Ok(())
    }

    async fn names(&self) -> Result<Vec<Name>, StoreError> {
        Ok(self.inner().names.clone())
    }

    async fn forget(&self, person: Commitment) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if let Some(person) = inner.names.iter().find(|name| name.pseudonym == person).cloned() {
            inner.names.retain(|name| !name.tells_of(&person));
        }
        Ok(())
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.inner().head())
    }
}
