//! What stands in the world: the design on its work stand, what was found on it, and handles.

use std::sync::Arc;

use bevy::{
    light::{NotShadowCaster, NotShadowReceiver},
    picking::mesh_picking::ray_cast::{MeshRayCast, MeshRayCastSettings, RayCastVisibility},
    prelude::*,
};
use vestibule_fabricate::{
    Spot,
    design::{FeatureKey, Material},
};
use vestibule_twin::AtDesign;

use crate::{
    desk::{Desk, Open},
    hand::{Hand, SHARE},
    mesh::{METRE, tint},
    stand::{self, metres},
    work::Picture,
};

/// Metres ahead in which a wall is looked for.
const LOOK: f32 = 4.0;

/// On the entity that everything of the open design is below: its frame, in metres.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct DesignStand;

/// On a body that is drawn.
#[derive(Component, Clone, Debug)]
pub(crate) struct DrawnBody {
    picture: Arc<Picture>,
    body: usize,
}

impl DrawnBody {
    /// The part that a drawn triangle comes from.
    pub(crate) fn feature(&self, triangle: usize) -> Option<&FeatureKey> {
        let (_, from) = self.picture.meshes.get(self.body)?;
        self.picture.solids.bodies.get(self.body)?.mesh.feature(*from.get(triangle)?)
    }
}

/// On what belongs to the last picture.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(crate) struct OfPicture;

/// On what points something out: the chosen part, findings.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(crate) struct Mark;

/// On a handle: its place among them.
#[derive(Component, Clone, Copy, Debug)]
pub(crate) struct HandleMark(pub usize);

/// Meshes and materials that are used again and again.
#[derive(Resource)]
pub(crate) struct Kit {
    disc: Handle<Mesh>,
    shaft: Handle<Mesh>,
    head: Handle<Mesh>,
    ball: Handle<Mesh>,
    wood: Handle<StandardMaterial>,
    steel: Handle<StandardMaterial>,
    axes: [Handle<StandardMaterial>; 3],
    free: Handle<StandardMaterial>,
    lit: Handle<StandardMaterial>,
    chosen: Handle<StandardMaterial>,
    wrong: Handle<StandardMaterial>,
    mind: Handle<StandardMaterial>,
    wrong_pin: Handle<StandardMaterial>,
    mind_pin: Handle<StandardMaterial>,
}

impl FromWorld for Kit {
    fn from_world(world: &mut World) -> Self {
        let mut meshes = world.resource_mut::<Assets<Mesh>>();
        let disc = meshes.add(Cylinder::new(1.0, 1.0).mesh().resolution(64));
        let shaft = meshes.add(Cylinder::new(0.045, 0.62).mesh().resolution(20));
        let head = meshes.add(Cone { radius: 0.14, height: 0.3 }.mesh().resolution(24));
        let ball = meshes.add(Sphere::new(0.16).mesh().ico(4).unwrap_or_else(|_| Sphere::new(0.16).mesh().build()));
        let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
        let mut rough = |color: Color, roughness: f32, metallic: f32| {
            materials.add(StandardMaterial {
                base_color: color,
                perceptual_roughness: roughness,
                metallic,
                ..default()
            })
        };
        let wood = rough(Color::srgb(0.62, 0.47, 0.32), 0.6, 0.0);
        let steel = rough(Color::srgb(0.17, 0.18, 0.2), 0.45, 0.3);
        let mut plain = |color: Color| {
            let alpha_mode = if color.alpha() < 1.0 { AlphaMode::Blend } else { AlphaMode::Opaque };
            materials.add(StandardMaterial { base_color: color, unlit: true, alpha_mode, depth_bias: 8.0, ..default() })
        };
        Self {
            disc,
            shaft,
            head,
            ball,
            wood,
            steel,
            axes: [Color::srgb(0.93, 0.32, 0.30), Color::srgb(0.36, 0.78, 0.40), Color::srgb(0.33, 0.56, 0.96)]
                .map(&mut plain),
            free: plain(Color::srgb(0.95, 0.95, 0.97)),
            lit: plain(Color::srgb(1.0, 0.84, 0.30)),
            chosen: plain(Color::srgba(0.42, 0.72, 1.0, 0.30)),
            wrong: plain(Color::srgba(1.0, 0.16, 0.12, 0.62)),
            mind: plain(Color::srgba(1.0, 0.70, 0.15, 0.50)),
            wrong_pin: plain(Color::srgb(0.95, 0.16, 0.13)),
            mind_pin: plain(Color::srgb(0.98, 0.66, 0.14)),
        }
    }
}

