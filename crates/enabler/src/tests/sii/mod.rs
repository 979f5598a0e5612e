//! A market without sockets: third-party systems, what users agree with them, and calls over several of them.

mod agreements;
mod calls;
mod chaos;

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::*;
use vestibule_protocol::*;

use super::{GUEST, OWNER, home, lamp, lamp_info, metaverse, next_end, system_info};
use crate::*;

fn shop() -> SystemId {
    SystemId::slug("shop")
}

fn kitchen() -> SystemId {
    SystemId::slug("kitchen")
}

fn services(names: &[&str]) -> BTreeSet<ServiceId> {
    names.iter().map(|name| ServiceId::slug(name)).collect()
}

fn key(name: &str) -> StepKey {
    StepKey::slug(name)
}

/// `order` acts each time it is asked and `cancel` takes it back; `reserve` acts once and `release` takes it back, but
/// only once; `tell` acts each time and nothing takes it back; `look` changes nothing.
fn info(system: &SystemId) -> SystemInfo {
    let mut info = SystemInfo::new(system.clone(), SystemKind::ThirdParty, system.as_str());
    let mut offer = |name: &str, idempotent: bool, undo: Option<&str>| {
        let service =
            ServiceInfo { idempotent, undo: undo.map(ServiceId::slug), timeout_ms: 1_000, ..ServiceInfo::new(name) };
        info.services.insert(ServiceId::slug(name), service);
    };
    offer("order", false, Some("cancel"));
    offer("cancel", true, None);
    offer("reserve", true, Some("release"));
    offer("release", false, None);
    offer("tell", false, None);
    offer("look", true, None);
    info
}

fn step(name: &str, system: &SystemId, service: &str) -> CallStep {
    CallStep {
        key: key(name),
        system: system.clone(),
        service: ServiceId::slug(service),
        input: Vec::new(),
        undo: Vec::new(),
        timeout_ms: None,
    }
}

struct Market {
    state: State,
    hot: Hot,
    log: Vec<(Timestamp, LogEvent)>,
    now: Timestamp,
    to_advance: BTreeSet<CallId>,
    /// What the hub would have sent, in order.
    told: Vec<(SystemId, SiiDown)>,
    updates: Vec<CallUpdate>,
    deauthorized: Vec<(UserId, SystemId)>,
    /// Kill it after so many lines of the log; whether what follows from the last one was done before.
    crash: Option<(usize, bool)>,
    crashes: usize,
    next_id: u8,
}

impl Market {
    /// A lamp at home that is off, and two systems that nobody has agreed with.
    fn new() -> Self {
        let mut market = Self {
            state: State::default(),
            hot: Hot::default(),
            log: Vec::new(),
            now: Timestamp(1_700_000_000_000),
            to_advance: BTreeSet::new(),
            told: Vec::new(),
            updates: Vec::new(),
            deauthorized: Vec::new(),
            crash: None,
            crashes: 0,
            next_id: 0,
        };
        market.commit(default_rules());
        for (certificate, role) in [(OWNER, OWNER_ROLE), (GUEST, GUEST_ROLE)] {
            let decision = enroll(&market.state, certificate, &UserId::slug(role), &[RoleId::slug(role)], "x").unwrap();
            market.commit(decision.events);
        }
        market.commit(vec![LogEvent::PseudonymsSalted { salt: ContentHash::of(b"salt") }]);
        let mut home_actor = Actor::greeted(Identity::Local(home()), Party::TwinSystem);
        market.ask(&home_actor, &Request::Dii(DiiUp::Register(system_info()))).unwrap();
        home_actor.system = Some(home());
        market.ask(&home_actor, &Request::Dii(DiiUp::Describe(Box::new(lamp_info())))).unwrap();
        for (system, certificate) in [(shop(), 11), (kitchen(), 12)] {
            let role = [RoleId::slug("third_party")];
            let device = Fingerprint([certificate; 32]);
            let decision = enroll(&market.state, device, &UserId::slug(system.as_str()), &role, "x").unwrap();
            market.commit(decision.events);
            market.ask(&market.system(&system), &Request::Sii(SiiUp::Register(Box::new(info(&system))))).unwrap();
        }
        market.connect();
        market
    }

