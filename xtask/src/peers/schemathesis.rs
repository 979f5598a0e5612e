//! Schemathesis: asks an API what its OpenAPI document says that it takes, and what it does not.

use std::process::Command;

use anyhow::{Result, bail};

use super::{Variables, python};
use crate::workspace::Workspace;

/// Its name on the command line.
pub const NAME: &str = "schemathesis";

const REQUIREMENTS: &str = include_str!("../../peers/schemathesis.txt");

/// Makes a virtual environment of its own below the target folder.
pub fn prepare(workspace: &Workspace) -> Result<Variables> {
    let folder = workspace.target.join("peers/schemathesis");
    python::environment(&folder, REQUIREMENTS)?;
    let program = folder.join("bin/schemathesis");
    if !Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success()) {
        bail!("{} does not start; remove its folder and try again", program.display());
    }
    Ok(vec![("VESTIBULE_SCHEMATHESIS", program.display().to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned() {
        let packages = REQUIREMENTS.lines().filter(|line| !line.starts_with('#'));
        assert!(packages.clone().any(|line| line.starts_with("schemathesis==")));
        assert!(packages.into_iter().all(|line| line.contains("==")), "{REQUIREMENTS}");
    }
}
