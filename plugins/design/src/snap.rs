//! What a drawn number is drawn to. Pure.

use vestibule_fabricate::room::{Gap, Measures, snap};
use vestibule_twin::RoomMeasures;

/// Millimetres from which a measure of the room draws.
const CATCH: f64 = 6.0;
/// Millimetres between places of a calm hand.
pub(crate) const COARSE: f64 = 5.0;

/// What a number may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub least: f64,
    pub most: f64,
    pub step: f64,
}

/// The room's measures as `vestibule-fabricate` has them.
fn measures(room: &RoomMeasures) -> Measures {
    let gap =
        |measure: &vestibule_twin::RoomMeasure| Gap { name: measure.name.clone(), at: [0; 3], size: measure.size_mm };
    Measures { gaps: room.measures.iter().map(gap).collect(), ..Measures::default() }
}

/// The value that a hand means, and the name of the room's measure that it was drawn to. `fine`: step by step, and
/// nothing draws.
pub(crate) fn drawn(value: f64, axis: usize, range: Range, fine: bool, room: &RoomMeasures) -> (f64, Option<String>) {
    let step = if fine || range.step < 1.0 { range.step.max(1e-3) } else { range.step.max(COARSE) };
    let found = if fine { None } else { snap(value, axis, &measures(room), CATCH) };
    if let Some(found) = found
        && let Some(name) = found.gap
        && (range.least..=range.most).contains(&f64::from(found.mm))
    {
        return (f64::from(found.mm), Some(name));
    }
    let stepped = (value / step).round() * step;
    (stepped.clamp(range.least, range.most), None)
}

#[cfg(test)]
mod tests {
    use vestibule_twin::RoomMeasure;

    use super::*;

    #[test]
    fn a_hand_is_calm_fine_or_drawn_to_the_room() {
        let desk = RoomMeasure { name: "Desk".to_owned(), size_mm: [403, 740, 700] };
        let room = RoomMeasures { measures: vec![desk] };
        let range = Range { least: 100.0, most: 600.0, step: 1.0 };
        assert_eq!(drawn(251.2, 0, range, false, &room), (250.0, None));
        assert_eq!(drawn(251.2, 0, range, true, &room), (251.0, None));
        assert_eq!(drawn(399.0, 0, range, false, &room), (403.0, Some("Desk".to_owned())));
        assert_eq!(drawn(399.0, 0, range, true, &room), (399.0, None), "a fine hand is left alone");
        assert_eq!(drawn(739.0, 1, range, false, &room), (600.0, None), "never more than it may be");
        assert_eq!(drawn(399.0, 2, range, false, &RoomMeasures::default()), (400.0, None));
        let wall = Range { least: 1.2, most: 5.0, step: 0.2 };
        let (value, _) = drawn(2.33, 0, wall, false, &room);
        assert!((value - 2.4).abs() < 1e-9);
    }
}
