use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use vestibule_model::{BlobRef, Command, Refusal, RefusalCode, Timestamp, TwinId, TwinInfo};

use crate::{
    DiiUp, Event, Hello, HotDatagram, HotReceiver, Interest, LinkCommand, LinkEvent, News, Occurrence, Party, Request,
    Response, TwinView, Welcome, WireReading, decode, encode, protocol_hash,
};

/// Milliseconds before the first new attempt to connect; doubles up to [`RETRY_MOST_MS`].
const RETRY_FIRST_MS: u64 = 250;
/// Milliseconds between attempts at the most.
const RETRY_MOST_MS: u64 = 8_000;
/// Milliseconds without an answer after which a request has failed.
const REQUEST_TIMEOUT_MS: u64 = 10_000;
/// News that wait to be read. More is never asked for by one poll of the link; a reader that never reads stops here.
const MOST_NEWS: usize = 65_536;
/// Requests that wait for an answer or a connection: a person's clicks, not a program's flood.
const MOST_REQUESTS: usize = 1_024;

/// Happenings remembered: what an enabler tells again is what it kept, and less than this.
const MOST_HAPPENED: usize = 256;

/// Tells requests of a session apart.
pub type RequestId = u64;

/// What a session should do once it is connected.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Which part to take.
    pub party: Party,
    /// Which twins to subscribe to; ignored for systems.
    pub interest: Interest,
    /// The software's name, for the enabler's logs.
    pub software: String,
}

#[derive(Debug)]
enum Phase {
    Idle {
        retry_at: u64,
    },
    Connecting,
    Greeting,
    Ready,
    /// The peer is the wrong one, or speaks another protocol.
    Refused,
}

#[derive(Debug)]
struct Pending {
    request: Request,
    deadline: u64,
    /// Sent again after a reconnect: commands, which carry an idempotency key and a validity.
    repeats: bool,
    sent: bool,
}

#[derive(Debug)]
struct KnownTwin {
    info: Arc<TwinInfo>,
    epoch: u32,
    readings: Vec<WireReading>,
    /// The tick of the datagram that each reading came with; 0: none.
    ticks: Vec<u32>,
}

/// Whether `tick` comes after `other`; they wrap around.
const fn is_after(tick: u32, other: u32) -> bool {
    let ahead = tick.wrapping_sub(other);
    ahead != 0 && ahead <= u32::MAX / 2
}

/// The client's side of a connection: connects, greets, subscribes, keeps twins up to date, answers requests,
/// reconnects with backoff. Sans-IO: moves only in [`handle`](Self::handle) and [`tick`](Self::tick), and every moment
/// is the caller's (`now_ms`: milliseconds of any monotonic clock).
#[derive(Debug)]
pub struct ClientSession {
    config: ClientConfig,
    phase: Phase,
    /// Attempts to connect since the last success.
    attempts: u32,
    commands: VecDeque<LinkCommand>,
    news: VecDeque<News>,
    pending: BTreeMap<RequestId, Pending>,
    /// Why this side closed the link, for the news once the link says so.
    abandoned: Option<String>,
    next_id: RequestId,
    twins: HashMap<u32, KnownTwin>,
    /// Twins known before a resynchronization that have not come again yet.
    unconfirmed: HashSet<TwinId>,
    hot: HotReceiver,
    /// The latest happenings, so that none is told twice.
    happened: VecDeque<Occurrence>,
    /// The enabler's clock minus ours, milliseconds.
    clock_offset: Option<i128>,
}

