//! Where sun and moon stand and how bright a day is. Pure: hours in, light out.

use bevy::{
    color::LinearRgba,
    math::{Vec3, ops},
};

/// Degrees of latitude of a house in the middle of Europe.
const LATITUDE: f32 = 48.0;
/// Degrees by which the sun stands north of the equator in May.
const DECLINATION: f32 = 18.0;

/// The direction towards the sun at so many hours after midnight (solar time), in the world's frame, of length one:
/// north is -Z, east is +X.
#[must_use]
pub fn towards_sun(hours: f32) -> Vec3 {
    let (sin_lat, cos_lat) = ops::sin_cos(LATITUDE.to_radians());
    let (sin_dec, cos_dec) = ops::sin_cos(DECLINATION.to_radians());
    let (sin_hour, cos_hour) = ops::sin_cos((hours - 12.0) * 15_f32.to_radians());
    let up = sin_lat * sin_dec + cos_lat * cos_dec * cos_hour;
    let east = -cos_dec * sin_hour;
    let north = cos_lat * sin_dec - sin_lat * cos_dec * cos_hour;
    Vec3::new(east, up, -north).normalize_or(Vec3::Y)
}

/// The direction towards the moon: it is full and stands where the sun stood half a day ago, but higher.
#[must_use]
pub fn towards_moon(hours: f32) -> Vec3 {
    let sun = towards_sun(hours + 12.0);
    Vec3::new(sun.x, sun.y.abs() * 0.6 + 0.35, sun.z).normalize_or(Vec3::Y)
}

/// All that depends on the hour. Colours are linear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Daylight {
    /// 0 night to 1 day.
    pub day: f32,
    /// 0 to 1, most when the sun touches the horizon.
    pub dusk: f32,
    /// The sky straight up, in the picture's units (1 is white).
    pub zenith: LinearRgba,
    /// The sky at the horizon.
    pub horizon: LinearRgba,
    /// What shines: sun or moon; towards it, length one.
    pub towards: Vec3,
    /// Its colour.
    pub colour: LinearRgba,
    /// Its light in lux on a surface that faces it.
    pub lux: f32,
    /// Light from everywhere, candela per square metre.
    pub ambient: f32,
    /// Light that comes from above and around rather than from below, candela per square metre where it is white.
    pub round: f32,
    /// The colour of that.
    pub ambient_colour: LinearRgba,
    /// Exposure value at ISO 100 for a room at that hour: eyes adapt.
    pub ev100: f32,
}

fn blend(from: LinearRgba, to: LinearRgba, share: f32) -> LinearRgba {
    from * (1.0 - share) + to * share
}

fn smooth(low: f32, high: f32, at: f32) -> f32 {
    let share = ((at - low) / (high - low)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// The light at so many hours after midnight; any number, also of the next days.
#[must_use]
pub fn daylight(hours: f32) -> Daylight {
    let hours = if hours.is_finite() { hours.rem_euclid(24.0) } else { 12.0 };
    let sun = towards_sun(hours);
    let day = smooth(-0.12, 0.14, sun.y);
    let dusk = smooth(-0.2, 0.0, sun.y) * (1.0 - smooth(0.02, 0.34, sun.y));
    let night_up = LinearRgba::rgb(0.004, 0.007, 0.018);
    let night_low = LinearRgba::rgb(0.010, 0.014, 0.028);
    let zenith = blend(night_up, LinearRgba::rgb(0.13, 0.30, 0.72), day);
    let horizon = blend(night_low, LinearRgba::rgb(0.62, 0.78, 0.95), day);
    let horizon = blend(horizon, LinearRgba::rgb(1.0, 0.45, 0.18), dusk * 0.75);
    let zenith = blend(zenith, LinearRgba::rgb(0.20, 0.20, 0.42), dusk * 0.4);
    // The light goes out before it changes sides, so that no shadow jumps.
    let sun_share = smooth(0.0, 0.10, sun.y);
    let moon_share = 1.0 - smooth(-0.14, -0.02, sun.y);
    let by_sun = sun.y > -0.01;
    let warm = blend(LinearRgba::rgb(1.0, 0.42, 0.16), LinearRgba::rgb(1.0, 0.95, 0.86), smooth(0.0, 0.45, sun.y));
    Daylight {
        day,
        dusk,
        zenith,
        horizon,
        towards: if by_sun { sun } else { towards_moon(hours) },
        colour: if by_sun { warm } else { LinearRgba::rgb(0.55, 0.68, 1.0) },
        lux: if by_sun { 9_500.0 * sun_share } else { 60.0 * moon_share },
        ambient: 9.0 + 130.0 * day,
        round: 9.0 + 330.0 * day,
        ambient_colour: blend(
            LinearRgba::rgb(0.45, 0.58, 1.0),
            blend(LinearRgba::rgb(0.92, 0.96, 1.0), LinearRgba::rgb(1.0, 0.72, 0.52), dusk * 0.6),
            day.max(dusk * 0.6),
        ),
        ev100: 6.6 + 2.4 * day,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_sun_rises_in_the_east_and_is_highest_at_noon_in_the_south() {
        assert!(towards_sun(6.0).x > 0.8 && towards_sun(18.0).x < -0.8);
        let noon = towards_sun(12.0);
        assert!(noon.y > 0.8 && noon.z > 0.0, "{noon}");
        assert!(towards_sun(0.0).y < -0.2);
    }

    #[test]
    fn nights_are_dark_and_days_are_bright() {
        let (night, noon) = (daylight(0.5), daylight(12.5));
        assert!(night.day < 0.01 && noon.day > 0.99);
        assert!(night.lux > 0.0 && night.lux < 100.0 && noon.lux > 5_000.0);
        assert!(night.towards.y > 0.2, "the moon is up");
        assert!(noon.horizon.blue > night.horizon.blue * 10.0);
    }

    proptest! {
        #[test]
        fn every_hour_can_be_drawn(hours: f32) {
            let light = daylight(hours);
            prop_assert!((light.towards.length() - 1.0).abs() < 1e-3);
            prop_assert!(light.lux.is_finite() && light.lux >= 0.0 && light.ambient > 0.0);
            prop_assert!((0.0..=1.0).contains(&light.day) && (0.0..=1.0).contains(&light.dusk));
        }

        #[test]
        fn no_light_jumps(hours in 0.0_f32..24.0) {
            let (a, b) = (daylight(hours), daylight(hours + 0.01));
            prop_assert!((a.lux - b.lux).abs() < 600.0, "{} {}", a.lux, b.lux);
            prop_assert!(a.towards.distance(b.towards) < 0.01 || a.lux.max(b.lux) < 1.0);
        }
    }
}
