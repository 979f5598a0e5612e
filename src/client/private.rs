//! Files that are their owner's alone: addresses, codes. Written whole or not at all, and readable by nobody else from their
//! first byte on; what is there and cannot be read is put aside, never overwritten.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Files of one name that are put aside: more than anybody breaks. Then somebody has to look at them.
const MOST_ASIDE: u32 = 99;

/// Why a private file is not as it should be, and what to do about it. Without what stands in it: logs would show it.
#[derive(Debug, Error)]
pub(super) enum PrivateError {
    #[error("{} names no file in a folder", .0.display())]
    NoFile(PathBuf),
    #[error("nothing can be written in {} ({error}): make sure that the folder is there and yours", folder.display())]
    Folder { folder: PathBuf, error: io::Error },
    #[error("{} could not be written ({error}): make room on the disk and try again", file.display())]
    Write { file: PathBuf, error: io::Error },
    #[error("{} could not be replaced ({error}): close what else uses it and try again", file.display())]
    Replace { file: PathBuf, error: io::Error },
    #[error("{} could not be put aside ({error}): move it elsewhere yourself", file.display())]
    Aside { file: PathBuf, error: io::Error },
    #[error("there are {MOST_ASIDE} files already that {} was put aside as: look at them, and remove some", .0.display())]
    TooMany(PathBuf),
}

fn folder(file: &Path) -> Result<&Path, PrivateError> {
    let folder = file.parent().filter(|_| file.file_name().is_some());
    folder.ok_or_else(|| PrivateError::NoFile(file.to_owned()))
}

/// Writes `bytes` into a new file beside this one, and puts it in its place once they are on the disk. Whatever goes
/// wrong, and whenever the power does, the file is the old one or the new one.
pub(super) fn write(file: &Path, bytes: &[u8]) -> Result<(), PrivateError> {
    let folder = folder(file)?;
    let part = file.with_extension("part");
    let cannot = |error| PrivateError::Folder { folder: folder.to_owned(), error };
    // One that somebody else made would keep their rights, and one of a start that was killed its bytes.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(&part).map_err(cannot)?;
    let written = new.write_all(bytes).and_then(|()| new.sync_all());
    let done = written
        .map_err(|error| PrivateError::Write { file: file.to_owned(), error })
        .and_then(|()| fs::rename(&part, file).map_err(|error| PrivateError::Replace { file: file.to_owned(), error }));
    if done.is_err() {
        // It may hold a half of what is private.
        let _ = fs::remove_file(&part);
        return done;
    }
    sync(folder).map_err(|error| PrivateError::Write { file: file.to_owned(), error })
}

/// The file's new name is on the disk, too.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    // The empty path is the folder that the program runs in.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Gives what is there another name, which nothing else has: `me.toml` becomes `me.old.toml`, or `me.old2.toml`. Where it is
/// now; `None`: nothing was there.
pub(super) fn put_aside(file: &Path) -> Result<Option<PathBuf>, PrivateError> {
    let (folder, name) = (folder(file)?, Path::new(file.file_name().unwrap_or_default()));
    let cannot = |error| PrivateError::Aside { file: file.to_owned(), error };
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(error)),
        Ok(_) => {}
    }
    for n in 1..=MOST_ASIDE {
        let number = if n == 1 { String::new() } else { n.to_string() };
        let mut other = name.file_stem().unwrap_or_default().to_owned();
        other.push(format!(".old{number}"));
        if let Some(extension) = name.extension() {
            other.push(".");
            other.push(extension);
        }
        let other = folder.join(other);
        // A link that leads nowhere is something, too.
        if fs::symlink_metadata(&other).is_ok() {
            continue;
        }
        fs::rename(file, &other).map_err(cannot)?;
        return Ok(Some(other));
    }
    Err(PrivateError::TooMany(file.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[cfg(unix)]
    fn mode(file: &Path) -> u32 {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions()) & 0o777
    }

    #[test]
    fn what_is_written_replaces_the_old_whole_and_is_its_owner_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("me.toml");
        // What is there and what a killed start left behind may be anybody's to read.
        for open in [&file, &folder.path().join("me.part")] {
            fs::write(open, "longer than what comes").unwrap();
        }
        for text in ["one", "two"] {
            write(&file, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            #[cfg(unix)]
            assert_eq!(mode(&file), 0o600);
        }
        assert_eq!(names(folder.path()), ["me.toml"], "nothing is left beside it");
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = write(&folder.path().join("gone/me.toml"), b"x").unwrap_err();
        assert!(
            matches!(nowhere, PrivateError::Folder { .. }) && nowhere.to_string().contains("make sure"),
            "{nowhere}"
        );
        assert!(matches!(write(Path::new("/"), b"x"), Err(PrivateError::NoFile(_))));
        // A folder with something in it is not replaced by a file.
        let taken = folder.path().join("me.toml");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("kept"), "kept").unwrap();
        let why = write(&taken, b"11 Example Street").unwrap_err();
        assert!(matches!(why, PrivateError::Replace { .. }) && !why.to_string().contains("Example"), "{why}");
        assert_eq!(names(folder.path()), ["me.toml"], "no half of it is left");
        assert_eq!(fs::read_to_string(taken.join("kept")).unwrap(), "kept");
    }

    #[test]
    fn what_is_put_aside_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("me.toml");
        assert_eq!(put_aside(&file).unwrap(), None, "nothing was there");
        for (text, expected) in [("first", "me.old.toml"), ("second", "me.old2.toml"), ("third", "me.old3.toml")] {
            fs::write(&file, text).unwrap();
            let other = put_aside(&file).unwrap().unwrap();
            assert_eq!((other.as_path(), file.exists()), (folder.path().join(expected).as_path(), false));
            assert_eq!(fs::read_to_string(other).unwrap(), text);
        }
        assert_eq!(fs::read_to_string(folder.path().join("me.old.toml")).unwrap(), "first");
        for n in 4..=MOST_ASIDE {
            fs::write(folder.path().join(format!("me.old{n}.toml")), "").unwrap();
        }
        fs::write(&file, "one too many").unwrap();
        assert!(matches!(put_aside(&file), Err(PrivateError::TooMany(_))));
        assert_eq!(fs::read_to_string(&file).unwrap(), "one too many", "it stays where it is");
    }
}
