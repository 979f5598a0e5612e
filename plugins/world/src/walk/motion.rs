//! How a walker moves, without an engine: speeds in metres a second, time in seconds.

use bevy::math::{Vec2, Vec3};

/// How fast and how high somebody walks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gait {
    /// Metres a second.
    pub walk: f32,
    /// Metres a second while running.
    pub run: f32,
    /// Seconds to come to speed or to a stand, about.
    pub ease: f32,
    /// Metres that a jump reaches.
    pub jump: f32,
    /// Metres a second squared, downwards.
    pub gravity: f32,
}

impl Default for Gait {
    fn default() -> Self {
        Self { walk: 1.9, run: 4.2, ease: 0.08, jump: 0.45, gravity: 9.81 }
    }
}

/// Metres a second that nobody falls faster than.
const TERMINAL: f32 = 40.0;

/// What the walker's legs are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Steps {
    /// X to the right, Y forward, each -1 to 1.
    pub stick: Vec2,
    /// Faster.
    pub run: bool,
    /// Off the ground, if on it.
    pub jump: bool,
}

/// The velocity after `dt` seconds, in the world's frame, for a walker who looks along `yaw` radians about +Y.
#[must_use]
pub fn next_velocity(now: Vec3, steps: Steps, yaw: f32, grounded: bool, gait: &Gait, dt: f32) -> Vec3 {
    let stick = steps.stick.clamp_length_max(1.0);
    let speed = if steps.run { gait.run } else { gait.walk };
    let (sin, cos) = yaw.sin_cos();
    // Forward is -Z turned by yaw, right is +X turned by yaw.
    let wanted = Vec2::new(stick.x * cos - stick.y * sin, -stick.x * sin - stick.y * cos) * speed;
    let level = Vec2::new(now.x, now.z);
    let share = if gait.ease > 0.0 { 1.0 - (-dt / gait.ease).exp() } else { 1.0 };
    // In the air, legs push little.
    let level = level.lerp(wanted, if grounded { share } else { share * 0.15 });
    let fall = if grounded && steps.jump {
        (2.0 * gait.gravity * gait.jump).sqrt()
    } else if grounded && now.y <= 0.0 {
        // A small push keeps the ground under the feet on slopes and stairs.
        -0.5
    } else {
        (now.y - gait.gravity * dt).max(-TERMINAL)
    };
    Vec3::new(level.x, fall, level.y)
}

/// The head after `dt` seconds: how far it still lags behind the body, metres. Stairs are felt, not seen.
#[must_use]
pub fn ease_head(lag: f32, dt: f32) -> f32 {
    let eased = lag * (-dt / 0.07).exp();
    if eased.abs() < 0.0005 { 0.0 } else { eased.clamp(-0.5, 0.5) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f32 = 1.0 / 60.0;

    fn run(mut velocity: Vec3, steps: Steps, yaw: f32, grounded: bool, frames: usize) -> Vec3 {
        for _ in 0..frames {
            velocity = next_velocity(velocity, steps, yaw, grounded, &Gait::default(), DT);
        }
        velocity
    }

    #[test]
    fn forward_is_where_one_looks() {
        let forward = Steps { stick: Vec2::Y, ..Steps::default() };
        let north = run(Vec3::ZERO, forward, 0.0, true, 60);
        assert!((north.z + Gait::default().walk).abs() < 0.01 && north.x.abs() < 0.01, "{north}");
        let west = run(Vec3::ZERO, forward, std::f32::consts::FRAC_PI_2, true, 60);
        assert!((west.x + Gait::default().walk).abs() < 0.01, "{west}");
        let right = run(Vec3::ZERO, Steps { stick: Vec2::X, ..Steps::default() }, 0.0, true, 60);
        assert!((right.x - Gait::default().walk).abs() < 0.01, "{right}");
    }

    #[test]
    fn a_diagonal_is_no_faster() {
        let both = Steps { stick: Vec2::ONE, run: true, ..Steps::default() };
        let speed = run(Vec3::ZERO, both, 0.3, true, 120);
        assert!((Vec2::new(speed.x, speed.z).length() - Gait::default().run).abs() < 0.01);
    }

    #[test]
    fn a_jump_reaches_its_height_and_needs_the_ground() {
        let gait = Gait::default();
        let jump = Steps { jump: true, ..Steps::default() };
        let mut velocity = next_velocity(Vec3::ZERO, jump, 0.0, true, &gait, DT);
        let (mut height, mut top) = (0.0_f32, 0.0_f32);
        for _ in 0..120 {
            height += velocity.y * DT;
            top = top.max(height);
            velocity = next_velocity(velocity, jump, 0.0, false, &gait, DT);
        }
        assert!((top - gait.jump).abs() < 0.06, "{top}");
        assert!(height < 0.0, "no second jump in the air");
    }

    #[test]
    fn falls_are_bounded_and_heads_come_to_rest() {
        let fallen = run(Vec3::ZERO, Steps::default(), 0.0, false, 6000);
        assert!(fallen.y >= -TERMINAL);
        let mut lag = 0.3;
        for _ in 0..60 {
            lag = ease_head(lag, DT);
        }
        assert_eq!(lag, 0.0);
    }
}
