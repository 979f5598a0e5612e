//! Nothing happens here. Cargo turns the features that dev-dependencies ask for on for a whole build as soon as
//! one example or test is in it. `cargo xtask demo` names this example, so that it builds the dependencies exactly
//! as `cargo test --workspace` does, and Bevy is compiled once.

fn main() {}
