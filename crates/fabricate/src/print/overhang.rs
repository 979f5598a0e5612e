use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, FindingKind, Looked, MAX_SPOTS, Machine, Process, regions};
use crate::{
    mesh::{Groups, Mesh, Tree, along, dot, minus, neighbours},
    solid::Body,
};

/// Smaller places than this, in square millimetres, sag by less than one sees.
const LEAST_AREA: f64 = 1.0;
/// Two heights that are the same.
const LEVEL: f64 = 1e-3;
/// Down to where nothing is.
const DEEP: f64 = 1e6;

/// Triangles that lean over further than they carry themselves, away from the bed.
fn hanging(mesh: &Mesh, machine: &Machine, floor: f64) -> BTreeMap<u32, f64> {
    let limit = machine.overhang_degrees.to_radians().sin() + 1e-6;
    let hangs = |triangle: &u32| {
        let index = *triangle as usize;
        let high = mesh.corners(index).iter().map(|corner| corner[1]).fold(f64::NEG_INFINITY, f64::max);
        high > floor + machine.layer_mm && mesh.normal(index).is_some_and(|normal| -normal[1] > limit)
    };
    (0..u32::try_from(mesh.triangles.len()).unwrap_or(u32::MAX)).filter(hangs).map(|triangle| (triangle, 1.0)).collect()
}

/// Surfaces that hang over. Where the machine builds supports, they only cost something.
pub(crate) fn check(looked: &Looked<'_>) -> Vec<Finding> {
    if looked.machine.process == Process::Powder {
        return Vec::new();
    }
    let mesh = looked.mesh();
    let sides = neighbours(mesh);
    let mut regions = regions(mesh, &hanging(mesh, looked.machine, looked.floor));
    regions.retain(|(triangles, area)| *area >= LEAST_AREA && !is_bridge(mesh, &sides, triangles, looked.machine));
    let lean = |triangle: &u32| mesh.normal(*triangle as usize).map(|n| (-n[1]).clamp(-1.0, 1.0).asin().to_degrees());
    let measured = regions.iter().flat_map(|(triangles, _)| triangles).filter_map(lean).fold(0.0, f64::max);
    let places: Vec<_> = regions.into_iter().take(MAX_SPOTS).map(|(triangles, _)| looked.spot(triangles)).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let blocks = !looked.machine.supports;
    let says = if blocks {
        "It hangs over, and this machine builds no supports.".to_owned()
    } else {
        "It hangs over: supports are built, and leave marks where they are broken off.".to_owned()
    };
    let (kind, limit, feature) = (FindingKind::Overhang, looked.machine.overhang_degrees, looked.feature(&places));
    vec![Finding { kind, blocks, measured, limit, places, feature, says }]
}

/// Whether a region is held at both ends along X or Z, and those are near enough.
fn is_bridge(mesh: &Mesh, sides: &[[Option<u32>; 3]], triangles: &[u32], machine: &Machine) -> bool {
    let own: BTreeSet<u32> = triangles.iter().copied().collect();
    let mut held: Vec<[[f64; 3]; 2]> = Vec::new();
    let mut all: Vec<[f64; 3]> = Vec::new();
    for triangle in triangles {
        let corners = mesh.corners(*triangle as usize);
        all.extend(corners);
        for (edge, other) in sides[*triangle as usize].iter().enumerate() {
            let Some(other) = other.filter(|other| !own.contains(other)) else { continue };
            let ends = [corners[edge], corners[(edge + 1) % 3]];
            let third = mesh.corners(other as usize).into_iter().find(|corner| !ends.contains(corner));
            if third.is_some_and(|third| goes_down(ends, third)) {
                held.push(ends);
            }
        }
    }
    [0, 2].into_iter().any(|axis| {
        let values = all.iter().map(|point| point[axis]);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        // A whole edge at each end: one that runs along would hold a board at its side only.
        let first = held.iter().any(|ends| ends.iter().all(|end| end[axis] <= low + LEVEL));
        let last = held.iter().any(|ends| ends.iter().all(|end| end[axis] >= high - LEVEL));
        first && last && high - low <= machine.bridge_mm
    })
}

