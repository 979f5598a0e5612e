//! `cargo xtask bench home`: what takes how long, each number beside a peer's in the same run. `edits` is a part of
//! `cargo xtask bench commerce`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot be made ends with the reason")]

mod apps;
mod edits;
mod latency;
mod numbers;

use std::process::ExitCode;

/// Signs have letters.
const FONT: &[u8] = include_bytes!("../../plugins/hud/fonts/Inter-Regular.otf");

fn ended(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("not measured: {why}");
            ExitCode::FAILURE
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["home"] => {
            latency::run();
            ended(apps::run())
        }
        ["edits"] => ended(edits::run(FONT)),
        ["latency"] => {
            latency::run();
            ExitCode::SUCCESS
        }
        // What the measured programs do, each in a process of its own.
        ["app", "empty"] => apps::empty(),
        ["app", "scene", eye] => apps::scene(eye),
        _ => {
            eprintln!("usage: vestibule-bench home | latency | edits");
            ExitCode::FAILURE
        }
    }
}
