//! A world for leases: users, twins, one twin system with a device behind it, and a wire that breaks, delivers late, or
//! brings what was on it when it broke long after.

mod check;

use std::collections::{BTreeMap, VecDeque};

use vestibule_protocol::{DiiDown, Fences};

use super::super::*;

pub const TTL: u64 = 10_000;
pub const LONGEST: u64 = 30_000;

/// What anybody does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// User, twin, how important, how long they wait.
    Ask(usize, usize, u8, u64),
    /// The answer was lost: the same request again.
    AskAgain(usize),
    Renew(usize),
    Release(usize),
    /// User, twin, whether they name their newest lease.
    Act(usize, usize, bool),
    /// Until the next deadline.
    Wait,
    /// The device side takes its next message.
    Down,
    /// The enabler takes its next message.
    Up,
    /// Something that was on the wire when it broke arrives after all.
    Late,
    Break,
    Connect,
    /// The enabler is killed and started again: only its log is left.
    Crash,
    /// The adapter forgets everything.
    DeviceRestarts,
    Forbid(usize),
    Allow(usize),
    Gone(usize),
    /// With or without the physical id that it shares with the first one.
    Describe(usize, bool),
}

/// What is behind the wire.
#[derive(Clone, Debug, Default)]
pub struct Device {
    pub fences: Fences,
    /// The newest token that acted, over all twins of an object, by the object's first twin.
    pub acted: BTreeMap<TwinId, u64>,
    /// The newest token that each twin heard of.
    pub heard: BTreeMap<TwinId, u64>,
    pub executed: usize,
}

#[derive(Clone, Debug)]
pub struct World {
    pub state: State,
    pub hot: Hot,
    base: State,
    pub log: Vec<(Timestamp, LogEvent)>,
    pub now: Timestamp,
    pub twins: Vec<TwinId>,
    system: Actor,
    pub online: bool,
    pub down: VecDeque<DiiDown>,
    pub up: VecDeque<DiiUp>,
    pub late: Vec<DiiDown>,
    pub device: Device,
    /// Requests by user, the newest last.
    pub asked: Vec<Vec<LeaseRequest>>,
    commands: Vec<u8>,
    /// By token: whose it is, and the last moment that was ever promised.
    pub grants: BTreeMap<u64, (LeaseId, Timestamp)>,
    pub integrated: BTreeMap<u64, usize>,
}

pub fn twin(number: usize) -> TwinId {
    TwinId::new(format!("home/t{number}")).unwrap()
}

pub fn user(number: usize) -> Actor {
    metaverse(Fingerprint([10 + number as u8; 32]))
}

pub fn name(number: usize) -> UserId {
    UserId::slug(&format!("user{number}"))
}

fn info(number: usize, shared: bool, integration: Integration) -> TwinInfo {
    let mut info = TwinInfo { id: twin(number), integration, ..lamp_info() };
    let mut ids = vec![PhysicalId { kind: "mac".to_owned(), value: format!("02:0{number}") }];
    if shared {
        ids.push(PhysicalId { kind: "serial".to_owned(), value: "one".to_owned() });
    }
    info.physical_ids = ids;
    info
}

fn rule(number: usize) -> Rule {
    Rule {
        id: RuleId::slug(&format!("user{number}-acts")),
        who: Subject::User(name(number)),
        twins: TwinSelector::All,
        feature: None,
        right: Right::ActAny,
        effect: RuleEffect::Allow,
        until: None,
        priority: Some(9),
    }
}

impl World {
    /// Everybody is connected; `shared`: all twins are one object.
    pub fn new(users: usize, twins: usize, shared: bool, integration: Integration) -> Self {
        let mut house = House::empty();
        for number in 0..users {
            let roles = [RoleId::slug("player")];
            let fingerprint = Fingerprint([10 + number as u8; 32]);
            house.commit(enroll(&house.state, fingerprint, &name(number), &roles, "x").unwrap().events);
            house.commit(vec![LogEvent::RuleSet { rule: rule(number), by: None }]);
        }
        house.connect();
        for number in 0..twins {
            house.say(DiiUp::Describe(Box::new(info(number, shared, integration)))).unwrap();
        }
        let mut world = Self {
            base: house.state.clone(),
            state: house.state,
            hot: house.hot,
            log: Vec::new(),
            now: house.now,
            twins: (0..twins).map(twin).collect(),
            system: house.system,
            online: false,
            down: VecDeque::new(),
            up: VecDeque::new(),
            late: Vec::new(),
            device: Device::default(),
            asked: vec![Vec::new(); users],
            commands: vec![0; users],
            grants: BTreeMap::new(),
            integrated: BTreeMap::new(),
        };
        world.connect();
        world
    }

