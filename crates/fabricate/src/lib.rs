//! Designs that can be made: plain data, their solids, whether and for how much a machine can make them, and the files
//! that makers read.
//!
//! **Does**: holds a parametric [`Design`] with its canonical text and [`DesignHash`]; lets several people edit one, each
//! on a copy, with undo ([`document`]); has starting points ([`Start`]); evaluates a design to closed solids
//! ([`Evaluator`]); says where a machine could not make it ([`check()`]); counts what it costs and how long it takes in
//! integers ([`estimate`]); writes 3MF, GLB and binary STL ([`export`]) and reads them, whoever wrote them ([`import`]);
//! tells whether it fits into a measured room ([`room`]).
//!
//! **Does not**: do IO, read a clock, use randomness, know Bevy; round an edge that a boolean operation made; cut or join
//! what it read from a file.
//!
//! **Units and frame**: millimetres and degrees. X points right, Y up, Z towards the viewer, the origin lies where the
//! thing touches the floor, the table or the wall. [`export`] turns Z up where a format wants that, and GLB is in metres.
//!
//! ```
//! use vestibule_fabricate::{Budget, Evaluator, Machine, Start, check};
//!
//! let mut hook = Start::Hook.design();
//! hook.set("reach", 45.0)?;
//! let solids = Evaluator::new().evaluate(&hook, &Budget::default())?;
//! assert_eq!(solids.design, hook.hash()?);
//! assert!(solids.bodies.iter().all(|body| body.mesh.open_edge().is_none()));
//! let findings = check(&solids, &Machine::desktop(), &Default::default());
//! assert!(findings.iter().all(|finding| !finding.blocks));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod design;
pub mod document;
pub mod export;
pub mod import;
mod mesh;
mod price;
mod print;
pub mod room;
mod solid;
mod starts;
mod text;

pub use design::{Design, DesignError, DesignHash};
pub use mesh::{Bounds, Hit, Mesh, OpenEdge, Tree};
pub use price::{Estimate, PriceBook, PriceError, Sliced, Step, estimate};
pub use print::{Finding, FindingKind, Machine, Process, Spot, check};
pub use solid::{Body, Budget, Cancel, EVALUATOR, Evaluator, SolidError, Solids};
pub use starts::Start;
pub use text::{Font, FontError};
