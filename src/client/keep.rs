//! A product without electronics becomes a twin: with the place where its design stands in the room, or where parcels lie,
//! and with the design's own look.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use bevy::prelude::*;
use vestibule_twin::{
    Given, Giving, KeepProduct, KnownPurchases, ManagePurchases, Notify, Urgency, design_model_key,
    model::{BlobRef, DesignHash, Place},
};
use vestibule_world::{
    furnish::Furniture,
    scene::Places,
    world_file::{Piece, PieceTwin, WorldRecord},
};

/// The frame that places in the house are in.
const SPACE: &str = "home";
/// Where parcels lie.
const MAT: &str = "doormat";
/// Bytes of a model: what the enabler takes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Products whose look is on its way at once: more than a person presses for before the first is there.
const MOST_WAITING: usize = 16;

/// Follows [`KeepProduct`].
pub(super) struct KeepPlugin {
    /// Where models of designs are.
    pub(super) designs: PathBuf,
}

impl Plugin for KeepPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Keeping { designs: self.designs.clone(), waiting: Vec::new() })
            .add_systems(Update, (begin, follow).chain());
    }
}

/// Products whose look is on its way to the enabler.
#[derive(Resource)]
struct Keeping {
    designs: PathBuf,
    waiting: Vec<(KeepProduct, Place, BlobRef)>,
}

/// Where it stands: as the oldest piece of its design that is no twin yet, which becomes it; else where parcels lie.
fn place<'a>(
    design: Option<&DesignHash>,
    pieces: impl Iterator<Item = &'a Piece>,
    taken: &[PieceTwin],
    mat: Option<&Transform>,
) -> Option<Place> {
    let key = design.map(design_model_key);
    let free = |piece: &&Piece| Some(&piece.model) == key.as_ref() && taken.iter().all(|one| one.piece != piece.id);
    let mut pieces = pieces;
    let (position, rotation) = match pieces.find(free) {
        Some(piece) => (piece.position, Quat::from_rotation_y(piece.yaw)),
        None => mat.map(|mat| (mat.translation.to_array(), mat.rotation))?,
    };
    Some(Place { space: SPACE.to_owned(), position, rotation: rotation.normalize().to_array() })
}

