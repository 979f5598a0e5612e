//! `cargo xtask bench home`: what takes how long, each number beside a peer's in the same run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot be made ends with the reason")]

mod apps;
mod latency;
mod numbers;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["home"] => {
            latency::run();
            match apps::run() {
                Ok(()) => ExitCode::SUCCESS,
                Err(why) => {
                    eprintln!("not measured: {why}");
                    ExitCode::FAILURE
                }
            }
        }
        ["latency"] => {
            latency::run();
            ExitCode::SUCCESS
        }
        // What the measured programs do, each in a process of its own.
        ["app", "empty"] => apps::empty(),
        ["app", "scene", eye] => apps::scene(eye),
        _ => {
            eprintln!("usage: vestibule-bench home");
            ExitCode::FAILURE
        }
    }
}
