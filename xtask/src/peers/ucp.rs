//! The Universal Commerce Protocol's own SDK, and HTTP signatures that are not ours.

use std::process::Command;

use anyhow::{Result, bail};

use super::{Variables, python};
use crate::workspace::Workspace;

/// Its name on the command line.
pub const NAME: &str = "ucp";

const REQUIREMENTS: &str = include_str!("../../peers/ucp.txt");

/// Makes a virtual environment of its own below the target folder.
pub fn prepare(workspace: &Workspace) -> Result<Variables> {
    let folder = workspace.target.join("peers/ucp");
    python::environment(&folder, REQUIREMENTS)?;
    let python = folder.join("bin/python");
    let imports = "import ucp_sdk.models.schemas.shopping, http_message_signatures";
    let works = Command::new(&python).args(["-c", imports]).status();
    if !works.is_ok_and(|status| status.success()) {
        bail!("{} does not import its packages; remove its folder and try again", python.display());
    }
    Ok(vec![("VESTIBULE_UCP_PYTHON", python.display().to_string())])
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
