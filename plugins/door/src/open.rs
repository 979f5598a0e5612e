use bevy::prelude::*;
use vestibule_model::{ActionId, FeatureId, FeatureKind, TwinId, TwinInfo};
use vestibule_twin::{ActuateTwin, ActuationTicket, Notify, TwinDescription, TwinIndex, Urgency};

/// Request: open this door, by whatever it has for that.
#[derive(Message, Clone, Debug)]
pub struct OpenDoor {
    /// Comes back with every answer.
    pub ticket: ActuationTicket,
    /// The twin.
    pub twin: TwinId,
}

/// The action that opens a door: a motor's `open`, else a lock's `open`, else its `unlock`. Only what the user may do
/// is in a description, so `None` can also mean: they may not.
#[must_use]
pub fn open_action(info: &TwinInfo) -> Option<(FeatureId, ActionId)> {
    let wishes = [(FeatureKind::Cover, "open"), (FeatureKind::Lock, "open"), (FeatureKind::Lock, "unlock")];
    wishes.into_iter().find_map(|(kind, action)| {
        let action = ActionId::slug(action);
        let mut features = info.features.iter();
        let (id, _) = features.find(|(_, feature)| feature.kind == kind && feature.actions.contains_key(&action))?;
        Some((id.clone(), action))
    })
}

pub(crate) fn open(
    mut requests: MessageReader<OpenDoor>,
    descriptions: Query<&TwinDescription>,
    index: Res<TwinIndex>,
    mut actuate: MessageWriter<ActuateTwin>,
    mut notify: MessageWriter<Notify>,
) {
    for OpenDoor { ticket, twin } in requests.read().cloned() {
        let description = index.get(&twin).iter().find_map(|entity| descriptions.get(*entity).ok());
        if let Some((feature, action)) = description.and_then(|description| open_action(&description.0)) {
            actuate.write(ActuateTwin { ticket, twin, feature, action, input: None, valid_for_ms: None });
        } else {
            let known = description.map_or("it is not known here", |_| "it has no motor or lock that you may use");
            notify.write(Notify {
                urgency: Urgency::Problem,
                title: "The door cannot be opened from here".to_owned(),
                text: format!("{twin}: {known}."),
                twin: Some(twin),
            });
        }
    }
}
