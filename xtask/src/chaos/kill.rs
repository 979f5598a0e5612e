//! `cargo xtask chaos kill`: a real enabler, killed at random moments while people and things use it.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

const ENABLER: &str = "vestibule-enabler";
const BUILD: [&str; 7] = ["build", "-p", "vestibule-server", "--bin", "vestibule-enabler", "--example", "chaos"];

/// Builds the enabler and the program that kills it, and runs them; arguments are passed on.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    if process::in_front(&mut workspace.cargo(&BUILD))? != 0 {
        return Ok(ExitCode::FAILURE);
    }
    let mut chaos = Command::new(workspace.binary("examples/chaos"));
    chaos.arg(super::apart(&workspace, &[ENABLER])?.join(ENABLER)).args(crate::passed_on(args));
    let status = process::in_front(&mut chaos)?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}
