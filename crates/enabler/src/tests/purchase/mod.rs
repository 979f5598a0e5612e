//! Purchases without sockets: a shop that a user has agreed with, and a merchant behind it that keeps its word.

mod binding;
mod confirm;
mod explore;
mod keep;
mod settle;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::*;
use vestibule_protocol::*;

use super::{GUEST, OWNER, home, lamp, lamp_info, metaverse, system_info};
use crate::*;

/// What the lamp costs.
const PRICE: i64 = 3_380;

fn shop() -> SystemId {
    SystemId::slug("shop")
}

fn euro(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

fn checkout(name: &str) -> CheckoutId {
    CheckoutId::new(name).unwrap()
}

fn order(name: &str) -> OrderId {
    OrderId::new(name).unwrap()
}

fn serial() -> Serial {
    Serial::new("W1042-0001").unwrap()
}

fn user() -> UserId {
    UserId::slug(OWNER_ROLE)
}

fn design() -> DesignHash {
    DesignHash(ContentHash([9; 32]))
}

/// A checkout as the shop's service answers it.
fn shown(name: &str, total: i64) -> serde_json::Value {
    serde_json::json!({
        "ucp": { "version": "2026-04-08" },
        "id": name, "status": "ready_for_complete", "currency": "EUR",
        "line_items": [{ "id": "li_1", "com.example.vestibule.fabrication": { "design": design(), "material": "pla" } }],
        "totals": [
            { "type": "subtotal", "amount": total - 490 }, { "type": "fulfillment", "amount": 590 },
            { "type": "discount", "amount": -100 }, { "type": "total", "amount": total }
        ],
        "links": []
    })
}

fn confirmation(number: u8, name: &str) -> Confirmation {
    Confirmation {
        id: PurchaseId([number; 16]),
        system: shop(),
        checkout: checkout(name),
        shown: CallId([number; 16]),
        total: euro(PRICE),
        most: euro(PRICE),
        pay: PayWith { handler: "sandbox".to_owned(), instrument: "sandbox".to_owned() },
        designs: BTreeMap::from([(LineId::new("li_1").unwrap(), design())]),
    }
}

/// An order of one lamp.
fn view(events: u32, total: i64) -> OrderView {
    let line = OrderLine {
        id: LineId::new("li_1").unwrap(),
        item: "made_7f3c".to_owned(),
        title: "Lamp".to_owned(),
        price: euro(total),
        ordered: 1,
        total: 1,
        fulfilled: 0,
        design: Some(design()),
        serials: Vec::new(),
        certificates: BTreeMap::new(),
        making: Some(Making::Queued { ahead: 2 }),
        carrying: Carrying::Nothing,
        measured: None,
    };
    OrderView {
        lines: vec![line],
        total: euro(total),
        refunded: euro(0),
        notes: Vec::new(),
        expected: None,
        cancellable: true,
        permalink: "https://shop.example/orders".to_owned(),
        mark: SnapshotMark {
            events,
            adjustments: 0,
            last: None,
            digest: ContentHash::of(&events.to_be_bytes()),
            revision: None,
        },
    }
}

/// A user, a shop that they have agreed with, and whatever the shop was asked.
#[derive(Clone)]
struct Street {
    state: State,
    hot: Hot,
    now: Timestamp,
    log: Vec<(Timestamp, LogEvent)>,
    to_settle: BTreeSet<PurchaseId>,
    asked: Vec<TradeAsk>,
    updates: Vec<PurchaseUpdate>,
}

impl Street {
    fn new() -> Self {
        let mut street = Self {
            state: State::default(),
            hot: Hot::default(),
            now: Timestamp(1_700_000_000_000),
            log: Vec::new(),
            to_settle: BTreeSet::new(),
            asked: Vec::new(),
            updates: Vec::new(),
        };
        street.commit(default_rules());
        for (certificate, role) in [(OWNER, OWNER_ROLE), (GUEST, GUEST_ROLE)] {
            let decision = enroll(&street.state, certificate, &UserId::slug(role), &[RoleId::slug(role)], "x").unwrap();
            street.commit(decision.events);
        }
        let mut info = SystemInfo::new(shop(), SystemKind::ThirdParty, "Shop");
        info.services.insert(ServiceId::slug("checkout"), ServiceInfo::new("checkout"));
        let owner = Identity::Certificate(Fingerprint([11; 32]));
        let salt = ContentHash::of(b"salt");
        street.commit(vec![
            LogEvent::PseudonymsSalted { salt },
            LogEvent::SystemRegistered { info: system_info(), owner: Identity::Local(home()) },
            LogEvent::TwinDescribed { info: lamp_with(&[]).into() },
            LogEvent::SystemRegistered { info, owner },
        ]);
        street.agree(&user(), OWNER);
        street
    }

    /// The same, and the user has seen a checkout of each name, by calls of the numbers 1 and up.
    fn shown(names: &[&str]) -> Self {
        let mut street = Self::new();
        for (number, name) in (1..).zip(names) {
            street.show(number, "checkout", &shown(name, PRICE));
        }
        street
    }

    fn agree(&mut self, user: &UserId, device: Fingerprint) {
        let authorization = Authorization {
            system: shop(),
            pseudonym: pseudonym(&self.state, &shop(), user).unwrap(),
            services: [ServiceId::slug("checkout")].into(),
            share: Sharing::default(),
            until: self.now.plus(1_000_000_000),
            account: None,
            since: self.now,
        };
        self.commit(vec![LogEvent::Authorized {
            user: user.clone(),
            by: Identity::Certificate(device),
            authorization,
        }]);
    }

    /// A call of the user's that has succeeded with this answer.
    fn show(&mut self, number: u8, service: &str, answer: &serde_json::Value) {
        let (call, step, user) = (CallId([number; 16]), StepKey::slug("only"), user());
        let one = CallStep {
            key: step.clone(),
            system: shop(),
            service: ServiceId::slug(service),
            input: Vec::new(),
            undo: Vec::new(),
            timeout_ms: None,
        };
        let (input, not_after) = (Json::default(), self.now.plus(60_000));
        let asked = Collaboration { id: call, input: input.clone(), steps: vec![one], not_after, trace: None };
        let owner = Identity::Certificate(Fingerprint([11; 32]));
        let plan = StepPlan {
            owner,
            user: pseudonym(&self.state, &shop(), &user).unwrap(),
            account: None,
            timeout_ms: 1_000,
            idempotent: true,
            undo: None,
        };
        let (by, request) = (Identity::Certificate(OWNER), ContentHash([number; 32]));
        let end = StepEnd::Done { output: Json::new(answer.to_string()).unwrap() };
        self.commit(vec![
            LogEvent::CallAccepted { user: user.clone(), call: Box::new(asked), by, request, plans: vec![plan] },
            LogEvent::StepDispatched { call, user: user.clone(), step: step.clone(), undo: false, input: Some(input) },
            LogEvent::StepEnded { call, user: user.clone(), step, undo: false, end },
            LogEvent::CallEnded { call, user, status: CallStatus::Succeeded },
        ]);
    }

    /// As the hub does it: written, then applied, then followed.
    fn commit(&mut self, events: Vec<LogEvent>) {
        for event in events {
            let (_, event) = event.written().unwrap();
            self.state.apply(self.now, &event);
            let changes = self.hot.follow(&self.state, self.now, &event);
            self.to_settle.extend(changes.purchases);
            self.updates.extend(changes.purchase_updates);
            self.log.push((self.now, event));
        }
    }

    fn act(&mut self, decision: Decision) -> Option<Response> {
        self.commit(decision.events);
        for effect in decision.effects {
            if let crate::Effect::Trade(ask) = effect {
                if let TradeAsk::Look { purchase, .. } | TradeAsk::Session { purchase, .. } = ask.as_ref() {
                    self.hot.purchase_asked(*purchase, self.now);
                }
                self.asked.push(*ask);
            }
        }
        decision.reply
    }

    fn ask(&mut self, device: Fingerprint, request: &Request) -> Result<Response, Refusal> {
        let decision = decide(&self.state, &self.hot, self.now, &metaverse(device), request)?;
        Ok(self.act(decision).unwrap_or(Response::Done))
    }

    fn update(&mut self, request: &Request) -> Result<PurchaseUpdate, Refusal> {
        match self.ask(OWNER, request)? {
            Response::Purchase(update) => Ok(*update),
            other => panic!("{other:?}"),
        }
    }

    fn confirm(&mut self, said: &Confirmation) -> Result<PurchaseUpdate, Refusal> {
        let update = self.update(&Request::Confirm(Box::new(said.clone())));
        self.settle();
        update
    }

    fn cancel(&mut self, number: u8) -> PurchaseUpdate {
        let update = self.update(&Request::CancelPurchase(PurchaseId([number; 16]))).unwrap();
        self.settle();
        update
    }

    /// What follows by now, until nothing does.
    fn settle(&mut self) {
        while !self.to_settle.is_empty() {
            let purchases = std::mem::take(&mut self.to_settle);
            let decision = settle_purchases(&self.state, &self.hot, self.now, &purchases);
            self.act(decision);
        }
    }

    fn pass(&mut self, millis: u64) {
        let until = self.now.plus(millis);
        self.settle();
        while let Some(at) = super::next_end(&self.hot).filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let (changes, events) = self.hot.due(self.now);
            self.to_settle.extend(changes.purchases);
            self.commit(events);
            self.settle();
        }
        self.now = self.now.max(until);
    }

    /// A merchant says something, as the hub takes it. Whether it was news.
    fn hear(&mut self, said: &TradeUp) -> bool {
        let heard = heard(&self.state, said);
        let Some(purchase) = heard.purchase else { return false };
        if heard.is_answer {
            let changes = self.hot.purchase_answered(&self.state, self.now, purchase, heard.doubt);
            self.updates.extend(changes.purchase_updates);
        } else if heard.look {
            self.hot.purchase_unclear(purchase, self.now);
        }
        let is_news = !heard.events.is_empty();
        self.commit(heard.events);
        self.settle();
        is_news
    }

    fn told(&mut self, number: u8, told: Told) -> bool {
        self.hear(&TradeUp::Told { purchase: PurchaseId([number; 16]), system: shop(), told })
    }

    /// What the shop was asked since the last look.
    fn asks(&mut self) -> Vec<TradeAsk> {
        std::mem::take(&mut self.asked)
    }

    fn state_of(&self, number: u8) -> PurchaseState {
        self.state.purchases[&PurchaseId([number; 16])].state()
    }

    /// Killed and started again: only the log is left.
    fn restart(&mut self) {
        let mut state = State::default();
        for (at, event) in &self.log {
            state.apply(*at, &LogEvent::read(&event.written().unwrap().0).unwrap());
        }
        assert_eq!(state, self.state, "state is a fold of the log");
        self.hot = Hot::restore(&state, self.now);
        self.state = state;
        self.to_settle.clear();
        self.pass(0);
    }
}

/// The lamp, whose device tells these serial numbers.
fn lamp_with(serials: &[&str]) -> TwinInfo {
    let mut info = lamp_info();
    let ids = serials.iter().map(|value| PhysicalId { kind: "serial".to_owned(), value: (*value).to_owned() });
    info.physical_ids.extend(ids);
    info
}
