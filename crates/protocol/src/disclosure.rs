//! What systems were told of a person: theirs to erase once the person is forgotten here.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{ServiceId, SystemId, Timestamp};

/// Who was told what of a person, as far as the log goes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Disclosures {
    /// System by system.
    pub systems: Vec<Disclosed>,
    /// Systems beyond those.
    pub more: usize,
    /// The log begins behind this line: whom it told before, nobody knows any more. 0: it is whole.
    pub begins: u64,
}

/// What one system was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Disclosed {
    /// The system.
    pub system: SystemId,
    /// What.
    pub what: BTreeSet<Disclosure>,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
}

/// Something of a person that a system was told, or told itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// Their name here.
    Name,
    /// What it calls them: a name that only it has for them.
    Pseudonym,
    /// Their account there, which it named itself.
    Account,
    /// What they, or others for them, gave to one of its services.
    Input(ServiceId),
    /// Twins that they share.
    Twins,
    /// What they had its things do, without their name.
    Commands,
    /// What they have bought there.
    Purchases,
}

impl fmt::Display for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("their name"),
            Self::Pseudonym => f.write_str("a pseudonym"),
            Self::Account => f.write_str("their account there"),
            Self::Input(service) => write!(f, "what was given to {service}"),
            Self::Twins => f.write_str("shared twins"),
            Self::Commands => f.write_str("commands (nameless)"),
            Self::Purchases => f.write_str("purchases"),
        }
    }
}
