//! What tests of whole Apps share: an enabler that is nothing but a pair of queues.
//!
//! **Does**: answers a session in the wire's own bytes ([`FakeEnabler`]), describes a front door and a lamp.
//! **Does not**: decide anything. What the real enabler decides is tested where it lives, and in `e2e`.
//!
//! ```
//! use vestibule_tests::FakeEnabler;
//! let (enabler, link) = FakeEnabler::new();
//! drop((enabler, link));
//! ```

mod fake;
mod twins;

pub use fake::{FakeEnabler, FakeLink};
pub use twins::{door, lamp, reading, view};
