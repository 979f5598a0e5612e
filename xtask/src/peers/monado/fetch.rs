//! Bringing Monado here without touching the system: apt fetches and checks the packages of one Debian release
//! into a folder of ours, and they are unpacked beside each other. Nothing is installed, nothing needs root.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::setup::DEBIAN_KEYS;
use crate::workspace;

/// The Debian release that has Monado 25; the ones before it have a version that draws nothing without a screen.
const RELEASE: &str = "trixie";
/// The service, the library that clients load, the loader that finds that library, software Vulkan, and the
/// small client `hello_xr` that shows whether all of it works.
const PACKAGES: [&str; 6] = [
    "monado-service",
    "libopenxr1-monado",
    "libopenxr-loader1",
    "libopenxr-utils",
    "libvulkan1",
    "mesa-vulkan-drivers",
];
/// Grows when the folder has to look different; older folders are then made anew.
const RECIPE: u32 = 1;
/// About 170 MB have to come.
const FETCH_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Where it is, or will be.
pub fn folder() -> Result<PathBuf> {
    Ok(workspace::cache()?.join(format!("monado-{RELEASE}")))
}

/// The folder, made if it is not there or not whole. Safe to call from several programs at once.
pub fn whole_folder() -> Result<PathBuf> {
    let root = folder()?;
    let cache = workspace::cache()?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let lock = File::create(cache.join("monado.lock")).context("cannot make a lock file")?;
    lock.lock().context("cannot lock")?;
    if is_whole(&root) {
        return Ok(root);
    }
    println!("Fetching Monado of Debian {RELEASE} (about 170 MB) into {}", root.display());
    let work = cache.join(format!("monado-{RELEASE}.part"));
    let fresh = work.join("root");
    remove(&root)?;
    remove(&fresh)?;
    download(&work)?;
    unpack(&work, &fresh)?;
    fs::write(stamp(&fresh), recipe()).context("cannot write the stamp")?;
    if !is_whole(&fresh) {
        bail!("what was unpacked in {} is not whole", fresh.display());
    }
    fs::rename(&fresh, &root).with_context(|| format!("cannot move to {}", root.display()))?;
    remove(&work)?;
    Ok(root)
}

fn recipe() -> String {
    format!("{RECIPE} {RELEASE} {} {}\n", std::env::consts::ARCH, PACKAGES.join(" "))
}

fn stamp(root: &Path) -> PathBuf {
    root.join("vestibule.stamp")
}

fn is_whole(root: &Path) -> bool {
    let layout = super::Layout::of(root);
    fs::read_to_string(stamp(root)).is_ok_and(|text| text == recipe())
        && layout.parts().iter().all(|path| path.exists())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Packages that were fetched by an earlier, interrupted try are kept and not fetched again.
fn download(work: &Path) -> Result<()> {
    if !Path::new(DEBIAN_KEYS).is_file() {
        bail!("{DEBIAN_KEYS} is not here: install debian-archive-keyring");
    }
    for folder in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(work.join(folder)).with_context(|| format!("cannot make {}", work.display()))?;
    }
    // An empty record of installed packages: apt then fetches everything down to the C library.
    fs::write(work.join("state/status"), "").context("cannot write in the work folder")?;
    let source = format!("deb [signed-by={DEBIAN_KEYS}] {} {RELEASE} main\n", mirror()?);
    fs::write(work.join("sources.list"), source).context("cannot write in the work folder")?;
    if !process::run(apt(work).arg("update"), FETCH_LIMIT)?.0.is_success() {
        // A hook of the system may have failed for want of rights; the next step tells whether the lists are here.
        eprintln!("apt-get update did not succeed; going on with what is here");
    }
    let mut install = apt(work);
    install.args(["install", "--yes", "--download-only", "--no-install-recommends"]).args(PACKAGES);
    process::must(&mut install, FETCH_LIMIT).context("apt could not fetch Monado; is this machine online?")?;
    Ok(())
}

