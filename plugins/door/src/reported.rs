//! What a twin reports of its door, whatever features it has.

use vestibule_model::{FeatureId, FeatureKind, TwinInfo, Value};
use vestibule_twin::TwinState;

/// A door as its twin reports it. `None`: never reported.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReportedDoor {
    /// 0 closed, 1 open.
    pub position: Option<f32>,
    /// Whether it is locked.
    pub locked: Option<bool>,
    /// Whether it says that it is stuck.
    pub jammed: bool,
}

/// Reads a door from whatever the twin has: a cover's position, else its state, else a door contact; and a lock.
#[must_use]
pub fn reported_door(info: &TwinInfo, state: &TwinState) -> ReportedDoor {
    let value = |feature: &FeatureId, property: &str| state.reported(feature.as_str(), property);
    let mut door = ReportedDoor::default();
    let (mut by_state, mut by_contact) = (None, None);
    for (id, feature) in &info.features {
        match feature.kind {
            FeatureKind::Cover => {
                #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
                let percent = value(id, "position").and_then(Value::as_f64).map(|p| (p / 100.0).clamp(0.0, 1.0) as f32);
                door.position = door.position.or(percent);
                by_state = by_state.or(match value(id, "state").and_then(Value::as_text) {
                    Some("open") => Some(1.0),
                    Some("closed") => Some(0.0),
                    _ => None,
                });
            }
            FeatureKind::BinarySensor if matches!(feature.class.as_deref(), Some("door" | "opening")) => {
                // A contact knows open from closed, not how far: show a gap that nobody takes for shut.
                by_contact = value(id, "on").and_then(Value::as_bool).map(|open| if open { 0.35 } else { 0.0 });
            }
            FeatureKind::BinarySensor if feature.class.as_deref() == Some("problem") => {
                door.jammed |= value(id, "on").and_then(Value::as_bool).unwrap_or(false);
            }
            FeatureKind::Lock => {
                let word = value(id, "state").and_then(Value::as_text);
                // On its way is neither: the bolt stays where it was reported last.
                door.locked = match word {
                    Some("locked" | "unlocking") => Some(true),
                    Some("unlocked" | "open" | "opening" | "locking") => Some(false),
                    _ => door.locked,
                };
                door.jammed |= word == Some("jammed");
            }
            _ => {}
        }
    }
    door.position = door.position.or(by_state).or(by_contact);
    door
}
