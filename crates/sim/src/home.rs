//! Starting, running and stopping a home.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::blinds::Blinds;
use crate::broker::EmbeddedBroker;
use crate::client::Endpoint;
use crate::clock::Clock;
use crate::coffee::Coffee;
use crate::counters::Counters;
use crate::door::Door;
use crate::error::SimError;
use crate::hand::{PhysicalHand, Shared, Wire, locked};
use crate::light::{Lamp, Light};
use crate::model::{Model, Unit, rng_for};
use crate::motion::{Dialect, Motion};
use crate::thermostat::Thermostat;

/// The ids of the home's devices: their Home Assistant identifiers, and the second level of their
/// topics.
pub const DEVICES: [&str; 11] = [
    "front_door",
    "hall_light",
    "kitchen_light",
    "bedroom_light",
    "porch_light",
    "lounge_light",
    "lounge_blinds",
    "thermostat",
    "hall_motion",
    "lounge_motion",
    "coffee_machine",
];

/// MQTT's port where an address names none.
const MQTT_PORT: u16 = 1883;

/// Which broker the devices connect to.
#[derive(Clone, PartialEq, Eq)]
pub enum Broker {
    /// One of the home's own, in this process, without passwords.
    Embedded {
        /// Where it listens, for MQTT 3.1.1 and MQTT 5 alike; port 0 finds a free one.
        listen: SocketAddr,
    },
    /// One that runs elsewhere, spoken to in the clear.
    External {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// User name, if it asks for one.
        username: Option<String>,
        /// Password; without a user name it is not used.
        password: Option<String>,
    },
}

impl fmt::Debug for Broker {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broker::Embedded { listen } => f.debug_struct("Embedded").field("listen", listen).finish(),
            Broker::External { host, port, username, .. } => f
                .debug_struct("External")
                .field("host", host)
                .field("port", port)
                .field("username", username)
                .finish_non_exhaustive(),
        }
    }
}

impl FromStr for Broker {
    type Err = SimError;

    /// An external broker from `mqtt://[user[:password]@]host[:port]`; nothing is percent-decoded.
    fn from_str(url: &str) -> Result<Broker, SimError> {
        let (credentials, place) = match url.strip_prefix("mqtt://") {
            Some(rest) => match rest.rsplit_once('@') {
                Some((credentials, place)) => (Some(credentials), place),
                None => (None, rest),
            },
            None => return Err(SimError::BrokerUrl(without_password(url))),
        };
        let refused = || SimError::BrokerUrl(without_password(url));
        let place = place.trim_end_matches('/');
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| refused())?),
            _ => (place, MQTT_PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(refused());
        }
        let (username, password) = match credentials.map(|c| c.split_once(':').unwrap_or((c, ""))) {
            Some((user, password)) => (Some(user.to_owned()), Some(password.to_owned())),
            None => (None, None),
        };
        Ok(Broker::External { host, port, username, password })
    }
}

/// The address as an error may show it.
fn without_password(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, place)) => format!("...@{place}"),
        None => url.to_owned(),
    }
}

/// How a home is to be.
#[derive(Clone, Debug)]
pub struct HomeConfig {
    /// Decides every random reading: same seed, same inputs at the same times, same messages.
    pub seed: u64,
    /// Which broker.
    pub broker: Broker,
    /// First level of discovery topics and of the birth topic.
    pub discovery_prefix: String,
    /// Simulated time per real time, finite and above zero: 10 makes a 3 s door open in 0.3 s.
    pub time_scale: f64,
}

impl Default for HomeConfig {
    /// Seed 1, an embedded broker on a free port of 127.0.0.1, `homeassistant`, real time.
    fn default() -> HomeConfig {
        HomeConfig {
            seed: 1,
            broker: Broker::Embedded { listen: SocketAddr::from(([127, 0, 0, 1], 0)) },
            discovery_prefix: "homeassistant".to_owned(),
            time_scale: 1.0,
        }
    }
}

/// A running home. Dropping it stops it too, without waiting for the devices' goodbyes.
pub struct SimHome {
    shared: Arc<Shared>,
    broker_addr: SocketAddr,
    stop: watch::Sender<bool>,
}

