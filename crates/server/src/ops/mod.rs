//! The operators' surface: whether all is well, and what to do where it is not.

pub(crate) mod doctor;
