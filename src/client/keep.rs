//! A product without electronics becomes a twin: with the place where its design stands in the room, or where parcels lie,
//! and with the design's own look.

use std::{
    fs::{self, File},
    io::Read as _,
    path::PathBuf,
};

use bevy::{
    prelude::*,
    tasks::{IoTaskPool, Task, futures::check_ready, futures_lite::future::yield_now},
};
use vestibule_twin::{
    Given, Giving, KeepProduct, KeepStep, KeepingProducts, KnownPurchases, ManagePurchases, Notify, StopKeeping,
    Urgency, design_model_key,
    model::{BlobRef, DesignHash, Place, Serial},
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
/// Products whose look is read or on its way at once: more than a person presses for before the first is there.
const MOST_WAITING: usize = 16;

/// Bytes of a model that are read at once: whoever stops it waits for no more.
const PIECE: u64 = 1024 * 1024;

/// Follows [`KeepProduct`].
pub(super) struct KeepPlugin {
    /// Where models of designs are.
    pub(super) designs: PathBuf,
}

impl Plugin for KeepPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Keeping { designs: self.designs.clone(), ..Keeping::default() })
            .add_systems(Update, (begin, stop, read, follow, show).chain());
    }
}

/// Products that are being kept.
#[derive(Resource, Default)]
struct Keeping {
    designs: PathBuf,
    /// Their look is being read. Dropped, that stops after the piece that is read right now.
    reading: Vec<(KeepProduct, Place, Task<Option<Given>>)>,
    /// Their look is on its way to the enabler.
    waiting: Vec<(KeepProduct, Place, BlobRef)>,
    /// The enabler is asked, and for how many looks that is not to be seen.
    asked: Vec<(KeepProduct, u8)>,
}

impl Keeping {
    fn wishes(&self) -> impl Iterator<Item = &KeepProduct> {
        let (reading, waiting) =
            (self.reading.iter().map(|(wish, ..)| wish), self.waiting.iter().map(|(wish, ..)| wish));
        reading.chain(waiting).chain(self.asked.iter().map(|(wish, _)| wish))
    }

    fn has(&self, serial: &Serial) -> bool {
        self.wishes().any(|wish| wish.serial == *serial)
    }

    /// How many of this design are being kept: each takes a piece of it.
    fn pending(&self, design: Option<&DesignHash>, known: &KnownPurchases) -> usize {
        let of_it = |wish: &&KeepProduct| wish.design.is_some() && wish.design.as_ref() == design;
        // What is a twin by now has its piece, and is not forgotten yet.
        self.wishes().filter(of_it).filter(|wish| !known.products.contains_key(&wish.serial)).count()
    }

    /// Forgets what was answered. A question is seen a frame after it was asked, and its answer is noted a frame after it
    /// came: so long it is not forgotten.
    fn answered(&mut self, known: &KnownPurchases) {
        self.asked.retain_mut(|(wish, unseen)| {
            *unseen = if known.binding.contains(&wish.serial) { 0 } else { *unseen + 1 };
            *unseen <= 1
        });
    }

    const fn is_full(&self) -> bool {
        self.reading.len() + self.waiting.len() >= MOST_WAITING
    }
}

/// Where it stands: as the oldest piece of its design that is no twin yet, which becomes it; else where parcels lie. As many
/// pieces as are `pending` become others first.
fn place<'a>(
    design: Option<&DesignHash>,
    pieces: impl Iterator<Item = &'a Piece>,
    (taken, pending): (&[PieceTwin], usize),
    mat: Option<&Transform>,
) -> Option<Place> {
    let key = design.map(design_model_key);
    let free = |piece: &&Piece| Some(&piece.model) == key.as_ref() && taken.iter().all(|one| one.piece != piece.id);
    let (position, rotation) = match pieces.filter(free).nth(pending) {
        Some(piece) => (piece.position, Quat::from_rotation_y(piece.yaw)),
        None => mat.map(|mat| (mat.translation.to_array(), mat.rotation))?,
    };
    Some(Place { space: SPACE.to_owned(), position, rotation: rotation.normalize().to_array() })
}

