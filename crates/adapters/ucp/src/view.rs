//! An order as it is shown: what a snapshot says, without anybody's address.

use std::collections::BTreeMap;

use vestibule_model::{
    Carrying, DesignHash, LineId, MAX_ORDER_BYTES, MAX_ORDER_LINES, MAX_ORDER_NOTES, Making, Money, OrderError,
    OrderLine, OrderNote, OrderView, Serial, Timestamp, Unit, Weighed,
};
use vestibule_ucp::{
    Adjustment, Certificate, Certificates, Extension as _, FabricationLine, FabricationState, FulfillmentEvent,
    MeasuredLine, Order, OrderCare, event, moment,
};

/// Bytes of notes that are kept: the rest is for lines and their certificates.
const MOST_NOTE_BYTES: usize = MAX_ORDER_BYTES / 4;

/// What is shown of an order; the reason where it is more than is kept.
pub(crate) fn view(order: &Order) -> Result<OrderView, String> {
    let certificates = certificates(order);
    let lines = order.line_items.iter().map(|line| of_line(order, line, &certificates));
    let care = OrderCare::of(&order.more).ok().flatten();
    let total = order.total().ok_or("its order has no total")?;
    let mut view = OrderView {
        lines: lines.collect::<Result<_, _>>()?,
        // Totals stay as they were ordered: what is weighed beyond that is paid as well.
        total: total.plus(order.added()).map_err(|error| error.to_string())?,
        refunded: order.refunded(),
        notes: notes(order),
        expected: expected(order),
        cancellable: care.is_some_and(|care| care.cancellable),
        permalink: order.permalink_url.clone(),
        mark: vestibule_ucp::snapshot_mark(order),
    };
    fit(&mut view);
    view.check().map_err(|error| error.to_string())?;
    Ok(view)
}

/// Leaves certificates out, the last first, until the rest is no more than is kept: each lies on its parcel as well.
fn fit(view: &mut OrderView) {
    while view.check() == Err(OrderError::TooLong)
        && let Some(line) = view.lines.iter_mut().rfind(|line| !line.certificates.is_empty())
    {
        line.certificates.pop_last();
    }
}

/// Certificates by the line that they name. Not believed here: whoever binds a product has them verified.
fn certificates(order: &Order) -> BTreeMap<String, BTreeMap<Serial, String>> {
    let mut by_line: BTreeMap<String, BTreeMap<Serial, String>> = BTreeMap::new();
    for text in Certificates::of(&order.more).ok().flatten().unwrap_or_default().0 {
        let Ok(said) = Certificate::peek(&text) else { continue };
        let Ok(serial) = Serial::new(said.serial.as_str()) else { continue };
        if said.order == order.id {
            by_line.entry(said.line.as_str().to_owned()).or_default().insert(serial, text);
        }
    }
    by_line
}

fn of_line(
    order: &Order,
    line: &vestibule_ucp::OrderLine,
    certificates: &BTreeMap<String, BTreeMap<Serial, String>>,
) -> Result<OrderLine, String> {
    let made = FabricationLine::of(&line.more).map_err(|error| error.to_string())?;
    let measured = MeasuredLine::of(&line.more).ok().flatten();
    let made_so_far = made.as_ref().and_then(|made| made.serial.as_deref()).unwrap_or_default();
    let serials = made_so_far.split_whitespace().filter_map(|serial| Serial::new(serial).ok());
    // An order of more things is one all the same: what is kept of it are the first.
    let serials: Vec<Serial> = serials.take(MAX_ORDER_LINES).collect();
    let mut certificates = certificates.get(line.id.as_str()).cloned().unwrap_or_default();
    if certificates.len() > MAX_ORDER_LINES {
        certificates.retain(|serial, _| serials.contains(serial));
    }
    let one = Money::new(line.item.price.get(), order.currency);
    let quantity = &line.quantity;
    let events = || order.events().iter().filter(|event| event.line_items.iter().any(|of| of.id == line.id));
    Ok(OrderLine {
        id: LineId::new(line.id.as_str()).map_err(|error| error.to_string())?,
        item: line.item.id.as_str().to_owned(),
        title: line.item.title.clone(),
        price: match line.totals.money(order.currency) {
            Some(price) => price,
            None => one.times(quantity.total).map_err(|error| error.to_string())?,
        },
        ordered: quantity.original.unwrap_or(quantity.total),
        total: quantity.total,
        fulfilled: quantity.fulfilled,
        design: made.as_ref().map(|made| DesignHash(made.design)),
        serials,
        certificates,
        making: events().filter_map(making).next_back(),
        carrying: match events().filter_map(carrying).next_back().unwrap_or_default() {
            // Some of it came, and the rest has not.
            Carrying::Delivered if (1..quantity.total).contains(&quantity.fulfilled) => Carrying::InTransit,
            carrying => carrying,
        },
        measured: measured.and_then(weighed),
    })
}

