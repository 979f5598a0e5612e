//! PrusaSlicer at the manufacturer: it slices what we write, and the quote says that its numbers are the slicer's.
//! `cargo xtask setup --peer slicer` brings it; what is missing is a failure.

use std::path::PathBuf;

use serde_json::{Value, json};
use vestibule_commerce::{Config, Role, start};
use vestibule_fabricate::{Design, Start};

use crate::{
    maker::{hand_over, package, wanted},
    platform::Platform,
};

/// `None`: left out, as asked.
fn program() -> Option<PathBuf> {
    let left_out = std::env::var("VESTIBULE_WITHOUT").unwrap_or_default();
    if left_out.split(',').any(|name| name == "slicer") {
        println!("left out, as asked: slicer");
        return None;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = || std::env::split_paths(&path).map(|folder| folder.join("prusa-slicer")).find(|one| one.is_file());
    let program = std::env::var_os("VESTIBULE_SLICER").map(PathBuf::from).or_else(found);
    let program = program.filter(|program| program.is_file());
    Some(program.expect("PrusaSlicer is not here: cargo xtask setup --peer slicer"))
}

async fn quote(platform: &Platform, slicer: Option<PathBuf>, design: &Design) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { slicer, ..Config::new(Role::Manufacturer, folder.path()) };
    let workshop = start(config).await.unwrap();
    let (bytes, hash) = package(design);
    let kept = hand_over(platform, workshop.url(), &bytes).await.ok();
    let asked = wanted(&kept["package"], hash, 1);
    let quote = platform.post(&format!("{}/ucp/designs/quote", workshop.url()), &asked).await.ok();
    workshop.stop().await;
    quote
}

/// Two ways to see the same thing: where no slicer is installed, what we say is near to what it would say. The slicer
/// has settings of its own, so it is not the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_slicer_reads_what_we_write_and_our_own_estimate_is_near() {
    let Some(slicer) = program() else { return };
    let platform = Platform::new(1).await;
    for start in Start::ALL {
        let design = start.design();
        let (own, sliced) =
            (quote(&platform, None, &design).await, quote(&platform, Some(slicer.clone()), &design).await);
        assert_eq!(
            (&own["estimated_by"], &sliced["estimated_by"]),
            (&json!("own"), &json!("prusa-slicer")),
            "{start:?}: {sliced}"
        );
        assert!(sliced["findings"].as_array().unwrap().iter().all(|one| one["kind"] != "slicer"));
        assert_eq!(own["volume_mm3"], sliced["volume_mm3"]);
        for what in ["mass_mg", "machine_time_s"] {
            let (ours, theirs) = (own[what].as_f64().unwrap(), sliced[what].as_f64().unwrap());
            println!("{what} of {start:?}: {ours} by ours, {theirs} by the slicer: {:.2}", ours / theirs);
            assert!((0.7..1.3).contains(&(ours / theirs)), "{what} of {start:?}: {ours} and {theirs}");
        }
        // Nothing weighs more than all of it full, with its supports.
        let (volume, mass) = (sliced["volume_mm3"].as_f64().unwrap(), sliced["mass_mg"].as_f64().unwrap());
        let hangs = sliced["findings"].as_array().unwrap().iter().any(|one| one["kind"] == "overhang");
        assert!(hangs || mass < volume * 1.24, "{start:?}");
        let parts = sliced["price_parts"].as_array().unwrap();
        let sum: i64 = parts.iter().map(|part| part["amount"].as_i64().unwrap()).sum();
        assert_eq!(Some(sum), sliced["item"]["price"].as_i64());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_slicer_does_not_work_our_own_estimate_stays_and_that_is_said() {
    let platform = Platform::new(1).await;
    let broken = quote(&platform, Some("/bin/false".into()), &Start::Hook.design()).await;
    assert_eq!(broken["estimated_by"], "own");
    let said = broken["findings"].as_array().unwrap().iter().find(|one| one["kind"] == "slicer").expect("a note");
    assert!(said["says"].as_str().unwrap().contains("our own estimate") && said["blocks"] == json!(false));
    assert!(broken["item"]["id"].is_string());
}
