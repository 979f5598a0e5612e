//! Pages with recipes, as the kitchen asks for them: whoever has a network reads them.

use bevy::prelude::*;
use vestibule_kitchen::Limits;

/// Letters of an address that are shown.
const SHOWN_LETTERS: usize = 80;

/// Request: read a page for the kitchen, one at a time.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub enum ReadPage {
    /// The one at this address, and none that was asked for before.
    Begin(String),
    /// None any more.
    Stop,
}

/// Fact: what came of a page that was asked for.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct PageRead {
    /// Where it is.
    pub address: String,
    /// Its text, or why there is none, for people: `its server answers 404`.
    pub page: Result<String, String>,
}

/// There where somebody follows [`ReadPage`]. Without it people are told to save a page as a file.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct ReadsPages;

/// Bytes of a page that are of use here.
#[must_use]
pub fn page_bytes() -> usize {
    Limits::default().bytes
}

/// The beginning of an address, where it is long.
pub(crate) fn shown(address: &str) -> String {
    address.chars().take(SHOWN_LETTERS).collect()
}
