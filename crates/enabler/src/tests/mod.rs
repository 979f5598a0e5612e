//! A house without sockets: decisions are "written" to a vector, executions collected.

mod access;
mod delegation;
mod discovery;
mod fold;
mod lease;
mod matrix;
mod monitoring;
mod people;
mod presence;
mod purchase;
mod random;
mod readers;
mod registration;
mod sii;
mod systems;
mod truth;

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{Effect as Expected, *};
use vestibule_protocol::{DiiUp, Execution, Hello, Party, Report, Request, Response, protocol_hash};

use crate::*;

const OWNER: Fingerprint = Fingerprint([1; 32]);
const GUEST: Fingerprint = Fingerprint([2; 32]);

fn metaverse(device: Fingerprint) -> Actor {
    Actor::greeted(Identity::Certificate(device), Party::Metaverse)
}

fn home() -> SystemId {
    SystemId::slug("home")
}

fn lamp() -> TwinId {
    TwinId::new("home/lamp").unwrap()
}

/// `on` is reported at least every minute; `dimmer` takes its input; `siren` cannot report; `bell` has no properties.
fn lamp_info() -> TwinInfo {
    let mut info = TwinInfo::new(lamp(), "Lamp");
    info.physical_ids = vec![PhysicalId { kind: "mac".to_owned(), value: "02:00".to_owned() }];
    let expect = |value| vec![Expected { property: PropertyId::slug("on"), expect: Expect::Value(Value::Bool(value)) }];
    let feature = |kind, property: Option<PropertyInfo>, actions: Vec<(&str, ActionInfo)>| FeatureInfo {
        name: String::new(),
        kind,
        class: None,
        properties: property.map(|p| (PropertyId::slug("on"), p)).into_iter().collect(),
        actions: actions.into_iter().map(|(id, action)| (ActionId::slug(id), action)).collect(),
        events: BTreeSet::new(),
    };
    let act = |effects| ActionInfo { effects, ..ActionInfo::default() };
    let on_off = || vec![("turn_on", act(expect(true))), ("turn_off", act(expect(false)))];
    let level = ValueType::Number { min: 0.0, max: 1.0, step: 0.1 };
    let input = vec![Expected { property: PropertyId::slug("on"), expect: Expect::Input }];
    let set = ActionInfo { input: Some(level.clone()), effects: input, takes_ms: None };
    let assumed = PropertyInfo { assumed: true, ..PropertyInfo::new(ValueType::Bool) };
    let mut bell = feature(FeatureKind::Event, None, vec![("ring", act(Vec::new()))]);
    bell.events.insert(EventKind::slug("press"));
    info.features = BTreeMap::from([
        (
            FeatureId::slug("light"),
            feature(FeatureKind::Light, Some(PropertyInfo::new(ValueType::Bool).reported_every(60_000)), on_off()),
        ),
        (FeatureId::slug("dimmer"), feature(FeatureKind::Number, Some(PropertyInfo::new(level)), vec![("set", set)])),
        (FeatureId::slug("siren"), feature(FeatureKind::Switch, Some(assumed), on_off())),
        (FeatureId::slug("bell"), bell),
    ]);
    info
}

fn system_info() -> SystemInfo {
    SystemInfo::new(home(), SystemKind::DigitalTwin, "Home")
}

/// The next moment at which something ends. What is measured of systems is written down from time to time besides.
fn next_end(hot: &Hot) -> Option<Timestamp> {
    let mut ends = hot.deadlines.iter().filter(|(_, due)| !matches!(due, hot::Due::Measure(_)));
    ends.next().map(|(at, _)| *at)
}

struct House {
    state: State,
    hot: Hot,
    log: Vec<(Timestamp, LogEvent)>,
    now: Timestamp,
    system: Actor,
    executed: Vec<(Timestamp, Execution)>,
    commands: Vec<(CommandId, CommandStatus)>,
    next_id: u8,
}

