//! `vestibule-conformance`; see `vestibule_conformance::Cli`.

use std::process::ExitCode;

use clap::Parser;
use vestibule_conformance::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    Cli::parse().play().await
}
