//! The hand that draws handles and chooses parts: the free mouse, or the middle of the view while one looks around.

use bevy::{
    picking::{
        hover::HoverMap,
        mesh_picking::ray_cast::{MeshRayCast, MeshRayCastSettings, RayCastVisibility},
        pointer::{PointerId, PointerLocation, PointerPress},
    },
    prelude::*,
};
use vestibule_input::{Attention, Control, Controls};
use vestibule_twin::{AtDesign, DesignAxis, DesignHandle, DesignView, EditDesign};

use crate::{
    desk::Desk,
    mesh::METRE,
    show::{DesignStand, DrawnBody, handle_scale},
};

/// How near a ray has to come to a handle, as a part of its length.
const REACH: f32 = 0.28;
/// How long an arrow is for each metre that it is away: it is as large on the screen wherever it is.
pub(crate) const SHARE: f32 = 0.105;

/// What the hand does.
#[derive(Resource, Debug, Default)]
pub(crate) struct Hand {
    /// The handle that is pointed at.
    pub hovered: Option<usize>,
    pressed: bool,
    grip: Option<Grip>,
}

/// Where a handle was taken hold of.
#[derive(Clone, Copy, Debug)]
struct Grip {
    /// World's frame, metres.
    at: Vec3,
    /// One long; nothing for a handle that goes anywhere.
    along: Vec3,
    /// The plane in which it goes anywhere: that of the screen.
    facing: Vec3,
    axis: Option<DesignAxis>,
}

/// How far along a line (from `at`, `along` one long) it comes nearest to a ray, and how far apart they are there.
fn nearest(ray: Ray3d, at: Vec3, along: Vec3) -> Option<(f32, f32)> {
    let (u, w) = (*ray.direction, at - ray.origin);
    let b = u.dot(along);
    let flat = 1.0 - b * b;
    // A line that runs along the ray has no nearest place that a hand could mean.
    if flat < 1e-3 {
        return None;
    }
    let (d, e) = (u.dot(w), along.dot(w));
    let (line, seen) = ((b * d - e) / flat, (d - b * e) / flat);
    if seen <= 0.0 {
        return None;
    }
    let apart = (ray.origin + u * seen - (at + along * line)).length();
    Some((line, apart))
}

/// How far along the ray it meets the handle; none: it does not.
fn meets(ray: Ray3d, handle: &DesignHandle, stands: &GlobalTransform) -> Option<f32> {
    let at = stands.transform_point(Vec3::from(handle.at) * METRE);
    let scale = handle_scale(ray.origin, at);
    let along = stands.rotation() * Vec3::from(handle.along);
    let middle = match along.try_normalize() {
        None => at,
        Some(along) => {
            // Looked at from its tip or its end, an arrow is a point.
            let along_it = nearest(ray, at, along).map_or(0.5 * scale, |(line, _)| line.clamp(0.0, scale));
            at + along * along_it
        }
    };
    let seen = (middle - ray.origin).dot(*ray.direction);
    let apart = (ray.origin + *ray.direction * seen - middle).length();
    (seen > 0.0 && apart < REACH * scale).then_some(seen)
}

impl Grip {
    /// Millimetres that the hand went, in the design's frame.
    fn drawn(&self, from: Ray3d, to: Ray3d, stands: &GlobalTransform) -> Option<[f32; 3]> {
        let axis = self.axis.map(|axis| stands.rotation() * Vec3::AXES[axis.index()]);
        let way = match axis.or_else(|| self.along.try_normalize()) {
            Some(along) => along * (nearest(to, self.at, along)?.0 - nearest(from, self.at, along)?.0),
            None => {
                let plane = InfinitePlane3d::new(self.facing);
                let on = |ray: Ray3d| ray.intersect_plane(self.at, plane).map(|far| ray.get_point(far));
                on(to)? - on(from)?
            }
        };
        Some((stands.rotation().inverse() * way / METRE).to_array())
    }
}

