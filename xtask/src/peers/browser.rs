//! Chromium, which looks at the status page. Tests start their own instance, without a window.

use anyhow::{Context, Result};

use super::Variables;
use crate::workspace::program;

/// Its name on the command line.
pub const NAME: &str = "browser";

/// It comes as a system package; here it only has to be found.
pub fn prepare() -> Result<Variables> {
    let browser = find().context("chromium is not here")?;
    Ok(vec![("VESTIBULE_CHROMIUM", browser.display().to_string())])
}

/// Under the names that distributions and its maker give it.
pub fn find() -> Option<std::path::PathBuf> {
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"].into_iter().find_map(program)
}
