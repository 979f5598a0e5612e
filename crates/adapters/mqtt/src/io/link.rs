//! One connection after the other, each with nothing left of the one before.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng as _;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{LastWill, Packet, PubAckReason, PubRecReason, Publish};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{NetworkOptions, Outgoing, TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::mpsc;

use super::words;
use crate::config::MqttConfig;
use crate::limits::MAX_PACKET;

/// What the connection says.
pub(super) enum Link {
    /// There is one, with this client.
    Up(AsyncClient),
    /// There is none: why, and when the next is tried.
    Down {
        reason: String,
        retry: Duration,
    },
    Message(Publish),
    /// The next of the client's messages has this packet id (0: it is never acknowledged).
    Sent(u16),
    Acknowledged(u16, Result<(), String>),
}

/// Requests that the client holds: more than are ever on the way at once, and some subscriptions.
const REQUESTS: usize = 256;
/// Packet ids: as far as acknowledgements may come out of order.
const INFLIGHT: u16 = 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const CONNECT_S: u64 = 8;
/// Milliseconds before the second try, and at most.
const BACKOFF: (u64, u64) = (500, 30_000);

/// Connects for ever; ends when nobody listens.
pub(super) async fn drive(config: MqttConfig, events: mpsc::Sender<Link>) {
    let client_id =
        config.client_id.clone().unwrap_or_else(|| format!("vestibule-{:08x}", rand::rng().random::<u32>()));
    let mut backoff = BACKOFF.0;
    loop {
        // A new event loop each time: rumqttc would send again what was not acknowledged, however late.
        let reason = match options(&config, &client_id) {
            Ok(options) => {
                let (client, event_loop) = AsyncClient::new(options, REQUESTS);
                match connection(client, event_loop, &events, &mut backoff).await {
                    Ok(error) => words::of(&error, &config),
                    Err(Closed) => return,
                }
            }
            Err(reason) => reason,
        };
        let retry = Duration::from_millis(rand::rng().random_range(backoff / 2..=backoff));
        backoff = (backoff * 2).min(BACKOFF.1);
        if events.send(Link::Down { reason, retry }).await.is_err() {
            return;
        }
        tokio::time::sleep(retry).await;
    }
}

/// Nobody listens any more.
struct Closed;

async fn connection(
    client: AsyncClient,
    mut event_loop: EventLoop,
    events: &mpsc::Sender<Link>,
    backoff: &mut u64,
) -> Result<ConnectionError, Closed> {
    let mut client = Some(client);
    loop {
        let event = match event_loop.poll().await {
            Ok(event) => event,
            Err(error) => return Ok(error),
        };
        let event = match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                *backoff = BACKOFF.0;
                client.take().map(Link::Up)
            }
            Event::Incoming(Packet::Publish(publish)) => Some(Link::Message(publish)),
            Event::Incoming(Packet::PubAck(ack)) => Some(Link::Acknowledged(
                ack.pkid,
                match ack.reason {
                    PubAckReason::Success => Ok(()),
                    PubAckReason::NoMatchingSubscribers => Err(words::NOBODY.to_owned()),
                    reason => Err(format!("the broker refused the command: {reason:?}")),
                },
            )),
            Event::Incoming(Packet::PubRec(ack)) => Some(Link::Acknowledged(
                ack.pkid,
                match ack.reason {
                    PubRecReason::Success => Ok(()),
                    PubRecReason::NoMatchingSubscribers => Err(words::NOBODY.to_owned()),
                    reason => Err(format!("the broker refused the command: {reason:?}")),
                },
            )),
            Event::Outgoing(Outgoing::Publish(id)) => Some(Link::Sent(id)),
            _ => None,
        };
        if let Some(event) = event {
            events.send(event).await.map_err(|_| Closed)?;
        }
    }
}

/// Where we say whether we are there. Not Home Assistant's `<prefix>/status`: a real one may be there, and stay.
pub(super) fn status_topic(config: &MqttConfig) -> String {
    format!("vestibule/{}/status", config.system)
}

fn options(config: &MqttConfig, client_id: &str) -> Result<MqttOptions, String> {
    let mut options = MqttOptions::new(client_id, config.bare_host(), config.port);
    options.set_keep_alive(KEEP_ALIVE);
    options.set_clean_start(true);
    options.set_connection_timeout(CONNECT_S);
    options.set_max_packet_size(Some(MAX_PACKET));
    options.set_outgoing_inflight_upper_limit(INFLIGHT);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_S);
    options.set_network_options(network);
    if let Some(username) = &config.username {
        options.set_credentials(username, config.password.clone().unwrap_or_default());
    }
    options.set_last_will(LastWill::new(status_topic(config), "offline", QoS::AtMostOnce, true, None));
    if config.tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls(config)?))));
    }
    Ok(options)
}

fn tls(config: &MqttConfig) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &config.ca {
        Some(file) => {
            let shown = file.display();
            let pem = std::fs::read(file).map_err(|error| format!("the CA file {shown} cannot be read: {error}"))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| format!("the CA file {shown} is no PEM: {error:?}"))?;
                roots
                    .add(certificate)
                    .map_err(|error| format!("the CA file {shown} has a bad certificate: {error}"))?;
            }
            if roots.is_empty() {
                return Err(format!("the CA file {shown} has no certificate"));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("this machine trusts no certificate authority: name one with `ca=`".to_owned());
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("TLS cannot be set up: {error}"))?;
    let builder = builder.with_root_certificates(roots);
    let Some((certificate, key)) = &config.certificate else { return Ok(builder.with_no_client_auth()) };
    let chain = pem(certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| format!("the certificate {} is no PEM: {error:?}", certificate.display()))?;
    let private = PrivateKeyDer::from_pem_slice(&pem(key)?)
        .map_err(|error| format!("the key {} is no PEM: {error:?}", key.display()))?;
    builder
        .with_client_auth_cert(chain, private)
        .map_err(|error| format!("the certificate {} cannot be used: {error}", certificate.display()))
}

fn pem(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}
