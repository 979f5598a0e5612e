//! Orders: how far each is, with real times; doubt in words; cancelling while that is possible; what was paid.

mod bind;
mod track;

use bevy::prelude::*;
use vestibule_twin::{
    ManagePurchases, ShopView,
    model::{Money, OrderLine, OrderView, PurchaseState, PurchaseUpdate, RefusalCode, SystemId, Timestamp},
};

use super::{
    careful,
    shop::{Counter, block, sum, wrapped},
};
use crate::{
    action::{HudAction, PrepareShop},
    el::El,
    moment::Zone,
    style,
    widgets::{self, Tone},
};

/// Everything that was bought, the newest first.
pub(super) fn list(counter: &Counter<'_>) -> Vec<El> {
    let known = counter.purchases;
    let mut all: Vec<El> = Vec::new();
    if let Some(problem) = known.problem.as_ref().filter(|problem| problem.code != RefusalCode::Unavailable) {
        all.push(El::text("orders.problem", problem.to_string()).colored(style::WRONG));
    }
    for id in known.in_doubt.iter().filter(|id| !known.by_id.contains_key(*id)) {
        let text = "Confirmed here, and the enabler has not said that it heard it. It is asked as soon as it answers; \
                    nothing is ordered twice.";
        let head = El::text("what", "An order in doubt").strong().colored(style::PAST);
        all.push(block(format!("doubt.{id}")).with(head).with(El::small("why", text)));
    }
    let newest = known.newest_first();
    if newest.is_empty() && known.in_doubt.is_empty() {
        let text = if known.complete { "Nothing was bought yet." } else { "Asking what was bought ..." };
        all.push(El::text("orders.none", text));
    }
    all.extend(newest.into_iter().map(|update| order(counter, update)));
    all
}

/// What was bought, in a few words.
fn title(counter: &Counter<'_>, update: &PurchaseUpdate) -> String {
    let lines = update.order.as_ref().map(|order| order.lines.as_slice()).unwrap_or_default();
    match lines {
        [] => format!("Your cart at {}", merchant(counter.view, &update.system)),
        [only] if only.ordered > 1 => format!("{} × {}", only.ordered, only.title),
        [only] => only.title.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.title, rest.len()),
    }
}

/// What people call a merchant.
pub(super) fn merchant<'a>(view: &'a ShopView, system: &'a SystemId) -> &'a str {
    let known = view.merchants.iter().find(|merchant| merchant.system == *system);
    known.map_or(system.as_str(), |merchant| merchant.name.as_str())
}

/// When the merchant was last heard of it: it answered, or what it told of by itself was written down. What the person did
/// is none of its words.
fn heard(update: &PurchaseUpdate) -> Option<Timestamp> {
    let told = match &update.state {
        PurchaseState::Placed { .. } | PurchaseState::Completed { .. } | PurchaseState::Disputed { .. } => {
            update.order.as_ref().map(|_| update.at)
        }
        _ => None,
    };
    update.checked.max(told)
}

fn order(counter: &Counter<'_>, update: &PurchaseUpdate) -> El {
    let open = counter.desk.order == Some(update.id);
    let (word, color) = track::state(update);
    let mut name = El::text("title", title(counter, update)).strong();
    name.node.flex_shrink = 1.0;
    // What it costs by now: goods that were weighed may have come to more than was confirmed.
    let total = update.order.as_ref().map_or(update.total, |order| order.total);
    let more = PrepareShop::Order(if open { None } else { Some(update.id) });
    let press = widgets::press(if open { "Less" } else { "More" }, HudAction::PrepareShop(more));
    let head = El::row("head", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::dot(color, 9.0))
        .with(name)
        .with(El::small("state", word).colored(color).words(|words| words.wrap = false))
        .with(widgets::spring())
        .with(El::text("total", total.to_string()).words(|words| words.wrap = false))
        .with(widgets::button("more", press, None, Tone::Plain));
    let mut place = block(format!("order.{}", update.id)).with(head);
    place.children.extend(doubt(counter, update).into_iter().map(|text| El::text("doubt", text).colored(style::PAST)));
    place.children.extend(track::rows(counter, update));
    if let Some(said) = update.said.as_ref() {
        place.children.push(El::small("said", said.clone()));
    }
    if let Some(refusal) = counter.purchases.refused.get(&update.id) {
        place.children.push(El::small("refused", format!("It was not cancelled: {refusal}")).colored(style::WRONG));
    }
    place.children.extend(bind::products(counter, update.id));
    if open {
        place.children.extend(bind::coming(update));
        place.children.extend(details(counter, update));
    }
    place
}

/// Doubt in words: `Asked at 14:03:10, no answer yet (3rd time).`
fn doubt(counter: &Counter<'_>, update: &PurchaseUpdate) -> Option<String> {
    let times = |n: u16| match n {
        0 | 1 => String::new(),
        n => format!(" ({}{} time)", n, ordinal(n)),
    };
    match &update.state {
        PurchaseState::Confirmed => Some("Written down; the merchant has not been asked yet.".to_owned()),
        PurchaseState::Placing { attempts, since } => {
            let at = counter.zone.time(*since, counter.now);
            Some(format!("Asked at {at}, no answer yet{}. It is ordered once or not at all.", times(*attempts)))
        }
        PurchaseState::Canceling { attempts: 0, .. } => Some("It is to be cancelled.".to_owned()),
        PurchaseState::Canceling { attempts, .. } => {
            let at = counter.zone.time(update.at, counter.now);
            Some(format!("Asked at {at} to cancel it, no answer yet{}.", times(*attempts)))
        }
        PurchaseState::NotPlaced { reason, .. } => Some(format!("Nothing was ordered: {reason}")),
        PurchaseState::Disputed { what, .. } => Some(format!("The merchant's order is not what you confirmed: {what}")),
        PurchaseState::Placed { .. } | PurchaseState::Canceled { .. } | PurchaseState::Completed { .. } => None,
    }
}

