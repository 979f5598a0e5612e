//! What a person asks for while they buy, and what has to be asked of others for it. Pure: the clock, the enabler's
//! answers and random names are arguments.

use std::collections::{BTreeMap, BTreeSet};

use bevy::prelude::Resource;
use serde_json::json;
use vestibule_model::{CallId, Json, RefusalCode, ServiceId, Sharing, SystemId, SystemKind, Timestamp, TwinId};
use vestibule_twin::{
    AddressBook, DesignPackage, KnownPurchases, KnownServices, KnownSystem, KnownSystems, ManagePurchases, Shop,
    ShopAsk, ShopGoods, ShopMerchant, ShopView, UseServices,
};
use vestibule_ucp::SearchAnswer;

use crate::{
    cart::Cart,
    glance::{self, Measuring},
    ids::Ids,
    quote::Quote,
    read,
};

/// Services that buying needs, as far as a merchant has them.
pub(crate) const SERVICES: [&str; 7] =
    ["search", "look_up", "quote", "checkout", "look_checkout", "cancel_checkout", "recipes"];
/// How long an agreement holds that is made here: a month.
pub(crate) const AGREED_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Products of one answer.
const PAGE: u32 = 30;
/// Letters of what is looked for.
const MOST_WORDS: usize = 200;
/// Measured places that are offered to be shown: as many as a manufacturer looks at.
const MOST_PLACES: usize = 4;
/// Carts at once: more merchants than a home deals with in one evening.
const MOST_CARTS: usize = 16;

/// Something to be asked of others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Which systems are there?
    Discover,
    /// Agreements.
    Use(UseServices),
    /// A service of a merchant, under a name that its answer is found by.
    Call { call: CallId, system: SystemId, service: &'static str, input: Json },
    /// Purchases, and what they refer to.
    Manage(ManagePurchases),
    /// The open design as a package.
    Package,
}

/// What is known around the desk.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub connected: bool,
    /// What people call the enabler that answers, or answered last.
    pub enabler: &'a str,
    /// Twins that have measured a free place.
    pub places: &'a [Measuring],
    pub systems: &'a KnownSystems,
    pub services: &'a KnownServices,
    pub purchases: &'a KnownPurchases,
    pub addresses: &'a AddressBook,
    /// By the enabler's clock.
    pub now: Option<Timestamp>,
}

impl Around<'_> {
    /// What people call a merchant.
    pub(crate) fn name(&self, system: &SystemId) -> String {
        merchant_name(self.systems, system)
    }

    /// Whether a service may be used now.
    fn agreed(&self, system: &SystemId, service: &str) -> bool {
        let agreed = self.services.valid(system, self.now);
        agreed.is_some_and(|agreed| agreed.services.iter().any(|one| one.as_str() == service))
    }

    /// The answer to a call, once there is one. A link that broke is one: what was asked changes nothing by being asked
    /// again, and whoever waits should know.
    fn answer(&self, id: CallId) -> Option<Result<Json, String>> {
        let call = self.services.calls.iter().find(|call| call.call == id)?;
        match (&call.update, &call.problem) {
            (Some(update), _) if update.status.is_final() => {
                let output = update.output.clone().filter(|_| update.status == vestibule_model::CallStatus::Succeeded);
                Some(output.ok_or_else(|| read::words(&update.status.to_string())))
            }
            (None, Some(problem)) if problem.code == RefusalCode::Unavailable => {
                Some(Err("The enabler could not be reached: try again.".to_owned()))
            }
            (None, Some(problem)) => Some(Err(problem.to_string())),
            _ => None,
        }
    }
}

/// What was looked for.
#[derive(Clone, Debug, Default)]
struct Search {
    words: String,
    waiting: BTreeMap<SystemId, CallId>,
    goods: BTreeMap<SystemId, Vec<ShopGoods>>,
    failed: BTreeMap<SystemId, String>,
}

