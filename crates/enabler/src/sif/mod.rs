//! Systems integration functions (FGMV-29 8.2), one file for each functional entity.

pub(crate) mod dtda;
mod fold;
pub(crate) mod sdc;
pub(crate) mod tpsaa;
pub(crate) mod tpsr;