    /// The same, and the owner has agreed with both about everything.
    fn agreed() -> Self {
        let mut market = Self::new();
        for system in [shop(), kitchen()] {
            market.agree(&system, Sharing { answers_of: [shop(), kitchen()].into(), ..Sharing::default() });
        }
        market
    }

    fn system(&self, system: &SystemId) -> Actor {
        let certificate = if *system == shop() { 11 } else { 12 };
        let identity = Identity::Certificate(Fingerprint([certificate; 32]));
        Actor { system: Some(system.clone()), ..Actor::greeted(identity, Party::ThirdParty) }
    }

    fn connect(&mut self) {
        for system in [home(), shop(), kitchen()] {
            self.attach(&system);
        }
    }

    fn attach(&mut self, system: &SystemId) {
        let changes = self.hot.attach(system, 0, self.now);
        self.take(changes);
        self.to_advance.extend(calls_at(&self.state, system));
    }

    fn detach(&mut self, system: &SystemId) {
        let changes = self.hot.detach(system, self.now);
        self.take(changes);
    }

    /// Whether it was killed by these lines.
    fn commit(&mut self, events: Vec<LogEvent>) -> bool {
        for event in events {
            let (_, event) = event.written().unwrap();
            self.state.apply(self.now, &event);
            self.log.push((self.now, event));
        }
        self.crash.is_some_and(|(lines, _)| self.log.len() >= lines)
    }

    fn take(&mut self, changes: Changes) {
        self.to_advance.extend(changes.calls);
        self.updates.extend(changes.call_updates);
        self.deauthorized.extend(changes.deauthorized);
    }

    fn act(&mut self, decision: Decision) -> Option<Response> {
        let from = self.log.len();
        let wrote = !decision.events.is_empty();
        let killed = self.commit(decision.events) && wrote;
        if killed && !self.crash.is_some_and(|(_, acts)| acts) {
            self.kill();
            return None;
        }
        let mut changes = Changes::default();
        for (at, event) in &self.log[from..] {
            changes.merge(self.hot.follow(&self.state, *at, event));
        }
        self.take(changes);
        for effect in decision.effects {
            match effect {
                crate::Effect::Tell { system, message } => self.told.push((system, *message)),
                crate::Effect::Invoke { system, invocation } => self.told.push((system, SiiDown::Invoke(invocation))),
                crate::Effect::CountLate(system) => self.hot.count_late(&system),
                _ => {}
            }
        }
        if killed {
            self.kill();
        }
        decision.reply
    }

    /// Killed and started again: only the log is left. Systems come back at once.
    fn kill(&mut self) {
        self.crash = None;
        self.crashes += 1;
        let mut state = State::default();
        for (at, event) in &self.log {
            state.apply(*at, &LogEvent::read(&event.written().unwrap().0).unwrap());
        }
        assert_eq!(state, self.state, "state is a fold of the log");
        self.hot = Hot::restore(&state, self.now);
        self.state = state;
        self.to_advance.clear();
        self.now = self.now.plus(1);
        self.connect();
    }

    fn ask(&mut self, actor: &Actor, request: &Request) -> Result<Response, Refusal> {
        let decision = decide(&self.state, &self.hot, self.now, actor, request)?;
        match self.act(decision).unwrap_or(Response::Done) {
            Response::Refused(refusal) => Err(refusal),
            response => Ok(response),
        }
    }

    fn say(&mut self, system: &SystemId, message: SiiUp) -> Result<Response, Refusal> {
        self.ask(&self.system(system), &Request::Sii(message))
    }

    /// What follows by now, until nothing does.
    fn settle(&mut self) {
        while !self.to_advance.is_empty() {
            let calls = std::mem::take(&mut self.to_advance);
            let decision = advance(&self.state, &self.hot, self.now, &calls);
            self.act(decision);
        }
    }