/// All of it.
#[derive(Resource, Clone, Debug, Default)]
pub(crate) struct Desk {
    ids: Ids,
    search: Search,
    quotes: BTreeMap<SystemId, Quote>,
    carts: BTreeMap<SystemId, Cart>,
    problem: Option<String>,
}

fn is_merchant(known: &KnownSystem) -> bool {
    let has = |name: &str| known.info.services.keys().any(|service| service.as_str() == name);
    known.info.kind == SystemKind::ThirdParty && has("checkout")
}

/// A merchant's name as it tells it; its id where it tells none, and beside it where another one is called the same.
pub(crate) fn merchant_name(systems: &KnownSystems, system: &SystemId) -> String {
    let known = systems.systems.get(system);
    let name = known.map(|known| read::words(&known.info.name)).unwrap_or_default();
    if name.is_empty() || name == system.as_str() {
        return system.to_string();
    }
    let mut others = systems.systems.values().filter(|other| other.info.id != *system && is_merchant(other));
    let same = others.any(|other| read::words(&other.info.name).to_lowercase() == name.to_lowercase());
    if same { format!("{name} ({system})") } else { name }
}

fn has(known: &KnownSystem, service: &str) -> bool {
    known.info.services.keys().any(|one| one.as_str() == service)
}

impl Desk {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Self { ids: Ids::new(seed), ..Self::default() }
    }

    /// Follows a wish.
    pub(crate) fn wish(&mut self, wish: &Shop, around: &Around<'_>) -> Vec<Effect> {
        self.problem = None;
        match wish {
            Shop::Look => self.look(),
            Shop::Agree(system) => Self::agree(system, around).into_iter().collect(),
            Shop::Search(words) => self.look_for(words, around),
            Shop::Quote { system, quantity, shows } => self.quote(system, *quantity, shows.as_ref(), around),
            Shop::Hide { system, twin } => Self::hide(system, twin, around).into_iter().collect(),
            Shop::Add { system, items } => self.add(system, items),
            Shop::Count { system, line, quantity } => self.with(system, |cart, _| {
                cart.count(line, *quantity);
                Vec::new()
            }),
            Shop::Address { system, address } => match around.addresses.addresses.get(*address) {
                Some(entry) => self.with(system, |cart, _| {
                    cart.choose_address(*address, around.addresses.addresses.len(), entry);
                    Vec::new()
                }),
                None => self.no("There is no such address."),
            },
            Shop::Send(system) => self.with(system, |cart, ids| cart.send_person(ids, around)),
            Shop::Deliver { system, group, option } => self.with(system, |cart, _| {
                cart.deliver(group, option);
                Vec::new()
            }),
            Shop::Pay { system, with } => self.with(system, |cart, _| {
                cart.pay(with);
                Vec::new()
            }),
            Shop::Confirm { system, shown } => self.with(system, |cart, ids| cart.confirm(system, *shown, around, ids)),
            Shop::Leave(system) => {
                let cart = self.carts.remove(system);
                cart.and_then(|mut cart| cart.leave(system, &mut self.ids)).into_iter().collect()
            }
        }
    }

    fn no(&mut self, why: &str) -> Vec<Effect> {
        self.problem = Some(why.to_owned());
        Vec::new()
    }

    /// Does something with a cart that may be changed, and asks its merchant what follows.
    fn with(&mut self, system: &SystemId, change: impl FnOnce(&mut Cart, &mut Ids) -> Vec<Effect>) -> Vec<Effect> {
        let Some(cart) = self.carts.get_mut(system) else { return self.no("There is nothing in this cart.") };
        if cart.is_bought() {
            return self.no("This cart was confirmed already.");
        }
        let mut effects = change(cart, &mut self.ids);
        effects.extend(cart.next(system, &mut self.ids));
        effects
    }

    /// Everything is brought up to date, and carts that got no answer are asked for again.
    fn look(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::Discover, Effect::Use(UseServices::Look), Effect::Manage(ManagePurchases::Look)];
        for (system, cart) in &mut self.carts {
            cart.again();
            let next = cart.next(system, &mut self.ids);
            effects.extend(next.or_else(|| cart.look(system, &mut self.ids)));
        }
        effects
    }

    /// Its services, nothing about the person.
    fn agree(system: &SystemId, around: &Around<'_>) -> Option<Effect> {
        let known = around.systems.systems.get(system).filter(|known| is_merchant(known))?;
        let wanted = |service: &&ServiceId| SERVICES.contains(&service.as_str());
        let services: BTreeSet<ServiceId> = known.usable.keys().filter(wanted).cloned().collect();
        let share = Sharing::default();
        Some(Effect::Use(UseServices::Agree { system: system.clone(), services, share, for_ms: AGREED_MS }))
    }

    /// Asks what so many of the open design cost; meanwhile the manufacturer may see the place that `shows` has measured.
    fn quote(&mut self, system: &SystemId, quantity: u32, shows: Option<&TwinId>, around: &Around<'_>) -> Vec<Effect> {
        let place = shows.map(|twin| around.places.iter().find(|place| place.twin == *twin).cloned());
        if place == Some(None) {
            return self.no("Nothing there measures a free place any more: ask without it.");
        }
        let (quote, effect) = Quote::begin(quantity, place.flatten(), self.quotes.remove(system));
        self.quotes.insert(system.clone(), quote);
        vec![effect]
    }

    /// What is agreed, without this twin.
    fn hide(system: &SystemId, twin: &TwinId, around: &Around<'_>) -> Option<Effect> {
        let agreed = around.services.valid(system, around.now)?;
        let mut share = agreed.share.clone();
        share.twins.remove(twin)?;
        let for_ms = around.now.map_or(AGREED_MS, |now| agreed.until.since(now));
        let (system, services) = (system.clone(), agreed.services.clone());
        Some(Effect::Use(UseServices::Agree { system, services, share, for_ms }))
    }

    fn look_for(&mut self, words: &str, around: &Around<'_>) -> Vec<Effect> {
        let words: String = words.trim().chars().take(MOST_WORDS).collect();
        // Answers to older words are no longer waited for.
        self.search = Search { words: words.clone(), ..Search::default() };
        let query = if words.is_empty() {
            json!({"pagination": {"limit": PAGE}})
        } else {
            json!({"query": words, "pagination": {"limit": PAGE}})
        };
        let Ok(input) = Json::of(&query) else { return self.no("That cannot be looked for.") };
        let mut effects = Vec::new();
        for (system, known) in around.systems.systems.iter().filter(|(_, known)| is_merchant(known)) {
            if has(known, "search") && around.agreed(system, "search") {
                let call = self.ids.call();
                self.search.waiting.insert(system.clone(), call);
                let input = input.clone();
                effects.push(Effect::Call { call, system: system.clone(), service: "search", input });
            }
        }
        if effects.is_empty() {
            return self.no("No shop is agreed with yet.");
        }
        effects
    }

    fn add(&mut self, system: &SystemId, items: &[(String, u32)]) -> Vec<Effect> {
        // What was confirmed is an order by now; this is the next cart.
        if self.carts.get(system).is_some_and(Cart::is_bought) {
            self.carts.remove(system);
        }
        if !self.carts.contains_key(system) && self.carts.len() >= MOST_CARTS {
            return self.no("There are many carts already: leave one first.");
        }
        let cart = self.carts.entry(system.clone()).or_default();
        cart.add(items);
        cart.next(system, &mut self.ids).into_iter().collect()
    }

    /// The open design was written, or cannot be.
    pub(crate) fn packaged(&mut self, packed: &Result<DesignPackage, String>, around: &Around<'_>) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.quotes.values_mut().filter_map(|quote| quote.packaged(packed)).collect();
        // The same package may be there already.
        effects.extend(self.follow(around));
        effects
    }

    /// Takes what others have answered since, and goes on.
    pub(crate) fn follow(&mut self, around: &Around<'_>) -> Vec<Effect> {
        self.found(around);
        let mut effects = Vec::new();
        for (system, quote) in &mut self.quotes {
            if let Some(answer) = quote.waits_for().and_then(|call| around.answer(call)) {
                quote.take(answer);
            }
            effects.extend(quote.follow(system, around, &mut self.ids));
        }
        for (system, cart) in &mut self.carts {
            if let Some(answer) = cart.waits_for().and_then(|call| around.answer(call)) {
                cart.take(answer);
            }
            cart.follow(around);
            effects.extend(cart.next(system, &mut self.ids));
        }
        effects
    }

    fn found(&mut self, around: &Around<'_>) {
        let answered = |(system, call): (&SystemId, &CallId)| Some((system.clone(), around.answer(*call)?));
        let answers: Vec<_> = self.search.waiting.iter().filter_map(answered).collect();
        for (system, answer) in answers {
            self.search.waiting.remove(&system);
            match answer.and_then(|json| read::answer::<SearchAnswer>(&json)) {
                Ok(found) => drop(self.search.goods.insert(system.clone(), read::goods(&system, &found))),
                Err(why) => drop(self.search.failed.insert(system, why)),
            }
        }
    }

    /// What screens show.
    pub(crate) fn view(&self, around: &Around<'_>) -> ShopView {
        let merchants = around.systems.systems.values().filter(|known| is_merchant(known));
        ShopView {
            merchants: merchants.map(|known| merchant(known, self.quotes.get(&known.info.id), around)).collect(),
            words: self.search.words.clone(),
            goods: self.search.goods.values().flatten().cloned().collect(),
            searching: !self.search.waiting.is_empty(),
            unanswered: self.search.failed.iter().map(|(system, why)| (around.name(system), why.clone())).collect(),
            quotes: self.quotes.iter().map(|(system, quote)| (system.clone(), quote.view())).collect(),
            carts: self.carts.iter().map(|(system, cart)| (system.clone(), cart.view(system, around))).collect(),
            problem: self.problem.clone(),
        }
    }
}