    /// As the hub does: decide, settle what follows, write, follow, act.
    fn commit(&mut self, decision: Decision) -> Option<Response> {
        let Decision { mut events, reply, mut effects } = decision;
        events.iter().for_each(|event| self.state.apply(self.now, event));
        if let Some(access) = events.iter().filter_map(unsettles).reduce(|a, b| a || b) {
            self.settle(access, &mut events, &mut effects);
        }
        self.written(events);
        for effect in effects {
            self.effect(effect);
        }
        reply
    }

    fn settle(&mut self, access: bool, events: &mut Vec<LogEvent>, effects: &mut Vec<crate::Effect>) {
        let follows = settle(&self.state, &self.hot, self.now, access);
        follows.events.iter().for_each(|event| self.state.apply(self.now, event));
        events.extend(follows.events);
        effects.extend(follows.effects);
        let again = settle(&self.state, &self.hot, self.now, access);
        assert!(again.events.is_empty(), "settled is settled: {:?}", again.events);
    }

    /// What was applied to the state is followed.
    fn written(&mut self, events: Vec<LogEvent>) {
        let mut changes = Changes::default();
        for event in events {
            match &event {
                LogEvent::LeaseGranted { lease, fence, until } => {
                    let newest = self.grants.last_key_value().map_or(0, |(fence, _)| *fence);
                    assert!(*fence > newest, "tokens grow: {fence} after {newest}");
                    self.grants.insert(*fence, (*lease, *until));
                }
                LogEvent::LeaseRenewed { lease, until } => {
                    let (_, grant) = self.grants.iter_mut().find(|(_, (id, _))| id == lease).expect("granted before");
                    assert!(*until > grant.1, "renewals lengthen");
                    grant.1 = *until;
                }
                LogEvent::LeaseIntegrated { fence, .. } => *self.integrated.entry(*fence).or_default() += 1,
                _ => {}
            }
            let now = self.now;
            changes.merge(self.hot.follow(&self.state, now, &event));
            self.log.push((now, event));
        }
        self.changed(changes);
    }

    fn changed(&mut self, changes: Changes) {
        if changes.settle {
            let (mut events, mut effects) = (Vec::new(), Vec::new());
            self.settle(false, &mut events, &mut effects);
            self.written(events);
            effects.into_iter().for_each(|effect| self.effect(effect));
        }
        if !changes.reachable.is_empty() {
            let decision = dispatch(&self.state, &self.hot, self.now, &changes.reachable);
            self.commit(decision);
        }
    }

    fn effect(&mut self, effect: crate::Effect) {
        let message = match effect {
            crate::Effect::Execute { execution, .. } => DiiDown::Execute(execution),
            crate::Effect::Integrate { twin, lease, fence, until, .. } => {
                DiiDown::Integrate { twin, lease, fence, until }
            }
            crate::Effect::Released { twin, fence, .. } => DiiDown::Released { twin, fence },
            _ => return,
        };
        if self.online {
            self.down.push_back(message);
        } else if let DiiDown::Execute(execution) = message {
            let end = execution_failed(&self.state, execution.command, "away");
            self.commit(Decision { events: end.into_iter().collect(), ..Decision::default() });
        }
    }

    pub fn ask(&mut self, actor: &Actor, request: &Request) -> Result<Response, Refusal> {
        let decision = decide(&self.state, &self.hot, self.now, actor, request)?;
        Ok(self.commit(decision).unwrap_or(Response::Done))
    }

    pub fn say(&mut self, message: DiiUp) {
        if matches!(message, DiiUp::Describe(_) | DiiUp::Gone(_)) {
            let actor = self.system.clone();
            self.ask(&actor, &Request::Dii(message)).unwrap();
            return;
        }
        // Twins that are gone are not heard of; so be it.
        let Ok(observed) = observe(&self.state, &mut self.hot, self.now, &home(), &message) else { return };
        self.changed(observed.changes);
        self.commit(Decision { events: observed.events, ..Decision::default() });
    }

