use bevy::{camera::primitives::Aabb, camera::visibility::InheritedVisibility, prelude::*};
use vestibule_twin::{PointedTwin, TwinPart, TwinRole, model::TwinId};

use super::{Highlight, PointedSurface, PointerPlugin, PointingHand, PointingRay};
use crate::testing::headless;

fn app() -> App {
    let mut app = headless();
    app.add_plugins(PointerPlugin::default());
    let ray = Ray3d::new(Vec3::new(0.0, 1.6, 0.0), Dir3::NEG_Z);
    app.insert_resource(PointingRay { ray: Some(ray), hand: PointingHand::Controller });
    app
}

fn cube(app: &mut App, z: f32, alpha_mode: AlphaMode) -> Entity {
    let mesh = app.world_mut().resource_mut::<Assets<Mesh>>().add(Cuboid::from_length(1.0));
    let material = StandardMaterial { alpha_mode, ..default() };
    let material = app.world_mut().resource_mut::<Assets<StandardMaterial>>().add(material);
    let bounds = Aabb { center: Vec3::ZERO.into(), half_extents: Vec3::splat(0.5).into() };
    let place = Transform::from_xyz(0.0, 1.6, z);
    app.world_mut()
        .spawn((
            Mesh3d(mesh),
            MeshMaterial3d(material),
            bounds,
            place,
            Visibility::Inherited,
            InheritedVisibility::VISIBLE,
        ))
        .id()
}

fn part(app: &mut App, child: Entity, twin: &str) -> Entity {
    let twin = TwinId::new(twin).unwrap();
    let part = (
        TwinPart { twin, role: TwinRole::Body },
        Transform::default(),
        Visibility::Inherited,
        InheritedVisibility::VISIBLE,
    );
    let part = app.world_mut().spawn(part).id();
    app.world_mut().entity_mut(part).add_child(child);
    part
}

fn pointed(app: &mut App) -> Option<Entity> {
    app.update();
    app.update();
    app.world().resource::<PointedTwin>().target.as_ref().map(|(_, entity)| *entity)
}

#[test]
fn a_part_in_reach_is_pointed_at_and_lit_up_without_touching_its_material() {
    let mut app = app();
    let mesh = cube(&mut app, -3.0, AlphaMode::Opaque);
    let before = app.world().get::<MeshMaterial3d<StandardMaterial>>(mesh).unwrap().0.clone();
    let part = part(&mut app, mesh, "home/lamp");
    assert_eq!(pointed(&mut app), Some(part));
    assert!((app.world().resource::<PointedTwin>().distance - 2.5).abs() < 1e-4);
    let mut skins = app.world_mut().query_filtered::<Entity, With<Highlight>>();
    assert_eq!(skins.iter(app.world()).count(), 1);
    assert_eq!(app.world().get::<MeshMaterial3d<StandardMaterial>>(mesh).unwrap().0, before);
    app.insert_resource(PointingRay { ray: None, hand: PointingHand::Controller });
    assert_eq!(pointed(&mut app), None);
    assert_eq!(skins.iter(app.world()).count(), 0);
}

#[test]
fn walls_block_glass_does_not_and_reach_ends() {
    let mut app = app();
    let mesh = cube(&mut app, -4.0, AlphaMode::Opaque);
    let lamp = part(&mut app, mesh, "home/lamp");
    let glass = cube(&mut app, -2.0, AlphaMode::Blend);
    assert_eq!(pointed(&mut app), Some(lamp), "through the glass");
    let wall = cube(&mut app, -2.5, AlphaMode::Opaque);
    assert_eq!(pointed(&mut app), None, "behind the wall");
    assert_eq!(app.world().resource::<PointedSurface>().hit.map(|hit| hit.entity), Some(wall));
    app.world_mut().despawn(wall);
    app.world_mut().despawn(glass);
    app.world_mut().get_mut::<Transform>(mesh).unwrap().translation.z = -6.0;
    assert_eq!(pointed(&mut app), None, "out of reach");
    assert!(app.world().resource::<PointedSurface>().hit.is_some(), "but in sight");
}
