//! One process at a time has a data folder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use crate::StoreError;

/// A data folder that this process holds. Dropping it, or dying, lets go.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is not there, for this user alone, and takes it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] where another process has it, [`StoreError::Folder`] where it cannot be used.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let fail = |reason: std::io::Error| StoreError::Folder { path: path.clone(), reason: reason.to_string() };
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(fail)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock")).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path)),
            Err(TryLockError::Error(error)) => Err(fail(error)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let first = DataFolder::open(&path).unwrap();
        let error = DataFolder::open(&path).unwrap_err();
        assert!(error.to_string().contains("in use by another enabler"), "{error}");
        drop(first);
        DataFolder::open(&path).unwrap();
        std::fs::write(dir.path().join("file"), b"").unwrap();
        assert!(matches!(DataFolder::open(dir.path().join("file")), Err(StoreError::Folder { .. })));
    }
}
