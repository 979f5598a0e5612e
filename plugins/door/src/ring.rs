use bevy::prelude::*;
use vestibule_model::{FeatureKind, TwinId, Value};
use vestibule_twin::{Notify, TwinDescription, TwinIndex, TwinOccurred, Urgency};

use crate::Settings;

/// Fact: somebody rang at a door (S4 step 6).
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct GuestRang {
    /// The door's twin.
    pub twin: TwinId,
    /// Who, where the door says so.
    pub guest: Option<String>,
}

pub(crate) fn notify(
    mut occurred: MessageReader<TwinOccurred>,
    descriptions: Query<&TwinDescription>,
    index: Res<TwinIndex>,
    settings: Res<Settings>,
    mut rang: MessageWriter<GuestRang>,
    mut notify: MessageWriter<Notify>,
) {
    for event in occurred.read() {
        let description = index.get(&event.twin).iter().find_map(|entity| descriptions.get(*entity).ok());
        let Some(description) = description else { continue };
        let bell =
            description.0.features.get(&event.feature).is_some_and(|feature| {
                feature.kind == FeatureKind::Event && feature.class.as_deref() == Some("doorbell")
            });
        if !bell {
            continue;
        }
        let guest = event.details.get("guest").and_then(Value::as_text).map(str::to_owned);
        let door = &description.0.name;
        let age_s = std::time::Duration::from_millis(event.age_ms).as_secs_f32();
        let (title, text) = if age_s > settings.0.missed_after_s {
            let minutes = (age_s / 60.0).round();
            (format!("You missed somebody at the {door}"), format!("They rang {minutes} minutes ago."))
        } else {
            (format!("Somebody is at the {door}"), "Look at who it is, then open.".to_owned())
        };
        notify.write(Notify { urgency: Urgency::Request, title, text, twin: Some(event.twin.clone()) });
        rang.write(GuestRang { twin: event.twin.clone(), guest });
    }
}
