//! Fitting a design to what was measured in a room.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::solid::Solids;

/// What was measured, in whole millimetres, as a scanner reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measures {
    /// Along X.
    pub width_mm: u32,
    /// Along Z.
    pub depth_mm: u32,
    /// Along Y.
    pub height_mm: u32,
    /// Free places in it.
    pub gaps: Vec<Gap>,
}

/// A free place: between two walls, above a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// What people call it.
    pub name: String,
    /// Its lowest, leftmost, rearmost corner in the room's frame, in millimetres.
    pub at: [i32; 3],
    /// Along X, Y and Z, in millimetres.
    pub size: [u32; 3],
}

/// It does not fit.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("it is too large by {} × {} × {} mm", over_mm[0], over_mm[1], over_mm[2])]
pub struct NotFitting {
    /// By how much along X, Y and Z.
    pub over_mm: [f64; 3],
}

/// A measure that a number was drawn to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snap {
    /// The measure, in millimetres.
    pub mm: u32,
    /// Of which gap; nothing for the room itself.
    pub gap: Option<String>,
}

/// Whether solids go into a gap as they stand.
///
/// # Errors
/// [`NotFitting`] with what is too much.
pub fn fits(solids: &Solids, gap: &Gap) -> Result<(), NotFitting> {
    let size = solids.bounds().size();
    let over_mm = std::array::from_fn(|axis| (size[axis] - f64::from(gap.size[axis])).max(0.0));
    // Points are kept with seven digits.
    if over_mm.iter().all(|over| *over < 1e-3) { Ok(()) } else { Err(NotFitting { over_mm }) }
}

/// The nearest measure along an axis that is at most `catch` millimetres from `value`.
#[must_use]
pub fn snap(value: f64, axis: usize, measures: &Measures, catch: f64) -> Option<Snap> {
    let room = [measures.width_mm, measures.height_mm, measures.depth_mm];
    let whole = room.get(axis).map(|mm| Snap { mm: *mm, gap: None });
    let gaps =
        measures.gaps.iter().filter_map(|gap| Some(Snap { mm: *gap.size.get(axis)?, gap: Some(gap.name.clone()) }));
    let off = |snap: &Snap| (f64::from(snap.mm) - value).abs();
    whole.into_iter().chain(gaps).filter(|snap| off(snap) <= catch).min_by(|a, b| off(a).total_cmp(&off(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_drawn_to_the_nearest_measure() {
        let gap = Gap { name: "niche".to_owned(), at: [0; 3], size: [803, 600, 250] };
        let measures = Measures { width_mm: 4_000, depth_mm: 3_000, height_mm: 2_500, gaps: vec![gap] };
        let niche = Snap { mm: 803, gap: Some("niche".to_owned()) };
        assert_eq!(snap(800.0, 0, &measures, 5.0), Some(niche));
        assert_eq!(snap(790.0, 0, &measures, 5.0), None);
        assert_eq!(snap(2_999.0, 2, &measures, 5.0), Some(Snap { mm: 3_000, gap: None }));
        assert_eq!(snap(1.0, 7, &measures, 5.0), None);
    }
}
