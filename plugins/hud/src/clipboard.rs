//! Copying out of the window, and pasting into a line that is written.

use bevy::prelude::*;

/// What the system's clipboard can do for us.
pub trait SystemClipboard: Send + Sync {
    /// Others can paste this from now on, for as long as the program runs.
    ///
    /// # Errors
    /// Why not, for a person.
    fn copy(&mut self, text: String) -> Result<(), String>;

    /// Asks for what others have copied. It comes later, or never.
    fn ask(&mut self);

    /// What came.
    fn pasted(&mut self) -> Option<String>;
}

/// The system's clipboard. Whoever can reach it inserts this; without it nothing offers to copy or to paste.
#[derive(Resource)]
pub struct Clipboard(pub Box<dyn SystemClipboard>);
