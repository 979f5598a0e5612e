//! `cargo xtask chaos KIND`: a real enabler among people, programs and machines that do their worst.

mod http;
mod kill;
mod orders;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// One kind of chaos; further arguments are its own.
pub fn run(args: &[String]) -> Result<ExitCode> {
    match args.split_first() {
        Some((kind, rest)) if kind == "http" => http::run(rest),
        Some((kind, rest)) if kind == "kill" => kill::run(rest),
        Some((kind, rest)) if kind == "orders" => orders::run(rest),
        _ => bail!("chaos what? There are `cargo xtask chaos http`, `chaos kill` and `chaos orders`"),
    }
}

/// A folder with copies of these programs: they are started a thousand times in half an hour, and what is built
/// meanwhile are others.
fn apart(workspace: &Workspace, programs: &[&str]) -> Result<PathBuf> {
    let folder = workspace.target.join("chaos");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for program in programs {
        let copy = folder.join(program);
        std::fs::copy(workspace.binary(program), &copy).with_context(|| format!("cannot write {}", copy.display()))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let error = run(&["dance".to_owned()]).unwrap_err().to_string();
        assert!(["chaos http", "chaos kill", "chaos orders"].iter().all(|kind| error.contains(kind)), "{error}");
    }
}
