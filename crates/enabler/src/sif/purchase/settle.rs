//! What follows for purchases by itself: what their merchants are asked, what their words come to, how purchases end.
//!
//! Both say it from state and time alone, so they can be asked again after a crash, a full disk, or when nothing has
//! changed. There is no path that asks for a second order: the checkout and the key are the purchase's own.

use std::collections::BTreeSet;

use vestibule_model::{
    CheckoutId, Confirmation, OrderId, OrderView, PurchaseId, PurchaseState, SnapshotMark, SystemId, Timestamp,
};
use vestibule_protocol::{CompleteAsk, Told, TradeAsk, TradeUp};

use super::record::{AskKind, Next, PurchaseRecord, ToldRecord};
use crate::{Decision, Effect, Hot, LogEvent, State};

/// Letters of a reason that a merchant gives.
const LONGEST_REASON: usize = 500;

/// What follows for these purchases by now.
#[must_use]
pub fn settle_purchases(state: &State, hot: &Hot, now: Timestamp, purchases: &BTreeSet<PurchaseId>) -> Decision {
    let mut decision = Decision::default();
    let due = purchases.iter().filter(|id| hot.purchase_is_due(**id, now)).filter_map(|id| state.purchases.get(id));
    for record in due {
        let (event, ask) = nobody_is_left(state, record).map_or_else(|| follow(record, now), |end| (Some(end), None));
        decision.events.extend(event);
        decision.effects.extend(ask.map(|ask| Effect::Trade(Box::new(ask))));
    }
    decision
}

/// Its user is gone and so is its merchant: what was not ordered before orders nothing any more, and nobody waits for it.
fn nobody_is_left(state: &State, record: &PurchaseRecord) -> Option<LogEvent> {
    let Confirmation { id, system, .. } = &record.confirmation;
    let is_left = !record.orphan || record.order.is_some() || state.systems.contains_key(system);
    (record.is_open() && !is_left).then(|| {
        let reason = format!("{system} is not there any more");
        let state = PurchaseState::NotPlaced { code: "merchant_gone".to_owned(), reason };
        LogEvent::PurchaseEnded { purchase: *id, user: record.user.clone(), state }
    })
}

fn follow(record: &PurchaseRecord, now: Timestamp) -> (Option<LogEvent>, Option<TradeAsk>) {
    let said = &record.confirmation;
    let (purchase, user, system) = (said.id, record.user.clone(), said.system.clone());
    match (record.next(now), &record.order) {
        (Next::Nothing, _) => (None, None),
        (Next::End(state), _) => (Some(LogEvent::PurchaseEnded { purchase, user, state }), None),
        (Next::Ask(what), _) => {
            let (attempt, ask) = ask(record, what);
            (Some(LogEvent::PurchaseAsked { purchase, user, what, attempt }), ask)
        }
        (Next::Look, Some(order)) => (None, Some(TradeAsk::Look { purchase, system, order: order.clone() })),
        // Of what is not ordered there is nothing to look at but the checkout.
        (Next::Look | Next::Session, _) => {
            (None, Some(TradeAsk::Session { purchase, system, checkout: said.checkout.clone() }))
        }
    }
}

/// What its merchant is asked, and which time that is.
fn ask(record: &PurchaseRecord, what: AskKind) -> (u16, Option<TradeAsk>) {
    let said = &record.confirmation;
    let (purchase, system, checkout) = (said.id, said.system.clone(), said.checkout.clone());
    match what {
        AskKind::Complete => {
            let attempt = record.attempts.saturating_add(1);
            let (total, most, pay, designs) = (said.total, said.most, said.pay.clone(), said.designs.clone());
            let ask = CompleteAsk { purchase, system, checkout, total, most, pay, designs, attempt };
            (attempt, Some(TradeAsk::Complete(Box::new(ask))))
        }
        AskKind::CancelSession => {
            (record.cancels.saturating_add(1), Some(TradeAsk::CancelSession { purchase, system, checkout }))
        }
        AskKind::Cancel => {
            let order = record.order.clone();
            (record.cancels.saturating_add(1), order.map(|order| TradeAsk::Cancel { purchase, system, order }))
        }
    }
}

/// What a merchant's word about a purchase comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// What is to be written.
    pub events: Vec<LogEvent>,
    /// Of which purchase it is, where it is one that is known.
    pub purchase: Option<PurchaseId>,
    /// Whether it is an answer; else nobody had asked.
    pub is_answer: bool,
    /// Why nothing is known by it.
    pub doubt: Option<String>,
    /// Its merchant is to be asked for the order at once: what it said contradicts what is known.
    pub look: bool,
}

/// What follows from what a merchant said. Words about what is not its own are nothing.
#[must_use]
pub fn heard(state: &State, said: &TradeUp) -> Heard {
    match said {
        TradeUp::Told { purchase, system, told } => {
            let record = state.purchases.get(purchase).filter(|record| record.confirmation.system == *system);
            record.map(|record| answered(record, told)).unwrap_or_default()
        }
        TradeUp::Pushed { system, checkout, order, view } => pushed(state, system, checkout, order, view),
        TradeUp::Result { .. } | TradeUp::Certified { .. } => Heard::default(),
    }
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_REASON).collect()
}

