//! The data folder: is it there, whose is it, is there room.

use std::{fs, io, path::Path};

use super::Finding;

/// Below it, an enabler soon stops writing.
#[cfg(unix)]
const LITTLE: u64 = 64 * 1024 * 1024;
/// Below it, somebody should make room.
#[cfg(unix)]
const ROOM: u64 = 1024 * 1024 * 1024;

pub(super) fn examine(folder: &Path) -> Vec<Finding> {
    let at = folder.display();
    match fs::metadata(folder) {
        Ok(data) if !data.is_dir() => return vec![Finding::fail("folder", format!("{at} is a file, not a folder"))],
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return vec![Finding::ok("folder", format!("{at} is not there yet; the first start makes it"))];
        }
        Err(error) => return vec![Finding::fail("folder", format!("{at}: {error}"))],
    }
    let mut findings = vec![writable(folder)];
    findings.extend(space(folder));
    findings
}

fn writable(folder: &Path) -> Finding {
    let at = folder.display();
    let probe = folder.join("doctor.part");
    if let Err(error) = fs::write(&probe, b"x").and_then(|()| fs::remove_file(&probe)) {
        return Finding::fail("folder", format!("{at} cannot be written: {error}: give its user the right to"));
    }
    match open_to_others(folder) {
        Some(mode) => {
            let words = format!("{at} can be entered by others (mode {mode:o}): chmod 700 {at}");
            Finding::warn("folder", words)
        }
        None => Finding::ok("folder", format!("{at} is this user's alone")),
    }
}

#[cfg(unix)]
fn open_to_others(folder: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(folder).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_folder: &Path) -> Option<u32> {
    None
}

#[cfg(unix)]
fn space(folder: &Path) -> Option<Finding> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let words = format!("{} MiB free", free / (1024 * 1024));
    Some(match free {
        free if free < LITTLE => Finding::fail("disk", format!("{words}: make room, or the log cannot be written")),
        free if free < ROOM => Finding::warn("disk", format!("{words}: make room soon")),
        _ => Finding::ok("disk", words),
    })
}

#[cfg(not(unix))]
fn space(_folder: &Path) -> Option<Finding> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::ops::doctor::Level;

    #[test]
    fn a_folder_that_others_enter_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let level = || examine(folder.path())[0].level;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(level(), Level::Warn);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(level(), Level::Ok);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(examine(file.path())[0].level, Level::Fail);
    }
}
