//! Somebody's own game with its own door: the marked lines make it follow a real one.
//!
//!     cargo enabler serve --data DIR --quic 127.0.0.1:7743 --mqtt mqtt://BROKER
//!     cargo enabler pair --data DIR
//!     cargo run --package vestibule-examples --example drop_in -- 127.0.0.1:7743 CODE

use bevy::prelude::*;
use vestibule::prelude::*; // 1

/// The game's own.
#[derive(Component)]
pub struct MyDoor;

#[allow(dead_code, reason = "the tests take the rest of this file without its main")]
fn main() -> Result {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "127.0.0.1:7743".to_owned());
    let connection = connect(&server, arguments.next().as_deref(), "./drop_in-keys")?; // 2
    let mut app = App::new();
    app.add_plugins((DefaultPlugins, VestibulePlugins)); // 3
    app.world_mut().spawn(connection); // 4
    app.add_systems(Startup, build_house).run();
    Ok(())
}

/// The game's own house: a door leaf with its hinge on the left.
pub fn build_house(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut paint: ResMut<Assets<StandardMaterial>>,
) -> Result {
    let panel = Mesh::from(Cuboid::new(0.9, 2.0, 0.05)).translated_by(Vec3::new(0.45, 1.0, 0.0));
    let front_door = TwinId::new("home/front_door")?; // 5
    commands.spawn((
        MyDoor,
        Mesh3d(meshes.add(panel)),
        MeshMaterial3d(paint.add(Color::srgb(0.2, 0.4, 0.3))),
        Twin(front_door),    // 6
        DoorLeaf::default(), // 7
    ));
    commands.spawn((DirectionalLight::default(), Transform::from_xyz(1.0, 3.0, 2.0).looking_at(Vec3::ZERO, Vec3::Y)));
    commands
        .spawn((Camera3d::default(), Transform::from_xyz(0.4, 1.5, 3.0).looking_at(Vec3::new(0.4, 1.0, 0.0), Vec3::Y)));
    Ok(())
}
