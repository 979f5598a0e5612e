//! `cargo xtask bench NAME`: one measurement, and the machine it was made on; a number without one says nothing.

mod commerce;

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::demo::BUILD;
use crate::process;
use crate::setup::{self, Purpose};
use crate::workspace::{Workspace, program, software_vulkan, vulkan_drivers};

/// Builds and runs `vestibule-bench NAME`; further arguments are passed on.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let (name, rest) = args.split_first().context("bench what? `cargo xtask bench list` asks vestibule-bench")?;
    if name == "enabler" {
        return enabler(crate::passed_on(rest));
    }
    if name == "commerce" {
        return commerce::run(crate::passed_on(rest), &computer());
    }
    setup::install(&[Purpose::Build, Purpose::Picture])?;
    let workspace = Workspace::find()?;
    if process::in_front(&mut workspace.cargo(&BUILD))? != 0 {
        return Ok(ExitCode::FAILURE);
    }
    println!("{}", machine());
    let mut bench = Command::new(workspace.binary("vestibule-bench"));
    bench.current_dir(&workspace.root).arg(name).args(crate::passed_on(rest));
    let status = process::in_front(&mut bench)?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}

/// The enabler alone: optimized, and without building Bevy. Writes the page that the numbers are read on.
fn enabler(rest: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let build = ["build", "--release", "-p", "vestibule-server", "--example", "bench_enabler"];
    if process::in_front(&mut workspace.cargo(&build))? != 0 {
        return Ok(ExitCode::FAILURE);
    }
    let mut bench = Command::new(workspace.target.join("release/examples/bench_enabler"));
    bench.current_dir(&workspace.root).args(["--machine", &computer(), "--page", "docs/bench-enabler.md"]).args(rest);
    let status = process::in_front(&mut bench)?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}

/// The machine without what draws: processor, cores, memory.
fn computer() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    format!("{}, {cores} cores, {} GiB", processor(&processors), gibibytes(&memory))
}

/// The machine in one line: processor, cores, memory, and what draws.
fn machine() -> String {
    format!("Machine: {}; draws with {}", computer(), graphics())
}

fn processor(cpuinfo: &str) -> &str {
    let named = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    named.and_then(|line| line.split_once(':')).map_or("a processor without a name", |(_, name)| name.trim())
}

fn gibibytes(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = total.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
    (kibibytes + (1 << 19)) >> 20
}

fn graphics() -> String {
    let ask = |tool: &str, args: &[&str]| {
        let output = Command::new(program(tool)?).args(args).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().replace('\n', "; ");
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    if let Some(gpu) = ask("nvidia-smi", &["--query-gpu=name,driver_version", "--format=csv,noheader"]) {
        return gpu;
    }
    let drivers = vulkan_drivers();
    let is_drm = fs::read_dir("/dev/dri").is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().starts_with("render"))
    });
    match software_vulkan(&drivers) {
        Some(_) if !is_drm => "software (Mesa lavapipe), there is no GPU".to_owned(),
        _ if drivers.is_empty() => "nothing, there is no Vulkan driver".to_owned(),
        _ => drivers
            .iter()
            .filter_map(|path| path.file_stem())
            .map(|name| name.to_string_lossy())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        assert_eq!(processor("processor : 0\nmodel name\t: Fast CPU @ 3GHz\n"), "Fast CPU @ 3GHz");
        assert_eq!(processor(""), "a processor without a name");
        assert_eq!(gibibytes("MemTotal:       16384000 kB\n"), 16);
        assert!(machine().contains("cores"));
    }
}
