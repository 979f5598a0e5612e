//! Hostile bytes for everything that reads bytes.

pub mod make;
pub mod targets;
pub mod trade;
