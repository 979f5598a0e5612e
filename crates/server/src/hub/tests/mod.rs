//! The hub with a fake twin system and a fake world, over real channels and a clock that stands still.

mod ahead;
mod crowd;
mod disk;
mod given;
mod keeping;
mod lease;
mod missed;
mod past;
mod path;
mod people;
mod procedure;
mod purchase;
mod things;
mod third_party;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::timeout};
use vestibule_model::{Effect as Expected, *};
use vestibule_protocol::*;
use vestibule_store::MemoryLog;

use super::*;

const OWNER: [u8; 32] = [1; 32];
const START: Timestamp = Timestamp(1_700_000_000_000);

fn home() -> SystemId {
    SystemId::slug("home")
}

fn lamp() -> TwinId {
    TwinId::new("home/lamp").unwrap()
}

fn light() -> FeatureId {
    FeatureId::slug("light")
}

fn lamp_info(id: TwinId) -> TwinInfo {
    let mut info = TwinInfo::new(id, "Lamp");
    let effect = |on| ActionInfo {
        effects: vec![Expected { property: PropertyId::slug("on"), expect: Expect::Value(Value::Bool(on)) }],
        ..ActionInfo::default()
    };
    let properties =
        [("on", PropertyInfo::new(ValueType::Bool)), ("text", PropertyInfo::new(ValueType::Text { max: 4_000 }))];
    let feature = FeatureInfo {
        name: "Light".to_owned(),
        kind: FeatureKind::Light,
        class: None,
        properties: properties.map(|(id, about)| (PropertyId::slug(id), about)).into(),
        actions: [("turn_on", effect(true)), ("turn_off", effect(false))]
            .map(|(id, about)| (ActionId::slug(id), about))
            .into(),
        events: [EventKind::slug("press")].into(),
    };
    info.features.insert(light(), feature);
    info
}

fn command(number: u8, action: &str, now: Timestamp) -> Command {
    Command {
        id: CommandId([number; 16]),
        twin: lamp(),
        feature: light(),
        action: ActionId::slug(action),
        input: None,
        expected_revision: None,
        not_after: now.plus(5_000),
        trace: None,
        lease: None,
    }
}

fn report(property: &str, value: Value, revision: u64) -> DiiUp {
    let property = PropertyId::slug(property);
    let (value, at) = (Some(value), Some(START));
    DiiUp::Report(Report { twin: lamp(), feature: light(), property, value, at, fresh: true, revision })
}

fn hello(party: Party) -> Request {
    Request::Hello(Hello { protocol: protocol_hash(), party, software: "test".to_owned() })
}

/// One connection.
struct Peer1 {
    session: SessionHandle,
    outgoing: mpsc::Receiver<Outgoing>,
    hot: HotReceiver,
}

impl Peer1 {
    async fn open(hub: &HubHandle, peer: Peer) -> Self {
        let (session, outgoing) = hub.open(peer).await.unwrap();
        Self { session, outgoing, hot: HotReceiver::default() }
    }

    async fn ask(&self, request: Request) -> Response {
        timeout(Duration::from_secs(10), self.session.request(request)).await.expect("an answer")
    }