impl ClientSession {
    /// A session that connects at its first [`tick`](Self::tick).
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Self {
            config,
            phase: Phase::Idle { retry_at: 0 },
            attempts: 0,
            commands: VecDeque::new(),
            news: VecDeque::new(),
            pending: BTreeMap::new(),
            abandoned: None,
            next_id: 1,
            twins: HashMap::new(),
            unconfirmed: HashSet::new(),
            hot: HotReceiver::default(),
            happened: VecDeque::new(),
            clock_offset: None,
        }
    }

    /// What the link should do next. Put it back with [`unsend`](Self::unsend) where the link is busy.
    pub fn poll_link(&mut self) -> Option<LinkCommand> {
        self.commands.pop_front()
    }

    /// Puts a command back that the link could not take.
    pub fn unsend(&mut self, command: LinkCommand) {
        self.commands.push_front(command);
    }

    /// What was learned.
    pub fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Whether requests are sent at once.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    /// The enabler's clock when ours says `now_ms`; exact to half a round trip.
    #[must_use]
    pub fn enabler_time(&self, now_ms: u64) -> Timestamp {
        Timestamp(u64::try_from(i128::from(now_ms) + self.clock_offset.unwrap_or_default()).unwrap_or_default())
    }

    /// Asks the enabler. The answer comes as [`News::Answer`] in every case.
    pub fn request(&mut self, request: Request, now_ms: u64) -> RequestId {
        self.enqueue(request, now_ms, false)
    }

    /// Has a physical object do something. Sent again after a reconnect while it is valid, executed at most once.
    pub fn actuate(&mut self, command: Command, now_ms: u64) -> RequestId {
        self.enqueue(Request::Actuate(command), now_ms, true)
    }

    /// Tells the enabler something as a digital twin system.
    pub fn tell(&mut self, message: DiiUp, now_ms: u64) -> RequestId {
        self.enqueue(Request::Dii(message), now_ms, false)
    }

    /// Fetches content by its hash; comes as [`News::Content`]. Models may be kept for the next time, pictures never.
    pub fn fetch(&mut self, blob: &BlobRef) {
        let keep = blob.media.starts_with("model/");
        self.commands.push_back(LinkCommand::Fetch { hash: blob.hash, size: blob.size, keep });
    }

    fn enqueue(&mut self, request: Request, now_ms: u64, repeats: bool) -> RequestId {
        let id = self.next_id;
        self.next_id += 1;
        if self.pending.len() >= MOST_REQUESTS {
            let refusal = Refusal::new(RefusalCode::Overloaded, "too many requests are waiting for the enabler");
            self.answer(id, Err(refusal));
            return id;
        }
        let deadline = now_ms + REQUEST_TIMEOUT_MS;
        self.pending.insert(id, Pending { request, deadline, repeats, sent: false });
        self.send_pending();
        id
    }

    fn send_pending(&mut self) {
        if !self.is_ready() {
            return;
        }
        let unsent = self.pending.iter_mut().filter(|(_, pending)| !pending.sent);
        let mut refused = Vec::new();
        for (id, pending) in unsent {
            pending.sent = true;
            match encode(&pending.request) {
                Ok(frame) => self.commands.push_back(LinkCommand::Request { id: *id, frame }),
                Err(error) => refused.push((*id, Refusal::new(RefusalCode::Invalid, error.to_string()))),
            }
        }
        for (id, refusal) in refused {
            self.pending.remove(&id);
            self.answer(id, Err(refusal));
        }
    }

    /// Lets time pass: connects, gives up on what takes too long.
    pub fn tick(&mut self, now_ms: u64) {
        if let Phase::Idle { retry_at } = self.phase
            && now_ms >= retry_at
        {
            self.phase = Phase::Connecting;
            self.commands.push_back(LinkCommand::Connect);
        }
        let enabler_now = self.enabler_time(now_ms);
        let late = |pending: &Pending| match &pending.request {
            Request::Actuate(command) if pending.repeats && self.clock_offset.is_some() => {
                enabler_now > command.not_after
            }
            _ => now_ms >= pending.deadline,
        };
        let ids: Vec<_> = self.pending.iter().filter(|(_, p)| late(p)).map(|(id, _)| *id).collect();
        for id in ids {
            let repeats = self.pending.remove(&id).is_some_and(|pending| pending.repeats);
            let refusal = if repeats {
                Refusal::new(RefusalCode::Expired, "the enabler did not answer before the command's time ended")
            } else {
                Refusal::new(RefusalCode::Unavailable, "the enabler did not answer in time")
            };
            self.answer(id, Err(refusal));
        }
    }

    /// Takes what the link says.
    pub fn handle(&mut self, event: LinkEvent, now_ms: u64) {
        match event {
            LinkEvent::Connected => self.greet(now_ms),
            LinkEvent::Response { id, frame } => self.response(id, frame, now_ms),
            LinkEvent::Event(frame) => match decode(&frame) {
                Ok(event) => self.event(event),
                Err(error) => self.abandon(format!("the enabler sent an event that cannot be read: {error}")),
            },
            LinkEvent::Datagram(bytes) => self.datagram(&bytes),
            LinkEvent::Content { hash, bytes } => self.tell_news(News::Content { hash, bytes }),
            LinkEvent::Closed { reason, retry } => self.closed(reason, retry, now_ms),
        }
    }

    fn greet(&mut self, now_ms: u64) {
        self.phase = Phase::Greeting;
        let hello =
            Hello { protocol: protocol_hash(), party: self.config.party, software: self.config.software.clone() };
        let id = self.next_id;
        self.next_id += 1;
        let request = Request::Hello(hello);
        match encode(&request) {
            Ok(frame) => self.commands.push_back(LinkCommand::Request { id, frame }),
            Err(error) => self.abandon(error.to_string()),
        }
        let deadline = now_ms + REQUEST_TIMEOUT_MS;
        self.pending.insert(id, Pending { request, deadline, repeats: false, sent: true });
    }

    fn response(&mut self, id: RequestId, frame: Result<Vec<u8>, String>, now_ms: u64) {
        let Some(pending) = self.pending.get(&id) else { return };
        let is_hello = matches!(pending.request, Request::Hello(_));
        let answer = match frame {
            Ok(frame) => decode::<Response>(&frame)
                .map_err(|error| Refusal::new(RefusalCode::Invalid, format!("an answer that cannot be read: {error}"))),
            // The connection broke under it: what may repeat waits for the next one.
            Err(_) if pending.repeats => return,
            Err(reason) => Err(Refusal::new(RefusalCode::Unavailable, reason)),
        };
        self.pending.remove(&id);
        match (is_hello, answer) {
            (true, Ok(Response::Welcome(welcome))) => self.welcome(welcome, now_ms),
            (true, Ok(Response::Refused(refusal))) => self.refused(refusal.to_string()),
            (true, Ok(_)) => self.refused("the peer answers, but not as an enabler does".to_owned()),
            (true, Err(refusal)) => self.abandon(refusal.message),
            (false, Ok(Response::Refused(refusal))) | (false, Err(refusal)) => self.answer(id, Err(refusal)),
            (false, Ok(response)) => self.answer(id, Ok(Box::new(response))),
        }
    }

    fn welcome(&mut self, welcome: Welcome, now_ms: u64) {
        self.phase = Phase::Ready;
        self.attempts = 0;
        self.hot = HotReceiver::default();
        self.clock_offset = Some(i128::from(welcome.now.0) - i128::from(now_ms));
        let subscribes = self.config.party == Party::Metaverse && welcome.user.is_some();
        self.tell_news(News::Connected(welcome));
        self.pending.values_mut().for_each(|pending| pending.sent = false);
        if subscribes {
            self.enqueue(Request::Subscribe(self.config.interest.clone()), now_ms, false);
        }
        self.send_pending();
    }

    fn closed(&mut self, reason: String, retry: bool, now_ms: u64) {
        if matches!(self.phase, Phase::Refused | Phase::Idle { .. }) {
            return;
        }
        let (reason, retry) = self.abandoned.take().map_or((reason, retry), |mine| (mine, true));
        let lost: Vec<_> = self.pending.iter().filter(|(_, p)| p.sent && !p.repeats).map(|(id, _)| *id).collect();
        for id in lost {
            let hello = self.pending.remove(&id).is_some_and(|p| matches!(p.request, Request::Hello(_)));
            if !hello {
                self.answer(
                    id,
                    Err(Refusal::new(RefusalCode::Unavailable, format!("the connection was lost: {reason}"))),
                );
            }
        }
        self.commands.clear();
        if retry {
            let wait = RETRY_FIRST_MS.saturating_mul(1 << self.attempts.min(10)).min(RETRY_MOST_MS);
            self.attempts = self.attempts.saturating_add(1);
            self.phase = Phase::Idle { retry_at: now_ms + wait };
            self.tell_news(News::Disconnected { reason, retry_ms: Some(wait) });
        } else {
            self.refused(reason);
        }
    }

    /// The peer cannot be talked to, and trying again will not help.
    fn refused(&mut self, reason: String) {
        self.phase = Phase::Refused;
        self.commands.push_back(LinkCommand::Close);
        self.tell_news(News::Disconnected { reason, retry_ms: None });
    }

    /// The connection is of no use any more; another one may be.
    fn abandon(&mut self, reason: String) {
        self.commands.push_back(LinkCommand::Close);
        self.abandoned = Some(reason);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Begin => {
                self.unconfirmed = self.twins.drain().map(|(_, twin)| twin.info.id.clone()).collect();
            }
            Event::Synchronized => {
                for twin in std::mem::take(&mut self.unconfirmed) {
                    self.tell_news(News::Gone(twin));
                }
                self.tell_news(News::Synchronized);
            }
            Event::Twin(view) => self.twin(view),
            Event::Gone(id) => {
                self.twins.retain(|_, twin| twin.info.id != id);
                self.unconfirmed.remove(&id);
                self.tell_news(News::Gone(id));
            }
            Event::Reading { short, epoch, index, reading } => {
                self.readings(short, epoch, None, vec![(index, reading)])
            }
            Event::Occurred(occurrence) => self.occurred(occurrence),
            Event::Command(update) => self.tell_news(News::Command(update)),
            Event::System(view) => self.tell_news(News::System(view)),
            Event::Step(step) => self.tell_news(News::Step(step)),
            Event::Call(update) => self.tell_news(News::Call(update)),
            Event::Deauthorized(system) => self.tell_news(News::Deauthorized(system)),
            Event::Dii(message) => self.tell_news(News::Dii(message)),
            Event::Sii(message) => self.tell_news(News::Sii(message)),
            Event::Lease(update) => self.tell_news(News::Lease(update)),
            Event::Purchase(update) => self.tell_news(News::Purchase(update)),
            Event::Product(product) => self.tell_news(News::Product(product)),
            Event::Unbound(serial) => self.tell_news(News::Unbound(serial)),
        }
    }

    /// After a reconnect the enabler tells again what may not have arrived.
    fn occurred(&mut self, occurrence: Occurrence) {
        if self.happened.contains(&occurrence) {
            return;
        }
        self.happened.push_back(occurrence.clone());
        if self.happened.len() > MOST_HAPPENED {
            self.happened.pop_front();
        }
        self.tell_news(News::Occurred(occurrence));
    }

    fn twin(&mut self, view: Box<TwinView>) {
        if view.readings.len() != view.info.properties().count() {
            self.abandon(format!("the enabler's description of {} does not fit its readings", view.info.id));
            return;
        }
        self.unconfirmed.remove(&view.info.id);
        self.twins.retain(|short, twin| *short == view.short || twin.info.id != view.info.id);
        let ticks = vec![0; view.readings.len()];
        let known = KnownTwin { info: view.info.clone(), epoch: view.epoch, readings: view.readings.clone(), ticks };
        self.twins.insert(view.short, known);
        self.tell_news(News::Twin(view));
    }

    fn datagram(&mut self, bytes: &[u8]) {
        // A datagram that cannot be read is as good as lost.
        let Ok(datagram) = decode::<HotDatagram>(bytes) else { return };
        let mut is_early = false;
        for entry in &datagram.entries {
            let known = self.twins.get(&entry.short).map(|twin| twin.epoch);
            is_early |= known.is_none_or(|epoch| is_after(entry.epoch, epoch));
            let changed = entry.indexed().into_iter().map(|(index, reading)| (index, reading.clone())).collect();
            self.readings(entry.short, entry.epoch, Some(datagram.tick), changed);
        }
        // Acknowledged after it was taken: what is acknowledged is known. One that overtook the event which names its
        // twin is not: the sender will send it again, or has forgotten the twin.
        if is_early {
            return;
        }
        if let Ok(ack) = encode(&self.hot.note(datagram.tick)) {
            self.commands.push_back(LinkCommand::Datagram(ack));
        }
    }

    fn readings(&mut self, short: u32, epoch: u32, tick: Option<u32>, new: Vec<(u16, WireReading)>) {
        let Some(twin) = self.twins.get_mut(&short).filter(|twin| twin.epoch == epoch) else { return };
        let names: Vec<_> = twin.info.properties().map(|(feature, property, _)| (feature, property)).collect();
        let mut changed = Vec::new();
        for (index, reading) in new {
            let index = usize::from(index);
            let (Some(known), Some((feature, property))) = (twin.readings.get_mut(index), names.get(index)) else {
                continue;
            };
            let Some(newest) = twin.ticks.get_mut(index) else { continue };
            // Reordered datagrams: an older report never overwrites a newer one, nor an older truth about the same.
            let is_older = tick.is_some_and(|tick| *newest != 0 && is_after(*newest, tick));
            if reading.revision < known.revision || is_older {
                continue;
            }
            *newest = tick.unwrap_or(*newest);
            known.clone_from(&reading);
            changed.push(((*feature).clone(), (*property).clone(), reading));
        }
        if !changed.is_empty() {
            let twin = twin.info.id.clone();
            self.tell_news(News::Readings { twin, changed });
        }
    }

    fn answer(&mut self, id: RequestId, answer: Result<Box<Response>, Refusal>) {
        self.tell_news(News::Answer { id, answer });
    }

    fn tell_news(&mut self, news: News) {
        // Readings are worth least: the next ones say the same and more.
        if self.news.len() >= MOST_NEWS {
            self.news.retain(|news| !matches!(news, News::Readings { .. }));
        }
        if self.news.len() < MOST_NEWS {
            self.news.push_back(news);
        } else {
            self.abandon("news were not read for too long".to_owned());
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
