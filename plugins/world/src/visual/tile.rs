//! A simple body for a device that nobody modelled: a tile with what the device is like on it.

use std::collections::HashMap;

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_twin::{
    TwinPart, TwinRole,
    model::{FeatureKind, TwinId, TwinInfo},
};

use super::TwinVisual;

/// What a tile looks like: the most telling of the twin's features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileKind {
    /// A glowing orb.
    Lamp,
    /// A padlock.
    Lock,
    /// Slats that gather.
    Cover,
    /// A rocker.
    Switch,
    /// A lens.
    Camera,
    /// A ring, as of a thermostat.
    Climate,
    /// A disc.
    Sensor,
    /// A push button.
    Button,
}

impl TileKind {
    /// The kind of tile for a twin with these features.
    #[must_use]
    pub fn of(info: &TwinInfo) -> Self {
        use FeatureKind as F;
        let kinds: [(Self, &[F]); 8] = [
            (Self::Lamp, &[F::Light]),
            (Self::Lock, &[F::Lock]),
            (Self::Cover, &[F::Cover]),
            (Self::Camera, &[F::Camera, F::Image]),
            (Self::Climate, &[F::Climate]),
            (Self::Switch, &[F::Switch]),
            (Self::Button, &[F::Button, F::Event, F::Number, F::Select]),
            (Self::Sensor, &[F::BinarySensor, F::Sensor]),
        ];
        let has = |wanted: &[F]| info.features.values().any(|feature| wanted.contains(&feature.kind));
        kinds.iter().find(|(_, wanted)| has(wanted)).map_or(Self::Sensor, |(kind, _)| *kind)
    }
}

/// Shapes and materials that tiles share, made once.
#[derive(Resource, Default)]
pub(super) struct TileLook {
    shapes: HashMap<&'static str, Handle<Mesh>>,
    paints: HashMap<&'static str, Handle<StandardMaterial>>,
}

/// What tiles are made of; absent without a renderer's assets.
#[derive(SystemParam)]
pub(super) struct TileAssets<'w> {
    meshes: Option<ResMut<'w, Assets<Mesh>>>,
    materials: Option<ResMut<'w, Assets<StandardMaterial>>>,
}

/// The assets, there.
pub(super) struct Made<'w> {
    meshes: ResMut<'w, Assets<Mesh>>,
    materials: ResMut<'w, Assets<StandardMaterial>>,
}

impl<'w> TileAssets<'w> {
    pub fn get(self) -> Option<Made<'w>> {
        Some(Made { meshes: self.meshes?, materials: self.materials? })
    }
}

/// One piece of a tile: which shape and paint, where, and what it does for the twin.
type Piece = (&'static str, &'static str, Transform, Option<TwinRole>);

fn shape(name: &str) -> Mesh {
    match name {
        "board" => Cuboid::new(0.22, 0.26, 0.018).into(),
        "orb" => Sphere::new(0.055).mesh().uv(32, 18),
        "dot" => Sphere::new(0.009).mesh().uv(16, 10),
        "block" => Cuboid::new(0.09, 0.075, 0.035).into(),
        "bow" => Torus::new(0.022, 0.036).into(),
        "slats" => Cuboid::new(0.15, 0.15, 0.012).into(),
        "rocker" => Cuboid::new(0.06, 0.09, 0.02).into(),
        "lens" => Cylinder::new(0.045, 0.05).into(),
        "ring" => Torus::new(0.045, 0.065).into(),
        "knob" => Cylinder::new(0.032, 0.025).into(),
        _ => Cylinder::new(0.05, 0.016).into(),
    }
}

fn paint(name: &str) -> StandardMaterial {
    let (colour, roughness, metallic) = match name {
        "board" => (Color::srgb(0.90, 0.89, 0.86), 0.7, 0.0),
        "milk" => (Color::srgb(0.95, 0.94, 0.90), 0.35, 0.0),
        "brass" => (Color::srgb(0.80, 0.62, 0.30), 0.35, 0.9),
        "steel" => (Color::srgb(0.62, 0.64, 0.66), 0.3, 0.9),
        "black" => (Color::srgb(0.05, 0.055, 0.065), 0.25, 0.1),
        "linen" => (Color::srgb(0.80, 0.74, 0.64), 0.9, 0.0),
        _ => (Color::srgb(0.75, 0.77, 0.79), 0.5, 0.0),
    };
    StandardMaterial { base_color: colour, perceptual_roughness: roughness, metallic, ..default() }
}

