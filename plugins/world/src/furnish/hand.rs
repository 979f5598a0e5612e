//! The piece in hand.

use bevy::prelude::*;
use vestibule_twin::{
    CancelHeld, Catalogue, FurnitureRefused, FurnitureSnap, HeldFurniture, HoldFurniture, PlaceHeld, TurnHeld,
};

use super::{
    Bounds, BrokenModels, FurnishZones, Furniture, FurnitureModel, ModelBounds, Solid, Walls, snap_finely,
    snap_to_grid, snap_to_hang, snap_to_wall, snap_turn,
};
use crate::{
    pointer::{PointedSurface, PointerIgnores, PointingRay},
    scene::Places,
    walk::{HEIGHT, RADIUS, Walker},
};

/// Metres in front of the hand where a piece hangs when nothing is pointed at.
const ARM: f32 = 2.5;
/// Metres that a piece is carried away at most.
const FAR: f32 = 5.0;
/// Metres below the pointed place in which a floor is looked for.
const DROP: f32 = 4.0;

/// What is in hand.
#[derive(Resource, Clone, Debug, Default)]
pub(super) struct Hand {
    piece: Option<InHand>,
}

#[derive(Clone, Debug)]
struct InHand {
    model: String,
    snap: FurnitureSnap,
    entity: Entity,
    position: Vec3,
    yaw: f32,
    turned: f32,
}

/// On the held piece.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(super) struct Held;

/// The material that a mesh of the held piece has when it is not shown red.
#[derive(Component, Clone, Debug)]
pub(super) struct Undyed(Handle<StandardMaterial>);

pub(super) fn take(
    mut requests: MessageReader<HoldFurniture>,
    mut cancels: MessageReader<CancelHeld>,
    catalogue: Res<Catalogue>,
    server: Res<AssetServer>,
    mut hand: ResMut<Hand>,
    mut held: ResMut<HeldFurniture>,
    mut refused: MessageWriter<FurnitureRefused>,
    mut commands: Commands,
) {
    let cancelled = cancels.read().count() > 0;
    let request = requests.read().last();
    if cancelled || request.is_some() {
        if let Some(old) = hand.piece.take() {
            commands.entity(old.entity).try_despawn();
        }
        held.model = None;
        held.blocked = None;
    }
    let Some(HoldFurniture { model }) = request else { return };
    let Some(entry) = catalogue.get(model) else {
        refused.write(FurnitureRefused { reason: format!("The catalogue has no {model}.") });
        return;
    };
    let scene = server.load(GltfAssetLabel::Scene(0).from_asset(entry.model.clone()));
    let name = Name::new(format!("{model} in hand"));
    let entity =
        commands.spawn((Held, FurnitureModel(model.clone()), PointerIgnores, WorldAssetRoot(scene), name)).id();
    hand.piece =
        Some(InHand { model: model.clone(), snap: entry.snap, entity, position: Vec3::ZERO, yaw: 0.0, turned: 0.0 });
    held.model = Some(model.clone());
    held.blocked = Some("It is still being brought.".to_owned());
}

pub(super) fn turn(mut requests: MessageReader<TurnHeld>, mut hand: ResMut<Hand>) {
    let radians: f32 = requests.read().map(|request| request.radians).filter(|radians| radians.is_finite()).sum();
    if radians != 0.0
        && let Some(piece) = &mut hand.piece
    {
        piece.turned = snap_turn(piece.turned + radians);
    }
}

