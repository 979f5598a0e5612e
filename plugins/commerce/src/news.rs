//! What became of purchases, for whoever looks elsewhere. Pure.

use std::collections::BTreeMap;

use vestibule_model::{Carrying, Making, PurchaseId, PurchaseState, PurchaseUpdate};
use vestibule_twin::{KnownPurchases, KnownSystems, Notify, Urgency};

use crate::{desk::merchant_name, read::words};

/// How far a purchase is, as far as that is worth a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Begun,
    NotPlaced,
    Placed,
    Disputed,
    Making,
    Rejected,
    Made,
    Shipped,
    Missed,
    Delivered,
    Lost,
    Canceled,
}

/// The furthest that is known of it.
pub(crate) fn step(update: &PurchaseUpdate) -> Step {
    match &update.state {
        PurchaseState::Confirmed | PurchaseState::Placing { .. } | PurchaseState::Canceling { .. } => Step::Begun,
        PurchaseState::NotPlaced { .. } => Step::NotPlaced,
        PurchaseState::Canceled { .. } => Step::Canceled,
        PurchaseState::Disputed { .. } => Step::Disputed,
        PurchaseState::Placed { .. } | PurchaseState::Completed { .. } => of_order(update),
    }
}

fn of_order(update: &PurchaseUpdate) -> Step {
    let lines = update.order.iter().flat_map(|order| &order.lines);
    let each = lines.filter_map(|line| {
        let carried = match &line.carrying {
            Carrying::Nothing => None,
            Carrying::Shipped { .. } | Carrying::InTransit => Some(Step::Shipped),
            Carrying::FailedAttempt => Some(Step::Missed),
            Carrying::Delivered => Some(Step::Delivered),
            Carrying::Returned | Carrying::Lost => Some(Step::Lost),
        };
        let made = line.making.as_ref().map(|making| match making {
            Making::Rejected { .. } => Step::Rejected,
            Making::InProduction { .. } | Making::QualityCheck => Step::Making,
            Making::Made => Step::Made,
            Making::Accepted | Making::Checked | Making::Queued { .. } => Step::Placed,
        });
        carried.or(made)
    });
    // Of several lines the one that is furthest behind.
    each.min().unwrap_or(Step::Placed)
}

fn says(update: &PurchaseUpdate, systems: &KnownSystems, step: Step) -> Option<(Urgency, &'static str, String)> {
    let what = title(update, systems);
    Some(match step {
        Step::Begun | Step::Making => return None,
        Step::NotPlaced => {
            let why = if let PurchaseState::NotPlaced { reason, .. } = &update.state { words(reason) } else { what };
            (Urgency::Problem, "Not ordered", why)
        }
        Step::Placed => (Urgency::Info, "Ordered", format!("{what}, for {}", update.total)),
        Step::Disputed => {
            let why = if let PurchaseState::Disputed { what, .. } = &update.state { words(what) } else { what };
            (Urgency::Problem, "An order is not what you confirmed", why)
        }
        Step::Rejected => (Urgency::Problem, "It cannot be made", what),
        Step::Made => (Urgency::Info, "It is made", what),
        Step::Shipped => (Urgency::Info, "On its way to you", what),
        Step::Missed => (Urgency::Problem, "Nobody was there to take it", what),
        Step::Delivered => (Urgency::Info, "Delivered", what),
        Step::Lost => (Urgency::Problem, "It did not arrive", what),
        Step::Canceled => (Urgency::Info, "Cancelled", what),
    })
}

/// What was bought, in a few words.
fn title(update: &PurchaseUpdate, systems: &KnownSystems) -> String {
    let lines = update.order.as_ref().map(|order| order.lines.as_slice()).unwrap_or_default();
    match lines {
        [] => format!("your cart at {}", merchant_name(systems, &update.system)),
        [only] => words(&only.title),
        [first, rest @ ..] => format!("{} and {} more", words(&first.title), rest.len()),
    }
}

/// What came further since this was asked last. The first time it is only noted: it is no news then.
pub(crate) fn news(
    known: &KnownPurchases,
    systems: &KnownSystems,
    told: &mut BTreeMap<PurchaseId, Step>,
    first: bool,
) -> Vec<Notify> {
    let mut news = Vec::new();
    for (id, update) in &known.by_id {
        let now = step(update);
        if told.insert(*id, now) == Some(now) || first {
            continue;
        }
        if let Some((urgency, title, text)) = says(update, systems, now) {
            news.push(Notify { urgency, title: title.to_owned(), text, twin: None });
        }
    }
    news
}