/// In the units that goods are weighed and measured in.
fn weighed(measured: MeasuredLine) -> Option<Weighed> {
    let unit = match measured.unit.as_str() {
        "mg" => Unit::Milligram,
        "g" => Unit::Gram,
        "kg" => Unit::Kilogram,
        "ml" => Unit::Millilitre,
        "cl" => Unit::Centilitre,
        "l" => Unit::Litre,
        _ => return None,
    };
    Some(Weighed { unit, milli: measured.measured_milli })
}

fn making(event: &FulfillmentEvent) -> Option<Making> {
    let said = FabricationState::of(&event.more).ok().flatten()?;
    Some(match said.state {
        vestibule_ucp::Making::Accepted => Making::Accepted,
        vestibule_ucp::Making::Checked => Making::Checked,
        vestibule_ucp::Making::Queued => Making::Queued { ahead: said.ahead.unwrap_or(0) },
        vestibule_ucp::Making::InProduction => Making::InProduction { percent: said.percent.unwrap_or(0).min(100) },
        vestibule_ucp::Making::QualityCheck => Making::QualityCheck,
        vestibule_ucp::Making::Made => Making::Made,
        vestibule_ucp::Making::Rejected => Making::Rejected { reason: event.description.clone().unwrap_or_default() },
    })
}

fn carrying(event: &FulfillmentEvent) -> Option<Carrying> {
    Some(match event.kind.as_str() {
        event::SHIPPED => Carrying::Shipped {
            carrier: event.carrier.clone().unwrap_or_default(),
            tracking: event.tracking_number.clone().unwrap_or_default(),
            url: event.tracking_url.clone(),
        },
        event::IN_TRANSIT => Carrying::InTransit,
        event::FAILED_ATTEMPT => Carrying::FailedAttempt,
        event::DELIVERED => Carrying::Delivered,
        event::RETURNED_TO_SENDER => Carrying::Returned,
        event::UNDELIVERABLE => Carrying::Lost,
        _ => return None,
    })
}

/// What happened, the oldest first; of more than is kept the newest. How far a machine is stands at its line.
fn notes(order: &Order) -> Vec<OrderNote> {
    let is_step = |event: &&FulfillmentEvent| !matches!(making(event), Some(Making::InProduction { percent: 1.. }));
    let happened = order.events().iter().filter(is_step).filter_map(|event| {
        let text = event.description.clone().unwrap_or_else(|| event.kind.clone());
        Some(OrderNote {
            id: event.id.as_str().to_owned(),
            at: moment(&event.occurred_at)?,
            kind: event.kind.clone(),
            text,
        })
    });
    let changed = order.adjustments().iter().filter_map(|one| {
        let (id, kind) = (one.id.as_str().to_owned(), one.kind.clone());
        Some(OrderNote { id, at: moment(&one.occurred_at)?, kind, text: words(one, order) })
    });
    let mut notes: Vec<OrderNote> = happened.chain(changed).collect();
    notes.sort_by_key(|note| note.at);
    let mut bytes = 0;
    let fits = |note: &&OrderNote| {
        bytes += note.id.len() + note.kind.len() + note.text.len();
        bytes <= MOST_NOTE_BYTES
    };
    let kept = notes.iter().rev().take(MAX_ORDER_NOTES).take_while(fits).count();
    notes.split_off(notes.len() - kept)
}

fn words(adjustment: &Adjustment, order: &Order) -> String {
    let text = adjustment.description.clone().unwrap_or_else(|| adjustment.kind.clone());
    match adjustment.totals.as_ref().and_then(|totals| totals.money(order.currency)) {
        Some(amount) => format!("{text} ({amount})"),
        None => text,
    }
}

fn expected(order: &Order) -> Option<(Timestamp, Timestamp)> {
    let moments = || order.expectations().iter().filter_map(|one| moment(one.fulfillable_on.as_deref()?));
    Some((moments().min()?, moments().max()?))
}

#[cfg(test)]
mod tests {
    use vestibule_ucp::{AdjustmentStatus, Amount, SigningKey, Total, Totals, kind, read};

    use super::*;

