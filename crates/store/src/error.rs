//! What can go wrong with a disk, in words that say what to do.

use std::path::PathBuf;

use thiserror::Error;
use vestibule_model::ContentHash;

use crate::{BadLine, Head};

/// Why something was not stored or not read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No room.
    #[error("the disk with the enabler's data is full: make room; nothing has to be restarted")]
    Full,
    /// No permission to write.
    #[error("the enabler's data cannot be written: give the process permission to write to its folder")]
    ReadOnly,
    /// Another process holds a file.
    #[error(
        "another program holds the enabler's log: close it (a database browser, a backup); nothing has to be restarted"
    )]
    Busy,
    /// Another process has the folder.
    #[error("{0} is in use by another enabler: stop it, or choose another data folder")]
    InUse(PathBuf),
    /// The folder cannot be used.
    #[error("{path} cannot be used as a data folder: {reason}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is no log, or is broken below the level of lines.
    #[error("the enabler's log is damaged ({0}): put back a copy of it; what is damaged is not guessed at")]
    Damaged(String),
    /// A line was changed.
    #[error("{0}: put back a copy of the log, or find out who wrote to it")]
    Bad(#[from] BadLine),
    /// Written by a newer program.
    #[error("the log has the form {found}, this program knows {known}: use the newer program that wrote it")]
    Newer {
        /// The form in the file.
        found: i64,
        /// The newest form known here.
        known: i64,
    },
    /// Somebody appended in between, or an append that seemed to fail did not.
    #[error("the log ends at line {} by now", .0.sequence)]
    Moved(Head),
    /// Bytes that are no longer what they were named for.
    #[error("content {0} is damaged and was put aside")]
    Content(ContentHash),
    /// Content beyond the limit.
    #[error("content of {size} bytes is too much: at most {limit} are kept")]
    TooMuch {
        /// Bytes offered.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Anything else that the system says.
    #[error("the enabler's data cannot be written or read: {0}")]
    Io(String),
}

impl StoreError {
    /// Whether the same could work later without anybody changing the program or the data.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Full | Self::ReadOnly | Self::Busy | Self::Io(_) | Self::Moved(_))
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io(error.to_string()),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code().and_then(|code| code.parse::<i32>().ok()));
        // The low byte is SQLite's primary result code (https://www.sqlite.org/rescode.html).
        match code.map(|code| code & 0xff) {
            Some(13) => Self::Full,
            Some(8) => Self::ReadOnly,
            Some(5 | 6) => Self::Busy,
            Some(11 | 26) => Self::Damaged(error.to_string()),
            _ => Self::Io(error.to_string()),
        }
    }
}
