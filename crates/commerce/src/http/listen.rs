//! Sockets: how many at once, how long a head takes, TLS where there is a certificate.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// Connections at once: each may have one request, and platforms keep a few idle.
const CONNECTIONS: usize = 512;
/// A request's head takes no longer, and a connection is not silent for longer between two requests.
const HEAD: Duration = Duration::from_secs(15);
/// A TLS handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 32 * 1024;
/// Until the next try where no connection can be taken: no file is free.
const PAUSE: Duration = Duration::from_millis(50);
/// Requests that are being answered when the merchant stops have so long.
const FAREWELL: Duration = Duration::from_secs(2);

/// What all connections share.
#[derive(Clone)]
pub(crate) struct Listening {
    pub(crate) router: Router,
    pub(crate) tls: Option<TlsAcceptor>,
    /// Becomes true when the merchant stops.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Serves whoever connects until the merchant stops.
pub(crate) async fn serve(listener: TcpListener, listening: Listening) {
    let mut stop = listening.stop.clone();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                // Without a place the connection is dropped at once.
                Ok((stream, remote)) => if let Ok(place) = places.clone().try_acquire_owned() {
                    clients.spawn(talk(stream, remote, place, listening.clone()));
                },
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken");
                    sleep(PAUSE).await;
                }
            },
            Some(_) = clients.join_next() => {}
            () = stopped(&mut stop) => break,
        }
    }
    drop(listener);
    // Whoever is still being answered then is cut off.
    let all = async { while clients.join_next().await.is_some() {} };
    let _ = timeout(FAREWELL, all).await;
}

/// The merchant stops, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn talk(stream: TcpStream, remote: SocketAddr, _place: OwnedSemaphorePermit, listening: Listening) {
    // Small answers go at once; where that cannot be had they go a little later.
    let _ = stream.set_nodelay(true);
    let Some(tls) = listening.tls.clone() else { return speak(stream, listening).await };
    match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => speak(stream, listening).await,
        Ok(Err(error)) => tracing::debug!(%remote, %error, "no handshake"),
        Err(_) => tracing::debug!(%remote, "a handshake was too slow"),
    }
}

async fn speak<S>(stream: S, listening: Listening)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Listening { router, mut stop, .. } = listening;
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let service = TowerToHyperService::new(router);
    let mut talking = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // Broken connections are everyday life.
        _ = talking.as_mut() => return,
        () = stopped(&mut stop) => talking.as_mut().graceful_shutdown(),
    }
    let _ = talking.await;
}
