//! Headless Apps: every plugin as a game would use it, against an enabler that is a pair of queues. One binary, so that
//! Bevy is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by failing")]

#[path = "../../examples/drop_in.rs"]
mod drop_in;

mod commerce;
mod door;
mod enabler;
mod glance;
mod kitchen;
mod lending;
mod past;
mod services;
mod systems;

use std::time::Duration;

use bevy::{prelude::*, time::TimeUpdateStrategy};
use vestibule_door::DoorPlugin;
use vestibule_plugin_enabler::{EnablerConnection, EnablerPlugin};
use vestibule_protocol::Event;
use vestibule_tests::{FakeEnabler, door, view};

/// An App with a door, connected and synchronized. Each frame is 50 ms long.
fn app() -> (App, FakeEnabler) {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, AssetPlugin::default(), ImagePlugin::default()))
        .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(50)))
        .add_plugins((EnablerPlugin::default(), DoorPlugin::default()));
    let mut enabler = connect(&mut app);
    enabler.tell(&Event::Begin);
    enabler.tell(&Event::Twin(Box::new(view(door(), 1))));
    enabler.tell(&Event::Synchronized);
    frames(&mut app, &mut enabler, 2);
    (app, enabler)
}

fn connect(app: &mut App) -> FakeEnabler {
    let (mut enabler, link) = FakeEnabler::new();
    app.world_mut().spawn(EnablerConnection::new("fake", Box::new(link)));
    frames(app, &mut enabler, 4);
    enabler
}

fn frames(app: &mut App, enabler: &mut FakeEnabler, count: usize) {
    for _ in 0..count {
        app.update();
        enabler.step();
    }
}

fn messages<M: Message + Clone>(app: &App) -> Vec<M> {
    let messages = app.world().resource::<Messages<M>>();
    let mut cursor = messages.get_cursor();
    cursor.read(messages).cloned().collect()
}
