//! Merchants: a shop, a manufacturer and a supplier, each a program with a database of its own, for whoever speaks the
//! Universal Commerce Protocol.
//!
//! **Does**: publishes a profile, negotiates, verifies who asks (RFC 9421); answers catalogue, checkout, order and
//! cancelation requests, each once however often it is repeated; takes payments of a sandbox; carries orders to the
//! door on a clock of its own and tells their platforms by signed webhooks. What was answered is on the disk: killed at
//! any moment, it goes on where it was.
//!
//! **Does not**: move money, send letters (a confirmation is a file in `mail`), keep who bought something for longer
//! than 30 days after it was brought.
//!
//! ```no_run
//! use vestibule_commerce::{Config, Role, start};
//!
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! let shop = start(Config { speed: 60, ..Config::new(Role::Shop, "data/shop") }).await?;
//! println!("a shop for every platform: {}/.well-known/ucp", shop.url());
//! shop.stop().await;
//! # Ok(())
//! # }
//! ```

mod app;
pub mod cli;
mod clock;
mod desk;
mod gate;
mod hooks;
mod http;
mod life;
mod maker;
mod measures;
mod merchant;
mod profile;
mod registration;
mod room;
mod rules;
mod said;
mod sii;
mod slicer;
mod store;

pub use clock::Clock;
pub use merchant::{Config, Role, Running, StartError, Tls, start};
pub use sii::EnablerConfig;
