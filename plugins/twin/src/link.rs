use bevy_ecs::prelude::*;

/// How the app stands with its enabler.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LinkState {
    /// The first attempt is under way.
    #[default]
    Connecting,
    /// News come and requests go.
    Connected,
    /// It was there, or never answered; another attempt follows by itself.
    Lost {
        /// Why, for a person.
        reason: String,
        /// Seconds from when this was written until the next attempt.
        retry_in_s: f32,
    },
    /// The enabler (or this app, seeing a stranger's key) said no. Somebody has to do something.
    Refused {
        /// Why, and what to do about it, for a person.
        reason: String,
    },
}

impl LinkState {
    /// Whether requests can be sent now.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }
}

/// The enabler that this app talks to, and how that goes. Written by the plugin that talks to it, only when it changes.
///
/// Where nobody writes it, the app has no enabler at all: it stays [`LinkState::Connecting`] with an empty name.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct EnablerLink {
    /// How it goes.
    pub state: LinkState,
    /// What people call the enabler or where it is: `this computer`, `vestibule.example:7743`.
    pub name: String,
}
