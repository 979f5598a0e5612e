//! Where furniture may stand, in metres and radians. Pure.

use bevy::math::{Quat, Vec2, Vec3};

/// Metres between places on the floor.
pub const GRID: f32 = 0.1;
/// Radians between directions: fifteen degrees.
pub const TURN: f32 = std::f32::consts::PI / 12.0;
/// Metres up to which a piece is walked over and stood upon: a rug.
pub const FLAT: f32 = 0.06;
/// Metres by which pieces may touch each other, walls and the floor.
const TOUCH: f32 = 0.02;

/// A model's corners in its own frame: origin on the floor, front towards -Z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The least corner, metres.
    pub low: Vec3,
    /// The greatest corner, metres.
    pub high: Vec3,
}

impl Bounds {
    /// Whether it is so low that one walks over it.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.high.y - self.low.y <= FLAT
    }

    /// The room that the model takes at a place.
    #[must_use]
    pub fn at(&self, position: Vec3, yaw: f32) -> Solid {
        let centre = Quat::from_rotation_y(yaw) * ((self.low + self.high) / 2.0);
        Solid { centre: position + centre, half: (self.high - self.low) / 2.0, yaw }
    }
}

/// A box that stands upright.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solid {
    /// Its middle in the world's frame, metres.
    pub centre: Vec3,
    /// Half its extents in its own frame, metres.
    pub half: Vec3,
    /// Radians about +Y.
    pub yaw: f32,
}

impl Solid {
    /// The same, smaller by what may touch, and lifted off the floor by as much.
    #[must_use]
    pub fn shrunk(mut self) -> Self {
        self.half = (self.half - Vec3::splat(TOUCH)).max(Vec3::splat(0.005));
        self
    }

    fn axes(&self) -> [Vec2; 2] {
        let (sin, cos) = self.yaw.sin_cos();
        // Seen from above, as (x, z): local X and local Z turned about +Y.
        [Vec2::new(cos, -sin), Vec2::new(sin, cos)]
    }

    /// How far the box reaches along `axis`, seen from above.
    fn reach(&self, axis: Vec2) -> f32 {
        let [x, z] = self.axes();
        x.dot(axis).abs() * self.half.x + z.dot(axis).abs() * self.half.z
    }

    /// Metres that the box reaches from the model's origin against `normal`: that far from a wall it just touches.
    #[must_use]
    pub fn reach_towards(&self, normal: Vec3) -> f32 {
        let axis = Vec2::new(normal.x, normal.z).normalize_or(Vec2::X);
        self.reach(axis) - Vec2::new(self.centre.x, self.centre.z).dot(axis)
    }

    /// Whether two boxes take the same room, but for a touch.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let apart = other.centre - self.centre;
        if apart.y.abs() >= self.half.y + other.half.y - TOUCH {
            return false;
        }
        let apart = Vec2::new(apart.x, apart.z);
        let mut axes = self.axes().into_iter().chain(other.axes());
        axes.all(|axis| apart.dot(axis).abs() < self.reach(axis) + other.reach(axis) - TOUCH)
    }
}

/// The nearest place of the grid; the height is kept.
#[must_use]
pub fn snap_to_grid(point: Vec3) -> Vec3 {
    Vec3::new((point.x / GRID).round() * GRID, point.y, (point.z / GRID).round() * GRID)
}

/// Metres between places of what is hung up or stands on tables: one is more precise with small things.
pub const FINE: f32 = 0.01;

/// The nearest fine place; the height is kept.
#[must_use]
pub fn snap_finely(point: Vec3) -> Vec3 {
    Vec3::new((point.x / FINE).round() * FINE, point.y, (point.z / FINE).round() * FINE)
}

/// Where a piece hangs whose back is on a wall: at fine places along the wall and upwards, looking away from it.
///
/// `on_wall` is where it is pointed at, `normal` points into the room.
#[must_use]
pub fn snap_to_hang(on_wall: Vec3, normal: Vec3) -> (Vec3, f32) {
    let out = Vec3::new(normal.x, 0.0, normal.z).normalize_or(Vec3::Z);
    let along = Vec3::new(-out.z, 0.0, out.x);
    let shift = (on_wall.dot(along) / FINE).round() * FINE - on_wall.dot(along);
    let position = on_wall + along * shift + out * 0.002;
    let height = (on_wall.y / FINE).round() * FINE;
    (Vec3::new(position.x, height, position.z), (-out.x).atan2(-out.z))
}

/// The nearest direction that pieces may have, from 0 to a full turn.
#[must_use]
pub fn snap_turn(yaw: f32) -> f32 {
    ((yaw / TURN).round() * TURN).rem_euclid(std::f32::consts::TAU)
}

