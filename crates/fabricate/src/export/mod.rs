//! The files that makers and viewers read: [`write_3mf`], [`glb`], [`stl`].

mod glb;
mod number;
mod package;
mod stl;
mod threemf;
mod thumbnail;

use thiserror::Error;

use crate::design::DesignError;

pub use glb::glb;
pub use package::Package;
pub use stl::stl;
pub(crate) use threemf::CORE;
pub use threemf::{MEDIA_TYPE, NAMESPACE, write as write_3mf};
pub use thumbnail::{THUMBNAIL, thumbnail};

/// Why nothing was written.
#[derive(Debug, Error)]
pub enum ExportError {
    /// It is no design.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// The solids are not this design's.
    #[error("the solids were made from another design")]
    OtherDesign,
    /// It is larger than the format can say.
    #[error("too large for this format")]
    TooLarge,
    /// Where it was written to took no more.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

/// The design's frame has Y up, most formats have Z up: the same thing, turned.
pub(crate) fn z_up([x, y, z]: [f32; 3]) -> [f32; 3] {
    // Adding zero makes -0 a 0.
    [x, -z + 0.0, y]
}
