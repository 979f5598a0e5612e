use super::{Finding, FindingKind, Looked, MAX_SPOTS, Process};
use crate::mesh::shells;

/// Smaller hollows than this, in cubic millimetres, are bubbles.
const LEAST: f64 = 0.01;

/// Hollows that nothing gets out of: powder and resin stay in them; plastic does not care.
pub(crate) fn check(looked: &Looked<'_>) -> Vec<Finding> {
    let mut hollows = shells(looked.mesh());
    // The surface of a hollow looks into it, so its volume is negative.
    hollows.retain(|(_, volume)| *volume < -LEAST);
    hollows.sort_by(|a, b| a.1.total_cmp(&b.1));
    let measured: f64 = hollows.iter().map(|(_, volume)| -volume).sum();
    let places: Vec<_> = hollows.into_iter().take(MAX_SPOTS).map(|(triangles, _)| looked.spot(triangles)).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let blocks = looked.machine.process != Process::Filament;
    let says = if blocks {
        "There is a hollow that nothing gets out of: it needs a hole.".to_owned()
    } else {
        "There is a hollow inside.".to_owned()
    };
    let feature = looked.feature(&places);
    vec![Finding { kind: FindingKind::Cavity, blocks, measured, limit: 0.0, places, feature, says }]
}