/// Where a piece stands whose back is against a wall: at the grid's place along the wall, and looking away from it.
///
/// `on_wall` is any point of the wall, `normal` points into the room; the height is that of the floor.
#[must_use]
pub fn snap_to_wall(on_wall: Vec3, normal: Vec3, floor: f32) -> (Vec3, f32) {
    let out = Vec3::new(normal.x, 0.0, normal.z).normalize_or(Vec3::Z);
    let along = Vec3::new(-out.z, 0.0, out.x);
    let level = Vec3::new(on_wall.x, 0.0, on_wall.z);
    let shift = (level.dot(along) / GRID).round() * GRID - level.dot(along);
    let position = level + along * shift + out * 0.01;
    (Vec3::new(position.x, floor, position.z), (-out.x).atan2(-out.z))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::{FRAC_PI_2, FRAC_PI_4};

    use proptest::prelude::*;

    use super::*;

    const SOFA: Bounds = Bounds { low: Vec3::new(-1.0, 0.0, -0.45), high: Vec3::new(1.0, 0.8, 0.45) };

    #[test]
    fn neighbours_may_touch() {
        let here = SOFA.at(Vec3::ZERO, 0.0);
        assert!(here.overlaps(&SOFA.at(Vec3::X * 1.9, 0.0)));
        assert!(!here.overlaps(&SOFA.at(Vec3::X * 2.0, 0.0)));
        assert!(!here.overlaps(&SOFA.at(Vec3::Z * 0.9, 0.0)));
        assert!(!here.overlaps(&SOFA.at(Vec3::Y * 0.8, 0.0)), "one floor up");
    }

    #[test]
    fn a_turned_sofa_reaches_elsewhere() {
        let here = SOFA.at(Vec3::ZERO, 0.0);
        assert!(!here.overlaps(&SOFA.at(Vec3::X * 1.5, FRAC_PI_2)));
        assert!(here.overlaps(&SOFA.at(Vec3::Z * 1.3, FRAC_PI_2)));
        // Corner to corner, boxes along the axes would meet; turned ones do not.
        assert!(!here.overlaps(&SOFA.at(Vec3::new(1.6, 0.0, 1.2), FRAC_PI_4)));
    }

    #[test]
    fn a_piece_stops_before_a_wall() {
        // Its origin is at its back, the wall is behind it.
        let shelf = Bounds { low: Vec3::new(-0.5, 0.0, -0.3), high: Vec3::new(0.5, 2.0, 0.0) };
        assert!(shelf.at(Vec3::ZERO, 0.0).reach_towards(Vec3::NEG_Z).abs() < 1e-5);
        assert!((shelf.at(Vec3::ZERO, 0.0).reach_towards(Vec3::Z) - 0.3).abs() < 1e-5);
        assert!((SOFA.at(Vec3::ZERO, FRAC_PI_2).reach_towards(Vec3::X) - 0.45).abs() < 1e-5);
    }

    #[test]
    fn backs_go_to_the_wall() {
        // A wall along z at x = 3, with the room to its west.
        let (position, yaw) = snap_to_wall(Vec3::new(3.0, 1.2, 0.537), Vec3::NEG_X, 0.0);
        assert!(position.abs_diff_eq(Vec3::new(2.99, 0.0, 0.5), 1e-4), "{position}");
        let front = Quat::from_rotation_y(yaw) * Vec3::NEG_Z;
        assert!(front.abs_diff_eq(Vec3::NEG_X, 1e-5), "{front}");
        let shelf = Bounds { low: Vec3::new(-0.5, 0.0, -0.3), high: Vec3::new(0.5, 2.0, 0.0) };
        assert!(shelf.at(position, yaw).centre.x < 2.99, "it stands in the room");
    }

    #[test]
    fn what_hangs_is_where_it_is_pointed_at() {
        let (position, yaw) = snap_to_hang(Vec3::new(3.0, 1.523, 0.537), Vec3::NEG_X);
        assert!(position.abs_diff_eq(Vec3::new(2.998, 1.52, 0.54), 1e-4), "{position}");
        let front = Quat::from_rotation_y(yaw) * Vec3::NEG_Z;
        assert!(front.abs_diff_eq(Vec3::NEG_X, 1e-5), "{front}");
        assert!(snap_finely(Vec3::new(0.123, 0.777, -0.456)).abs_diff_eq(Vec3::new(0.12, 0.777, -0.46), 1e-5));
    }

    proptest! {
        #[test]
        fn overlap_is_mutual(x in -3.0_f32..3.0, z in -3.0_f32..3.0, a in 0.0_f32..7.0, b in 0.0_f32..7.0) {
            let (one, two) = (SOFA.at(Vec3::ZERO, a), SOFA.at(Vec3::new(x, 0.0, z), b));
            prop_assert_eq!(one.overlaps(&two), two.overlaps(&one));
            prop_assert!(one.overlaps(&one));
        }

        #[test]
        fn snapping_is_settled(x in -50.0_f32..50.0, z in -50.0_f32..50.0, yaw in -20.0_f32..20.0) {
            let once = snap_to_grid(Vec3::new(x, 1.0, z));
            prop_assert!(snap_to_grid(once).abs_diff_eq(once, 1e-4));
            prop_assert!((once - Vec3::new(x, 1.0, z)).abs().max_element() <= GRID / 2.0 + 1e-4);
            let turn = snap_turn(yaw);
            prop_assert!((0.0..=std::f32::consts::TAU).contains(&turn));
            let again = snap_turn(turn);
            prop_assert!((again - turn).abs() < 1e-3 || std::f32::consts::TAU - (again - turn).abs() < 1e-2);
        }
    }
}
