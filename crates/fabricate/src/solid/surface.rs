use std::collections::BTreeMap;

use manifold_rust::impl_mesh::ManifoldImpl;

use super::cache::Kept;
use crate::{
    design::FeatureKey,
    mesh::{Mesh, narrow},
};

/// The triangles of a solid, by feature in the design's order. The kernel's ids grow while a program runs and so say
/// nothing about the order.
pub(crate) fn of(kept: &Kept, order: &[&FeatureKey]) -> Mesh {
    let solid = &*kept.solid;
    let places: BTreeMap<&FeatureKey, u32> = order.iter().copied().zip(0..).collect();
    let place_of: BTreeMap<i32, u32> = kept.ids.iter().filter_map(|(id, key)| Some((*id, *places.get(key)?))).collect();
    let corner = |corner: usize| u32::try_from(solid.halfedge[corner].start_vert).unwrap_or_default();
    let mut last = (-1, 0);
    let mut triangles = Vec::with_capacity(solid.num_tri());
    for (index, from) in solid.mesh_relation.tri_ref.iter().enumerate() {
        if from.original_id != last.0 {
            last = (from.original_id, place_of.get(&from.original_id).copied().unwrap_or_default());
        }
        let [a, b, c] = lowest_first([0, 1, 2].map(|n| corner(index * 3 + n)));
        // One number each is sorted twice as fast as four.
        triangles.push([last.1, a, b, c].into_iter().fold(0_u128, |all, part| all << 32 | u128::from(part)));
    }
    triangles.sort_unstable();
    let mut mesh = Mesh { points: points(solid), ..Mesh::default() };
    mesh.triangles.reserve_exact(triangles.len());
    for (first, all) in (0_u32..).zip(triangles) {
        #[expect(clippy::cast_possible_truncation, reason = "its parts are taken out again")]
        let [place, a, b, c] = [96, 64, 32, 0].map(|shift| (all >> shift) as u32);
        if let Some(key) = order.get(place as usize)
            && mesh.of.last().is_none_or(|(_, last)| last != *key)
        {
            mesh.of.push((first, (*key).clone()));
        }
        mesh.triangles.push([a, b, c]);
    }
    mesh
}

fn points(solid: &ManifoldImpl) -> Vec<[f32; 3]> {
    // Adding zero makes -0 a 0: they are the same place and must be the same bits.
    solid.vert_pos.iter().map(|at| narrow([at.x, at.y, at.z]).map(|value| value + 0.0)).collect()
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
