//! Programs of other people that tests speak to. A peer that is missing fails the tests that need it; only an
//! explicit `--without NAME` leaves it out.

pub mod browser;
pub mod fabrication;
pub mod monado;
mod mosquitto;
pub mod node;
pub mod python;
pub mod schemathesis;
mod slicer;
pub mod ucp;

use anyhow::{Result, bail};

use crate::setup::Purpose;
use crate::workspace::Workspace;

/// The peers, by the names that `--peer` and `--without` take.
pub const NAMES: [&str; 9] = [
    mosquitto::NAME,
    python::NAME,
    schemathesis::NAME,
    fabrication::NAME,
    slicer::NAME,
    ucp::NAME,
    node::NAME,
    browser::NAME,
    monado::NAME,
];

/// Environment variables that tell tests where a peer is.
pub type Variables = Vec<(&'static str, String)>;

/// The peer of this name, or a refusal that lists the names.
pub fn known(name: &str) -> Result<&'static str> {
    match NAMES.iter().find(|known| **known == name) {
        Some(known) => Ok(known),
        None => bail!("no such peer: {name}; there are {}", NAMES.join(", ")),
    }
}

/// What a peer needs of the operating system.
pub fn purpose(name: &str) -> Option<Purpose> {
    match name {
        mosquitto::NAME => Some(Purpose::Mosquitto),
        python::NAME | schemathesis::NAME | fabrication::NAME | ucp::NAME => Some(Purpose::Python),
        slicer::NAME => Some(Purpose::Slicer),
        node::NAME => Some(Purpose::Node),
        browser::NAME => Some(Purpose::Browser),
        monado::NAME => Some(Purpose::Monado),
        _ => None,
    }
}

/// Brings a peer here, unless it is here already, and says where it is.
pub fn prepare(name: &str, workspace: &Workspace) -> Result<Variables> {
    match name {
        mosquitto::NAME => mosquitto::prepare(),
        python::NAME => python::prepare(workspace),
        schemathesis::NAME => schemathesis::prepare(workspace),
        fabrication::NAME => fabrication::prepare(workspace),
        slicer::NAME => slicer::prepare(),
        ucp::NAME => ucp::prepare(workspace),
        node::NAME => node::prepare(workspace),
        browser::NAME => browser::prepare(),
        monado::NAME => monado::prepare(),
        other => bail!("no such peer: {other}"),
    }
}
