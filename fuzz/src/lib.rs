//! Hostile bytes for everything that reads bytes.

pub mod targets;
pub mod trade;
