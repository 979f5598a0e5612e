//! The dish that is cooked next stands at the place that is laid for it, at its true size: as it is planned, not as any thing
//! reported it.

use bevy::prelude::*;
use vestibule_twin::{KitchenView, PutAt};

/// Recipes that there are models of (`assets/dishes`).
const DISHES: [&str; 6] = ["baked_eggs", "omelette", "pancakes", "pasta", "rice_pudding", "tomato_rice"];

/// Lays it; the same once more is no news to the world.
pub(super) fn serve(view: Res<KitchenView>, mut put: MessageWriter<PutAt>) {
    if view.is_changed() {
        let planned = view.dishes.first().map(|dish| dish.recipe.as_str());
        let model = planned.filter(|recipe| DISHES.contains(recipe)).map(|recipe| format!("dishes/{recipe}.glb"));
        put.write(PutAt { anchor: "dish".to_owned(), model });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use vestibule_twin::{KitchenDish, Readiness, model::Timestamp};

    use super::*;

    #[test]
    fn what_is_planned_first_stands_there_and_what_nobody_made_a_model_of_does_not() {
        let mut app = App::new();
        app.init_resource::<KitchenView>().add_message::<PutAt>().add_systems(Update, serve);
        let mut lies = |recipes: &[&str]| {
            let dish = |recipe: &&str| KitchenDish {
                id: 1,
                recipe: (*recipe).to_owned(),
                title: String::new(),
                at: Timestamp(1),
                servings: 1,
                ready: Readiness::Unknown,
                notes: Vec::new(),
            };
            app.world_mut().resource_mut::<KitchenView>().dishes = recipes.iter().map(dish).collect();
            app.update();
            let mut put = app.world_mut().resource_mut::<Messages<PutAt>>();
            put.drain().last().and_then(|put| put.model)
        };
        assert_eq!(lies(&["pasta", "omelette"]).as_deref(), Some("dishes/pasta.glb"));
        assert_eq!(lies(&["own_soup"]), None);
        assert_eq!(lies(&["pancakes"]).as_deref(), Some("dishes/pancakes.glb"));
        assert_eq!(lies(&[]), None);
    }

    #[test]
    fn each_of_them_is_there() {
        let dishes = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/dishes");
        assert!(DISHES.iter().all(|dish| dishes.join(format!("{dish}.glb")).is_file()));
    }
}