/// What a design looks like, by its hash; none: it never stood in the room. Piece by piece, so that it can be stopped.
async fn look(path: PathBuf) -> Option<Given> {
    let fits = fs::metadata(&path).is_ok_and(|about| (1..=MOST_BYTES).contains(&about.len()));
    let mut file = File::open(path).ok().filter(|_| fits)?.take(MOST_BYTES);
    let mut bytes = Vec::new();
    while file.by_ref().take(PIECE).read_to_end(&mut bytes).ok()? > 0 {
        yield_now().await;
    }
    Some(Given::new(Given::MODEL, bytes))
}

fn keep(wish: &KeepProduct, place: Place, visual: Option<BlobRef>) -> ManagePurchases {
    ManagePurchases::Keep { purchase: wish.purchase, serial: wish.serial.clone(), place, visual }
}

/// Looks where it stands, and has its look read, where there may be one: no frame waits for a disk.
fn begin(
    mut wishes: MessageReader<KeepProduct>,
    (record, furniture, places): (Res<WorldRecord>, Res<Furniture>, Res<Places>),
    known: Res<KnownPurchases>,
    mut keeping: ResMut<Keeping>,
    (mut manage, mut notify): (MessageWriter<ManagePurchases>, MessageWriter<Notify>),
) {
    if !keeping.asked.is_empty() {
        keeping.answered(&known);
    }
    for wish in wishes.read() {
        if keeping.has(&wish.serial) {
            continue;
        }
        let design = wish.design.as_ref();
        let taken = (record.file.product.as_slice(), keeping.pending(design, &known));
        let Some(place) = place(design, furniture.0.pieces(), taken, places.anchors.get(MAT)) else {
            let title = format!("{} cannot be kept", wish.serial);
            let text = "Nobody knows where it stands: put its design into the room first.".to_owned();
            notify.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
            continue;
        };
        let file = design.map(|design| keeping.designs.join(format!("{}.glb", design_model_key(design))));
        match file.filter(|_| !keeping.is_full()) {
            Some(file) => {
                let task = IoTaskPool::get().spawn(look(file));
                keeping.reading.push((wish.clone(), place, task));
            }
            None => {
                manage.write(keep(wish, place, None));
                keeping.asked.push((wish.clone(), 0));
            }
        }
    }
}

/// The person has left: what is only being read is stopped, and said, since nothing was kept.
fn stop(mut stops: MessageReader<StopKeeping>, mut keeping: ResMut<Keeping>, mut notify: MessageWriter<Notify>) {
    if stops.read().count() == 0 || keeping.reading.is_empty() {
        return;
    }
    for (wish, ..) in std::mem::take(&mut keeping.reading) {
        let title = format!("{} is not kept", wish.serial);
        let text = "The window was closed while its look was being read. Press \"Keep it here\" again.".to_owned();
        notify.write(Notify { urgency: Urgency::Info, title, text, twin: None });
    }
}

/// Its look was read and goes to the enabler first; or it has none, and is kept without.
fn read(mut keeping: ResMut<Keeping>, mut manage: MessageWriter<ManagePurchases>) {
    if keeping.reading.is_empty() {
        return;
    }
    let Keeping { reading, waiting, asked, .. } = &mut *keeping;
    reading.retain_mut(|(wish, place, task)| {
        let Some(look) = check_ready(task) else { return true };
        match look {
            Some(given) => {
                let visual =
                    BlobRef { hash: given.hash, size: given.bytes.len() as u64, media: given.media.to_owned() };
                waiting.push((wish.clone(), place.clone(), visual));
                manage.write(ManagePurchases::Give(given));
            }
            None => {
                manage.write(keep(wish, place.clone(), None));
                asked.push((wish.clone(), 0));
            }
        }
        false
    });
}

/// Its look is there, or is not taken: then it is kept without.
fn follow(known: Res<KnownPurchases>, mut keeping: ResMut<Keeping>, mut manage: MessageWriter<ManagePurchases>) {
    if keeping.waiting.is_empty() {
        return;
    }
    let Keeping { waiting, asked, .. } = &mut *keeping;
    waiting.retain(|(wish, place, visual)| {
        let visual = match known.given.get(&visual.hash) {
            Some(Giving::There) => Some(visual.clone()),
            Some(Giving::Refused(_) | Giving::NotSent(_)) => None,
            // It goes on over the next connection.
            Some(Giving::Under(..) | Giving::Lost(_)) | None => return true,
        };
        manage.write(keep(wish, place.clone(), visual));
        asked.push((wish.clone(), 0));
        false
    });
}

