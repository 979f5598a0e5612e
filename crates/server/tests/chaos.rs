//! A few of the kills that `cargo xtask chaos kill --rounds 1000` does.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;
#[path = "common/kill.rs"]
mod kill;

use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_vestibule-enabler"));
    let found = kill::run(program, &folder.path().join("data"), 5, 7).await;
    assert!(found.acknowledged > 50 && found.executed > 20, "too few to say anything: {found:?}");
    assert!(found.snapshots > 0, "no kill met a snapshot: {found:?}");
}
