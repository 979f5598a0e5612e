//! A merchant that says what a test wants, and what it was asked.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use vestibule_model::{
    Authorization, CallId, CallStatus, CallUpdate, Confirmation, ContentHash, Json, Money, PayWith, Pseudonym,
    PurchaseState, PurchaseUpdate, RuleId, ServiceId, ServiceInfo, Sharing, StepKey, StepStatus, StepUpdate,
    SystemHealth, SystemId, SystemInfo, SystemKind, Timestamp, UserId,
};
use vestibule_twin::{
    AddressBook, Giving, KnownPurchases, KnownServices, KnownSystem, KnownSystems, ManagePurchases, Shop, ShopView,
};

use crate::{
    desk::{Around, Desk, Effect, SERVICES},
    glance::Measuring,
    person::tests::home,
};

pub(crate) fn shop() -> SystemId {
    SystemId::slug("shop")
}

pub(crate) fn euro(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

/// A merchant that says what a test wants, and what it was asked.
pub(crate) struct Scene {
    pub(crate) desk: Desk,
    pub(crate) connected: bool,
    pub(crate) systems: KnownSystems,
    pub(crate) services: KnownServices,
    pub(crate) purchases: KnownPurchases,
    pub(crate) addresses: AddressBook,
    pub(crate) now: u64,
    /// Calls that were made and not answered.
    pub(crate) asked: VecDeque<(CallId, &'static str, Value)>,
    pub(crate) managed: Vec<ManagePurchases>,
    pub(crate) others: Vec<Effect>,
    pub(crate) price: i64,
    pub(crate) places: Vec<Measuring>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let mut info = SystemInfo::new(shop(), SystemKind::ThirdParty, "The shop");
        let mut usable = BTreeMap::new();
        for service in SERVICES {
            info.services.insert(ServiceId::slug(service), ServiceInfo::new(service));
            usable.insert(ServiceId::slug(service), RuleId::slug("rule"));
        }
        let health = SystemHealth { online: true, ..SystemHealth::default() };
        let agreed = Authorization {
            system: shop(),
            pseudonym: Pseudonym::slug("u-1"),
            services: usable.keys().cloned().collect(),
            share: Sharing::default(),
            until: Timestamp(1_000_000_000),
            account: None,
            since: Timestamp(0),
        };
        let known = KnownSystem { info, health, usable };
        Self {
            desk: Desk::new([1; 16]),
            connected: true,
            systems: KnownSystems { systems: [(shop(), known)].into(), complete: true, problem: None },
            services: KnownServices { agreed: [(shop(), agreed)].into(), complete: true, ..KnownServices::default() },
            purchases: KnownPurchases::default(),
            addresses: AddressBook { addresses: vec![home()] },
            now: 1_000,
            asked: VecDeque::new(),
            managed: Vec::new(),
            others: Vec::new(),
            price: 3_900,
            places: Vec::new(),
        }
    }

    pub(crate) fn work<T>(&mut self, work: impl FnOnce(&mut Desk, &Around<'_>) -> T) -> T {
        let around = Around {
            connected: self.connected,
            enabler: "",
            places: &self.places,
            systems: &self.systems,
            services: &self.services,
            purchases: &self.purchases,
            addresses: &self.addresses,
            now: Some(Timestamp(self.now)),
        };
        work(&mut self.desk, &around)
    }

    pub(crate) fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Call { call, system, service, input } => {
                    self.services.begin(call, system, ServiceId::slug(service));
                    self.asked.push_back((call, service, input.value()));
                }
                Effect::Manage(wish) => self.managed.push(wish),
                other => self.others.push(other),
            }
        }
    }

    pub(crate) fn wish(&mut self, wish: Shop) {
        let effects = self.work(|desk, around| desk.wish(&wish, around));
        self.take(effects);
    }

    pub(crate) fn follow(&mut self) {
        let effects = self.work(|desk, around| desk.follow(around));
        self.take(effects);
    }

    pub(crate) fn view(&mut self) -> ShopView {
        self.work(|desk, around| desk.view(around))
    }

    pub(crate) fn cart(&mut self) -> vestibule_twin::ShopCart {
        self.view().carts.get(&shop()).cloned().expect("there is a cart")
    }

    pub(crate) fn why_not(&mut self) -> String {
        self.cart().why_not.unwrap_or_default()
    }

    pub(crate) fn end(&mut self, call: CallId, status: CallStatus, output: Option<Value>) {
        let (key, at) = (StepKey::slug("use"), Timestamp(self.now));
        let service = ServiceId::slug("checkout");
        let step = StepUpdate { key, system: shop(), service, status: StepStatus::Done, attempts: 1, at };
        let output = output.map(|output| Json::of(&output).unwrap());
        let update = CallUpdate { call, user: UserId::slug("ada"), status, steps: vec![step], output, at };
        self.services.take(update);
    }

    /// Answers the oldest call with this.
    pub(crate) fn answer(&mut self, output: Value) -> (&'static str, Value) {
        let (call, service, input) = self.asked.pop_front().expect("something was asked");
        self.end(call, CallStatus::Succeeded, Some(output));
        self.follow();
        (service, input)
    }

    pub(crate) fn refuse(&mut self, reason: &str) {
        let (call, ..) = self.asked.pop_front().expect("something was asked");
        self.end(call, CallStatus::Failed { reason: reason.to_owned(), kept: Vec::new() }, None);
        self.follow();
    }

    /// What an honest merchant answers to a checkout.
    pub(crate) fn checkout(&self, input: &Value) -> Value {
        let quantity = input["line_items"][0]["quantity"].as_i64().unwrap();
        let item = input["line_items"][0]["item"]["id"].clone();
        let subtotal = self.price * quantity;
        let told = input.get("buyer").is_some();
        let option = input.pointer("/fulfillment/methods/0/groups/0/selected_option_id").cloned();
        let carried = if option.is_some() { 490 } else { 0 };
        let mut messages = Vec::new();
        let mut say = |code: &str, content: &str| {
            messages.push(json!({"type": "error", "code": code, "content": content, "severity": "recoverable"}));
        };
        if !told {
            say("missing", "Where does it go?");
        } else if option.is_none() {
            say("missing", "How is it brought?");
        }
        let ready = told && option.is_some();
        let mut totals = vec![json!({"type": "subtotal", "amount": subtotal})];
        if ready {
            totals.push(json!({"type": "fulfillment", "amount": carried, "display_text": "Standard"}));
        }
        totals.push(json!({"type": "total", "amount": subtotal + carried}));
        let mut checkout = json!({
            "ucp": {"version": "2026-04-08", "payment_handlers": {"com.example.vestibule.sandbox_pay": [{
                "id": "sandbox_1", "version": "2026-11-26", "available_instruments": [{"type": "sandbox"}]}]}},
            "id": input.get("id").cloned().unwrap_or_else(|| "chk_01".into()),
            "status": if ready { "ready_for_complete" } else { "incomplete" },
            "currency": "EUR",
            "line_items": [{"id": "li_1", "item": {"id": item, "title": "Desk lamp", "price": self.price},
                "quantity": quantity, "totals": [{"type": "total", "amount": subtotal}]}],
            "totals": totals,
            "links": [{"type": "terms_of_service", "url": "https://shop.example/terms"}],
            "messages": messages,
        });
        if told {
            let mut group = json!({"id": "grp_1", "line_item_ids": ["li_1"], "options": [
                {"id": "standard", "title": "Standard", "totals": [{"type": "total", "amount": 490}]},
                {"id": "express", "title": "Express", "totals": [{"type": "total", "amount": 490}]}]});
            if let Some(option) = option {
                group["selected_option_id"] = option;
            }
            checkout["fulfillment"] = json!({"methods": [{"id": "m_1", "type": "shipping", "line_item_ids": ["li_1"],
                "destinations": [{"id": "dest_1"}], "selected_destination_id": "dest_1", "groups": [group]}]});
        }
        checkout
    }

    /// Answers the oldest call as an honest merchant does.
    pub(crate) fn serve(&mut self) -> (&'static str, Value) {
        let (_, _, input) = self.asked.front().cloned().expect("something was asked");
        let output = self.checkout(&input);
        self.answer(output)
    }

    pub(crate) fn add(&mut self, quantity: u32) {
        self.wish(Shop::Add { system: shop(), items: vec![("lamp".to_owned(), quantity)] });
    }

    pub(crate) fn pay(&self) -> PayWith {
        PayWith { handler: "sandbox_1".to_owned(), instrument: "sandbox-ok".to_owned() }
    }

    /// A cart that can be confirmed.
    pub(crate) fn ready() -> Self {
        let mut scene = Self::new();
        scene.add(1);
        scene.serve();
        scene.wish(Shop::Address { system: shop(), address: 0 });
        scene.wish(Shop::Send(shop()));
        let hash = scene.given();
        scene.purchases.given.insert(hash, Giving::There);
        scene.follow();
        scene.serve();
        scene.wish(Shop::Deliver { system: shop(), group: "grp_1".to_owned(), option: "standard".to_owned() });
        scene.serve();
        let with = scene.pay();
        scene.wish(Shop::Pay { system: shop(), with });
        assert_eq!(scene.cart().why_not, None, "{:?}", scene.cart());
        scene
    }

    /// What was given last.
    pub(crate) fn given(&mut self) -> ContentHash {
        match self.managed.pop() {
            Some(ManagePurchases::Give(given)) => given.hash,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn confirm(&mut self, shown: Money) -> Option<Confirmation> {
        self.managed.clear();
        self.wish(Shop::Confirm { system: shop(), shown });
        match self.managed.pop() {
            None => None,
            Some(ManagePurchases::Confirm(confirmation)) => Some(*confirmation),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn told(&mut self, confirmed: &Confirmation, state: PurchaseState) {
        self.purchases.in_doubt.remove(&confirmed.id);
        self.purchases.by_id.insert(
            confirmed.id,
            PurchaseUpdate {
                id: confirmed.id,
                user: UserId::slug("ada"),
                system: shop(),
                checkout: confirmed.checkout.clone(),
                state,
                total: confirmed.total,
                order: None,
                checked: None,
                said: None,
                confirmed: Timestamp(self.now),
                at: Timestamp(self.now),
            },
        );
        self.follow();
    }
}
