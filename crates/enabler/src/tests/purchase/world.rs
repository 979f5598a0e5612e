//! A merchant that keeps its word, and a network between it and the enabler that keeps none: questions and answers are
//! lost, late, said twice, and come in any order.

use super::*;

/// What became of a checkout at the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Session {
    Ready,
    Ended,
    Ordered(OrderId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Ordered {
    made: bool,
    canceled: bool,
    events: u32,
}

/// The merchant. Its checkouts are ordered once; an order is cancelled until it is made.
#[derive(Clone, Debug)]
pub(super) struct Merchant {
    sessions: BTreeMap<CheckoutId, Session>,
    orders: BTreeMap<OrderId, Ordered>,
    /// Declines what it is asked so often, and does not remember that it did.
    declines: u32,
}

impl Merchant {
    fn show(&self, id: &OrderId) -> Option<Box<OrderView>> {
        let order = self.orders.get(id)?;
        let mut view = view(order.events, PRICE);
        view.cancellable = !order.made;
        if order.canceled {
            (view.lines[0].total, view.refunded, view.cancellable) = (0, euro(PRICE), false);
        }
        Some(Box::new(view))
    }

    fn placed(order: &OrderId) -> Told {
        Told::Placed { order: order.clone(), total: euro(PRICE) }
    }

    fn complete(&mut self, ask: &CompleteAsk) -> Told {
        assert_eq!((ask.total, ask.most), (euro(PRICE), euro(PRICE)), "money is what was confirmed");
        match self.sessions.get_mut(&ask.checkout) {
            Some(Session::Ordered(order)) => Self::placed(order),
            Some(session @ Session::Ready) if self.declines == 0 => {
                let order = order(&format!("ord_{}", self.orders.len() + 1));
                *session = Session::Ordered(order.clone());
                self.orders.insert(order.clone(), Ordered { made: false, canceled: false, events: 1 });
                Self::placed(&order)
            }
            Some(Session::Ready) => {
                self.declines -= 1;
                Told::Refused { code: "payment_declined".to_owned(), reason: "declined".to_owned() }
            }
            Some(Session::Ended) | None => gone(),
        }
    }

    fn answer(&mut self, ask: &TradeAsk) -> Told {
        match ask {
            TradeAsk::Complete(ask) => self.complete(ask),
            TradeAsk::Session { checkout, .. } => match self.sessions.get(checkout) {
                Some(Session::Ordered(order)) => Self::placed(order),
                Some(Session::Ready) => Told::Open,
                Some(Session::Ended) | None => gone(),
            },
            TradeAsk::CancelSession { checkout, .. } => match self.sessions.get_mut(checkout) {
                Some(Session::Ordered(order)) => Self::placed(order),
                Some(session) => {
                    *session = Session::Ended;
                    gone()
                }
                None => gone(),
            },
            TradeAsk::Look { order, .. } => self.show(order).map_or_else(gone, Told::Order),
            TradeAsk::Cancel { order: id, .. } => match self.orders.get_mut(id) {
                Some(order) if !order.made => {
                    order.events += u32::from(!order.canceled);
                    order.canceled = true;
                    Told::Canceled { view: self.show(id) }
                }
                _ => Told::CannotCancel { reason: "it is made".to_owned() },
            },
            TradeAsk::Invoke { .. } | TradeAsk::Certify { .. } => panic!("{ask:?}"),
        }
    }
}

fn gone() -> Told {
    Told::Gone { code: "canceled".to_owned(), reason: "it has ended".to_owned() }
}

fn purchase_of(ask: &TradeAsk) -> PurchaseId {
    match ask {
        TradeAsk::Complete(ask) => ask.purchase,
        TradeAsk::Look { purchase, .. }
        | TradeAsk::Session { purchase, .. }
        | TradeAsk::CancelSession { purchase, .. }
        | TradeAsk::Cancel { purchase, .. } => *purchase,
        TradeAsk::Invoke { .. } | TradeAsk::Certify { .. } => panic!("{ask:?}"),
    }
}

/// Something that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// A question arrives; its answer is on its way.
    Arrives(usize),
    /// A question is lost.
    Lost(usize),
    /// An answer comes.
    Hears(usize),
    /// An answer comes, and once more later.
    HearsTwice(usize),
    /// An answer is lost.
    Unheard(usize),
    /// The network says that there is no answer.
    Cut(u8),
    /// The merchant tells how an order is.
    Pushes,
    /// The merchant makes what was ordered: too late to cancel.
    Makes,
    /// The user wants it cancelled.
    Cancels(u8),
    /// Time passes until something follows.
    Waits,
    /// The enabler is killed and started again.
    Restarts,
}

