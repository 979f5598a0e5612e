//! `cargo xtask chaos KIND`: a real enabler among people, programs and machines that do their worst.

mod http;
mod kill;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// One kind of chaos; further arguments are its own.
pub fn run(args: &[String]) -> Result<ExitCode> {
    match args.split_first() {
        Some((kind, rest)) if kind == "http" => http::run(rest),
        Some((kind, rest)) if kind == "kill" => kill::run(rest),
        _ => bail!("chaos what? There are `cargo xtask chaos http` and `cargo xtask chaos kill`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let error = run(&["dance".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("chaos http") && error.contains("chaos kill"), "{error}");
    }
}
