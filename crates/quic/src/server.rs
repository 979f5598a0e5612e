use std::{
    io,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use quinn::{
    ConnectionId, ConnectionIdGenerator, Endpoint, EndpointConfig, ServerConfig, TransportConfig, VarInt,
    crypto::{CryptoError, HmacKey},
};
use tokio::{
    sync::{Mutex, Semaphore, mpsc},
    time::timeout,
};

use crate::{
    CloseCode, Fingerprint, Identity, QuicError, ServerConnection, ServerLimits,
    connection::Farewell,
    dial::{DATAGRAM_BUFFER, idle},
    gate::{Gate, Place},
    tls,
    wire::close,
};

/// A handshake is three packets; whoever needs longer holds a place for nothing.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that wait to be accepted: taking one is quick, so few.
const ACCEPTED: usize = 64;
/// Requests of one client under way: a person's clicks, or a twin system's reports, ahead of a 100 ms network.
pub(crate) const STREAMS: u32 = 64;
/// Bytes that a client's stream may be ahead of us.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Bytes that all of a client's streams may be ahead of us.
const WINDOW: u32 = 1024 * 1024;
/// Bytes that we hold for a client until it acknowledges them: a slow reader costs so much and no more.
const SEND_WINDOW: u64 = 2 * 1024 * 1024;
/// Time for the reasons of closing to arrive.
const GOODBYE: Duration = Duration::from_secs(2);
/// What strangers are told whose place somebody else needs.
const CROWDED: &str = "there are too many connections, and this device is not known here yet: try again in a moment";
/// Bytes of a connection's id.
const CONNECTION_ID: usize = 8;

/// Signs stateless resets with a key that survives restarts, so that clients of a killed server learn at their next
/// packet that it has started anew, and not after the idle timeout.
struct ResetKey([u8; 32]);

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        blake3::Hasher::new_keyed(&self.0).update(data).finalize_xof().fill(signature_out);
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let expected = blake3::keyed_hash(&self.0, data);
        // Compared in constant time.
        if blake3::Hash::from_slice(signature).is_ok_and(|given| given == expected) { Ok(()) } else { Err(CryptoError) }
    }
}

/// Random ids, all of which are ours: packets to ids from before a restart are answered with a reset.
struct Ids;

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&rand::random::<[u8; CONNECTION_ID]>())
    }

    fn cid_len(&self) -> usize {
        CONNECTION_ID
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .send_window(SEND_WINDOW)
        .max_idle_timeout(Some(idle()))
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_BUFFER);
    transport
}

/// The fingerprint of the certificate that is shown at the moment.
#[derive(Clone, Debug)]
struct Own(Arc<RwLock<Fingerprint>>);

impl Own {
    fn new(fingerprint: Fingerprint) -> Self {
        Self(Arc::new(RwLock::new(fingerprint)))
    }

    fn get(&self) -> Fingerprint {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, fingerprint: Fingerprint) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fingerprint;
    }
}

fn config(identity: &Identity, limits: ServerLimits) -> Result<ServerConfig, QuicError> {
    let mut config = ServerConfig::with_crypto(tls::server(identity)?);
    config.transport_config(Arc::new(transport())).max_incoming(limits.handshakes);
    Ok(config)
}

/// The enabler's end of QUIC: listens, shakes hands, says who came.
#[derive(Debug)]
pub struct QuicServer {
    endpoint: Endpoint,
    fingerprint: Own,
    limits: ServerLimits,
    address: SocketAddr,
    gate: Arc<Gate>,
    farewell: Farewell,
    accepted: Mutex<mpsc::Receiver<ServerConnection>>,
}

