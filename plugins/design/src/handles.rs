//! Where a hand can draw a design, and what that does to its numbers. Pure: found by trying, so that it works whatever
//! formulas say.

use vestibule_fabricate::{
    Bounds, Budget, Evaluator, Mesh, Solids,
    design::{Design, FeatureKey, ParamUnit},
    document::{FeatureField, Field, HandleKind, ParamField, editable, handles},
};

use crate::fields::part_name;

/// The most parameters that are tried: what a person finds their way among.
const MOST: usize = 24;
/// A side that goes less far than this part of what the number does has no handle.
const LEAST_RATE: f64 = 0.04;

/// Something that a hand can draw.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Handle {
    pub pull: Pull,
    pub label: String,
    /// In the design's frame, millimetres.
    pub at: [f32; 3],
    /// Outwards, one long; nothing for a handle that goes anywhere.
    pub along: [f32; 3],
}

/// What drawing it does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pull {
    /// A field gets another value.
    Field {
        field: String,
        /// Which axis is measured.
        axis: usize,
        /// Millimetres that the handle goes outwards for each one more of the field.
        rate: f64,
    },
    /// The part goes elsewhere.
    Part(FeatureKey),
}

/// What each feature's surface lies between, over all bodies.
fn by_feature(solids: &Solids) -> Vec<(FeatureKey, Bounds)> {
    let mut found: Vec<(FeatureKey, Bounds)> = Vec::new();
    for mesh in solids.bodies.iter().map(|body| &body.mesh) {
        for (key, bounds) in pieces(mesh) {
            match found.iter_mut().find(|(known, _)| *known == key) {
                Some((_, all)) => *all = all.and(&bounds),
                None => found.push((key, bounds)),
            }
        }
    }
    found
}

fn pieces(mesh: &Mesh) -> Vec<(FeatureKey, Bounds)> {
    let ends = mesh.of.iter().skip(1).map(|(first, _)| *first as usize).chain([mesh.triangles.len()]);
    let piece = |((first, key), end): (&(u32, FeatureKey), usize)| {
        let triangles = mesh.triangles.get(*first as usize..end)?;
        let points = triangles.iter().flatten().filter_map(|point| mesh.points.get(*point as usize));
        let bounds = points.map(|point| {
            let point = point.map(f64::from);
            Bounds { low: point, high: point }
        });
        Some((key.clone(), bounds.reduce(|all, other| all.and(&other))?))
    };
    mesh.of.iter().zip(ends).filter_map(piece).collect()
}

/// A side of something: which axis, whether it is the high end.
#[derive(Clone, Copy)]
struct Side {
    axis: usize,
    high: bool,
}

impl Side {
    /// The high ends first: they are seen.
    const ALL: [Self; 6] = [
        Self { axis: 0, high: true },
        Self { axis: 1, high: true },
        Self { axis: 2, high: true },
        Self { axis: 0, high: false },
        Self { axis: 1, high: false },
        Self { axis: 2, high: false },
    ];

    /// How far out this side is.
    fn out(self, bounds: &Bounds) -> f64 {
        if self.high { bounds.high[self.axis] } else { -bounds.low[self.axis] }
    }
}

/// The side that goes furthest outwards or inwards for each one more.
fn moving(before: &Bounds, after: &Bounds, by: f64) -> Option<(Side, f64)> {
    let mut best: Option<(Side, f64)> = None;
    for side in Side::ALL {
        let rate = (side.out(after) - side.out(before)) / by;
        if rate.is_finite() && rate.abs() > LEAST_RATE && best.is_none_or(|(_, most)| rate.abs() > most.abs() + 1e-6) {
            best = Some((side, rate));
        }
    }
    best
}

#[expect(clippy::cast_possible_truncation, reason = "places of things in a room")]
fn narrow(point: [f64; 3]) -> [f32; 3] {
    point.map(|value| value as f32)
}

fn on(side: Side, bounds: &Bounds) -> ([f32; 3], [f32; 3]) {
    let (mut at, mut along) = (bounds.middle(), [0.0; 3]);
    at[side.axis] = if side.high { bounds.high[side.axis] } else { bounds.low[side.axis] };
    along[side.axis] = if side.high { 1.0 } else { -1.0 };
    (narrow(at), along)
}

/// The handles of a design: one for each length that moves a side of it, and one for the chosen part.
pub(crate) fn find(
    evaluator: &mut Evaluator,
    design: &Design,
    solids: &Solids,
    selected: Option<&FeatureKey>,
    budget: &Budget,
) -> Vec<Handle> {
    let (whole, parts) = (solids.bounds(), by_feature(solids));
    let mut handles: Vec<Handle> = Vec::new();
    let lengths = design.params.iter().filter(|(_, param)| param.unit == ParamUnit::Millimetre);
    for (key, param) in lengths.take(MOST) {
        if budget.cancel.is_canceled() {
            break;
        }
        // Up where there is room, else down.
        let by = if param.value + param.step <= param.most { param.step } else { -param.step };
        let mut other = design.clone();
        if other.set(key.as_str(), param.value + by).is_err() {
            continue;
        }
        let Ok(after) = evaluator.evaluate(&other, budget) else { continue };
        let found = moving(&whole, &after.bounds(), by).map(|(side, rate)| (side, rate, whole)).or_else(|| {
            let after = by_feature(&after);
            let moved = parts.iter().filter_map(|(key, before)| {
                let after = after.iter().find(|(other, _)| other == key)?;
                moving(before, &after.1, by).map(|(side, rate)| (side, rate, *before))
            });
            moved.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
        });
        let Some((side, rate, bounds)) = found else { continue };
        let (at, along) = on(side, &bounds);
        let field = Field::Param(key.clone(), ParamField::Value).to_string();
        let pull = Pull::Field { field, axis: side.axis, rate };
        handles.push(Handle { pull, label: param.label.clone(), at: free(at, along, &handles), along });
    }
    if let Some(key) = selected {
        own(design, key, &mut handles);
    }
    let middle = selected.and_then(|key| parts.iter().find(|(other, _)| other == key));
    handles.extend(middle.map(|(key, bounds)| Handle {
        pull: Pull::Part(key.clone()),
        label: part_name(design, key),
        at: narrow(bounds.middle()),
        along: [0.0; 3],
    }));
    handles
}

