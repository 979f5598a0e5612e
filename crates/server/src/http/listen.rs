//! Sockets: places at the gate, time limits for headers, TLS with the enabler's own certificate.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tower_service::Service;
use vestibule_enabler_core::Fingerprint;

use super::{
    gate::{Gate, Place},
    sessions::Held,
};
use crate::ops::metrics;

/// A request's head takes no longer, and a connection is not silent for longer between two requests.
const HEAD: Duration = Duration::from_secs(15);
/// A TLS handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 32 * 1024;
/// Requests at once on one connection of HTTP/2.
const STREAMS: u32 = 32;
/// Until the next try where no connection can be taken: no file is free.
const PAUSE: Duration = Duration::from_millis(50);
/// Requests that are being answered when the enabler stops have so long.
const FAREWELL: Duration = Duration::from_secs(2);

/// The connection that a request came on.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    place: Arc<Place>,
    /// The client's certificate, where it showed one.
    pub(crate) certificate: Option<Fingerprint>,
}

impl Connection {
    /// A request on it has shown who asks.
    pub(crate) fn admit(&self, held: &Arc<Held>) {
        let held = Arc::downgrade(held);
        self.place.admit(move || held.upgrade().is_some_and(|held| !held.has_ended()));
    }
}

/// Adds its connection to each request.
#[derive(Clone)]
struct With {
    router: Router,
    connection: Connection,
}

impl<B> Service<axum::http::Request<B>> for With
where
    B: HttpBody<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = <Router as Service<Request>>::Future;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        // HTTP/2 has the host in the address.
        if !request.headers().contains_key(header::HOST)
            && let Some(host) = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok())
        {
            request.headers_mut().insert(header::HOST, host);
        }
        request.extensions_mut().insert(self.connection.clone());
        self.router.call(request)
    }
}

/// What all connections of a listener share.
#[derive(Clone)]
pub(crate) struct Listening {
    pub(crate) router: Router,
    pub(crate) gate: Arc<Gate>,
    pub(crate) tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    /// Becomes true when the enabler stops.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Serves whoever connects until the enabler stops.
pub(crate) async fn serve(listener: TcpListener, mut listening: Listening) {
    // As many as the gate lets in.
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, remote)) => {
                    // Without a place the connection is dropped at once.
                    if let Some(place) = listening.gate.enter(remote.ip()) {
                        clients.spawn(client(stream, remote, Arc::new(place), listening.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken");
                    sleep(PAUSE).await;
                }
            },
            Some(_) = clients.join_next() => {}
            _ = listening.stop.changed() => break,
        }
    }
    drop(listener);
    // Whoever is still being answered then is cut off.
    let all = async { while clients.join_next().await.is_some() {} };
    let _ = timeout(FAREWELL, all).await;
}

async fn client(stream: TcpStream, remote: SocketAddr, place: Arc<Place>, listening: Listening) {
    let taken = place.clone();
    tokio::select! {
        () = taken.given_away() => tracing::debug!(%remote, "a stranger's place was needed"),
        () = talk(stream, remote, place, listening) => {}
    }
}

async fn talk(stream: TcpStream, remote: SocketAddr, place: Arc<Place>, listening: Listening) {
    // Small answers go at once; where that cannot be had they go a little later.
    let _ = stream.set_nodelay(true);
    let Some(tls) = listening.tls.as_ref().map(|tls| TlsAcceptor::from(tls.borrow().clone())) else {
        let _counted = metrics::Connected::over("http");
        let connection = Connection { place, certificate: None };
        return speak(stream, false, connection, listening).await;
    };
    let _counted = metrics::Connected::over("https");
    match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            let certificate = session.peer_certificates().and_then(|chain| chain.first());
            let certificate = certificate.map(|der| Fingerprint(vestibule_quic::Fingerprint::of(der).0));
            let is_h2 = session.alpn_protocol() == Some(b"h2");
            speak(stream, is_h2, Connection { place, certificate }, listening).await;
        }
        Ok(Err(error)) => tracing::debug!(%remote, %error, "no handshake"),
        Err(_) => tracing::debug!(%remote, "a handshake was too slow"),
    }
}

async fn speak<S>(stream: S, is_h2: bool, connection: Connection, listening: Listening)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Listening { router, mut stop, .. } = listening;
    let mut builder = Builder::new(TokioExecutor::new());
    // Which version is known: nobody can hold a place with a version that they never tell.
    builder = if is_h2 { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .keep_alive_timeout(HEAD)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES as u32);
    let service = TowerToHyperService::new(With { router, connection });
    let mut talking = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // Broken connections are everyday life.
        _ = talking.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => talking.as_mut().graceful_shutdown(),
    }
    let _ = talking.await;
}