const fn ordinal(n: u16) -> &'static str {
    match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

/// Everything of an order: lines, history, money, and what can be done.
fn details(counter: &Counter<'_>, update: &PurchaseUpdate) -> Vec<El> {
    let mut all = Vec::new();
    if let Some(order) = &update.order {
        all.extend(order.lines.iter().map(line));
        all.push(sum("sum", "Total", order.total.to_string(), true));
        if order.refunded.amount != 0 {
            all.push(sum("refunded", "Paid back", order.refunded.to_string(), true));
        }
        all.extend(order.notes.iter().enumerate().map(|(n, note)| {
            let at = counter.zone.time(note.at, counter.now);
            El::small(format!("note.{n}"), format!("{at}  {}", note.text))
        }));
        if !order.permalink.is_empty() {
            all.push(El::small("link", format!("The merchant shows it at {}", order.permalink)));
        }
    }
    let checked = match heard(update) {
        Some(at) => format!("The merchant last said how it is at {}.", counter.zone.time(at, counter.now)),
        None => "The merchant has not been heard of since the enabler started.".to_owned(),
    };
    all.push(El::small("checked", checked));
    all.push(buttons(counter, update));
    if let Some((_, how)) = counter.desk.receipt.as_ref().filter(|(id, _)| *id == update.id) {
        all.push(match how {
            Ok(text) => El::small("receipt.told", text.clone()),
            Err(why) => El::small("receipt.told", format!("No receipt: {why}")).colored(style::WRONG),
        });
    }
    all
}

fn line(line: &OrderLine) -> El {
    let weighed =
        line.measured.as_ref().map(|weighed| format!(", {} {:?} weighed", weighed.milli / 1_000, weighed.unit));
    let serials: Vec<&str> = line.serials.iter().map(vestibule_twin::model::Serial::as_str).collect();
    let serials = if serials.is_empty() { String::new() } else { format!(", serial {}", serials.join(", ")) };
    let name = format!("{} × {}{}{serials}", line.total, line.title, weighed.unwrap_or_default());
    sum(format!("line.{}", line.id), &name, line.price.to_string(), false)
}

/// Why it cannot be cancelled; none: it can.
fn why_not(counter: &Counter<'_>, update: &PurchaseUpdate) -> Option<String> {
    if !counter.connected {
        return Some("the enabler cannot be reached".to_owned());
    }
    match (&update.state, &update.order) {
        (PurchaseState::Confirmed | PurchaseState::Placing { .. }, _) => None,
        (PurchaseState::Canceling { .. }, _) => Some("that was asked for already".to_owned()),
        (PurchaseState::Placed { .. } | PurchaseState::Disputed { .. }, None) => None,
        (PurchaseState::Placed { .. } | PurchaseState::Disputed { .. }, Some(order)) => {
            (!order.cancellable).then(|| "the merchant takes no cancellation any more".to_owned())
        }
        _ => Some("it has ended".to_owned()),
    }
}

fn buttons(counter: &Counter<'_>, update: &PurchaseUpdate) -> El {
    let why = why_not(counter, update);
    let cancel = HudAction::Purchase(ManagePurchases::Cancel(update.id));
    let press = |label: &str, what: PrepareShop| widgets::press(label, HudAction::PrepareShop(what));
    let (copy, file) = counter.out;
    let copy = copy.then(|| {
        widgets::button("copy", press("Copy receipt", PrepareShop::CopyReceipt(update.id)), None, Tone::Plain)
    });
    let file = file.then(|| {
        widgets::button("file", press("Write receipt", PrepareShop::WriteReceipt(update.id)), None, Tone::Plain)
    });
    let ended = update.state.is_final();
    let cancel = (!ended).then(|| {
        careful("cancel", ("Cancel the order", "Really cancel it?"), cancel, counter.confirming, why.is_none())
    });
    let why = why.filter(|_| !ended).map(|why| El::small("why", format!("It cannot be cancelled: {why}.")));
    wrapped("buttons").with_all(cancel).with_all(copy).with_all(file).with_all(why)
}

/// An order as a text for others.
pub(super) fn receipt(update: &PurchaseUpdate, merchant: &str, zone: &Zone) -> String {
    let mut text = String::from("Receipt\n\n");
    let mut row = |name: &str, value: &str| text.push_str(&format!("{name:<14}{value}\n"));
    row("Merchant", merchant);
    if let Some(order) = update.state.order() {
        row("Order", order.as_str());
    }
    row("Confirmed", &zone.day_and_time(update.confirmed));
    row("State", &track::state(update).0);
    text.push('\n');
    let money = |money: &Money| format!("{money:>16}", money = money.to_string());
    if let Some(order) = &update.order {
        for line in &order.lines {
            text.push_str(&format!("{} × {}\n{}\n", line.total, line.title, money(&line.price)));
        }
        text.push_str(&format!("\nTotal with everything that was added\n{}\n", money(&order.total)));
        if order.refunded.amount != 0 {
            text.push_str(&format!("Paid back\n{}\n", money(&order.refunded)));
        }
        text.push_str(&notes(order, zone));
        text.push_str(&format!("\n{}\n", order.permalink));
    } else {
        text.push_str(&format!("Confirmed total\n{}\n", money(&update.total)));
    }
    text
}

fn notes(order: &OrderView, zone: &Zone) -> String {
    let line = |at: Timestamp, said: &str| format!("{}  {said}\n", zone.day_and_time(at));
    let lines: String = order.notes.iter().map(|note| line(note.at, &note.text)).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

#[cfg(test)]
mod tests;
