//! Designs that stand in the room when they are done: models of the furniture catalogue, with all that furniture can.

use std::{fs, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use vestibule_fabricate::{
    Mesh, Solids,
    export::{glb, thumbnail},
};
use vestibule_twin::{CatalogueEntry, FurnitureSnap, design_model_key};

use crate::{
    files::{set_aside, write_whole},
    work::Picture,
};

/// What own models are called by the engine: this name, `://` and the file's.
pub const SOURCE: &str = "designs";
/// The file that says what own models are called and where they stand.
const LIST: &str = "standing.json";
/// Bytes of the list that are read.
const MOST_BYTES: usize = 1 << 20;
/// Models that are listed.
const MOST: usize = 1_000;
/// A thing that is at most so wide and deep, in millimetres, stands on tables as well as on the floor.
const SMALL: f64 = 400.0;

/// An own model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Own {
    pub key: String,
    name: String,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Floor,
    Top,
    Hang,
}

impl Own {
    /// As the catalogue has it.
    pub(crate) fn entry(&self) -> CatalogueEntry {
        CatalogueEntry {
            key: self.key.clone(),
            name: self.name.clone(),
            snap: match self.place {
                Place::Floor => FurnitureSnap::Floor,
                Place::Top => FurnitureSnap::Top,
                Place::Hang => FurnitureSnap::Hang,
            },
            thumb: format!("{SOURCE}://{}.png", self.key),
            model: format!("{SOURCE}://{}.glb", self.key),
        }
    }
}

fn is_key(key: &str) -> bool {
    key.len() <= 64 && key.strip_prefix("design_").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Reads the list. One that cannot be read is set aside; what to tell about that.
pub(crate) fn open(folder: &Path) -> (Vec<Own>, Option<String>) {
    let path = folder.join(LIST);
    let Ok(bytes) = fs::read(&path) else { return (Vec::new(), None) };
    let read = if bytes.len() > MOST_BYTES {
        Err(format!("it has more than {MOST_BYTES} bytes"))
    } else {
        serde_json::from_slice::<Vec<Own>>(&bytes).map_err(|error| error.to_string())
    };
    match read {
        Ok(mut list) => {
            // Keys become names of files.
            list.retain(|own| is_key(&own.key));
            list.truncate(MOST);
            (list, None)
        }
        Err(why) => (Vec::new(), Some(set_aside(&path, &why))),
    }
}

/// Where it is to stand: what lies all in front of its origin hangs on a wall.
fn place(solids: &Solids) -> Place {
    let bounds = solids.bounds();
    let size = bounds.size();
    match (bounds.low[2] >= -1e-3, size[0].max(size[2]) <= SMALL) {
        (true, _) => Place::Hang,
        (false, true) => Place::Top,
        (false, false) => Place::Floor,
    }
}

/// Furniture looks along -Z, a design towards its viewer at +Z: half a turn about the upright.
fn turned(solids: &Solids) -> Solids {
    let mut solids = solids.clone();
    for body in &mut solids.bodies {
        let points = body.mesh.points.iter().map(|[x, y, z]| [-x, *y, -z]).collect();
        body.mesh = Arc::new(Mesh { points, triangles: body.mesh.triangles.clone(), of: body.mesh.of.clone() });
    }
    solids
}

/// Writes the model and its picture, and lists it.
pub(crate) fn keep(picture: &Picture, folder: &Path, list: &mut Vec<Own>) -> Result<Own, String> {
    let words = |error: &dyn std::fmt::Display| format!("It cannot be put into the room: {error}.");
    let place = place(&picture.solids);
    let own = Own { key: design_model_key(&picture.solids.design), name: picture.design.name.clone(), place };
    let model = glb(&turned(&picture.solids)).map_err(|error| words(&error))?;
    let thumb = thumbnail(&picture.solids).map_err(|error| words(&error))?;
    let to = |ending: &str| folder.join(format!("{}.{ending}", own.key));
    write_whole(&to("glb"), &model).map_err(|error| words(&error))?;
    write_whole(&to("png"), &thumb).map_err(|error| words(&error))?;
    if !list.contains(&own) {
        list.retain(|other| other.key != own.key);
        if list.len() >= MOST {
            return Err(format!("There are {MOST} own models already."));
        }
        list.push(own.clone());
        let text = serde_json::to_vec_pretty(list).map_err(|error| words(&error))?;
        write_whole(&folder.join(LIST), &text).map_err(|error| words(&error))?;
    }
    Ok(own)
}

#[cfg(test)]
mod tests {
    use vestibule_fabricate::{Budget, Evaluator, Start};

    use super::*;

    fn picture(start: Start) -> Picture {
        let design = start.design();
        let solids = Evaluator::new().evaluate(&design, &Budget::default()).unwrap();
        Picture { number: 1, design, solids, meshes: Vec::new() }
    }

    #[test]
    fn shelves_hang_lamps_stand_on_tables_and_tables_on_the_floor() {
        let of = |start| place(&picture(start).solids);
        assert_eq!([Start::Shelf, Start::Hook, Start::PictureFrame].map(of), [Place::Hang; 3]);
        assert_eq!([Start::Lamp, Start::Planter, Start::PhoneStand].map(of), [Place::Top; 3]);
        assert_eq!(of(Start::Table), Place::Floor);
    }

    #[test]
    fn own_models_are_there_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut list = Vec::new();
        let shelf = keep(&picture(Start::Shelf), folder.path(), &mut list).unwrap();
        keep(&picture(Start::Lamp), folder.path(), &mut list).unwrap();
        keep(&picture(Start::Shelf), folder.path(), &mut list).unwrap();
        let (read, problem) = open(folder.path());
        assert_eq!((read.len(), &read, problem), (2, &list, None));
        let entry = shelf.entry();
        assert!(entry.model.starts_with("designs://design_") && entry.model.ends_with(".glb"));
        assert!(folder.path().join(format!("{}.glb", entry.key)).exists());
        assert!(fs::read(folder.path().join(format!("{}.png", entry.key))).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn a_broken_list_is_set_aside_and_no_key_leaves_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open(folder.path()), (Vec::new(), None));
        fs::write(folder.path().join(LIST), "[").unwrap();
        let (list, problem) = open(folder.path());
        assert!(list.is_empty() && problem.unwrap().contains("It is kept as"));
        let text = r#"[{"key":"design_../x","name":"n","place":"top"},{"key":"design_ab","name":"n","place":"hang"}]"#;
        fs::write(folder.path().join(LIST), text).unwrap();
        assert_eq!(open(folder.path()).0.len(), 1);
    }

    #[test]
    fn furniture_looks_the_other_way() {
        let shelf = picture(Start::Shelf);
        let other = turned(&shelf.solids);
        let (was, is) = (shelf.solids.bodies[0].mesh.bounds(), other.bodies[0].mesh.bounds());
        assert!((is.low[2] + was.high[2]).abs() < 1e-4 && is.high[2].abs() < 1e-4);
        assert!(other.bodies[0].mesh.open_edge().is_none(), "a turn, no mirror");
        assert!((other.bodies[0].mesh.volume() - shelf.solids.volume_mm3()).abs() < 1.0);
    }
}