/// How long an arrow is, in metres, seen from an eye.
pub(crate) fn handle_scale(eye: Vec3, at: Vec3) -> f32 {
    (eye.distance(at) * SHARE).clamp(0.03, 0.4)
}

fn look(material: &Material) -> StandardMaterial {
    let [red, green, blue] = material.colour;
    StandardMaterial {
        base_color: Color::srgb_u8(red, green, blue),
        perceptual_roughness: f32::from(material.roughness_permille.min(1_000)) / 1_000.0,
        metallic: if material.metallic { 1.0 } else { 0.0 },
        ..default()
    }
}

/// What of the open design is drawn already.
#[derive(Default)]
pub(crate) struct Drawn {
    id: Option<String>,
    number: u64,
}

/// A change of where it stands that was asked for.
#[derive(Resource, Debug, Default)]
pub(crate) struct Turning(pub f32);

/// Where a design was put, by its id.
#[derive(Resource, Debug, Default)]
pub(crate) struct Ground {
    id: Option<String>,
    place: Transform,
}

/// Finds a place for a design whose first picture has come.
pub(crate) fn ground(
    desk: Res<Desk>,
    eyes: Query<&GlobalTransform, With<Camera3d>>,
    mut rays: MeshRayCast,
    mut ground: ResMut<Ground>,
) {
    let open = desk.open.as_ref();
    let Some((open, picture)) = open.and_then(|open| Some((open, open.picture.as_ref()?))) else {
        if ground.id.is_some() {
            ground.id = None;
        }
        return;
    };
    if ground.id.as_ref() != Some(&open.id) {
        let eye = eyes.iter().next().copied().unwrap_or(GlobalTransform::from_xyz(0.0, 1.6, 0.0));
        *ground = Ground { id: Some(open.id.clone()), place: before(&eye, &picture.solids.bounds(), &mut rays) };
    }
}

/// Draws the last picture. Where there is none yet of a new design, nothing stands there.
pub(crate) fn draw(
    (desk, ground): (Res<Desk>, Res<Ground>),
    mut drawn: Local<Drawn>,
    mut stands: Query<(Entity, &mut Transform), With<DesignStand>>,
    old: Query<Entity, With<OfPicture>>,
    mut turning: ResMut<Turning>,
    kit: Option<Res<Kit>>,
    (mut meshes, mut materials): (ResMut<Assets<Mesh>>, ResMut<Assets<StandardMaterial>>),
    mut commands: Commands,
) {
    let radians = std::mem::take(&mut turning.bypass_change_detection().0);
    let open = desk.open.as_ref();
    let Some((open, picture)) = open.and_then(|open| Some((open, open.picture.as_ref()?))) else {
        stands.iter().for_each(|(entity, _)| commands.entity(entity).despawn());
        *drawn = Drawn::default();
        return;
    };
    let bounds = picture.solids.bounds();
    let same = drawn.id.as_ref() == Some(&open.id);
    if radians != 0.0
        && let Some((_, mut place)) = stands.iter_mut().next()
    {
        *place = stand::turned(&place, &bounds, radians);
    }
    if same && drawn.number == picture.number {
        return;
    }
    let Some(kit) = kit else {
        commands.init_resource::<Kit>();
        return;
    };
    let root = match stands.iter().next().filter(|_| same) {
        Some((root, _)) => root,
        None => {
            stands.iter().for_each(|(entity, _)| commands.entity(entity).despawn());
            commands.spawn((DesignStand, ground.place, Visibility::default(), Name::new("design"))).id()
        }
    };
    old.iter().for_each(|entity| commands.entity(entity).try_despawn());
    for (body, (mesh, _)) in picture.meshes.iter().enumerate() {
        let Some(solid) = picture.solids.bodies.get(body) else { continue };
        commands.spawn((
            (OfPicture, DrawnBody { picture: Arc::clone(picture), body }),
            Mesh3d(meshes.add(mesh.clone())),
            MeshMaterial3d(materials.add(look(&solid.material))),
            Name::new(solid.name.clone()),
            ChildOf(root),
        ));
    }
    pedestal(&bounds, &kit, root, &mut commands);
    *drawn = Drawn { id: Some(open.id.clone()), number: picture.number };
}

