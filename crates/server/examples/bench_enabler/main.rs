//! `cargo xtask bench enabler`: what a durable decision, a look-up and a twin cost, beside peers in the same run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot be made ends with the reason"
)]

mod durable;
mod house;
mod memory;
mod numbers;
mod registry;
mod restart;

use std::{fmt::Write as _, path::PathBuf};

use clap::Parser;

/// Measures, prints, and writes the page.
#[derive(Parser)]
struct Flags {
    /// The machine, for the page.
    #[arg(long, default_value = "a machine that nobody named")]
    machine: String,
    /// Where the page is written; nowhere where not given.
    #[arg(long)]
    page: Option<PathBuf>,
    /// Sizes of the registry, in twins.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000")]
    sizes: Vec<usize>,
    /// Rounds of each measurement.
    #[arg(long, default_value_t = 2_000)]
    rounds: usize,
    /// Only these of `durable`, `registry`, `memory`, `restart`.
    #[arg(long, value_delimiter = ',', default_value = "durable,registry,memory,restart")]
    only: Vec<String>,
    /// Only say how much memory this takes: `own` or `state`, with values where `,reported` follows. Each is asked in a
    /// process of its own.
    #[arg(long, hide = true)]
    memory: Option<String>,
}

/// Measures each size.
fn sized<T>(flags: &Flags, what: &str, measure: impl Fn(usize) -> T) -> Vec<T> {
    let each = flags.sizes.iter().map(|size| {
        eprintln!("{what} of {size} twins");
        measure(*size)
    });
    each.collect()
}

fn main() {
    let flags = Flags::parse();
    if let Some(what) = &flags.memory {
        return memory::say(what, flags.sizes[0]);
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut page = String::from(
        "# The enabler, measured\n\nWritten by `cargo xtask bench enabler`; every number beside a peer's is of the same run.\n\n",
    );
    let _ = writeln!(page, "Machine: {}.\n", flags.machine);
    let wanted = |part: &str| flags.only.iter().any(|only| only == part);
    if wanted("durable") {
        // A task among others, as connections are: a thread that only waits costs each of them a wake-up more.
        let measured = runtime.spawn(durable::measure(flags.rounds));
        runtime.block_on(measured).expect("measured").write(&mut page);
    }
    if wanted("registry") {
        registry::write(&sized(&flags, "registry", |size| registry::measure(&runtime, size, flags.rounds)), &mut page);
    }
    if wanted("memory") {
        memory::write(&sized(&flags, "memory", memory::measure), &mut page);
    }
    if wanted("restart") {
        restart::write(&sized(&flags, "restart", |size| runtime.block_on(restart::measure(size))), &mut page);
    }
    page.push_str(include_str!("learned.md"));
    print!("{page}");
    if let Some(path) = &flags.page {
        std::fs::write(path, &page).expect("the page is written");
    }
}
