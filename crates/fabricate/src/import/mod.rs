//! Reads files of other programs, whoever wrote them: [`read_3mf`], [`read_glb`], [`read_stl`].
//!
//! Limits come first: nothing is unpacked, counted or reserved because a file says so. What is read is shown, sliced and
//! measured; it is not cut or joined, because nobody promises that it is closed ([`Mesh::open_edge`] says whether it is).

mod archive;
mod glb;
mod scene;
mod stl;
mod threemf;
mod xml;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    design::{Design, DesignError, DesignHash},
    mesh::Mesh,
};

pub use glb::read as read_glb;
pub use stl::read as read_stl;
pub use threemf::read as read_3mf;

/// The most bytes of a file.
pub const MAX_FILE: usize = 64 << 20;
/// The most points of all objects of a file: twice what a design may have.
pub const MAX_POINTS: usize = 4_000_000;
/// The most triangles of all objects of a file.
pub const MAX_TRIANGLES: usize = 8_000_000;
/// How often objects may stand in a scene.
pub const MAX_PLACED: usize = 1_024;
/// The farthest that a coordinate may be, in millimetres: a kilometre.
const FARTHEST: f64 = 1e6;
/// The longest name or text that is kept, in bytes.
const MAX_NAME: usize = 4_096;

/// What a file holds. Millimetres, in a design's frame: Y up, whatever the format has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The things in it, each once.
    pub objects: Vec<Object>,
    /// Where they stand; a thing may stand there several times.
    pub placed: Vec<Placed>,
    /// What they are made of.
    pub materials: Vec<Look>,
    /// What else it says about itself, by name.
    pub metadata: BTreeMap<String, String>,
    /// The design that it was made from, where one of ours wrote it.
    pub design: Option<Design>,
    /// Of which design it says that it was made from. It is `design`'s where that is there.
    pub hash: Option<DesignHash>,
    /// A picture of it (PNG, JPEG), as it was in the file.
    pub thumbnail: Option<Vec<u8>>,
}

/// A thing in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it is called; may be empty.
    pub name: String,
    /// Its triangles, in its own frame.
    pub mesh: Mesh,
    /// Which of the scene's materials.
    pub material: Option<usize>,
}

/// A material of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What it is called.
    pub name: String,
    /// Red, green, blue (sRGB) and how opaque.
    pub colour: [u8; 4],
}

/// A thing where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Which of the scene's objects.
    pub object: usize,
    /// Where X, Y, Z and the origin of the object's frame go.
    pub frame: [[f64; 3]; 4],
}

impl Placed {
    /// Where a point of the object is.
    #[must_use]
    pub fn point(&self, [x, y, z]: [f64; 3]) -> [f64; 3] {
        let [right, up, near, origin] = self.frame;
        std::array::from_fn(|axis| right[axis] * x + up[axis] * y + near[axis] * z + origin[axis])
    }
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ImportError {
    /// There is more of something than there may be.
    #[error("{part}: {what}, {most} are the most")]
    TooMany {
        /// In which part of the file.
        part: String,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// It is not as the format says.
    #[error("{part}, byte {offset}: {why}")]
    Malformed {
        /// Which part of the file.
        part: String,
        /// Where in it, in bytes.
        offset: usize,
        /// What is wrong.
        why: String,
    },
    /// It is a kind that is not read here.
    #[error("{part}: {what} is not supported")]
    Unsupported {
        /// Which part of the file.
        part: String,
        /// What.
        what: String,
    },
    /// A part that must be there is not.
    #[error("{0} is missing")]
    Missing(String),
    /// The design in it is none.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// The design in it is not the one that it says.
    #[error("it says that it is of another design than the one in it")]
    OtherDesign,
}

fn malformed(part: &str, offset: usize, why: impl Into<String>) -> ImportError {
    ImportError::Malformed { part: part.to_owned(), offset, why: why.into() }
}

fn too_many(part: &str, what: &'static str, most: usize) -> ImportError {
    ImportError::TooMany { part: part.to_owned(), what, most }
}

fn unsupported(part: &str, what: impl Into<String>) -> ImportError {
    ImportError::Unsupported { part: part.to_owned(), what: what.into() }
}

/// A coordinate that can be: finite, and not farther than it makes sense.
fn near(value: f64) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "a mesh has no more digits")]
    (value.abs() <= FARTHEST).then_some(value as f32)
}

/// As much of a name as is kept.
fn named(text: &str) -> String {
    let mut name = text.to_owned();
    name.truncate(name.floor_char_boundary(MAX_NAME));
    name
}
