//! What is put down at the world's anchors ([`PutAt`]): a dish on the table, a parcel on the doormat.

use std::collections::BTreeMap;

use bevy::{prelude::*, world_serialization::WorldAssetRoot};
use vestibule_twin::{PutAt, ensure_twin_plugin};

use crate::scene::Places;

/// Anchors at which something stands at once. A table and a doormat need a handful.
const MAX_PUT: usize = 64;

/// On the entity of what was put down.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct PutDown {
    /// At which anchor.
    pub anchor: String,
    /// Asset path of its model.
    pub model: String,
}

/// When things are put down, in [`Update`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PutSystems {
    /// Requests become models in the world.
    Follow,
}

/// Puts models down. Nobody bumps into them, and they are gone as quickly as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct PutPlugin;

/// What is to stand where, whether the world has the place or not.
#[derive(Resource, Debug, Default)]
struct Wanted(BTreeMap<String, String>);

impl Plugin for PutPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        app.init_resource::<Wanted>().init_resource::<Places>().add_systems(
            Update,
            (note, put.run_if(resource_changed::<Wanted>.or_eager(resource_changed::<Places>)))
                .chain()
                .in_set(PutSystems::Follow),
        );
    }
}

/// The newest request for each anchor counts. Only what changes something is news.
fn note(mut requests: MessageReader<PutAt>, mut wanted: ResMut<Wanted>) {
    for request in requests.read() {
        if wanted.0.get(&request.anchor) == request.model.as_ref() {
            continue;
        }
        match &request.model {
            Some(_) if wanted.0.len() >= MAX_PUT && !wanted.0.contains_key(&request.anchor) => {
                warn!("nothing is put at {:?}: {MAX_PUT} things stand somewhere already", request.anchor);
            }
            Some(model) => drop(wanted.0.insert(request.anchor.clone(), model.clone())),
            None => drop(wanted.0.remove(&request.anchor)),
        }
    }
}

/// Takes away what is not wanted any more, and puts down what is not there yet.
fn put(
    wanted: Res<Wanted>,
    places: Res<Places>,
    mut there: Query<(Entity, &PutDown, &mut Transform)>,
    server: Res<AssetServer>,
    mut commands: Commands,
) {
    let mut missing: BTreeMap<_, _> =
        wanted.0.iter().filter_map(|(anchor, model)| Some((anchor, (model, *places.anchors.get(anchor)?)))).collect();
    for (entity, down, mut transform) in &mut there {
        match missing.get(&down.anchor) {
            // Another world may have the place elsewhere.
            Some((model, place)) if **model == down.model => {
                transform.set_if_neq(*place);
                missing.remove(&down.anchor);
            }
            _ => commands.entity(entity).despawn(),
        }
    }
    for (anchor, (model, place)) in missing {
        let scene = server.load(GltfAssetLabel::Scene(0).from_asset(model.clone()));
        let down = PutDown { anchor: anchor.clone(), model: model.clone() };
        commands.spawn((down, WorldAssetRoot(scene), place, Visibility::default(), Name::new(format!("at {anchor}"))));
    }
}

#[cfg(test)]
mod tests {
    use bevy::world_serialization::WorldSerializationPlugin;

    use super::*;
    use crate::testing::headless;

    fn app() -> App {
        let mut app = headless();
        app.add_plugins((WorldSerializationPlugin, PutPlugin));
        app
    }

    fn ask(app: &mut App, anchor: &str, model: Option<&str>) {
        app.world_mut().write_message(PutAt { anchor: anchor.to_owned(), model: model.map(str::to_owned) });
        app.update();
    }

    fn has(app: &mut App, anchor: &str, x: f32) {
        app.world_mut().resource_mut::<Places>().anchors.insert(anchor.to_owned(), Transform::from_xyz(x, 0.0, 0.0));
        app.update();
    }

    /// What stands there: model and where.
    fn stands(app: &mut App) -> Vec<(String, f32)> {
        let mut all = app.world_mut().query::<(&PutDown, &Transform)>();
        let mut all: Vec<_> = all.iter(app.world()).map(|(put, at)| (put.model.clone(), at.translation.x)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    #[test]
    fn what_is_put_somewhere_stands_there_until_something_else_does() {
        let mut app = app();
        ask(&mut app, "dish", Some("dishes/soup.glb"));
        assert!(stands(&mut app).is_empty(), "there is no such place yet");
        has(&mut app, "dish", 2.0);
        assert_eq!(stands(&mut app), [("dishes/soup.glb".to_owned(), 2.0)]);
        ask(&mut app, "dish", Some("dishes/pasta.glb"));
        ask(&mut app, "dish", Some("dishes/pasta.glb"));
        assert_eq!(stands(&mut app), [("dishes/pasta.glb".to_owned(), 2.0)], "one dish, not three");
        has(&mut app, "doormat", 5.0);
        ask(&mut app, "doormat", Some("parcels/parcel.glb"));
        assert_eq!(stands(&mut app).len(), 2);
        ask(&mut app, "dish", None);
        assert_eq!(stands(&mut app), [("parcels/parcel.glb".to_owned(), 5.0)]);
    }

    #[test]
    fn another_world_has_the_place_elsewhere_or_not_at_all() {
        let mut app = app();
        has(&mut app, "dish", 2.0);
        ask(&mut app, "dish", Some("dishes/soup.glb"));
        has(&mut app, "dish", 7.0);
        assert_eq!(stands(&mut app), [("dishes/soup.glb".to_owned(), 7.0)]);
        *app.world_mut().resource_mut::<Places>() = Places::default();
        app.update();
        assert!(stands(&mut app).is_empty());
        has(&mut app, "dish", 1.0);
        assert_eq!(stands(&mut app), [("dishes/soup.glb".to_owned(), 1.0)]);
    }

    #[test]
    fn places_without_end_are_not_kept() {
        let mut app = app();
        (0..MAX_PUT + 9).for_each(|at| ask(&mut app, &format!("a{at}"), Some("x.glb")));
        assert_eq!(app.world().resource::<Wanted>().0.len(), MAX_PUT);
        ask(&mut app, "a0", Some("y.glb"));
        assert_eq!(app.world().resource::<Wanted>().0["a0"], "y.glb", "what stands there may change");
    }
}
