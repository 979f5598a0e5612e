#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::time::sleep;
use vestibule_model::*;
use vestibule_protocol::{
    ClientConfig, ClientSession, CommandUpdate, DiiDown, DiiUp, Fences, InquiryAnswer, Interest, Link, News, Party,
    ProcedureStep, Report, Request, Response, SiiDown,
};
use vestibule_quic::{Fingerprint, Identity, LinkConfig, QuicLink};

pub mod enabler;

pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64)
}

/// A session and its link, driven as a game's frame loop would.
pub struct Peer {
    pub session: ClientSession,
    link: QuicLink,
    started: Instant,
    pub twins: HashMap<TwinId, Vec<PropertyId>>,
    pub updates: Vec<CommandUpdate>,
    pub leases: Vec<LeaseUpdate>,
    pub purchases: Vec<PurchaseUpdate>,
    pub answers: HashMap<u64, Result<Response, Refusal>>,
    pub synchronized: usize,
    pub disconnected: Vec<String>,
    pub readings: HashMap<(TwinId, PropertyId), Option<Value>>,
    pub dii: Vec<DiiDown>,
    pub steps: Vec<ProcedureStep>,
    pub sii: Vec<SiiDown>,
    pub calls: Vec<CallUpdate>,
    pub deauthorized: Vec<SystemId>,
    pub contents: HashMap<ContentHash, Result<Vec<u8>, String>>,
    pub connected: usize,
}

impl Peer {
    pub fn new(target: SocketAddr, server: Fingerprint, identity: &Identity, party: Party) -> Self {
        let config = LinkConfig { target: target.to_string(), server, identity: identity.clone(), wake: None };
        let link = QuicLink::spawn(&tokio::runtime::Handle::current(), config);
        let config = ClientConfig { party, interest: Interest::All, software: "test".to_owned() };
        Self {
            session: ClientSession::new(config),
            link,
            started: Instant::now(),
            twins: HashMap::new(),
            updates: Vec::new(),
            leases: Vec::new(),
            purchases: Vec::new(),
            answers: HashMap::new(),
            synchronized: 0,
            disconnected: Vec::new(),
            readings: HashMap::new(),
            dii: Vec::new(),
            steps: Vec::new(),
            sii: Vec::new(),
            calls: Vec::new(),
            deauthorized: Vec::new(),
            contents: HashMap::new(),
            connected: 0,
        }
    }

    pub fn ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// One frame.
    pub fn pump(&mut self) {
        let ms = self.ms();
        while let Some(event) = self.link.poll() {
            self.session.handle(event, ms);
        }
        self.session.tick(ms);
        while let Some(command) = self.session.poll_link() {
            if self.link.send(command.clone()).is_err() {
                self.session.unsend(command);
                break;
            }
        }
        while let Some(news) = self.session.poll_news() {
            self.take(news);
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Connected(_) => self.connected += 1,
            News::Synchronized => self.synchronized += 1,
            News::Disconnected { reason, .. } => self.disconnected.push(reason),
            News::Twin(view) => {
                let names: Vec<_> = view.info.properties().map(|(_, property, _)| property.clone()).collect();
                for (name, reading) in names.iter().zip(&view.readings) {
                    self.readings.insert((view.info.id.clone(), name.clone()), reading.value.clone());
                }
                self.twins.insert(view.info.id.clone(), names);
            }
            News::Readings { twin, changed } => {
                for (_, property, reading) in changed {
                    self.readings.insert((twin.clone(), property), reading.value);
                }
            }
            News::Gone(twin) => drop(self.twins.remove(&twin)),
            News::Command(update) => self.updates.push(update),
            News::Answer { id, answer } => drop(self.answers.insert(id, answer.map(|response| *response))),
            News::Dii(message) => self.dii.push(message),
            News::Content { hash, bytes } => drop(self.contents.insert(hash, bytes)),
            News::Step(step) => self.steps.push(step),
            News::Sii(message) => self.sii.push(message),
            News::Call(update) => self.calls.push(update),
            News::Deauthorized(system) => self.deauthorized.push(system),
            News::Lease(update) => self.leases.push(update),
            News::Purchase(update) => self.purchases.push(*update),
            News::Occurred(_) | News::System(_) | News::Product(_) | News::Unbound(_) => {}
        }
    }

    pub async fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        loop {
            self.pump();
            if done(self) {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {what}; disconnected: {:?}",
                self.disconnected
            );
            sleep(Duration::from_millis(4)).await;
        }
    }

    pub async fn ask(&mut self, request: Request) -> Result<Response, Refusal> {
        let ms = self.ms();
        let id = self.session.request(request, ms);
        self.until("an answer", |peer| peer.answers.contains_key(&id)).await;
        self.answers.remove(&id).unwrap()
    }

    pub async fn tell(&mut self, message: DiiUp) {
        let answer = self.ask(Request::Dii(message)).await;
        assert!(matches!(answer, Ok(Response::Done)), "{answer:?}");
    }
}

pub fn lamp_id() -> TwinId {
    TwinId::new("bench/lamp").unwrap()
}

