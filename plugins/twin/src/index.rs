use std::collections::HashMap;

use bevy_app::App;
use bevy_ecs::prelude::*;
use vestibule_model::TwinId;

use crate::Twin;

/// Which entities mirror a twin.
#[derive(Resource, Debug, Default)]
pub struct TwinIndex {
    entities: HashMap<TwinId, Vec<Entity>>,
}

impl TwinIndex {
    /// The entities that mirror `twin`, in the order they came.
    #[must_use]
    pub fn get(&self, twin: &TwinId) -> &[Entity] {
        self.entities.get(twin).map_or(&[], Vec::as_slice)
    }

    /// Every twin that some entity mirrors.
    pub fn twins(&self) -> impl Iterator<Item = &TwinId> {
        self.entities.keys()
    }
}

pub(crate) fn register(app: &mut App) {
    app.add_observer(added).add_observer(removed);
}

fn added(insert: On<Insert, Twin>, twins: Query<&Twin>, mut index: ResMut<TwinIndex>) {
    if let Ok(twin) = twins.get(insert.entity) {
        let entities = index.entities.entry(twin.0.clone()).or_default();
        if !entities.contains(&insert.entity) {
            entities.push(insert.entity);
        }
    }
}

// `Discard` also runs when the component is inserted anew, so a rebound entity leaves its old twin.
fn removed(discard: On<Discard, Twin>, twins: Query<&Twin>, mut index: ResMut<TwinIndex>) {
    let Ok(twin) = twins.get(discard.entity) else { return };
    if let Some(entities) = index.entities.get_mut(&twin.0) {
        entities.retain(|entity| *entity != discard.entity);
        if entities.is_empty() {
            index.entities.remove(&twin.0);
        }
    }
}
