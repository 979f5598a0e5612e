//! The work stand: where a design stands while it is designed. Pure.

use bevy::prelude::*;
use vestibule_fabricate::Bounds;

use crate::mesh::METRE;

/// Metres from the eye at which a thing of no size stands, and how much further a larger one.
const NEAR: f32 = 0.42;
const FURTHER: f32 = 1.35;
/// Metres; nearer and the hand is in the face, further and nobody sees a millimetre.
const DISTANCE: std::ops::RangeInclusive<f32> = 0.6..=2.6;
/// Metres to the right for each metre away: the window for designing is on the left.
const ASIDE: f32 = 0.24;
/// Radians that it is turned from looking at the person: so one sees that it has depth.
const TURNED: f32 = -0.5;
/// Metres that are left free before a wall.
const FREE: f32 = 0.15;
/// Metres from an eye to the floor where nothing else says so.
const EYE: f32 = 1.6;

/// What a design lies between, in metres.
pub(crate) fn metres(bounds: &Bounds) -> (Vec3, Vec3) {
    #[expect(clippy::cast_possible_truncation, reason = "things in a room")]
    let point = |point: [f64; 3]| Vec3::from(point.map(|mm| mm as f32)) * METRE;
    (point(bounds.low), point(bounds.high))
}

/// Where one looks along the floor.
pub(crate) fn level(eye: &GlobalTransform) -> Dir3 {
    let forward = eye.forward();
    let flat = Vec3::new(forward.x, 0.0, forward.z);
    Dir3::new(flat).unwrap_or(Dir3::NEG_Z)
}

/// Where a design stands before an eye, at true size: in the middle of what is seen beside the window. `wall`: metres to
/// the nearest thing straight ahead. `floor`: the height of the floor there.
pub(crate) fn pose(eye: &GlobalTransform, bounds: &Bounds, wall: Option<f32>, floor: Option<f32>) -> Transform {
    let (low, high) = metres(bounds);
    let (size, middle) = (high - low, (high + low) / 2.0);
    let ahead = level(eye);
    let wanted = (NEAR + FURTHER * size.max_element()).clamp(*DISTANCE.start(), *DISTANCE.end());
    let room = wall.map_or(f32::INFINITY, |wall| wall - size.x.max(size.z) / 2.0 - FREE);
    let distance = wanted.min(room).max(0.45);
    let right = ahead.cross(Vec3::Y);
    let pitch = eye.forward().y.clamp(-0.42, 0.1).asin();
    let eye = eye.translation();
    let mut place = eye + *ahead * distance + right * (ASIDE * distance);
    let floor = floor.unwrap_or(eye.y - EYE);
    place.y = (eye.y + pitch.tan() * distance).max(floor + size.y / 2.0 + 0.03);
    let back = eye - place;
    let turn = Quat::from_rotation_y(back.x.atan2(back.z) + TURNED);
    Transform::from_translation(place - turn * middle).with_rotation(turn)
}

/// Turned about the upright through its middle.
pub(crate) fn turned(stands: &Transform, bounds: &Bounds, radians: f32) -> Transform {
    let (low, high) = metres(bounds);
    let turn = Quat::from_rotation_y(radians);
    let middle = stands.transform_point((low + high) / 2.0);
    let translation = middle + turn * (stands.translation - middle);
    Transform { translation, rotation: (turn * stands.rotation).normalize(), ..*stands }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELF: Bounds = Bounds { low: [-120.0, 0.0, 0.0], high: [120.0, 200.0, 140.0] };

    fn eye(pitch: f32) -> GlobalTransform {
        Transform::from_xyz(1.0, 4.6, 2.0).with_rotation(Quat::from_euler(EulerRot::YXZ, 0.7, pitch, 0.0)).into()
    }

    fn middle(pose: &Transform) -> Vec3 {
        let (low, high) = metres(&SHELF);
        pose.transform_point((low + high) / 2.0)
    }

    #[test]
    fn it_stands_in_front_of_the_eye_and_shows_its_front() {
        for pitch in [-1.4, -0.3, 0.0, 1.2] {
            let eye = eye(pitch);
            let pose = pose(&eye, &SHELF, None, Some(3.0));
            let way = middle(&pose) - eye.translation();
            assert!(way.dot(*level(&eye)) > 0.5 && way.length() < 1.5, "{way}");
            assert!((pose.rotation * Vec3::Z).dot(way) < 0.0, "its front looks at the person");
            assert!((pose.rotation * Vec3::Y).abs_diff_eq(Vec3::Y, 1e-5) && pose.scale == Vec3::ONE, "true size");
            assert!(pose.translation.y > 3.0, "never in the floor");
        }
    }

    #[test]
    fn it_keeps_out_of_walls_and_floors() {
        let eye = eye(0.0);
        let near = pose(&eye, &SHELF, Some(0.8), None);
        let far = pose(&eye, &SHELF, None, None);
        let ahead = |pose: &Transform| (middle(pose) - eye.translation()).dot(*level(&eye));
        assert!(ahead(&near) < ahead(&far) && ahead(&near) + 0.12 < 0.8);
        let high = pose(&eye, &SHELF, None, Some(4.7));
        assert!(high.translation.y > 4.7, "it stands on what is there");
    }

    #[test]
    fn turning_keeps_its_place() {
        let stands = pose(&eye(0.0), &SHELF, None, None);
        let mut now = stands;
        for _ in 0..8 {
            now = turned(&now, &SHELF, std::f32::consts::FRAC_PI_4);
            assert!(middle(&now).abs_diff_eq(middle(&stands), 1e-4));
        }
        assert!(now.translation.abs_diff_eq(stands.translation, 1e-3));
    }
}