/// What a design looks like; none: it never stood in the room.
fn look(designs: &Path, design: Option<&DesignHash>) -> Option<Vec<u8>> {
    let path = designs.join(format!("{}.glb", design_model_key(design?)));
    let fits = fs::metadata(&path).is_ok_and(|about| (1..=MOST_BYTES).contains(&about.len()));
    let mut bytes = Vec::new();
    File::open(path).ok().filter(|_| fits)?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn keep(wish: &KeepProduct, place: Place, visual: Option<BlobRef>) -> ManagePurchases {
    ManagePurchases::Keep { purchase: wish.purchase, serial: wish.serial.clone(), place, visual }
}

/// Looks where it stands, and gives its look to the enabler first, where there is one.
fn begin(
    mut wishes: MessageReader<KeepProduct>,
    (record, furniture, places): (Res<WorldRecord>, Res<Furniture>, Res<Places>),
    mut keeping: ResMut<Keeping>,
    (mut manage, mut notify): (MessageWriter<ManagePurchases>, MessageWriter<Notify>),
) {
    for wish in wishes.read() {
        let design = wish.design.as_ref();
        let Some(place) = place(design, furniture.0.pieces(), &record.file.product, places.anchors.get(MAT)) else {
            let title = format!("{} cannot be kept", wish.serial);
            let text = "Nobody knows where it stands: put its design into the room first.".to_owned();
            notify.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
            continue;
        };
        match look(&keeping.designs, design).filter(|_| keeping.waiting.len() < MOST_WAITING) {
            Some(bytes) => {
                let visual = BlobRef::of(&bytes, Given::MODEL);
                manage.write(ManagePurchases::Give(Given::new(Given::MODEL, bytes)));
                keeping.waiting.push((wish.clone(), place, visual));
            }
            None => drop(manage.write(keep(wish, place, None))),
        }
    }
}

/// Its look is there, or is not taken: then it is kept without.
fn follow(known: Res<KnownPurchases>, mut keeping: ResMut<Keeping>, mut manage: MessageWriter<ManagePurchases>) {
    if keeping.waiting.is_empty() {
        return;
    }
    keeping.waiting.retain(|(wish, place, visual)| {
        let visual = match known.given.get(&visual.hash) {
            Some(Giving::There) => Some(visual.clone()),
            Some(Giving::Refused(_)) => None,
            Some(Giving::Under(..)) | None => return true,
        };
        manage.write(keep(wish, place.clone(), visual));
        false
    });
}

#[cfg(test)]
mod tests {
    use vestibule_twin::model::{ContentHash, PurchaseId, Refusal, RefusalCode, Serial};
    use vestibule_world::furnish::Furnishing;

    use super::*;

    const SHELF: DesignHash = DesignHash(ContentHash([0xab; 32]));

    fn piece(id: u64, x: f32) -> Piece {
        Piece { id, model: design_model_key(&SHELF), position: [x, 1.0, 0.0], yaw: std::f32::consts::FRAC_PI_2 }
    }

    fn wish(serial: &str) -> KeepProduct {
        let serial = Serial::new(serial).unwrap();
        KeepProduct { purchase: PurchaseId([1; 16]), serial, design: Some(SHELF) }
    }

    #[test]
    fn it_stands_where_its_design_does_or_where_parcels_lie() {
        let (pieces, mat) = ([piece(1, 1.0), piece(2, 2.0)], Transform::from_xyz(9.0, 0.0, 9.0));
        let taken = [PieceTwin { piece: 1, twin: "things/W-1".to_owned() }];
        let stands = |design, taken: &[PieceTwin], mat| place(design, pieces.iter(), taken, mat);
        let first = stands(Some(&SHELF), &[], Some(&mat)).unwrap();
        assert_eq!((first.space.as_str(), first.position), ("home", [1.0, 1.0, 0.0]));
        assert!((first.rotation[1] - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6);
        assert_eq!(stands(Some(&SHELF), &taken, None).unwrap().position, [2.0, 1.0, 0.0], "the first is one already");
        let other = DesignHash(ContentHash([1; 32]));
        for design in [None, Some(&other)] {
            assert_eq!(stands(design, &[], Some(&mat)).unwrap().position, [9.0, 0.0, 9.0]);
            assert_eq!(stands(design, &[], None), None);
        }
    }

    fn asked(app: &mut App) -> Vec<ManagePurchases> {
        app.update();
        app.world_mut().resource_mut::<Messages<ManagePurchases>>().drain().collect()
    }

    fn is_kept(asked: &[ManagePurchases], serial: &str, looks: bool) -> bool {
        matches!(asked, [ManagePurchases::Keep { serial: which, visual, place, .. }]
            if which.as_str() == serial && visual.is_some() == looks && place.position[0] == 1.0)
    }

    #[test]
    fn its_look_goes_first_and_then_it_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = App::new();
        app.init_resource::<KnownPurchases>().init_resource::<Places>().init_resource::<WorldRecord>();
        app.insert_resource(Furniture(Furnishing::new([piece(1, 1.0)])));
        app.add_message::<KeepProduct>().add_message::<ManagePurchases>().add_message::<Notify>();
        app.add_plugins(KeepPlugin { designs: folder.path().to_owned() });
        app.world_mut().write_message(wish("W-1"));
        assert!(is_kept(&asked(&mut app), "W-1", false), "it never stood in the room as a model");
        fs::write(folder.path().join(format!("{}.glb", design_model_key(&SHELF))), b"glTF").unwrap();
        let hash = ContentHash::of(b"glTF");
        for (serial, how, looks) in [
            ("W-2", Giving::There, true),
            ("W-3", Giving::Refused(Refusal::new(RefusalCode::Overloaded, "the disk is full")), false),
        ] {
            app.world_mut().resource_mut::<KnownPurchases>().given.clear();
            app.world_mut().write_message(wish(serial));
            let given = asked(&mut app);
            assert!(matches!(&given[..], [ManagePurchases::Give(given)] if given.hash == hash), "{given:?}");
            app.world_mut().resource_mut::<KnownPurchases>().given.insert(hash, Giving::Under(1, 4));
            assert!(asked(&mut app).is_empty(), "it is on its way");
            app.world_mut().resource_mut::<KnownPurchases>().given.insert(hash, how);
            assert!(is_kept(&asked(&mut app), serial, looks), "{serial}");
            assert!(asked(&mut app).is_empty());
        }
    }
}
