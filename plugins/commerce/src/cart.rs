//! One cart: a checkout session of a merchant, from its first line to the click that costs money. Pure.
//!
//! What the person wants stands in it at once; the merchant is told one change at a time, the newest. What is shown is
//! what the merchant answered last, and a confirmation is about exactly that.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vestibule_model::{
    CallId, CheckoutId, Confirmation, ContentHash, Json, LineId, Money, PayWith, PurchaseId, SystemId, Timestamp,
};
use vestibule_twin::{AddressEntry, ManagePurchases, ShopCart, ShopTold};
use vestibule_ucp::{Checkout, CheckoutStatus, moment};

use crate::{
    desk::{Around, Effect},
    ids::Ids,
    person, read,
    telling::{Came, Telling},
};

/// The most of one line: more is a merchant's business, not a home's.
const MOST_OF_ONE: u32 = 10_000;
/// Lines of a cart at most, as an order has them.
const MOST_LINES: usize = vestibule_model::MAX_ORDER_LINES;

/// So many of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    /// The merchant's name of the line, once it has one.
    line: Option<String>,
    item: String,
    quantity: u32,
}

/// What the merchant was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// To take what the person wants, with the document about them that it names.
    Change { tells: Option<ContentHash> },
    /// How it is by now. A total that is another one then has changed by itself.
    Look,
}

/// What the merchant showed, and in the answer to which call.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    call: CallId,
    checkout: Checkout,
}

/// A cart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cart {
    wanted: Vec<Wanted>,
    options: BTreeMap<String, String>,
    /// Where it goes, and who knows.
    telling: Telling,
    shown: Option<Shown>,
    asked: Option<(CallId, Asked)>,
    /// The person wants something else than the merchant was asked for last.
    dirty: bool,
    /// Its session had ended, and a new one was begun for the same wish.
    renewed: bool,
    pay: Option<PayWith>,
    problem: Option<String>,
    was: Option<Money>,
    purchase: Option<PurchaseId>,
    /// What was confirmed last.
    confirmed: Option<Money>,
}

impl Cart {
    /// Puts something into it, in addition to what is there.
    pub(crate) fn add(&mut self, items: &[(String, u32)]) {
        for (item, quantity) in items.iter().filter(|(_, quantity)| *quantity > 0) {
            let full = self.wanted.len() >= MOST_LINES;
            match self.wanted.iter_mut().find(|wanted| wanted.item == *item) {
                Some(wanted) => wanted.quantity = wanted.quantity.saturating_add(*quantity).min(MOST_OF_ONE),
                None if full => {
                    self.problem = Some(format!("A cart has at most {MOST_LINES} lines here."));
                    return;
                }
                None => {
                    let (item, quantity) = (item.clone(), (*quantity).min(MOST_OF_ONE));
                    self.wanted.push(Wanted { line: None, item, quantity });
                }
            }
        }
        self.change();
    }

    /// There shall be so many of a line.
    pub(crate) fn count(&mut self, line: &str, quantity: u32) {
        for wanted in self.wanted.iter_mut().filter(|wanted| wanted.line.as_deref() == Some(line)) {
            wanted.quantity = quantity.min(MOST_OF_ONE);
        }
        self.wanted.retain(|wanted| wanted.quantity > 0);
        self.change();
    }

    fn change(&mut self) {
        (self.dirty, self.renewed, self.problem, self.was) = (true, false, None, None);
    }

    /// It goes there. Nothing leaves by this.
    pub(crate) fn choose_address(&mut self, place: usize, of: usize, entry: &AddressEntry) {
        self.problem = None;
        if self.telling.choose(place, of, entry) {
            // The merchant has another one: that one counts no longer.
            self.options.clear();
            self.change();
        }
    }

    /// Tells the merchant who buys, and where it goes: the document first, then its name.
    pub(crate) fn send_person(&mut self, ids: &mut Ids, around: &Around<'_>) -> Vec<Effect> {
        match self.telling.send(ids, around.enabler, around.connected) {
            Ok(None) => Vec::new(),
            Ok(Some(document)) => {
                self.problem = None;
                vec![Effect::Manage(ManagePurchases::Give(document))]
            }
            Err(why) => {
                self.problem = Some(why);
                Vec::new()
            }
        }
    }

    pub(crate) fn deliver(&mut self, group: &str, option: &str) {
        self.options.insert(group.to_owned(), option.to_owned());
        self.change();
    }

    pub(crate) fn pay(&mut self, with: &PayWith) {
        (self.pay, self.problem) = (Some(with.clone()), None);
    }

    /// What got no answer is asked once more.
    pub(crate) fn again(&mut self) {
        if self.problem.is_some() && !self.is_bought() && self.asked.is_none() {
            self.change();
        }
    }

