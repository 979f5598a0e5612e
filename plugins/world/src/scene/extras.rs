use bevy::ecs::component::Component;
use serde_json::{Map, Value};
use vestibule_twin::{
    TwinRole,
    model::{FeatureId, TwinId},
};

/// Bytes of one node's extras that are read; longer ones are left alone. The longest sensible ones have a few hundred.
pub const MAX_EXTRAS: usize = 16 << 10;
/// Bytes of a name in extras.
const MAX_NAME: usize = 64;

/// What a walker bumps into at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColliderKind {
    /// Nothing.
    #[default]
    None,
    /// The node's triangles.
    Mesh,
    /// The bounding box of its triangles.
    Box,
}

/// What a node shows of the making of what was ordered (docs/world-format.md, `vestibule_making`).
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MakingPart {
    /// Its colour is how it goes.
    Lamp,
    /// As long along its local X as it is far.
    Bar,
    /// As high along its local Y as it is far.
    Piece,
}

/// A node that is as high along its local Y as its twin reports: what lies on a scale.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct LevelPart {
    /// The twin's feature whose `value` counts.
    pub feature: FeatureId,
    /// The value at which it is as high as in its file. Greater than 0.
    pub full: f32,
}

/// What a glTF node's extras mean (docs/world-format.md). Everything is optional; what is not understood is ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeMeaning {
    /// The twin that this node shows, and the part it plays.
    pub part: Option<(TwinId, TwinRole)>,
    /// What a walker bumps into.
    pub collider: ColliderKind,
    /// The name of the place whose half extents are the node's scale.
    pub zone: Option<String>,
    /// The name of a start.
    pub spawn: Option<String>,
    /// The name of a point on the floor.
    pub waypoint: Option<String>,
    /// The name of any other place.
    pub anchor: Option<String>,
    /// What it shows of the making of what was ordered.
    pub making: Option<MakingPart>,
    /// It is as high as its twin reports.
    pub level: Option<LevelPart>,
    /// Its light is baked into the world's lightmap, by its second set of texture coordinates.
    pub lightmap: bool,
}

/// Reads extras as the exporter wrote them: JSON text. Returns what they mean and what could not be understood.
#[must_use]
pub fn read_extras(text: &str) -> (NodeMeaning, Vec<String>) {
    let mut problems = Vec::new();
    if !text.contains("vestibule_") {
        return (NodeMeaning::default(), problems);
    }
    if text.len() > MAX_EXTRAS {
        problems.push(format!("extras of {} bytes are not read, at most {MAX_EXTRAS}", text.len()));
        return (NodeMeaning::default(), problems);
    }
    let Ok(Value::Object(extras)) = serde_json::from_str::<Value>(text) else {
        problems.push("extras are no JSON object".to_owned());
        return (NodeMeaning::default(), problems);
    };
    let mut name = |key: &str| match extras.get(key) {
        Some(Value::String(name)) if !name.is_empty() && name.len() <= MAX_NAME => Some(name.clone()),
        None => None,
        Some(_) => {
            problems.push(format!("{key} is no name of 1 to {MAX_NAME} bytes"));
            None
        }
    };
    let (zone, spawn) = (name("vestibule_zone"), name("vestibule_spawn"));
    let (waypoint, anchor) = (name("vestibule_waypoint"), name("vestibule_anchor"));
    let collider = match extras.get("vestibule_collider").and_then(Value::as_str) {
        Some("mesh") => ColliderKind::Mesh,
        Some("box") => ColliderKind::Box,
        Some("none") | None => ColliderKind::None,
        Some(_) => {
            problems.push("vestibule_collider is neither mesh, box nor none".to_owned());
            ColliderKind::None
        }
    };
    let lightmap = match extras.get("vestibule_lightmap") {
        // Blender writes a custom property that is a checkbox as true and one that is a number as 1.
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(number)) => number.as_f64() == Some(1.0),
        _ => false,
    };
    let part = read_part(&extras, &mut problems);
    let (making, level) = (read_making(&extras, &mut problems), read_level(&extras, &mut problems));
    (NodeMeaning { part, collider, zone, spawn, waypoint, anchor, making, level, lightmap }, problems)
}

fn read_making(extras: &Map<String, Value>, problems: &mut Vec<String>) -> Option<MakingPart> {
    match extras.get("vestibule_making")?.as_str() {
        Some("lamp") => Some(MakingPart::Lamp),
        Some("bar") => Some(MakingPart::Bar),
        Some("piece") => Some(MakingPart::Piece),
        _ => {
            problems.push("vestibule_making is neither lamp, bar nor piece".to_owned());
            None
        }
    }
}

fn read_level(extras: &Map<String, Value>, problems: &mut Vec<String>) -> Option<LevelPart> {
    let feature = extras.get("vestibule_level")?.as_str().map(FeatureId::new);
    #[expect(clippy::cast_possible_truncation, reason = "what lies on a scale needs no more than f32")]
    let full = extras.get("vestibule_full").and_then(Value::as_f64).map(|full| full as f32);
    let full = full.filter(|full| full.is_finite() && *full > 0.0);
    let level = feature.and_then(Result::ok).zip(full).map(|(feature, full)| LevelPart { feature, full });
    if level.is_none() {
        problems.push("vestibule_level wants a feature's id, and vestibule_full a number above 0".to_owned());
    }
    level
}

