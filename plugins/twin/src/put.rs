//! Things that are put down somewhere in the world: a dish on the table, a parcel on the doormat.

use bevy_app::App;
use bevy_ecs::prelude::*;

/// Request: this model is shown at a place of the world, at its true size, instead of what was put there before.
///
/// It stays until another one or none is put there. A place that the world does not have shows nothing; a world that is
/// loaded later shows it then.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct PutAt {
    /// Which of the world's anchors: `dish`, `doormat`.
    pub anchor: String,
    /// Asset path of a glTF binary whose origin is where it stands; `None`: nothing is there any more.
    pub model: Option<String>,
}

pub(crate) fn register(app: &mut App) {
    app.add_message::<PutAt>();
}
