use std::collections::BTreeMap;

use bevy::{math::Affine3A, prelude::*};

/// A place with walls that need not be there: a box, turned as its node is.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct Zone {
    /// Its name: `lounge`.
    pub name: String,
    /// From a cube of -1 to 1 to the world's frame, metres.
    pub frame: Affine3A,
}

impl Zone {
    /// Whether `point` (world's frame, metres) is inside, seen from above: floors lie on the edge of their zone, so
    /// heights get half a metre more.
    #[must_use]
    pub fn contains(&self, point: Vec3) -> bool {
        let local = self.frame.inverse().transform_point3(point);
        let height = self.frame.transform_vector3(Vec3::Y).length();
        local.x.abs() <= 1.0 && local.z.abs() <= 1.0 && local.y.abs() * height <= height + 0.5
    }
}

/// Where a visitor may start: feet at the origin, looking along -Z.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct SpawnPoint(pub String);

/// A point on the floor that tours walk to.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct Waypoint(pub String);

/// Any other place that the client needs: `visitor`, `device_shelf`.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct Anchor(pub String);

/// The world's named places, each in the world's frame (metres, Y up). Empty until the world is ready.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// Boxes by name; several may share one.
    pub zones: Vec<Zone>,
    /// Starts by name.
    pub spawns: BTreeMap<String, Transform>,
    /// Points on the floor by name.
    pub waypoints: BTreeMap<String, Transform>,
    /// Other places by name.
    pub anchors: BTreeMap<String, Transform>,
}

impl Places {
    /// Where to start: the start of this name, else `default`, else any, else the origin.
    #[must_use]
    pub fn spawn(&self, name: &str) -> Transform {
        let found = self.spawns.get(name).or_else(|| self.spawns.get("default"));
        found.or_else(|| self.spawns.values().next()).copied().unwrap_or_default()
    }

    /// The names of the zones that `point` is in.
    pub fn zones_at(&self, point: Vec3) -> impl Iterator<Item = &str> {
        self.zones.iter().filter(move |zone| zone.contains(point)).map(|zone| zone.name.as_str())
    }

    /// Whether `point` is in a zone of this name.
    #[must_use]
    pub fn is_in(&self, zone: &str, point: Vec3) -> bool {
        self.zones_at(point).any(|name| name == zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_zone_contains_what_is_in_it() {
        let node = Transform::from_xyz(5.0, 1.25, 0.0)
            .with_rotation(Quat::from_rotation_y(std::f32::consts::FRAC_PI_2))
            .with_scale(Vec3::new(3.0, 1.25, 1.0));
        let zone = Zone { name: "lounge".to_owned(), frame: node.compute_affine() };
        let places = Places { zones: vec![zone], ..default() };
        assert!(places.is_in("lounge", Vec3::new(5.0, 0.0, 2.9)), "the long side lies along z");
        assert!(places.is_in("lounge", Vec3::new(5.5, -0.1, 0.0)), "a floor is on the edge");
        assert!(!places.is_in("lounge", Vec3::new(7.0, 1.0, 0.0)));
        assert!(!places.is_in("lounge", Vec3::new(5.0, 4.0, 0.0)), "one floor up");
        assert!(!places.is_in("kitchen", Vec3::new(5.0, 0.0, 0.0)));
    }

    #[test]
    fn a_world_without_spawns_starts_at_its_origin() {
        assert_eq!(Places::default().spawn("default"), Transform::IDENTITY);
        let one = Places { spawns: [("attic".to_owned(), Transform::from_xyz(1.0, 2.0, 3.0))].into(), ..default() };
        assert_eq!(one.spawn("default").translation, Vec3::new(1.0, 2.0, 3.0));
    }
}
