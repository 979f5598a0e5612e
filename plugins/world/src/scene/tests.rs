use bevy::{
    gltf::GltfExtras, prelude::*, world_serialization::WorldInstanceReady,
    world_serialization::WorldSerializationPlugin,
};
use bevy_rapier3d::prelude::Collider;
use vestibule_twin::{Notify, TwinPart, TwinRole};

use super::{Lightmapped, LoadWorld, Places, ScenePlugin, WorldFailed, WorldScene, WorldState};
use crate::{
    testing::headless,
    world_file::{Binding, WorldFile, WorldRecord},
};

fn app() -> App {
    let mut app = headless();
    app.add_plugins((WorldSerializationPlugin, ScenePlugin { scene: None, ..default() }));
    app
}

fn node(app: &mut App, parent: Entity, name: &str, place: Transform, extras: &str) -> Entity {
    let node = (Name::new(name.to_owned()), place, GltfExtras { value: extras.to_owned() }, ChildOf(parent));
    app.world_mut().spawn(node).id()
}

/// What Bevy says when a scene has been spawned below an entity.
fn ready(app: &mut App, entity: Entity) {
    let instance_id = app.world_mut().resource_mut::<WorldInstanceSpawner>().spawn(Handle::<WorldAsset>::default());
    app.world_mut().trigger(WorldInstanceReady { entity, instance_id });
    app.world_mut().flush();
    app.update();
}

#[test]
fn nodes_become_parts_places_and_colliders() {
    let mut app = app();
    let root = app.world_mut().spawn((WorldScene { scene: "x.glb".to_owned() }, Transform::default())).id();
    let room = node(&mut app, root, "room", Transform::from_xyz(10.0, 0.0, 0.0), r#"{"vestibule_lightmap":true}"#);
    let zone = Transform::from_xyz(1.0, 0.0, 0.0).with_scale(Vec3::splat(2.0));
    node(&mut app, room, "z", zone, r#"{"vestibule_zone":"lounge"}"#);
    node(&mut app, room, "s", Transform::from_xyz(0.0, 0.0, 3.0), r#"{"vestibule_spawn":"default"}"#);
    node(&mut app, room, "w", Transform::default(), r#"{"vestibule_waypoint":"stove"}"#);
    let shelf = r#"{"vestibule_anchor":"device_shelf"}"#;
    node(&mut app, room, "a", Transform::from_rotation(Quat::from_rotation_y(1.0)), shelf);
    let solid = r#"{"vestibule_collider":"mesh","vestibule_twin":"home/door","vestibule_role":"leaf"}"#;
    let leaf = node(&mut app, room, "leaf", Transform::default(), solid);
    let mesh = app.world_mut().resource_mut::<Assets<Mesh>>().add(Cuboid::from_length(1.0));
    let primitive = app.world_mut().spawn((Mesh3d(mesh.clone()), Transform::default(), ChildOf(leaf))).id();
    let boxed = node(&mut app, room, "boxed", Transform::default(), r#"{"vestibule_collider":"box"}"#);
    app.world_mut().spawn((Mesh3d(mesh), Transform::default(), ChildOf(boxed)));
    ready(&mut app, root);

    let places = app.world().resource::<Places>();
    assert!(places.is_in("lounge", Vec3::new(12.9, 0.0, 0.0)) && !places.is_in("lounge", Vec3::ZERO));
    assert_eq!(places.spawn("default").translation, Vec3::new(10.0, 0.0, 3.0));
    assert!(places.waypoints.contains_key("stove"));
    let shelf = places.anchors["device_shelf"].rotation;
    assert!(shelf.abs_diff_eq(Quat::from_rotation_y(1.0), 1e-5));
    let part = app.world().get::<TwinPart>(leaf).unwrap();
    assert_eq!((part.twin.as_str(), matches!(part.role, TwinRole::Leaf { .. })), ("home/door", true));
    assert!(app.world().get::<Collider>(primitive).unwrap().as_trimesh().is_some());
    assert!(app.world().get::<Collider>(boxed).unwrap().as_compound().is_some());
    assert!(app.world().get::<Lightmapped>(primitive).is_some(), "baked light is inherited");
    assert_eq!(*app.world().resource::<State<WorldState>>().get(), WorldState::Ready);
}

#[test]
fn the_world_file_wins_over_the_scene() {
    let mut app = app();
    let binding = |node: &str, twin: &str, role: Option<&str>| Binding {
        node: node.to_owned(),
        twin: twin.to_owned(),
        role: role.map(str::to_owned),
        amount: None,
    };
    let file = WorldFile {
        binding: vec![binding("Lamp.001", "shed/lamp", Some("lamp")), binding("leaf", "shed/gate", None)],
        ..default()
    };
    app.insert_resource(WorldRecord { file, ..default() });
    let root = app.world_mut().spawn((WorldScene { scene: "x.glb".to_owned() }, Transform::default())).id();
    let lamp = node(&mut app, root, "Lamp.001", Transform::default(), "{}");
    let leaf = node(&mut app, root, "leaf", Transform::default(), r#"{"vestibule_twin":"home/door"}"#);
    ready(&mut app, root);
    let twin = |entity| app.world().get::<TwinPart>(entity).unwrap().clone();
    assert_eq!((twin(lamp).twin.as_str(), twin(lamp).role), ("shed/lamp", TwinRole::Lamp { lumens: 800.0 }));
    assert_eq!((twin(leaf).twin.as_str(), twin(leaf).role), ("shed/gate", TwinRole::Body));
}

#[test]
fn a_missing_world_is_said_and_survived() {
    let mut app = app();
    app.add_plugins(bevy::gltf::GltfPlugin::default());
    app.finish();
    app.world_mut().write_message(LoadWorld { scene: "no/such.glb".to_owned() });
    for _ in 0..400 {
        app.update();
        std::thread::sleep(std::time::Duration::from_millis(2));
        if *app.world().resource::<State<WorldState>>().get() == WorldState::Failed {
            break;
        }
    }
    assert_eq!(*app.world().resource::<State<WorldState>>().get(), WorldState::Failed);
    let failed = app.world().resource::<Messages<WorldFailed>>();
    assert_eq!(failed.get_cursor().read(failed).count(), 1);
    let told = app.world().resource::<Messages<Notify>>();
    assert_eq!(told.get_cursor().read(told).count(), 1);
}
