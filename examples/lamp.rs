//! A game that acts on something physical: every few seconds a lamp is asked to turn on or off, and each answer is told.
//!
//!     cargo run --package vestibule-examples --example lamp -- 127.0.0.1:7743 CODE

use std::time::Duration;

use bevy::{log::LogPlugin, prelude::*, time::common_conditions::on_timer};
use vestibule::prelude::*;

fn main() -> Result {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "127.0.0.1:7743".to_owned());
    let connection = connect(&server, arguments.next().as_deref(), "./lamp-keys")?;
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, AssetPlugin::default(), LogPlugin::default(), VestibulePlugins));
    app.world_mut().spawn(connection);
    app.add_systems(Update, (ask.run_if(on_timer(Duration::from_secs(3))).run_if(enabler_connected), tell)).run();
    Ok(())
}

/// Requests are in the imperative: nothing has happened yet.
fn ask(mut requests: MessageWriter<ActuateTwin>, mut on: Local<bool>) -> Result {
    *on = !*on;
    requests.write(ActuateTwin {
        ticket: ActuationTicket(u64::from(*on)),
        twin: TwinId::new("home/hall_light")?,
        feature: FeatureId::new("light")?,
        action: ActionId::new(if *on { "turn_on" } else { "turn_off" })?,
        input: None,
        valid_for_ms: Some(2_000),
    });
    Ok(())
}

/// Accepted, sent, confirmed by the lamp's own report; or refused, and by which rule.
fn tell(mut actuated: MessageReader<TwinActuated>, mut refused: MessageReader<ActuationRefused>) {
    actuated.read().for_each(|news| info!("{} {}: {}", news.twin, news.action, news.status));
    refused.read().for_each(|no| info!("{} {}: {}", no.twin, no.action, no.refusal));
}
