//! P1.12 to P1.14 for purchases in the hub: merchants are asked, what they say is decided on, and users are told how far
//! their purchases are.

use std::{collections::BTreeSet, fmt};

use vestibule_enabler_core::{Actor, Binding, Changes, Decision, Effect, Identity, State, certified, decide, heard};
use vestibule_model::{InquiryId, PurchaseId, Refusal, RefusalCode, ServiceId, SystemId, Timestamp, UserId};
use vestibule_protocol::{Event, Invocation, Party, Persons, Request, Response, SiiUp, TradeAsk, TradeUp};

use super::{batch::InFlight, core::Core, deferred::Question, given, handle::Control};

/// Whoever speaks to merchants for the hub.
///
/// What it is asked it answers by [`HubHandle::told`](super::HubHandle::told), once at most. It repeats nothing by itself:
/// the hub asks again when it hears nothing, with the same keys, and has written down before that it does.
pub trait Trade: Send + Sync + fmt::Debug {
    /// Whether it asks this system for this service, instead of a connection of the system's own.
    fn serves(&self, system: &SystemId, service: &ServiceId) -> bool;

    /// The systems of those that register themselves: nobody stands in for them.
    fn themselves(&self) -> BTreeSet<SystemId>;

    /// Takes a question, and returns at once.
    ///
    /// # Errors
    /// Why it does not, for a person: it has too much to do, or does not know the merchant.
    fn ask(&self, ask: TradeAsk) -> Result<(), String>;
}

/// Which purchase a question is about.
fn purchase_of(ask: &TradeAsk) -> Option<PurchaseId> {
    match ask {
        TradeAsk::Complete(ask) => Some(ask.purchase),
        TradeAsk::Look { purchase, .. }
        | TradeAsk::Session { purchase, .. }
        | TradeAsk::CancelSession { purchase, .. }
        | TradeAsk::Cancel { purchase, .. } => Some(*purchase),
        TradeAsk::Invoke { .. } | TradeAsk::Certify { .. } => None,
    }
}

impl Core {
    /// Whether a system is asked for a service through whoever speaks to merchants.
    pub(super) fn is_traded(&self, system: &SystemId, service: &ServiceId) -> bool {
        self.trade.as_ref().is_some_and(|trade| trade.serves(system, service))
    }

    fn ask_merchant(&self, ask: TradeAsk) -> Result<(), String> {
        match &self.trade {
            Some(trade) => trade.ask(ask),
            None => Err("this enabler speaks to no merchants by now".to_owned()),
        }
    }

    /// Asks a merchant about a purchase. Where that cannot be, it is as if it had not answered.
    pub(super) fn trade(&mut self, ask: TradeAsk) {
        let (Some(purchase), now) = (purchase_of(&ask), self.clock.now()) else { return };
        self.hot.purchase_asked(purchase, now);
        if let Err(why) = self.ask_merchant(ask) {
            let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
            let changes = self.hot.purchase_answered(state, now, purchase, Some(why));
            self.distribute(changes);
        }
    }

    /// P1.14 where a merchant is asked and no connection: `false` where it takes nothing now.
    pub(super) fn invoke_merchant(&self, system: &SystemId, invocation: Invocation) -> bool {
        let key = (system.clone(), invocation.user.clone());
        let agreed = self.committed().agreements.get(&key);
        let twins = agreed.map(|agreement| agreement.authorization.share.twins.keys().cloned().collect());
        let (system, twins, invocation) = (system.clone(), twins.unwrap_or_default(), Box::new(invocation));
        let references = given::references(&invocation.input);
        let user = self.committed().calls.get(&invocation.call).map(|record| record.user.clone());
        let Some(user) = user.filter(|_| !references.is_empty()) else {
            let ask = TradeAsk::Invoke { system, invocation, twins, persons: Persons::default() };
            return self.ask_merchant(ask).is_ok();
        };
        let (given, trade, control) = (self.given.clone(), self.trade.clone(), self.past.control.clone());
        tokio::spawn(async move {
            let persons = given.persons(&user, references).await;
            let (call, step, undo) = (invocation.call, invocation.step.clone(), invocation.undo);
            let ask = TradeAsk::Invoke { system, invocation, twins, persons };
            let is_asked = trade.is_some_and(|trade| trade.ask(ask).is_ok());
            if let Some(control) = control.upgrade().filter(|_| !is_asked) {
                // A hub that has stopped asks again after its start.
                let _ = control.send(Control::NotInvoked { call, step, undo }).await;
            }
        });
        true
    }

