//! `cargo xtask chaos kill`: a real enabler, killed at random moments while people and things use it.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

const BUILD: [&str; 7] = ["build", "-p", "vestibule-server", "--bin", "vestibule-enabler", "--example", "chaos"];

/// Builds the enabler and the program that kills it, and runs them; further arguments are passed on.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let rest = match args.split_first() {
        Some((what, rest)) if what == "kill" => rest,
        _ => bail!("chaos what? There is `cargo xtask chaos kill [--rounds N] [--seed S]`"),
    };
    let workspace = Workspace::find()?;
    if process::in_front(&mut workspace.cargo(&BUILD))? != 0 {
        return Ok(ExitCode::FAILURE);
    }
    let mut chaos = Command::new(workspace.binary("examples/chaos"));
    chaos.arg(workspace.binary("vestibule-enabler")).args(crate::passed_on(rest));
    let status = process::in_front(&mut chaos)?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let error = run(&["dance".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("chaos kill"), "{error}");
    }
}