    pub fn connect(&mut self) {
        self.online = true;
        let changes = self.hot.attach(&home(), 0, self.now);
        self.changed(changes);
        for twin in self.twins.clone() {
            if self.state.twins.contains_key(&twin) {
                self.say(DiiUp::Reachable { twin, feature: None, reachable: true });
            }
        }
    }

    pub fn disconnect(&mut self) {
        self.online = false;
        self.late.extend(self.down.drain(..).filter(|message| matches!(message, DiiDown::Execute(_))));
        self.up.clear();
        let changes = self.hot.detach(&home(), self.now);
        self.changed(changes);
    }

    fn crash(&mut self) {
        self.disconnect();
        let mut state = self.base.clone();
        self.log.iter().for_each(|(at, event)| state.apply(*at, event));
        assert!(state == self.state, "state is a fold of the log");
        self.state = state;
        self.hot = Hot::restore(&self.state, self.now);
        let (mut events, mut effects) = (Vec::new(), Vec::new());
        self.settle(true, &mut events, &mut effects);
        self.written(events);
        effects.into_iter().for_each(|effect| self.effect(effect));
    }

    pub fn lease_id(&self, user: usize) -> Option<LeaseId> {
        self.asked[user].last().map(|request| request.id)
    }

    /// The wait until the next deadline, or `most` milliseconds.
    pub fn pass(&mut self, most: u64) {
        let until = self.now.plus(most);
        self.now = next_end(&self.hot).map_or(until, |at| at.max(self.now)).min(until);
        let (changes, events) = self.hot.due(self.now);
        self.commit(Decision { events, ..Decision::default() });
        self.changed(changes);
    }

    /// The device side takes a message; `true` where the thing did something.
    fn take(&mut self, message: DiiDown) {
        match message {
            DiiDown::Integrate { twin, fence, until, .. } => match self.device.fences.integrate(&twin, fence, until) {
                Ok(()) => {
                    let heard = self.device.heard.entry(twin.clone()).or_default();
                    *heard = (*heard).max(fence);
                    self.up.push_back(DiiUp::Integrated { twin, fence });
                }
                Err(error) => {
                    let reason = error.to_string();
                    self.up.push_back(DiiUp::NotIntegrated { twin, fence, reason });
                }
            },
            DiiDown::Released { twin, fence } => self.device.fences.release(&twin, fence),
            DiiDown::Execute(execution) => {
                let status = match self.device.fences.admit(&execution, self.now) {
                    Ok(()) => {
                        self.executed(&execution);
                        CommandStatus::Executed
                    }
                    Err(error) => CommandStatus::Failed { reason: error.to_string() },
                };
                self.up.push_back(DiiUp::Outcome { command: execution.command, status });
            }
            _ => {}
        }
    }

    /// The thing moves: what must be true of it, whatever happened before.
    fn executed(&mut self, execution: &Execution) {
        self.device.executed += 1;
        let object = self.state.object_of(&execution.twin);
        let newest = object.iter().filter_map(|twin| self.device.acted.get(twin)).max().copied().unwrap_or(0);
        let heard = self.device.heard.get(&execution.twin).copied().unwrap_or(0);
        assert!(self.now <= execution.not_after, "executed late");
        let Some(fence) = execution.fence else { return };
        assert!(fence >= newest, "fence {fence} acted after {newest}");
        assert!(fence >= heard, "fence {fence} acted after {heard} was heard of");
        let (_, until) = self.grants[&fence];
        assert!(self.now <= until, "fence {fence} acted after its lease had expired");
        self.device.acted.insert(execution.twin.clone(), fence);
    }

