use std::collections::BTreeSet;

use bevy::prelude::*;
use vestibule_twin::{
    TwinDescription, TwinPart, TwinRoot,
    model::{TwinId, TwinInfo},
};

use super::{TwinVisual, tile};
use crate::scene::Places;

/// Metres between tiles: across and down.
const PITCH: Vec2 = Vec2::new(0.30, 0.34);
/// Tiles in a column.
const ROWS: usize = 3;
/// Tiles that are put up: more than that are not found by looking for them.
const MAX_TILES: usize = 120;

/// Where the tile of this number hangs, in the shelf's own frame: metres right and up of its middle.
///
/// Columns of three, the first in the middle, the others to its right and left in turn.
#[must_use]
pub fn slot(number: usize) -> Vec2 {
    let (column, row) = (number / ROWS, number % ROWS);
    #[expect(clippy::cast_precision_loss, reason = "a shelf has a hundred places")]
    let step = column.div_ceil(2) as f32 * if column % 2 == 1 { 1.0 } else { -1.0 };
    #[expect(clippy::cast_precision_loss, reason = "a column has three rows")]
    let down = row as f32 - 1.0;
    Vec2::new(step * PITCH.x, -down * PITCH.y)
}

/// The world's place of that tile: its front looks along -Z. Worlds without a shelf have it before their start.
pub(super) fn place(places: &Places, number: usize) -> Transform {
    let shelf = places.anchors.get("device_shelf").copied().unwrap_or_else(|| {
        let start = places.spawn("default");
        let ahead = start.translation + start.forward() * 2.5 + Vec3::Y * 1.5;
        Transform::from_translation(ahead).looking_to(-start.forward(), Vec3::Y)
    });
    let at = slot(number);
    Transform {
        translation: shelf.translation + shelf.rotation * at.extend(0.0),
        rotation: shelf.rotation,
        scale: Vec3::ONE,
    }
}

/// The lowest number that is not taken.
pub(super) fn free_slot(taken: impl Iterator<Item = usize>) -> usize {
    let taken: BTreeSet<usize> = taken.collect();
    (0..).find(|number| !taken.contains(number)).unwrap_or(0)
}

/// A visual whose twin is gone, or that a node of the world shows by now, goes.
pub(super) fn clear(
    visuals: Query<(Entity, &TwinVisual)>,
    parts: Query<(Entity, &TwinPart)>,
    parents: Query<&ChildOf>,
    roots: Query<&vestibule_twin::Twin, With<TwinRoot>>,
    (gone, new): (RemovedComponents<TwinRoot>, Query<(), Added<TwinPart>>),
    mut commands: Commands,
) {
    if gone.is_empty() && new.is_empty() {
        return;
    }
    let known: BTreeSet<&TwinId> = roots.iter().map(|twin| &twin.0).collect();
    let shown = shown_by_world(&parts, &parents, &visuals);
    for (entity, visual) in &visuals {
        if !known.contains(&visual.twin) || shown.contains(&visual.twin) {
            commands.entity(entity).despawn();
        }
    }
}

fn shown_by_world<'a>(
    parts: &'a Query<(Entity, &TwinPart)>,
    parents: &Query<&ChildOf>,
    visuals: &Query<(Entity, &TwinVisual)>,
) -> BTreeSet<&'a TwinId> {
    let of_world = parts.iter().filter(|(entity, _)| {
        !std::iter::once(*entity).chain(parents.iter_ancestors(*entity)).any(|at| visuals.contains(at))
    });
    of_world.map(|(_, part)| &part.twin).collect()
}

/// Every twin that nothing shows gets a tile.
pub(super) fn shelve(
    roots: Query<(&vestibule_twin::Twin, &TwinDescription), With<TwinRoot>>,
    visuals: Query<(Entity, &TwinVisual)>,
    parts: Query<(Entity, &TwinPart)>,
    parents: Query<&ChildOf>,
    changed: Query<(), Or<(Changed<TwinDescription>, Added<TwinPart>, Added<TwinVisual>)>>,
    (gone, unseen): (RemovedComponents<TwinPart>, RemovedComponents<TwinRoot>),
    (places, mut look): (Res<Places>, ResMut<tile::TileLook>),
    assets: tile::TileAssets,
    mut commands: Commands,
) {
    if changed.is_empty() && gone.is_empty() && unseen.is_empty() && !places.is_changed() {
        return;
    }
    let Some(mut assets) = assets.get() else { return };
    let by_world = shown_by_world(&parts, &parents, &visuals);
    let mut taken: Vec<usize> = visuals.iter().filter_map(|(_, visual)| visual.slot).collect();
    for (twin, description) in &roots {
        let info: &TwinInfo = &description.0;
        let shown = by_world.contains(&twin.0) || visuals.iter().any(|(_, visual)| visual.twin == twin.0);
        // A twin that can be neither read nor used has nothing to show.
        if shown || info.features.is_empty() || taken.len() >= MAX_TILES {
            continue;
        }
        let number = free_slot(taken.iter().copied());
        taken.push(number);
        let visual = TwinVisual { twin: twin.0.clone(), slot: Some(number) };
        tile::spawn(visual, info, place(&places, number), &mut look, &mut assets, &mut commands);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_do_not_hang_on_each_other() {
        for a in 0..MAX_TILES {
            for b in 0..a {
                let apart = (slot(a) - slot(b)).abs();
                assert!(apart.x > 0.29 || apart.y > 0.33, "{a} and {b}");
            }
        }
        assert_eq!(slot(1), Vec2::ZERO, "the middle one is in the middle");
        assert_eq!(free_slot([0, 1, 3].into_iter()), 2);
    }

    #[test]
    fn a_tile_looks_where_its_shelf_looks() {
        let mut places = Places::default();
        let shelf = Transform::from_xyz(3.0, 1.5, 0.0).looking_to(Vec3::NEG_X, Vec3::Y);
        places.anchors.insert("device_shelf".to_owned(), shelf);
        let tile = place(&places, 0);
        assert!(tile.forward().abs_diff_eq(Vec3::NEG_X, 1e-5));
        assert!((tile.translation.x - 3.0).abs() < 1e-5 && tile.translation.y > 1.7);
    }
}
