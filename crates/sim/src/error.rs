//! What can go wrong when a simulated home starts or is touched.

use std::net::SocketAddr;

use thiserror::Error;

/// Why the simulated home refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SimError {
    /// The embedded broker could not listen on the address asked for.
    #[error("the broker cannot listen on {addr}: {reason}")]
    Listen {
        /// Address asked for; port 0 means that no free port was found.
        addr: SocketAddr,
        /// What the operating system or the broker said.
        reason: String,
    },
    /// The name of an external broker does not resolve to an address.
    #[error("the broker's name {host:?} does not resolve: {reason}")]
    Resolve {
        /// Host name as configured.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// `time_scale` is not a finite number above zero.
    #[error("the time scale {0} is not a finite number above zero")]
    TimeScale(f64),
    /// A broker's address does not read as `mqtt://[user[:password]@]host[:port]`.
    #[error("{0:?} does not read as mqtt://[user[:password]@]host[:port]")]
    BrokerUrl(String),
    /// There is no device of this id in the home.
    #[error("there is no device {0:?} in this home")]
    NoSuchDevice(String),
    /// What is no serial number: 1 to 64 of capital letters, digits and `-`.
    #[error("{0:?} is no serial number: 1 to 64 of A-Z, 0-9 and -")]
    Serial(String),
    /// The home has no room for more of this.
    #[error("there are {most} {what} already")]
    Full {
        /// Of what.
        what: &'static str,
        /// So many at most.
        most: usize,
    },
    /// There is no motion sensor in this room.
    #[error("there is no sensor in room {0:?}")]
    NoSuchRoom(String),
    /// There is no guest of this name.
    #[error("there is no guest {0:?}: try friend, courier or neighbour")]
    NoSuchGuest(String),
    /// The broker is not ours to stop or start.
    #[error("the broker is external: this home cannot stop or start it")]
    NotOurBroker,
    /// Not every device was connected within the time given.
    #[error("after {waited_ms} ms only {up} of {all} devices are connected")]
    NotReady {
        /// How long it was waited, in milliseconds of real time.
        waited_ms: u64,
        /// Devices that are connected.
        up: usize,
        /// Devices that have power.
        all: usize,
    },
}
