use bevy::{ecs::lifecycle::HookContext, ecs::world::DeferredWorld, prelude::*};
use vestibule_protocol::{ClientConfig, ClientSession, Link, Party, Welcome};

use crate::Settings;

/// A connection to an enabler. Spawn it to connect (and to reconnect for as long as it lives), despawn it to leave.
#[derive(Component)]
#[component(on_add = begin)]
pub struct EnablerConnection {
    /// What people call this enabler.
    pub name: String,
    pub(crate) link: Box<dyn Link + Sync>,
    pub(crate) session: Option<ClientSession>,
}

impl EnablerConnection {
    /// A connection over `link` to what people call `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, link: Box<dyn Link + Sync>) -> Self {
        Self { name: name.into(), link, session: None }
    }

    /// The same connection over what `wrap` makes of its link. Before it is spawned.
    #[must_use]
    pub fn map_link(mut self, wrap: impl FnOnce(Box<dyn Link + Sync>) -> Box<dyn Link + Sync>) -> Self {
        self.link = wrap(self.link);
        self
    }
}

fn begin(mut world: DeferredWorld, context: HookContext) {
    let Some(Settings(settings)) = world.get_resource::<Settings>().cloned() else {
        warn!("an EnablerConnection does nothing without EnablerPlugin");
        return;
    };
    if let Some(mut connection) = world.get_mut::<EnablerConnection>(context.entity) {
        connection.session = Some(ClientSession::new(ClientConfig {
            party: Party::Metaverse,
            interest: settings.interest,
            software: settings.software,
        }));
    }
}

/// On a connection's entity: the enabler answers, and takes us for this user.
#[derive(Component, Clone, Debug)]
pub struct Connected {
    /// What the enabler said.
    pub welcome: Welcome,
}

/// On a connection's entity: the enabler does not answer.
#[derive(Component, Clone, Debug)]
pub struct Disconnected {
    /// For a person.
    pub reason: String,
    /// Seconds until the next attempt; `None`: there will be none.
    pub retry_s: Option<f32>,
}