    /// Whether it has become a purchase of which nobody says that nothing was ordered.
    pub(crate) const fn is_bought(&self) -> bool {
        self.purchase.is_some()
    }

    /// The click that costs money.
    pub(crate) fn confirm(
        &mut self,
        system: &SystemId,
        shown: Money,
        around: &Around<'_>,
        ids: &mut Ids,
    ) -> Vec<Effect> {
        let seen = self.shown.as_ref().and_then(|shown| shown.checkout.total());
        if let Some(why) = self.why_not(around) {
            self.problem = Some(format!("Nothing was ordered: {why}."));
            return Vec::new();
        }
        if seen != Some(shown) {
            let now = seen.map_or_else(|| "something else".to_owned(), |seen| seen.to_string());
            self.problem = Some(format!("Nothing was ordered: it costs {now} now, and you confirmed {shown}."));
            self.was = Some(shown);
            return Vec::new();
        }
        let (id, confirmed) = (ids.purchase(), shown);
        match self.confirmation(system, id) {
            Ok(confirmation) => {
                (self.purchase, self.confirmed, self.problem, self.was) = (Some(id), Some(confirmed), None, None);
                vec![Effect::Manage(ManagePurchases::Confirm(Box::new(confirmation)))]
            }
            Err(why) => {
                self.problem = Some(why);
                Vec::new()
            }
        }
    }

    fn confirmation(&self, system: &SystemId, id: PurchaseId) -> read::Read<Confirmation> {
        let not = |what: &str| format!("Nothing was ordered: {what}.");
        let shown = self.shown.as_ref().ok_or_else(|| not("nothing was shown"))?;
        let checkout = &shown.checkout;
        let total = checkout.may_complete().map_err(|flaw| not(&flaw.to_string()))?;
        let pay = self.pay.clone().ok_or_else(|| not("no way of paying is chosen"))?;
        let name = CheckoutId::new(checkout.id.as_str()).map_err(|error| not(&error.to_string()))?;
        let designs = checkout.line_items.iter().filter_map(|line| Some((line, read::design(line)?)));
        let designs: Result<BTreeMap<LineId, _>, _> =
            designs.map(|(line, design)| Ok((LineId::new(line.id.as_str())?, design))).collect();
        let designs = designs.map_err(|error: vestibule_model::IdError| not(&error.to_string()))?;
        let most = read::most(checkout).unwrap_or(total);
        Ok(Confirmation { id, system: system.clone(), checkout: name, shown: shown.call, total, most, pay, designs })
    }

    /// What is to be asked next, where nothing is asked right now.
    pub(crate) fn next(&mut self, system: &SystemId, ids: &mut Ids) -> Option<Effect> {
        if self.asked.is_some() || !self.dirty || self.is_bought() || self.telling.is_giving() {
            return None;
        }
        self.dirty = false;
        if self.wanted.is_empty() {
            // A session without lines is none: it is ended.
            return self.leave(system, ids);
        }
        let asked = Asked::Change { tells: self.telling.document() };
        self.call(system, ids, asked, "checkout", &self.input())
    }

    /// The session is given up.
    pub(crate) fn leave(&mut self, system: &SystemId, ids: &mut Ids) -> Option<Effect> {
        let (bought, session) = (self.is_bought(), self.session());
        self.shown.take().filter(|_| !bought)?;
        (self.asked, self.dirty) = (None, false);
        let input = Json::of(&session?).ok()?;
        Some(Effect::Call { call: ids.call(), system: system.clone(), service: "cancel_checkout", input })
    }

    /// Asks how the session is by now.
    pub(crate) fn look(&mut self, system: &SystemId, ids: &mut Ids) -> Option<Effect> {
        if self.asked.is_some() || self.is_bought() {
            return None;
        }
        let session = self.session()?;
        self.call(system, ids, Asked::Look, "look_checkout", &session)
    }

    /// Which session, and which document about the person its merchant has: whoever asks takes out of its words what they say.
    fn session(&self) -> Option<Value> {
        let mut session = json!({"id": self.shown.as_ref()?.checkout.id.as_str()});
        if let Some(document) = self.telling.document() {
            session["buyer"] = person::as_buyer(document);
        }
        Some(session)
    }

    fn call(
        &mut self,
        system: &SystemId,
        ids: &mut Ids,
        asked: Asked,
        service: &'static str,
        input: &Value,
    ) -> Option<Effect> {
        match Json::of(input) {
            Ok(input) => {
                let call = ids.call();
                self.asked = Some((call, asked));
                Some(Effect::Call { call, system: system.clone(), service, input })
            }
            Err(error) => {
                self.problem = Some(format!("This cannot be asked: {error}"));
                None
            }
        }
    }

