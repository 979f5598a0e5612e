//! Runs one device model as one MQTT 5 client: the only place where a model meets the network.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, LastWill, Packet};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::discovery::{Presence, documents};
use crate::hand::locked;
use crate::model::{Publish, Unit};

/// How often a model is stepped and listened to, in real time.
const TICK: Duration = Duration::from_millis(20);
/// Requests to the event loop that may wait; more than a device ever says at once.
const REQUESTS: usize = 256;
/// Incoming messages that may wait for the model.
const INCOMING: usize = 64;
/// First and longest wait before connecting again, in real time. The first is also how long a
/// device needs to boot, and long enough for a broker to notice that the old connection is gone.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How long a device takes to restart, in simulated milliseconds.
const RESTART_MS: f64 = 1_500.0;
/// Largest packet, in bytes, either way.
const MAX_PACKET: u32 = 1024 * 1024;
/// How long a goodbye may take, in real time.
const GOODBYE: Duration = Duration::from_millis(500);

/// Where and as whom the devices connect.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub host: String,
    pub port: u16,
    pub credentials: Option<(String, String)>,
    pub discovery_prefix: String,
}

enum FromBroker {
    Up,
    Message { topic: Bytes, payload: Bytes },
    Down(String),
}

struct Session {
    client: AsyncClient,
    events: mpsc::Receiver<FromBroker>,
    pump: JoinHandle<()>,
    up: bool,
}

impl Drop for Session {
    /// Closes the socket without a DISCONNECT, so that the will fires.
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// One device on the wire.
pub(crate) struct Runner {
    pub unit: Arc<Mutex<Unit>>,
    pub endpoint: Arc<Endpoint>,
    pub clock: Clock,
    pub counters: Arc<Counters>,
    id: Arc<str>,
    serial: Option<Arc<str>>,
    session: Option<Session>,
    retry_at: Instant,
    retry_in: Duration,
}

impl Runner {
    pub(crate) fn new(
        unit: Arc<Mutex<Unit>>,
        endpoint: Arc<Endpoint>,
        clock: Clock,
        counters: Arc<Counters>,
    ) -> Runner {
        let (id, serial) = {
            let unit = locked(&unit);
            (unit.id().clone(), unit.serial().cloned())
        };
        let (retry_at, retry_in) = (Instant::now(), RETRY.0);
        Runner { unit, endpoint, clock, counters, id, serial, session: None, retry_at, retry_in }
    }