/// Where the hand points and whether it is closed.
#[derive(bevy::ecs::system::SystemParam)]
pub(crate) struct Pointing<'w, 's> {
    attention: Res<'w, State<Attention>>,
    controls: Controls<'w>,
    cameras: Query<'w, 's, (&'static Camera, &'static GlobalTransform), With<Camera3d>>,
    pointers: Query<'w, 's, (&'static PointerId, &'static PointerLocation, Option<&'static PointerPress>)>,
    hovers: Option<Res<'w, HoverMap>>,
    panels: Query<'w, 's, (), With<Node>>,
}

impl Pointing<'_, '_> {
    fn ray(&self) -> Option<Ray3d> {
        let (camera, eye) = self.cameras.iter().next()?;
        match self.attention.get() {
            Attention::Walk => Some(Ray3d::new(eye.translation(), eye.forward())),
            Attention::Point => {
                let mouse = self.pointers.iter().find(|(id, ..)| **id == PointerId::Mouse);
                let at = mouse.and_then(|(_, at, _)| at.location())?.position;
                camera.viewport_to_world(eye, at).ok()
            }
            Attention::Panel => None,
        }
    }

    fn closed(&self) -> bool {
        match self.attention.get() {
            Attention::Walk => self.controls.pressed(Control::Use) || self.controls.pressed(Control::Interact),
            Attention::Point => self
                .pointers
                .iter()
                .any(|(id, _, press)| *id == PointerId::Mouse && press.is_some_and(PointerPress::is_primary_pressed)),
            Attention::Panel => false,
        }
    }

    /// Whether a panel is between the hand and the world.
    fn covered(&self) -> bool {
        let over = self.hovers.as_ref().and_then(|hovers| hovers.get(&PointerId::Mouse));
        let panel = over.is_some_and(|over| over.keys().any(|entity| self.panels.contains(*entity)));
        *self.attention.get() == Attention::Point && panel
    }
}

/// What was where when the hand closed.
#[derive(Default)]
pub(crate) struct Began(Option<Ray3d>);

pub(crate) fn point(
    pointing: Pointing<'_, '_>,
    (at, view): (Res<AtDesign>, Res<DesignView>),
    stands: Query<&GlobalTransform, With<DesignStand>>,
    bodies: Query<&DrawnBody>,
    mut rays: MeshRayCast,
    (mut hand, mut desk): (ResMut<Hand>, ResMut<Desk>),
    mut began: Local<Began>,
    mut edits: MessageWriter<EditDesign>,
) {
    let fine = pointing.controls.pressed(Control::Run);
    if desk.fine != fine {
        desk.bypass_change_detection().fine = fine;
    }
    let (Some(stands), Some(ray)) = (stands.iter().next(), pointing.ray().filter(|_| at.0)) else {
        if hand.grip.is_some() {
            hand.grip = None;
            edits.write(EditDesign::LetGo);
        }
        if hand.hovered.is_some() {
            hand.hovered = None;
        }
        hand.bypass_change_detection().pressed = false;
        return;
    };
    let (closed, was) = (pointing.closed(), hand.pressed);
    hand.bypass_change_detection().pressed = closed;
    if let Some(mut grip) = hand.grip {
        if pointing.controls.just_pressed(Control::Cancel) || view.held.is_none() && !closed {
            hand.grip = None;
            edits.write(EditDesign::LetGo);
            return;
        }
        if pointing.controls.just_pressed(Control::Axis) {
            grip.axis = next_axis(grip.axis);
            hand.grip = Some(grip);
            edits.write(EditDesign::Lock(grip.axis));
        }
        if let Some(by) = began.0.and_then(|from| grip.drawn(from, ray, stands)) {
            edits.write(EditDesign::Drag(by));
        }
        if !closed {
            hand.grip = None;
            edits.write(EditDesign::Drop);
        }
        return;
    }
    let covered = pointing.covered();
    let over = view.handles.iter().enumerate().filter_map(|(index, handle)| Some((index, meets(ray, handle, stands)?)));
    let hovered = over.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index).filter(|_| !covered);
    if hand.hovered != hovered {
        hand.hovered = hovered;
    }
    if !closed || was || covered {
        return;
    }
    match hovered.and_then(|index| Some((index, view.handles.get(index)?))) {
        Some((index, handle)) => {
            began.0 = Some(ray);
            hand.grip = Some(Grip {
                at: stands.transform_point(Vec3::from(handle.at) * METRE),
                along: stands.rotation() * Vec3::from(handle.along),
                facing: *ray.direction,
                axis: None,
            });
            edits.write(EditDesign::Grab(index));
        }
        None => {
            let only = |entity: Entity| bodies.contains(entity);
            let settings =
                MeshRayCastSettings::default().with_visibility(RayCastVisibility::Visible).with_filter(&only);
            let hit = rays.cast_ray(ray, &settings).first().and_then(|(entity, hit)| {
                bodies.get(*entity).ok()?.feature(hit.triangle_index?).map(|key| key.to_string())
            });
            edits.write_batch(hit.map(|part| EditDesign::Select(Some(part))));
        }
    }
}

