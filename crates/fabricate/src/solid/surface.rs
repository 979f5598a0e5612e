use std::collections::BTreeMap;

use manifold_rust::{manifold::Manifold, types::MeshGL};

use super::cache::Kept;
use crate::{design::FeatureKey, mesh::Mesh};

/// Without normals: they come from the triangles.
const NO_NORMALS: i32 = -1;

/// The triangles of a solid, by feature in the design's order. The kernel's ids grow while a program runs and so say
/// nothing about the order.
pub(crate) fn of(kept: &Kept, order: &[&FeatureKey]) -> Mesh {
    let raw = Manifold::from_impl((*kept.solid).clone()).get_mesh_gl(NO_NORMALS);
    let places: BTreeMap<&FeatureKey, usize> = order.iter().enumerate().map(|(place, key)| (*key, place)).collect();
    let place_of: BTreeMap<u32, usize> =
        kept.ids.iter().filter_map(|(id, key)| Some((*id, *places.get(key)?))).collect();
    let welded = welded(&raw);
    let mut triangles: Vec<(usize, [u32; 3])> = Vec::with_capacity(raw.tri_verts.len() / 3);
    for (index, corners) in raw.tri_verts.chunks_exact(3).enumerate() {
        let run = raw.run_index.partition_point(|first| *first as usize <= index * 3).saturating_sub(1);
        let place = raw.run_original_id.get(run).and_then(|id| place_of.get(id)).copied();
        let corners = [0, 1, 2].map(|n| welded[corners[n] as usize]);
        triangles.push((place.unwrap_or_default(), lowest_first(corners)));
    }
    triangles.sort_unstable();
    let mut mesh = Mesh { points: points(&raw), ..Mesh::default() };
    for (place, corners) in triangles {
        let first = u32::try_from(mesh.triangles.len()).unwrap_or(u32::MAX);
        if let Some(key) = order.get(place)
            && mesh.of.last().is_none_or(|(_, last)| last != *key)
        {
            mesh.of.push((first, (*key).clone()));
        }
        mesh.triangles.push(corners);
    }
    mesh
}

fn points(raw: &MeshGL) -> Vec<[f32; 3]> {
    let stride = (raw.num_prop as usize).max(3);
    // Adding zero makes -0 a 0: they are the same place and must be the same bits.
    raw.vert_properties.chunks_exact(stride).map(|values| [values[0] + 0.0, values[1] + 0.0, values[2] + 0.0]).collect()
}

/// Points that the kernel keeps apart for their properties are one.
fn welded(raw: &MeshGL) -> Vec<u32> {
    let mut to: Vec<u32> = (0..u32::try_from(raw.num_vert()).unwrap_or(u32::MAX)).collect();
    for (from, into) in raw.merge_from_vert.iter().zip(&raw.merge_to_vert) {
        to[*from as usize] = *into;
    }
    to
}

fn lowest_first([a, b, c]: [u32; 3]) -> [u32; 3] {
    if a <= b && a <= c {
        [a, b, c]
    } else if b <= c {
        [b, c, a]
    } else {
        [c, a, b]
    }
}
