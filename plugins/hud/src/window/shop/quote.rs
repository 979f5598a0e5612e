use bevy::prelude::*;
use vestibule_twin::{Shop, ShopAsk, ShopFit, ShopMerchant, ShopQuote, model::TwinId};

use super::{Counter, block, duration, goods, sum, unless, wrapped};
use crate::{
    action::{HudAction, HudWindow, PrepareShop},
    el::El,
    style,
    widgets::{self, Tone},
};

/// What it costs to have the open design made, by manufacturer.
pub(super) fn list(counter: &Counter<'_>) -> Vec<El> {
    let designed = counter.designed;
    if !designed.open {
        let press = widgets::press("Design something", HudAction::Open(HudWindow::Design));
        return vec![
            El::text("quote.none", "No design is open. What you design can be made for you."),
            wrapped("quote.design").with(widgets::button("design", press, None, Tone::Main)),
        ];
    }
    let mut all = vec![what(counter)];
    let makers: Vec<_> = counter.view.merchants.iter().filter(|merchant| merchant.makes).collect();
    if makers.is_empty() {
        all.push(El::text("quote.nobody", "No manufacturer is known here yet."));
    }
    for merchant in makers {
        match goods::agreement(merchant).filter(|_| !merchant.agreed) {
            Some(agreement) => all.push(agreement),
            None => all.push(maker(counter, merchant)),
        }
    }
    all
}

/// Why it cannot be ordered now.
fn why_not(counter: &Counter<'_>) -> Option<String> {
    let designed = counter.designed;
    let blocks = designed.findings.iter().find(|finding| finding.blocks);
    match (&designed.not_ready, designed.checked, blocks) {
        (Some(why), ..) => Some(why.clone()),
        (None, false, _) => Some("it is still being looked at by the machine's rules".to_owned()),
        (None, true, Some(finding)) => Some(format!("it cannot be made: {}", finding.says)),
        (None, true, None) => None,
    }
}

fn what(counter: &Counter<'_>) -> El {
    let quantity = counter.desk.quantity;
    let step = |key: &'static str, label: &str, to: u32| {
        let press = widgets::press(label, HudAction::PrepareShop(PrepareShop::Quantity(to)));
        widgets::button(key, press, None, Tone::Plain)
    };
    let size = counter.designed.size_mm.map(|[x, y, z]| format!("{x:.0} × {y:.0} × {z:.0} mm"));
    block("quote.what")
        .with(El::text("name", counter.designed.name.clone()).strong())
        .with_all(size.map(|size| El::small("size", size)))
        .with(
            wrapped("quote.count")
                .with(El::text("word", "How many"))
                .with(step("less", "-", quantity.saturating_sub(1)))
                .with(El::text("count", quantity.to_string()).strong())
                .with(step("more", "+", quantity.saturating_add(1)))
                .with(step("ten", "+10", quantity.saturating_add(10))),
        )
}

fn maker(counter: &Counter<'_>, merchant: &ShopMerchant) -> El {
    let quote = counter.view.quotes.get(&merchant.system);
    let own = why_not(counter);
    let why = merchant.why_not.as_deref().or(own.as_deref()).or_else(|| {
        let busy = quote.and_then(|quote| quote.busy.as_deref());
        busy.map(|_| "it is being asked")
    });
    let fresh = quote.filter(|quote| is_fresh(counter, quote));
    let has_price = fresh.is_some_and(|quote| quote.item.is_some());
    let asks: Vec<&ShopAsk> = merchant.asks.iter().filter(|ask| !ask.shared).collect();
    let tone = if has_price || why.is_some() { Tone::Plain } else { Tone::Main };
    let button = |key: String, label: String, shows: Option<TwinId>, tone: Tone| {
        let ask = Shop::Quote { system: merchant.system.clone(), quantity: counter.desk.quantity, shows };
        widgets::button(key, unless(label, HudAction::Shop(ask), why), None, tone)
    };
    let (without, last) = match (asks.is_empty(), has_price) {
        (false, _) => ("Ask without it", Tone::Plain),
        (true, true) => ("Ask again", tone),
        (true, false) => ("Ask what it costs", tone),
    };
    let allow = asks.iter().map(|ask| button(format!("allow.{}", ask.twin), allow(ask), Some(ask.twin.clone()), tone));
    let row = wrapped("row")
        .with_all(fresh.and_then(|quote| put(counter, merchant, quote)))
        .with_all(allow)
        .with(button("ask".to_owned(), without.to_owned(), None, last))
        .with_all(why.map(|why| El::small("why", why.to_owned()).node(|node| node.flex_shrink = 1.0)));
    let stale = quote
        .filter(|quote| quote.item.is_some() && !is_fresh(counter, quote))
        .map(|_| El::small("stale", "What it said was for another design or number: ask again.").colored(style::PAST));
    block(format!("maker.{}", merchant.system))
        .with(El::text("name", merchant.name.clone()).strong())
        .with_all(quote.iter().flat_map(|quote| state(quote)))
        .with_all(fresh.into_iter().flat_map(|quote| price(counter, quote)))
        .with_all(stale)
        .with_all(question(merchant, &asks))
        .with_all(merchant.asks.iter().filter(|ask| ask.shared).map(|ask| shared(merchant, ask)))
        .with(row)
}

