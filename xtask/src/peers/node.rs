//! npm packages of other people, for Node.js: a WoT consumer, an OpenID Connect provider, a driver for a browser,
//! the validator of glTF.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Variables;
use crate::process;
use crate::workspace::{Workspace, program};

/// Its name on the command line.
pub const NAME: &str = "node";

const PACKAGES: &str = include_str!("../../peers/node/package.json");
/// Every package with its version and checksum, without the address that it came from.
const LOCK: &str = include_str!("../../peers/node/package-lock.json");
/// The oldest that all of the packages run on.
const OLDEST: u32 = 20;
/// A few megabytes; a slow line takes a while.
const INSTALL_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Installs exactly the packages of the lock below the target folder.
pub fn prepare(workspace: &Workspace) -> Result<Variables> {
    let node = program("node").context("node is not here")?;
    let said = Command::new(&node).arg("--version").output().context("node does not start")?.stdout;
    let said = String::from_utf8_lossy(&said);
    if version(&said).is_none_or(|major| major < OLDEST) {
        bail!("this node is {}; the packages need {OLDEST} or newer", said.trim());
    }
    let folder = workspace.target.join("peers/node");
    let (modules, stamp) = (folder.join("node_modules"), folder.join("vestibule.stamp"));
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == LOCK) && modules.is_dir() {
        return Ok(variables(&node, &modules));
    }
    println!("Installing npm packages in {}", folder.display());
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in [("package.json", PACKAGES), ("package-lock.json", LOCK)] {
        std::fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))?;
    }
    let mut npm = Command::new(program("npm").context("npm is not here")?);
    // Nothing that a package brings is run while it is installed.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder);
    process::must(&mut npm, INSTALL_LIMIT).context("npm could not install; is this machine online?")?;
    std::fs::write(&stamp, LOCK).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(variables(&node, &modules))
}

fn variables(node: &std::path::Path, modules: &std::path::Path) -> Variables {
    let text = |path: &std::path::Path| path.display().to_string();
    vec![("VESTIBULE_NODE", text(node)), ("VESTIBULE_NODE_MODULES", text(modules))]
}

/// The first number of `v20.11.1`.
fn version(said: &str) -> Option<u32> {
    said.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("v20.11.1\n"), Some(20));
        assert_eq!(version("node"), None);
    }

    #[test]
    fn every_package_is_pinned() {
        let packages: serde_json::Value = serde_json::from_str(PACKAGES).unwrap();
        let lock: serde_json::Value = serde_json::from_str(LOCK).unwrap();
        for (name, wanted) in packages["dependencies"].as_object().unwrap() {
            assert_eq!(lock["packages"][format!("node_modules/{name}")]["version"], *wanted, "{name}");
        }
    }
}
