use std::path::PathBuf;

use thiserror::Error;

use crate::tour::TourError;

/// Why the client cannot start. Everything later is told on the screen.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No place to keep things.
    #[error("there is no home folder to keep settings in: say where with --data DIR")]
    NoHome,
    /// The data folder cannot be used.
    #[error("the folder {} cannot be used: {error}. Say another with --data DIR", .0.display(), error = .1)]
    Data(PathBuf, std::io::Error),
    /// No models.
    #[error("the house's models were not found in {}: say where they are with --assets DIR", list(.0))]
    NoAssets(Vec<PathBuf>),
    /// The tour cannot be played.
    #[error(transparent)]
    Tour(#[from] TourError),
    /// The folder for pictures cannot be used.
    #[error("pictures cannot be written to {}: {error}", .0.display(), error = .1)]
    Pictures(PathBuf, std::io::Error),
    /// The background part could not start.
    #[error("{0}")]
    Backend(String),
    /// No display.
    #[error(
        "there is no display to open a window on: no X server answers at DISPLAY (a Wayland desktop needs Xwayland). \
         Without one, play a tour into pictures: vestibule --tour home --offscreen DIR"
    )]
    NoDisplay,
    /// No way to draw.
    #[error(
        "there is neither a GPU with a Vulkan driver nor a software one: install a driver, or Mesa's software renderer \
         (Debian and Ubuntu: apt install mesa-vulkan-drivers)"
    )]
    NoGpu,
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}
