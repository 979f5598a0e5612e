use manifold_rust::{csg_tree::CsgNode, manifold::Manifold, types::OpType};

use super::{Finding, FindingKind, Machine, Spot, volume::hull};
use crate::{
    mesh::narrow,
    solid::{Body, Cancel, Solids, kernel},
};

/// How far inside of what it stands on the weight has to be, in millimetres.
const MARGIN: f64 = 2.0;
/// A common volume, in cubic millimetres, that is more than touching.
const COMMON: f64 = 1.0;

/// Whether a body falls over while it is made.
pub(crate) fn check(index: usize, body: &Body, machine: &Machine) -> Option<Finding> {
    let floor = body.bounds.low[1];
    let mut weight = [0.0; 4];
    for triangle in 0..body.mesh.triangles.len() {
        let volume = body.mesh.signed_volume(triangle);
        weight[3] += volume;
        for corner in body.mesh.corners(triangle) {
            (0..3).for_each(|axis| weight[axis] += volume * corner[axis] / 4.0);
        }
    }
    let points = body.mesh.points.iter().map(|point| point.map(f64::from));
    let feet = points.filter(|[_, y, _]| *y <= floor + machine.layer_mm / 2.0).map(|[x, _, z]| [x, z]).collect();
    if weight[3] <= 0.0 {
        return None;
    }
    let middle = [0, 1, 2].map(|axis| weight[axis] / weight[3]);
    let measured = inside(&hull(feet), [middle[0], middle[2]]);
    (measured < MARGIN).then(|| Finding {
        kind: FindingKind::FallsOver,
        blocks: false,
        measured,
        limit: MARGIN,
        places: vec![Spot {
            body: index,
            at: narrow([middle[0], floor, middle[2]]),
            normal: [0.0, -1.0, 0.0],
            triangles: Vec::new(),
        }],
        feature: None,
        says: "It stands on so little that it may fall over while it is made.".to_owned(),
    })
}

/// How far inside of a convex outline a point is; negative outside.
fn inside(outline: &[[f64; 2]], point: [f64; 2]) -> f64 {
    if outline.len() < 3 {
        return f64::MIN;
    }
    let next = outline.iter().cycle().skip(1);
    let edges = outline.iter().zip(next).map(|(a, b)| {
        let (dx, dz) = (b[0] - a[0], b[1] - a[1]);
        (dx * (point[1] - a[1]) - dz * (point[0] - a[0])) / dx.hypot(dz)
    });
    edges.fold(f64::INFINITY, f64::min)
}

/// Bodies of different materials that are in the same place.
pub(crate) fn overlaps(solids: &Solids, cancel: &Cancel) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, one) in solids.bodies.iter().enumerate() {
        for other in &solids.bodies[index + 1..] {
            if cancel.is_canceled() {
                return findings;
            }
            if one.material_key != other.material_key && one.bounds.meets(&other.bounds) {
                findings.extend(overlap(index, one, other));
            }
        }
    }
    findings
}

fn overlap(index: usize, one: &Body, other: &Body) -> Option<Finding> {
    let leaf = |body: &Body| CsgNode::leaf((*body.solid.0).clone());
    let common = kernel(|| {
        let node = CsgNode::op_n(OpType::Intersect, vec![leaf(one), leaf(other)]);
        Manifold::from_impl(node.evaluate())
    });
    let common = common.ok()?;
    let measured = common.volume();
    if measured <= COMMON {
        return None;
    }
    let bounds = common.bounding_box();
    let middle = (bounds.min + bounds.max) * 0.5;
    Some(Finding {
        kind: FindingKind::Overlap,
        blocks: true,
        measured,
        limit: COMMON,
        places: vec![Spot {
            body: index,
            at: narrow([middle.x, middle.y, middle.z]),
            normal: [0.0, 1.0, 0.0],
            triangles: Vec::new(),
        }],
        feature: Some(other.feature.clone()),
        says: format!("{} and {} are in the same place, and not of the same material.", one.name, other.name),
    })
}
