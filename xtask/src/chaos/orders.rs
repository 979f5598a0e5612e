//! `cargo xtask chaos orders`: an enabler, a shop, a manufacturer and a buyer, killed at random moments while people buy,
//! over networks that lose, delay, repeat, change and forge.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

const PROGRAMS: [&str; 2] = ["vestibule-enabler", "vestibule-commerce"];
/// Of the whole workspace, so that what its tests have built is used; nothing else of it is built.
const BUILD: [&str; 8] =
    ["build", "--workspace", "--bin", PROGRAMS[0], "--bin", PROGRAMS[1], "--example", "chaos_orders"];

/// Builds the programs and the one that kills them, and runs it; arguments are passed on.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    if process::in_front(&mut workspace.cargo(&BUILD))? != 0 {
        return Ok(ExitCode::FAILURE);
    }
    let mut chaos = Command::new(workspace.binary("examples/chaos_orders"));
    chaos.arg(super::apart(&workspace, &PROGRAMS)?).args(crate::passed_on(args));
    let status = process::in_front(&mut chaos)?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}
