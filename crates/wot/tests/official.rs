//! Random twins' Thing Descriptions against the JSON Schema that the W3C publishes for them, by an implementation of
//! JSON Schema that is not ours. `cargo xtask setup --peer node` brings both; what is missing is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use vestibule_wot::{Site, describe};

/// Twins that are described in one run.
const TWINS: usize = 300;

fn modules() -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers/node/node_modules");
    let folder = std::env::var_os("VESTIBULE_NODE_MODULES").map_or_else(beside, PathBuf::from);
    assert!(folder.is_dir(), "{} is not here: cargo xtask setup --peer node", folder.display());
    folder
}

fn validate(things: &serde_json::Value) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("things.json");
    std::fs::write(&file, things.to_string()).unwrap();
    let node = std::env::var_os("VESTIBULE_NODE").unwrap_or_else(|| "node".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validate.cjs");
    let output = Command::new(node).env("NODE_PATH", modules()).arg(script).arg(&file).output().expect("node starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

#[test]
fn random_twins_become_valid_thing_descriptions() {
    let site = Site::new("https://enabler.example:8443");
    let mut runner = TestRunner::deterministic();
    let twins = (0..TWINS).map(|_| common::twin().new_tree(&mut runner).unwrap().current());
    let things: Vec<_> = twins.map(|info| describe(&info, &site)).collect();
    let (valid, said) = validate(&serde_json::json!(things));
    assert!(valid, "{said}");
    assert_eq!(said.trim(), format!("{TWINS} valid"));
}

#[test]
fn the_directory_is_a_thing_too() {
    let site = Site::new("https://enabler.example:8443");
    let (valid, said) = validate(&serde_json::json!([vestibule_wot::directory(&site)]));
    assert!(valid, "{said}");
}

#[test]
fn the_schema_does_refuse() {
    let site = Site::new("https://enabler.example:8443");
    let mut runner = TestRunner::deterministic();
    let info = common::twin().new_tree(&mut runner).unwrap().current();
    for member in ["@context", "title", "security", "securityDefinitions"] {
        let mut td = describe(&info, &site);
        td.as_object_mut().unwrap().remove(member);
        assert!(!validate(&serde_json::json!([td])).0, "valid without {member}");
    }
}
