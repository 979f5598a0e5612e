use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use thiserror::Error;
use tokio::{sync::watch, task::JoinHandle};
use vestibule_adapter_mqtt::{AdapterStatus, MqttConfig, MqttTwinSystem};
use vestibule_enabler_core::{OWNER_ROLE, PairingCode, THINGS};
use vestibule_model::{RoleId, UserId};
use vestibule_quic::{Fingerprint, Identity, IdentityError, QuicError, QuicServer, ServerLimits};

use crate::{
    Clock, HttpConfig, HttpError, HubConfig, HubError, HubHandle, Keeping, TradeConfig, TradeError, adapters,
    http::HttpServer,
    login::{LoginConfig, LoginDesk, LoginError},
    net::{
        self, Shared,
        control::{Endpoint, IDENTITY},
        desk::Desk,
    },
    things,
};

/// Which enabler to start.
#[derive(Clone, Debug)]
pub struct EmbeddedConfig {
    /// Where its data is. One enabler at a time has it.
    pub data_dir: PathBuf,
    /// Its name, for people.
    pub name: String,
    /// Brokers whose devices become twins.
    pub mqtt: Vec<MqttConfig>,
    /// Where it listens for QUIC.
    pub quic: SocketAddr,
    /// Where it listens for HTTP.
    pub http: HttpConfig,
    /// With whose word people log in over HTTP; by default with nobody's.
    pub login: Option<LoginConfig>,
    /// How long what was is kept.
    pub keeping: Keeping,
    /// Whom people may buy from; by default nobody.
    pub trade: Option<TradeConfig>,
}

impl EmbeddedConfig {
    /// An enabler that only this machine reaches, on any free port, without devices.
    #[must_use]
    pub fn local(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            name: "Vestibule".to_owned(),
            mqtt: Vec::new(),
            quic: (Ipv4Addr::LOCALHOST, 0).into(),
            http: HttpConfig::default(),
            login: None,
            keeping: Keeping::default(),
            trade: None,
        }
    }
}

/// Why an enabler did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The data, or what is in it.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// Its certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The network.
    #[error(transparent)]
    Network(#[from] QuicError),
    /// HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// How people log in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Merchants.
    #[error(transparent)]
    Trade(#[from] TradeError),
    /// Where it listens cannot be written down for `vestibule-enabler pair` and others.
    #[error("{0} cannot be written to: {1}")]
    Folder(PathBuf, io::Error),
    /// A broker or merchant would be the enabler's own system of things without electronics.
    #[error(
        "{THINGS:?} is the enabler's own system: call the broker something else, as in mqtt://host?system=garden, or the \
         merchant"
    )]
    Taken,
    /// Two brokers would both be the same system.
    #[error("two brokers are both called {0:?}: tell them apart, as in mqtt://host?system=garden")]
    Twice(String),
}

/// A running enabler: the hub, its network, its adapters. What `vestibule-enabler serve` runs, and what the client has
/// inside of itself when it starts without an enabler.
///
/// Dropped, it ends as if killed, which loses nothing that was acknowledged; [`stop`](Self::stop) also says goodbye.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    http: HttpServer,
    serving: JoinHandle<()>,
    /// One for each adapter, which ends with it, and the system of things.
    keepers: Vec<JoinHandle<()>>,
    identity: PathBuf,
    _endpoint: Endpoint,
}