/// The pieces of a tile whose front looks along -Z and whose back is at the origin.
fn pieces(kind: TileKind) -> Vec<Piece> {
    let at = |x: f32, y: f32, z: f32| Transform::from_xyz(x, y, z);
    // Cylinders and rings stand along Y; here they look out of the wall.
    let out = |y: f32, z: f32| at(0.0, y, z).with_rotation(Quat::from_rotation_x(std::f32::consts::FRAC_PI_2));
    let mut pieces: Vec<Piece> = vec![("board", "board", at(0.0, 0.0, -0.009), None)];
    pieces.extend::<Vec<Piece>>(match kind {
        TileKind::Lamp => vec![
            ("knob", "steel", out(0.02, -0.03), None),
            ("orb", "milk", at(0.0, 0.02, -0.085), Some(TwinRole::Lamp { lumens: 90.0 })),
        ],
        TileKind::Lock => vec![
            ("block", "brass", at(0.0, 0.0, -0.035), None),
            (
                "bow",
                "steel",
                at(0.0, 0.045, -0.035).with_rotation(Quat::from_rotation_x(std::f32::consts::FRAC_PI_2)),
                None,
            ),
        ],
        TileKind::Cover => vec![
            ("block", "steel", at(0.0, 0.10, -0.03).with_scale(Vec3::new(1.9, 0.3, 0.8)), None),
            ("slats", "linen", at(0.0, 0.09, -0.03), Some(TwinRole::Blind)),
        ],
        TileKind::Switch => {
            vec![("rocker", "milk", at(0.0, 0.015, -0.026).with_rotation(Quat::from_rotation_x(0.12)), None)]
        }
        TileKind::Camera => {
            vec![("lens", "black", out(0.015, -0.04), None), ("dot", "steel", at(0.0, 0.015, -0.066), None)]
        }
        TileKind::Climate => {
            vec![("disc", "black", out(0.015, -0.024), None), ("ring", "steel", out(0.015, -0.03), None)]
        }
        TileKind::Sensor => vec![("disc", "milk", out(0.015, -0.026), None)],
        TileKind::Button => {
            vec![("disc", "steel", out(0.015, -0.024), None), ("knob", "milk", out(0.015, -0.034), None)]
        }
    });
    pieces.push(("dot", "light", at(0.085, -0.105, -0.02), Some(TwinRole::Indicator)));
    pieces
}

pub(super) fn spawn(
    visual: TwinVisual,
    place: Transform,
    look: &mut TileLook,
    assets: &mut Made,
    commands: &mut Commands,
) {
    let twin: TwinId = visual.twin.clone();
    let kind = visual.tile.unwrap_or(TileKind::Sensor);
    let part = |role| TwinPart { twin: twin.clone(), role };
    let name = Name::new(format!("tile of {twin}"));
    let mut tile = commands.spawn((visual, part(TwinRole::Body), place, Visibility::default(), name));
    for (form, colour, at, role) in pieces(kind) {
        let mesh = look.shapes.entry(form).or_insert_with(|| assets.meshes.add(shape(form))).clone();
        let skin = look.paints.entry(colour).or_insert_with(|| assets.materials.add(paint(colour))).clone();
        tile.with_children(|children| {
            // A blind gathers about its top: its mesh hangs below its part.
            let hang = if role == Some(TwinRole::Blind) { Vec3::Y * -0.075 } else { Vec3::ZERO };
            let mut piece = children.spawn((at, Visibility::default()));
            if let Some(role) = role {
                piece.insert(part(role));
            }
            piece.with_child((Mesh3d(mesh), MeshMaterial3d(skin), Transform::from_translation(hang)));
        });
    }
}
