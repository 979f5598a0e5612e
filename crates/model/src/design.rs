use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ContentHash, IdError};

/// BLAKE3 of the canonical text of a resolved design. What is ordered is exactly this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct DesignHash(pub ContentHash);

impl fmt::Display for DesignHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for DesignHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DesignHash({})", self.0)
    }
}

impl std::str::FromStr for DesignHash {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}
