//! The Universal Commerce Protocol's own SDK and its own judge of messages, and HTTP signatures that are not ours.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Variables, python};
use crate::process;
use crate::workspace::Workspace;

/// Its name on the command line.
pub const NAME: &str = "ucp";

const REQUIREMENTS: &str = include_str!("../../peers/ucp.txt");
/// Writes what the SDK knows as schemas.
const SCHEMAS: &str = include_str!("../../peers/ucp_schemas.py");
/// The judge. It is no dependency: with it `serde_json` would keep the order of members in all that is tested.
const JUDGE: &str = "ucp-schema@1.4.1";
/// Some hundred crates on a small machine.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);
const WRITE_LIMIT: Duration = Duration::from_secs(60);

/// Makes a virtual environment, the judge and its schemas below the target folder.
pub fn prepare(workspace: &Workspace) -> Result<Variables> {
    let folder = workspace.target.join("peers/ucp");
    python::environment(&folder, REQUIREMENTS)?;
    let python = folder.join("bin/python");
    let imports = "import ucp_sdk.models.schemas.shopping, http_message_signatures";
    let works = Command::new(&python).args(["-c", imports]).status();
    if !works.is_ok_and(|status| status.success()) {
        bail!("{} does not import its packages; remove its folder and try again", python.display());
    }
    let judge = workspace.target.join("peers/ucp-schema");
    let program = install(&judge)?;
    let schemas = schemas(&judge, &python)?;
    Ok(vec![
        ("VESTIBULE_UCP_PYTHON", python.display().to_string()),
        ("VESTIBULE_UCP_SCHEMA", program.display().to_string()),
        ("VESTIBULE_UCP_SCHEMAS", schemas.display().to_string()),
    ])
}

/// Builds the judge with the versions that its makers locked, unless it is there already.
fn install(folder: &Path) -> Result<PathBuf> {
    let (program, stamp) = (folder.join("bin/ucp-schema"), folder.join("vestibule.stamp"));
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == JUDGE) && program.exists() {
        return Ok(program);
    }
    println!("Building {JUDGE} in {}", folder.display());
    let build = folder.join("build");
    let mut cargo = Command::new("cargo");
    // Without what asks the net for schemas. Tests start it often: unoptimized it takes six times as long.
    cargo.args(["install", "--quiet", "--locked", "--force", "--no-default-features", JUDGE, "--root"]);
    cargo.arg(folder).arg("--target-dir").arg(&build);
    cargo.envs([("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"), ("CARGO_PROFILE_RELEASE_STRIP", "true")]);
    process::must(&mut cargo, BUILD_LIMIT).context("cargo could not build it; is this machine online?")?;
    std::fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    std::fs::write(&stamp, JUDGE).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(program)
}

/// Writes the schemas: it takes a second, and they are always those of the SDK that is there.
fn schemas(folder: &Path, python: &Path) -> Result<PathBuf> {
    let schemas = folder.join("schemas");
    let mut write = Command::new(python);
    write.args(["-c", SCHEMAS]).arg(&schemas);
    process::must(&mut write, WRITE_LIMIT).context("the SDK's models could not be written as schemas")?;
    Ok(schemas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned() {
        let packages = REQUIREMENTS.lines().filter(|line| !line.starts_with('#'));
        assert!(packages.clone().any(|line| line == "ucp-sdk==0.4.6"), "what came later speaks another version");
        assert!(packages.into_iter().all(|line| line.contains("==")), "{REQUIREMENTS}");
    }
}