/// For the screen.
fn show(keeping: Res<Keeping>, mut shown: ResMut<KeepingProducts>) {
    let reading = keeping.reading.iter().map(|(wish, ..)| (wish.serial.clone(), KeepStep::Reading));
    let giving = keeping.waiting.iter().map(|(wish, ..)| (wish.serial.clone(), KeepStep::Giving));
    shown.set_if_neq(KeepingProducts(reading.chain(giving).collect()));
}

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        time::{Duration, Instant},
    };

    use vestibule_twin::model::{ContentHash, PurchaseId, Refusal, RefusalCode};
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
        let stands = |design, taken: &[PieceTwin], mat| place(design, pieces.iter(), (taken, 0), mat);
        let first = stands(Some(&SHELF), &[], Some(&mat)).unwrap();
        assert_eq!((first.space.as_str(), first.position), ("home", [1.0, 1.0, 0.0]));
        assert!((first.rotation[1] - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6);
        assert_eq!(stands(Some(&SHELF), &taken, None).unwrap().position, [2.0, 1.0, 0.0], "the first is one already");
        for (pending, x) in [(0, 1.0), (1, 2.0), (2, 9.0)] {
            let stands = place(Some(&SHELF), pieces.iter(), (&[], pending), Some(&mat)).unwrap();
            assert_eq!(stands.position[0], x, "{pending} become others first");
        }
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

    /// What is asked as soon as something is: what was read elsewhere comes when it comes.
    #[track_caller]
    fn next(app: &mut App) -> Vec<ManagePurchases> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let asked = asked(app);
            if !asked.is_empty() {
                return asked;
            }
            assert!(Instant::now() < end, "nothing is asked");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn is_kept(asked: &[ManagePurchases], serial: &str, looks: bool) -> bool {
        matches!(asked, [ManagePurchases::Keep { serial: which, visual, place, .. }]
            if which.as_str() == serial && visual.is_some() == looks && place.position[0] == 1.0)
    }

    fn step(app: &App, serial: &str) -> Option<KeepStep> {
        app.world().resource::<KeepingProducts>().0.get(&Serial::new(serial).unwrap()).copied()
    }

    fn app(designs: &Path) -> App {
        let mut app = App::new();
        app.add_plugins(TaskPoolPlugin::default());
        app.init_resource::<KnownPurchases>().init_resource::<Places>().init_resource::<WorldRecord>();
        app.init_resource::<KeepingProducts>().insert_resource(Furniture(Furnishing::new([piece(1, 1.0)])));
        app.add_message::<KeepProduct>().add_message::<StopKeeping>();
        app.add_message::<ManagePurchases>().add_message::<Notify>();
        app.add_plugins(KeepPlugin { designs: designs.to_owned() });
        app
    }

    fn model(designs: &Path, bytes: &[u8]) {
        fs::write(designs.join(format!("{}.glb", design_model_key(&SHELF))), bytes).unwrap();
    }

    #[test]
    fn its_look_goes_first_and_then_it_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = app(folder.path());
        app.world_mut().write_message(wish("W-1"));
        assert!(is_kept(&next(&mut app), "W-1", false), "it never stood in the room as a model");
        assert!(asked(&mut app).is_empty());
        // More than one piece is read.
        let bytes = vec![7; usize::try_from(PIECE).unwrap() + 5];
        model(folder.path(), &bytes);
        let hash = ContentHash::of(&bytes);
        for (serial, how, looks) in [
            ("W-2", Giving::There, true),
            ("W-3", Giving::Refused(Refusal::new(RefusalCode::Overloaded, "the disk is full")), false),
        ] {
            app.world_mut().resource_mut::<KnownPurchases>().given.clear();
            for _ in 0..2 {
                app.world_mut().write_message(wish(serial));
            }
            let given = next(&mut app);
            assert!(matches!(&given[..], [ManagePurchases::Give(given)] if given.hash == hash), "{given:?}");
            assert_eq!(step(&app, serial), Some(KeepStep::Giving));
            app.world_mut().resource_mut::<KnownPurchases>().given.insert(hash, Giving::Under(1, 4));
            assert!(asked(&mut app).is_empty(), "it is on its way");
            let lost = Giving::Lost(Refusal::new(RefusalCode::Unavailable, "the connection was lost"));
            app.world_mut().resource_mut::<KnownPurchases>().given.insert(hash, lost);
            assert!(asked(&mut app).is_empty(), "it goes on");
            app.world_mut().resource_mut::<KnownPurchases>().given.insert(hash, how);
            assert!(is_kept(&asked(&mut app), serial, looks), "{serial}");
            assert!(asked(&mut app).is_empty() && step(&app, serial).is_none());
        }
    }

    #[test]
    fn two_that_are_kept_at_once_stand_in_two_places() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = app(folder.path());
        let pieces = [piece(1, 1.0), piece(2, 2.0), piece(3, 3.0)];
        app.insert_resource(Furniture(Furnishing::new(pieces)));
        let (mut places, end) = (Vec::new(), Instant::now() + Duration::from_secs(20));
        for serials in [&["W-1", "W-2"][..], &["W-3"][..]] {
            for serial in serials {
                app.world_mut().write_message(wish(serial));
            }
            let wanted = places.len() + serials.len();
            while places.len() < wanted && Instant::now() < end {
                for asked in asked(&mut app) {
                    let ManagePurchases::Keep { serial, place, .. } = asked else { panic!("{asked:?}") };
                    // The enabler has not answered yet.
                    app.world_mut().resource_mut::<KnownPurchases>().binding.insert(serial.clone());
                    places.push((serial.to_string(), place.position[0]));
                }
            }
            // However long it takes.
            (0..3).for_each(|_| drop(asked(&mut app)));
        }
        places.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(places, [("W-1".to_owned(), 1.0), ("W-2".to_owned(), 2.0), ("W-3".to_owned(), 3.0)]);
    }

    #[test]
    fn what_is_being_read_is_said_and_stops_when_the_person_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = app(folder.path());
        model(folder.path(), b"glTF");
        let (serial, place) =
            (Serial::new("W-1").unwrap(), place(None, [].iter(), (&[], 0), Some(&Transform::IDENTITY)));
        // A disk that never answers.
        let task = IoTaskPool::get().spawn(std::future::pending());
        app.world_mut().resource_mut::<Keeping>().reading.push((wish("W-1"), place.unwrap(), task));
        assert!(asked(&mut app).is_empty(), "no frame waits for it");
        assert_eq!(step(&app, "W-1"), Some(KeepStep::Reading));
        app.world_mut().write_message(StopKeeping);
        assert!(asked(&mut app).is_empty() && step(&app, "W-1").is_none());
        assert!(!app.world().resource::<Keeping>().has(&serial));
        let told: Vec<_> = app.world_mut().resource_mut::<Messages<Notify>>().drain().collect();
        assert!(told.len() == 1 && told[0].title == "W-1 is not kept", "{told:?}");
        // It can be asked for again, and what is on its way goes on.
        app.world_mut().write_message(wish("W-1"));
        assert!(matches!(&next(&mut app)[..], [ManagePurchases::Give(_)]));
        app.world_mut().write_message(StopKeeping);
        asked(&mut app);
        assert_eq!(step(&app, "W-1"), Some(KeepStep::Giving));
    }

    #[test]
    fn what_is_too_large_is_no_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.glb");
        for (size, there) in [(0, false), (4, true), (MOST_BYTES + 1, false)] {
            // Nothing is written: the file is as long as that, and has holes.
            File::create(&path).unwrap().set_len(size).unwrap();
            let given = bevy::tasks::block_on(look(path.clone()));
            assert_eq!(given.map(|given| given.bytes.len() as u64), there.then_some(size));
        }
        assert_eq!(bevy::tasks::block_on(look(folder.path().join("gone.glb"))), None);
    }
}
