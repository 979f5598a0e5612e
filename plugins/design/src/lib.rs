//! Designing in the world.
