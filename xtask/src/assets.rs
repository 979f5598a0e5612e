//! `cargo xtask assets`: builds the models from their sources, or checks the built ones.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::peers::python;
use crate::process;
use crate::setup::{self, Purpose};
use crate::workspace::Workspace;

/// Runs `assets/scripts/build.py`, or with `--check` `assets/scripts/check.py`, in an environment of their own.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let script = match args {
        [] => "build.py",
        [word] if word == "--check" => "check.py",
        _ => bail!("assets takes nothing or --check"),
    };
    setup::install(&[Purpose::Python])?;
    let workspace = Workspace::find()?;
    let scripts = workspace.root.join("assets/scripts");
    let list = scripts.join("requirements.txt");
    let requirements = std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let folder = workspace.target.join("assets-venv");
    python::environment(&folder, &requirements)?;
    let mut command = Command::new(folder.join("bin/python"));
    let status = process::in_front(command.arg(scripts.join(script)).current_dir(&workspace.root))?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_refused() {
        assert!(run(&["--chekc".to_owned()]).is_err());
    }
}
