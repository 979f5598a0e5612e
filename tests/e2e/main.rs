//! Real processes and real peers, from outside. One binary.
//!
//! `cargo xtask test` builds the programs first and says by environment where the peers are. Run alone, the programs are
//! looked for beside this test, and peers in the system. What is missing is a failure: only `--without NAME` of
//! `cargo xtask test` (the variable `VESTIBULE_WITHOUT`) leaves a peer out, and says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by failing")]

mod buying;
mod client;
mod devices;
mod enabler;
mod examples;
mod lending;
mod pictures;
mod process;
