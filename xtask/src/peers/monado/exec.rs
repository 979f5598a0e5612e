//! One service, one program, both gone afterwards.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Layout;
use crate::process::{Ending, Started, interrupted};
use crate::workspace::Workspace;

/// The service starts in a second; software Vulkan on a busy machine takes longer.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Nobody waits longer than this for a program; a test has a shorter limit of its own.
const PROGRAM_LIMIT: Duration = Duration::from_secs(30 * 60);
/// How much of the service's log is shown when something went wrong.
const LOG_LINES: usize = 30;
/// How often the service is looked at while it starts.
const LOOK: Duration = Duration::from_millis(50);

/// Starts the service, runs `program` against it, ends the service, and returns the program's status.
pub fn exec(layout: &Layout, program: &str, args: &[String]) -> Result<ExitCode> {
    let program = find(layout, program)?;
    let room = Room::make()?;
    let service = start_service(layout, &room)?;
    let mut command = linked(layout, &room, &program);
    command.args(args).env("BEVY_ASSET_ROOT", Workspace::find()?.root);
    let ending = Started::in_our_group(&mut command)?.wait(PROGRAM_LIMIT, std::thread::sleep)?;
    service.end();
    match ending {
        Ending::Returned(0) => Ok(ExitCode::SUCCESS),
        Ending::Returned(status) => {
            eprintln!(
                "{} returned {status}; the last words of monado-service:\n{}",
                program.display(),
                room.last_words()
            );
            Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
        }
        Ending::TimedOut | Ending::Interrupted => bail!("{} {ending}", program.display()),
    }
}

/// A path as it is; a bare name in the runtime's own programs first, then in PATH.
fn find(layout: &Layout, program: &str) -> Result<PathBuf> {
    let own = layout.root.join("usr/bin").join(program);
    let found = match program.contains('/') {
        true => PathBuf::from(program),
        false if own.is_file() => own,
        false => crate::workspace::program(program).unwrap_or_default(),
    };
    let path = fs::canonicalize(found).with_context(|| format!("there is no {program}"))?;
    let mut start = [0; 4];
    let read = File::open(&path).and_then(|mut file| file.read_exact(&mut start));
    if read.is_err() || &start != b"\x7fELF" {
        bail!("{} is no program that a dynamic linker starts; is it a script?", path.display());
    }
    Ok(path)
}

fn start_service(layout: &Layout, room: &Room) -> Result<Started> {
    let log = File::create(room.log()).context("cannot write the service's log")?;
    let copy = log.try_clone().context("cannot write the service's log")?;
    let mut command = linked(layout, room, &layout.service());
    command
        .envs([("XRT_COMPOSITOR_NULL", "1"), ("SIMULATED_ENABLE", "1"), ("XRT_NO_STDIN", "1")])
        .env("XDG_CONFIG_HOME", &room.folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(copy);
    let mut service = Started::in_our_group(&mut command)?;
    let deadline = Instant::now() + START_LIMIT;
    while !fs::metadata(room.socket()).is_ok_and(|socket| socket.file_type().is_socket()) {
        if let Some(status) = service.ended()? {
            bail!("monado-service returned {status}:\n{}", room.last_words());
        }
        if Instant::now() > deadline || interrupted() {
            bail!("monado-service did not open its socket:\n{}", room.last_words());
        }
        std::thread::sleep(LOOK);
    }
    Ok(service)
}

/// `program`, started by the runtime folder's dynamic linker.
fn linked(layout: &Layout, room: &Room, program: &Path) -> Command {
    let mut command = ending_with_us(&layout.linker());
    command
        .args(["--library-path", &layout.search_path(), "--argv0"])
        .args([program, program])
        .env("XDG_RUNTIME_DIR", &room.folder)
        .env("XR_RUNTIME_JSON", layout.runtime_description())
        .env("VK_DRIVER_FILES", layout.vulkan_description())
        .env_remove("VK_ICD_FILENAMES")
        .env_remove("LD_LIBRARY_PATH")
        // Layers of the host are built for the host's libraries.
        .env("VK_LOADER_LAYERS_DISABLE", "~implicit~");
    command
}

/// A command that the kernel kills when we die without a chance to do it; a help, not a need.
fn ending_with_us(program: &Path) -> Command {
    let Some(setpriv) = crate::workspace::program("setpriv") else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// A private folder for one service's socket and log, so that several can run at once. Removed when dropped.
struct Room {
    folder: PathBuf,
}

impl Room {
    fn make() -> Result<Self> {
        // A socket's path is short by law, so not below the target folder.
        let folder = std::env::temp_dir().join(format!("vestibule-monado-{}", std::process::id()));
        // Left by an earlier process of the same number that was killed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let room = Self { folder };
        fs::set_permissions(&room.folder, fs::Permissions::from_mode(0o700)).context("cannot close the folder")?;
        Ok(room)
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("monado_comp_ipc")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("service.log")
    }

    fn last_words(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_refused_before_anything_starts() {
        let layout = Layout::of(Path::new("no/such/folder"));
        assert!(exec(&layout, "./no-such-program", &[]).is_err());
        assert!(exec(&layout, "no-such-program", &[]).is_err());
    }

    #[test]
    fn a_script_is_refused() {
        let script = std::env::temp_dir().join(format!("vestibule-script-{}", std::process::id()));
        fs::write(&script, "#!/bin/sh\n").unwrap();
        let layout = Layout::of(Path::new("no/such/folder"));
        let error = exec(&layout, script.to_str().unwrap(), &[]).unwrap_err();
        assert!(error.to_string().contains("script"), "{error}");
        fs::remove_file(script).unwrap();
    }

    #[test]
    fn a_service_that_cannot_start_is_an_error() {
        let layout = Layout::of(Path::new("no/such/folder"));
        assert!(exec(&layout, "sh", &[]).is_err());
    }
}
