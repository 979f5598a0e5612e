//! What must survive a kill: the event log, hash-chained, and content by its hash.
//!
//! **Does**: appends lines to a log in SQLite, many in one transaction, durable before it says so ([`SqliteLog`]);
//! chains each line to the one before by BLAKE3, and [`EventLog::verify`] names the first line that was changed,
//! removed, moved or cut off; lets one process at a time have a data folder ([`DataFolder`]); keeps bytes in files
//! named by their hash and checks them when read ([`ContentStore`]); keeps snapshots that stand for a log's beginning
//! ([`Snapshots`]), files that prove themselves ([`export()`]) and, beside the log, what things said ([`History`]); says in words what to do when the disk is full,
//! read-only or broken ([`StoreError`]).
//!
//! **Does not**: know what a line means (bytes in, bytes out), keep a clock, hold state in memory. Who can rewrite the
//! whole file can also make a new chain: note [`Head::hash`] elsewhere to find that out as well.
//!
//! ```
//! use vestibule_model::Timestamp;
//! use vestibule_store::{EventLog, Head, MemoryLog, NewLine};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let log = MemoryLog::default();
//! let head = log.append(Head::EMPTY, vec![NewLine { at: Timestamp(1), payload: b"{}".to_vec() }], Vec::new()).await?;
//! assert_eq!(head.sequence, 1);
//! assert_eq!(log.verify().await?.head, head);
//! # Ok::<(), vestibule_store::StoreError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chain;
mod content;
mod error;
mod export;
mod folder;
mod history;
mod memory;
mod snapshot;
mod sqlite;

pub use chain::{BadLine, Checker, EventLog, Fault, Head, Line, NewLine, VerifyReport};
pub use content::ContentStore;
pub use error::StoreError;
pub use export::{export, verify_export};
pub use folder::DataFolder;
pub use history::{Covered, History, KeptReading};
pub use memory::MemoryLog;
pub use snapshot::{Snapshot, SnapshotFile, Snapshots};
pub use sqlite::SqliteLog;
