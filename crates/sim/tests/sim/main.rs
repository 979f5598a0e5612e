//! The simulated home as somebody on the broker sees it: through a plain MQTT 5 client.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy.toml spares only the tests themselves"
)]

mod broker;
mod devices;
mod observer;
mod parcels;
