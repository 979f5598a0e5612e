//! What people type: `cargo xtask <command>`. Set-up first, then the work.
//!
//! Everything here works from the workspace's own description (`cargo metadata`) and from what it finds on the
//! machine; no host, mirror or folder is written down.

mod assets;
mod bench;
mod chaos;
mod demo;
mod fuzz;
mod peers;
mod process;
mod setup;
mod stages;
mod tally;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask <command>

  demo [-- ARGS]                walk through the home (a window, or pictures where there is no display)
  test [--without NAME]...      everything that must hold; the closing line is `N passed, N failed`
       [--only STAGE]...        only these stages; `test --list` names them
  tidy                          the rules that a compiler does not check
  bench NAME [-- ARGS]          one measurement, with the machine it ran on; `bench enabler` needs no Bevy
  chaos kill [--rounds N] [--seed S]
                                kill -9 of a running enabler at random moments, and what must hold after each
  chaos orders [--rounds N] [--seed S]
                                the same of an enabler, a shop, a manufacturer and a buyer, over bad networks
  chaos http [--examples N] [--seed S]
                                the API, asked whatever Schemathesis comes up with
  fuzz [TARGET] [--seconds N]   hostile bytes for everything that reads bytes, searched by libFuzzer
  assets [--check]              build the models from their sources, or check the built ones
  setup [--peer NAME]...        what the machine lacks; peers: mosquitto, ha-mqtt-discoverable,
                                schemathesis, fabrication, slicer, ucp, node, browser, monado
  monado exec -- PROGRAM ARGS   run PROGRAM against an OpenXR runtime that needs no headset
  monado where                  print the folder that runtime lives in

  --without takes: mosquitto, ha-mqtt-discoverable, schemathesis, fabrication, slicer, ucp, node, browser,
                  monado, picture
";

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let command = if args.is_empty() { "help".to_owned() } else { args.remove(0) };
    match process::listen_for_interrupts().and_then(|()| dispatch(&command, &args)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, args: &[String]) -> Result<ExitCode> {
    match command {
        "demo" => demo::run(args),
        "test" => test::run(args),
        "tidy" => tidy::run(),
        "bench" => bench::run(args),
        "chaos" => chaos::run(args),
        "fuzz" => fuzz::run(args),
        "assets" => assets::run(args),
        "setup" => setup::run(args),
        "monado" => peers::monado::run(args),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("no such command: {other}\n\n{HELP}"),
    }
}

/// The arguments after a leading `--`, which belongs to cargo's habit rather than to the program that is started.
fn passed_on(args: &[String]) -> &[String] {
    match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => args,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_is_refused_with_the_help() {
        let error = dispatch("tset", &[]).unwrap_err().to_string();
        assert!(error.contains("tset") && error.contains("cargo xtask <command>"), "{error}");
    }

    #[test]
    fn a_leading_double_dash_is_not_passed_on() {
        let args = ["--".to_owned(), "--mqtt".to_owned()];
        assert_eq!(passed_on(&args), ["--mqtt"]);
        assert_eq!(passed_on(&args[1..]), ["--mqtt"]);
    }
}
