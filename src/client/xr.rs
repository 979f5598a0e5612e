//! The headset's part of the client.

use bevy::prelude::*;
use vestibule_world::walk::{HEIGHT, Walker};
use vestibule_xr::XrStand;

/// Metres between two eyes of one person, at least and at most: OpenXR runtimes give 0.05 to 0.08.
const APART: std::ops::Range<f32> = 0.02..0.12;

/// The person's own floor lies under the walker's feet.
pub(super) fn stand(walkers: Query<&GlobalTransform, With<Walker>>, mut stand: ResMut<XrStand>) {
    if let Ok(body) = walkers.single() {
        let feet = body.translation() - Vec3::Y * HEIGHT / 2.0;
        stand.set_if_neq(XrStand(Transform::from_translation(feet)));
    }
}

/// How many eyes are tracked: two, where they are apart as eyes are.
pub(crate) fn views(world: &mut World) -> usize {
    let eyes = vestibule_xr::tracked_eyes(world);
    match eyes[..] {
        [left, right] if APART.contains(&left.translation().distance(right.translation())) => 2,
        _ => eyes.len().min(1),
    }
}
