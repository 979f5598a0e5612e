//! Where things are: the workspace, its target folder, the cache, programs, libraries and Vulkan drivers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

/// The workspace as cargo describes it.
pub struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Where cargo builds; `CARGO_TARGET_DIR` and configuration files are respected.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub fn find() -> Result<Self> {
        let metadata = metadata(&["--no-deps"])?;
        let path = |key: &str| -> Result<PathBuf> {
            metadata[key].as_str().map(PathBuf::from).ok_or_else(|| anyhow!("cargo metadata names no {key}"))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")? })
    }

    /// A program that `cargo build` made with the profile that demo and tests share.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// `cargo`, in the workspace's root.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.args(args).current_dir(&self.root);
        // What cargo says to the program that it runs. Some build scripts ask for it (`ring`'s does), so everything behind
        // them would be built once for `cargo build` and again for `cargo xtask`.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
                command.env_remove(name);
            }
        }
        command
    }
}

/// The cargo that runs us, else the one in PATH.
fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// `cargo metadata`, parsed.
pub fn metadata(args: &[&str]) -> Result<Value> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1"])
        .args(args)
        .output()
        .context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")
}

/// Where downloads that outlive a build are kept.
pub fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    Ok(base.join("vestibule"))
}

/// Looks for a program in PATH, and in the folders for administrators that are not in everybody's PATH.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Whether the dynamic linker would find a library of this name.
pub fn library(name: &str) -> bool {
    let listed = program("ldconfig")
        .and_then(|ldconfig| Command::new(ldconfig).arg("-p").output().ok())
        .is_some_and(|output| lists_library(&String::from_utf8_lossy(&output.stdout), name));
    let path = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    listed || std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn lists_library(listing: &str, name: &str) -> bool {
    listing.lines().any(|line| line.split_whitespace().next() == Some(name))
}

/// The descriptions of Vulkan drivers that a loader would find here.
pub fn vulkan_drivers() -> Vec<PathBuf> {
    for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        if let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) {
            return std::env::split_paths(&value).filter(|path| path.exists()).collect();
        }
    }
    let mut folders: Vec<PathBuf> =
        ["/usr/local/etc", "/usr/local/share", "/etc", "/usr/share"].map(PathBuf::from).to_vec();
    folders.extend(std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    let mut drivers: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder.join("vulkan/icd.d")).ok())
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    drivers.sort();
    drivers
}

/// The description of Mesa's software Vulkan, among `drivers`.
pub fn software_vulkan(drivers: &[PathBuf]) -> Option<&Path> {
    let is_lavapipe =
        |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd"));
    drivers.iter().find(is_lavapipe).map(PathBuf::as_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_found_by_its_whole_name() {
        let listing = "2 libs found\n\tlibX11.so.6 (libc6,x86-64) => /usr/lib/libX11.so.6\n";
        assert!(lists_library(listing, "libX11.so.6"));
        assert!(!lists_library(listing, "libX11.so"));
    }

    #[test]
    fn software_vulkan_is_told_from_a_gpu() {
        let gpu = PathBuf::from("icd.d/nvidia_icd.json");
        let software = PathBuf::from("icd.d/lvp_icd.x86_64.json");
        assert_eq!(software_vulkan(std::slice::from_ref(&gpu)), None);
        assert_eq!(software_vulkan(&[gpu, software.clone()]), Some(software.as_path()));
    }

    #[test]
    fn this_workspace_is_found() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root.join("xtask/Cargo.toml").is_file());
        assert!(program("cargo").is_some());
    }
}
