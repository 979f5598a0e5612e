//! Adding up what passed and what failed.

use std::fmt;

/// How many checks passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Checks that held.
    pub passed: u64,
    /// Checks that did not.
    pub failed: u64,
}

impl Tally {
    /// One check.
    pub fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// The sum over the `test result:` lines that cargo's test programs print. A run that did not succeed although
    /// no test says that it failed (a crash, a hang, a doc test that does not compile) counts as one failure.
    pub fn of_cargo_test(output: &str, success: bool) -> Self {
        let mut sum = Self::default();
        for line in output.lines() {
            if let Some(result) = line.split_once("test result: ").map(|(_, result)| result) {
                sum.passed += count_before(result, " passed;");
                sum.failed += count_before(result, " failed;");
            }
        }
        if !success && sum.failed == 0 {
            sum.failed = 1;
        }
        sum
    }
}

fn count_before(line: &str, word: &str) -> u64 {
    line.split_once(word)
        .and_then(|(before, _)| before.rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
running 12 tests
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s
";

    #[test]
    fn every_result_line_counts() {
        assert_eq!(Tally::of_cargo_test(SAID, false), Tally { passed: 15, failed: 2 });
        assert_eq!(Tally::of_cargo_test(SAID, false).to_string(), "15 passed, 2 failed");
    }

    #[test]
    fn a_crash_without_a_failed_test_is_still_a_failure() {
        let crash = "test result: ok. 1 passed; 0 failed; 0 ignored\nerror: test failed (signal: 11)\n";
        assert_eq!(Tally::of_cargo_test(crash, false), Tally { passed: 1, failed: 1 });
        assert_eq!(Tally::of_cargo_test("", true), Tally::default());
    }
}
