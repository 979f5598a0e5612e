//! The stages of `cargo xtask test`, in order.
//!
//! Bevy is compiled once for build, tests and demo, because all of them use one profile, one package selection
//! (`--workspace`) and one set of features; and once more, without code generation, for clippy.

use std::time::Duration;

use crate::setup::Purpose;

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A cargo command that passes or fails.
    Cargo(&'static [&'static str]),
    /// A cargo command whose test programs are counted.
    CargoTest(&'static [&'static str]),
    /// The rules of `cargo xtask tidy`.
    Tidy,
    /// The client walks a tour without a window.
    Tour,
    /// The same in virtual reality, against a runtime that needs no headset.
    XrTour,
}

/// One stage.
pub struct Stage {
    /// What `--only` calls it.
    pub name: &'static str,
    /// What it does.
    pub work: Work,
    /// A generous limit: a stage that hangs is killed with everything it started.
    pub limit: Duration,
    /// What it needs of the operating system.
    pub purposes: &'static [Purpose],
    /// The peers it speaks to.
    pub peers: &'static [&'static str],
    /// Whether `--without NAME` leaves out the whole stage.
    pub left_out_by: Option<&'static str>,
    /// Whether nothing after it makes sense when it fails.
    pub must_pass: bool,
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// Rendering left out on request.
pub const PICTURE: &str = "picture";

/// All stages. The cheap ones come first; compiling comes before everything that needs a compiled program.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        work: Work::Cargo(&["fmt", "--all", "--", "--check", "-l"]),
        limit: minutes(5),
        purposes: &[],
        peers: &[],
        left_out_by: None,
        must_pass: false,
    },
    Stage {
        name: "tidy",
        work: Work::Tidy,
        limit: minutes(5),
        purposes: &[],
        peers: &[],
        left_out_by: None,
        must_pass: false,
    },
    // The programs that tests and tours start: cargo builds for a package's tests only that package's own programs.
    Stage {
        name: "build",
        work: Work::Cargo(&crate::demo::BUILD),
        limit: minutes(60),
        purposes: &[Purpose::Build],
        peers: &[],
        left_out_by: None,
        must_pass: true,
    },
    Stage {
        name: "build-tests",
        work: Work::Cargo(&["test", "--workspace", "--no-run"]),
        limit: minutes(60),
        purposes: &[Purpose::Build],
        peers: &[],
        left_out_by: None,
        must_pass: true,
    },
    Stage {
        name: "clippy",
        work: Work::Cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        limit: minutes(40),
        purposes: &[Purpose::Build],
        peers: &[],
        left_out_by: None,
        must_pass: false,
    },
    Stage {
        name: "tests",
        work: Work::CargoTest(&["test", "--workspace", "--no-fail-fast"]),
        limit: minutes(40),
        purposes: &[Purpose::Build, Purpose::Picture, Purpose::Window, Purpose::VirtualDisplay],
        peers: &crate::peers::NAMES,
        left_out_by: None,
        must_pass: false,
    },
    Stage {
        name: "tour",
        work: Work::Tour,
        limit: minutes(15),
        purposes: &[Purpose::Build, Purpose::Picture],
        peers: &[],
        left_out_by: Some(PICTURE),
        must_pass: false,
    },
    Stage {
        name: "xr",
        work: Work::XrTour,
        limit: minutes(15),
        purposes: &[Purpose::Build],
        peers: &[crate::peers::monado::NAME],
        left_out_by: Some(crate::peers::monado::NAME),
        must_pass: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_build_comes_before_what_runs() {
        let position = |name: &str| STAGES.iter().position(|stage| stage.name == name).unwrap();
        assert!(position("build") < position("build-tests") && position("build-tests") < position("tests"));
        for stage in STAGES {
            assert_eq!(STAGES.iter().filter(|other| other.name == stage.name).count(), 1);
        }
    }

    #[test]
    fn everything_fits_the_patience_of_a_ci_machine() {
        // Each limit is generous alone; together they say nothing. The two that compile leave room for the rest.
        assert!(STAGES.iter().all(|stage| stage.limit <= minutes(60)));
    }
}
