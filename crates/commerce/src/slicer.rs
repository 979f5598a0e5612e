//! PrusaSlicer, where it is installed: what a machine really does with a package, by the program that will drive it.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use thiserror::Error;
use vestibule_fabricate::{Machine, Sliced, design::MaterialKind};

/// What it is called where it is installed.
pub(crate) const PROGRAM: &str = "prusa-slicer";
/// A thing that takes longer is priced by its own measures: somebody waits for the price.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of memory that it may take, and of what it may write: a design is foreign.
const MEMORY: u64 = 4 << 30;
const MOST_GCODE: u64 = 512 << 20;
/// Its totals stand at the end of what it writes, before its settings.
const TAIL: u64 = 256 * 1024;
const LOOK: Duration = Duration::from_millis(20);

/// Why there are no numbers of a slicer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum SliceError {
    #[error("it cannot be started: {0}")]
    Start(String),
    #[error("it took more than {} s", PATIENCE.as_secs())]
    Late,
    /// Its last line.
    #[error("it says: {0}")]
    Failed(String),
    #[error("it has written no times and weights")]
    Nothing,
}

/// How a piece is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) material: MaterialKind,
    pub(crate) infill_percent: u8,
    /// Something goes further through the air than the machine draws: what is said to get supports gets them.
    pub(crate) hangs_over: bool,
}

/// A slicer that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slicer {
    program: PathBuf,
    /// Keeps it within its memory, where the system has that.
    limits: Option<PathBuf>,
}

/// Looks for a program in PATH.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

impl Slicer {
    pub(crate) fn new(program: PathBuf) -> Self {
        Self { program, limits: installed("prlimit") }
    }

    fn command(&self) -> Command {
        match &self.limits {
            Some(limits) => {
                let mut command = Command::new(limits);
                command.args([format!("--as={MEMORY}"), format!("--fsize={MOST_GCODE}"), "--core=0".to_owned()]);
                command.arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        }
    }

    /// Slices one piece; keeps a core busy for as long as it takes.
    ///
    /// # Errors
    /// [`SliceError`].
    pub(crate) fn slice(&self, package: &Path, machine: &Machine, wanted: Wanted) -> Result<Sliced, SliceError> {
        let start = |error: std::io::Error| SliceError::Start(error.to_string());
        let folder = tempfile::tempdir().map_err(start)?;
        // It tells formats by their endings.
        let (from, to, words) =
            (folder.path().join("in.3mf"), folder.path().join("out.gcode"), folder.path().join("words"));
        std::fs::copy(package, &from).map_err(start)?;
        let said = std::fs::File::create(&words).map_err(start)?;
        let mut command = self.command();
        command.args(settings(machine, wanted)).arg("--output").arg(&to).arg(&from);
        // It keeps what it learned of a person in their home; here it has none, and no display.
        command.env_clear().env("HOME", folder.path()).env("LC_ALL", "C.UTF-8").current_dir(folder.path());
        let other = said.try_clone().map_err(start)?;
        command.stdin(Stdio::null()).stdout(said).stderr(other);
        let mut child = command.spawn().map_err(start)?;
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().map_err(start)? {
                Some(status) => break status,
                None if begun.elapsed() > PATIENCE => {
                    // Whatever became of it, nobody waits for it any more.
                    let _ = child.kill().and_then(|()| child.wait());
                    return Err(SliceError::Late);
                }
                None => std::thread::sleep(LOOK),
            }
        };
        if !status.success() || !to.is_file() {
            return Err(SliceError::Failed(last_line(&words)));
        }
        let text = tail(&to).map_err(start)?;
        read(&text).ok_or(SliceError::Nothing)
    }
}

