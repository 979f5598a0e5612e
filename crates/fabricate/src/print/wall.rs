use std::collections::BTreeMap;

use super::{Finding, FindingKind, Looked, MAX_SPOTS, Process, regions};
use crate::mesh::{Tree, along, dot};

/// The most points that are looked at on one body: a second on a slow machine.
const MAX_SAMPLES: f64 = 60_000.0;
/// Into how many parts an edge of a triangle is divided at most.
const MAX_PARTS: u32 = 24;
/// Smaller places than this, in square millimetres, are where surfaces meet.
const LEAST_AREA: f64 = 1.0;
/// Two surfaces with something between them look away from each other by at least 150°.
const OPPOSITE: f64 = -0.866;
/// A ray starts this far from its surface.
const START: f64 = 1e-4;

/// Walls that are too thin, and gaps that close: from points all over the surface, straight in and straight out to the
/// next surface that lies opposite.
pub(crate) fn check(looked: &Looked<'_>) -> Vec<Finding> {
    let mesh = looked.mesh();
    let tree = Tree::new(mesh);
    let (mut thin, mut narrow): (Found, Found) = Default::default();
    let finest = looked.machine.wall_mm.max((looked.body.area_mm2 / MAX_SAMPLES).sqrt());
    for triangle in 0..u32::try_from(mesh.triangles.len()).unwrap_or(u32::MAX) {
        if triangle % 1_024 == 0 && looked.cancel.is_canceled() {
            return Vec::new();
        }
        let Some(normal) = mesh.normal(triangle as usize) else { continue };
        let inward = normal.map(|value| -value);
        let samples = samples(mesh.corners(triangle as usize), finest);
        let weight = 1.0 / f64::from(u32::try_from(samples.len()).unwrap_or(u32::MAX));
        let opposite = |other: u32| mesh.normal(other as usize).is_some_and(|n| dot(n, normal) < OPPOSITE);
        let first = |from, direction, limit| {
            tree.first(from, direction, (START, limit), |other| other != triangle && opposite(other))
        };
        for from in &samples {
            if let Some(hit) = first(*from, inward, looked.machine.wall_mm - START) {
                thin.add(triangle, weight, hit.distance);
            }
            let gap = first(*from, normal, looked.machine.gap_mm - START);
            // What lies on the other side of a wall is no gap: straight out the next surface looks back.
            if let Some(hit) = gap.filter(|_| looked.machine.process != Process::Resin) {
                narrow.add(triangle, weight, hit.distance);
            }
        }
    }
    let walls = thin.finding(looked, FindingKind::ThinWall, looked.machine.wall_mm);
    let gaps = narrow.finding(looked, FindingKind::NarrowGap, looked.machine.gap_mm);
    walls.into_iter().chain(gaps).collect()
}

#[derive(Default)]
struct Found {
    flagged: BTreeMap<u32, f64>,
    least: BTreeMap<u32, f64>,
}

impl Found {
    fn add(&mut self, triangle: u32, weight: f64, distance: f64) {
        *self.flagged.entry(triangle).or_default() += weight;
        let least = self.least.entry(triangle).or_insert(distance);
        *least = least.min(distance);
    }

    fn finding(self, looked: &Looked<'_>, kind: FindingKind, limit: f64) -> Option<Finding> {
        let mut regions = regions(looked.mesh(), &self.flagged);
        regions.retain(|(_, area)| *area >= LEAST_AREA);
        let all = regions.iter().flat_map(|(triangles, _)| triangles);
        let measured = all.filter_map(|triangle| self.least.get(triangle)).copied().fold(limit, f64::min);
        let places: Vec<_> = regions.into_iter().take(MAX_SPOTS).map(|(triangles, _)| looked.spot(triangles)).collect();
        let says = match kind {
            FindingKind::ThinWall => format!("A wall is {measured:.2} mm thin, and {limit:.2} mm is the least."),
            _ => format!("A gap of {measured:.2} mm closes; {limit:.2} mm stay open."),
        };
        let feature = looked.feature(&places);
        (!places.is_empty()).then_some(Finding { kind, blocks: true, measured, limit, places, feature, says })
    }
}

/// Points all over a triangle, about `finest` apart.
fn samples([a, b, c]: [[f64; 3]; 3], finest: f64) -> Vec<[f64; 3]> {
    let edges = [[a, b], [b, c], [c, a]].map(|[from, to]| {
        let way = crate::mesh::minus(to, from);
        dot(way, way).sqrt()
    });
    let longest = edges.into_iter().fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let parts = (longest / finest).ceil().clamp(1.0, f64::from(MAX_PARTS)) as u32;
    let (ab, ac) = (crate::mesh::minus(b, a), crate::mesh::minus(c, a));
    let mut points = Vec::new();
    for row in 0..parts {
        for column in 0..parts - row {
            // Middles of the small triangles, so that no sample lies on an edge.
            let at = |n: u32| (f64::from(n) + 1.0 / 3.0) / f64::from(parts);
            points.push(along(along(a, at(row), ab), at(column), ac));
        }
    }
    points
}
