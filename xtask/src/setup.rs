//! Which pieces of the operating system a purpose needs, which of them are missing, and how they get here.
//!
//! A piece counts as present when it works, however it came to be there; packages are only the way to get it.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::{Workspace, library, program, vulkan_drivers};

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Compiling and linking, including the C inside SQLite and ring.
    Build,
    /// A window on a display.
    Window,
    /// Drawing at all: a GPU's driver, or software where there is none.
    Picture,
    /// A display where there is none, for the tests of windows.
    VirtualDisplay,
    /// The MQTT broker that tests speak to.
    Mosquitto,
    /// The Python program that tests speak to.
    Python,
    /// The npm packages that tests speak to.
    Node,
    /// The browser that looks at the status page.
    Browser,
    /// The slicer that the manufacturer uses.
    Slicer,
    /// Fetching an OpenXR runtime.
    Monado,
}

struct Piece {
    purpose: Purpose,
    package: &'static str,
    is_present: fn() -> bool,
}

/// Everything, in the order in which it is reported. Debian's and Ubuntu's names.
const PIECES: &[Piece] = &[
    Piece { purpose: Purpose::Build, package: "gcc", is_present: || program("cc").is_some() },
    Piece { purpose: Purpose::Build, package: "libc6-dev", is_present: has_c_headers },
    Piece { purpose: Purpose::Window, package: "libx11-6", is_present: || library("libX11.so.6") },
    Piece { purpose: Purpose::Window, package: "libx11-xcb1", is_present: || library("libX11-xcb.so.1") },
    Piece { purpose: Purpose::Window, package: "libxcursor1", is_present: || library("libXcursor.so.1") },
    Piece { purpose: Purpose::Window, package: "libxi6", is_present: || library("libXi.so.6") },
    Piece { purpose: Purpose::Window, package: "libxkbcommon-x11-0", is_present: || library("libxkbcommon-x11.so.0") },
    Piece { purpose: Purpose::Picture, package: "libvulkan1", is_present: || library("libvulkan.so.1") },
    Piece { purpose: Purpose::Picture, package: "mesa-vulkan-drivers", is_present: || !vulkan_drivers().is_empty() },
    Piece { purpose: Purpose::VirtualDisplay, package: "xvfb", is_present: || program("Xvfb").is_some() },
    Piece { purpose: Purpose::Mosquitto, package: "mosquitto", is_present: || program("mosquitto").is_some() },
    Piece { purpose: Purpose::Python, package: "python3-venv", is_present: has_python_venv },
    Piece { purpose: Purpose::Node, package: "nodejs", is_present: || program("node").is_some() },
    Piece { purpose: Purpose::Node, package: "npm", is_present: || program("npm").is_some() },
    Piece { purpose: Purpose::Browser, package: "chromium", is_present: || crate::peers::browser::find().is_some() },
    Piece { purpose: Purpose::Slicer, package: "prusa-slicer", is_present: || program("prusa-slicer").is_some() },
    Piece { purpose: Purpose::Monado, package: "debian-archive-keyring", is_present: has_debian_keys },
];

/// Where Debian's signing keys are, once their package is here.
pub const DEBIAN_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Fetching and unpacking a few packages takes a minute; a slow line takes longer.
const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);

fn has_debian_keys() -> bool {
    Path::new(DEBIAN_KEYS).is_file()
}

fn has_c_headers() -> bool {
    let Some(cc) = program("cc") else {
        return false;
    };
    succeeds(Command::new(cc).args(["-fsyntax-only", "-include", "stdlib.h", "-x", "c", "/dev/null"]))
}

