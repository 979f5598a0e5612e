use super::{Finding, FindingKind, Machine};
use crate::solid::Solids;

/// Rounding that nobody measures.
const SLACK: f64 = 1e-6;

/// Whether it fits: as it stands, turned about the upright, or lying on another side.
pub(crate) fn check(solids: &Solids, machine: &Machine) -> Option<Finding> {
    let size = solids.bounds().size();
    let fits = |size: [f64; 3]| (0..3).all(|axis| size[axis] <= machine.build_mm[axis] + SLACK);
    if fits(size) {
        return None;
    }
    let ways = [[2, 1, 0], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1]];
    let turned = ways.map(|[x, y, z]| [size[x], size[y], size[z]]);
    // A quarter about the upright changes nothing about how it is made; another side does.
    if fits(turned[0]) {
        return Some(finding(machine, FindingKind::FitsTurned, 90.0, "It fits when it is turned by 90°.".to_owned()));
    }
    if let Some((degrees, _)) = yaw(solids).filter(|(_, [x, z])| fits([*x, size[1], *z])) {
        let says = format!("It fits when it is turned by {degrees:.0}°.");
        return Some(finding(machine, FindingKind::FitsTurned, degrees, says));
    }
    let over =
        |size: [f64; 3]| -> [f64; 3] { std::array::from_fn(|axis| (size[axis] - machine.build_mm[axis]).max(0.0)) };
    let total = |size: &[f64; 3]| over(*size).iter().sum::<f64>();
    let best = turned.into_iter().fold(size, |best, way| if total(&way) < total(&best) { way } else { best });
    let over_mm = over(best);
    let says = if over_mm == [0.0; 3] {
        format!("It is too large for {} as it stands; lying on a side it would fit.", machine.name)
    } else {
        let [x, y, z] = over_mm;
        format!("It is too large for {} by {x:.0} × {y:.0} × {z:.0} mm.", machine.name)
    };
    Some(finding(machine, FindingKind::TooLarge { over_mm }, size.into_iter().fold(0.0, f64::max), says))
}

fn finding(machine: &Machine, kind: FindingKind, measured: f64, says: String) -> Finding {
    let blocks = kind != FindingKind::FitsTurned;
    let limit = machine.build_mm.into_iter().fold(f64::INFINITY, f64::min);
    Finding { kind, blocks, measured, limit, places: Vec::new(), feature: None, says }
}

/// The turn about the upright, in degrees, that needs the smallest rectangle, and its width and depth: one of the hull's
/// edges lies on a side of it.
fn yaw(solids: &Solids) -> Option<(f64, [f64; 2])> {
    let points = solids.bodies.iter().flat_map(|body| &body.mesh.points);
    let hull = hull(points.map(|[x, _, z]| [f64::from(*x), f64::from(*z)]).collect());
    let next = hull.iter().cycle().skip(1);
    let edges = hull.iter().zip(next).map(|(a, b)| [b[0] - a[0], b[1] - a[1]]);
    let rectangles = edges.filter_map(|[dx, dz]| {
        let length = dx.hypot(dz);
        if length < 1e-9 {
            return None;
        }
        let (x, z) = (dx / length, dz / length);
        let extent = |along: [f64; 2]| {
            let on = hull.iter().map(|point| point[0] * along[0] + point[1] * along[1]);
            let (low, high) = on.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
            high - low
        };
        Some((z.atan2(x).to_degrees(), [extent([x, z]), extent([-z, x])]))
    });
    rectangles.min_by(|(_, a), (_, b)| (a[0] * a[1]).total_cmp(&(b[0] * b[1])))
}

/// The convex hull of points, counter-clockwise (Andrew's chain).
pub(crate) fn hull(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let turn = |a: [f64; 2], b: [f64; 2], c: [f64; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let chain = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut chain: Vec<[f64; 2]> = Vec::new();
        for point in points {
            while chain.len() > 1 && turn(chain[chain.len() - 2], chain[chain.len() - 1], point) <= 0.0 {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut lower = chain(&mut points.iter().copied());
    lower.extend(chain(&mut points.iter().rev().copied()));
    lower
}