/// Where it stands before the person, out of walls and floors.
fn before(eye: &GlobalTransform, bounds: &vestibule_fabricate::Bounds, rays: &mut MeshRayCast<'_, '_>) -> Transform {
    let ahead = Ray3d::new(eye.translation(), stand::level(eye));
    let first = |rays: &mut MeshRayCast<'_, '_>, ray: Ray3d| {
        let settings = MeshRayCastSettings::default().with_visibility(RayCastVisibility::Visible);
        let hit = rays.cast_ray(ray, &settings).first().map(|(_, hit)| hit.distance);
        hit.filter(|metres| *metres < LOOK)
    };
    let wall = first(rays, ahead);
    let place = stand::pose(eye, bounds, wall, None);
    let above = Vec3::new(place.translation.x, eye.translation().y, place.translation.z);
    let floor = first(rays, Ray3d::new(above, Dir3::NEG_Y)).map(|metres| above.y - metres);
    stand::pose(eye, bounds, wall, floor)
}

/// A round table top under it, on a leg that goes down as far as a table's does.
fn pedestal(bounds: &vestibule_fabricate::Bounds, kit: &Kit, root: Entity, commands: &mut Commands) {
    let (low, high) = metres(bounds);
    let (size, middle) = (high - low, (high + low) / 2.0);
    let radius = Vec2::new(size.x, size.z).length() / 2.0 + 0.03;
    let (thick, leg) = (0.016, 0.22);
    let mut piece = |mesh: &Handle<Mesh>, material: &Handle<StandardMaterial>, y: f32, scale: Vec3| {
        let place = Transform::from_xyz(middle.x, y, middle.z).with_scale(scale);
        let look = (Mesh3d(mesh.clone()), MeshMaterial3d(material.clone()));
        commands.spawn((OfPicture, look, place, Name::new("work stand"), ChildOf(root)));
    };
    piece(&kit.disc, &kit.wood, low.y - thick / 2.0, Vec3::new(radius, thick, radius));
    piece(&kit.disc, &kit.steel, low.y - thick - leg / 2.0, Vec3::new(0.016, leg, 0.016));
    piece(&kit.disc, &kit.steel, low.y - thick - leg, Vec3::new(0.5 * radius, 0.008, 0.5 * radius));
}

/// Points out the chosen part and what was found.
pub(crate) fn mark(
    desk: Res<Desk>,
    kit: Option<Res<Kit>>,
    (roots, old): (Query<Entity, With<DesignStand>>, Query<Entity, With<Mark>>),
    mut meshes: ResMut<Assets<Mesh>>,
    mut commands: Commands,
) {
    let (Some(kit), true) = (kit, desk.is_changed()) else { return };
    old.iter().for_each(|entity| commands.entity(entity).try_despawn());
    let open = desk.open.as_ref().and_then(|open| Some((open, open.picture.as_ref()?, roots.iter().next()?)));
    let Some((open, picture, root)) = open else { return };
    let skin = |commands: &mut Commands, mesh: Handle<Mesh>, material: &Handle<StandardMaterial>| {
        let look = (Mesh3d(mesh), MeshMaterial3d(material.clone()), NotShadowCaster, NotShadowReceiver);
        commands.spawn((Mark, look, Transform::default(), ChildOf(root)));
    };
    for mesh in chosen(open, picture) {
        skin(&mut commands, meshes.add(mesh), &kit.chosen);
    }
    // What was found belongs to the picture that was looked at.
    let Some((_, found)) = open.found.as_ref().filter(|(number, _)| *number == picture.number) else { return };
    for (index, finding) in found.iter().enumerate() {
        let pointed = open.pointed == Some(index);
        if !pointed && (open.pointed.is_some() || !finding.blocks) {
            continue;
        }
        let (wash, pin) = if finding.blocks { (&kit.wrong, &kit.wrong_pin) } else { (&kit.mind, &kit.mind_pin) };
        for (body, solid) in picture.solids.bodies.iter().enumerate() {
            let places: Vec<&Spot> = finding.places.iter().filter(|place| place.body == body).collect();
            if let Some(mesh) = tint(&solid.mesh, &places) {
                skin(&mut commands, meshes.add(mesh), wash);
            }
            places.iter().for_each(|place| needle(place, &kit, pin, root, &mut commands));
        }
    }
}

/// The chosen part's surface.
fn chosen(open: &Open, picture: &Picture) -> Vec<Mesh> {
    let Some(part) = &open.selected else { return Vec::new() };
    let of_part = |mesh: &vestibule_fabricate::Mesh| {
        let all = 0..u32::try_from(mesh.triangles.len()).unwrap_or(u32::MAX);
        let triangles = all.filter(|triangle| mesh.feature(*triangle) == Some(part)).collect();
        tint(mesh, &[&Spot { body: 0, at: [0.0; 3], normal: [0.0; 3], triangles }])
    };
    picture.solids.bodies.iter().filter_map(|body| of_part(&body.mesh)).collect()
}