impl House {
    /// Rules of a first start, an owner, a guest.
    fn empty() -> Self {
        let mut house = Self {
            state: State::default(),
            hot: Hot::default(),
            log: Vec::new(),
            now: Timestamp(1_700_000_000_000),
            system: Actor::greeted(Identity::Local(home()), Party::TwinSystem),
            executed: Vec::new(),
            commands: Vec::new(),
            next_id: 1,
        };
        house.commit(default_rules());
        for (certificate, role) in [(OWNER, OWNER_ROLE), (GUEST, GUEST_ROLE)] {
            let decision = enroll(&house.state, certificate, &UserId::slug(role), &[RoleId::slug(role)], "x").unwrap();
            house.commit(decision.events);
        }
        house
    }

    /// The same with a connected lamp that is off at revision 1.
    fn with_lamp() -> Self {
        let mut house = Self::empty();
        house.connect();
        house.say(DiiUp::Describe(Box::new(lamp_info()))).unwrap();
        house.say(DiiUp::Reachable { twin: lamp(), feature: None, reachable: true }).unwrap();
        house.report("light", Value::Bool(false), 1);
        house
    }

    fn commit(&mut self, events: Vec<LogEvent>) {
        for event in events {
            let (_, event) = event.written().unwrap();
            self.state.apply(self.now, &event);
            self.log.push((self.now, event));
        }
    }

    fn committed(&mut self, events: Vec<LogEvent>) {
        let from = self.log.len();
        self.commit(events);
        let mut changes = Changes::default();
        for (at, event) in &self.log[from..] {
            changes.merge(self.hot.follow(&self.state, *at, event));
        }
        self.take(changes);
    }

    fn take(&mut self, changes: Changes) {
        self.commands.extend(changes.commands.into_iter().map(|update| (update.command, update.status)));
        let waiting = dispatch(&self.state, &self.hot, self.now, &changes.reachable);
        if !waiting.events.is_empty() {
            self.act(waiting);
        }
    }

    fn act(&mut self, decision: Decision) -> Option<Response> {
        self.committed(decision.events);
        for effect in decision.effects {
            match effect {
                crate::Effect::Execute { execution, .. } => self.executed.push((self.now, execution)),
                crate::Effect::Attach(info) => {
                    self.system.system = Some(info.id.clone());
                    let changes = self.hot.attach(&info.id, info.heartbeat_ms, self.now);
                    self.take(changes);
                }
                _ => {}
            }
        }
        decision.reply
    }

    fn ask(&mut self, actor: &Actor, request: &Request) -> Result<Response, Refusal> {
        let decision = decide(&self.state, &self.hot, self.now, actor, request)?;
        Ok(self.act(decision).unwrap_or(Response::Done))
    }

    fn say(&mut self, message: DiiUp) -> Result<(), Refusal> {
        if matches!(
            message,
            DiiUp::Register(_) | DiiUp::Deregister | DiiUp::Describe(_) | DiiUp::Gone(_) | DiiUp::Complete { .. }
        ) {
            let actor = self.system.clone();
            return self.ask(&actor, &Request::Dii(message)).map(|_| ());
        }
        let observed = observe(&self.state, &mut self.hot, self.now, &home(), &message)?;
        self.take(observed.changes);
        self.committed(observed.events);
        Ok(())
    }

    fn viewer(&self, who: Fingerprint) -> Viewer {
        Viewer::of(&self.state, self.now, &metaverse(who)).unwrap()
    }

    fn connect(&mut self) {
        self.say(DiiUp::Register(system_info())).unwrap();
    }

    fn disconnect(&mut self) {
        let changes = self.hot.detach(&home(), self.now);
        self.take(changes);
    }

    fn reachable(&mut self) {
        self.connect();
        self.say(DiiUp::Reachable { twin: lamp(), feature: None, reachable: true }).unwrap();
    }

    fn report(&mut self, feature: &str, value: Value, revision: u64) {
        let (feature, property) = (FeatureId::slug(feature), PropertyId::slug("on"));
        let (value, at) = (Some(value), Some(self.now));
        self.say(DiiUp::Report(Report { twin: lamp(), feature, property, value, at, fresh: true, revision })).unwrap();
    }

