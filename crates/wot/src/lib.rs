//! W3C Web of Things: twins as Things.
//!
//! **Does**: turns a twin, as one user may see it, into a Thing Description 1.1 ([`describe`]) and back into what a
//! consumer discovers ([`discover`]); names its affordances ([`Affordance`]) and its place on a server ([`Site`]); turns
//! values into plain JSON and back ([`to_json`], [`from_json`]); tells which action sets a property ([`writer`]).
//!
//! **Does not**: do IO, read a clock, decide who may see what: it is given a twin as one user may see it.
//!
//! ```
//! use vestibule_model::{TwinId, TwinInfo};
//! use vestibule_wot::{Site, describe, discover};
//!
//! let info = TwinInfo::new(TwinId::new("home/front_door")?, "Front door");
//! let site = Site::new("https://enabler.example:8443");
//! let td = describe(&info, &site);
//! assert_eq!(td["id"], "urn:vestibule:home/front_door");
//! assert_eq!(discover(&td)?.info.name, "Front door");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod describe;
mod directory;
mod discover;
mod name;
mod schema;
mod site;
mod value;
mod write;

pub use describe::{CONTEXT, MEDIA_TYPE, describe, etag};
pub use directory::directory;
pub use discover::{Discovered, TdError, discover};
pub use name::{Affordance, NameError, thing_id, twin_of};
pub use site::{DIRECTORY, Site};
pub use value::{JsonError, from_json, to_json};
pub use write::{Writer, writer};