/// Where the piece would stand: its place and yaw, or why there is none.
fn aim(
    piece: &InHand,
    bounds: Option<&Bounds>,
    ray: Ray3d,
    surface: &PointedSurface,
    walls: &Walls,
) -> Result<(Vec3, f32), &'static str> {
    // What is solid counts, not what is to be seen: nothing is carried out through a window.
    let seen = surface.hit.filter(|hit| hit.distance <= FAR).map(|hit| (hit.point, hit.normal));
    let hit = walls.first_hit(ray, FAR).or(seen);
    let at_wall = hit.filter(|(_, normal)| normal.y.abs() < 0.3);
    let mut point = hit.map_or(ray.origin + *ray.direction * ARM, |(point, _)| point);
    if piece.snap == FurnitureSnap::Hang {
        let (on_wall, normal) = at_wall.ok_or("It hangs on a wall: point at one.")?;
        return Ok(snap_to_hang(on_wall, normal));
    }
    // A table is furniture, and no part of the house: what is seen counts.
    if let (FurnitureSnap::Top, Some((point, normal))) = (piece.snap, seen)
        && normal.y > 0.7
    {
        return Ok((snap_finely(point), piece.turned));
    }
    if let (Some((_, normal)), FurnitureSnap::Floor | FurnitureSnap::Top) = (at_wall, piece.snap) {
        // It stops before the wall, by as much as it reaches towards it.
        let solid = bounds.map(|bounds| bounds.at(Vec3::ZERO, piece.turned));
        point += normal * (solid.map_or(0.1, |solid| solid.reach_towards(normal)) + 0.05);
    } else if let Some((_, normal)) = at_wall {
        point += normal * 0.1;
    }
    let pointed_floor = || hit.filter(|(_, normal)| normal.y > 0.7).map(|(point, _)| point.y);
    let floor = walls.floor_below(point + Vec3::Y * 0.1, DROP).or_else(pointed_floor);
    let floor = floor.ok_or("There is no floor.")?;
    match piece.snap {
        FurnitureSnap::Floor => Ok((snap_to_grid(Vec3::new(point.x, floor, point.z)), piece.turned)),
        FurnitureSnap::Top => Ok((snap_finely(Vec3::new(point.x, floor, point.z)), piece.turned)),
        FurnitureSnap::Wall | FurnitureSnap::Hang => {
            let knee = Vec3::new(point.x, floor + 0.4, point.z);
            let wall = at_wall.or_else(|| walls.nearest_wall(knee, 1.5));
            let (on_wall, normal) = wall.ok_or("It stands against a wall: point near one.")?;
            Ok(snap_to_wall(on_wall, normal, floor))
        }
    }
}

/// What keeps a piece from standing at a place.
struct Obstacles<'a, 'w, 's> {
    zones: &'a FurnishZones,
    places: &'a Places,
    furniture: &'a Furniture,
    bounds: &'a ModelBounds,
    broken: &'a BrokenModels,
    catalogue: &'a Catalogue,
    walkers: &'a Query<'w, 's, &'static Transform, (With<Walker>, Without<Held>)>,
    walls: &'a Walls<'w, 's>,
}

impl Obstacles<'_, '_, '_> {
    /// Why a piece of this model cannot stand there; `None`: it can.
    fn at(&self, model: &str, position: Vec3, yaw: f32) -> Option<String> {
        let Some(bounds) = self.bounds.0.get(model) else {
            let broken = self.broken.0.contains(model);
            return Some(if broken { "Its model cannot be loaded." } else { "It is still being brought." }.to_owned());
        };
        let solid = bounds.at(position, yaw);
        let middle = Vec3::new(solid.centre.x, position.y, solid.centre.z);
        let zones = &self.zones.0;
        if !zones.is_empty() && !zones.iter().any(|zone| self.places.is_in(zone, middle)) {
            return Some(format!("Furniture can stand in: {}.", zones.join(", ")));
        }
        if bounds.is_flat() {
            return None;
        }
        if let Some(other) = self.furniture_at(&solid) {
            return Some(format!("{other} stands there."));
        }
        let body = |feet: &Transform| Solid {
            centre: feet.translation,
            half: Vec3::new(RADIUS, HEIGHT / 2.0, RADIUS),
            yaw: 0.0,
        };
        if self.walkers.iter().any(|walker| solid.overlaps(&body(walker))) {
            return Some("You stand there.".to_owned());
        }
        self.walls.hit(&solid).then(|| "Something of the house is in the way.".to_owned())
    }

    fn furniture_at(&self, solid: &Solid) -> Option<&str> {
        let mut others = self.furniture.0.pieces().filter(|other| {
            let Some(bounds) = self.bounds.0.get(&other.model) else { return false };
            !bounds.is_flat() && bounds.at(Vec3::from(other.position), other.yaw).overlaps(solid)
        });
        let other = others.next()?;
        Some(self.catalogue.get(&other.model).map_or(other.model.as_str(), |entry| entry.name.as_str()))
    }
}