    /// Runs until told to stop, or until whoever could tell is gone.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.changed() => break,
                _ = tick.tick() => self.tick(),
                event = next(&mut self.session) => self.hear(event),
            }
        }
        self.goodbye().await;
    }

    fn tick(&mut self) {
        let now_ms = self.clock.now_ms();
        let (powered, lost, restarts) = {
            let mut unit = locked(&self.unit);
            unit.step(now_ms);
            (unit.powered(), unit.take_power_loss(), unit.take_restart())
        };
        if lost {
            self.vanish(RETRY.0);
        } else if restarts {
            let boots = Duration::from_secs_f64(self.clock.real_ms(RESTART_MS) / 1000.0);
            self.vanish(boots.max(RETRY.0));
        }
        if !powered {
            return;
        }
        match &self.session {
            None if Instant::now() >= self.retry_at => self.connect(),
            Some(session) if session.up => self.report(),
            _ => {}
        }
    }

    /// The connection is gone, without a word to the broker.
    fn vanish(&mut self, back_in: Duration) {
        self.session = None;
        locked(&self.unit).set_connected(false);
        self.retry_at = Instant::now() + back_in;
    }

    fn connect(&mut self) {
        let endpoint = &self.endpoint;
        let name = format!("vestibule-sim-{}", self.id);
        let mut options = MqttOptions::new(name, endpoint.host.as_str(), endpoint.port);
        let gone = Presence::of(&self.id).publish(&self.id, false);
        let payload = gone.payload.to_vec();
        options.set_last_will(LastWill::new(gone.topic, payload, QoS::AtLeastOnce, true, None));
        options.set_keep_alive(Duration::from_secs(15));
        options.set_clean_start(true);
        options.set_max_packet_size(Some(MAX_PACKET));
        if let Some((user, password)) = &endpoint.credentials {
            options.set_credentials(user, password);
        }
        let (client, mut eventloop) = AsyncClient::new(options, REQUESTS);
        let mut network = eventloop.options.network_options();
        network.set_tcp_nodelay(true);
        eventloop.options.set_network_options(network);
        let (tell, events) = mpsc::channel(INCOMING);
        let pump = tokio::spawn(pump(eventloop, tell));
        self.session = Some(Session { client, events, pump, up: false });
    }

    fn hear(&mut self, event: FromBroker) {
        match event {
            FromBroker::Up => {
                self.retry_in = RETRY.0;
                locked(&self.unit).set_connected(true);
                if let Some(session) = &mut self.session {
                    session.up = true;
                }
                if self.introduce() {
                    self.report();
                }
            }
            FromBroker::Message { topic, payload } => self.obey(&topic, &payload),
            FromBroker::Down(reason) => {
                tracing::debug!(device = %self.id, reason, "connection lost");
                self.vanish(self.retry_in);
                self.retry_in = (self.retry_in * 2).min(RETRY.1);
            }
        }
    }

    fn obey(&mut self, topic: &[u8], payload: &[u8]) {
        let Ok(topic) = std::str::from_utf8(topic) else {
            return;
        };
        if topic == self.birth_topic() {
            if payload == b"online" {
                locked(&self.unit).forget();
                self.introduce();
            }
            return;
        }
        self.counters.commands.fetch_add(1, Ordering::Relaxed);
        locked(&self.unit).on_command(self.clock.now_ms(), topic, payload);
        // What a command changes at once is said at once.
        self.report();
    }

    fn birth_topic(&self) -> String {
        format!("{}/status", self.endpoint.discovery_prefix)
    }

    /// Subscribes, and says what the device is and that it is there.
    fn introduce(&mut self) -> bool {
        let Some(session) = &self.session else {
            return false;
        };
        let topics = locked(&self.unit).listens().into_iter().chain([self.birth_topic()]);
        let filters = topics.map(|topic| Filter::new(topic, QoS::AtLeastOnce));
        let mut said = documents(&self.endpoint.discovery_prefix, &self.id, self.serial.as_deref());
        said.push(Presence::of(&self.id).publish(&self.id, true));
        if session.client.try_subscribe_many(filters).is_err() {
            return false;
        }
        said.iter().all(|publish| self.say(publish))
    }

    fn report(&mut self) {
        let reports = locked(&self.unit).reports();
        let all_said = reports.iter().all(|publish| self.say(publish));
        if !all_said {
            // The event loop is behind: every state is said again at the next tick.
            locked(&self.unit).forget();
        }
    }

    /// False where the event loop takes no more.
    fn say(&self, publish: &Publish) -> bool {
        let Some(session) = &self.session else {
            return false;
        };
        let payload = publish.payload.clone();
        let topic = publish.topic.as_str();
        let sent = session.client.try_publish(topic, QoS::AtLeastOnce, publish.retain, payload);
        self.counters.count(publish, sent.is_ok());
        sent.is_ok()
    }

    /// Says offline, disconnects properly.
    async fn goodbye(&mut self) {
        locked(&self.unit).set_connected(false);
        if let Some(session) = &self.session {
            if !session.up {
                return;
            }
            self.say(&Presence::of(&self.id).publish(&self.id, false));
            let _ = session.client.try_disconnect();
        }
        if let Some(session) = &mut self.session {
            // The pump must not wait for us to hear what still comes in.
            session.events.close();
            let _ = tokio::time::timeout(GOODBYE, &mut session.pump).await;
        }
    }
}

/// The next event of a session; never where there is none.
async fn next(session: &mut Option<Session>) -> FromBroker {
    match session {
        None => std::future::pending().await,
        Some(session) => {
            let event = session.events.recv().await;
            event.unwrap_or_else(|| FromBroker::Down("the event loop ended".to_owned()))
        }
    }
}

/// Polls the event loop until the connection ends or a goodbye is on the wire.
async fn pump(mut eventloop: EventLoop, tell: mpsc::Sender<FromBroker>) {
    loop {
        let event = match eventloop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => FromBroker::Up,
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                FromBroker::Message { topic: publish.topic, payload: publish.payload }
            }
            Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return,
            Ok(_) => continue,
            Err(error) => {
                let _ = tell.send(FromBroker::Down(error.to_string())).await;
                return;
            }
        };
        // Once nobody listens, only what is still to be written matters.
        let _ = tell.send(event).await;
    }
}
