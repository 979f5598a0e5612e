//! FGMV-29 8.2, systems integration functions (SIF): one file for each functional entity.

pub(crate) mod binding;
pub(crate) mod dtda;
mod fold;
pub(crate) mod given;
pub(crate) mod keep;
pub(crate) mod purchase;
pub(crate) mod sdc;
pub(crate) mod terms;
pub(crate) mod tpsaa;
pub(crate) mod tpsd;
pub(crate) mod tpsr;