/// The chosen part's own sizes, where no parameter gives them.
fn own(design: &Design, key: &FeatureKey, others: &mut Vec<Handle>) {
    let rows = editable(design, Some(key));
    let faces = handles(design, key).unwrap_or_default().into_iter();
    for face in faces.filter(|face| face.kind == HandleKind::Face && face.rate.abs() > 1e-6) {
        let part = matches!(&face.field, Field::Feature(_, FeatureField::Part(_)));
        let Some(row) = rows.iter().find(|row| part && row.field == face.field) else { continue };
        let (at, along) = (narrow(face.at), narrow(face.along));
        let axis = (0..3).max_by(|a, b| face.along[*a].abs().total_cmp(&face.along[*b].abs())).unwrap_or_default();
        let pull = Pull::Field { field: face.field.to_string(), axis, rate: 1.0 / face.rate };
        let label = format!("{}: {}", part_name(design, key), row.label.to_lowercase());
        others.push(Handle { pull, label, at: free(at, along, others), along });
    }
}

/// Handles that would stand in each other stand beside each other.
fn free(mut at: [f32; 3], along: [f32; 3], others: &[Handle]) -> [f32; 3] {
    let across = usize::from(along[0] != 0.0);
    let near = |at: &[f32; 3], other: &Handle| (0..3).all(|axis| (at[axis] - other.at[axis]).abs() < 12.0);
    for _ in 0..others.len() {
        if others.iter().any(|other| near(&at, other)) {
            at[across] += 22.0;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use vestibule_fabricate::Start;

    use super::*;

    fn handles(design: &Design, selected: Option<&FeatureKey>) -> Vec<Handle> {
        let mut evaluator = Evaluator::new();
        let solids = evaluator.evaluate(design, &Budget::default()).unwrap();
        find(&mut evaluator, design, &solids, selected, &Budget::default())
    }

    #[test]
    fn a_shelf_is_drawn_wider_by_its_right_side() {
        let all = handles(&Start::Shelf.design(), None);
        let width = all.iter().find(|handle| handle.label == "Width").unwrap();
        assert_eq!((width.at[0], width.along), (120.0, [1.0, 0.0, 0.0]));
        let Pull::Field { field, axis, rate } = &width.pull else { panic!("{width:?}") };
        assert_eq!((field.as_str(), *axis), ("param/width/value", 0));
        assert!((rate - 0.5).abs() < 1e-6, "it grows on both sides");
        let depth = all.iter().find(|handle| handle.label == "Depth").unwrap();
        assert!(matches!(depth.pull, Pull::Field { axis: 2, rate, .. } if (rate - 1.0).abs() < 1e-6));
    }

    #[test]
    fn every_start_has_handles_that_do_not_stand_in_each_other() {
        for start in Start::ALL.into_iter().filter(|start| *start != Start::HouseNumber) {
            let all = handles(&start.design(), None);
            assert!(all.len() >= 3, "{start:?}: {all:?}");
            for (place, one) in all.iter().enumerate() {
                for other in &all[..place] {
                    let apart = (0..3).any(|axis| (one.at[axis] - other.at[axis]).abs() >= 12.0);
                    assert!(apart, "{start:?}: {} and {}", one.label, other.label);
                }
            }
        }
    }

    #[test]
    fn a_part_of_fixed_size_has_handles_of_its_own() {
        let mut book = crate::book::Book::new([1; 16], &Start::Shelf.design()).unwrap();
        let add = crate::change::Change::Add { shape: "ball".to_owned(), at: [0.0, 100.0, 150.0] };
        let ball = book.apply(&add).unwrap().unwrap().select.flatten().unwrap();
        let all = handles(book.design(), Some(&ball));
        let radius = all.iter().find(|handle| handle.label == "Ball: radius").unwrap();
        assert!(matches!(radius.pull, Pull::Field { axis: 0, rate, .. } if (rate - 1.0).abs() < 1e-9));
        assert_eq!(radius.at, [20.0, 100.0, 150.0]);
    }

    #[test]
    fn the_chosen_part_has_a_handle_in_its_middle() {
        let side = FeatureKey::new("side").unwrap();
        let all = handles(&Start::Shelf.design(), Some(&side));
        assert_eq!(all.last().map(|handle| &handle.pull), Some(&Pull::Part(side)));
    }
}