fn has_python_venv() -> bool {
    program("python3").is_some_and(|python| succeeds(Command::new(python).args(["-c", "import ensurepip, venv"])))
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// `cargo xtask setup [--peer NAME]...`: the pieces for everything, or for the named peers alone.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let mut peers: Vec<&str> = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match (word.as_str(), words.next()) {
            ("--peer", Some(name)) => peers.push(crate::peers::known(name)?),
            (other, _) => bail!("setup does not know {other}"),
        }
    }
    let workspace = Workspace::find()?;
    let mut purposes: Vec<Purpose> = Vec::new();
    if peers.is_empty() {
        purposes.extend([Purpose::Build, Purpose::Window, Purpose::Picture, Purpose::VirtualDisplay]);
        peers.extend(crate::peers::NAMES);
    }
    purposes.extend(peers.iter().filter_map(|name| crate::peers::purpose(name)));
    install(&purposes)?;
    for peer in peers {
        for (name, value) in crate::peers::prepare(peer, &workspace)? {
            println!("{name}={value}");
        }
    }
    println!("Everything is here.");
    Ok(ExitCode::SUCCESS)
}

/// The packages that bring what is missing for `purposes`.
fn missing(purposes: &[Purpose]) -> Vec<&'static str> {
    PIECES
        .iter()
        .filter(|piece| purposes.contains(&piece.purpose) && !(piece.is_present)())
        .map(|piece| piece.package)
        .collect()
}

/// Installs what is missing for `purposes`; without the right to, says the one line to type.
pub fn install(purposes: &[Purpose]) -> Result<()> {
    let packages = missing(purposes);
    if packages.is_empty() {
        return Ok(());
    }
    println!("This machine lacks: {}", packages.join(" "));
    let line = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    if program("apt-get").is_none() {
        bail!("there is no apt-get here; install what Debian calls {}", packages.join(" "));
    }
    let Some(prefix) = rights() else {
        bail!("please type this line, then run the same command again:\n\n    sudo {line}\n");
    };
    if !has_package_lists() {
        update(prefix)?;
    }
    println!("{line}");
    if !apt(prefix, &line)? {
        // Lists that are older than the mirror name versions that are no longer there.
        update(prefix)?;
        if !apt(prefix, &line)? {
            bail!("apt could not install {}: its own words are above", packages.join(" "));
        }
    }
    let still = missing(purposes);
    if !still.is_empty() {
        bail!("installed, yet not found: {}", still.join(" "));
    }
    Ok(())
}

/// What to put before a command that changes the system: nothing for root, `sudo` where it asks no password.
fn rights() -> Option<&'static [&'static str]> {
    let id = Command::new("id").arg("-u").output().map(|output| output.stdout).unwrap_or_default();
    if String::from_utf8_lossy(&id).trim() == "0" {
        return Some(&[]);
    }
    let sudo = program("sudo")?;
    succeeds(Command::new(sudo).args(["-n", "true"])).then_some(&["sudo", "-n"])
}

fn has_package_lists() -> bool {
    std::fs::read_dir("/var/lib/apt/lists")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

fn update(prefix: &[&str]) -> Result<()> {
    println!("apt-get update");
    if !apt(prefix, "apt-get --quiet update")? {
        bail!("apt could not fetch its package lists: is this machine online?");
    }
    Ok(())
}

fn apt(prefix: &[&str], line: &str) -> Result<bool> {
    let words = prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive"]).chain(line.split(' '));
    let mut words = words.collect::<Vec<_>>().into_iter();
    let mut command = Command::new(words.next().unwrap_or("env"));
    command.args(words);
    Ok(process::run(&mut command, INSTALL_LIMIT)?.0.is_success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_asks_only_for_its_own_pieces() {
        assert!(missing(&[]).is_empty());
        let build: Vec<_> = PIECES.iter().filter(|piece| piece.purpose == Purpose::Build).collect();
        assert!(build.iter().all(|piece| (piece.is_present)()), "we were compiled here");
    }

    #[test]
    fn every_package_is_listed_once() {
        for (index, piece) in PIECES.iter().enumerate() {
            assert!(PIECES[..index].iter().all(|other| other.package != piece.package), "{}", piece.package);
        }
    }

    #[test]
    fn an_unknown_word_is_refused() {
        assert!(run(&["--pear".to_owned()]).is_err());
        assert!(run(&["--peer".to_owned(), "kafka".to_owned()]).is_err());
    }
}
