//! The adapter at work: a broker on one side, an enabler on the other, a [`Registry`] between.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Publish as Packet, PublishProperties};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use vestibule_model::Timestamp;
use vestibule_protocol::{DiiDown, DiiUp};

use crate::config::MqttConfig;
use crate::registry::{Output, Registry, Send, Ticket};
use crate::status::{AdapterState, AdapterStatus};

mod link;
mod words;

use link::Link;

/// Events between the connection and the registry: a burst of retained messages; more waits in the socket.
const LINK_QUEUE: usize = 256;
/// Messages for the enabler that may wait before the broker has to wait: a burst of some hundred devices.
const UP_MOST: usize = 4096;
/// Bytes of pictures among them.
const UP_MOST_BYTES: usize = 32 * 1024 * 1024;
/// Filters in one SUBSCRIBE packet.
const FILTERS: usize = 64;
/// Notes kept for the screen.
const NOTES: usize = 32;

/// The home's twin system, running.
///
/// Dropping it ends it.
#[derive(Debug)]
pub struct MqttTwinSystem {
    status: watch::Receiver<AdapterStatus>,
    task: JoinHandle<()>,
}

impl MqttTwinSystem {
    /// Starts it on the current tokio runtime. It registers on `up` at once, and ends when `up` or `down` closes.
    ///
    /// A broker that is away, refuses or cannot be trusted is no error here: [`status`](Self::status) says so, and it
    /// is tried again.
    #[must_use]
    pub fn spawn(config: MqttConfig, up: mpsc::Sender<DiiUp>, down: mpsc::Receiver<DiiDown>) -> Self {
        let (tell, status) = watch::channel(AdapterStatus { broker: config.broker(), ..AdapterStatus::default() });
        let (events, link) = mpsc::channel(LINK_QUEUE);
        let registry = Registry::new(config.registry());
        let driver = tokio::spawn(link::drive(config.clone(), events));
        let work = Work {
            config,
            registry,
            tell,
            up,
            link,
            client: None,
            filters: VecDeque::new(),
            pending: VecDeque::new(),
            pending_bytes: 0,
            order: VecDeque::new(),
            inflight: Vec::new(),
            greeted: false,
            heartbeat: Instant::now(),
        };
        let task = tokio::spawn(async move {
            let _driver = Abort(driver);
            work.run(down).await;
        });
        Self { status, task }
    }

    /// How it stands with its broker, for a screen.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<AdapterStatus> {
        self.status.clone()
    }
}

