use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{IdError, from_hex, hex_serde, text_schema};

/// The BLAKE3 hash of some bytes: their name on the wire and in caches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

hex_serde!(ContentHash, 32);
text_schema!(ContentHash, "^[0-9a-fA-F]{64}$");

impl ContentHash {
    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl std::str::FromStr for ContentHash {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        from_hex(text).map(Self)
    }
}

/// Bytes that are fetched by their hash: a model, a camera's picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct BlobRef {
    /// What the bytes hash to; whoever fetches them checks it.
    pub hash: ContentHash,
    /// How many bytes there are.
    pub size: u64,
    /// Media type, such as `image/jpeg` or `model/gltf-binary`.
    pub media: String,
}

impl BlobRef {
    /// The reference to `bytes` of the media type `media`.
    #[must_use]
    pub fn of(bytes: &[u8], media: impl Into<String>) -> Self {
        Self { hash: ContentHash::of(bytes), size: bytes.len() as u64, media: media.into() }
    }
}
