use bevy::{ecs::system::SystemParam, prelude::*};
use bevy_rapier3d::prelude::{Collider, QueryFilter, ReadRapierContext};

use super::{FurnitureModel, Solid};
use crate::walk::Walker;

/// What does not move in the world: walls, floors, fixed furniture of the scene.
#[derive(SystemParam)]
pub struct Walls<'w, 's> {
    physics: ReadRapierContext<'w, 's>,
    parents: Query<'w, 's, &'static ChildOf>,
    loose: Query<'w, 's, (), Or<(With<FurnitureModel>, With<Walker>)>>,
}

impl Walls<'_, '_> {
    fn is_fixed(&self, entity: Entity) -> bool {
        !std::iter::once(entity).chain(self.parents.iter_ancestors(entity)).any(|at| self.loose.contains(at))
    }

    /// The height of the floor below `point`, at most `reach` metres down; `None`: there is none.
    #[must_use]
    pub fn floor_below(&self, point: Vec3, reach: f32) -> Option<f32> {
        let physics = self.physics.single().ok()?;
        let fixed = |entity| self.is_fixed(entity);
        let filter = QueryFilter::new().exclude_sensors().predicate(&fixed);
        physics.cast_ray(point, Vec3::NEG_Y, reach, true, filter).map(|(_, metres)| point.y - metres)
    }

    /// What fixed thing the ray meets first within `reach` metres: glass, too. The point and its normal.
    #[must_use]
    pub fn first_hit(&self, ray: Ray3d, reach: f32) -> Option<(Vec3, Vec3)> {
        let physics = self.physics.single().ok()?;
        let fixed = |entity| self.is_fixed(entity);
        let filter = QueryFilter::new().exclude_sensors().predicate(&fixed);
        let hit = physics.cast_ray_and_get_normal(ray.origin, *ray.direction, reach, false, filter);
        hit.map(|(_, hit)| (hit.point, hit.normal))
    }

    /// A point of the nearest upright wall around `point` within `reach` metres, and the wall's normal.
    #[must_use]
    pub fn nearest_wall(&self, point: Vec3, reach: f32) -> Option<(Vec3, Vec3)> {
        let physics = self.physics.single().ok()?;
        let fixed = |entity| self.is_fixed(entity);
        let mut nearest: Option<(f32, Vec3, Vec3)> = None;
        for step in 0_u8..32 {
            let angle = f32::from(step) * std::f32::consts::TAU / 32.0;
            let direction = Vec3::new(angle.cos(), 0.0, angle.sin());
            let filter = QueryFilter::new().exclude_sensors().predicate(&fixed);
            let Some((_, hit)) = physics.cast_ray_and_get_normal(point, direction, reach, false, filter) else {
                continue;
            };
            let upright = hit.normal.y.abs() < 0.3 && hit.normal.dot(direction) < 0.0;
            if upright && nearest.is_none_or(|(metres, ..)| hit.time_of_impact < metres) {
                nearest = Some((hit.time_of_impact, hit.point, hit.normal));
            }
        }
        nearest.map(|(_, point, normal)| (point, normal))
    }

    /// Whether something fixed takes some of the same room.
    #[must_use]
    pub fn hit(&self, solid: &Solid) -> bool {
        let Ok(physics) = self.physics.single() else { return false };
        let solid = solid.shrunk();
        let shape = Collider::cuboid(solid.half.x, solid.half.y, solid.half.z);
        let fixed = |entity| self.is_fixed(entity);
        let filter = QueryFilter::new().exclude_sensors().predicate(&fixed);
        let mut hit = false;
        physics.intersect_shape(solid.centre, Quat::from_rotation_y(solid.yaw), &*shape.raw, filter, |_| {
            hit = true;
            false
        });
        hit
    }
}