fn settings(machine: &Machine, wanted: Wanted) -> Vec<String> {
    let [width, height, depth] = machine.build_mm;
    let (x, y) = (width / 2.0, depth / 2.0);
    let nozzle = machine.nozzle_mm();
    let density = match wanted.material {
        MaterialKind::Petg => 1.27,
        _ => 1.24,
    };
    vec![
        "--export-gcode".to_owned(),
        format!("--center={x},{y}"),
        format!("--bed-shape=0x0,{width}x0,{width}x{depth},0x{depth}"),
        format!("--max-print-height={height}"),
        format!("--nozzle-diameter={nozzle}"),
        format!("--layer-height={}", machine.layer_mm),
        format!("--first-layer-height={}", machine.layer_mm),
        format!("--fill-density={}%", wanted.infill_percent),
        "--perimeters=2".to_owned(),
        "--support-material".to_owned(),
        "--support-material-auto".to_owned(),
        // By itself it draws through the air whatever has two ends, however far apart they are.
        format!("--dont-support-bridges={}", u8::from(!wanted.hangs_over)),
        "--filament-diameter=1.75".to_owned(),
        format!("--filament-density={density}"),
    ]
}

fn tail(path: &Path) -> std::io::Result<String> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn last_line(words: &Path) -> String {
    let text = tail(words).unwrap_or_default();
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
    line.chars().take(200).collect()
}

/// Reads `; filament used [g] = 4.49` and `; estimated printing time (normal mode) = 1d 2h 3m 4s`.
fn read(gcode: &str) -> Option<Sliced> {
    let find = |name: &str| {
        let mut lines =
            gcode.lines().filter_map(|line| line.strip_prefix("; ")?.strip_prefix(name)?.strip_prefix(" = "));
        lines.next().map(str::trim)
    };
    let grams: f64 = find("filament used [g]")?.parse().ok()?;
    let seconds = seconds(find("estimated printing time (normal mode)")?)?;
    if !(grams.is_finite() && (0.0..1e9).contains(&grams)) || seconds == 0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let mass_mg = (grams * 1_000.0).round() as u64;
    Some(Sliced { seconds, mass_mg })
}

fn seconds(text: &str) -> Option<u64> {
    let mut sum = 0_u64;
    for word in text.split_whitespace() {
        let (number, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
        let each = match unit {
            "d" => 86_400,
            "h" => 3_600,
            "m" => 60,
            "s" => 1,
            _ => return None,
        };
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(each)?)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_slicer_says_is_read() {
        let text = "G1 X1\n; filament used [mm] = 1504.88\n; filament used [g] = 4.49\n; total filament used [g] = 4.49\n\
                    ; estimated printing time (normal mode) = 1h 19m 13s\n; layer_height = 0.2\n";
        assert_eq!(read(text), Some(Sliced { seconds: 4_753, mass_mg: 4_490 }));
        assert_eq!(seconds("2d 1s"), Some(172_801));
        for (from, to) in [
            ("4.49", "much"),
            ("4.49", "-1"),
            ("4.49", "NaN"),
            ("13s", "13 parsecs"),
            ("1h 19m 13s", "0s"),
            ("filament used [g]", "x"),
        ] {
            assert_eq!(read(&text.replace(from, to)), None, "{to}");
        }
        assert_eq!(read(""), None);
        for time in ["s", "é", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(seconds(time), None, "{time}");
        }
    }

    /// Programs that are no slicers, and one that never ends, are none.
    #[test]
    fn what_goes_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("in.3mf");
        std::fs::write(&package, b"no package").unwrap();
        let slice = |program: &str| {
            let program = installed(program).unwrap_or_else(|| PathBuf::from(program));
            let wanted = Wanted { material: MaterialKind::Pla, infill_percent: 20, hangs_over: false };
            Slicer::new(program).slice(&package, &Machine::desktop(), wanted)
        };
        assert!(matches!(slice("false"), Err(SliceError::Failed(_))));
        assert!(matches!(slice("true"), Err(SliceError::Failed(_))), "it has written nothing");
        assert!(slice("/nowhere/at/all").is_err());
    }
}