    async fn refused(&self, request: Request) -> Refusal {
        match self.ask(request).await {
            Response::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    async fn done(&self, request: Request) {
        let response = self.ask(request).await;
        assert_eq!(response, Response::Done);
    }

    async fn say(&self, message: DiiUp) {
        self.done(Request::Dii(message)).await;
    }

    async fn actuate(&self, command: &Command) -> CommandStatus {
        match self.ask(Request::Actuate(command.clone())).await {
            Response::Command(update) => update.status,
            other => panic!("{other:?}"),
        }
    }

    async fn next(&mut self) -> Outgoing {
        timeout(Duration::from_secs(10), self.outgoing.recv()).await.expect("something").expect("an open session")
    }

    /// The next event; datagrams are acknowledged and dropped.
    async fn event(&mut self) -> Event {
        loop {
            match self.next().await {
                Outgoing::Event(event) => return *event,
                Outgoing::Datagram(bytes) => self.acknowledge(&bytes),
                Outgoing::Close(words) => panic!("closed: {words}"),
            }
        }
    }

    fn acknowledge(&mut self, bytes: &[u8]) {
        let datagram: HotDatagram = decode(bytes).unwrap();
        self.session.datagram(encode(&self.hot.note(datagram.tick)).unwrap());
    }

    /// Waits for an event that fits.
    async fn wait<T>(&mut self, mut fits: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = fits(self.event().await) {
                return found;
            }
        }
    }

    async fn command_status(&mut self, id: CommandId) -> CommandStatus {
        self.wait(|event| match event {
            Event::Command(update) if update.command == id => Some(update.status),
            _ => None,
        })
        .await
    }

    async fn execution(&mut self) -> Execution {
        self.wait(|event| match event {
            Event::Dii(DiiDown::Execute(execution)) => Some(execution),
            _ => None,
        })
        .await
    }
}

struct House {
    hub: HubHandle,
    clock: Clock,
    log: Arc<MemoryLog>,
}

impl House {
    async fn start(log: Arc<MemoryLog>) -> Self {
        let clock = Clock::manual(START);
        let config = HubConfig { clock: clock.clone(), log: Some(log.clone()), ..HubConfig::in_memory("test") };
        let hub = Hub::start(config).await.unwrap();
        hub.enroll(OWNER, UserId::slug("owner"), vec![RoleId::slug("owner")]).await.unwrap();
        Self { hub, clock, log }
    }

    async fn new() -> Self {
        Self::start(Arc::default()).await
    }

    /// A twin system that has registered.
    async fn system(&self) -> Peer1 {
        let peer = Peer1::open(&self.hub, Peer::Local(home())).await;
        let info = SystemInfo::new(home(), SystemKind::DigitalTwin, "Home");
        peer.say(DiiUp::Register(info)).await;
        peer
    }

    /// The next reading of the only twin that is about `index`; time passes meanwhile.
    async fn reading(&self, peer: &mut Peer1, index: u16) -> WireReading {
        loop {
            let next = timeout(Duration::from_millis(20), peer.outgoing.recv()).await;
            let Ok(next) = next else {
                self.clock.advance(16);
                continue;
            };
            if let Outgoing::Datagram(bytes) = next.expect("an open session") {
                peer.acknowledge(&bytes);
                let datagram: HotDatagram = decode(&bytes).unwrap();
                let found = datagram.entries.iter().flat_map(HotEntry::indexed).find(|(at, _)| *at == index);
                if let Some((_, reading)) = found {
                    return reading.clone();
                }
            }
        }
    }

    /// The reading of the light, once it is that.
    async fn light(&self, peer: &mut Peer1, truth: Truth) -> WireReading {
        let wait = async {
            loop {
                let reading = self.reading(peer, 0).await;
                if reading.truth == truth {
                    return reading;
                }
            }
        };
        timeout(Duration::from_secs(10), wait).await.expect("a reading")
    }

    /// The same, with a lamp that is off.
    async fn with_lamp(&self) -> Peer1 {
        let peer = self.system().await;
        peer.say(DiiUp::Describe(Box::new(lamp_info(lamp())))).await;
        peer.say(DiiUp::Reachable { twin: lamp(), feature: None, reachable: true }).await;
        peer.say(report("on", Value::Bool(false), 1)).await;
        peer
    }

    async fn owner(&self) -> Peer1 {
        let peer = Peer1::open(&self.hub, Peer::Certificate(OWNER)).await;
        assert!(
            matches!(peer.ask(hello(Party::Metaverse)).await, Response::Welcome(welcome) if welcome.user.is_some())
        );
        peer
    }

    /// An owner who has been told of everything.
    async fn watching(&self) -> Peer1 {
        let mut peer = self.owner().await;
        peer.done(Request::Subscribe(Interest::All)).await;
        peer.wait(|event| (event == Event::Synchronized).then_some(())).await;
        peer
    }
}