    /// Whether this step does anything, and nothing that another one says as well.
    pub fn can(&self, step: &Step) -> bool {
        match step {
            Step::Ask(user, ..) => self.lease_id(*user).is_none_or(|id| !self.is_live(id)),
            Step::AskAgain(user) | Step::Renew(user) => self.lease_id(*user).is_some(),
            Step::Release(user) => self.lease_id(*user).is_some_and(|id| self.is_live(id)),
            Step::Act(user, _, named) => !named || self.lease_id(*user).is_some(),
            Step::Wait => next_end(&self.hot).is_some(),
            Step::Down => !self.down.is_empty(),
            Step::Up => !self.up.is_empty(),
            Step::Late => !self.late.is_empty(),
            Step::Break => self.online,
            Step::Connect => !self.online,
            Step::Gone(number) => self.state.twins.contains_key(&twin(*number)) && self.online,
            Step::Describe(..) => self.online,
            Step::Crash | Step::DeviceRestarts | Step::Forbid(_) | Step::Allow(_) => true,
        }
    }

    fn is_live(&self, id: LeaseId) -> bool {
        self.state.leases.get(&id).is_some_and(|lease| lease.is_live())
    }

    pub fn request(&mut self, number: usize, on: usize, priority: u8, wait_ms: u64) -> LeaseRequest {
        let mut id = [0; 16];
        id[0] = number as u8;
        id[1..9].copy_from_slice(&(self.asked[number].len() as u64).to_be_bytes());
        let request = LeaseRequest { id: LeaseId(id), twin: twin(on), priority, ttl_ms: TTL, wait_ms };
        self.asked[number].push(request.clone());
        request
    }

    /// Does a step; refusals are answers like others.
    pub fn step(&mut self, step: &Step) {
        match *step {
            Step::Ask(number, on, priority, wait) => {
                let request = self.request(number, on, priority, wait);
                let _ = self.ask(&user(number), &Request::Lease(request));
            }
            Step::AskAgain(number) => {
                let request = self.asked[number].last().cloned().expect("asked before");
                let _ = self.ask(&user(number), &Request::Lease(request));
            }
            Step::Renew(number) => {
                let id = self.lease_id(number).expect("asked before");
                let _ = self.ask(&user(number), &Request::RenewLease(id));
            }
            Step::Release(number) => {
                let id = self.lease_id(number).expect("asked before");
                let _ = self.ask(&user(number), &Request::ReleaseLease(id));
            }
            Step::Act(number, on, named) => {
                let _ = self.act(number, on, named);
            }
            Step::Wait => self.pass(60_000),
            Step::Down => {
                let message = self.down.pop_front().expect("something is on its way");
                self.take(message);
            }
            Step::Up => {
                let message = self.up.pop_front().expect("something is on its way");
                self.say(message);
            }
            Step::Late => {
                let message = self.late.remove(0);
                self.take(message);
            }
            Step::Break => self.disconnect(),
            Step::Connect => self.connect(),
            Step::Crash => self.crash(),
            Step::DeviceRestarts => {
                self.disconnect();
                self.late.clear();
                self.device.fences = Fences::default();
                self.device.heard.clear();
            }
            Step::Forbid(number) => {
                let event = LogEvent::RuleRemoved { rule: rule(number).id, by: UserId::slug(OWNER_ROLE) };
                self.commit(Decision { events: vec![event], ..Decision::default() });
            }
            Step::Allow(number) => {
                let event = LogEvent::RuleSet { rule: rule(number), by: None };
                self.commit(Decision { events: vec![event], ..Decision::default() });
            }
            Step::Gone(number) => self.say(DiiUp::Gone(twin(number))),
            Step::Describe(number, shared) => {
                let integration = self.base.twins[&twin(0)].info.integration;
                self.say(DiiUp::Describe(Box::new(info(number, shared, integration))));
                self.say(DiiUp::Reachable { twin: twin(number), feature: None, reachable: true });
            }
        }
    }

    pub fn act(&mut self, number: usize, on: usize, named: bool) -> Result<Response, Refusal> {
        self.commands[number] = self.commands[number].wrapping_add(1);
        let mut id = [number as u8; 16];
        id[1] = self.commands[number];
        id[2..10].copy_from_slice(&self.now.0.to_be_bytes());
        let command = Command {
            id: CommandId(id),
            twin: twin(on),
            feature: FeatureId::slug("bell"),
            action: ActionId::slug("ring"),
            input: None,
            expected_revision: None,
            not_after: self.now.plus(15_000),
            trace: None,
            lease: self.lease_id(number).filter(|_| named),
        };
        self.ask(&user(number), &Request::Actuate(command))
    }
}
