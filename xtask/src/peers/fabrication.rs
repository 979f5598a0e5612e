//! What makers read files with: lib3mf, trimesh and manifold3d, in a Python of their own.

use std::process::Command;

use anyhow::{Result, bail};

use super::{Variables, python};
use crate::workspace::Workspace;

/// Its name on the command line.
pub const NAME: &str = "fabrication";

const REQUIREMENTS: &str = include_str!("../../peers/fabrication.txt");

/// Makes a virtual environment of its own below the target folder.
pub fn prepare(workspace: &Workspace) -> Result<Variables> {
    let folder = workspace.target.join("peers/fabrication");
    python::environment(&folder, REQUIREMENTS)?;
    let python = folder.join("bin/python");
    let works = Command::new(&python).args(["-c", "import lib3mf, manifold3d, numpy, trimesh"]).status();
    if !works.is_ok_and(|status| status.success()) {
        bail!("{} does not import its packages; remove its folder and try again", python.display());
    }
    Ok(vec![("VESTIBULE_FABRICATION", python.display().to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned() {
        let packages = REQUIREMENTS.lines().filter(|line| !line.starts_with('#'));
        assert!(packages.clone().any(|line| line.starts_with("lib3mf==")));
        assert!(packages.into_iter().all(|line| line.contains("==")), "{REQUIREMENTS}");
    }
}