    /// The whole of what the merchant is told: what is left out is gone.
    fn input(&self) -> Value {
        let line = |wanted: &Wanted| {
            let mut line = json!({"item": {"id": wanted.item}, "quantity": wanted.quantity});
            if let Some(id) = &wanted.line {
                line["id"] = id.as_str().into();
            }
            line
        };
        let mut input = Map::new();
        if let Some(shown) = &self.shown {
            input.insert("id".to_owned(), shown.checkout.id.as_str().into());
        }
        input.insert("line_items".to_owned(), self.wanted.iter().map(line).collect());
        if let Some(document) = self.telling.document() {
            input.insert("buyer".to_owned(), person::as_buyer(document));
            let groups = self.options.iter().map(|(group, option)| json!({"id": group, "selected_option_id": option}));
            let mut method = json!({
                "type": "shipping",
                "destinations": [person::as_destination(document)],
                "selected_destination_id": person::DESTINATION,
            });
            if !self.options.is_empty() {
                method["groups"] = groups.collect();
            }
            if let Some(id) = self.method() {
                method["id"] = id.into();
            }
            input.insert("fulfillment".to_owned(), json!({"methods": [method]}));
        }
        Value::Object(input)
    }

    /// What the merchant calls the way of handing over that is used.
    fn method(&self) -> Option<&str> {
        let methods = self.shown.as_ref()?.checkout.fulfillment.as_ref()?.methods.as_ref()?;
        methods.first().map(|method| method.id.as_str())
    }

    /// The call that is waited for.
    pub(crate) fn waits_for(&self) -> Option<CallId> {
        self.asked.map(|(call, _)| call)
    }

    /// Takes what the merchant answered.
    pub(crate) fn take(&mut self, answer: Result<Json, String>) {
        let Some((call, asked)) = self.asked.take() else { return };
        let answer = answer.and_then(|json| read::answer::<Checkout>(&json));
        if let Asked::Change { tells: Some(document) } = asked {
            self.telling.answered(document, answer.is_ok());
        }
        match answer {
            Ok(checkout) => self.show(call, asked, checkout),
            Err(why) => self.failed(asked, why),
        }
    }

    fn show(&mut self, call: CallId, asked: Asked, checkout: Checkout) {
        let before = self.shown.as_ref();
        if before.is_some_and(|shown| shown.checkout.id != checkout.id) {
            self.problem = Some("The merchant speaks of another cart: its answer was not taken.".to_owned());
            return;
        }
        let was = before.and_then(|shown| shown.checkout.total()).or(self.confirmed);
        self.was = match asked {
            Asked::Look => was.filter(|was| checkout.total() != Some(*was)),
            // It was begun anew after a no: what was confirmed is compared.
            Asked::Change { .. } => {
                self.confirmed.take().filter(|was| checkout.total() != Some(*was) && before.is_none())
            }
        };
        self.name_lines(&checkout);
        let ways = read::ways(&checkout);
        if !ways.iter().any(|(way, _)| Some(way) == self.pay.as_ref()) {
            self.pay = None;
        }
        let offered = read::deliveries(&checkout);
        self.options.retain(|group, option| offered.iter().any(|one| one.group == *group && one.id == *option));
        self.shown = Some(Shown { call, checkout });
    }

    /// Lines by the merchant's names, and, where the person wants nothing else meanwhile, as many as it says.
    fn name_lines(&mut self, checkout: &Checkout) {
        let line = |line: &vestibule_ucp::LineItem| Wanted {
            line: Some(line.id.to_string()),
            item: line.item.id.to_string(),
            quantity: line.quantity.get(),
        };
        let there: Vec<Wanted> = checkout.line_items.iter().map(line).collect();
        if !self.dirty {
            self.wanted = there;
            return;
        }
        for wanted in self.wanted.iter_mut().filter(|wanted| wanted.line.is_none()) {
            wanted.line = there.iter().find(|line| line.item == wanted.item).and_then(|line| line.line.clone());
        }
    }

    fn failed(&mut self, asked: Asked, why: String) {
        // A session ends by itself after some hours: the same cart is filled anew, once.
        let ended = ["not_found", "session_expired", "session_canceled", "session_completed"];
        if self.shown.is_some() && !self.renewed && ended.iter().any(|code| why.contains(code)) {
            self.begin_anew();
            return;
        }
        if asked != Asked::Look {
            self.problem = Some(why);
        }
    }

    /// The session is none any more; what was in it is wanted still.
    fn begin_anew(&mut self) {
        self.shown = None;
        self.wanted.iter_mut().for_each(|wanted| wanted.line = None);
        (self.dirty, self.renewed) = (true, true);
    }

