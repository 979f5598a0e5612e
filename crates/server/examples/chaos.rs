//! `cargo xtask chaos kill`: kills a real enabler as often as asked, and says what was found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a check that does not hold ends with it")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/kill.rs"]
mod kill;

use std::path::PathBuf;

use clap::Parser;

/// Kills an enabler at random moments and checks what must hold after each.
#[derive(Parser)]
struct Flags {
    /// The program that is killed.
    program: PathBuf,
    /// How often.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// What chance begins with: the same kills again, as far as the machine's own chances allow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() {
    let flags = Flags::parse();
    let folder = tempfile::tempdir().expect("a folder");
    let start = std::time::Instant::now();
    let found = kill::run(&flags.program, &folder.path().join("data"), flags.rounds, flags.seed).await;
    println!(
        "{} kills in {:.0} s, {} of them with something acknowledged since the one before: {} commands sent, {} acknowledged, \
         {} executed, up to line {}, {} snapshots kept",
        found.kills,
        start.elapsed().as_secs_f64(),
        found.busy,
        found.sent,
        found.acknowledged,
        found.executed,
        found.lines,
        found.snapshots
    );
    println!("acknowledged and lost: 0; executed twice: 0; executed and not written: 0; the chain is whole");
}
