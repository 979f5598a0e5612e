//! The operators' surface: what is counted, whether all is well, what to do where it is not.

pub(crate) mod doctor;
pub(crate) mod exposition;
pub(crate) mod lines;
pub(crate) mod metrics;
mod page;
pub(crate) mod routes;