    /// Has a product's certificate looked at; `false` where nobody can.
    pub(super) fn certify(&self, inquiry: InquiryId, binding: &Binding) -> bool {
        self.ask_merchant(binding.question(inquiry)).is_ok()
    }

    /// Decides what follows from what a merchant said; `base` is what was decided and written before.
    pub(super) fn decide_told(&mut self, base: &State, now: Timestamp, said: &TradeUp) -> Result<Decision, Refusal> {
        match said {
            TradeUp::Result { system, call, step, undo, result } => {
                let actor = Actor::greeted(Identity::Local(system.clone()), Party::ThirdParty);
                let actor = Actor { system: Some(system.clone()), ..actor };
                let (step, result) = (step.clone(), result.clone());
                let request = Request::Sii(SiiUp::Result { call: *call, step, undo: *undo, result });
                decide(&self.state, &self.hot, now, &actor, &request)
            }
            TradeUp::Certified { inquiry, answer } => {
                let Some(Question::Product(binding)) = self.deferred.question(*inquiry) else {
                    return Err(Refusal::new(RefusalCode::NotFound, "nobody waits for that answer any more"));
                };
                let inquiry = *inquiry;
                let (decision, refusal) = match certified(&self.state, now, binding, answer) {
                    Ok(decision) => (decision, None),
                    Err(refusal) => (Decision::default(), Some(refusal)),
                };
                let effects = vec![Effect::Answered { inquiry, refusal }];
                Ok(Decision { reply: Some(Response::Done), effects, ..decision })
            }
            TradeUp::Told { .. } | TradeUp::Pushed { .. } => {
                let heard = heard(&self.state, said);
                if let Some(purchase) = heard.purchase {
                    // Users are told of what is written.
                    let state = self.commit.as_ref().map_or(base, InFlight::base);
                    let changes = match heard.is_answer {
                        true => self.hot.purchase_answered(state, now, purchase, heard.doubt),
                        false => Changes::default(),
                    };
                    if heard.look {
                        self.hot.purchase_unclear(purchase, now);
                    }
                    self.distribute(changes);
                }
                Ok(Decision::done(heard.events))
            }
        }
    }

    /// Notes purchases for which something may follow, and tells users of their own.
    pub(super) fn distribute_purchases(&mut self, changes: &Changes) {
        self.to_trade.extend(&changes.purchases);
        if changes.purchase_updates.is_empty() && changes.bound.is_empty() && changes.unbound.is_empty() {
            return;
        }
        self.watch_purchases();
        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
        let now = self.clock.now();
        for session in self.sessions.values_mut() {
            let Some(user) = session.metaverse_user(state, now) else { continue };
            let updates = changes.purchase_updates.iter().filter(|update| update.user == user);
            let bound = changes.bound.iter().filter(|(whose, _)| *whose == user);
            let unbound = changes.unbound.iter().filter(|(whose, _)| *whose == user);
            let events = updates.map(|update| Event::Purchase(Box::new(update.clone())));
            let events = events.chain(bound.map(|(_, product)| Event::Product(product.clone())));
            let events = events.chain(unbound.map(|(_, serial)| Event::Unbound(serial.clone())));
            events.for_each(|event| session.urge(event));
        }
    }

    /// Who is there to see how far their purchases are. While there are none, nobody looks who is there.
    pub(super) fn watch_purchases(&mut self) {
        let (state, now) = (self.commit.as_ref().map_or(&self.state, InFlight::base), self.clock.now());
        if state.open_purchases.is_empty() {
            return;
        }
        let users = self.sessions.values().filter_map(|session| session.metaverse_user(state, now));
        let users: BTreeSet<UserId> = users.collect();
        self.hot.watch_purchases(state, now, users);
    }
}