    /// What became of what was given, and of the purchase.
    pub(crate) fn follow(&mut self, around: &Around<'_>) {
        let known = around.purchases;
        match self.telling.follow(known, around.enabler) {
            Came::There => self.change(),
            Came::Back(why) if !self.is_bought() => self.problem = Some(why),
            Came::Back(_) | Came::Nothing => {}
        }
        self.telling.look(around.addresses);
        let Some(id) = self.purchase else { return };
        let state = known.by_id.get(&id).map(|update| &update.state);
        let no = match (state, known.refused.get(&id)) {
            (Some(vestibule_model::PurchaseState::NotPlaced { reason, .. }), _) => reason.clone(),
            (None, Some(refusal)) if !known.in_doubt.contains(&id) => refusal.to_string(),
            _ => return,
        };
        // One session is bought once: whoever tries again has a new one, and sees what it costs.
        self.purchase = None;
        self.begin_anew();
        self.renewed = false;
        let words = read::words(&no);
        self.problem = Some(format!("It was not ordered: {words}"));
    }

    /// Why it cannot be confirmed now, for a person.
    pub(crate) fn why_not(&self, around: &Around<'_>) -> Option<String> {
        let say = |text: &str| Some(text.to_owned());
        if self.is_bought() {
            return say("it was confirmed already");
        }
        if !around.connected {
            return say("the enabler cannot be reached");
        }
        if self.telling.is_giving() {
            return say("your address is still on its way");
        }
        if self.asked.is_some() || self.dirty {
            return say("the merchant has not answered yet");
        }
        let Some(shown) = &self.shown else { return say("there is nothing in it that the merchant sells") };
        let checkout = &shown.checkout;
        if self.telling.document().is_none() {
            return say("say where it goes, and send that to the merchant");
        }
        if checkout.status == CheckoutStatus::RequiresEscalation || read::asks_buyer(checkout) {
            return say("the merchant wants you on its own page first");
        }
        let offered = read::deliveries(checkout);
        if !offered.is_empty() && !offered.iter().any(|one| one.chosen) {
            return say("choose how it is brought");
        }
        if let Some(error) = checkout.messages().iter().find_map(vestibule_ucp::Message::error) {
            return Some(read::words(error.content.trim_end_matches('.')));
        }
        if checkout.expires_at.as_deref().is_some_and(|until| has_ended(until, around.now)) {
            return say("this offer has ended: change something, or leave it and begin anew");
        }
        if let Err(flaw) = checkout.may_complete() {
            return Some(flaw.to_string());
        }
        if read::ways(checkout).is_empty() {
            return say("none of the merchant's ways of paying can be used from here");
        }
        if self.pay.is_none() {
            return say("choose how you pay");
        }
        None
    }

    /// As screens show it.
    pub(crate) fn view(&self, system: &SystemId, around: &Around<'_>) -> ShopCart {
        let checkout = self.shown.as_ref().map(|shown| &shown.checkout);
        let waits = self.asked.is_some() || self.dirty;
        let lost = self.telling.problem();
        let busy = match (self.telling.is_giving(), waits) {
            // It waits for the enabler, and says so.
            (true, _) if lost.is_some() => None,
            (true, _) => Some("handing over your address".to_owned()),
            (false, true) if !self.is_bought() => Some("asking the merchant".to_owned()),
            _ => None,
        };
        let told = match self.telling.told() {
            // Asked once more, it is on its way once more.
            ShopTold::Unsure if waits => ShopTold::OnItsWay,
            told => told,
        };
        ShopCart {
            system: system.clone(),
            name: around.name(system),
            lines: checkout.map(read::lines).unwrap_or_default(),
            wanted: self.wanted.iter().map(|wanted| (wanted.item.clone(), wanted.quantity)).collect(),
            totals: checkout.map(read::totals).unwrap_or_default(),
            total: checkout.and_then(Checkout::total),
            most: checkout.and_then(read::most),
            notes: checkout.map(read::notes).unwrap_or_default(),
            links: checkout.map(read::links).unwrap_or_default(),
            address: self.telling.address(around.addresses),
            goes_to: self.telling.entry().cloned(),
            leaves: self.telling.leaves(),
            told,
            deliveries: checkout.map(read::deliveries).unwrap_or_default(),
            ways: checkout.map(read::ways).unwrap_or_default(),
            pay: self.pay.clone(),
            busy,
            problem: lost.or_else(|| self.problem.clone()),
            was: self.was,
            why_not: self.why_not(around),
            purchase: self.purchase,
        }
    }
}

fn has_ended(until: &str, now: Option<Timestamp>) -> bool {
    now.is_some_and(|now| moment(until).is_none_or(|until| until <= now))
}