pub fn system_info() -> SystemInfo {
    SystemInfo::new(SystemId::slug("bench"), SystemKind::DigitalTwin, "A bench")
}

pub fn lamp() -> TwinInfo {
    let mut info = TwinInfo::new(lamp_id(), "Lamp");
    let mut feature = FeatureInfo {
        name: "Light".to_owned(),
        kind: FeatureKind::Light,
        class: None,
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: BTreeSet::new(),
    };
    feature.properties.insert(PropertyId::slug("on"), PropertyInfo::new(ValueType::Bool));
    feature
        .properties
        .insert(PropertyId::slug("picture"), PropertyInfo::new(ValueType::Blob { media: "image/jpeg".to_owned() }));
    feature.actions.insert(ActionId::slug("turn_on"), ActionInfo { input: None, effects: Vec::new(), takes_ms: None });
    info.features.insert(FeatureId::slug("light"), feature);
    info
}

pub fn turn_on(id: [u8; 16]) -> Command {
    Command {
        id: CommandId(id),
        twin: lamp_id(),
        feature: FeatureId::slug("light"),
        action: ActionId::slug("turn_on"),
        input: None,
        expected_revision: None,
        not_after: now().plus(60_000),
        trace: None,
        lease: None,
    }
}

/// A twin system that a test plays: a lamp, and how often each command was executed.
pub struct FakeSystem {
    pub peer: Peer,
    pub executed: HashMap<CommandId, usize>,
    /// Tokens under which it was integrated, in order.
    pub integrated: Vec<u64>,
    /// How many commands came with a token that is not obeyed.
    pub refused: usize,
    fences: Fences,
    registered: usize,
    revision: u64,
    seen: HashSet<CommandId>,
}

impl FakeSystem {
    pub fn new(target: SocketAddr, server: Fingerprint, identity: &Identity) -> Self {
        let peer = Peer::new(target, server, identity, Party::TwinSystem);
        Self {
            peer,
            executed: HashMap::new(),
            integrated: Vec::new(),
            refused: 0,
            fences: Fences::default(),
            registered: 0,
            revision: 0,
            seen: HashSet::new(),
        }
    }

    /// One round of a real one's loop.
    pub fn pump(&mut self) {
        self.peer.pump();
        let ms = self.peer.ms();
        if self.peer.connected > self.registered {
            self.registered = self.peer.connected;
            self.peer.session.tell(DiiUp::Register(system_info()), ms);
        }
        for message in std::mem::take(&mut self.peer.dii) {
            match message {
                DiiDown::Registered => {
                    self.peer.session.tell(DiiUp::Describe(Box::new(lamp())), ms);
                    self.peer.session.tell(DiiUp::Reachable { twin: lamp_id(), feature: None, reachable: true }, ms);
                    self.report(false);
                }
                DiiDown::Execute(execution) => {
                    if let Err(error) = self.fences.admit(&execution, now()) {
                        self.refused += 1;
                        let status = CommandStatus::Failed { reason: error.to_string() };
                        self.peer.session.tell(DiiUp::Outcome { command: execution.command, status }, ms);
                        continue;
                    }
                    *self.executed.entry(execution.command).or_default() += 1;
                    let status = CommandStatus::Executed;
                    self.peer.session.tell(DiiUp::Outcome { command: execution.command, status }, ms);
                    self.report(true);
                }
                DiiDown::Refresh(_) => self.report(false),
                DiiDown::Inquire { inquiry, .. } => {
                    let answer =
                        InquiryAnswer::Twin { info: Box::new(lamp()), permission: TwinPermission::Unrestricted };
                    self.peer.session.tell(DiiUp::Inquired { inquiry, answer }, ms);
                }
                DiiDown::Integrate { twin, fence, until, .. } => {
                    self.fences.integrate(&twin, fence, until).expect("tokens grow");
                    self.integrated.push(fence);
                    self.peer.session.tell(DiiUp::Integrated { twin, fence }, ms);
                }
                DiiDown::Released { twin, fence } => self.fences.release(&twin, fence),
                DiiDown::Refused(refusal) => panic!("{refusal}"),
            }
        }
        self.peer.pump();
    }

    pub fn report(&mut self, on: bool) {
        let ms = self.peer.ms();
        self.revision = (self.revision + 1).max(now().0);
        let report = Report {
            twin: lamp_id(),
            feature: FeatureId::slug("light"),
            property: PropertyId::slug("on"),
            value: Some(Value::Bool(on)),
            at: Some(now()),
            fresh: true,
            revision: self.revision,
        };
        self.peer.session.tell(DiiUp::Report(report), ms);
    }
}

/// Drives both until something is so.
pub async fn both(
    system: &mut FakeSystem,
    person: &mut Peer,
    what: &str,
    mut done: impl FnMut(&FakeSystem, &Peer) -> bool,
) {
    let start = Instant::now();
    loop {
        system.pump();
        person.pump();
        if done(system, person) {
            return;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}; system: {:?}; person: {:?} {:?}",
            system.peer.disconnected,
            person.disconnected,
            person.answers
        );
        sleep(Duration::from_millis(3)).await;
    }
}