    fn pass(&mut self, millis: u64) {
        let until = self.now.plus(millis);
        self.settle();
        while let Some(at) = next_end(&self.hot).filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let (changes, events) = self.hot.due(self.now);
            self.take(changes);
            self.act(Decision { events, ..Decision::default() });
            self.settle();
        }
        self.now = self.now.max(until);
    }

    fn propose(&self, device: Fingerprint, system: &SystemId, share: &Sharing) -> Result<Proposal, Refusal> {
        let all = services(&["order", "reserve", "tell", "look"]);
        let until = self.now.plus(3_600_000);
        propose(&self.state, &self.hot, self.now, &metaverse(device), system, &all, share, until)
    }

    fn agree(&mut self, system: &SystemId, share: Sharing) -> Authorization {
        self.agree_as(OWNER, system, share)
    }

    fn agree_as(&mut self, device: Fingerprint, system: &SystemId, share: Sharing) -> Authorization {
        let proposal = self.propose(device, system, &share).unwrap();
        let answer = AuthorizationAnswer::Granted {
            services: proposal.services.clone(),
            until: proposal.until,
            account: Some("A-7".to_owned()),
        };
        let decision = proposal.agree(&self.state, self.now, &answer).unwrap();
        match self.act(decision) {
            Some(Response::Authorized(authorization)) => authorization,
            other => panic!("{other:?}"),
        }
    }

    fn call(&mut self, steps: Vec<CallStep>) -> Collaboration {
        self.next_id += 1;
        Collaboration { id: CallId([self.next_id; 16]), ..self.call_at(steps) }
    }

    /// The same, whatever its id.
    fn call_at(&self, steps: Vec<CallStep>) -> Collaboration {
        Collaboration {
            id: CallId([0; 16]),
            input: Json::new(r#"{"item":"lamp","count":2}"#).unwrap(),
            steps,
            not_after: self.now.plus(60_000),
            trace: None,
        }
    }

    fn invoke(&mut self, call: &Collaboration) -> Result<CallUpdate, Refusal> {
        self.invoke_as(OWNER, call)
    }

    fn invoke_as(&mut self, device: Fingerprint, call: &Collaboration) -> Result<CallUpdate, Refusal> {
        match self.ask(&metaverse(device), &Request::Invoke(Box::new(call.clone())))? {
            Response::Call(update) => {
                self.settle();
                Ok(update)
            }
            // Killed before it was said.
            Response::Done => Err(Refusal::new(RefusalCode::Unavailable, "killed")),
            other => panic!("{other:?}"),
        }
    }

    /// A call that was accepted and has begun.
    fn begin(&mut self, steps: Vec<CallStep>) -> CallId {
        let call = self.call(steps);
        self.invoke(&call).unwrap();
        call.id
    }

    fn done(&mut self, system: &SystemId, call: CallId, name: &str, undo: bool, output: &str) -> Result<(), Refusal> {
        self.answer(system, call, name, undo, CallResult::Done(Answer::new(output)))
    }

    fn answer(
        &mut self,
        system: &SystemId,
        call: CallId,
        name: &str,
        undo: bool,
        result: CallResult,
    ) -> Result<(), Refusal> {
        let said = self.say(system, SiiUp::Result { call, step: key(name), undo, result }).map(|_| ());
        self.settle();
        said
    }

    /// What was asked of systems since the last look.
    fn invoked(&mut self) -> Vec<Invocation> {
        let told = std::mem::take(&mut self.told).into_iter();
        told.filter_map(|(_, message)| match message {
            SiiDown::Invoke(invocation) => Some(*invocation),
            _ => None,
        })
        .collect()
    }

    fn status(&self, call: CallId) -> CallStatus {
        self.state.calls[&call].update().status
    }

    fn steps(&self, call: CallId) -> BTreeMap<StepKey, StepStatus> {
        let update = self.state.calls[&call].update();
        update.steps.into_iter().map(|step| (step.key, step.status)).collect()
    }
}