fn allow(ask: &ShopAsk) -> String {
    format!("Allow {}", ask.name)
}

/// What the manufacturer asks to see, and how long it would: the answer is the button that asks for the price.
fn question(merchant: &ShopMerchant, asks: &[&ShopAsk]) -> Option<El> {
    if asks.is_empty() {
        return None;
    }
    let title = format!("{} asks to see the free place that it is for", merchant.name);
    let wants = asks
        .iter()
        .enumerate()
        .map(|(n, ask)| El::small(format!("wants.{n}"), format!("{} says: {}", ask.name, ask.measures.join("; "))));
    let text = "Allowed, it sees these and nothing else while it works out this price, and tells you whether it fits.";
    let asked = El::column("asked", 2.0).node(|node| node.flex_shrink = 0.0);
    Some(asked.with(El::text("title", title)).with_all(wants).with(El::small("term", text)))
}

/// What it sees anyway, and the way out of that.
fn shared(merchant: &ShopMerchant, ask: &ShopAsk) -> El {
    let hide = Shop::Hide { system: merchant.system.clone(), twin: ask.twin.clone() };
    let text = format!("It sees what {} says of the free place whenever it works for you.", ask.name);
    let press = widgets::press(format!("Hide {}", ask.name), HudAction::Shop(hide));
    wrapped("shared").with(El::small("text", text).node(|node| node.flex_shrink = 1.0)).with(widgets::button(
        format!("hide.{}", ask.twin),
        press,
        None,
        Tone::Plain,
    ))
}

/// Whether a quote is for the design as it stands there, and for as many as are wanted.
fn is_fresh(counter: &Counter<'_>, quote: &ShopQuote) -> bool {
    let same = quote.design.map(|design| design.0) == counter.designed.hash;
    let holds = quote.until.is_none_or(|until| until > counter.now);
    same && holds && quote.quantity == counter.desk.quantity
}

fn state(quote: &ShopQuote) -> Vec<El> {
    let busy = quote.busy.as_ref().map(|busy| El::small("busy", format!("{busy} ...")));
    let problem = quote.problem.as_ref().map(|why| El::text("problem", why.clone()).colored(style::WRONG));
    busy.into_iter().chain(problem).collect()
}

fn price(counter: &Counter<'_>, quote: &ShopQuote) -> Vec<El> {
    let Some(price) = quote.price else { return Vec::new() };
    let mut rows: Vec<El> = quote
        .parts
        .iter()
        .enumerate()
        .map(|(place, (name, amount))| sum(format!("part.{place}"), name, amount.to_string(), false))
        .collect();
    rows.push(sum("each", "For each, without taxes and delivery", price.to_string(), true));
    if let Some(all) = price.times(quote.quantity).ok().filter(|_| quote.quantity > 1) {
        rows.push(sum("all", &format!("For {}", quote.quantity), all.to_string(), true));
    }
    let until = quote.until.map(|until| format!(", if you order until {}", counter.zone.time(until, counter.now)));
    rows.push(El::small("lead", format!("Made within about {}{}.", duration(quote.lead_s), until.unwrap_or_default())));
    rows.extend(fit(&quote.fit));
    rows.extend(
        quote
            .findings
            .iter()
            .enumerate()
            .map(|(n, says)| El::small(format!("finding.{n}"), says.clone()).colored(style::PAST)),
    );
    rows
}

/// Whether it goes where it is wanted. It can be bought all the same.
fn fit(fit: &ShopFit) -> Vec<El> {
    let (all, color) = match fit {
        ShopFit::Nothing => return Vec::new(),
        ShopFit::Fits(says) => (std::slice::from_ref(says), style::GOOD),
        ShopFit::TooLarge(says) => (says.as_slice(), style::WRONG),
        ShopFit::Unknown(says) => (says.as_slice(), style::PAST),
    };
    let row = |(n, says): (usize, &String)| El::text(format!("fit.{n}"), says.clone()).colored(color);
    all.iter().enumerate().map(row).collect()
}

/// The way into the cart.
fn put(counter: &Counter<'_>, merchant: &ShopMerchant, quote: &ShopQuote) -> Option<El> {
    let item = quote.item.clone()?;
    let cart = counter.view.carts.get(&merchant.system).filter(|cart| cart.purchase.is_none());
    if cart.is_some_and(|cart| cart.lines.iter().any(|line| line.item == item)) {
        let press =
            widgets::press("Go to the cart", HudAction::PrepareShop(PrepareShop::Cart(merchant.system.clone())));
        return Some(widgets::button("cart", press, None, Tone::Main));
    }
    let add = Shop::Add { system: merchant.system.clone(), items: vec![(item, quote.quantity)] };
    Some(widgets::button("order", widgets::press("Put it into the cart", HudAction::Shop(add)), None, Tone::Main))
}
