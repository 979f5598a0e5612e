use bevy::prelude::*;
use vestibule_input::Control;
use vestibule_twin::{
    IntegrateTwin, ManagePeople,
    model::{ActionId, FeatureId, TwinId, Value},
};

use crate::settings::{Knob, SettingChange};

/// Request: what pressing something on the screen asks for. Buttons send it; so may whoever acts for the person.
#[derive(Message, Clone, Debug, PartialEq)]
pub enum HudAction {
    /// Have a twin do something. Where it is not to be had now, nothing is sent and the card says why.
    Actuate {
        /// The twin.
        twin: TwinId,
        /// The feature.
        feature: FeatureId,
        /// What it should do.
        action: ActionId,
        /// With what.
        input: Option<Value>,
    },
    /// Pin the card of a twin.
    OpenCard(TwinId),
    /// Unpin the card.
    CloseCard,
    /// A notification was read.
    Dismiss(u64),
    /// The heap of older notifications was read.
    DismissFolded,
    /// Open a window.
    Open(HudWindow),
    /// Close whatever window is open.
    CloseWindow,
    /// Take a model of the catalogue in hand.
    Hold(String),
    /// Change a setting.
    Set(SettingChange),
    /// The next key is to be bound to this control.
    Capture(Control),
    /// Every control gets its first key back.
    ResetKeys,
    /// Manage whom the enabler knows and what they may do.
    People(ManagePeople),
    /// Ask for one more press before this is done.
    Confirm(ManagePeople),
    /// Ask for one's turn at a thing, or give it back.
    Integrate(IntegrateTwin),
    /// A button that only shows why it does nothing.
    Nothing,
}

/// A window that has all the attention while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HudWindow {
    /// Every key.
    Help,
    /// The furniture.
    Catalogue,
    /// All devices, whether the world shows them or not.
    Devices,
    /// The systems that the enabler knows, and their services.
    Systems,
    /// The procedures' steps as they happened.
    Procedures,
    /// Whom the enabler knows and what they may do.
    People,
    /// The settings.
    Settings,
    /// Past notifications.
    History,
}

/// What a slider's value is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SlideTarget {
    /// An action's input.
    Actuate {
        twin: TwinId,
        feature: FeatureId,
        action: ActionId,
        /// Whole numbers only.
        whole: bool,
    },
    /// A setting.
    Setting(Knob),
}

impl SlideTarget {
    /// What setting the slider to `value` asks for.
    pub(crate) fn action(&self, value: f64) -> HudAction {
        match self {
            Self::Setting(knob) => HudAction::Set(knob.change(value)),
            Self::Actuate { twin, feature, action, whole } => {
                #[expect(clippy::cast_possible_truncation, reason = "rounded, and within the slider's bounds")]
                let input = if *whole { Value::Int(value.round() as i64) } else { Value::Float(value) };
                let (twin, feature, action) = (twin.clone(), feature.clone(), action.clone());
                HudAction::Actuate { twin, feature, action, input: Some(input) }
            }
        }
    }
}
