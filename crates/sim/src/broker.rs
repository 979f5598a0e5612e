//! The embedded broker: rumqttd on one port for MQTT 3.1.1 and MQTT 5, stoppable.
//!
//! rumqttd's own `Broker` listens on separate ports for the two versions and never returns, so its
//! `Server` is run here on a runtime of our own, behind the listener of `front`: dropping that runtime closes the listener and every
//! connection. What remains after a stop is the router's thread, parked on an empty channel: a few
//! tens of kilobytes for each start, until the process ends. Retained messages go with the router.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use bytes::BytesMut;
use rumqttd::protocol::v4::V4;
use rumqttd::protocol::v5::V5;
use rumqttd::protocol::{Error as WireError, Packet, Protocol};
use rumqttd::{ConnectionSettings, LinkType, Router, RouterConfig, Server, ServerSettings};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::error::SimError;
use crate::front::accept;

/// Largest packet a client may send, in bytes: a camera picture fits several times.
const MAX_PACKET: usize = 1024 * 1024;
/// Most clients at once.
const MAX_CLIENTS: usize = 256;
/// How often a free port is looked for before giving up.
const PORT_TRIES: usize = 16;

/// A broker on a thread of its own; dropping it stops it.
pub(crate) struct EmbeddedBroker {
    addr: SocketAddr,
    running: Option<Running>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl EmbeddedBroker {
    /// Starts it on `listen`; with port 0 on a free port.
    pub(crate) fn start(listen: SocketAddr) -> Result<EmbeddedBroker, SimError> {
        let (addr, running) = run(listen)?;
        Ok(EmbeddedBroker { addr, running: Some(running) })
    }

    /// Where it listens, or will listen again.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Starts it again on the same address; nothing where it runs. Blocks for milliseconds.
    pub(crate) fn resume(&mut self) -> Result<(), SimError> {
        if self.running.is_none() {
            self.running = Some(run(self.addr)?.1);
        }
        Ok(())
    }

    /// Closes the listener and every connection. Blocks for milliseconds.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.stop.send(());
            let _ = running.thread.join();
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts it with its front on `listen`, and says where that is.
fn run(listen: SocketAddr) -> Result<(SocketAddr, Running), SimError> {
    let refused = |reason: String| SimError::Listen { addr: listen, reason };
    let said = |error: io::Error| refused(error.to_string());
    let front = TcpListener::bind(listen).map_err(said)?;
    front.set_nonblocking(true).map_err(said)?;
    let addr = front.local_addr().map_err(said)?;
    let mut reason = String::new();
    for _ in 0..PORT_TRIES {
        let front = front.try_clone().map_err(said)?;
        match behind(front).map_err(said)? {
            Ok(running) => return Ok((addr, running)),
            // Somebody took rumqttd's port between our looking and its listening.
            Err(taken) => reason = taken,
        }
    }
    Err(refused(reason))
}

/// Starts rumqttd behind this front, on a free port of the loopback; says why it did not listen.
fn behind(front: TcpListener) -> io::Result<Result<Running, String>> {
    let inner = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let (bound, hears) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("sim-broker".to_owned())
        .spawn(move || serve(front, inner, stopped, &bound))?;
    let ended = || Err("the broker's thread ended".to_owned());
    let bound = hears.recv().unwrap_or_else(|_| ended());
    Ok(bound.map(|()| Running { stop, thread }))
}

type Bound = std::sync::mpsc::SyncSender<Result<(), String>>;

fn serve(front: TcpListener, inner: SocketAddr, stopped: oneshot::Receiver<()>, bound: &Bound) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = bound.send(Err(error.to_string()));
            return;
        }
    };
    let router = Router::new(0, router_settings()).spawn();
    let mut server = Server::new(server_settings(inner), router, AnyVersion::Unknown);
    runtime.block_on(async {
        let mut serving = std::pin::pin!(server.start(LinkType::Remote));
        // The server binds in its first poll: it has failed by the time we are polled, or listens.
        tokio::select! {
            biased;
            ended = &mut serving => {
                let reason = ended.err().map_or("ended".to_owned(), |error| error.to_string());
                let _ = bound.send(Err(reason));
                return;
            }
            () = tokio::task::yield_now() => {}
        }
        let front = match tokio::net::TcpListener::from_std(front) {
            Ok(front) => front,
            Err(error) => {
                let _ = bound.send(Err(error.to_string()));
                return;
            }
        };
        let _ = bound.send(Ok(()));
        tokio::select! {
            _ = &mut serving => {}
            () = accept(front, inner, MAX_CLIENTS) => {}
            _ = stopped => {}
        }
    });
}