/// Whether a triangle goes down steeply from an edge, and so carries what lies on the edge's other side.
fn goes_down([from, to]: [[f64; 3]; 2], third: [f64; 3]) -> bool {
    let (edge, side) = (minus(to, from), minus(third, from));
    let length = dot(edge, edge);
    if length < 1e-12 {
        return false;
    }
    let away = along(side, -dot(side, edge) / length, edge);
    away[1] < -0.5 * dot(away, away).sqrt()
}

/// What carries a body where it hangs over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Support {
    /// The space below it, down to the next surface or the bed, in cubic millimetres.
    pub space_mm3: f64,
    /// The sides of that space, in square millimetres.
    pub sides_mm2: f64,
}

/// What carries a body that stands on `floor`, where the machine builds something for that.
pub(crate) fn support(body: &Body, machine: &Machine, floor: f64) -> Support {
    let mut all = Support::default();
    if machine.process == Process::Powder || !machine.supports {
        return all;
    }
    let mesh = &body.mesh;
    let tree = Tree::new(mesh);
    let sides = neighbours(mesh);
    let flagged = hanging(mesh, machine, floor);
    let mut regions = regions(mesh, &flagged);
    regions.retain(|(triangles, area)| *area >= LEAST_AREA && !is_bridge(mesh, &sides, triangles, machine));
    for triangle in regions.iter().flat_map(|(triangles, _)| triangles) {
        let corners = mesh.corners(*triangle as usize);
        let at: [f64; 3] = std::array::from_fn(|axis| corners.iter().map(|corner| corner[axis]).sum::<f64>() / 3.0);
        let hit = tree.first(at, [0.0, -1.0, 0.0], (LEVEL, DEEP), |other| other != *triangle);
        let drop = hit.map_or(at[1] - floor, |hit| hit.distance).max(0.0);
        all.space_mm3 += mesh.twice_area(*triangle as usize)[1].abs() / 2.0 * drop;
        for (edge, other) in sides[*triangle as usize].iter().enumerate() {
            // Where nothing beside it hangs over.
            if other.is_none_or(|other| !flagged.contains_key(&other)) {
                let [x, _, z] = minus(corners[(edge + 1) % 3], corners[edge]);
                all.sides_mm2 += x.hypot(z) * drop;
            }
        }
    }
    all
}

/// What begins in the air: the lowest places of the surface that are not on the bed, seen from below.
pub(crate) fn islands(looked: &Looked<'_>) -> Vec<Finding> {
    if looked.machine.process == Process::Powder {
        return Vec::new();
    }
    let mesh = looked.mesh();
    let height = |point: u32| f64::from(mesh.points[point as usize][1]);
    let mut level = Groups::new(mesh.points.len());
    for corners in &mesh.triangles {
        for (a, b) in [(0, 1), (1, 2), (2, 0)].map(|(a, b)| (corners[a], corners[b])) {
            if (height(a) - height(b)).abs() < LEVEL {
                level.join(a, b);
            }
        }
    }
    let mut lower = BTreeSet::new();
    let mut around: BTreeMap<u32, (Vec<u32>, f64)> = BTreeMap::new();
    for (triangle, corners) in (0_u32..).zip(&mesh.triangles) {
        let least = corners.iter().map(|point| height(*point)).fold(f64::INFINITY, f64::min);
        for point in corners {
            let root = level.root(*point);
            if height(*point) > least + LEVEL {
                lower.insert(root);
            } else if height(*point) > looked.floor + looked.machine.layer_mm {
                let (triangles, down) = around.entry(root).or_default();
                triangles.push(triangle);
                *down -= mesh.twice_area(triangle as usize)[1];
            }
        }
    }
    around.retain(|root, (_, down)| !lower.contains(root) && *down > 0.0);
    let places: Vec<_> = around
        .into_values()
        .take(MAX_SPOTS)
        .map(|(mut triangles, _)| {
            triangles.dedup();
            looked.spot(triangles)
        })
        .collect();
    if places.is_empty() {
        return Vec::new();
    }
    let blocks = !looked.machine.supports;
    let measured = f64::from(places[0].at[1]) - looked.floor;
    let says = "A part of it begins in the air.".to_owned();
    let feature = looked.feature(&places);
    vec![Finding { kind: FindingKind::Island, blocks, measured, limit: 0.0, places, feature, says }]
}
