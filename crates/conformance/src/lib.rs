//! The conformance kit: plays metaverse systems, digital twin systems, third-party systems and physical objects against
//! *any* integration enabler (ITU FGMV-29, Y.4240), from outside, and says row by row what was done, what was seen, pass or fail.
//!
//! **Does**: pairs everybody it needs with one owner's code, plays every row of the [`catalogue`] over a [`Wire`], waits
//! for what has to come and looks for what must not, takes away what it brought ([`run`]).
//!
//! **Does not**: look into an enabler, know which one it is, or pass a row that it could not play.
//!
//! ```
//! use vestibule_conformance::catalogue::{self, Reach};
//!
//! // Every step of procedure P2 is a row.
//! let steps = catalogue::entries(Reach::ALL).into_iter().filter(|entry| entry.clause.starts_with("FGMV-29 9.2"));
//! assert!(steps.count() >= 18);
//! ```

pub mod catalogue;

mod actor;
mod cli;
mod notes;
mod report;
mod rows;
mod run;
mod stage;
mod system;
mod things;
mod third_party;
mod wire;

pub use actor::Seen;
pub use cli::{Cli, transport};
pub use notes::Notes;
pub use report::{Report, Row};
pub use run::{Config, run};
pub use stage::Stage;
pub use wire::{Answer, Connected, Http, Key, Part, Quic, Transport, Trust, Wire};
