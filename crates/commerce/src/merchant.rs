use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use thiserror::Error;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};
use tokio_rustls::TlsAcceptor;
use vestibule_model::Cell;
use vestibule_ucp::Endpoint;

use crate::{
    Clock,
    app::{App, Begin},
    gate::{self, Profiles, is_here},
    hooks, http, life,
    maker::Maker,
    profile,
    rules::book::Book,
    sii::{self, EnablerConfig, Introduction},
    slicer::Slicer,
    store::{OpenError, Store, shelf},
};

/// What a merchant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sells what is in its catalogue.
    Shop,
    /// Makes what others designed.
    Manufacturer,
    /// Brings groceries, some of them weighed.
    Supplier,
}

impl Role {
    /// As the command line names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Manufacturer => "manufacturer",
            Self::Supplier => "supplier",
        }
    }

    const fn book(self) -> &'static str {
        match self {
            Self::Shop => include_str!("../catalogue/shop.toml"),
            Self::Manufacturer => include_str!("../catalogue/workshop.toml"),
            Self::Supplier => include_str!("../catalogue/groceries.toml"),
        }
    }
}

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, and those above it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How a merchant is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it is.
    pub role: Role,
    /// Its folder; made where it is missing.
    pub data: PathBuf,
    /// Where it listens; port 0: any that is free. Without TLS only on this machine.
    pub listen: SocketAddr,
    /// Speaks TLS with this.
    pub tls: Option<Tls>,
    /// Where others reach it, where that is not where it listens: `https://shop.example.com`.
    pub url: Option<String>,
    /// A catalogue of one's own, as TOML, in place of the one that comes along.
    pub catalogue: Option<PathBuf>,
    /// How many times faster than the real one the clock of its makers and carriers goes.
    pub speed: u32,
    /// What chance is thrown from.
    pub seed: u64,
    /// Thumbprints (RFC 7638) of the platforms that are let in; nothing: every platform is.
    pub platform_keys: Vec<String>,
    /// Lets whoever knows it change prices and stocks, for tests of platforms.
    pub simulation_secret: Option<String>,
    /// The enabler that it is a third-party system of.
    pub enabler: Option<EnablerConfig>,
    /// A file that says so in its place ([`EnablerConfig`] as JSON), looked at until it is there: for whoever starts both
    /// and learns only later where the enabler is.
    pub introduction: Option<PathBuf>,
    /// When it is open, as in its catalogue's place: `Mo-Sa 08:00-20:00`.
    pub hours: Option<String>,
    /// Where it is, as exact as it shall be told, in its catalogue's place.
    pub place: Option<Cell>,
    /// PrusaSlicer, for a manufacturer: times and weights are its own, and ours where it takes a design not.
    pub slicer: Option<PathBuf>,
    /// The time of day.
    pub clock: Clock,
}

impl Config {
    /// A merchant on this machine, on a port that is free, as fast as the world.
    #[must_use]
    pub fn new(role: Role, data: impl Into<PathBuf>) -> Self {
        Self {
            role,
            data: data.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            url: None,
            catalogue: None,
            speed: 1,
            seed: 0,
            platform_keys: Vec::new(),
            simulation_secret: None,
            enabler: None,
            introduction: None,
            hours: None,
            place: None,
            slicer: None,
            clock: Clock::default(),
        }
    }
}

/// Why a merchant does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The folder cannot be used.
    #[error("the folder {}: {why}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file that was named cannot be used.
    #[error("{}: {why}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why not.
        why: String,
    },
    /// Nobody can listen there.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// Others could read along.
    #[error("{0} can be reached from elsewhere: this needs --certificate and --key")]
    NeedsTls(SocketAddr),
    /// The address that others reach it by.
    #[error("{0}")]
    Address(String),
}

/// A merchant that runs. Dropping it leaves it running until the process ends; [`Running::stop`] ends it in order.
#[derive(Debug)]
pub struct Running {
    base: String,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where others reach it: its profile is at `/.well-known/ucp` below.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Answers what was asked, takes no more, and ends. What is due happens when it starts again.
    pub async fn stop(self) {
        /// Whoever is not done then is cut off: everything that was answered is durable.
        const FAREWELL: Duration = Duration::from_secs(10);
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = timeout(FAREWELL, task).await;
        }
    }
}

