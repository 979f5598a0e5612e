//! Starting programs so that they always end: in a process group of their own, with a time limit, heard when
//! somebody presses Ctrl-C.

use std::io::{PipeReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long output is waited for after a program has ended; something that left its group may hold the pipe open.
const DRAIN: Duration = Duration::from_secs(2);
/// Pieces of output in flight between the thread that reads and the one that prints; a full pipe then waits.
const PIECES: usize = 64;

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on Ctrl-C and a polite kill are remembered instead of ending us before our children.
pub fn listen_for_interrupts() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(|| Arc::new(AtomicBool::new(false)));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag)).context("cannot listen for signals")?;
    }
    Ok(())
}

/// Whether somebody asked us to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It returned this status; a signal counts as 128 and its number, as in a shell.
    Returned(i32),
    /// It ran past its limit and was killed with everything it had started.
    TimedOut,
    /// Somebody asked us to stop.
    Interrupted,
}

impl Ending {
    /// Whether it returned zero.
    pub fn is_success(self) -> bool {
        self == Self::Returned(0)
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Returned(status) => write!(f, "returned {status}"),
            Self::TimedOut => write!(f, "ran past its time limit and was killed"),
            Self::Interrupted => write!(f, "was interrupted"),
        }
    }
}

/// A program that was started and that never outlives this value: dropping it kills.
pub struct Started {
    child: Child,
    leads_group: bool,
}

impl Started {
    /// Starts `command` in a process group of its own; whatever it starts in turn ends with it.
    pub fn in_own_group(command: &mut Command) -> Result<Self> {
        Self::start(command.process_group(0), true)
    }

    /// Starts `command` in our own group: whoever ends that group (a test that gives up on us) ends it too.
    pub fn in_our_group(command: &mut Command) -> Result<Self> {
        Self::start(command, false)
    }

    fn start(command: &mut Command, leads_group: bool) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, leads_group })
    }

    /// The status, when the program has ended.
    pub fn ended(&mut self) -> Result<Option<i32>> {
        Ok(self.child.try_wait().context("cannot wait for a program")?.map(status_number))
    }

    /// Waits until the program ends, `limit` passes or somebody interrupts, calling `meanwhile` in between.
    pub fn wait(&mut self, limit: Duration, mut meanwhile: impl FnMut(Duration)) -> Result<Ending> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(Ending::Returned(status));
            }
            if interrupted() {
                return Ok(Ending::Interrupted);
            }
            if start.elapsed() > limit {
                return Ok(Ending::TimedOut);
            }
            meanwhile(LOOK);
        }
    }

    /// Asks it to end, waits a little, then insists.
    pub fn end(mut self) {
        self.signal("TERM");
        let deadline = Instant::now() + DRAIN;
        while Instant::now() < deadline && matches!(self.ended(), Ok(None)) {
            std::thread::sleep(LOOK);
        }
    }

    fn signal(&self, signal: &str) {
        // The shell's own `kill` is everywhere; a `kill` program is not.
        let minus = if self.leads_group { "-" } else { "" };
        let line = format!("kill -{signal} {minus}{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &line]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.leads_group {
            // Also after the program itself has ended: what it left behind must not outlive it.
            self.signal("KILL");
        }
        // Does nothing to a program that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn status_number(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Runs `command` without input, printing what it says as it says it; returns how it ended and all it said.
pub fn run(command: &mut Command, limit: Duration) -> Result<(Ending, String)> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    let copy = writer.try_clone().context("cannot copy a pipe")?;
    command.stdin(Stdio::null()).stdout(writer).stderr(copy);
    let mut group = Started::in_own_group(command)?;
    // The command keeps its copies of the writing end, and the pipe would never close.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let pieces = read_in_thread(reader);
    let mut said = Vec::new();
    let ending = group.wait(limit, |time| {
        let _ = print_piece(&pieces, time, &mut said);
    })?;
    drop(group);
    let deadline = Instant::now() + DRAIN;
    while Instant::now() < deadline && print_piece(&pieces, LOOK, &mut said) {}
    Ok((ending, String::from_utf8_lossy(&said).into_owned()))
}

fn read_in_thread(mut reader: PipeReader) -> Receiver<Vec<u8>> {
    let (sender, pieces) = sync_channel(PIECES);
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length) = reader.read(&mut buffer) {
            if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    pieces
}

/// Prints at most one piece of output; false when there will never be another.
fn print_piece(pieces: &Receiver<Vec<u8>>, time: Duration, said: &mut Vec<u8>) -> bool {
    match pieces.recv_timeout(time) {
        Ok(piece) => {
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(&piece).and_then(|()| out.flush());
            said.extend(piece);
            true
        }
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => {
            std::thread::sleep(time);
            false
        }
    }
}

/// Runs `command` with our own input and output (a person is in front of it) and returns its status.
pub fn in_front(command: &mut Command) -> Result<i32> {
    let status = command.status().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    Ok(status_number(status))
}

/// Runs `command` with output shown, and fails unless it succeeds within `limit`.
pub fn must(command: &mut Command, limit: Duration) -> Result<String> {
    let name = command.get_program().display().to_string();
    let (ending, said) = run(command, limit)?;
    if !ending.is_success() {
        bail!("{name} {ending}");
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    }

    #[test]
    fn output_and_status_come_back() {
        let (ending, said) = run(&mut shell("echo one; echo two >&2; exit 3"), Duration::from_secs(20)).unwrap();
        assert_eq!(ending, Ending::Returned(3));
        assert_eq!(said, "one\ntwo\n");
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let start = Instant::now();
        let (ending, said) = run(&mut shell("sleep 60 & echo $!; wait"), Duration::from_millis(500)).unwrap();
        assert_eq!(ending, Ending::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(10));
        let grandchild = said.trim().to_owned();
        assert!(!is_running(&grandchild), "the sleep {grandchild} outlived its parent");
    }

    #[test]
    fn what_a_program_leaves_behind_ends_with_it() {
        let (ending, said) = run(&mut shell("sleep 60 >/dev/null 2>&1 & echo $!"), Duration::from_secs(20)).unwrap();
        assert!(ending.is_success());
        assert!(!is_running(said.trim()));
    }

    #[test]
    fn a_signal_is_told_as_a_shell_tells_it() {
        let (ending, _) = run(&mut shell("kill -9 $$"), Duration::from_secs(20)).unwrap();
        assert_eq!(ending, Ending::Returned(137));
    }

    fn is_running(process: &str) -> bool {
        // An orphan stays in the table as a zombie where nobody reaps it.
        let alive = || {
            std::fs::read_to_string(format!("/proc/{process}/stat"))
                .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
        };
        for _ in 0..40 {
            if !alive() {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }
}
