//! From the nodes of a spawned scene to parts, places and colliders.

use bevy::{gltf::GltfExtras, math::Affine3A, prelude::*};
use bevy_rapier3d::prelude::{Collider, ComputedColliderShape, TriMeshFlags};
use vestibule_twin::TwinPart;

use super::{Anchor, ColliderKind, NodeMeaning, Places, SpawnPoint, Waypoint, Zone, read_extras};
use crate::world_file::Binding;

/// Nodes of a scene that are looked at. A house has a few hundred.
const MAX_NODES: usize = 50_000;

/// A spawned mesh whose light is baked (docs/world-format.md, `vestibule_lightmap`).
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Lightmapped;

/// What [`bind`] found.
#[derive(Debug, Default)]
pub(super) struct Bound {
    pub places: Places,
    pub problems: Vec<String>,
    pub parts: usize,
}

/// What binding reads.
pub(super) struct Scene<'a, 'w, 's> {
    pub nodes: &'a Query<'w, 's, (&'static Transform, Option<&'static Name>, Option<&'static GltfExtras>)>,
    pub children: &'a Query<'w, 's, &'static Children>,
    pub solids: &'a Query<'w, 's, &'static Mesh3d>,
    pub meshes: Option<&'a Assets<Mesh>>,
}

/// Walks from `root` and inserts what each node means. Bindings by node name win over extras.
pub(super) fn bind(root: Entity, scene: &Scene, bindings: &[Binding], commands: &mut Commands) -> Bound {
    let mut bound = Bound::default();
    let mut open = vec![(root, Affine3A::IDENTITY, false)];
    let mut seen = 0;
    while let Some((entity, above, baked)) = open.pop() {
        seen += 1;
        if seen > MAX_NODES {
            bound.problems.push(format!("only the first {MAX_NODES} nodes of the world are used"));
            break;
        }
        let Ok((transform, name, extras)) = scene.nodes.get(entity) else { continue };
        let here = above * transform.compute_affine();
        let (mut meaning, problems) = extras.map_or_else(Default::default, |extras| read_extras(&extras.value));
        let label = name.map_or("a node", Name::as_str);
        bound.problems.extend(problems.into_iter().map(|problem| format!("{label}: {problem}")));
        for binding in bindings.iter().filter(|binding| binding.node == label) {
            match binding.part() {
                Ok(part) => meaning.part = Some(part),
                Err(problem) => bound.problems.push(format!("{label}: {problem}")),
            }
        }
        let baked = baked || meaning.lightmap;
        if baked && scene.solids.contains(entity) {
            commands.entity(entity).insert(Lightmapped);
        }
        insert_collider(entity, meaning.collider, scene, commands);
        insert_meaning(entity, here, meaning, &mut bound, commands);
        open.extend(scene.children.iter_descendants_depth_one(entity).map(|child| (child, here, baked)));
    }
    bound
}

/// The direct children of an entity.
trait DirectChildren {
    fn iter_descendants_depth_one(&self, entity: Entity) -> impl Iterator<Item = Entity>;
}

impl DirectChildren for Query<'_, '_, &'static Children> {
    fn iter_descendants_depth_one(&self, entity: Entity) -> impl Iterator<Item = Entity> {
        self.get(entity).into_iter().flat_map(|children| children.iter())
    }
}

fn insert_meaning(entity: Entity, here: Affine3A, meaning: NodeMeaning, bound: &mut Bound, commands: &mut Commands) {
    let mut node = commands.entity(entity);
    let place = || Transform::from_matrix(Mat4::from(here));
    if let Some((twin, role)) = meaning.part {
        node.insert(TwinPart { twin, role });
        bound.parts += 1;
    }
    if let Some(making) = meaning.making {
        node.insert(making);
    }
    if let Some(level) = meaning.level {
        node.insert(level);
    }
    if let Some(name) = meaning.zone {
        let zone = Zone { name, frame: here };
        node.insert(zone.clone());
        bound.places.zones.push(zone);
    }
    if let Some(name) = meaning.spawn {
        node.insert(SpawnPoint(name.clone()));
        bound.places.spawns.insert(name, place());
    }
    if let Some(name) = meaning.waypoint {
        node.insert(Waypoint(name.clone()));
        bound.places.waypoints.insert(name, place());
    }
    if let Some(name) = meaning.anchor {
        node.insert(Anchor(name.clone()));
        bound.places.anchors.insert(name, place());
    }
}

/// A collider for each of the node's own primitives, or one box around them. Without a rigid body they are fixed, and
/// follow their entity where something moves it.
fn insert_collider(entity: Entity, kind: ColliderKind, scene: &Scene, commands: &mut Commands) {
    let Some(meshes) = scene.meshes else { return };
    if kind == ColliderKind::None {
        return;
    }
    let own = || {
        let primitives = scene.children.iter_descendants_depth_one(entity).chain([entity]);
        primitives.filter_map(|child| Some((child, meshes.get(&scene.solids.get(child).ok()?.0)?)))
    };
    if kind == ColliderKind::Mesh {
        for (child, mesh) in own() {
            let shape = ComputedColliderShape::TriMesh(TriMeshFlags::FIX_INTERNAL_EDGES);
            if let Some(collider) = Collider::from_bevy_mesh(mesh, &shape) {
                commands.entity(child).insert(collider);
            }
        }
        return;
    }
    let corners = own().filter_map(|(_, mesh)| mesh_bounds(mesh));
    if let Some((low, high)) = corners.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) {
        commands.entity(entity).insert(box_collider(low, high));
    }
}

/// The corners of a mesh's positions, in its own frame; `None` where it has none.
pub(crate) fn mesh_bounds(mesh: &Mesh) -> Option<(Vec3, Vec3)> {
    let positions = mesh.attribute(Mesh::ATTRIBUTE_POSITION)?.as_float3()?;
    let points = positions.iter().map(|position| Vec3::from(*position)).filter(|point| point.is_finite());
    points.map(|point| (point, point)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// A fixed box from corner to corner, at least a millimetre thick.
pub(crate) fn box_collider(low: Vec3, high: Vec3) -> Collider {
    let half = ((high - low) / 2.0).max(Vec3::splat(0.0005));
    Collider::compound(vec![((low + high) / 2.0, Quat::IDENTITY, Collider::cuboid(half.x, half.y, half.z))])
}
