use std::{
    path::Path,
    time::{Duration, Instant},
};

use vestibule_fabricate::Start;
use vestibule_twin::DesignFormat;

use super::*;
use crate::show::{DrawnBody, HandleMark, Mark};

const FONT: &[u8] = include_bytes!("../../hud/fonts/Inter-Regular.otf");

fn app(folder: Option<&Path>) -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default()));
    let (exports, folder) = (folder.map(|folder| folder.join("made")), folder.map(|folder| folder.join("designs")));
    app.add_plugins(DesignPlugin { folder, exports, font: Some(FONT), actor: [5; 16] });
    app.insert_resource(AtDesign(true));
    app.world_mut().spawn((Camera3d::default(), Transform::from_xyz(2.0, 1.6, 1.0)));
    app.update();
    app
}

fn ask(app: &mut App, wish: EditDesign) {
    app.world_mut().write_message(wish);
    app.update();
}

fn view(app: &App) -> &DesignView {
    app.world().resource::<DesignView>()
}

/// Until it is so, frame by frame.
#[track_caller]
fn until(app: &mut App, so: impl Fn(&DesignView) -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !so(view(app)) {
        assert!(Instant::now() < end, "it never became so: {:#?}", view(app));
        app.update();
        std::thread::yield_now();
    }
    // What is to be seen is one frame behind what is said.
    app.update();
}

fn count<C: Component>(app: &mut App) -> usize {
    app.world_mut().query::<&C>().iter(app.world()).count()
}

fn start(app: &mut App, id: &str) {
    ask(app, EditDesign::Start(id.to_owned()));
    until(app, |view| view.checked && !view.busy);
}

fn notes(app: &App) -> Vec<String> {
    let messages = app.world().resource::<Messages<Notify>>();
    messages.get_cursor().read(messages).map(|notify| notify.text.clone()).collect()
}

#[test]
fn every_start_stands_in_the_room_at_its_true_size() {
    let mut app = app(None);
    for id in Start::ALL.map(Start::id) {
        start(&mut app, id);
        let view = view(&app);
        assert_eq!((view.problem.as_deref(), view.open), (None, true), "{id}");
        assert!(view.takes.is_some() && view.hash.is_some() && !view.handles.is_empty(), "{id}");
        let size = view.size_mm.unwrap();
        let mut meshes = app.world_mut().query::<(&Mesh3d, &DrawnBody)>();
        let assets = app.world().resource::<Assets<Mesh>>();
        let high = meshes.iter(app.world()).filter_map(|(mesh, _)| {
            let points = assets.get(&mesh.0)?.attribute(Mesh::ATTRIBUTE_POSITION)?.as_float3()?.iter();
            let (low, high) = points.fold((f32::MAX, f32::MIN), |(low, high), p| (low.min(p[1]), high.max(p[1])));
            Some((low, high))
        });
        let (low, high) = high.fold((f32::MAX, f32::MIN), |(l, h), (low, high)| (l.min(low), h.max(high)));
        assert!((f64::from(high - low) * 1_000.0 - size[1]).abs() < 0.1, "{id}: {low} {high} {size:?}");
        let stand =
            app.world_mut().query_filtered::<&GlobalTransform, With<DesignStand>>().single(app.world()).unwrap();
        assert!(stand.translation().distance(Vec3::new(2.0, 1.6, 1.0)) < 3.5, "before the person");
    }
    ask(&mut app, EditDesign::Close);
    app.update();
    assert_eq!((count::<DrawnBody>(&mut app), count::<DesignStand>(&mut app)), (0, 0));
}

#[test]
fn the_last_picture_stays_until_the_new_one_is_there() {
    let mut app = app(None);
    start(&mut app, "shelf");
    let before = view(&app).hash;
    for width in 250..330 {
        ask(&mut app, EditDesign::Set { field: fields::param_field("width"), value: f64::from(width) });
        assert_eq!(count::<DrawnBody>(&mut app), 1);
    }
    until(&mut app, |view| view.checked && !view.busy);
    assert_ne!(view(&app).hash, before);
    assert!((view(&app).size_mm.unwrap()[0] - 329.0).abs() < 1e-3, "the newest one");
}

#[test]
fn what_hurts_is_marked_and_handles_are_only_there_at_the_window() {
    let mut app = app(None);
    start(&mut app, "shelf");
    let handles = view(&app).handles.len();
    assert_eq!(count::<HandleMark>(&mut app), handles);
    let marked = |app: &mut App| count::<Mark>(app);
    let place = view(&app).findings.iter().position(|finding| !finding.places.is_empty()).unwrap();
    let before = marked(&mut app);
    ask(&mut app, EditDesign::Point(Some(place)));
    app.update();
    assert!(marked(&mut app) > before || view(&app).findings[place].blocks, "a tint and pins");
    app.insert_resource(AtDesign(false));
    app.update();
    app.update();
    assert_eq!(count::<HandleMark>(&mut app), 0);
}

#[test]
fn a_design_is_kept_and_is_there_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = app(Some(folder.path()));
    start(&mut first, "hook");
    assert_eq!(view(&first).kept, None, "nobody changed anything yet");
    ask(&mut first, EditDesign::Set { field: fields::param_field("reach"), value: 55.0 });
    until(&mut first, |view| view.kept.is_some() && !view.busy);
    let (id, hash) = (view(&first).id.clone(), view(&first).hash);
    drop(first);
    let mut second = app(Some(folder.path()));
    assert_eq!(view(&second).saved.iter().map(|saved| saved.id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    ask(&mut second, EditDesign::Open(id.clone()));
    until(&mut second, |view| view.checked);
    assert_eq!((view(&second).hash, view(&second).name.as_str()), (hash, "Hook"));
    drop(second);
    let file = std::fs::read_dir(folder.path().join("designs")).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.to_string_lossy().contains(&id)).unwrap();
    std::fs::write(&file, "{").unwrap();
    let third = app(Some(folder.path()));
    assert!(view(&third).saved.is_empty());
    assert!(notes(&third).iter().any(|text| text.contains("It is kept as")), "{:?}", notes(&third));
}

#[test]
fn it_is_written_for_others_and_put_into_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(Some(folder.path()));
    start(&mut app, "planter");
    for format in DesignFormat::ALL {
        ask(&mut app, EditDesign::Export(format));
        until(&mut app, |view| {
            view.exported
                .as_ref()
                .is_some_and(|done| done.as_ref().is_ok_and(|path| path.ends_with(format.extension())))
        });
    }
    ask(&mut app, EditDesign::Place);
    app.update();
    let held = app.world().resource::<Messages<HoldFurniture>>();
    let held: Vec<_> = held.get_cursor().read(held).map(|hold| hold.model.clone()).collect();
    assert_eq!(held.len(), 1);
    let catalogue = app.world().resource::<Catalogue>();
    let entry = catalogue.get(&held[0]).unwrap();
    assert_eq!((entry.name.as_str(), entry.snap), ("Planter", vestibule_twin::FurnitureSnap::Top));
    assert_eq!((view(&app).open, view(&app).saved.len()), (false, 1), "one can go on with it");
    let own = app.world().resource::<Catalogue>().entries.clone();
    drop(app);
    // Another start of the program: what stands in the world file is known, also when the house's catalogue comes late.
    let mut again = self::app(Some(folder.path()));
    again.insert_resource(Catalogue::default());
    again.update();
    assert_eq!(again.world().resource::<Catalogue>().entries, own);
}
