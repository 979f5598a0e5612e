//! What a twin costs beyond its own data: two processes, one with the data, one with the registry of it.

use std::{fmt::Write as _, process::Command};

use vestibule_enabler_core::Hot;

use crate::{
    house::{NOW, state, twin},
    numbers::count,
};

pub struct Memory {
    twins: usize,
    own: u64,
    registry: u64,
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("this system says how much memory is used");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).expect("a number") * 1024
}

/// Prints the bytes that `what` takes with so many twins.
pub fn say(what: &str, twins: usize) {
    let before = resident();
    let bytes = if what == "own" {
        let own: Vec<_> = (0..twins).map(|index| std::sync::Arc::new(twin(index))).collect();
        let bytes = resident() - before;
        drop(own);
        bytes
    } else {
        let state = state(twins);
        let hot = Hot::restore(&state, NOW);
        let bytes = resident() - before;
        drop((state, hot));
        bytes
    };
    println!("{bytes}");
}

pub fn measure(twins: usize) -> Memory {
    let ask = |what: &str| {
        let this = std::env::current_exe().expect("this program");
        let mut child = Command::new(this);
        let output = child.args(["--memory", what, "--sizes", &twins.to_string()]).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
    };
    Memory { twins, own: ask("own"), registry: ask("state") }
}

pub fn write(sizes: &[Memory], page: &mut String) {
    let each = |memory: &Memory| memory.registry.saturating_sub(memory.own) / memory.twins.max(1) as u64;
    let _ = writeln!(page, "## Memory\n");
    if let Some(last) = sizes.last() {
        let bytes = each(last);
        let _ = writeln!(page, "- a resident twin beyond its own data: **{bytes} bytes** (aim: at most 400)\n");
    }
    let _ = writeln!(
        page,
        "| twins | their own data | with the registry and their hot state | beyond, each |\n| --- | --- | --- | --- |"
    );
    for memory in sizes {
        let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let (own, registry) = (mebibytes(memory.own), mebibytes(memory.registry));
        let _ = writeln!(page, "| {} | {own} | {registry} | {} bytes |", count(memory.twins as f64), each(memory));
    }
    let _ = writeln!(page);
}
