//! The rows, by what they are about: each is what somebody does and what has to be seen then.

pub(crate) mod discovery;
pub(crate) mod http;
mod http_streams;
pub(crate) mod leases;
pub(crate) mod permissions;
pub(crate) mod procedure1;
pub(crate) mod procedure2;
pub(crate) mod products;
pub(crate) mod purchases;
pub(crate) mod refusals;
pub(crate) mod services;
pub(crate) mod synchronization;
pub(crate) mod truth;