impl Embedded {
    /// Starts it; call it inside a tokio runtime. When this returns, clients can connect.
    ///
    /// # Errors
    /// [`StartError`] in words for people: the folder is in use, the port is taken, the disk is full.
    pub async fn start(config: EmbeddedConfig) -> Result<Self, StartError> {
        let EmbeddedConfig { data_dir, name, mqtt, quic, http, login, keeping, trade } = config;
        let mut systems: Vec<_> = mqtt.iter().map(|broker| &broker.system).collect();
        systems.sort();
        if let Some(pair) = systems.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(StartError::Twice(pair[0].to_string()));
        }
        let merchants = trade.iter().flat_map(|trade| &trade.merchants).map(|merchant| &merchant.system);
        if systems.into_iter().chain(merchants).any(|system| system.as_str() == THINGS) {
            return Err(StartError::Taken);
        }
        // The hub takes the folder first: nobody else touches it from here on.
        let hub = HubHandle::start(HubConfig { keeping, ..HubConfig::new(&data_dir, name.clone()) }).await?;
        let certificate = data_dir.join(IDENTITY);
        let identity = Identity::load_or_create(&certificate)?;
        let server = QuicServer::bind(quic, &identity, ServerLimits::default())?;
        let address = server.address();
        let endpoint =
            Endpoint::announce(&data_dir, address).map_err(|error| StartError::Folder(data_dir.clone(), error))?;
        let mut states = Vec::new();
        let mut keepers = Vec::new();
        for broker in mqtt {
            let system = broker.system.clone();
            tracing::info!(%system, ?broker, "an MQTT broker's devices become twins");
            let (tell, state) = watch::channel(AdapterStatus { broker: broker.broker(), ..AdapterStatus::default() });
            let start = move |up, down| MqttTwinSystem::spawn(broker.clone(), up, down);
            states.push(state);
            keepers.push(tokio::spawn(adapters::keep(hub.clone(), system, start, tell)));
        }
        let (tell, things) = watch::channel(None);
        keepers.push(tokio::spawn(things::keep(hub.clone(), Clock::system(), tell)));
        let shared = Arc::new(Shared {
            name,
            server,
            hub,
            desk: Desk::default(),
            trade: Arc::default(),
            adapters: states,
            things,
            clients: Arc::default(),
        });
        let login = login.map(|login| LoginDesk::new(shared.hub.clone(), Clock::system(), login)).transpose()?;
        let http = HttpServer::start(http, &identity, shared.clone(), login).await?;
        if let Some(trade) = trade {
            keepers.extend(shared.trade.begin(trade, &data_dir, reached(&http), &shared.hub)?);
            shared.hub.trade(shared.trade.clone()).await?;
        }
        let serving = tokio::spawn(net::serve(shared.clone()));
        tracing::info!(%address, fingerprint = %shared.server.fingerprint(), "the enabler listens");
        Ok(Self { shared, http, serving, keepers, identity: certificate, _endpoint: endpoint })
    }

    /// Where clients on this machine connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        net::control::from_here(self.shared.server.address())
    }

    /// Where plain HTTP listens.
    #[must_use]
    pub const fn http(&self) -> Option<SocketAddr> {
        self.http.plain()
    }

    /// Where HTTPS listens.
    #[must_use]
    pub const fn https(&self) -> Option<SocketAddr> {
        self.http.tls()
    }

    /// What clients pin.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.shared.server.fingerprint()
    }

    /// What decides.
    #[must_use]
    pub fn hub(&self) -> &HubHandle {
        &self.shared.hub
    }

    /// Makes the certificate of this machine's own client known as the owner's.
    ///
    /// # Errors
    /// [`HubError`] where it cannot be written down.
    pub async fn enroll_owner(&self, client: Fingerprint) -> Result<(), HubError> {
        let user = UserId::slug(OWNER_ROLE);
        self.shared.hub.enroll(client.0, user, vec![RoleId::slug(OWNER_ROLE)]).await
    }

    /// A code for one more device, to be shown to a person. Devices prove the newest code.
    ///
    /// # Errors
    /// [`HubError`] where too many are open.
    pub async fn pairing_code(&self, role: RoleId) -> Result<PairingCode, HubError> {
        self.shared.hub.pairing_code(role).await
    }

    /// How its adapters stand with their brokers, in the order of the configuration.
    #[must_use]
    pub fn adapters(&self) -> &[watch::Receiver<AdapterStatus>] {
        &self.shared.adapters
    }

    /// Why products without electronics are not shown as they are, in words for people; `None`: they are.
    #[must_use]
    pub fn things(&self) -> &watch::Receiver<Option<String>> {
        &self.shared.things
    }

    /// Reads the certificate anew and shows it to whoever connects from now on; connections that are open go on.
    ///
    /// Clients that pinned another one refuse it until they pair anew.
    ///
    /// # Errors
    /// [`StartError`] where the file holds no certificate with its key; then the one before stays.
    pub fn reload(&self) -> Result<Fingerprint, StartError> {
        let identity = Identity::load_or_create(&self.identity)?;
        self.http.renew(&identity)?;
        self.shared.server.renew(&identity)?;
        tracing::info!(fingerprint = %identity.fingerprint(), "the certificate was read anew");
        Ok(identity.fingerprint())
    }

    /// Finishes what is decided, tells everybody, ends.
    pub async fn stop(mut self) {
        // Adapters first: devices are told nothing that nobody writes down.
        self.keepers.iter().for_each(JoinHandle::abort);
        self.shared.hub.clone().shutdown().await;
        self.http.stop().await;
        net::close(&self.shared).await;
    }
}

/// Where programs on this machine reach HTTP.
fn reached(http: &HttpServer) -> Option<vestibule_ucp::Endpoint> {
    let plain = http.plain().map(|address| format!("http://{}", net::control::from_here(address)));
    let tls = || http.tls().map(|address| format!("https://{}", net::control::from_here(address)));
    vestibule_ucp::Endpoint::new(&plain.or_else(tls)?).ok()
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.keepers.iter().for_each(JoinHandle::abort);
        self.serving.abort();
    }
}
