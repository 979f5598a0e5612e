//! A simulated home: eleven devices, each an MQTT 5 client of its own, which speak Home Assistant
//! MQTT discovery as real ones do.
//!
//! It stands in for the physical world where there is none, in tests and demonstrations. It knows
//! nothing of whoever listens: replace it by Home Assistant's broker and real devices and nothing
//! else changes. Physics is a few honest first-order models (a leaf that takes three seconds, a bolt
//! that holds until it is drawn, a room that loses heat); it is no building simulation, and its
//! timing and faults are chosen, not measured.
//!
//! What it does:
//!
//! - runs a broker in the process ([`Broker::Embedded`], MQTT 3.1.1 and 5 on one port), or uses one
//!   that runs elsewhere ([`Broker::External`]);
//! - publishes retained discovery documents, in the device form for some devices and one document
//!   for each entity for others, availability with a will, and retained states; doorbell events and
//!   camera pictures are not retained;
//! - says everything again when `homeassistant/status` says `online`;
//! - lets a person at the physical side ring, push, jam and cut power ([`PhysicalHand`]), and see
//!   what is physically true, to compare with what is reported;
//! - takes parcels in: the courier rings ([`PhysicalHand::deliver`]), what has electronics is unpacked and appears as one
//!   more device ([`PhysicalHand::unpack`]), goods go where such are kept ([`PhysicalHand::put_away`]).
//!
//! Topics beside discovery are `home/<device>/<tail>`; `availability` is on every device, commands
//! end in `set` but for these of the door: `home/front_door/restart` (`PRESS`) and
//! `home/front_door/camera/request` (anything), which asks for a picture and is in no discovery
//! document, since Home Assistant's cameras know no such command.
//!
//! What it does not do: no TLS, no passwords on the embedded broker, no Home Assistant service of
//! its own, no more than one home for each external broker (client ids are fixed, as devices' are).
//!
//! ```
//! use std::time::Duration;
//! use vestibule_sim::{Guest, HomeConfig, SimHome};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let home = SimHome::start(HomeConfig { time_scale: 10.0, ..HomeConfig::default() }).await?;
//! home.ready(Duration::from_secs(10)).await?;
//! println!("devices are on mqtt://{}", home.broker_addr());
//!
//! let hand = home.hand();
//! hand.ring(Guest::Courier);
//! assert!(hand.door().locked);
//! home.stop().await;
//! # Ok(()) })
//! # }
//! ```

mod blinds;
mod broker;
mod camera;
mod client;
mod clock;
mod coffee;
mod counters;
mod discovery;
mod door;
mod error;
mod front;
mod glide;
mod hand;
mod home;
mod light;
mod model;
mod motion;
mod parcel;
mod thermostat;

pub use camera::picture;
pub use counters::Published;
pub use error::SimError;
pub use hand::{DoorTruth, Guest, LightTruth, PhysicalHand};
pub use home::{Broker, DEVICES, HomeConfig, SimHome};
pub use parcel::{Goods, Parcel};
