//! `cargo xtask chaos kill`: a real enabler, killed at random moments while people and things use it.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

const BUILD: [&str; 7] = ["build", "-p", "vestibule-server", "--bin", "vestibule-enabler", "--example", "chaos"];

/// Builds the enabler and the program that kills it, and runs them; arguments are passed on.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    if process::in_front(&mut workspace.cargo(&BUILD))? != 0 {
        return Ok(ExitCode::FAILURE);
    }
    let mut chaos = Command::new(workspace.binary("examples/chaos"));
    chaos.arg(apart(&workspace)?).args(crate::passed_on(args));
    let status = process::in_front(&mut chaos)?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}

/// A copy of the enabler: it is started a thousand times in half an hour, and what is built meanwhile is another one.
fn apart(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("chaos");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let copy = folder.join("vestibule-enabler");
    std::fs::copy(workspace.binary("vestibule-enabler"), &copy)
        .with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(copy)
}
