use bevy::{ecs::system::SystemParam, prelude::*};
use serde::{Deserialize, Serialize};

use crate::{Binding, KeyBindings};

/// What a person can ask for by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Walk forward.
    Forward,
    /// Walk back.
    Back,
    /// Step left.
    Left,
    /// Step right.
    Right,
    /// Walk faster while held.
    Run,
    /// Jump.
    Jump,
    /// Use what is pointed at: open its card, press the focused button, put furniture down.
    Interact,
    /// The same as [`Interact`](Self::Interact), for the other hand.
    Use,
    /// First action on the card.
    Action1,
    /// Second action on the card.
    Action2,
    /// Third action on the card.
    Action3,
    /// Fourth action on the card.
    Action4,
    /// Free the mouse pointer, or give it back to looking around.
    Pointer,
    /// Open or close the furniture catalogue.
    Catalogue,
    /// Turn the held furniture.
    Turn,
    /// Remove the furniture pointed at.
    Remove,
    /// Take the last change of furniture back.
    Undo,
    /// Do it again.
    Redo,
    /// Read and dismiss the oldest notification.
    Notification,
    /// Look at the twin that the newest notification is about.
    Attend,
    /// Open or close the list of all devices.
    Devices,
    /// Open or close the list of systems and services.
    Systems,
    /// Open or close what happened, step by step.
    Procedures,
    /// Open or close people and what they may do.
    People,
    /// Open or close the past of the thing whose card is shown.
    Past,
    /// Open or close what is lent, and to whom.
    Lend,
    /// Open or close what is designed.
    Design,
    /// Open or close the kitchen: what is cooked, what is there for it and what is bought.
    Kitchen,
    /// Open or close the shop, with carts and orders.
    Shop,
    /// Copy the chosen part of a design.
    CopyPart,
    /// Have the chosen part of a design on the other side, too.
    MirrorPart,
    /// While a design's handle is held: only one axis counts, the next one each time.
    Axis,
    /// Open or close the settings.
    Settings,
    /// Show or hide the keys.
    Help,
    /// Choose the button or row above.
    ChooseUp,
    /// Choose the button or row below.
    ChooseDown,
    /// Choose the button to the left, or turn a slider down.
    ChooseLeft,
    /// Choose the button to the right, or turn a slider up.
    ChooseRight,
    /// Press the chosen button.
    Press,
    /// Close what is open; where nothing is, free the mouse.
    Cancel,
    /// Write a picture of the view.
    Picture,
}

impl Control {
    /// All of them, in the order that they are shown.
    pub const ALL: [Self; 41] = [
        Self::Forward,
        Self::Back,
        Self::Left,
        Self::Right,
        Self::Run,
        Self::Jump,
        Self::Interact,
        Self::Use,
        Self::Action1,
        Self::Action2,
        Self::Action3,
        Self::Action4,
        Self::Pointer,
        Self::Catalogue,
        Self::Turn,
        Self::Remove,
        Self::Undo,
        Self::Redo,
        Self::Notification,
        Self::Attend,
        Self::Devices,
        Self::Systems,
        Self::Procedures,
        Self::People,
        Self::Past,
        Self::Lend,
        Self::Design,
        Self::Kitchen,
        Self::Shop,
        Self::CopyPart,
        Self::MirrorPart,
        Self::Axis,
        Self::Settings,
        Self::Help,
        Self::ChooseUp,
        Self::ChooseDown,
        Self::ChooseLeft,
        Self::ChooseRight,
        Self::Press,
        Self::Cancel,
        Self::Picture,
    ];

    /// What it does, for a list of keys.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Forward => "walk forward",
            Self::Back => "walk back",
            Self::Left => "step left",
            Self::Right => "step right",
            Self::Run => "walk faster",
            Self::Jump => "jump",
            Self::Interact => "use what you look at",
            Self::Use => "use it with the mouse",
            Self::Action1 => "first button of the card",
            Self::Action2 => "second button of the card",
            Self::Action3 => "third button of the card",
            Self::Action4 => "fourth button of the card",
            Self::Pointer => "free the mouse, or look around",
            Self::Catalogue => "furniture catalogue",
            Self::Turn => "turn furniture",
            Self::Remove => "remove furniture",
            Self::Undo => "undo",
            Self::Redo => "redo",
            Self::Notification => "dismiss the notification",
            Self::Attend => "look at what the notification is about",
            Self::Devices => "all devices",
            Self::Systems => "systems and services",
            Self::Procedures => "what happened, step by step",
            Self::People => "people and what they may do",
            Self::Past => "how the thing was before",
            Self::Lend => "lend, and what is lent",
            Self::Design => "design something",
            Self::Kitchen => "the kitchen: cook something",
            Self::Shop => "shop and orders",
            Self::CopyPart => "copy the chosen part",
            Self::MirrorPart => "mirror the chosen part",
            Self::Axis => "draw along one axis only",
            Self::Settings => "settings",
            Self::Help => "show or hide the keys",
            Self::ChooseUp => "choose above",
            Self::ChooseDown => "choose below",
            Self::ChooseLeft => "choose left, turn down",
            Self::ChooseRight => "choose right, turn up",
            Self::Press => "press what is chosen",
            Self::Cancel => "close, or free the mouse",
            Self::Picture => "take a picture",
        }
    }
}

/// Whether controls are held or were just pressed, by whatever is bound to them.
#[derive(SystemParam)]
pub struct Controls<'w> {
    bindings: Res<'w, KeyBindings>,
    keys: Res<'w, ButtonInput<KeyCode>>,
    buttons: Res<'w, ButtonInput<MouseButton>>,
}

impl Controls<'_> {
    /// Whether `control` is held.
    #[must_use]
    pub fn pressed(&self, control: Control) -> bool {
        self.any(control, |keys, key| keys.pressed(key), |buttons, button| buttons.pressed(button))
    }

    /// Whether `control` went down in this frame.
    #[must_use]
    pub fn just_pressed(&self, control: Control) -> bool {
        self.any(control, |keys, key| keys.just_pressed(key), |buttons, button| buttons.just_pressed(button))
    }

    fn any(
        &self,
        control: Control,
        key: impl Fn(&ButtonInput<KeyCode>, KeyCode) -> bool,
        button: impl Fn(&ButtonInput<MouseButton>, MouseButton) -> bool,
    ) -> bool {
        match self.bindings.get(control) {
            Some(Binding::Key(code)) => key(&self.keys, code),
            Some(Binding::Mouse(code)) => button(&self.buttons, code),
            None => false,
        }
    }
}