/// A pin whose point is at a place.
fn needle(place: &Spot, kit: &Kit, material: &Handle<StandardMaterial>, root: Entity, commands: &mut Commands) {
    let at = Vec3::from(place.at) * METRE;
    let out = Vec3::from(place.normal).try_normalize().unwrap_or(Vec3::Y);
    let turn = Quat::from_rotation_arc(Vec3::Y, out);
    let mut piece = |mesh: &Handle<Mesh>, far: f32, turn: Quat, scale: f32| {
        let place = Transform { translation: at + out * far, rotation: turn, scale: Vec3::splat(scale) };
        let look = (Mesh3d(mesh.clone()), MeshMaterial3d(material.clone()), NotShadowCaster, NotShadowReceiver);
        commands.spawn((Mark, look, place, ChildOf(root)));
    };
    // A cone upside down, and a ball on it.
    piece(&kit.head, 0.0045, turn * Quat::from_rotation_x(std::f32::consts::PI), 0.03);
    piece(&kit.ball, 0.0125, turn, 0.036);
}

/// Spawns the handles, moves them with the hand that holds one, and keeps them as large on the screen.
pub(crate) fn handles(
    (desk, hand, at): (Res<Desk>, Res<Hand>, Res<AtDesign>),
    kit: Option<Res<Kit>>,
    roots: Query<(Entity, &Transform), (With<DesignStand>, Without<HandleMark>)>,
    mut shown: Query<(Entity, &HandleMark, &mut Transform)>,
    eyes: Query<&GlobalTransform, With<Camera3d>>,
    mut before: Local<Option<(u64, Option<usize>, bool)>>,
    mut commands: Commands,
) {
    let open = desk.open.as_ref().filter(|_| at.0);
    let (Some(kit), Some(open), Some((root, stands))) = (kit, open, roots.iter().next()) else {
        shown.iter().for_each(|(entity, ..)| commands.entity(entity).try_despawn());
        *before = None;
        return;
    };
    let held = open.held.as_ref();
    let lit = held.map(|held| held.index).or(hand.hovered);
    let number = open.report.as_ref().map_or(0, |report| report.number);
    let eye = eyes.iter().next().map(GlobalTransform::translation).unwrap_or_default();
    let place = |index: usize| {
        let handle = open.handles().get(index)?;
        let moved = held.filter(|held| held.index == index).map_or([0.0; 3], |held| held.moved);
        let at = (Vec3::from(handle.at) + Vec3::from(moved)) * METRE;
        let scale = handle_scale(eye, stands.transform_point(at));
        let along = Vec3::from(handle.along);
        let rotation = along.try_normalize().map_or(Quat::IDENTITY, |along| Quat::from_rotation_arc(Vec3::Y, along));
        Some(Transform { translation: at, rotation, scale: Vec3::splat(scale) })
    };
    // While a hand holds one, the others are out of its way.
    let now = Some((number, lit, held.is_some()));
    if *before != now {
        shown.iter().for_each(|(entity, ..)| commands.entity(entity).try_despawn());
        for (index, handle) in open.handles().iter().enumerate() {
            let along = Vec3::from(handle.along);
            if let Some(place) = place(index).filter(|_| held.is_none_or(|held| held.index == index)) {
                spawn((index, along, place), lit == Some(index), &kit, root, &mut commands);
            }
        }
        *before = now;
        return;
    }
    for (_, mark, mut transform) in &mut shown {
        if let Some(place) = place(mark.0) {
            transform.set_if_neq(place);
        }
    }
}

fn spawn((index, along, place): (usize, Vec3, Transform), lit: bool, kit: &Kit, root: Entity, commands: &mut Commands) {
    let axis = kit.axes.iter().zip(along.to_array()).find(|(_, part)| part.abs() > 0.5).map(|(material, _)| material);
    let material = if lit { &kit.lit } else { axis.unwrap_or(&kit.free) };
    let look = |mesh: &Handle<Mesh>| (Mesh3d(mesh.clone()), MeshMaterial3d(material.clone()), NotShadowCaster);
    let name = Name::new("handle");
    let mut entity = commands.spawn((HandleMark(index), place, Visibility::default(), name, ChildOf(root)));
    if axis.is_none() {
        entity.with_child((look(&kit.ball), Transform::default()));
        return;
    }
    entity.with_children(|pieces| {
        pieces.spawn((look(&kit.shaft), Transform::from_xyz(0.0, 0.41, 0.0)));
        pieces.spawn((look(&kit.head), Transform::from_xyz(0.0, 0.85, 0.0)));
    });
}