    fn order(file: &str) -> Order {
        let path = format!("{}/../../ucp/tests/data/ours/{file}", env!("CARGO_MANIFEST_DIR"));
        read(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn an_order_is_shown_and_its_address_is_not() {
        let shown = view(&order("order_in_production.json")).unwrap();
        let line = &shown.lines[0];
        assert_eq!(
            (line.making.clone(), line.carrying.clone()),
            (Some(Making::InProduction { percent: 0 }), Carrying::Nothing)
        );
        assert_eq!((shown.total.to_string().as_str(), line.price.to_string().as_str()), ("33.80 EUR", "23.50 EUR"));
        assert!(shown.cancellable && shown.expected.is_some() && shown.mark.revision == Some(7));
        assert_eq!(shown.notes.len(), 4);
        let written = serde_json::to_string(&shown).unwrap();
        assert!(!written.contains("Example Street") && !written.contains("Ada"), "{written}");

        let shown = view(&order("order_delivered.json")).unwrap();
        assert!(shown.is_fulfilled() && !shown.cancellable);
        assert_eq!(shown.lines[0].carrying, Carrying::Delivered);
        assert_eq!(shown.lines[0].serials, [Serial::new("W1042-0001").unwrap()]);

        let mut half = order("order_delivered.json");
        half.line_items[0].quantity.total = 2;
        let shown = view(&half).unwrap();
        assert!(!shown.is_fulfilled() && shown.lines[0].carrying == Carrying::InTransit, "one of two is there");
    }

    #[test]
    fn what_is_added_and_paid_back_counts_once_it_is_done() {
        let mut order = order("order_in_production.json");
        let changes = [
            (64, AdjustmentStatus::Completed),
            (-30, AdjustmentStatus::Completed),
            (500, AdjustmentStatus::Pending),
            (-700, AdjustmentStatus::Failed),
        ];
        let adjustment = |(n, (amount, status)): (usize, (i64, AdjustmentStatus))| Adjustment {
            id: vestibule_ucp::Id::new(format!("adj_{n}")).unwrap(),
            kind: "price_adjustment".to_owned(),
            occurred_at: "2026-11-27T00:20:00Z".to_owned(),
            status,
            line_items: None,
            totals: Some(Totals(vec![Total::new(kind::TOTAL, Amount::new(amount).unwrap())])),
            description: Some("Cheese: 324 g were weighed".to_owned()),
            more: vestibule_ucp::More::new(),
        };
        order.adjustments = Some(changes.into_iter().enumerate().map(adjustment).collect());
        let shown = view(&order).unwrap();
        assert_eq!((shown.total.to_string().as_str(), shown.refunded.to_string().as_str()), ("34.44 EUR", "0.30 EUR"));
    }

    #[test]
    fn long_orders_are_told_with_their_newest_notes() {
        let mut long = order("order_in_production.json");
        let event = long.events()[3].clone();
        let events = long.fulfillment.events.get_or_insert_default();
        for at in 0..200 {
            let id = vestibule_ucp::Id::new(format!("more_{at}")).unwrap();
            events.push(FulfillmentEvent { id, description: Some("x".repeat(1_000)), ..event.clone() });
        }
        let shown = view(&long).unwrap();
        assert!(shown.notes.len() < 20, "{}", shown.notes.len());
        assert_eq!(shown.notes.last().unwrap().id, "more_199");
        long.line_items = (0..65)
            .map(|at| vestibule_ucp::OrderLine {
                id: vestibule_ucp::Id::new(format!("li_{at}")).unwrap(),
                ..long.line_items[0].clone()
            })
            .collect();
        assert!(view(&long).is_err());
    }

    /// So many things of each line, made and certified; each certificate with `more` letters that say nothing.
    fn many(lines: usize, each: usize, more: usize) -> Order {
        let mut order = order("order_delivered.json");
        let key = SigningKey::from_bytes("workshop-1", &[3; 32]).unwrap();
        let id = |text: String| vestibule_ucp::Id::new(text).unwrap();
        let (one, mut made) = (order.line_items[0].clone(), Certificates::default());
        let of_line = FabricationLine::of(&one.more).unwrap().unwrap();
        order.line_items.clear();
        for at in 1..=lines {
            let mut line = vestibule_ucp::OrderLine { id: id(format!("li_{at}")), ..one.clone() };
            let serials: Vec<String> = (1..=each).map(|n| format!("W{at}-{n:04}")).collect();
            FabricationLine { serial: Some(serials.join(" ")), ..of_line.clone() }.put(&mut line.more);
            for serial in serials {
                let said = Certificate {
                    v: 1,
                    kid: String::new(),
                    merchant: vestibule_ucp::Endpoint::new("http://127.0.0.1:7801/.well-known/ucp").unwrap(),
                    order: order.id.clone(),
                    line: line.id.clone(),
                    serial: id(serial),
                    design: Some(of_line.design),
                    item: one.item.id.clone(),
                    at: format!("2026-11-28T08:00:00{}Z", "0".repeat(more)),
                };
                made.0.push(said.issue(&key).unwrap());
            }
            order.line_items.push(line);
        }
        made.put(&mut order.more);
        order
    }

    #[test]
    fn of_an_order_of_many_things_as_much_is_shown_as_is_kept() {
        let shown = view(&many(1, 70, 0)).unwrap();
        let line = &shown.lines[0];
        assert_eq!((line.serials.len(), line.certificates.len()), (MAX_ORDER_LINES, MAX_ORDER_LINES));
        assert!(line.serials.iter().all(|serial| line.certificates.contains_key(serial)));
        assert_eq!(line.serials[63], Serial::new("W1-0064").unwrap());
        // Two lines that are each short enough, and together are not.
        let shown = view(&many(2, 60, 400)).unwrap();
        let certificates = |at: usize| shown.lines[at].certificates.len();
        assert_eq!((shown.lines[1].serials.len(), certificates(0)), (60, 60));
        assert!((1..60).contains(&certificates(1)), "{}", certificates(1));
        assert!(shown.lines[1].certificates.contains_key(&Serial::new("W2-0001").unwrap()));
    }
}
