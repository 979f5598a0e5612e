use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// How a person looks around, chosen by them in the settings.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookSettings {
    /// Times the usual speed of the mouse: 1 turns a quarter circle by about 700 counts. From 0.1 to 5.
    pub sensitivity: f32,
    /// Pulling the mouse looks up.
    pub invert_y: bool,
}

impl Default for LookSettings {
    fn default() -> Self {
        Self { sensitivity: 1.0, invert_y: false }
    }
}

impl LookSettings {
    /// Radians to turn by (yaw about +Y, pitch upwards) for a movement of the mouse by `counts`, right and down.
    #[must_use]
    pub fn turn(&self, counts: Vec2) -> Vec2 {
        let radians = counts * 0.002_25 * self.sensitivity.clamp(0.1, 5.0);
        Vec2::new(-radians.x, if self.invert_y { radians.y } else { -radians.y })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_is_right_and_up_can_be_turned_over() {
        let mut look = LookSettings::default();
        assert!(look.turn(Vec2::X).x < 0.0, "turning right is a negative yaw");
        assert!(look.turn(Vec2::NEG_Y).y > 0.0);
        look.invert_y = true;
        assert!(look.turn(Vec2::NEG_Y).y < 0.0);
        look.sensitivity = f32::MAX;
        assert!(look.turn(Vec2::X).x.abs() < 0.1);
    }
}
