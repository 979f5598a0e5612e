//! What the tours draw, beside what a person looked at and found good.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::process::{program, run, without, words};

/// Only views that do not depend on where exactly a walk ended have references: a step's length is a frame's, and a
/// slow machine takes longer ones.
///
/// Structural similarity that counts as the same picture. Another driver's edges cost a few hundredths; a missing door,
/// a dark room or an open panel cost tenths.
const ALIKE: f64 = 0.85;

fn play(tour: &str, size: &str, folder: &Path) {
    let mut command = program("vestibule");
    if let Some(driver) = std::env::var_os("VESTIBULE_LAVAPIPE_ICD") {
        command.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", driver);
    }
    command.args(["--tour", tour, "--size", size, "--hour", "15", "--offscreen"]).arg(folder);
    let output = run(&mut command, Duration::from_secs(600));
    let report = std::fs::read_to_string(folder.join("tour.json")).unwrap_or_default();
    assert!(output.status.success(), "{report}\n{}", words(&output));
}

fn references() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures/home");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn similarity(one: &Path, other: &Path) -> f64 {
    let open = |path: &Path| image::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).to_rgb8();
    image_compare::rgb_similarity_structure(&image_compare::Algorithm::MSSIMSimple, &open(one), &open(other))
        .unwrap()
        .score
}

#[test]
fn the_tour_of_the_home_looks_as_a_person_found_good() {
    if without("picture") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    play("home", "640x360", folder.path());
    let references = references();
    assert!(references.len() >= 2, "references are missing");
    let scores: Vec<_> = references
        .iter()
        .map(|reference| {
            let name = reference.file_name().unwrap();
            (name.to_string_lossy().into_owned(), similarity(reference, &folder.path().join(name)))
        })
        .collect();
    eprintln!("{scores:#?}");
    assert!(scores.iter().all(|(_, score)| *score >= ALIKE), "{scores:#?}");
}

/// The measure can fail: two different rooms are not alike.
#[test]
fn another_room_is_another_picture() {
    let references = references();
    let score = similarity(&references[0], &references[1]);
    assert!(score < ALIKE, "{score}");
}

#[test]
fn faults_are_shown_as_what_they_are() {
    if without("picture") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    play("faults", "480x270", folder.path());
}
