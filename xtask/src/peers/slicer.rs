//! PrusaSlicer, which slices what is designed here, as the manufacturer has it do.

use anyhow::{Context, Result};

use super::Variables;

/// Its name on the command line.
pub const NAME: &str = "slicer";

/// It comes as a system package; here it only has to be found.
pub fn prepare() -> Result<Variables> {
    let slicer = crate::workspace::program("prusa-slicer").context("prusa-slicer is not here")?;
    Ok(vec![("VESTIBULE_SLICER", slicer.display().to_string())])
}
