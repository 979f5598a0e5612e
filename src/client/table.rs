//! The dish that is cooked next stands at the place that is laid for it, at its true size: as it is planned, not as any thing
//! reported it.

use bevy::{prelude::*, world_serialization::WorldAssetRoot};
use vestibule_twin::KitchenView;
use vestibule_world::scene::Places;

/// Recipes that there are models of (`assets/dishes`).
const DISHES: [&str; 6] = ["baked_eggs", "omelette", "pancakes", "pasta", "rice_pudding", "tomato_rice"];

/// The dish of this recipe.
#[derive(Component)]
pub(super) struct Served(String);

pub(super) fn serve(
    mut commands: Commands,
    (view, places): (Res<KitchenView>, Res<Places>),
    there: Query<(Entity, &Served)>,
    assets: Res<AssetServer>,
) {
    if !view.is_changed() && !places.is_changed() {
        return;
    }
    let planned = view.dishes.first().map(|dish| dish.recipe.as_str());
    let wanted = planned.filter(|recipe| DISHES.contains(recipe)).zip(places.anchors.get("dish"));
    if there.iter().any(|(_, Served(recipe))| wanted.is_some_and(|(wanted, _)| wanted == recipe)) {
        return;
    }
    there.iter().for_each(|(entity, _)| commands.entity(entity).despawn());
    if let Some((recipe, place)) = wanted {
        let dish = assets.load(GltfAssetLabel::Scene(0).from_asset(format!("dishes/{recipe}.glb")));
        commands.spawn((Name::new("dish"), Served(recipe.to_owned()), WorldAssetRoot(dish), *place));
    }
}
