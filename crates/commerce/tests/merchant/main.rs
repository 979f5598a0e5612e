//! Merchants, bought from by platforms over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod gate;
mod hooks;
mod idempotency;
mod judged;
mod kill;
mod lifecycle;
mod limits;
mod maker;
mod money;
mod peers;
mod platform;
mod room;
mod slicer;
