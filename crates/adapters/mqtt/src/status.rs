//! How the adapter stands with its broker, in words for a screen.

use std::fmt;

/// How the adapter stands with its broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterState {
    /// It tries to connect for the first time.
    #[default]
    Connecting,
    /// It is connected.
    Connected,
    /// It is not, and tries again.
    Away {
        /// Why, and what to do about it.
        reason: String,
        /// Milliseconds until it tries again.
        retry_ms: u64,
    },
    /// It has ended: whoever it spoke for is gone.
    Ended,
    /// It broke by a mistake of ours, and begins anew.
    Broken {
        /// Milliseconds until it does.
        retry_ms: u64,
    },
}

/// What a screen shows of an adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdapterStatus {
    /// The broker as `host:port`.
    pub broker: String,
    /// How it stands with the broker.
    pub state: AdapterState,
    /// How many twins there are.
    pub twins: usize,
    /// The latest discovery documents that are wrong: topic and what is wrong with it; and what the enabler refused.
    pub notes: Vec<(String, String)>,
}

impl fmt::Display for AdapterStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let broker = &self.broker;
        match &self.state {
            AdapterState::Connecting => write!(f, "connecting to the MQTT broker {broker}"),
            AdapterState::Connected => write!(f, "connected to the MQTT broker {broker}, {} devices", self.twins),
            AdapterState::Away { reason, retry_ms } => {
                write!(f, "the MQTT broker {broker} is away: {reason}; next try in {} s", retry_ms.div_ceil(1000))
            }
            AdapterState::Broken { retry_ms } => write!(
                f,
                "what speaks with the MQTT broker {broker} broke and begins anew in {} s; the log says why",
                retry_ms.div_ceil(1000)
            ),
            AdapterState::Ended => write!(f, "the connection to the MQTT broker {broker} has ended"),
        }
    }
}