/// Places that a manufacturer asks to see, where it is agreed that it is asked at all.
fn asks(known: &KnownSystem, quote: Option<&Quote>, around: &Around<'_>) -> Vec<ShopAsk> {
    let system = &known.info.id;
    let mut services = known.info.services.iter().filter(|(service, _)| service.as_str() == "quote");
    let asks = services.any(|(_, about)| about.needs.iter().any(|need| need == glance::NEED));
    let agreed = around.services.valid(system, around.now).filter(|_| asks && around.agreed(system, "quote"));
    let Some(agreed) = agreed else { return Vec::new() };
    let ask = |place: &Measuring| ShopAsk {
        twin: place.twin.clone(),
        name: place.name.clone(),
        measures: place.features.values().cloned().collect(),
        shared: place.is_in(&agreed.share) && !quote.is_some_and(|quote| quote.lends(&place.twin)),
    };
    around.places.iter().take(MOST_PLACES).map(ask).collect()
}

fn merchant(known: &KnownSystem, quote: Option<&Quote>, around: &Around<'_>) -> ShopMerchant {
    let system = &known.info.id;
    let usable = known.usable.keys().any(|service| service.as_str() == "checkout");
    let refused = around.services.refused.get(system);
    let why_not = match (around.connected, known.health.online, usable, refused) {
        (false, ..) => Some("the enabler cannot be reached".to_owned()),
        (_, false, ..) => Some("it is away".to_owned()),
        (.., false, _) => Some("no rule lets you buy there".to_owned()),
        (.., Some(refusal)) => Some(refusal.to_string()),
        _ => None,
    };
    ShopMerchant {
        system: system.clone(),
        name: around.name(system),
        sells: has(known, "search") && !has(known, "quote"),
        makes: has(known, "quote"),
        agreed: around.agreed(system, "checkout"),
        asking: around.services.asking.contains(system),
        asks: asks(known, quote, around),
        why_not,
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