/// Free, X, Y, Z, free.
const fn next_axis(axis: Option<DesignAxis>) -> Option<DesignAxis> {
    match axis {
        None => Some(DesignAxis::X),
        Some(DesignAxis::X) => Some(DesignAxis::Y),
        Some(DesignAxis::Y) => Some(DesignAxis::Z),
        Some(DesignAxis::Z) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: DesignHandle =
        DesignHandle { field: None, label: String::new(), at: [120.0, 100.0, 0.0], along: [1.0, 0.0, 0.0] };

    fn ray(from: Vec3, to: Vec3) -> Ray3d {
        Ray3d::new(from, Dir3::new(to - from).unwrap())
    }

    #[test]
    fn an_arrow_is_met_along_its_length_and_nowhere_else() {
        let stands = GlobalTransform::IDENTITY;
        let eye = Vec3::new(0.2, 0.1, 1.0);
        let to = |x: f32, y: f32| meets(ray(eye, Vec3::new(x, y, 0.0)), &WIDTH, &stands);
        assert!(to(0.13, 0.1).is_some() && to(0.2, 0.1).is_some());
        assert!(to(0.0, 0.1).is_none() && to(0.13, 0.2).is_none() && to(0.4, 0.1).is_none());
        let behind = ray(eye, Vec3::new(0.15, 0.1, 2.0));
        assert!(meets(behind, &WIDTH, &stands).is_none());
    }

    #[test]
    fn a_hand_draws_in_the_design_s_own_frame() {
        let turned = Transform::from_xyz(3.0, 1.0, -2.0).with_rotation(Quat::from_rotation_y(0.8));
        let stands = GlobalTransform::from(turned);
        let world = |mm: [f32; 3]| stands.transform_point(Vec3::from(mm) * METRE);
        let eye = world([300.0, 400.0, 900.0]);
        let at = world([120.0, 100.0, 0.0]);
        let facing = (at - eye).normalize();
        let arrow = Grip { at, along: stands.rotation() * Vec3::X, facing, axis: None };
        let drawn = arrow.drawn(ray(eye, at), ray(eye, world([170.0, 100.0, 0.0])), &stands).unwrap();
        assert!(Vec3::from(drawn).abs_diff_eq(Vec3::new(50.0, 0.0, 0.0), 0.05), "{drawn:?}");
        let ball = Grip { along: Vec3::ZERO, axis: Some(DesignAxis::Y), ..arrow };
        let drawn = ball.drawn(ray(eye, at), ray(eye, world([120.0, 80.0, 0.0])), &stands).unwrap();
        assert!(Vec3::from(drawn).abs_diff_eq(Vec3::new(0.0, -20.0, 0.0), 0.05), "{drawn:?}");
        let free = Grip { axis: None, ..ball };
        let across = stands.rotation().inverse() * facing.any_orthonormal_vector() * 30.0;
        let to = [0, 1, 2].map(|axis| [120.0, 100.0, 0.0][axis] + across[axis]);
        let drawn = free.drawn(ray(eye, at), ray(eye, world(to)), &stands).unwrap();
        assert!(Vec3::from(drawn).abs_diff_eq(across, 0.05), "{drawn:?} {across}");
    }

    #[test]
    fn what_runs_along_the_view_cannot_be_drawn() {
        assert!(nearest(ray(Vec3::ZERO, Vec3::NEG_Z), Vec3::new(0.1, 0.0, -1.0), Vec3::NEG_Z).is_none());
    }
}