pub(super) fn follow(
    (pointing, surface): (Res<PointingRay>, Res<PointedSurface>),
    (zones, places): (Res<FurnishZones>, Res<Places>),
    (furniture, bounds, broken, catalogue): (Res<Furniture>, Res<ModelBounds>, Res<BrokenModels>, Res<Catalogue>),
    walkers: Query<&'static Transform, (With<Walker>, Without<Held>)>,
    walls: Walls,
    mut pieces: Query<(&mut Transform, &mut Visibility), With<Held>>,
    mut hand: ResMut<Hand>,
    mut held: ResMut<HeldFurniture>,
) {
    let Some(piece) = &mut hand.bypass_change_detection().piece else { return };
    let place = pointing
        .ray
        .ok_or("Point at the floor.")
        .and_then(|ray| aim(piece, bounds.0.get(&piece.model), ray, &surface, &walls));
    let blocked = match place {
        Ok((position, yaw)) => {
            (piece.position, piece.yaw) = (position, yaw);
            let obstacles = Obstacles {
                zones: &zones,
                places: &places,
                furniture: &furniture,
                bounds: &bounds,
                broken: &broken,
                catalogue: &catalogue,
                walkers: &walkers,
                walls: &walls,
            };
            obstacles.at(&piece.model, position, yaw)
        }
        Err(why) => Some(why.to_owned()),
    };
    if let Ok((mut transform, mut visibility)) = pieces.get_mut(piece.entity) {
        *transform = Transform::from_translation(piece.position).with_rotation(Quat::from_rotation_y(piece.yaw));
        let seen = if place.is_ok() { Visibility::Inherited } else { Visibility::Hidden };
        visibility.set_if_neq(seen);
    }
    if held.blocked != blocked {
        held.blocked = blocked;
    }
}

pub(super) fn put_down(
    mut requests: MessageReader<PlaceHeld>,
    mut hand: ResMut<Hand>,
    mut held: ResMut<HeldFurniture>,
    mut furniture: ResMut<Furniture>,
    mut refused: MessageWriter<FurnitureRefused>,
    mut commands: Commands,
) {
    if requests.read().count() == 0 {
        return;
    }
    let mut refuse = |reason: String| {
        refused.write(FurnitureRefused { reason });
    };
    let Some(piece) = &hand.piece else { return refuse("Your hands are empty.".to_owned()) };
    if let Some(why) = held.blocked.clone() {
        return refuse(why);
    }
    if furniture.0.place(piece.model.clone(), piece.position.to_array(), piece.yaw).is_none() {
        return refuse(format!("The world is full: at most {} pieces.", super::MAX_PIECES));
    }
    commands.entity(piece.entity).try_despawn();
    hand.piece = None;
    held.model = None;
}

/// Shows the held piece red where it cannot stand, and as it is where it can.
pub(super) fn tint(
    hand: Res<Hand>,
    held: Res<HeldFurniture>,
    children: Query<&Children>,
    mut skins: Query<(&mut MeshMaterial3d<StandardMaterial>, Option<&Undyed>)>,
    mut red: Local<Option<Handle<StandardMaterial>>>,
    materials: Option<ResMut<Assets<StandardMaterial>>>,
    mut commands: Commands,
) {
    let (Some(piece), Some(mut materials)) = (&hand.piece, materials) else { return };
    let red = red.get_or_insert_with(|| {
        materials.add(StandardMaterial {
            base_color: Color::srgba(0.95, 0.16, 0.12, 0.55),
            emissive: LinearRgba::rgb(0.25, 0.02, 0.01),
            alpha_mode: AlphaMode::Blend,
            ..default()
        })
    });
    for entity in children.iter_descendants(piece.entity) {
        let Ok((mut skin, undyed)) = skins.get_mut(entity) else { continue };
        match (held.blocked.is_some(), undyed) {
            (true, None) => {
                commands.entity(entity).insert(Undyed(skin.0.clone()));
                skin.0 = red.clone();
            }
            (false, Some(Undyed(own))) => {
                skin.0 = own.clone();
                commands.entity(entity).remove::<Undyed>();
            }
            _ => {}
        }
    }
}
