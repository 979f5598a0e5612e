//! From a body's triangles to what is drawn. Pure; made on the thread that evaluates, so that no frame waits for it.

use std::collections::HashMap;

use bevy::{
    asset::RenderAssetUsages,
    mesh::{Indices, PrimitiveTopology},
    prelude::*,
};
use vestibule_fabricate::Spot;

/// Metres of a millimetre.
pub(crate) const METRE: f32 = 0.001;
/// Faces that meet at less than this angle look as one round one: its cosine, 30 degrees.
const CREASE: f32 = 0.866;
/// Metres that a tint lies above the surface.
const LIFT: f32 = 0.000_15;

/// Square to each triangle, as long as twice its area.
fn faces(mesh: &vestibule_fabricate::Mesh) -> Vec<Vec3> {
    let point = |index: u32| mesh.points.get(index as usize).copied().map(Vec3::from).unwrap_or_default();
    let face = |[a, b, c]: &[u32; 3]| {
        let (a, b, c) = (point(*a), point(*b), point(*c));
        (b - a).cross(c - a)
    };
    mesh.triangles.iter().map(face).collect()
}

fn build(points: Vec<[f32; 3]>, normals: Vec<[f32; 3]>, indices: Vec<u32>) -> Mesh {
    let usages = RenderAssetUsages::MAIN_WORLD | RenderAssetUsages::RENDER_WORLD;
    // Without it, some pipelines of the standard material complain.
    let uvs = vec![[0.0_f32; 2]; points.len()];
    Mesh::new(PrimitiveTopology::TriangleList, usages)
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, points)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, uvs)
        .with_inserted_indices(Indices::U32(indices))
}

/// The surface of a body in metres: round where it is round, sharp where it has edges. And for each triangle that is
/// drawn, which one of the body's it is.
pub(crate) fn surface(mesh: &vestibule_fabricate::Mesh) -> (Mesh, Vec<u32>) {
    let faces = faces(mesh);
    let mut around: Vec<Vec<u32>> = vec![Vec::new(); mesh.points.len()];
    for (triangle, corners) in (0_u32..).zip(&mesh.triangles) {
        for corner in corners {
            if let Some(around) = around.get_mut(*corner as usize) {
                around.push(triangle);
            }
        }
    }
    let (mut points, mut normals, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    let mut from = Vec::with_capacity(faces.len());
    let mut known: HashMap<(u32, [u32; 3]), u32> = HashMap::new();
    for (triangle, (corners, face)) in (0_u32..).zip(mesh.triangles.iter().zip(&faces)) {
        // Without an area nobody sees it.
        let Some(own) = face.try_normalize() else { continue };
        from.push(triangle);
        for corner in corners {
            let near =
                around.get(*corner as usize).into_iter().flatten().filter_map(|other| faces.get(*other as usize));
            let alike = near.filter(|other| other.normalize_or_zero().dot(own) > CREASE);
            let normal = alike.sum::<Vec3>().try_normalize().unwrap_or(own).to_array();
            let next = u32::try_from(points.len()).unwrap_or(u32::MAX);
            let index = *known.entry((*corner, normal.map(f32::to_bits))).or_insert(next);
            if index == next {
                points.push(mesh.points.get(*corner as usize).copied().unwrap_or_default().map(|mm| mm * METRE));
                normals.push(normal);
            }
            indices.push(index);
        }
    }
    (build(points, normals, indices), from)
}

/// The triangles of places, a hair above the surface, in metres.
pub(crate) fn tint(mesh: &vestibule_fabricate::Mesh, places: &[&Spot]) -> Option<Mesh> {
    let (mut points, mut normals) = (Vec::new(), Vec::new());
    let triangles = places.iter().flat_map(|place| &place.triangles);
    for corners in triangles.filter_map(|triangle| mesh.triangles.get(*triangle as usize)) {
        let at = corners.map(|corner| mesh.points.get(corner as usize).copied().map(Vec3::from).unwrap_or_default());
        let Some(normal) = (at[1] - at[0]).cross(at[2] - at[0]).try_normalize() else { continue };
        for point in at {
            points.push((point * METRE + normal * LIFT).to_array());
            normals.push(normal.to_array());
        }
    }
    let count = u32::try_from(points.len()).ok().filter(|count| *count > 0)?;
    Some(build(points, normals, (0..count).collect()))
}

#[cfg(test)]
mod tests {
    use vestibule_fabricate::{Budget, Evaluator, Start};

    use super::*;

    #[test]
    fn a_lamp_is_round_and_has_its_true_size() {
        let solids = Evaluator::new().evaluate(&Start::Lamp.design(), &Budget::default()).unwrap();
        for body in &solids.bodies {
            let (mesh, from) = surface(&body.mesh);
            assert_eq!(from.len() * 3, mesh.indices().unwrap().len());
            let drawn = mesh.attribute(Mesh::ATTRIBUTE_POSITION).unwrap().as_float3().unwrap();
            let high = drawn.iter().map(|point| point[1]).fold(0.0, f32::max);
            assert!((f64::from(high) * 1_000.0 - body.bounds.high[1]).abs() < 1e-2);
            let normals = mesh.attribute(Mesh::ATTRIBUTE_NORMAL).unwrap().as_float3().unwrap();
            assert!(normals.iter().all(|normal| (Vec3::from(*normal).length() - 1.0).abs() < 1e-4));
            assert!(drawn.len() < body.mesh.triangles.len() * 3, "round sides share their points");
        }
    }

    #[test]
    fn only_the_places_are_tinted() {
        let solids = Evaluator::new().evaluate(&Start::Hook.design(), &Budget::default()).unwrap();
        let spot = Spot { body: 0, at: [0.0; 3], normal: [0.0; 3], triangles: vec![0, 1, 1_000_000] };
        let mesh = tint(&solids.bodies[0].mesh, &[&spot]).unwrap();
        assert_eq!(mesh.count_vertices(), 6, "what is not there is left out");
        assert!(tint(&solids.bodies[0].mesh, &[]).is_none());
    }
}
