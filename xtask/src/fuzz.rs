//! `cargo xtask fuzz`: libFuzzer looks for bytes that break what reads them.
//!
//! It needs no nightly compiler and no cargo-fuzz: LLVM's coverage is a pass that the stable compiler has. Without
//! address sanitizer, as there is no unsafe code of ours for it to watch.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::{Workspace, program};

/// What libFuzzer has to hear of: every edge, and what is compared with what.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";
/// Bounds of one input: longer, slower or hungrier is a finding too. Milliseconds are what anything here may take, but
/// machines are shared.
const BOUNDS: [&str; 3] = ["-max_len=65536", "-timeout=20", "-rss_limit_mb=2048"];
/// Our own encoders write what the fuzzer begins with, so that it is what is said today: of these packages' tests.
const SEEDS: [&str; 2] = ["vestibule-server", "vestibule-fabricate"];
/// Seconds for each target where nothing is said.
const SECONDS: u64 = 60;

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    target: Option<String>,
    seconds: u64,
}

impl Choice {
    fn parse(args: &[String], known: &[String]) -> Result<Self> {
        let mut choice = Self { target: None, seconds: SECONDS };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            if word == "--seconds" {
                let number = words.next().context("--seconds how many?")?;
                choice.seconds = number.parse().with_context(|| format!("--seconds {number}: not a number"))?;
            } else if known.contains(word) && choice.target.is_none() {
                choice.target = Some(word.clone());
            } else {
                bail!("fuzz does not know {word}; there are {}", known.join(", "));
            }
        }
        Ok(choice)
    }
}

/// Builds the targets and runs one after the other.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let known = targets(&workspace)?;
    let choice = Choice::parse(args, &known)?;
    if program("c++").is_none() {
        bail!("there is no c++ here, which compiles libFuzzer: install what Debian calls g++");
    }
    let folder = workspace.target.join("fuzz");
    for package in SEEDS {
        let test = ["test", "-p", package, "--test", "hostile_bytes", "--", "every_target_has_seeds"];
        if process::in_front(workspace.cargo(&test).env("VESTIBULE_SEEDS", folder.join("corpus")))? != 0 {
            return Ok(ExitCode::FAILURE);
        }
    }
    let (host, mut build) = (host()?, workspace.cargo(&["build", "--release", "--manifest-path", "fuzz/Cargo.toml"]));
    // With a target named, scripts and macros of the build are compiled without coverage.
    build.args(["--locked", "--target", &host, "--target-dir"]).arg(&folder).env("RUSTFLAGS", COVERAGE);
    if process::in_front(&mut build)? != 0 {
        return Ok(ExitCode::FAILURE);
    }
    for target in known.iter().filter(|name| choice.target.as_ref().is_none_or(|chosen| chosen == *name)) {
        let (grown, found) = (folder.join("corpus").join(target), folder.join("found"));
        for folder in [&grown, &found] {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        println!("== {target}, {} seconds ==", choice.seconds);
        let mut fuzzer = Command::new(folder.join(&host).join("release").join(target));
        fuzzer.arg(&grown);
        // What was found once; a target that nothing was found in has no folder.
        fuzzer.args(Some(workspace.root.join("fuzz/corpus").join(target)).filter(|found| found.is_dir())).args(BOUNDS);
        fuzzer.arg(format!("-max_total_time={}", choice.seconds));
        fuzzer.arg(format!("-artifact_prefix={}/{target}-", found.display()));
        if process::in_front(&mut fuzzer)? != 0 {
            println!("{target}: found something, see above; once it is mended, put the file into fuzz/corpus/{target}");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The targets, by their files.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.root.join("fuzz/fuzz_targets");
    let files = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let stem = |file: std::fs::DirEntry| Some(file.path().file_stem()?.to_string_lossy().into_owned());
    let mut names: Vec<String> = files.filter_map(|file| stem(file.ok()?)).collect();
    names.sort();
    Ok(names)
}

/// What the compiler calls this machine.
fn host() -> Result<String> {
    let said = Command::new("rustc").arg("-vV").output().context("rustc does not start")?.stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_or_all() {
        let known = targets(&Workspace::find().unwrap()).unwrap();
        assert!(known.contains(&"wire".to_owned()) && host().unwrap().contains('-'));
        let choice =
            |line: &str| Choice::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), &known);
        assert_eq!(choice("").unwrap(), Choice { target: None, seconds: SECONDS });
        assert_eq!(choice("wire --seconds 5").unwrap(), Choice { target: Some("wire".to_owned()), seconds: 5 });
        for line in ["wyre", "--seconds", "--seconds x", "wire wire"] {
            assert!(choice(line).is_err(), "{line}");
        }
    }
}
