use serde::{Deserialize, Serialize};

use crate::{BlobRef, ERASED, Place, Timestamp, sealed::Sealable};

/// Where a product without electronics stands, and how it looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Where it stands.
    pub place: Place,
    /// How it looks: a GLB that was given before.
    #[serde(default)]
    pub visual: Option<BlobRef>,
}

/// What is known of a product that is kept as a twin. It holds also when its purchase is forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// What people call it.
    pub name: String,
    /// Who made it.
    pub manufacturer: String,
    /// What its manufacturer calls it.
    pub model: String,
    /// The order with which it came.
    pub order: String,
    /// When it was made, where its certificate says so.
    pub made: Option<Timestamp>,
    /// When it was delivered, as far as that is known.
    pub delivered: Timestamp,
    /// Where it stands, and how it looks.
    pub standing: Standing,
}

impl Sealable for Kept {
    fn erased() -> Self {
        let place = Place { space: ERASED.to_owned(), position: [0.0; 3], rotation: [0.0, 0.0, 0.0, 1.0] };
        let text = || ERASED.to_owned();
        Self {
            name: text(),
            manufacturer: text(),
            model: text(),
            order: text(),
            made: None,
            delivered: Timestamp(0),
            standing: Standing { place, visual: None },
        }
    }
}

impl Sealable for Option<Kept> {
    fn erased() -> Self {
        Some(Kept::erased())
    }
}