impl SimHome {
    /// Starts the broker if it is the home's own, and the devices, which connect in the background
    /// and keep trying; [`SimHome::ready`] waits for them. Needs a tokio runtime with time and IO.
    ///
    /// # Errors
    ///
    /// [`SimError::TimeScale`], [`SimError::Listen`] and [`SimError::Resolve`].
    pub async fn start(config: HomeConfig) -> Result<SimHome, SimError> {
        let scale = config.time_scale;
        if !(scale.is_finite() && scale > 0.0) {
            return Err(SimError::TimeScale(scale));
        }
        let (broker, broker_addr, endpoint) = reach(&config).await?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            units: RwLock::new(HashMap::new()),
            broker: broker.map(Mutex::new),
            clock: Clock::new(scale),
            counters: Arc::new(Counters::default()),
            parcels: Mutex::default(),
            wire: Wire::new(endpoint, stopped),
        });
        for id in DEVICES {
            shared.install(build(config.seed, id));
        }
        Ok(SimHome { shared, broker_addr, stop })
    }

    /// Where the broker listens.
    pub fn broker_addr(&self) -> SocketAddr {
        self.broker_addr
    }

    /// A handle to the physical side; as many as wanted.
    pub fn hand(&self) -> PhysicalHand {
        PhysicalHand { shared: Arc::clone(&self.shared) }
    }

    /// Waits until every device that has power is connected.
    ///
    /// # Errors
    ///
    /// [`SimError::NotReady`] after `within`, in real time.
    pub async fn ready(&self, within: Duration) -> Result<(), SimError> {
        let started = Instant::now();
        loop {
            let mut seen = (0, 0);
            for unit in self.shared.units() {
                let unit = locked(&unit);
                seen.0 += usize::from(unit.powered() && unit.connected());
                seen.1 += usize::from(unit.powered());
            }
            if seen.0 == seen.1 {
                return Ok(());
            }
            if started.elapsed() >= within {
                let waited_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
                return Err(SimError::NotReady { waited_ms, up: seen.0, all: seen.1 });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Every device says offline and disconnects; then the embedded broker stops. Takes half a
    /// second at most.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for device in self.shared.wire.take_running() {
            let _ = device.await;
        }
        if let Some(broker) = &self.shared.broker {
            locked(broker).stop();
        }
    }
}

async fn reach(config: &HomeConfig) -> Result<(Option<EmbeddedBroker>, SocketAddr, Endpoint), SimError> {
    let discovery_prefix = config.discovery_prefix.clone();
    match &config.broker {
        Broker::Embedded { listen } => {
            let broker = EmbeddedBroker::start(*listen)?;
            let addr = broker.addr();
            let endpoint = Endpoint { host: dial(addr), port: addr.port(), credentials: None, discovery_prefix };
            Ok((Some(broker), addr, endpoint))
        }
        Broker::External { host, port, username, password } => {
            let refused = |reason: String| SimError::Resolve { host: host.clone(), reason };
            let mut found =
                tokio::net::lookup_host((host.as_str(), *port)).await.map_err(|error| refused(error.to_string()))?;
            let addr = found.next().ok_or_else(|| refused("no address".to_owned()))?;
            let password = password.clone().unwrap_or_default();
            let endpoint = Endpoint {
                host: host.clone(),
                port: *port,
                credentials: username.clone().map(|user| (user, password)),
                discovery_prefix,
            };
            Ok((None, addr, endpoint))
        }
    }
}

/// The address to connect to where a broker listens: any interface means the loopback here.
fn dial(listens: SocketAddr) -> String {
    match listens {
        SocketAddr::V4(_) if listens.ip().is_unspecified() => "127.0.0.1".to_owned(),
        SocketAddr::V6(_) if listens.ip().is_unspecified() => "::1".to_owned(),
        _ => listens.ip().to_string(),
    }
}

/// The model of a device of [`DEVICES`].
pub(crate) fn build(seed: u64, id: &str) -> Unit {
    let rng = rng_for(seed, id);
    let model: Box<dyn Model> = match id {
        "front_door" => Box::new(Door::new(rng)),
        "lounge_light" => Box::new(Light::new(Lamp::Colour)),
        "lounge_blinds" => Box::new(Blinds::new()),
        "thermostat" => Box::new(Thermostat::new()),
        "hall_motion" => Box::new(Motion::new(rng, Dialect::Json)),
        "lounge_motion" => Box::new(Motion::new(rng, Dialect::Plain)),
        "coffee_machine" => Box::new(Coffee::new(rng)),
        _ => Box::new(Light::new(Lamp::Dimmable)),
    };
    Unit::new(id, model)
}

#[cfg(test)]
#[path = "home_tests.rs"]
mod tests;