fn in_folder(folder: &Path) -> impl Fn(&dyn fmt::Display) -> StartError + '_ {
    move |why| StartError::Folder { folder: folder.to_owned(), why: why.to_string() }
}

/// Starts a merchant.
///
/// # Errors
/// [`StartError`], for people.
pub async fn start(config: Config) -> Result<Running, StartError> {
    start_app(config).await.map(|(running, _)| running)
}

pub(crate) async fn start_app(config: Config) -> Result<(Running, Arc<App>), StartError> {
    let folder = config.data.clone();
    let unusable = in_folder(&folder);
    if !config.listen.ip().is_loopback() && config.tls.is_none() {
        return Err(StartError::NeedsTls(config.listen));
    }
    let book = book(&config)?;
    let tls = config.tls.as_ref().map(acceptor).transpose()?;
    std::fs::create_dir_all(&folder).map_err(|error| unusable(&error))?;
    let (store, writer) = Store::open(&folder).await.map_err(|error: OpenError| unusable(&error))?;
    let filled = book.clone();
    let filled = store.write(move |connection| Box::pin(async move { shelf::fill(connection, &filled).await }));
    filled.await.map_err(|error| unusable(&error))?;
    let key = profile::key(&folder).map_err(|error| unusable(&error))?;
    let address = config.listen;
    let unheard = |error| StartError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    let base = base(&config, address)?;
    let wrong = |error: &dyn fmt::Display| StartError::Address(error.to_string());
    let profile_url = profile::address(&base).map_err(|error| wrong(&error))?;
    let profile = profile::profile(config.role, &base, &key).map_err(|error| wrong(&error))?;
    let client = gate::client().map_err(|error| wrong(&error))?;
    // Behind a proxy it listens on this machine as well, and anybody can ask it.
    let is_local = address.ip().is_loopback() && is_here(profile_url.host());
    let profiles = Profiles::new(client.clone(), is_local);
    let slicer = config.slicer.clone().map(Slicer::new);
    let maker = book.maker.map(|_| Maker::new(&folder.join("designs"), &book, slicer)).transpose();
    let maker = maker.map_err(|error| unusable(&error))?;
    let begin = Begin { book, base: base.clone(), profile_url, profile, key, store, profiles, maker };
    let app = Arc::new(App::new(begin, &config));
    let (stop, stopped) = watch::channel(false);
    let listening = http::Listening { router: http::router(app.clone()), tls, stop: stopped.clone() };
    let mut tasks = vec![
        tokio::spawn(http::serve(listener, listening)),
        tokio::spawn(life::live(app.clone(), stopped.clone())),
        tokio::spawn(hooks::tell(app.clone(), client, stopped.clone())),
    ];
    let introduced = config.enabler.map(Introduction::At).or(config.introduction.map(Introduction::File));
    if let Some(by) = introduced {
        tasks.push(tokio::spawn(sii::join(app.clone(), config.role, by, stopped)));
    }
    // Ends with the last of the others.
    tasks.push(writer);
    Ok((Running { base, address, stop, tasks }, app))
}

fn book(config: &Config) -> Result<Book, StartError> {
    let mut book = catalogue(config)?;
    if let Some(hours) = &config.hours {
        book.hours.clone_from(hours);
    }
    book.place = config.place.or(book.place);
    Ok(book)
}

fn catalogue(config: &Config) -> Result<Book, StartError> {
    let Some(file) = &config.catalogue else {
        return Book::read(config.role.book()).map_err(|error| StartError::Address(error.to_string()));
    };
    let why = |why: String| StartError::File { file: file.clone(), why };
    let text = std::fs::read_to_string(file).map_err(|error| why(error.to_string()))?;
    Book::read(&text).map_err(|error| why(error.to_string()))
}

/// Where others reach it.
fn base(config: &Config, address: SocketAddr) -> Result<String, StartError> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let told = config.url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    let base = Endpoint::new(&told).map_err(|error| StartError::Address(format!("{told}: {error}")))?;
    Ok(base.as_str().trim_end_matches('/').to_owned())
}

fn acceptor(tls: &Tls) -> Result<TlsAcceptor, StartError> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let wrong = |file: &Path, why: &dyn fmt::Display| StartError::File { file: file.to_owned(), why: why.to_string() };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(&tls.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| wrong(&tls.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong(&tls.certificate, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