impl Drop for MqttTwinSystem {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends a task with itself.
struct Abort(JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A filter that is to be listened to, or no longer.
enum Want {
    Listen(String),
    Leave(String),
}

struct Work {
    config: MqttConfig,
    registry: Registry,
    tell: watch::Sender<AdapterStatus>,
    up: mpsc::Sender<DiiUp>,
    link: mpsc::Receiver<Link>,
    client: Option<AsyncClient>,
    filters: VecDeque<Want>,
    pending: VecDeque<DiiUp>,
    pending_bytes: usize,
    /// Messages given to the client, in the order that packet ids will be told in; `None`: our own.
    order: VecDeque<Option<Ticket>>,
    /// Packet ids on the way.
    inflight: Vec<(u16, Ticket)>,
    /// Whether we have said on this connection that we are there.
    greeted: bool,
    heartbeat: Instant,
}

/// The clock, read once an event.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Work {
    async fn run(mut self, mut down: mpsc::Receiver<DiiDown>) {
        self.push(DiiUp::Register(self.registry.info()));
        let period = Duration::from_millis(self.registry.info().heartbeat_ms / 3);
        let up = self.up.clone();
        loop {
            let wake = self.wake(period);
            let crowded = self.pending.len() >= UP_MOST || self.pending_bytes >= UP_MOST_BYTES;
            tokio::select! {
                permit = up.reserve(), if !self.pending.is_empty() => {
                    let Ok(permit) = permit else { break };
                    if let Some(message) = self.pending.pop_front() {
                        self.pending_bytes -= weight(&message);
                        permit.send(message);
                    }
                }
                message = down.recv() => {
                    let Some(message) = message else { break };
                    self.on_down(&message);
                }
                event = self.link.recv(), if !crowded => {
                    let Some(event) = event else { break };
                    self.on_link(event);
                }
                () = sleep_until(wake) => {
                    let outputs = self.registry.tick(now());
                    self.take(outputs);
                    if self.heartbeat.elapsed() >= period {
                        self.heartbeat = Instant::now();
                        self.push(DiiUp::Heartbeat);
                    }
                }
            }
            self.flush();
        }
        self.tell.send_modify(|status| status.state = AdapterState::Ended);
    }

    /// When there is next something to do without being asked.
    fn wake(&self, period: Duration) -> Instant {
        let beat = self.heartbeat + period;
        let due = self.registry.due().map(|at| Instant::now() + Duration::from_millis(at.since(now())));
        // What did not fit into the client's queue is tried again soon.
        let again =
            (!self.filters.is_empty() && self.client.is_some()).then(|| Instant::now() + Duration::from_millis(20));
        [due, again].into_iter().flatten().fold(beat, Instant::min)
    }

    fn push(&mut self, message: DiiUp) {
        self.pending_bytes += weight(&message);
        self.pending.push_back(message);
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Up(message) => self.push(message),
                Output::Subscribe(filter) => self.filters.push_back(Want::Listen(filter)),
                Output::Unsubscribe(filter) => self.filters.push_back(Want::Leave(filter)),
                Output::Note { topic, message } => {
                    tracing::warn!(topic, "discovery: {message}");
                    self.note(topic, message, |known, topic| known.0 == topic.0);
                }
            }
        }
    }

    /// Notes what is wrong for whoever looks at the status, in the place of what it replaces.
    fn note(&self, about: String, message: String, same: impl Fn(&(String, String), &(String, String)) -> bool) {
        let note = (about, message);
        self.tell.send_modify(|status| {
            status.notes.retain(|known| !same(known, &note));
            status.notes.push(note);
            if status.notes.len() > NOTES {
                status.notes.remove(0);
            }
        });
    }

    fn on_down(&mut self, message: &DiiDown) {
        let outputs = match message {
            DiiDown::Registered => self.registry.on_registered(now()),
            DiiDown::Refused(refusal) => {
                tracing::warn!("the enabler refused what the home said: {refusal}");
                self.note("refused by the enabler".to_owned(), refusal.to_string(), |known, new| known == new);
                Vec::new()
            }
            DiiDown::Execute(execution) => {
                let trace = execution.trace.map(tracing::field::display);
                tracing::info!(trace, command = %execution.command, twin = %execution.twin, "passed on to the broker");
                self.registry.on_execute(execution, now())
            }
            DiiDown::Refresh(twin) => self.registry.on_refresh(twin, now()),
            DiiDown::Inquire { inquiry, twin, .. } => self.registry.on_inquire(*inquiry, twin),
            DiiDown::Integrate { twin, fence, until, .. } => self.registry.on_integrate(twin, *fence, *until),
            DiiDown::Released { twin, fence } => self.registry.on_released(twin, *fence),
        };
        self.take(outputs);
    }

    fn on_link(&mut self, event: Link) {
        let outputs = match event {
            Link::Up(client) => {
                tracing::info!(broker = self.config.broker(), "connected to the MQTT broker");
                self.client = Some(client);
                self.greeted = false;
                self.filters.clear();
                let outputs = self.registry.on_connected(now());
                self.tell.send_modify(|status| status.state = AdapterState::Connected);
                outputs
            }
            Link::Down { reason, retry } => {
                tracing::warn!(broker = self.config.broker(), "the MQTT broker is away: {reason}");
                self.client = None;
                self.filters.clear();
                self.order.clear();
                self.inflight.clear();
                let retry_ms = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
                self.tell.send_modify(|status| status.state = AdapterState::Away { reason, retry_ms });
                self.registry.on_disconnected(now())
            }
            Link::Message(packet) => self.on_packet(&packet),
            Link::Sent(id) => {
                if let Some(Some(ticket)) = self.order.pop_front() {
                    self.inflight.push((id, ticket));
                }
                Vec::new()
            }
            Link::Acknowledged(id, answer) => match self.inflight.iter().position(|(known, _)| *known == id) {
                Some(at) => {
                    let (_, ticket) = self.inflight.swap_remove(at);
                    self.registry.on_acknowledged(ticket, answer)
                }
                None => Vec::new(),
            },
        };
        self.take(outputs);
    }

    fn on_packet(&mut self, packet: &Packet) -> Vec<Output> {
        let Ok(topic) = std::str::from_utf8(&packet.topic) else { return Vec::new() };
        self.registry.on_message(topic, &packet.payload, packet.retain, now())
    }

    /// Gives the client what it can take.
    fn flush(&mut self) {
        let twins = self.registry.len();
        self.tell.send_if_modified(|status| std::mem::replace(&mut status.twins, twins) != twins);
        let Some(client) = self.client.clone() else { return };
        if !self.flush_filters(&client) {
            return;
        }
        if !self.greeted {
            self.greeted = true;
            self.greet(&client);
        }
        while let Some(send) = self.registry.next_send(now()) {
            if let Err(why) = publish(&client, &send) {
                let outputs = self.registry.on_acknowledged(send.ticket, Err(why));
                self.take(outputs);
            } else {
                self.order.push_back(Some(send.ticket));
            }
        }
    }

    /// Whether the client took all filters; it takes the rest later.
    fn flush_filters(&mut self, client: &AsyncClient) -> bool {
        while let Some(want) = self.filters.pop_front() {
            match want {
                Want::Leave(filter) => {
                    if client.try_unsubscribe(filter.clone()).is_err() {
                        self.filters.push_front(Want::Leave(filter));
                        return false;
                    }
                }
                Want::Listen(filter) => {
                    let mut batch = vec![filter];
                    while batch.len() < FILTERS && matches!(self.filters.front(), Some(Want::Listen(_))) {
                        if let Some(Want::Listen(filter)) = self.filters.pop_front() {
                            batch.push(filter);
                        }
                    }
                    let filters = batch.iter().map(|filter| Filter::new(filter, QoS::AtLeastOnce));
                    if client.try_subscribe_many(filters).is_err() {
                        batch.into_iter().rev().for_each(|filter| self.filters.push_front(Want::Listen(filter)));
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Says that we are there: on our own topic, and as Home Assistant does, so that devices say everything again.
    fn greet(&mut self, client: &AsyncClient) {
        let ours = (link::status_topic(&self.config), true);
        let birth = self.config.announce.then(|| (format!("{}/status", self.config.prefix), false));
        for (topic, retain) in [ours].into_iter().chain(birth) {
            if client.try_publish(topic, QoS::AtMostOnce, retain, "online").is_ok() {
                self.order.push_back(None);
            }
        }
    }
}

fn publish(client: &AsyncClient, send: &Send) -> Result<(), String> {
    let qos = if send.publish.qos == 2 { QoS::ExactlyOnce } else { QoS::AtLeastOnce };
    let properties = PublishProperties { message_expiry_interval: Some(send.expiry_s), ..PublishProperties::default() };
    let (topic, payload) = (send.publish.topic.clone(), send.publish.payload.clone());
    client
        .try_publish_with_properties(topic, qos, false, payload, properties)
        .map_err(|error| format!("the message could not be given to the broker: {error}"))
}

fn weight(message: &DiiUp) -> usize {
    match message {
        DiiUp::Blob { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
