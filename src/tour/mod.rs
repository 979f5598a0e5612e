//! Tours: written walks through the client that use nothing but its inputs, and check what it shows.
//!
//! A tour presses keys, moves the mouse and, on the physical side, rings, jams or cuts the power. It never calls what a
//! button calls. Each step says what the world should *show* and what the devices should *report*; `tour.json` holds
//! what was expected, what was observed and how long it took.

mod check;
mod driver;
mod hands;
mod legs;
mod picture;
mod report;
mod script;

pub(crate) use driver::Physical;
pub use driver::{TourPlugin, TourVerdict};
pub use picture::ViewTarget;
pub use report::{StepReport, TourReport};
pub use script::{Deed, Expectation, Step, Tour, TourError};