fn read_part(extras: &Map<String, Value>, problems: &mut Vec<String>) -> Option<(TwinId, TwinRole)> {
    let twin = extras.get("vestibule_twin")?.as_str().map(TwinId::new);
    let Some(Ok(twin)) = twin else {
        problems.push("vestibule_twin is no twin id, such as home/front_door".to_owned());
        return None;
    };
    let name = extras.get("vestibule_role").and_then(Value::as_str).unwrap_or("body");
    let role = role(name, extras);
    if role.is_none() {
        problems.push(format!("vestibule_role {:?} is not known", name.chars().take(40).collect::<String>()));
    }
    Some((twin, role.unwrap_or(TwinRole::Body)))
}

/// The role of this name, with the numbers that `extras` give it.
#[must_use]
pub fn role(name: &str, extras: &Map<String, Value>) -> Option<TwinRole> {
    let number = |key: &str, default: f32, limit: f32| {
        let given = extras.get(key).and_then(Value::as_f64).filter(|number| number.is_finite());
        #[expect(clippy::cast_possible_truncation, reason = "angles, lengths and lumens need no more than f32")]
        given.map_or(default, |number| (number as f32).clamp(-limit, limit))
    };
    Some(match name {
        "leaf" => TwinRole::Leaf { open_angle: number("vestibule_open_angle", 95.0, 360.0).to_radians() },
        "bolt" => TwinRole::Bolt { travel: number("vestibule_travel", 0.02, 2.0) },
        "screen" => TwinRole::Screen,
        "lamp" => TwinRole::Lamp { lumens: number("vestibule_lumens", 800.0, 100_000.0).max(0.0) },
        "blind" => TwinRole::Blind,
        "indicator" => TwinRole::Indicator,
        "body" => TwinRole::Body,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_door_leaf_is_understood() {
        let (meaning, problems) = read_extras(
            r#"{"vestibule_twin":"home/front_door","vestibule_role":"leaf","vestibule_open_angle":-90,"other":1}"#,
        );
        assert!(problems.is_empty());
        let (twin, role) = meaning.part.unwrap();
        assert_eq!(twin.as_str(), "home/front_door");
        assert_eq!(role, TwinRole::Leaf { open_angle: -std::f32::consts::FRAC_PI_2 });
    }

    #[test]
    fn what_is_wrong_is_named_and_the_rest_is_kept() {
        let (meaning, problems) = read_extras(
            r#"{"vestibule_twin":"nosystem","vestibule_zone":"lounge","vestibule_collider":"sphere","vestibule_spawn":7}"#,
        );
        assert_eq!(meaning.zone.as_deref(), Some("lounge"));
        assert_eq!(meaning.part, None);
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn an_unknown_role_is_a_body_and_numbers_are_bounded() {
        let (meaning, problems) = read_extras(r#"{"vestibule_twin":"a/b","vestibule_role":"rocket"}"#);
        assert_eq!((meaning.part.unwrap().1, problems.len()), (TwinRole::Body, 1));
        let (meaning, _) = read_extras(r#"{"vestibule_twin":"a/b","vestibule_role":"lamp","vestibule_lumens":1e300}"#);
        assert_eq!(meaning.part.unwrap().1, TwinRole::Lamp { lumens: 100_000.0 });
    }

    #[test]
    fn a_printer_and_a_jar_are_understood() {
        let (meaning, problems) = read_extras(r#"{"vestibule_making":"bar"}"#);
        assert_eq!((meaning.making, problems.len()), (Some(MakingPart::Bar), 0));
        let (meaning, problems) =
            read_extras(r#"{"vestibule_twin":"a/b","vestibule_level":"board_1","vestibule_full":1000}"#);
        let level = LevelPart { feature: FeatureId::new("board_1").unwrap(), full: 1000.0 };
        assert_eq!((meaning.level, problems.len()), (Some(level), 0));
        for wrong in [
            r#"{"vestibule_making":"rocket"}"#,
            r#"{"vestibule_making":1}"#,
            r#"{"vestibule_level":"board_1"}"#,
            r#"{"vestibule_level":"board_1","vestibule_full":0}"#,
            r#"{"vestibule_level":"board_1","vestibule_full":1e300}"#,
            r#"{"vestibule_level":"No Feature!","vestibule_full":1}"#,
            r#"{"vestibule_level":7,"vestibule_full":1}"#,
        ] {
            let (meaning, problems) = read_extras(wrong);
            assert_eq!((meaning.making, meaning.level, problems.len()), (None, None, 1), "{wrong}");
        }
    }

    #[test]
    fn a_checkbox_of_blender_is_a_number() {
        assert!(read_extras(r#"{"vestibule_lightmap":1}"#).0.lightmap);
        assert!(read_extras(r#"{"vestibule_lightmap":true}"#).0.lightmap);
        assert!(!read_extras(r#"{"vestibule_lightmap":0}"#).0.lightmap);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}") {
            let _ = read_extras(&text);
            let _ = read_extras(&format!("{{\"vestibule_twin\":{text}}}"));
        }
    }
}
