use bevy::prelude::*;
use vestibule_twin::{Shop, ShopCart, ShopDelivery, ShopLine, ShopNote, ShopNoteKind, ShopTold, model::SystemId};

use super::{Counter, address, block, sum, unless, wrapped};
use crate::{
    action::{HudAction, PrepareShop, ShopPart},
    el::El,
    style,
    widgets::{self, Tone},
    window::careful,
};

/// The carts, and all of the one that is looked at.
pub(super) fn list(counter: &Counter<'_>) -> Vec<El> {
    let carts = &counter.view.carts;
    let Some(cart) = looked_at(counter) else { return vec![El::text("cart.none", "There is nothing in any cart.")] };
    let mut all = Vec::new();
    if carts.len() > 1 {
        let tab = |(system, one): (&SystemId, &ShopCart)| {
            let tone = if *system == cart.system { Tone::Chosen } else { Tone::Plain };
            let press = widgets::press(one.name.clone(), HudAction::PrepareShop(PrepareShop::Cart(system.clone())));
            widgets::button(format!("cart.{system}"), press, None, tone)
        };
        all.push(wrapped("cart.tabs").with_all(carts.iter().map(tab)));
    }
    if let Some(id) = cart.purchase {
        all.push(El::text("cart.done", format!("What was in your cart at {} was confirmed.", cart.name)).strong());
        let press = widgets::press("See the order", HudAction::PrepareShop(PrepareShop::Order(Some(id))));
        let away = widgets::press("Put the cart away", HudAction::Shop(Shop::Leave(cart.system.clone())));
        all.push(wrapped("cart.order").with(widgets::button("see", press, None, Tone::Main)).with(widgets::button(
            "away",
            away,
            None,
            Tone::Plain,
        )));
        return all;
    }
    all.push(lines(cart));
    if cart.total.is_some() {
        all.push(place(counter, cart));
        all.extend(deliveries(counter, cart));
        all.extend(ways(cart));
    }
    let link = |(n, (what, url)): (usize, &(String, String))| El::small(format!("link.{n}"), format!("{what}: {url}"));
    all.extend(cart.links.iter().enumerate().map(link));
    all
}

/// The cart that is looked at.
fn looked_at<'a>(counter: &Counter<'a>) -> Option<&'a ShopCart> {
    let carts = &counter.view.carts;
    counter.desk.cart.as_ref().and_then(|system| carts.get(system)).or_else(|| carts.values().next())
}

/// What stands below the cart that is looked at, while it can be changed.
pub(super) fn foot(counter: &Counter<'_>) -> Option<El> {
    let cart = looked_at(counter).filter(|cart| counter.desk.part == ShopPart::Carts && cart.purchase.is_none())?;
    Some(end(counter, cart))
}

fn lines(cart: &ShopCart) -> El {
    let rows = cart.lines.iter().map(|one| line(cart, one));
    let mut place = block("cart.lines").with(El::text("name", cart.name.clone()).strong()).with_all(rows);
    let general = cart.notes.iter().filter(|note| note.line.is_none() && note.kind != ShopNoteKind::Blocks);
    place.children.extend(general.enumerate().map(|(n, one)| note(format!("note.{n}"), one)));
    place
}