fn router_settings() -> RouterConfig {
    RouterConfig {
        max_connections: MAX_CLIENTS,
        // Also how many retained messages a QoS 0 subscription gets: the rest would be dropped.
        max_outgoing_packet_count: 2_000,
        // Bytes kept per subscription filter for slow readers, twice over.
        max_segment_size: 4 * 1024 * 1024,
        max_segment_count: 2,
        custom_segment: None,
        initialized_filters: None,
        shared_subscriptions_strategy: rumqttd::Strategy::RoundRobin,
    }
}

fn server_settings(addr: SocketAddr) -> ServerSettings {
    ServerSettings {
        name: "sim".to_owned(),
        listen: addr,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: MAX_PACKET,
            max_inflight_count: 200,
            auth: None,
            external_auth: None,
            // Otherwise publishing what nobody subscribes to ends the connection.
            dynamic_filters: true,
        },
    }
}

/// A connection whose MQTT version its CONNECT packet decides, as brokers usually have it.
#[derive(Clone)]
enum AnyVersion {
    Unknown,
    Four(V4),
    Five(V5),
}

impl Protocol for AnyVersion {
    fn read_mut(&mut self, stream: &mut BytesMut, max_size: usize) -> Result<Packet, WireError> {
        match self {
            AnyVersion::Four(v4) => v4.read_mut(stream, max_size),
            AnyVersion::Five(v5) => v5.read_mut(stream, max_size),
            AnyVersion::Unknown => {
                *self = match level(stream)? {
                    5 => AnyVersion::Five(V5),
                    // Whatever is neither, the older protocol's reader refuses.
                    _ => AnyVersion::Four(V4),
                };
                self.read_mut(stream, max_size)
            }
        }
    }

    fn write(&self, packet: Packet, write: &mut BytesMut) -> Result<usize, WireError> {
        match self {
            AnyVersion::Five(v5) => v5.write(packet, write),
            AnyVersion::Four(_) | AnyVersion::Unknown => V4.write(packet, write),
        }
    }
}

/// The protocol level in a CONNECT packet: after a fixed header of 2 to 5 bytes and the name.
fn level(stream: &[u8]) -> Result<u8, WireError> {
    let length_bytes = stream.iter().skip(1).take(4).take_while(|byte| **byte & 0x80 != 0).count();
    let at = 1 + length_bytes + 1 + 2 + "MQTT".len();
    let missing = (at + 1).saturating_sub(stream.len());
    stream.get(at).copied().ok_or(WireError::InsufficientBytes(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_level_of_a_connect_packet() {
        let connect = b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00";
        assert_eq!(level(connect).unwrap(), 5);
        let long = b"\x10\x8d\x01\x00\x04MQTT\x04\x02";
        assert_eq!(level(long).unwrap(), 4);
        for short in 0..8 {
            let error = level(&connect[..short]).unwrap_err();
            assert!(matches!(error, WireError::InsufficientBytes(n) if n > 0));
        }
    }

    #[test]
    fn many_start_at_once_and_stop_and_start_again() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut brokers: Vec<_> = (0..20).map(|_| EmbeddedBroker::start(any).unwrap()).collect();
        for broker in &mut brokers {
            std::net::TcpStream::connect(broker.addr()).unwrap();
            broker.stop();
            assert!(std::net::TcpStream::connect(broker.addr()).is_err());
            broker.resume().unwrap();
            std::net::TcpStream::connect(broker.addr()).unwrap();
        }
        let taken = EmbeddedBroker::start(brokers[0].addr());
        assert!(matches!(taken, Err(SimError::Listen { .. })));
    }
}
