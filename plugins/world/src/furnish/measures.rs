//! What the room around the person measures, for whoever makes things that fit.

use bevy::prelude::*;
use vestibule_twin::{Catalogue, RoomMeasure, RoomMeasures};

use super::{Furniture, ModelBounds};
use crate::{scene::Places, walk::Walker};

/// Whole millimetres.
fn whole(metres: Vec3) -> [u32; 3] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes of rooms; saturates")]
    metres.to_array().map(|metres| (metres.abs() * 1_000.0).round() as u32)
}

/// The rooms that the walker is in, and what stands in the world.
fn measured(
    places: &Places,
    feet: Option<Vec3>,
    furniture: &Furniture,
    bounds: &ModelBounds,
    catalogue: &Catalogue,
) -> Vec<RoomMeasure> {
    let here = places.zones.iter().filter(|zone| feet.is_some_and(|feet| zone.contains(feet)));
    let rooms = here.map(|zone| {
        let half = |axis: Vec3| zone.frame.transform_vector3(axis).length();
        let size = Vec3::new(half(Vec3::X), half(Vec3::Y), half(Vec3::Z)) * 2.0;
        RoomMeasure { name: zone.name.clone(), size_mm: whole(size) }
    });
    let mut all: Vec<_> = rooms.collect();
    for piece in furniture.0.pieces() {
        let Some(bounds) = bounds.0.get(&piece.model).filter(|bounds| !bounds.is_flat()) else { continue };
        let name = catalogue.get(&piece.model).map_or_else(|| piece.model.clone(), |entry| entry.name.clone());
        let measure = RoomMeasure { name, size_mm: whole(bounds.high - bounds.low) };
        if !all.contains(&measure) {
            all.push(measure);
        }
    }
    all
}

pub(super) fn tell(
    places: Option<Res<Places>>,
    walkers: Query<&GlobalTransform, With<Walker>>,
    (furniture, bounds, catalogue): (Res<Furniture>, Res<ModelBounds>, Res<Catalogue>),
    mut before: Local<Option<Vec<String>>>,
    mut measures: ResMut<RoomMeasures>,
) {
    let Some(places) = places else { return };
    let feet = walkers.iter().next().map(GlobalTransform::translation);
    let zones = feet.map(|feet| places.zones_at(feet).map(str::to_owned).collect());
    // Only another room and other furniture are news.
    if *before == zones && !furniture.is_changed() && !bounds.is_changed() && !places.is_changed() {
        return;
    }
    let all = measured(&places, feet, &furniture, &bounds, &catalogue);
    measures.set_if_neq(RoomMeasures { measures: all });
    *before = zones;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{furnish::Bounds, scene::Zone};

    #[test]
    fn rooms_and_furniture_are_measured_in_whole_millimetres() {
        let frame = Transform::from_xyz(0.0, 1.35, 0.0).with_scale(Vec3::new(2.8, 1.35, 2.55)).compute_affine();
        let places = Places { zones: vec![Zone { name: "lounge".to_owned(), frame }], ..default() };
        let mut furniture = Furniture::default();
        for _ in 0..2 {
            furniture.0.place("desk".to_owned(), [0.0; 3], 0.0);
        }
        furniture.0.place("rug".to_owned(), [0.0; 3], 0.0);
        let mut bounds = ModelBounds::default();
        let desk = Bounds { low: Vec3::new(-0.7, 0.0, -0.35), high: Vec3::new(0.7, 0.743, 0.35) };
        bounds.0.insert("desk".to_owned(), desk);
        bounds.0.insert("rug".to_owned(), Bounds { high: Vec3::new(0.7, 0.02, 0.35), ..desk });
        let of = |feet| measured(&places, feet, &furniture, &bounds, &Catalogue::default());
        let all = of(Some(Vec3::new(1.0, 0.0, 1.0)));
        let seen: Vec<_> = all.iter().map(|measure| (measure.name.as_str(), measure.size_mm)).collect();
        assert_eq!(seen, [("lounge", [5_600, 2_700, 5_100]), ("desk", [1_400, 743, 700])]);
        assert_eq!(of(Some(Vec3::new(9.0, 0.0, 1.0))).len(), 1, "elsewhere the room is another one");
    }
}
