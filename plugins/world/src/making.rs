//! The printer in the workshop follows the making of what the person ordered, as far as its manufacturer *reports* it.

use bevy::prelude::*;
use vestibule_twin::{
    KnownPurchases, ensure_twin_plugin,
    model::{Carrying, Making, OrderLine, PurchaseUpdate},
};

use crate::{fixtures::own_materials, scene::MakingPart};

/// What the printer shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MakingLook {
    /// The lamp's colour, linear; `None`: dark.
    pub lamp: Option<LinearRgba>,
    /// How far it is, 0 to 1; `None`: nobody said.
    pub far: Option<f32>,
}

/// It waits.
const AMBER: LinearRgba = LinearRgba::rgb(1.0, 0.55, 0.12);
/// A machine works on it.
const BLUE: LinearRgba = LinearRgba::rgb(0.25, 0.6, 1.0);
/// It is made.
const GREEN: LinearRgba = LinearRgba::rgb(0.3, 1.0, 0.45);
/// It cannot be made.
const RED: LinearRgba = LinearRgba::rgb(1.0, 0.18, 0.12);
/// How strongly the lamp glows, in the picture's units: 1 is white paper in the sun.
const GLOW: f32 = 3.0;

/// What to show of a line: how far its making is, until it has left.
fn look_of(making: &Making) -> MakingLook {
    let (lamp, far) = match making {
        Making::Accepted | Making::Checked | Making::Queued { .. } => (AMBER, None),
        Making::InProduction { percent } => (BLUE, Some(f32::from((*percent).min(100)) / 100.0)),
        Making::QualityCheck => (BLUE, Some(1.0)),
        Making::Made => (GREEN, Some(1.0)),
        Making::Rejected { .. } => (RED, None),
    };
    MakingLook { lamp: Some(lamp), far }
}

/// What to show: the newest order of which something is made, and of that the first line. Nothing where it was carried
/// away, taken out of the order, or where nothing was reported.
#[must_use]
pub fn making_look(purchases: &KnownPurchases) -> MakingLook {
    let made = |line: &&OrderLine| line.making.is_some();
    let line = |known: &&PurchaseUpdate| known.order.as_ref()?.lines.iter().find(made).cloned();
    let newest = purchases.newest_first().iter().find_map(line);
    let here = newest.filter(|line| line.total > 0 && line.carrying == Carrying::Nothing);
    here.and_then(|line| line.making).map_or_else(MakingLook::default, |making| look_of(&making))
}

/// When the printer follows, in [`Update`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MakingSystems {
    /// Lamp, bar and piece come to what was reported.
    Follow,
}

/// Lets the nodes of [`MakingPart`] follow [`KnownPurchases`]. Costs nothing while nothing is news.
#[derive(Clone, Copy, Debug, Default)]
pub struct MakingPlugin;

impl Plugin for MakingPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        app.add_systems(Update, (equip, ApplyDeferred, follow).chain().in_set(MakingSystems::Follow));
    }
}

/// A part that follows: its size in the file, and its own materials.
#[derive(Component, Clone, Debug)]
struct Follows {
    full: Vec3,
    materials: Vec<Handle<StandardMaterial>>,
}

fn equip(
    new: Query<(Entity, &Transform, &MakingPart), Added<MakingPart>>,
    children: Query<&Children>,
    mut skins: Query<&mut MeshMaterial3d<StandardMaterial>>,
    materials: Option<ResMut<Assets<StandardMaterial>>>,
    mut commands: Commands,
) {
    let Some(mut materials) = materials else { return };
    for (entity, transform, part) in &new {
        let materials = match part {
            MakingPart::Lamp => own_materials(entity, |_| false, &children, &mut skins, &mut materials),
            MakingPart::Bar | MakingPart::Piece => Vec::new(),
        };
        commands.entity(entity).insert(Follows { full: transform.scale, materials });
    }
}

fn follow(
    purchases: Res<KnownPurchases>,
    new: Query<(), Added<Follows>>,
    mut parts: Query<(&MakingPart, &Follows, &mut Transform, &mut Visibility)>,
    materials: Option<ResMut<Assets<StandardMaterial>>>,
) {
    let Some(mut materials) = materials.filter(|_| purchases.is_changed() || !new.is_empty()) else { return };
    let look = making_look(&purchases);
    for (part, follows, mut transform, mut visibility) in &mut parts {
        let far = look.far.unwrap_or(0.0);
        let grown = match part {
            MakingPart::Lamp => {
                for handle in &follows.materials {
                    paint(&mut materials, handle, look.lamp);
                }
                continue;
            }
            MakingPart::Bar => Vec3::new(far, 1.0, 1.0),
            MakingPart::Piece => Vec3::new(1.0, far, 1.0),
        };
        transform.scale = follows.full * grown;
        // What has no extent is not drawn: its normals would point nowhere.
        visibility.set_if_neq(if far > 0.0 { Visibility::Inherited } else { Visibility::Hidden });
    }
}

fn paint(materials: &mut Assets<StandardMaterial>, handle: &Handle<StandardMaterial>, lamp: Option<LinearRgba>) {
    if let Some(mut material) = materials.get_mut(handle) {
        let colour = lamp.unwrap_or(LinearRgba::BLACK);
        material.base_color = Color::LinearRgba(lamp.map_or(LinearRgba::rgb(0.05, 0.05, 0.05), |colour| colour * 0.5));
        material.base_color_texture = None;
        material.emissive = LinearRgba { alpha: 0.0, ..colour * GLOW };
    }
}

#[cfg(test)]
#[path = "making_tests.rs"]
mod tests;
