//! The client that a person starts: `vestibule --help` says how.

use std::process::ExitCode;

use bevy::app::AppExit;
use clap::Parser;
use vestibule::client::{Flags, run};

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(AppExit::Success) => ExitCode::SUCCESS,
        Ok(AppExit::Error(code)) => ExitCode::from(code.get()),
        Err(error) => {
            eprintln!("vestibule: {error}");
            ExitCode::FAILURE
        }
    }
}