impl QuicServer {
    /// Listens on `addr` (port 0: any). Call it inside a tokio runtime.
    ///
    /// # Errors
    /// [`QuicError`]: the port is taken, there is no such address, the identity cannot be used.
    pub fn bind(addr: SocketAddr, identity: &Identity, limits: ServerLimits) -> Result<Self, QuicError> {
        let config = config(identity, limits)?;
        let mut ours = EndpointConfig::new(Arc::new(ResetKey(identity.secret("vestibule 2026 quic stateless reset"))));
        ours.cid_generator(|| Box::new(Ids));
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => QuicError::InUse(addr),
            _ => QuicError::Socket { addr, source },
        };
        let socket = std::net::UdpSocket::bind(addr).map_err(failed)?;
        let runtime =
            quinn::default_runtime().ok_or_else(|| QuicError::Setup("no tokio runtime is running".to_owned()))?;
        let endpoint = Endpoint::new(ours, Some(config), socket, runtime).map_err(failed)?;
        let address = endpoint.local_addr().map_err(failed)?;
        let (gate, fingerprint) = (Gate::new(limits), Own::new(identity.fingerprint()));
        let (sender, accepted) = mpsc::channel(ACCEPTED);
        let farewell = Farewell::default();
        let door = Door { gate: gate.clone(), own: fingerprint.clone(), farewell: farewell.clone() };
        tokio::spawn(listen(endpoint.clone(), door, limits.handshakes, sender));
        Ok(Self { endpoint, fingerprint, limits, address, gate, farewell, accepted: Mutex::new(accepted) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients know it by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint.get()
    }

    /// Shows another certificate to whoever connects from now on; connections that are open go on.
    ///
    /// # Errors
    /// [`QuicError`] where the identity cannot be used; then the one before stays.
    pub fn renew(&self, identity: &Identity) -> Result<(), QuicError> {
        self.endpoint.set_server_config(Some(config(identity, self.limits)?));
        self.fingerprint.set(identity.fingerprint());
        Ok(())
    }

    /// Connections now, handshakes included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.gate.open()
    }

    /// The next client that has proved to own its certificate; `None` after [`close`](Self::close).
    pub async fn accept(&self) -> Option<ServerConnection> {
        self.accepted.lock().await.recv().await
    }

    /// Ends all connections with words for people, takes no more, and waits until they have been told.
    pub async fn close(&self, code: CloseCode, words: &str) {
        // Fails where it was closed before, whose words count.
        let _ = self.farewell.set((code, words.to_owned()));
        self.endpoint.close(code.var(), words.as_bytes());
        // Whoever does not answer learns it from silence.
        let _ = timeout(GOODBYE, self.endpoint.wait_idle()).await;
    }
}

impl Drop for QuicServer {
    fn drop(&mut self) {
        self.endpoint.close(CloseCode::ShuttingDown.var(), b"the enabler ended");
    }
}

/// What every connection gets from its server.
#[derive(Clone)]
struct Door {
    gate: Arc<Gate>,
    own: Own,
    farewell: Farewell,
}

async fn listen(endpoint: Endpoint, door: Door, handshakes: usize, accepted: mpsc::Sender<ServerConnection>) {
    let places = Arc::new(Semaphore::new(handshakes));
    while let Some(incoming) = endpoint.accept().await {
        let address = incoming.remote_address();
        if !incoming.remote_address_validated() && places.available_permits() * 2 < handshakes {
            // Fails only where it cannot be retried, which is where it was validated.
            let _ = incoming.retry();
            continue;
        }
        let (Some(place), Ok(handshake)) =
            (door.gate.enter(address.ip(), Instant::now()), places.clone().try_acquire_owned())
        else {
            tracing::debug!(%address, "refused: too many connections or handshakes");
            incoming.refuse();
            continue;
        };
        let (accepted, door) = (accepted.clone(), door.clone());
        tokio::spawn(async move {
            match shake(incoming, door, place).await {
                // Closed when nobody accepts any more.
                Ok(connection) => drop(accepted.send(connection).await),
                Err(reason) => tracing::debug!(%address, %reason, "no handshake"),
            }
            drop(handshake);
        });
    }
}

async fn shake(incoming: quinn::Incoming, door: Door, place: Place) -> Result<ServerConnection, String> {
    let connecting = incoming.accept().map_err(|error| error.to_string())?;
    let leave = place.leave();
    let connection = tokio::select! {
        shaken = timeout(HANDSHAKE, connecting) => {
            shaken.map_err(|_| "too slow".to_owned())?.map_err(|error| error.to_string())?
        }
        () = leave.notified() => return Err("its place was needed".to_owned()),
    };
    let Some(fingerprint) = tls::peer(&connection) else {
        return Err("no certificate".to_owned());
    };
    let own = door.own.get();
    if fingerprint == own {
        place.admit();
    }
    let watched = connection.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = leave.notified() => close(&watched, CloseCode::Overloaded, CROWDED),
            _ = watched.closed() => {}
        }
    });
    Ok(ServerConnection::new(connection, fingerprint, own, door.farewell, place))
}
