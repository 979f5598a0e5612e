use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use quinn::{Connection, Endpoint, IdleTimeout, TransportConfig, VarInt};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    Disconnect, Fingerprint, Identity, QuicError,
    error::{nobody, words},
    tls,
    wire::{CONTROL, FrameError, frame_length, read_array, read_body, within, write_frame},
};

/// For a name and for a handshake each: longer than the worst network, shorter than patience.
const CONNECT: Duration = Duration::from_secs(5);
/// Before the next address of a name is tried as well.
const STAGGER: Duration = Duration::from_millis(200);
/// Addresses of a name that are tried.
const ADDRESSES: usize = 4;
/// Silence that ends a connection. Both sides say the same, so both know after it.
pub(crate) const IDLE: Duration = Duration::from_secs(10);
/// Signs of life from the client: four may be lost.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
/// Bytes that a stream may be ahead of its reader: 100 MB/s at 10 ms.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// Bytes that a connection may be ahead of its readers.
const WINDOW: u32 = 4 * 1024 * 1024;
/// Streams that the server may have open: one of events, content for each concurrent fetch, and air for those ending.
const SERVER_STREAMS: u32 = 16;
/// Bytes of datagrams that wait: a few frames' worth of hot state; older ones are worth nothing.
pub(crate) const DATAGRAM_BUFFER: usize = 64 * 1024;
/// An answer may take so long before its first byte.
const ANSWER: Duration = Duration::from_secs(30);

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(SERVER_STREAMS))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .max_idle_timeout(Some(idle()))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_BUFFER);
    transport
}

pub(crate) fn idle() -> IdleTimeout {
    // 10 000 ms fits QUIC's 62 bits.
    IdleTimeout::from(VarInt::from_u32(IDLE.as_millis() as u32))
}

/// A bare connection to `target` (`host:port`), for tools and tests that speak by hand; [`QuicLink`](crate::QuicLink)
/// is for everyone else. Without a `server` fingerprint anyone may be at the other end.
///
/// # Errors
/// [`Disconnect`] in words for people.
pub async fn dial(target: &str, identity: &Identity, server: Option<Fingerprint>) -> Result<Connection, Disconnect> {
    let addresses: Vec<SocketAddr> = match timeout(CONNECT, tokio::net::lookup_host(target)).await {
        Ok(Ok(found)) => found.take(ADDRESSES).collect(),
        Ok(Err(error)) => return Err(Disconnect::again(format!("{target} is no address that can be found: {error}"))),
        Err(_) => {
            return Err(Disconnect::again(format!(
                "the address of {target} cannot be found: the name service is silent"
            )));
        }
    };
    let mut attempts = JoinSet::new();
    for (position, address) in (0u32..).zip(addresses) {
        let (identity, target) = (identity.clone(), target.to_owned());
        attempts.spawn(async move {
            tokio::time::sleep(STAGGER * position).await;
            dial_address(address, &target, &identity, server).await
        });
    }
    let mut failure = nobody(target);
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(connection)) => return Ok(connection),
            // That somebody else is there says more than that nobody is elsewhere.
            Ok(Err(error)) if failure.retry => failure = error,
            Ok(Err(_)) | Err(_) => {}
        }
    }
    Err(failure)
}

async fn dial_address(
    address: SocketAddr,
    target: &str,
    identity: &Identity,
    server: Option<Fingerprint>,
) -> Result<Connection, Disconnect> {
    let (crypto, verifier) = tls::client(identity, server).map_err(|error| Disconnect::never(error.to_string()))?;
    let mut config = quinn::ClientConfig::new(crypto);
    config.transport_config(Arc::new(transport()));
    let local: SocketAddr =
        if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let endpoint = Endpoint::client(local)
        .map_err(|error| Disconnect::again(format!("no network socket can be opened: {error}")))?;
    let connecting = endpoint
        .connect_with(config, address, tls::SERVER_NAME)
        .map_err(|error| Disconnect::never(format!("{target} cannot be connected to: {error}")))?;
    match timeout(CONNECT, connecting).await {
        Err(_) => Err(nobody(target)),
        Ok(Err(_)) if verifier.mismatch.load(Ordering::Acquire) => Err(Disconnect::never(format!(
            "{target} is not the enabler that you paired with: its certificate is another one. If it was set up anew, \
             forget it and pair again; if not, somebody may be in between"
        ))),
        Ok(Err(error)) => Err(words(&error, target, false)),
        Ok(Ok(connection)) => Ok(connection),
    }
}

/// Asks on a stream of its own and waits for the answer.
pub(crate) async fn ask(
    (mut send, mut recv): (quinn::SendStream, quinn::RecvStream),
    kind: u8,
    frame: &[u8],
    limit: usize,
) -> Result<Vec<u8>, FrameError> {
    send.write_all(&[kind]).await.map_err(|error| FrameError::Lost(error.to_string()))?;
    write_frame(&mut send, frame).await?;
    // Fails only where the other side has stopped the stream; reading says why.
    let _ = send.finish();
    let mut first = [0; 1];
    match within(ANSWER, recv.read_exact(&mut first)).await? {
        Ok(()) => {}
        Err(quinn::ReadExactError::FinishedEarly(_)) => return Err(FrameError::Truncated),
        Err(quinn::ReadExactError::ReadError(error)) => return Err(FrameError::Lost(error.to_string())),
    }
    let [b, c, d] = read_array(&mut recv).await?;
    let length = frame_length([first[0], b, c, d], limit)?;
    read_body(&mut recv, length).await
}

/// Asks a running enabler on this machine as its own program: `identity` is the enabler's own.
///
/// # Errors
/// [`QuicError`] where nobody answers, or another enabler does.
pub async fn control(target: &str, identity: &Identity, question: &[u8]) -> Result<Vec<u8>, QuicError> {
    let connection = dial(target, identity, Some(identity.fingerprint())).await.map_err(QuicError::Connect)?;
    let streams = within(CONNECT, connection.open_bi()).await?.map_err(|error| FrameError::Lost(error.to_string()))?;
    let answer = ask(streams, CONTROL, question, vestibule_protocol::MAX_FRAME).await?;
    crate::wire::close(&connection, crate::CloseCode::Bye, "thank you");
    Ok(answer)
}
