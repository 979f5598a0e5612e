use manifold_rust::{cross_section::CrossSection, linalg::Vec3, manifold::Manifold};

use super::{Finding, FindingKind, Looked, MAX_SPOTS, Spot};
use crate::{mesh::narrow, solid::kernel};

/// The most heights that a body is cut at.
const MAX_SLICES: u32 = 96;
/// The kernel's round joins, and how many sides a circle has for them.
const ROUND_JOIN: i32 = 1;
const SIDES: i32 = 16;
/// Rounding that no machine shows, in millimetres.
const SLACK: f64 = 0.01;

/// What does not come out of a machine that draws with something `feature_mm` wide: cuts through the body lose it when
/// they shrink by half of that and grow again. What is gone above and below too blocks; what becomes blunt is told.
pub(crate) fn check(looked: &Looked<'_>) -> Vec<Finding> {
    let low = looked.body.bounds.low[1];
    let height = looked.body.bounds.size()[1];
    let limit = looked.machine.feature_mm;
    let upright = kernel(|| {
        let solid = Manifold::from_impl((*looked.body.solid.0).clone());
        solid.translate(Vec3::new(0.0, -low, 0.0)).rotate(90.0, 0.0, 0.0)
    });
    let Ok(upright) = upright else { return Vec::new() };
    let (mut lost, mut blunt) = (Vec::new(), Vec::new());
    for at in heights(height, looked.machine.layer_mm) {
        if looked.cancel.is_canceled() {
            return Vec::new();
        }
        let Ok(parts) = kernel(|| upright.slice(at).decompose()) else { continue };
        for part in parts {
            let Ok(gone) = kernel(|| lost_of(&part, limit)) else { continue };
            if let Some((whole, area)) = gone {
                let bounds = area.bounds();
                let (x, z) = (f64::midpoint(bounds.min.x, bounds.max.x), -f64::midpoint(bounds.min.y, bounds.max.y));
                let place = ([x, low + at, z], area.area());
                let gone =
                    whole && lost.len() < MAX_SPOTS && kernel(|| !goes_on(&upright, at, &area, limit)) == Ok(true);
                if gone { lost.push(place) } else { blunt.push(place) }
            }
        }
    }
    let blocking = finding(looked, lost, true, "Something is so small that it does not come out.");
    let telling = finding(looked, blunt, false, "An edge is so sharp that it comes out blunt.");
    blocking.into_iter().chain(telling).collect()
}

/// Whether a little above or below a piece there is something that comes out: then it is only the piece's tip.
fn goes_on(upright: &Manifold, at: f64, piece: &CrossSection, limit: f64) -> bool {
    let around = piece.offset_with_params(limit, ROUND_JOIN, 2.0, SIDES);
    [at - limit, at + limit].into_iter().any(|near| {
        let section = upright.slice(near).intersection(&around);
        !section.offset_with_params(-(limit / 2.0 - SLACK), ROUND_JOIN, 2.0, SIDES).is_empty()
    })
}

/// Heights of layers, evenly over the body.
fn heights(height: f64, layer: f64) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let layers = (height / layer).floor().clamp(1.0, f64::from(u32::MAX)) as u32;
    let count = layers.min(MAX_SLICES);
    let at = |n: u32| {
        let share = (f64::from(n) + 0.5) / f64::from(count);
        ((share * f64::from(layers)).floor() + 0.5) * (height / f64::from(layers))
    };
    (0..count).map(at).collect()
}

/// What opening takes from a piece of a cut, and whether that is all of it.
fn lost_of(part: &CrossSection, limit: f64) -> Option<(bool, CrossSection)> {
    let inner = part.offset_with_params(-(limit / 2.0 - SLACK), ROUND_JOIN, 2.0, SIDES);
    if inner.is_empty() {
        return Some((true, part.clone()));
    }
    let opened = inner.offset_with_params(limit / 2.0, ROUND_JOIN, 2.0, SIDES);
    let pieces = part.difference(&opened).decompose();
    let largest = pieces.into_iter().max_by(|a, b| a.area().total_cmp(&b.area()))?;
    (largest.area() > limit * limit).then_some((false, largest))
}

fn finding(looked: &Looked<'_>, mut places: Vec<([f64; 3], f64)>, blocks: bool, says: &str) -> Option<Finding> {
    places.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (_, area) = *places.first()?;
    let spot = |(at, _): ([f64; 3], f64)| Spot {
        body: looked.index,
        at: narrow(at),
        normal: [0.0, 1.0, 0.0],
        triangles: Vec::new(),
    };
    let places = places.into_iter().take(MAX_SPOTS).map(spot).collect();
    Some(Finding {
        kind: FindingKind::SmallFeature,
        blocks,
        measured: area.sqrt().min(looked.machine.feature_mm),
        limit: looked.machine.feature_mm,
        places,
        feature: None,
        says: says.to_owned(),
    })
}
