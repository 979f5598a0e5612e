use bevy::{prelude::*, world_serialization::WorldSerializationPlugin};
use vestibule_twin::{
    CancelHeld, Catalogue, CatalogueEntry, FurnitureId, FurniturePlaced, FurnitureRefused, FurnitureSnap,
    HeldFurniture, HoldFurniture, PlaceHeld, RedoFurnishing, RemoveFurniture, TurnHeld, UndoFurnishing,
};

use super::{Bounds, FurnishPlugin, FurnishZones, Furniture, ModelBounds, TURN};
use crate::{
    pointer::{PointedSurface, PointingHand, PointingRay, SurfaceHit},
    scene::{Places, WorldState, Zone},
    testing::headless,
    world_file::WorldRecord,
};

fn app(file: Option<std::path::PathBuf>) -> App {
    let mut app = headless();
    app.add_plugins((WorldSerializationPlugin, FurnishPlugin { file, ..default() }))
        .init_state::<WorldState>()
        .init_resource::<Places>()
        .insert_resource(State::new(WorldState::Ready))
        .insert_resource(PointingRay {
            ray: Some(Ray3d::new(Vec3::new(0.0, 1.6, 0.0), Dir3::NEG_Z)),
            hand: PointingHand::Controller,
        });
    let entry = |key: &str| CatalogueEntry {
        key: key.to_owned(),
        name: format!("The {key}"),
        snap: FurnitureSnap::Floor,
        thumb: String::new(),
        model: format!("{key}.glb"),
    };
    app.insert_resource(Catalogue { entries: vec![entry("sofa"), entry("rug")] });
    let mut bounds = app.world_mut().resource_mut::<ModelBounds>();
    let tall = Bounds { low: Vec3::new(-1.0, 0.0, -0.5), high: Vec3::new(1.0, 0.8, 0.5) };
    bounds.0.insert("sofa".to_owned(), tall);
    bounds.0.insert("rug".to_owned(), Bounds { high: Vec3::new(1.0, 0.02, 0.5), ..tall });
    let lounge = Zone { name: "lounge".to_owned(), frame: Transform::from_scale(Vec3::splat(5.0)).compute_affine() };
    app.world_mut().resource_mut::<Places>().zones.push(lounge);
    app
}

fn point_at(app: &mut App, point: Vec3) {
    let hit = SurfaceHit { entity: Entity::PLACEHOLDER, point, normal: Vec3::Y, distance: 3.0 };
    app.insert_resource(PointedSurface { hit: Some(hit) });
}

fn hold(app: &mut App, model: &str, at: Vec3) {
    point_at(app, at);
    app.world_mut().write_message(HoldFurniture { model: model.to_owned() });
    app.update();
}

fn put_down(app: &mut App, model: &str, at: Vec3) {
    hold(app, model, at);
    app.world_mut().write_message(PlaceHeld);
    app.update();
}

fn standing(app: &App) -> Vec<([f32; 3], f32)> {
    app.world().resource::<Furniture>().0.pieces().map(|piece| (piece.position, piece.yaw)).collect()
}

fn blocked(app: &App) -> Option<String> {
    app.world().resource::<HeldFurniture>().blocked.clone()
}

fn refusals(app: &App) -> Vec<String> {
    let messages = app.world().resource::<Messages<FurnitureRefused>>();
    messages.get_cursor().read(messages).map(|refused| refused.reason.clone()).collect()
}

#[test]
fn a_piece_is_put_down_on_the_grid_and_turned_by_steps() {
    let mut app = app(None);
    hold(&mut app, "sofa", Vec3::new(1.234, 0.0, -2.06));
    app.world_mut().write_message(TurnHeld { radians: TURN * 1.2 });
    app.update();
    assert_eq!(blocked(&app), None);
    app.world_mut().write_message(PlaceHeld);
    app.update();
    let stands = standing(&app);
    assert_eq!(stands.len(), 1);
    assert!(Vec3::from(stands[0].0).abs_diff_eq(Vec3::new(1.2, 0.0, -2.1), 1e-4));
    assert!((stands[0].1 - TURN).abs() < 1e-5);
    assert_eq!(app.world().resource::<HeldFurniture>().model, None);
    assert_eq!(app.world_mut().query::<&FurnitureId>().iter(app.world()).count(), 1);
    let facts = app.world().resource::<Messages<FurniturePlaced>>();
    assert_eq!(facts.get_cursor().read(facts).count(), 1);
}

#[test]
fn pieces_do_not_share_room_but_rugs_lie_under_all() {
    let mut app = app(None);
    put_down(&mut app, "rug", Vec3::ZERO);
    put_down(&mut app, "sofa", Vec3::ZERO);
    assert_eq!(standing(&app).len(), 2);
    put_down(&mut app, "sofa", Vec3::new(1.5, 0.0, 0.0));
    assert_eq!(standing(&app).len(), 2);
    assert_eq!(blocked(&app).as_deref(), Some("The sofa stands there."));
    assert_eq!(refusals(&app).last().map(String::as_str), Some("The sofa stands there."));
    app.world_mut().write_message(CancelHeld);
    app.update();
    assert_eq!((app.world().resource::<HeldFurniture>().model.clone(), blocked(&app)), (None, None));
}

#[test]
fn only_the_zones_that_allow_it_are_furnished() {
    let mut app = app(None);
    put_down(&mut app, "sofa", Vec3::new(7.0, 0.0, 0.0));
    assert_eq!(standing(&app), []);
    assert_eq!(blocked(&app).as_deref(), Some("Furniture can stand in: lounge."));
    app.insert_resource(FurnishZones::default());
    app.update();
    app.world_mut().write_message(PlaceHeld);
    app.update();
    assert_eq!(standing(&app).len(), 1);
}

#[test]
fn removal_undo_and_redo_are_shown() {
    let mut app = app(None);
    put_down(&mut app, "sofa", Vec3::ZERO);
    let shown = |app: &mut App| app.world_mut().query::<&FurnitureId>().iter(app.world()).count();
    app.world_mut().write_message(RemoveFurniture { piece: FurnitureId(1) });
    app.update();
    assert_eq!(shown(&mut app), 0);
    app.world_mut().write_message(UndoFurnishing);
    app.update();
    assert_eq!(shown(&mut app), 1);
    assert_eq!(app.world().resource::<HeldFurniture>().redoable, 1);
    app.world_mut().write_message(RedoFurnishing);
    app.update();
    assert_eq!(shown(&mut app), 0);
    app.world_mut().write_message(RedoFurnishing);
    app.update();
    assert_eq!(refusals(&app).last().map(String::as_str), Some("There is nothing to redo."));
}

#[test]
fn what_was_furnished_is_there_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    let mut first = app(Some(file.clone()));
    put_down(&mut first, "sofa", Vec3::new(0.5, 0.0, 0.0));
    let stood = standing(&first);
    drop(first);
    let mut second = app(Some(file.clone()));
    second.update();
    assert_eq!(standing(&second), stood);
    assert_eq!(second.world_mut().query::<&FurnitureId>().iter(second.world()).count(), 1);
    drop(second);
    std::fs::write(&file, "version = [").unwrap();
    let third = app(Some(file));
    assert_eq!(standing(&third), []);
    assert!(third.world().resource::<WorldRecord>().problem.is_some());
    assert!(folder.path().join("world.toml.broken").exists());
}
