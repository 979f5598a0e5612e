use thiserror::Error;

/// Why a model is not shown.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ModelRefusal {
    /// The file is larger than allowed.
    #[error("the model has {bytes} bytes, at most {limit} are shown")]
    TooLarge {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not a glTF 2.0 binary, or cut short.
    #[error("this is no whole glTF 2.0 binary: {0}")]
    Container(&'static str),
    /// The JSON is too long or nested too deeply.
    #[error("the model's description is too {what}: {count}, at most {limit} allowed")]
    Description {
        /// `long` or `deep`.
        what: &'static str,
        /// Bytes or levels given.
        count: usize,
        /// Bytes or levels allowed.
        limit: usize,
    },
    /// The JSON is no glTF.
    #[error("the model's description cannot be read: {0}")]
    Json(String),
    /// More of something than a model may have.
    #[error("the model has {count} {what}, at most {limit} are shown")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many were given.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// Something is to be fetched from elsewhere.
    #[error("the model refers to something outside of its file ({0}): export it with everything embedded (GLB)")]
    External(String),
    /// Something that the client does not show.
    #[error("the model uses {0}, which is not shown here: export it without")]
    Unsupported(&'static str),
    /// An extension that the client does not know is required.
    #[error("the model requires the extension {0}, which is not known here")]
    Extension(String),
    /// The nodes are no tree.
    #[error("looping glTF: node {node} {how}")]
    Loop {
        /// Number of the node in the file.
        node: usize,
        /// What is wrong with it.
        how: &'static str,
    },
    /// Nodes are nested too deeply.
    #[error("the model's nodes are nested {depth} deep, at most {limit} allowed")]
    TooDeep {
        /// Levels found, at least.
        depth: usize,
        /// Levels allowed.
        limit: usize,
    },
    /// Data lies outside of what it is said to lie in, or refers to what is not there.
    #[error("the model is damaged: {what} {index} {how}")]
    Range {
        /// What kind of thing.
        what: &'static str,
        /// Its number in the file.
        index: usize,
        /// What is wrong with it.
        how: &'static str,
    },
    /// A number is not finite or makes no sense.
    #[error("the model is damaged: {what} {index} has a number that cannot be drawn")]
    Number {
        /// What kind of thing.
        what: &'static str,
        /// Its number in the file.
        index: usize,
    },
    /// An image cannot be read.
    #[error("image {index} of the model cannot be read as PNG or JPEG")]
    Image {
        /// Its number in the file.
        index: usize,
    },
    /// An image has too many pixels.
    #[error("image {index} of the model has {width} x {height} pixels, at most {limit} on a side are shown")]
    ImageSize {
        /// Its number in the file.
        index: usize,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Pixels allowed on a side.
        limit: u32,
    },
    /// It keeps all limits and cannot be loaded all the same: an image that ends in the middle, for one.
    #[error("the model cannot be loaded: {0}")]
    Load(String),
    /// The model is larger than a device can be.
    #[error("the model is {metres:.1} m large, at most {limit:.0} m are shown (glTF counts in metres)")]
    Extent {
        /// Metres from end to end.
        metres: f32,
        /// Metres allowed.
        limit: f32,
    },
}
