//! FGMV-29 8.2, systems integration functions (SIF): one file for each functional entity.

pub(crate) mod tpsd;
pub mod tpsr;
