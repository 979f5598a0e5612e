//! Digital twin integration functions (FGMV-29 8.3), one file for each functional entity.

pub(crate) mod dtac;
pub(crate) mod dtia;
pub(crate) mod dts;
pub(crate) mod dtsd;
pub(crate) mod dtsr;
pub(crate) mod lease;
pub(crate) mod tsi;
