//! What the person points at, by whatever they point with.

mod highlight;
#[cfg(test)]
mod tests;

use bevy::{
    input::InputSystems,
    picking::mesh_picking::ray_cast::{MeshRayCast, MeshRayCastSettings, RayCastVisibility},
    prelude::*,
    window::PrimaryWindow,
};
use vestibule_input::{Attention, ControlSystems, ensure_control_plugin};
use vestibule_twin::{PointedTwin, TwinPart, TwinSystems, ensure_twin_plugin};

pub use highlight::Highlight;

use crate::walk::Eye;

/// The ray of the pointing hand, in the world's frame.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct PointingRay {
    /// Where it begins and where it goes; `None`: nothing points.
    pub ray: Option<Ray3d>,
    /// Who writes it.
    pub hand: PointingHand,
}

/// Whose hand points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PointingHand {
    /// The view's middle, or the mouse where it is free. [`PointerPlugin`] writes the ray.
    #[default]
    View,
    /// A controller or whatever else: another plugin writes the ray, before [`PointerSystems::Cast`].
    Controller,
}

/// What the ray meets first, up to [`PointerSettings::sight`].
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct PointedSurface {
    /// The mesh and where; `None`: nothing.
    pub hit: Option<SurfaceHit>,
}

/// A point on a mesh, in the world's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurfaceHit {
    /// The entity with the mesh.
    pub entity: Entity,
    /// Metres.
    pub point: Vec3,
    /// Of length one.
    pub normal: Vec3,
    /// Metres from the ray's origin.
    pub distance: f32,
}

/// Neither this entity nor anything below it is pointed at, and nothing is hidden by it.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct PointerIgnores;

/// When pointing happens, in [`PreUpdate`], so that controls of the same frame act on what is shown.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointerSystems {
    /// The ray is written.
    Aim,
    /// The ray becomes [`PointedTwin`] and [`PointedSurface`].
    Cast,
}

/// Pointing and highlighting.
#[derive(Clone, Copy, Debug)]
pub struct PointerPlugin {
    /// How far one can point.
    pub settings: PointerSettings,
}

/// How far one can point.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct PointerSettings {
    /// Metres at which twins can be used.
    pub reach: f32,
    /// Metres at which surfaces are found, to put furniture on.
    pub sight: f32,
}

impl Default for PointerPlugin {
    fn default() -> Self {
        Self { settings: PointerSettings { reach: 4.0, sight: 12.0 } }
    }
}

impl Plugin for PointerPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        ensure_control_plugin(app);
        app.insert_resource(self.settings)
            .init_resource::<PointingRay>()
            .init_resource::<PointedSurface>()
            .configure_sets(
                PreUpdate,
                (PointerSystems::Aim, PointerSystems::Cast)
                    .chain()
                    .after(InputSystems)
                    .after(TwinSystems::Receive)
                    .before(ControlSystems),
            )
            .add_systems(PreUpdate, (aim.in_set(PointerSystems::Aim), cast.in_set(PointerSystems::Cast)))
            .add_systems(Update, highlight::highlight.run_if(resource_changed::<PointedTwin>));
    }
}

fn aim(
    attention: Res<State<Attention>>,
    eyes: Query<(&Camera, &GlobalTransform), With<Eye>>,
    windows: Query<&Window, With<PrimaryWindow>>,
    mut pointing: ResMut<PointingRay>,
) {
    if pointing.hand != PointingHand::View {
        return;
    }
    let mouse = || windows.single().ok().and_then(Window::cursor_position);
    let ray = eyes.iter().next().and_then(|(camera, eye)| match attention.get() {
        Attention::Walk => Some(Ray3d::new(eye.translation(), eye.forward())),
        Attention::Point => mouse().and_then(|at| camera.viewport_to_world(eye, at).ok()),
        Attention::Panel => None,
    });
    pointing.set_if_neq(PointingRay { ray, hand: PointingHand::View });
}

fn cast(
    pointing: Res<PointingRay>,
    settings: Res<PointerSettings>,
    mut rays: MeshRayCast,
    ignored: Query<(), With<PointerIgnores>>,
    parents: Query<&ChildOf>,
    parts: Query<&TwinPart>,
    (surfaces, materials): (Query<&MeshMaterial3d<StandardMaterial>>, Option<Res<Assets<StandardMaterial>>>),
    mut surface: ResMut<PointedSurface>,
    mut pointed: ResMut<PointedTwin>,
) {
    let chain = |entity: Entity| std::iter::once(entity).chain(parents.iter_ancestors(entity));
    let part_of = |entity: Entity| chain(entity).find_map(|at| Some((parts.get(at).ok()?.twin.clone(), at)));
    // One looks through glass, unless the glass itself is a device.
    let clear = |entity: Entity| {
        let material = surfaces.get(entity).ok().and_then(|surface| materials.as_ref()?.get(&surface.0));
        material.is_some_and(|m| matches!(m.alpha_mode, AlphaMode::Blend | AlphaMode::Premultiplied | AlphaMode::Add))
            && part_of(entity).is_none()
    };
    let filter = |entity: Entity| !chain(entity).any(|at| ignored.contains(at));
    let blocks = |entity: Entity| !clear(entity);
    let hit = pointing.ray.and_then(|ray| {
        let cast = MeshRayCastSettings::default()
            .with_visibility(RayCastVisibility::Visible)
            .with_filter(&filter)
            .with_early_exit_test(&blocks);
        let hits = rays.cast_ray(ray, &cast);
        let first = hits.iter().find(|(entity, _)| blocks(*entity));
        first.map(|(entity, hit)| SurfaceHit {
            entity: *entity,
            point: hit.point,
            normal: hit.normal,
            distance: hit.distance,
        })
    });
    let hit = hit.filter(|hit| hit.distance <= settings.sight);
    surface.set_if_neq(PointedSurface { hit });
    let near = hit.filter(|hit| hit.distance <= settings.reach);
    let target = near.and_then(|hit| part_of(hit.entity));
    let distance = if target.is_some() { near.map_or(0.0, |hit| hit.distance) } else { 0.0 };
    // Only a change of the target is news: the distance alone is kept up quietly.
    if pointed.target == target {
        pointed.bypass_change_detection().distance = distance;
    } else {
        *pointed = PointedTwin { target, distance };
    }
}