    fn pass(&mut self, millis: u64) {
        let until = self.now.plus(millis);
        while let Some(at) = self.hot.next_wakeup().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let (changes, events) = self.hot.due(self.now);
            self.take(changes);
            self.committed(events);
        }
        self.now = until;
    }

    fn command(&mut self, feature: &str, action: &str) -> Command {
        self.next_id += 1;
        Command {
            id: CommandId([self.next_id; 16]),
            twin: lamp(),
            feature: FeatureId::slug(feature),
            action: ActionId::slug(action),
            input: None,
            expected_revision: None,
            not_after: self.now.plus(5_000),
            trace: None,
            lease: None,
        }
    }

    fn actuate(&mut self, command: &Command) -> Result<CommandStatus, Refusal> {
        match self.ask(&metaverse(OWNER), &Request::Actuate(command.clone()))? {
            Response::Command(update) => Ok(update.status),
            other => panic!("{other:?}"),
        }
    }

    /// A new command, accepted.
    fn order(&mut self, feature: &str, action: &str) -> CommandId {
        let command = self.command(feature, action);
        self.actuate(&command).unwrap();
        command.id
    }

    fn outcome(&mut self, command: CommandId, status: CommandStatus) {
        self.say(DiiUp::Outcome { command, status }).unwrap();
    }

    fn status(&self, command: CommandId) -> CommandStatus {
        self.hot.status_of(&self.state.commands[&command]).0
    }

    fn truth(&self, feature: &str) -> Truth {
        let feature = FeatureId::slug(feature);
        let info = &self.state.twins[&lamp()].info;
        let place = info.properties().position(|(f, _, _)| *f == feature).unwrap();
        self.hot.reading(&lamp(), u16::try_from(place).unwrap(), self.now).unwrap().truth
    }

    /// The state by a snapshot after `lines` lines, with names kept apart as a server keeps them.
    fn snapshot_read(&self, lines: usize) -> State {
        let (before, behind) = self.log.split_at(lines);
        let mut state = State::default();
        before.iter().for_each(|(at, event)| state.apply(*at, event));
        let mut names = NameBook::new(|| [7; 32]);
        let written = names.scope(|| serde_json::to_vec(&state)).unwrap();
        let mut state: State = names.scope(|| serde_json::from_slice(&written)).unwrap();
        behind.iter().for_each(|(at, event)| state.apply(*at, event));
        state
    }

    /// Killed and started again: only the log is left.
    fn restart(&mut self) {
        let mut state = State::default();
        for (at, event) in &self.log {
            let bytes = event.written().unwrap().0;
            state.apply(*at, &LogEvent::read(&bytes).unwrap());
        }
        assert_eq!(state, self.state, "state is a fold of the log");
        assert_eq!(self.snapshot_read(self.log.len() / 2), state, "a snapshot and the lines behind it say the same");
        self.hot = Hot::restore(&state, self.now);
        self.state = state;
    }
}

#[test]
fn nothing_goes_before_the_hello_and_protocols_are_compared() {
    let mut house = House::empty();
    let mut actor = metaverse(OWNER);
    actor.party = None;
    assert_eq!(house.ask(&actor, &Request::Rules).unwrap_err().code, RefusalCode::Unauthenticated);
    let hello = |protocol| Request::Hello(Hello { protocol, party: Party::Metaverse, software: "test".to_owned() });
    let error = house.ask(&actor, &hello([0; 16])).unwrap_err();
    assert!(error.message.contains("install the same version"), "{error}");
    match house.ask(&actor, &hello(protocol_hash())).unwrap() {
        Response::Welcome(welcome) => assert_eq!(welcome.user, Some(UserId::slug(OWNER_ROLE))),
        other => panic!("{other:?}"),
    }
    let stranger = metaverse(Fingerprint([9; 32]));
    assert_eq!(house.ask(&stranger, &Request::Rules).unwrap_err().code, RefusalCode::Unauthenticated);
}

#[test]
fn twin_systems_ask_nothing_of_each_other() {
    let mut house = House::with_lamp();
    let actor = house.system.clone();
    for request in
        [Request::DescribeTwin(lamp()), Request::Refresh(lamp()), Request::Actuate(house.command("light", "turn_on"))]
    {
        assert_eq!(house.ask(&actor, &request).unwrap_err().code, RefusalCode::Forbidden);
    }
    let dii = Request::Dii(DiiUp::Register(system_info()));
    assert_eq!(house.ask(&metaverse(OWNER), &dii).unwrap_err().code, RefusalCode::Forbidden);
}
