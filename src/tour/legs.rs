//! Walking and looking by nothing but mouse and keys.

use bevy::{input::ButtonState, prelude::*};
use vestibule_input::{Control, LookSettings};
use vestibule_twin::TwinPart;
use vestibule_world::{
    scene::Places,
    walk::{Eye, Gaze, HEIGHT, Walker},
};

use super::hands;

/// Metres from a waypoint that count as there.
const THERE: f32 = 0.3;
/// Metres above the floor at which one looks at a place.
pub(super) const BREAST: f32 = 1.2;
/// Radians off that count as looking at it.
const AIMED: f32 = 0.006;
/// Radians a frame that the mouse turns at the most: a calm hand at thirty frames a second.
const TURN: f32 = 0.16;

/// Where the walker's feet are, metres in the world's frame.
pub(super) fn feet(world: &mut World) -> Option<Vec3> {
    let body = world.query_filtered::<&GlobalTransform, With<Walker>>().iter(world).next()?;
    Some(body.translation() - Vec3::Y * HEIGHT / 2.0)
}

fn eye(world: &mut World) -> Option<Vec3> {
    world.query_filtered::<&GlobalTransform, With<Eye>>().iter(world).next().map(GlobalTransform::translation)
}

/// One frame of walking to a waypoint. `Ok(true)`: there. `Err`: there is no such place.
pub(super) fn walk(world: &mut World, to: &str) -> Result<bool, String> {
    let places = world.resource::<Places>();
    let Some(target) = places.waypoints.get(to).map(|place| place.translation) else {
        let known: Vec<_> = places.waypoints.keys().cloned().collect();
        return Err(format!("the world has no waypoint {to:?}, only {}", known.join(", ")));
    };
    let Some(feet) = feet(world) else { return Err("nobody is there to walk".to_owned()) };
    let way = target - feet;
    let level = Vec2::new(way.x, way.z).length();
    if level < THERE && way.y.abs() < 1.0 {
        hands::set(world, Control::Forward, ButtonState::Released);
        return Ok(true);
    }
    let wanted = Gaze::along(Vec3::new(way.x, 0.0, way.z));
    let off = turn_towards(world, wanted);
    // A person stops to turn round, and slows down for nothing else.
    let state = if off < 0.35 { ButtonState::Pressed } else { ButtonState::Released };
    hands::set(world, Control::Forward, state);
    Ok(false)
}

/// One frame of turning the view to a twin's part, or to `height` metres above a place. `Ok(true)`: aimed.
pub(super) fn look(world: &mut World, at: &str, height: f32) -> Result<bool, String> {
    let Some(eye) = eye(world) else { return Err("there is no eye to look with".to_owned()) };
    let parts = world.query::<(&TwinPart, &GlobalTransform)>();
    let mut parts = parts;
    let found = parts
        .iter(world)
        .filter(|(part, _)| part.twin.as_str() == at)
        .map(|(_, place)| place.translation())
        .min_by(|a, b| a.distance_squared(eye).total_cmp(&b.distance_squared(eye)));
    let places = world.resource::<Places>();
    let place = places.anchors.get(at).or_else(|| places.waypoints.get(at)).map(|place| place.translation);
    let Some(target) = found.or(place.map(|floor| floor + Vec3::Y * height)) else {
        return Err(format!("nothing here is called {at:?}: no twin's part, no anchor, no waypoint"));
    };
    Ok(turn_towards(world, Gaze::along(target - eye)) < AIMED)
}

/// Moves the mouse towards a gaze; radians that are still missing before this move.
fn turn_towards(world: &mut World, wanted: Gaze) -> f32 {
    let Some(gaze) = world.query::<&Gaze>().iter(world).next().copied() else { return 0.0 };
    let yaw = (wanted.yaw - gaze.yaw + std::f32::consts::PI).rem_euclid(std::f32::consts::TAU) - std::f32::consts::PI;
    let pitch = wanted.pitch - gaze.pitch;
    let look = world.resource::<LookSettings>();
    let per_count = look.turn(Vec2::ONE);
    let step = Vec2::new(yaw.clamp(-TURN, TURN), pitch.clamp(-TURN, TURN));
    hands::move_mouse(world, step / per_count);
    yaw.hypot(pitch)
}
