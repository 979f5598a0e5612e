//! A few of the kills that `cargo xtask chaos orders --rounds 1000` does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

use std::{path::Path, process::Command};

/// The enabler and the program that kills are built with everything else that is tested, beside the merchants.
#[test]
fn nothing_that_was_ordered_is_lost_or_doubled_and_no_money_is_wrong() {
    let programs = Path::new(env!("CARGO_BIN_EXE_vestibule-commerce")).parent().unwrap();
    let chaos = programs.join("examples").join("chaos_orders");
    for program in [&chaos, &programs.join("vestibule-enabler")] {
        assert!(program.exists(), "{} is not there: cargo build --workspace --bins --examples", program.display());
    }
    let output = Command::new(chaos).arg(programs).args(["--rounds", "12", "--seed", "7"]).output().unwrap();
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{error}");
    assert!(said.contains("orders lost: 0; doubled: 0"), "{said}");
}