fn apt(work: &Path) -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet=2");
    let work = work.display();
    for option in [
        format!("Dir::State={work}/state"),
        format!("Dir::State::status={work}/state/status"),
        format!("Dir::Cache={work}/cache"),
        format!("Dir::Etc::sourcelist={work}/sources.list"),
        // Not the system's own sources and preferences; its proxies and certificates stay.
        "Dir::Etc::sourceparts=/dev/null".to_owned(),
        "Dir::Etc::preferences=/dev/null".to_owned(),
        "Dir::Etc::preferencesparts=/dev/null".to_owned(),
        // apt's own user may not enter a home folder.
        "APT::Sandbox::User=root".to_owned(),
        "Acquire::Languages=none".to_owned(),
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
        "Acquire::Retries=3".to_owned(),
    ] {
        apt.args(["-o", &option]);
    }
    apt
}

/// The mirror this machine already uses for Debian. `VESTIBULE_DEBIAN_MIRROR` names one where it uses none.
fn mirror() -> Result<String> {
    if let Some(mirror) = std::env::var("VESTIBULE_DEBIAN_MIRROR").ok().filter(|mirror| !mirror.is_empty()) {
        return Ok(mirror);
    }
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"])
        .output()
        .context("Monado comes from Debian's packages, and there is no apt-get here")?;
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    match debian_mirror(&String::from_utf8_lossy(&output.stdout), &system) {
        Some(mirror) => Ok(mirror),
        None => bail!("apt here names no mirror of Debian; set VESTIBULE_DEBIAN_MIRROR to the address of one"),
    }
}

/// Among apt's `origin|label|address` lines, the address of Debian itself. Before a first `apt-get update` apt
/// knows no origins; on a Debian system its first source that is not the security one will do.
fn debian_mirror(targets: &str, system: &str) -> Option<String> {
    let is_debian = system.lines().any(|line| line == "ID=debian");
    targets.lines().find_map(|line| {
        let (origin, rest) = line.split_once('|')?;
        let (label, address) = rest.split_once('|')?;
        let known = origin == "Debian" && label == "Debian";
        let likely = origin.is_empty() && is_debian && !address.contains("security");
        (known || likely).then(|| address.to_owned())
    })
}

fn unpack(work: &Path, root: &Path) -> Result<()> {
    fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
    let archives = work.join("cache/archives");
    let mut packages: Vec<PathBuf> = fs::read_dir(&archives)
        .with_context(|| format!("cannot read {}", archives.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect();
    packages.sort();
    println!("Unpacking {} packages", packages.len());
    for package in &packages {
        process::must(Command::new("dpkg-deb").arg("--extract").arg(package).arg(root), FETCH_LIMIT)
            .with_context(|| format!("cannot unpack {}", package.display()))?;
    }
    link_loader(root)
}

/// bevy_mod_openxr opens the loader by the name that Debian ships in no runtime package.
fn link_loader(root: &Path) -> Result<()> {
    let link = super::Layout::of(root).libraries.join("libopenxr_loader.so");
    if !link.exists() {
        std::os::unix::fs::symlink("libopenxr_loader.so.1", &link).context("cannot link the OpenXR loader")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: &str = "\
Debian|Debian-Security|http://packages.example/debian-security/
Debian|Debian|http://packages.example/debian/
";

    #[test]
    fn the_mirror_is_the_one_that_serves_debian_itself() {
        assert_eq!(debian_mirror(TARGETS, "").as_deref(), Some("http://packages.example/debian/"));
        assert_eq!(debian_mirror("Ubuntu|Ubuntu|http://packages.example/ubuntu/\n", "ID=ubuntu\n"), None);
    }

    #[test]
    fn before_a_first_update_only_a_debian_system_is_trusted() {
        let targets = "||http://packages.example/debian-security/\n||http://packages.example/debian/\n";
        assert_eq!(debian_mirror(targets, "ID=debian\n").as_deref(), Some("http://packages.example/debian/"));
        assert_eq!(debian_mirror(targets, "ID=ubuntu\n"), None);
    }

    #[test]
    fn an_empty_folder_is_not_whole() {
        assert!(!is_whole(Path::new("no/such/folder")));
    }
}
