//! What became of purchases, for whoever looks elsewhere. Pure.

use std::collections::BTreeMap;

use vestibule_model::{Carrying, Making, OrderLine, PurchaseId, PurchaseState, PurchaseUpdate};
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
    let lines = || update.order.iter().flat_map(|order| &order.lines);
    // Of several lines the one that is furthest behind. What was taken out of the order is not waited for, but where
    // nothing is left of it: then that says why.
    let left = lines().filter(|line| line.total > 0).map(of_line).min();
    left.or_else(|| lines().map(of_line).min()).unwrap_or(Step::Placed)
}

fn of_line(line: &OrderLine) -> Step {
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
    carried.or(made).unwrap_or(Step::Placed)
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

#[cfg(test)]
mod tests {
    use vestibule_model::{
        CheckoutId, ContentHash, LineId, OrderId, OrderView, SnapshotMark, SystemId, Timestamp, UserId,
    };

    use super::*;
    use crate::testing::euro;

    fn line(total: u32, making: Option<Making>, carrying: Carrying) -> OrderLine {
        OrderLine {
            id: LineId::new("li_1").unwrap(),
            item: "lamp".to_owned(),
            title: "Desk lamp".to_owned(),
            price: euro(3_900),
            ordered: 1,
            total,
            fulfilled: 0,
            design: None,
            serials: Vec::new(),
            certificates: BTreeMap::new(),
            making,
            carrying,
            measured: None,
        }
    }

    fn how_far(lines: Vec<OrderLine>) -> Step {
        let mark = SnapshotMark { events: 1, adjustments: 0, last: None, digest: ContentHash([1; 32]), revision: None };
        let order = OrderView {
            lines,
            total: euro(3_900),
            refunded: euro(0),
            notes: Vec::new(),
            expected: None,
            cancellable: true,
            permalink: String::new(),
            mark,
        };
        step(&PurchaseUpdate {
            id: PurchaseId([1; 16]),
            user: UserId::slug("ada"),
            system: SystemId::slug("shop"),
            checkout: CheckoutId::new("chk_1").unwrap(),
            state: PurchaseState::Placed { order: OrderId::new("ord_1").unwrap() },
            total: euro(3_900),
            order: Some(order),
            checked: None,
            said: None,
            confirmed: Timestamp(1),
            at: Timestamp(1),
        })
    }

    #[test]
    fn an_order_is_as_far_as_what_is_left_of_it() {
        let came = || line(1, None, Carrying::Delivered);
        assert_eq!(how_far(vec![came(), line(1, None, Carrying::Nothing)]), Step::Placed, "one has not been sent");
        assert_eq!(how_far(vec![came(), line(1, Some(Making::Made), Carrying::Nothing)]), Step::Made);
        assert_eq!(how_far(vec![came(), line(1, None, Carrying::InTransit)]), Step::Shipped);
        assert_eq!(how_far(vec![came(), line(0, None, Carrying::Nothing)]), Step::Delivered, "the rest was taken out");
        let rejected = Making::Rejected { reason: "too thin".to_owned() };
        assert_eq!(how_far(vec![line(0, Some(rejected), Carrying::Nothing)]), Step::Rejected, "that is why");
        assert_eq!(how_far(Vec::new()), Step::Placed);
    }
}