/// How often each of the rarer things may still happen.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    pub(super) waits: u8,
    pub(super) restarts: u8,
    pub(super) pushes: u8,
    pub(super) twice: u8,
}

/// Everything.
#[derive(Clone)]
pub(super) struct World {
    pub(super) street: Street,
    pub(super) merchant: Merchant,
    /// Questions on their way.
    questions: Vec<TradeAsk>,
    /// Answers on their way.
    answers: Vec<TradeUp>,
    pub(super) budget: Budget,
    purchases: u8,
}

impl World {
    pub(super) fn new(purchases: u8, declines: u32, budget: Budget) -> Self {
        let names: Vec<String> = (1..=purchases).map(|number| format!("chk_{number}")).collect();
        let mut street = Street::shown(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let sessions = names.iter().map(|name| (checkout(name), Session::Ready)).collect();
        for (number, name) in (1..).zip(&names) {
            street.confirm(&confirmation(number, name)).unwrap();
        }
        let merchant = Merchant { sessions, orders: BTreeMap::new(), declines };
        let mut world = Self { street, merchant, questions: Vec::new(), answers: Vec::new(), budget, purchases };
        world.send();
        world
    }

    fn send(&mut self) {
        let asks = self.street.asks();
        self.questions.extend(asks);
    }

    /// What can happen now.
    pub(super) fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        for place in 0..self.questions.len() {
            acts.extend([Act::Arrives(place), Act::Lost(place)]);
        }
        for place in 0..self.answers.len() {
            acts.extend([Act::Hears(place), Act::Unheard(place)]);
            if self.budget.twice > 0 {
                acts.push(Act::HearsTwice(place));
            }
        }
        for number in 1..=self.purchases {
            let record = &self.street.state.purchases[&PurchaseId([number; 16])];
            if record.is_open() && !record.cancel {
                acts.push(Act::Cancels(number));
            }
            if record.is_open() && self.budget.waits > 0 {
                acts.push(Act::Cut(number));
            }
        }
        if !self.merchant.orders.is_empty() {
            if self.budget.pushes > 0 {
                acts.push(Act::Pushes);
            }
            if self.merchant.orders.values().any(|order| !order.made && !order.canceled) {
                acts.push(Act::Makes);
            }
        }
        if self.budget.waits > 0 && !self.street.state.open_purchases.is_empty() {
            acts.push(Act::Waits);
        }
        if self.budget.restarts > 0 {
            acts.push(Act::Restarts);
        }
        acts
    }

    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::Arrives(place) => {
                let ask = self.questions.remove(place);
                let told = self.merchant.answer(&ask);
                self.answers.push(TradeUp::Told { purchase: purchase_of(&ask), system: shop(), told });
            }
            Act::Lost(place) => drop(self.questions.remove(place)),
            Act::Hears(place) => {
                let said = self.answers.remove(place);
                self.street.hear(&said);
            }
            Act::HearsTwice(place) => {
                self.budget.twice -= 1;
                let said = self.answers[place].clone();
                self.street.hear(&said);
            }
            Act::Unheard(place) => drop(self.answers.remove(place)),
            Act::Cut(number) => {
                self.budget.waits -= 1;
                self.street.told(number, Told::Unknown { reason: "cut".to_owned() });
            }
            Act::Pushes => {
                self.budget.pushes -= 1;
                for (checkout, session) in &self.merchant.sessions {
                    let Session::Ordered(order) = session else { continue };
                    let Some(view) = self.merchant.show(order) else { continue };
                    let (checkout, order) = (checkout.clone(), order.clone());
                    self.answers.push(TradeUp::Pushed { system: shop(), checkout, order, view });
                }
            }
            Act::Makes => {
                for order in self.merchant.orders.values_mut().filter(|order| !order.canceled && !order.made) {
                    (order.made, order.events) = (true, order.events + 1);
                }
            }
            Act::Cancels(number) => drop(self.street.cancel(number)),
            Act::Waits => {
                self.budget.waits -= 1;
                self.wait();
            }
            Act::Restarts => {
                self.budget.restarts -= 1;
                // What was asked may arrive; who was to hear the answer is gone.
                self.answers.retain(|said| matches!(said, TradeUp::Pushed { .. }));
                self.street.restart();
            }
        }
        self.send();
        self.check();
    }

    fn wait(&mut self) {
        let until = super::super::next_end(&self.street.hot).unwrap_or(self.street.now);
        self.street.pass(until.since(self.street.now));
    }

    /// What must hold whenever anybody looks.
    fn check(&self) {
        for number in 1..=self.purchases {
            let record = &self.street.state.purchases[&PurchaseId([number; 16])];
            let session = &self.merchant.sessions[&record.confirmation.checkout];
            let ordered = match session {
                Session::Ordered(order) => Some(order),
                Session::Ready | Session::Ended => None,
            };
            let state = record.state();
            match &state {
                PurchaseState::Placed { order } | PurchaseState::Completed { order } => {
                    assert_eq!(Some(order), ordered, "what is said to be ordered is: {record:?}");
                }
                PurchaseState::Canceled { order: Some(order) } => {
                    assert!(Some(order) == ordered && self.merchant.orders[order].canceled, "{record:?}");
                }
                PurchaseState::NotPlaced { .. } | PurchaseState::Canceled { order: None } => {
                    assert_eq!(ordered, None, "nothing was ordered: {record:?}");
                    let on_its_way =
                        |ask: &&TradeAsk| matches!(ask, TradeAsk::Complete(ask) if ask.purchase.0[0] == number);
                    let later = self.questions.iter().find(on_its_way);
                    assert!(*session == Session::Ended || later.is_none(), "and nothing will be: {record:?}");
                }
                PurchaseState::Disputed { .. } => panic!("an honest merchant is not disputed: {record:?}"),
                PurchaseState::Confirmed | PurchaseState::Placing { .. } | PurchaseState::Canceling { .. } => {}
            }
        }
        assert!(self.merchant.orders.len() <= usize::from(self.purchases), "one order a purchase");
    }

    /// From here on the network works: every purchase comes to something that is known.
    pub(super) fn calm(&mut self) {
        for _ in 0..60 {
            while !self.questions.is_empty() || !self.answers.is_empty() {
                while !self.questions.is_empty() {
                    self.act(Act::Arrives(0));
                }
                while !self.answers.is_empty() {
                    self.act(Act::Hears(0));
                }
            }
            let doubt = |number| self.street.state_of(number).in_doubt();
            if !(1..=self.purchases).any(doubt) {
                return;
            }
            self.wait();
            self.send();
        }
        panic!("still in doubt: {:?}", self.street.state.purchases);
    }

    /// What tells one moment from another, without its times.
    pub(super) fn key(&self) -> String {
        let records = self.street.state.purchases.values().map(|record| {
            let view = record.view.as_ref().map(|view| (view.mark.events, view.lines[0].total));
            let asked = (record.attempts.min(2), record.cancels.min(1), record.since.is_some());
            let known = (record.cancel, &record.order, record.canceled, &record.denied, view, &record.end);
            format!("{asked:?} {known:?} {}", self.street.hot.purchase_is_due(record.confirmation.id, self.street.now))
        });
        let records: Vec<String> = records.collect();
        let said: BTreeSet<String> = self.answers.iter().map(|said| format!("{said:?}")).collect();
        let asked: Vec<String> = self.questions.iter().map(short).collect();
        format!("{records:?} {:?} {asked:?} {said:?} {:?}", self.merchant, self.budget)
    }
}

fn short(ask: &TradeAsk) -> String {
    match ask {
        TradeAsk::Complete(ask) => format!("complete {}", ask.purchase),
        other => format!("{other:?}"),
    }
}
