//! Where HTTP listens, and for how long.

use std::{io, net::SocketAddr, sync::Arc};

use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{AbortHandle, JoinSet},
};
use vestibule_quic::{Identity, QuicError};

use super::{
    Api, Things,
    gate::Gate,
    listen::{self, Listening},
    sessions,
};
use crate::{login::LoginDesk, net::Shared, ops::metrics};

/// Where HTTP listens; by default nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpConfig {
    /// Plain HTTP: for programs on this machine.
    pub plain: Option<SocketAddr>,
    /// HTTPS with the enabler's own certificate.
    pub tls: Option<SocketAddr>,
    /// Plain HTTP may be spoken to other machines, where everybody between can read it.
    pub insecure: bool,
}

/// Why HTTP is not served.
#[derive(Debug, Error)]
pub enum HttpError {
    /// Another program has the address.
    #[error("{0} is in use by another program: choose another port")]
    InUse(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// Tokens would be readable by everybody on the way.
    #[error("plain HTTP on {0} would show tokens to the network: use --https, or --http-insecure where you mean it")]
    Insecure(SocketAddr),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] QuicError),
}

/// HTTP while it is served. Dropped, it ends at once.
#[derive(Debug)]
pub(crate) struct HttpServer {
    plain: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// What looks for idle sessions and keeps metrics in shape.
    helpers: Vec<AbortHandle>,
    /// Shows the certificate.
    acceptor: Option<watch::Sender<Arc<rustls::ServerConfig>>>,
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), HttpError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => HttpError::InUse(address),
        _ => HttpError::Listen(address, error),
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

impl HttpServer {
    /// Listens as `config` says.
    pub(crate) async fn start(
        config: HttpConfig,
        identity: &Identity,
        shared: Arc<Shared>,
        login: Option<Arc<LoginDesk>>,
    ) -> Result<Self, HttpError> {
        let (stop, stopped) = watch::channel(false);
        let mut server =
            Self { plain: None, tls: None, stop, tasks: JoinSet::new(), helpers: Vec::new(), acceptor: None };
        if config.plain.is_none() && config.tls.is_none() {
            return Ok(server);
        }
        let api = Api::new(shared);
        server.helpers.push(server.tasks.spawn(sessions::sweep(Arc::downgrade(&api))));
        if let Some(recorder) = metrics::recorder() {
            server.helpers.push(server.tasks.spawn(metrics::upkeep(recorder)));
        }
        let (things, gate) = (Things::new(api.clone()), Gate::new());
        let router = super::router(things.clone(), api.clone(), login.clone());
        let listening = Listening { router, gate, tls: None, stop: stopped };
        if let Some(address) = config.plain {
            if !address.ip().is_loopback() && !config.insecure {
                return Err(HttpError::Insecure(address));
            }
            let (listener, address) = bind(address).await?;
            server.plain = Some(address);
            server.tasks.spawn(listen::serve(listener, listening.clone()));
        }
        if let Some(address) = config.tls {
            let (acceptor, tls) = watch::channel(vestibule_quic::https(identity)?);
            let (listener, address) = bind(address).await?;
            (server.tls, server.acceptor) = (Some(address), Some(acceptor));
            let router = super::router(things.secure(), api, login);
            server.tasks.spawn(listen::serve(listener, Listening { router, tls: Some(tls), ..listening }));
        }
        Ok(server)
    }

    /// Shows another certificate to whoever connects from now on.
    ///
    /// # Errors
    /// [`QuicError`] where it cannot be used; then the one before stays.
    pub(crate) fn renew(&self, identity: &Identity) -> Result<(), QuicError> {
        if let Some(acceptor) = &self.acceptor {
            acceptor.send_replace(vestibule_quic::https(identity)?);
        }
        Ok(())
    }

    /// Where plain HTTP listens.
    pub(crate) const fn plain(&self) -> Option<SocketAddr> {
        self.plain
    }

    /// Where HTTPS listens.
    pub(crate) const fn tls(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Lets requests be answered that are under way, and ends.
    pub(crate) async fn stop(&mut self) {
        self.stop.send_replace(true);
        self.helpers.drain(..).for_each(|helper| helper.abort());
        // Listeners cut off whoever takes too long.
        while self.tasks.join_next().await.is_some() {}
    }
}
