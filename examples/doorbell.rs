//! A game that reacts to something physical: whoever rings at the door is announced, and whoever rang in vain too.
//!
//!     cargo run --package vestibule-examples --example doorbell -- 127.0.0.1:7743 CODE

use bevy::{log::LogPlugin, prelude::*};
use vestibule::prelude::*;

fn main() -> Result {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "127.0.0.1:7743".to_owned());
    let connection = connect(&server, arguments.next().as_deref(), "./doorbell-keys")?;
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, AssetPlugin::default(), LogPlugin::default(), VestibulePlugins));
    app.world_mut().spawn(connection);
    app.add_systems(Update, announce).run();
    Ok(())
}

/// Facts come in the past tense: by now somebody has rung.
fn announce(mut rang: MessageReader<GuestRang>, mut opened: MessageReader<DoorOpened>) {
    for ring in rang.read() {
        info!("{} rings at {}", ring.guest.as_deref().unwrap_or("somebody"), ring.twin);
    }
    for door in opened.read() {
        info!("{} says that it stands open", door.twin);
    }
}
