//! Everything here that reads bytes, over hostile ones: what `cargo xtask fuzz` searches, as a test without a fuzzer.
//! What a fuzzer once found stays in `fuzz/corpus` and is run here from then on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

#[path = "../../../fuzz/src/make.rs"]
mod make;

use std::path::Path;

use make::{TARGETS, seeds};

/// Changed inputs for each target: seconds, not minutes.
const CHANGED: usize = 300;

/// Numbers that are the same each time: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most.max(1)).unwrap()).unwrap()
    }
}

/// An input that is like some others and like none.
fn changed(inputs: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = inputs[dice.below(inputs.len())].clone();
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 => bytes.insert(at, u8::try_from(dice.below(256)).unwrap()),
            1 => bytes.truncate(at),
            2 => {
                let other = &inputs[dice.below(inputs.len())];
                let from = dice.below(other.len() + 1);
                bytes.splice(at.., other[from..].iter().copied());
            }
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'<', b'[', b'9', b'-'][dice.below(10)],
            _ if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            _ => {}
        }
    }
    bytes
}

#[test]
fn nothing_that_reads_bytes_panics() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
        // A target that nothing was found in has no folder.
        let found =
            std::fs::read_dir(folder).into_iter().flatten().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        let inputs: Vec<Vec<u8>> = found.chain(seeds(name)).collect();
        inputs.iter().for_each(|bytes| target(bytes));
        let mut dice = Dice(28);
        for number in 0..CHANGED {
            let bytes = changed(&inputs, &mut dice);
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            assert!(outcome.is_ok(), "{name}, input {number}: {}", bytes.escape_ascii());
        }
    }
}

/// Good inputs are taken, or else everything above only looks at refusals.
#[test]
fn every_target_has_seeds() {
    for (name, _) in TARGETS {
        let seeds = seeds(name);
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
    for (name, _) in TARGETS {
        let program = std::fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
        assert!(program.contains(&format!("fuzz::make::{name}(")), "{name}");
    }
}
