//! Mosquitto, the MQTT broker. Tests start their own instance on a port of their own.

use anyhow::{Context, Result};

use super::Variables;

/// Its name on the command line.
pub const NAME: &str = "mosquitto";

/// It comes as a system package; here it only has to be found.
pub fn prepare() -> Result<Variables> {
    let broker = crate::workspace::program("mosquitto").context("mosquitto is not here")?;
    Ok(vec![("VESTIBULE_MOSQUITTO", broker.display().to_string())])
}