fn answered(record: &PurchaseRecord, told: &Told) -> Heard {
    let purchase = Some(record.confirmation.id);
    let answer = Heard { purchase, is_answer: true, ..Heard::default() };
    let refused = |code: &str, reason: &str| ToldRecord::Refused { code: short(code), reason: short(reason) };
    let words = match told {
        Told::Unknown { reason } => return Heard { doubt: Some(short(reason)), ..answer },
        Told::Open => {
            let doubt = "the checkout is neither ordered nor ended".to_owned();
            return Heard { doubt: Some(doubt), ..answer };
        }
        Told::Placed { order, total } => vec![ToldRecord::Placed { order: order.clone(), total: *total }],
        Told::Refused { code, reason } => vec![refused(code, reason)],
        Told::NotReady { messages } => vec![refused("not_ready", &messages.join(" "))],
        Told::Differs { what } => vec![refused("confirmation_outdated", what)],
        Told::Gone { code, reason } => vec![ToldRecord::Gone { code: short(code), reason: short(reason) }],
        Told::Order(view) => match record.order.as_ref().map(|order| snapshot(record, order, view)) {
            // Asked for, it counts, unless it was on its way for longer than one that came since.
            Some(Ok((Newer::Yes | Newer::Same | Newer::Unclear, record))) => vec![record],
            Some(Ok((Newer::No, _))) | None => Vec::new(),
            Some(Err(doubt)) => return Heard { doubt: Some(doubt), ..answer },
        },
        Told::Canceled { view } => {
            let view = view.as_ref().zip(record.order.as_ref());
            let seen = view.and_then(|(view, order)| snapshot(record, order, view).ok());
            let seen = seen.filter(|(newer, _)| *newer != Newer::No).map(|(_, record)| record);
            seen.into_iter().chain([ToldRecord::Canceled]).collect()
        }
        Told::CannotCancel { reason } if record.cancel => vec![ToldRecord::CannotCancel { reason: short(reason) }],
        Told::CannotCancel { .. } => Vec::new(),
    };
    Heard { events: news(record, words), ..answer }
}

/// Whether a snapshot says more than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Newer {
    Yes,
    Same,
    No,
    Unclear,
}

fn newer(known: Option<&SnapshotMark>, said: &SnapshotMark) -> Newer {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let Some(known) = known else { return Newer::Yes };
    if let (Some(known), Some(said)) = (known.revision, said.revision) {
        return match said.cmp(&known) {
            Greater => Newer::Yes,
            Equal => Newer::Same,
            Less => Newer::No,
        };
    }
    match (said.events.cmp(&known.events), said.adjustments.cmp(&known.adjustments)) {
        (Equal, Equal) if said.digest == known.digest => Newer::Same,
        (Greater, Greater | Equal) | (Equal, Greater) => Newer::Yes,
        (Less, Less | Equal) | (Equal, Less) => Newer::No,
        // As many of both, and not the same; or more of one and fewer of the other.
        _ => Newer::Unclear,
    }
}

fn snapshot(record: &PurchaseRecord, order: &OrderId, view: &OrderView) -> Result<(Newer, ToldRecord), String> {
    view.check().map_err(|error| error.to_string())?;
    // What is known of one order dates nothing of another.
    let known = record.view.as_ref().filter(|_| record.order.as_ref() == Some(order)).map(|view| &view.mark);
    let told = ToldRecord::Order { order: order.clone(), view: Box::new(view.clone()) };
    Ok((newer(known, &view.mark), told))
}

fn pushed(state: &State, system: &SystemId, checkout: &CheckoutId, order: &OrderId, view: &OrderView) -> Heard {
    let purchase = state.by_session.get(&(system.clone(), checkout.clone()));
    let Some(record) = purchase.and_then(|purchase| state.purchases.get(purchase)) else { return Heard::default() };
    let heard = Heard { purchase: Some(record.confirmation.id), ..Heard::default() };
    match snapshot(record, order, view) {
        Ok((Newer::Yes, told)) => Heard { events: news(record, vec![told]), ..heard },
        Ok((Newer::Unclear, _)) => Heard { look: true, ..heard },
        Ok((Newer::Same | Newer::No, _)) | Err(_) => heard,
    }
}

/// The words that change something: said twice, it is said once.
fn news(record: &PurchaseRecord, words: Vec<ToldRecord>) -> Vec<LogEvent> {
    let mut now = record.clone();
    let mut events = Vec::new();
    for told in words {
        let mut then = now.clone();
        then.told(now.at, &told);
        if then != now {
            let (purchase, user) = (record.confirmation.id, record.user.clone());
            events.push(LogEvent::PurchaseTold { purchase, user, told });
            now = then;
        }
    }
    events
}
