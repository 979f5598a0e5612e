//! What the tours draw, beside what a person looked at and found good.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tempfile::TempDir;

use crate::process::{program, run, without, words};

/// Only views that do not depend on where exactly a walk ended have references: a step's length is a frame's, and a
/// slow machine takes longer ones. The tour `door` therefore takes none.
///
/// Structural similarity that counts as the same picture. The same view drawn again has 0.99; somebody in the open door
/// of the hall, which is a small part of it, leaves 0.93, a dark room or an open panel much less.
const ALIKE: f64 = 0.95;

/// Drawing without a GPU takes all cores: two tours at once are slower than one after the other, and give up.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The longest tour takes a fifth of it on a machine that does nothing else; whatever takes longer hangs.
const LIMIT: Duration = Duration::from_secs(1_200);

/// Plays a tour into pictures, asserts that all of it went well, and gives the folder with the pictures; `None`: drawing was
/// left out on request.
fn plays(tour: &str, size: &str) -> Option<TempDir> {
    if without("picture") {
        return None;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let mut command = program("vestibule");
    if let Some(driver) = std::env::var_os("VESTIBULE_LAVAPIPE_ICD") {
        command.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", driver);
    }
    command.args(["--tour", tour, "--size", size, "--hour", "15", "--offscreen"]).arg(folder.path());
    let output = run(&mut command, LIMIT);
    let said = words(&output);
    let report = std::fs::read_to_string(folder.path().join("tour.json")).unwrap_or_default();
    assert!(output.status.success(), "{report}\n{said}");
    // Merchants end before the enabler does: none misses it.
    assert!(!said.contains("does not know this merchant"), "{said}");
    Some(folder)
}

fn references(tour: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures").join(tour);
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

/// Plays a tour and compares what it draws with the references of the folder `name`.
fn looks_as_found_good(name: &str, tour: &str, least: usize) {
    let Some(folder) = plays(tour, "640x360") else { return };
    let references = references(name);
    assert!(references.len() >= least, "references are missing");
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

#[test]
fn the_tour_of_the_home_looks_as_a_person_found_good() {
    looks_as_found_good("home", "home", 1);
}

#[test]
fn the_door_looks_as_a_person_found_good() {
    looks_as_found_good("door", concat!(env!("CARGO_MANIFEST_DIR"), "/tours/door.toml"), 5);
}

/// The measure can fail: what differs by an open panel, a person in the door or a room is not alike.
#[test]
fn another_view_is_another_picture() {
    let all: Vec<_> = references("home").into_iter().chain(references("door")).collect();
    for (at, one) in all.iter().enumerate() {
        for other in &all[..at] {
            let score = similarity(one, other);
            // The hall is the first view of both tours; under the card little of the open door is to be seen.
            let all = |parts: &[&str]| {
                let is = |path: &&PathBuf| parts.iter().any(|part| path.to_string_lossy().contains(part));
                [one, other].iter().all(is)
            };
            let same = all(&["/01-"]) || all(&["door/02-", "door/03-"]);
            assert!(same || score < ALIKE, "{} and {}: {score}", one.display(), other.display());
        }
    }
}

#[test]
fn faults_are_shown_as_what_they_are() {
    plays("faults", "480x270");
}

#[test]
fn a_shelf_is_designed_written_for_a_printer_and_hung_on_the_wall() {
    // Less is too small for its window: nothing fits between the head and the foot of it.
    plays("shelf", "960x540");
}

/// S1 as a person does it, from the first line to the switch: the client's own manufacturer, courier, door and lamp.
#[test]
fn a_lamp_is_designed_ordered_made_brought_bound_and_switched_on() {
    plays("design", "960x540");
}

/// S2 as a person does it: what is missing for a dish is bought and put away.
#[test]
fn what_a_dish_lacks_is_bought_and_put_away() {
    plays("cook", "960x540");
}
