//! Which key does what, and whether the mouse looks around or points.
//!
//! **Does**: names what a person can ask for by hand ([`Control`]), binds keys and mouse buttons to it
//! ([`KeyBindings`], changed at run time, kept as text), says who listens ([`Attention`]).
//!
//! **Does not**: move anything or draw anything. Plugins read [`Controls`] instead of key codes, so that every key can
//! be shown and changed, and so that XR controllers can take the same part later.
//!
//! ```
//! use bevy::prelude::*;
//! use vestibule_input::{Binding, Control, KeyBindings};
//!
//! let mut keys = KeyBindings::default();
//! assert_eq!(keys.label(Control::Interact), "E");
//! keys.bind(Control::Interact, Binding::Key(KeyCode::KeyF));
//! assert_eq!(keys.label(Control::Interact), "F");
//! ```

mod bindings;
mod controls;
mod look;

use bevy::{input::InputSystems, prelude::*};

pub use bindings::{Binding, BindingError, KeyBindings};
pub use controls::{Control, Controls};
pub use look::LookSettings;

/// Who listens to keys and mouse.
#[derive(States, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Attention {
    /// Keys walk, the mouse looks around, the pointer is the middle of the view.
    #[default]
    Walk,
    /// The mouse pointer is free for buttons; keys still walk.
    Point,
    /// A window (settings, catalogue, help) has everything; nobody walks.
    Panel,
}

/// Registers [`KeyBindings`] and [`Attention`]. Plugins that need them add it where it is missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct ControlPlugin;

impl Plugin for ControlPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<KeyBindings>().init_resource::<LookSettings>();
        if !app.is_plugin_added::<bevy::state::app::StatesPlugin>() {
            app.add_plugins(bevy::state::app::StatesPlugin);
        }
        app.init_state::<Attention>();
        app.init_resource::<ButtonInput<KeyCode>>().init_resource::<ButtonInput<MouseButton>>();
        app.configure_sets(PreUpdate, ControlSystems.after(InputSystems));
    }
}

/// In [`PreUpdate`], after Bevy's own input: systems that turn controls into requests.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ControlSystems;

/// Adds [`ControlPlugin`] unless it is there.
pub fn ensure_control_plugin(app: &mut App) {
    if !app.is_plugin_added::<ControlPlugin>() {
        app.add_plugins(ControlPlugin);
    }
}
