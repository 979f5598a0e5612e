use std::collections::BTreeSet;

use bevy::prelude::*;
use vestibule_twin::{
    Notify, TwinDescription, TwinPart, TwinRoot, Urgency,
    model::{TwinId, TwinInfo},
};

use super::{TileKind, TwinVisual, tile};
use crate::scene::Places;

/// Metres between tiles: across and down.
const PITCH: Vec2 = Vec2::new(0.30, 0.34);
/// Tiles in a column.
const ROWS: usize = 3;
/// Half of a tile's width, metres.
const HALF: f32 = 0.11;
/// Columns of a shelf at the most, however wide it says that it is.
const MAX_COLUMNS: usize = 41;

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

/// The world's shelves: anchors whose names begin with `device_shelf`, in the order of their names; their scale in X is
/// half their width in metres. Worlds without one have it before their start.
fn shelves(places: &Places) -> Vec<Transform> {
    let named = places.anchors.iter().filter(|(name, _)| name.starts_with("device_shelf"));
    let found: Vec<_> = named.map(|(_, place)| *place).collect();
    if !found.is_empty() {
        return found;
    }
    let start = places.spawn("default");
    let ahead = start.translation + start.forward() * 2.5 + Vec3::Y * 1.5;
    vec![Transform::from_translation(ahead).looking_to(-start.forward(), Vec3::Y)]
}

/// How many tiles fit a shelf: nothing hangs beyond its ends.
fn capacity(shelf: &Transform) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few columns")]
    let beside = ((shelf.scale.x.abs() - HALF) / PITCH.x).max(0.0) as usize;
    (2 * beside + 1).min(MAX_COLUMNS) * ROWS
}

/// The world's place of that tile: its front looks along -Z; `None` where no shelf has room for it.
pub(super) fn place(places: &Places, number: usize) -> Option<Transform> {
    let mut left = number;
    for shelf in shelves(places) {
        let room = capacity(&shelf);
        if left < room {
            let at = slot(left);
            let translation = shelf.translation + shelf.rotation * at.extend(0.0);
            return Some(Transform { translation, rotation: shelf.rotation, scale: Vec3::ONE });
        }
        left -= room;
    }
    None
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

/// Every twin that nothing shows gets a tile, and one that has become something else gets another.
pub(super) fn shelve(
    roots: Query<(&vestibule_twin::Twin, &TwinDescription), With<TwinRoot>>,
    visuals: Query<(Entity, &TwinVisual)>,
    parts: Query<(Entity, &TwinPart)>,
    parents: Query<&ChildOf>,
    changed: Query<(), Or<(Changed<TwinDescription>, Added<TwinPart>, Added<TwinVisual>)>>,
    (gone, unseen): (RemovedComponents<TwinPart>, RemovedComponents<TwinRoot>),
    (places, mut look): (Res<Places>, ResMut<tile::TileLook>),
    assets: tile::TileAssets,
    (mut notify, mut left_out): (MessageWriter<Notify>, Local<usize>),
    mut commands: Commands,
) {
    if changed.is_empty() && gone.is_empty() && unseen.is_empty() && !places.is_changed() {
        return;
    }
    let Some(mut assets) = assets.get() else { return };
    let by_world = shown_by_world(&parts, &parents, &visuals);
    let mut taken: Vec<usize> = visuals.iter().filter_map(|(_, visual)| visual.slot).collect();
    let mut without = 0;
    for (twin, description) in &roots {
        let info: &TwinInfo = &description.0;
        let kind = TileKind::of(info);
        let own = visuals.iter().find(|(_, visual)| visual.twin == twin.0);
        let outdated = own.filter(|(_, visual)| visual.tile.is_some_and(|tile| tile != kind));
        let shown = by_world.contains(&twin.0) || own.is_some() && outdated.is_none();
        // A twin that can be neither read nor used has nothing to show.
        if shown || info.features.is_empty() {
            continue;
        }
        let number = match outdated {
            Some((entity, visual)) => {
                commands.entity(entity).despawn();
                visual.slot.unwrap_or_default()
            }
            None => free_slot(taken.iter().copied()),
        };
        let Some(place) = place(&places, number) else {
            without += 1;
            continue;
        };
        taken.push(number);
        let visual = TwinVisual { twin: twin.0.clone(), slot: Some(number), tile: Some(kind) };
        tile::spawn(visual, place, &mut look, &mut assets, &mut commands);
    }
    if without > *left_out {
        notify.write(no_room(without));
    }
    *left_out = without;
}

fn no_room(count: usize) -> Notify {
    let (title, verb) = match count {
        1 => ("A device has no place on the wall".to_owned(), "It is"),
        _ => (format!("{count} devices have no place on the wall"), "They are"),
    };
    let text = format!("{verb} in the list of devices all the same, and can be used there.");
    Notify { urgency: Urgency::Info, title, text, twin: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_do_not_hang_on_each_other() {
        for a in 0..MAX_COLUMNS * ROWS {
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
        let tile = place(&places, 0).unwrap();
        assert!(tile.forward().abs_diff_eq(Vec3::NEG_X, 1e-5));
        assert!((tile.translation.x - 3.0).abs() < 1e-5 && tile.translation.y > 1.7);
    }

    #[test]
    fn nothing_hangs_beyond_the_ends_of_its_shelf() {
        let mut places = Places::default();
        let wide = Transform::from_xyz(0.0, 1.5, 0.0).with_scale(Vec3::new(0.75, 1.0, 1.0));
        let narrow = Transform::from_xyz(9.0, 1.5, 0.0).with_scale(Vec3::new(0.05, 1.0, 1.0));
        places.anchors.insert("device_shelf".to_owned(), wide);
        places.anchors.insert("device_shelf.2".to_owned(), narrow);
        places.anchors.insert("visitor".to_owned(), Transform::IDENTITY);
        let hang: Vec<_> = (0..99).map_while(|number| place(&places, number)).collect();
        assert_eq!(hang.len(), 5 * ROWS + ROWS, "five columns, then one");
        let (first, second) = hang.split_at(5 * ROWS);
        assert!(first.iter().all(|tile| tile.translation.x.abs() + HALF <= 0.75 + 1e-5));
        assert!(second.iter().all(|tile| (tile.translation.x - 9.0).abs() < 1e-5));
        assert_eq!(place(&Places::default(), 15), None, "a world without a shelf has one of usual width");
        assert!(place(&Places::default(), 14).is_some());
    }
}