fn line(cart: &ShopCart, one: &ShopLine) -> El {
    let count = |key: &'static str, label: &str, quantity: u32| {
        let wish = Shop::Count { system: cart.system.clone(), line: one.id.clone(), quantity };
        widgets::button(key, widgets::press(label, HudAction::Shop(wish)), None, Tone::Plain)
    };
    // A price for ten of a design is no price for nine.
    let counters = match one.design {
        Some(_) => vec![El::small("fixed", format!("{} ×, as quoted", one.quantity))],
        None => vec![
            count("less", "-", one.quantity.saturating_sub(1)),
            El::text("count", one.quantity.to_string()).strong(),
            count("more", "+", one.quantity.saturating_add(1)),
        ],
    };
    let mut title = El::text("title", one.title.clone());
    title.node.flex_shrink = 1.0;
    let row = El::row("row", 6.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(title)
        .with(widgets::spring())
        .with_all(counters)
        .with(count("none", "Take out", 0))
        .with(El::text("total", one.total.to_string()).words(|words| words.wrap = false));
    let notes = cart.notes.iter().filter(|note| note.line.as_deref() == Some(&one.id));
    El::column(format!("line.{}", one.id), 2.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(row)
        .with_all(notes.enumerate().map(|(n, one)| note(format!("note.{n}"), one)))
}

fn note(key: String, note: &ShopNote) -> El {
    let color = match note.kind {
        ShopNoteKind::Blocks => style::WRONG,
        ShopNoteKind::Warning | ShopNoteKind::Disclosure => style::PAST,
        ShopNoteKind::Info => style::MUTED,
    };
    El::small(key, note.text.clone()).colored(color)
}

/// Where it goes, and what the merchant is told by that.
fn place(counter: &Counter<'_>, cart: &ShopCart) -> El {
    let mut place = block("cart.place").with(widgets::heading("title", "Where does it go?"));
    let book = &counter.addresses.addresses;
    let choose = book.iter().enumerate().map(|(at, entry)| {
        let tone = if cart.address == Some(at) { Tone::Chosen } else { Tone::Plain };
        let wish = Shop::Address { system: cart.system.clone(), address: at };
        widgets::button(format!("to.{at}"), widgets::press(address::name(entry, at), HudAction::Shop(wish)), None, tone)
    });
    let new = widgets::press("New address", HudAction::PrepareShop(PrepareShop::NewAddress));
    let tone = if book.is_empty() { Tone::Main } else { Tone::Plain };
    place.children.push(wrapped("to").with_all(choose).with(widgets::button("new", new, None, tone)));
    let Some(chosen) = &cart.goes_to else { return place };
    if cart.leaves.is_empty() {
        let told = match cart.told {
            ShopTold::Nothing | ShopTold::OnItsWay => "On its way",
            ShopTold::Unsure => "The merchant may have it, and has not said so",
            ShopTold::Told => "The merchant has it",
        };
        place.children.push(El::small("told", format!("{told}: {}", address::line(chosen))));
        return place;
    }
    let listed: Vec<String> = cart.leaves.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let send = widgets::press(format!("Send this to {}", cart.name), HudAction::Shop(Shop::Send(cart.system.clone())));
    let fix =
        cart.address.map(|at| widgets::press("Change it", HudAction::PrepareShop(PrepareShop::EditAddress(Some(at)))));
    place
        .with(El::small("leaves", format!("{} will be told exactly this:", cart.name)))
        .with(El::text("list", listed.join("  ·  ")))
        .with(
            wrapped("send")
                .with(widgets::button("send", send, None, Tone::Main))
                .with_all(fix.map(|press| widgets::button("fix", press, None, Tone::Plain))),
        )
}

fn deliveries(counter: &Counter<'_>, cart: &ShopCart) -> Option<El> {
    if cart.deliveries.is_empty() {
        return None;
    }
    let row = |one: &ShopDelivery| {
        let (system, group, option) = (cart.system.clone(), one.group.clone(), one.id.clone());
        let press = widgets::press(one.title.clone(), HudAction::Shop(Shop::Deliver { system, group, option }));
        let tone = if one.chosen { Tone::Chosen } else { Tone::Plain };
        let mut words = El::small("says", when(counter, one));
        words.node.flex_shrink = 1.0;
        El::row(format!("option.{}.{}", one.group, one.id), style::GAP)
            .node(|node| node.flex_shrink = 0.0)
            .with(widgets::button("choose", press, None, tone))
            .with(words)
            .with(widgets::spring())
            .with(El::text("price", one.price.to_string()).words(|words| words.wrap = false))
    };
    let rows = cart.deliveries.iter().map(row);
    Some(block("cart.deliveries").with(widgets::heading("title", "How is it brought?")).with_all(rows))
}

fn when(counter: &Counter<'_>, one: &ShopDelivery) -> String {
    let at = |moment| counter.zone.day(moment);
    let between = match one.between {
        (Some(from), Some(to)) if at(from) == at(to) => Some(at(from)),
        (Some(from), Some(to)) => Some(format!("{} to {}", at(from), at(to))),
        (None, Some(to)) => Some(format!("until {}", at(to))),
        (Some(from), None) => Some(format!("from {}", at(from))),
        (None, None) => None,
    };
    let says = Some(one.says.clone()).filter(|says| !says.is_empty());
    between.into_iter().chain(says).collect::<Vec<_>>().join(" · ")
}

fn ways(cart: &ShopCart) -> Option<El> {
    if cart.ways.is_empty() {
        return None;
    }
    let way = cart.ways.iter().enumerate().map(|(n, (with, words))| {
        let tone = if cart.pay.as_ref() == Some(with) { Tone::Chosen } else { Tone::Plain };
        let wish = Shop::Pay { system: cart.system.clone(), with: with.clone() };
        widgets::button(format!("way.{n}"), widgets::press(words.clone(), HudAction::Shop(wish)), None, tone)
    });
    Some(block("cart.ways").with(widgets::heading("title", "How do you pay?")).with(wrapped("ways").with_all(way)))
}

/// What it costs, and the click that costs money.
fn end(counter: &Counter<'_>, cart: &ShopCart) -> El {
    let last = cart.totals.len().saturating_sub(1);
    let rows = cart.totals.iter().enumerate();
    let rows = rows.map(|(n, (name, amount))| sum(format!("total.{n}"), name, amount.to_string(), n == last));
    let most = cart.most.map(|most| {
        El::small("most", format!("Some of it is weighed when it is packed: at most {most}.")).colored(style::PAST)
    });
    let was = cart.was.zip(cart.total).map(|(was, now)| {
        El::text("was", format!("It costs {now} now. When you last saw it, it was {was}."))
            .strong()
            .colored(style::PAST)
    });
    let problem = cart.problem.as_ref().map(|problem| El::text("problem", problem.clone()).colored(style::WRONG));
    let again = problem.is_some() && cart.busy.is_none();
    let again = again.then(|| {
        widgets::button("again", widgets::press("Look again", HudAction::Shop(Shop::Look)), None, Tone::Plain)
    });
    let leave = HudAction::Shop(Shop::Leave(cart.system.clone()));
    let leave = careful("leave", ("Leave the cart", "Really leave it?"), leave, counter.confirming, true);
    let why = cart.why_not.as_ref().map(|why| El::small("why", format!("Not yet: {why}.")));
    let buttons = wrapped("buttons").with(confirm(counter, cart)).with_all(again).with(leave);
    block("cart.end")
        .with_all(rows)
        .with_all(most)
        .with_all(was)
        .with_all(problem)
        .with_all(cart.busy.as_ref().map(|busy| El::small("busy", format!("{busy} ..."))))
        .with(buttons)
        .with_all(why)
}

/// Says the exact sum, and carries it: where the total is another one by then, nothing is ordered.
fn confirm(counter: &Counter<'_>, cart: &ShopCart) -> El {
    let Some(total) = cart.total else {
        let press = unless("Order it", HudAction::Nothing, Some("there is nothing in it"));
        return widgets::button("confirm", press, None, Tone::Plain);
    };
    let does = HudAction::Shop(Shop::Confirm { system: cart.system.clone(), shown: total });
    let (first, again) = (format!("Order for {total}"), format!("Press again: order for {total}"));
    let mut el = careful("confirm", (&first, &again), does, counter.confirming, cart.why_not.is_none());
    if cart.why_not.is_none() && el.fill == style::BUTTON {
        el.fill = style::ACCENT.with_alpha(0.28);
    }
    el
}
