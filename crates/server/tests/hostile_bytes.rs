//! Everything that reads bytes, over hostile ones: what `cargo xtask fuzz` searches, as a test without a fuzzer. What a
//! fuzzer once found stays in `fuzz/corpus` and is run here from then on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;
#[path = "../../../fuzz/src/targets.rs"]
mod targets;
#[path = "../../../fuzz/src/trade.rs"]
mod trade;

use std::path::Path;

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use targets::{TARGETS, Target};

/// Changed inputs for each target: seconds, not minutes.
const CHANGED: usize = 400;

/// What was found once, and what our own encoders make today.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    // A target that nothing was found in has no folder.
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| std::fs::read(path).unwrap()).chain(seeds::of(name)).collect()
}

/// An input that is like some others and like none.
fn changed(inputs: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = inputs.choose(random).unwrap().clone();
    for _ in 0..random.random_range(1..8) {
        let at = random.random_range(0..=bytes.len());
        match random.random_range(0..6) {
            0 => bytes.insert(at, random.random()),
            1 => bytes.truncate(at),
            2 => {
                let other = inputs.choose(random).unwrap();
                let from = random.random_range(0..=other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 if at < bytes.len() => {
                bytes[at] = *[0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'[', b'9', b'-'].choose(random).unwrap()
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            _ => {}
        }
    }
    bytes
}

fn examine((name, target): Target) {
    let inputs = corpus(name);
    inputs.iter().for_each(|bytes| target(bytes));
    let mut random = StdRng::seed_from_u64(28);
    for number in 0..CHANGED {
        let bytes = changed(&inputs, &mut random);
        let copy = bytes.clone();
        let outcome = std::panic::catch_unwind(|| target(&copy));
        assert!(outcome.is_ok(), "{name}, input {number}: {}", String::from_utf8_lossy(&bytes).escape_debug());
    }
}

#[test]
fn nothing_that_reads_bytes_panics() {
    TARGETS.into_iter().for_each(examine);
}

/// `VESTIBULE_SEEDS=FOLDER` writes what each target begins with, for the fuzzer.
#[test]
fn every_target_has_seeds() {
    for (name, _) in TARGETS {
        let seeds = seeds::of(name);
        assert!(!seeds.is_empty(), "{name}");
        let Some(folder) = std::env::var_os("VESTIBULE_SEEDS") else { continue };
        let folder = Path::new(&folder).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.into_iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:02}")), seed).unwrap();
        }
    }
}

#[test]
fn every_target_has_a_program_for_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    // Those of designs are `vestibule-fabricate`'s to look at.
    let ours = |file: &std::fs::DirEntry| !std::fs::read_to_string(file.path()).unwrap().contains("fuzz::make::");
    let mut files: Vec<_> = files.filter(ours).map(|file| file.file_name()).collect();
    files.sort();
    let mut names: Vec<_> = TARGETS.iter().map(|(name, _)| std::ffi::OsString::from(format!("{name}.rs"))).collect();
    names.sort();
    assert_eq!(files, names);
}
