//! Files that we write, read by programs that are not ours: lib3mf, trimesh, the validator of glTF. `cargo xtask setup
//! --peer fabrication --peer node` brings them; what is missing is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use common::start;
use serde_json::Value;
use vestibule_fabricate::{
    Start,
    export::{glb, stl, write_3mf},
};

/// How much a volume may differ: numbers in files have seven digits.
const VOLUME: f64 = 1e-3;

/// Below the target folder, where `cargo xtask setup` puts it, or where a variable says.
fn peer(variable: &str, beside: &str, name: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers").join(beside);
    let path = std::env::var_os(variable).map_or_else(beside, PathBuf::from);
    assert!(path.exists(), "{} is not here: cargo xtask setup --peer {name}", path.display());
    path
}

/// All starts in all formats.
fn files() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("starts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for which in Start::ALL {
            let (design, solids) = start(which);
            let path = |kind: &str| folder.join(format!("{}.{kind}", which.id()));
            write_3mf(&solids, &design, &mut std::fs::File::create(path("3mf")).unwrap()).unwrap();
            std::fs::write(path("glb"), glb(&solids).unwrap()).unwrap();
            std::fs::write(path("stl"), stl(&solids).unwrap()).unwrap();
        }
        folder
    })
}

fn said(command: &mut Command) -> Value {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

fn read() -> &'static Value {
    static SAID: OnceLock<Value> = OnceLock::new();
    SAID.get_or_init(|| {
        let python = peer("VESTIBULE_FABRICATION", "fabrication/bin/python", "fabrication");
        said(Command::new(python).arg(script("read.py")).arg(files()))
    })
}

fn near(found: &Value, expected: f64) -> bool {
    (found.as_f64().unwrap() / expected - 1.0).abs() < VOLUME
}

#[test]
fn lib3mf_reads_every_start_without_a_warning() {
    for which in Start::ALL {
        let (design, solids) = start(which);
        let found = &read()[format!("{}.3mf", which.id())];
        assert_eq!(found["warnings"], serde_json::json!([]), "{which:?}");
        assert_eq!((&found["unit"], &found["thumbnail"]), (&"MilliMeter".into(), &true.into()));
        assert_eq!(found["metadata"]["Title"], design.name);
        let ours = found["metadata"].as_object().unwrap().iter().find(|(name, _)| name.ends_with("Design")).unwrap();
        assert_eq!(ours.1, &Value::from(solids.design.to_string()));
        let bodies = found["bodies"].as_array().unwrap();
        assert_eq!(bodies.len(), solids.bodies.len());
        for (found, body) in bodies.iter().zip(&solids.bodies) {
            assert_eq!(found["name"], body.name);
            assert_eq!(found["closed"], true, "{which:?}");
            assert!(near(&found["volume"], body.volume_mm3), "{which:?} {found}");
            assert_eq!(found["triangles"], body.mesh.triangles.len());
            assert_eq!(found["material"], body.material.name);
            assert_eq!(found["colour"], serde_json::json!(body.material.colour));
        }
        // The one thing that is built stands on the bed.
        let [place] = found["places"].as_array().unwrap().as_slice() else { panic!("one item") };
        for axis in 0..3 {
            let low = found["low"][axis].as_f64().unwrap() + place[3][axis].as_f64().unwrap();
            assert!(low.abs() < 1e-3, "{which:?} {low}");
        }
    }
}

#[test]
fn trimesh_finds_every_start_closed_and_of_the_same_volume() {
    for which in Start::ALL {
        let (_, solids) = start(which);
        let size = solids.bounds().size();
        for (kind, unit, up) in [("glb", 1e-3_f64, [0, 1, 2]), ("stl", 1.0, [0, 2, 1])] {
            let found = &read()[format!("{}.{kind}", which.id())];
            let bodies = found["bodies"].as_array().unwrap();
            for body in bodies {
                assert_eq!(body["balanced"], true, "{which:?} {kind}");
                // STL has all bodies in one, and those that touch share edges.
                if kind == "glb" || solids.bodies.len() == 1 {
                    assert_eq!(
                        (&body["closed"], &body["consistent"]),
                        (&true.into(), &true.into()),
                        "{which:?} {kind}"
                    );
                }
            }
            let volume: f64 = bodies.iter().map(|body| body["volume"].as_f64().unwrap()).sum();
            assert!((volume / unit.powi(3) / solids.volume_mm3() - 1.0).abs() < VOLUME, "{which:?} {kind} {volume}");
            for axis in 0..3 {
                let found = found["size"][axis].as_f64().unwrap() / unit;
                assert!((found - size[up[axis]]).abs() < 1e-2, "{which:?} {kind} {found}");
            }
        }
    }
}

#[test]
fn the_validator_of_gltf_finds_nothing() {
    let modules = peer("VESTIBULE_NODE_MODULES", "node/node_modules", "node");
    let node = std::env::var_os("VESTIBULE_NODE").unwrap_or_else(|| "node".into());
    let found = said(Command::new(node).env("NODE_PATH", modules).arg(script("gltf.cjs")).arg(files()));
    assert_eq!(found.as_object().unwrap().len(), Start::ALL.len());
    for (name, issues) in found.as_object().unwrap() {
        assert_eq!((&issues["numErrors"], &issues["numWarnings"]), (&0.into(), &0.into()), "{name} {issues}");
    }
}
