//! A handle in a hand, and what drawing it does. Pure.

use vestibule_fabricate::design::FeatureKey;
use vestibule_twin::{DesignAxis, DesignField, RoomMeasures};

use crate::{
    change::Change,
    handles::Handle,
    snap::{COARSE, Range, drawn},
    words,
};

/// A handle in a hand.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub index: usize,
    pub handle: Handle,
    pub axis: Option<DesignAxis>,
    /// Where the handle is now, seen from where it was: millimetres in the design's frame.
    pub moved: [f32; 3],
    /// What letting go would do.
    pub change: Option<Change>,
    pub says: String,
    pub snapped: Option<String>,
}

/// The handle after the hand went `by`, and what that does to its field.
pub(crate) fn draw_field(
    held: &Held,
    field: &DesignField,
    (axis, rate): (usize, f64),
    by: [f32; 3],
    fine: bool,
    room: &RoomMeasures,
) -> Held {
    let along = held.handle.along;
    let out: f32 = by.iter().zip(along).map(|(by, along)| by * along).sum();
    let range = Range { least: field.least, most: field.most, step: field.step };
    let (value, snapped) = drawn(field.value + f64::from(out) / rate, axis, range, fine, room);
    #[expect(clippy::cast_possible_truncation, reason = "millimetres in a room")]
    let out = ((value - field.value) * rate) as f32;
    Held {
        moved: along.map(|along| along * out),
        change: Some(Change::Number { field: field.id.clone(), value }),
        says: format!("{} {}", field.label, words::with_unit(value, field.unit)),
        snapped: snapped.map(|name| format!("as the {name}")),
        ..held.clone()
    }
}

pub(crate) fn draw_part(held: &Held, part: &FeatureKey, by: [f32; 3], fine: bool) -> Held {
    #[expect(clippy::cast_possible_truncation, reason = "a small number")]
    let step = if fine { 1.0 } else { COARSE as f32 };
    let moved: [f32; 3] = std::array::from_fn(|axis| {
        let counts = held.axis.is_none_or(|only| only.index() == axis);
        if counts { (by[axis] / step).round() * step } else { 0.0 }
    });
    let [x, y, z] = moved.map(|mm| words::number(f64::from(mm)));
    Held {
        moved,
        change: Some(Change::Move { part: part.clone(), by: moved.map(f64::from) }),
        says: format!("{}: right {x}, up {y}, forward {z} mm", held.handle.label),
        snapped: None,
        ..held.clone()
    }
}
