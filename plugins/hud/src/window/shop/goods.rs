use bevy::prelude::*;
use vestibule_twin::{Shop, ShopGoods, ShopMerchant};

use super::{Counter, block, unless, wrapped};
use crate::{
    action::{HudAction, PrepareShop, ShopField},
    el::El,
    style,
    widgets::{self, Tone},
};

/// What can be bought, and from whom.
pub(super) fn list(counter: &Counter<'_>) -> Vec<El> {
    let mut all = vec![search(counter)];
    let sellers: Vec<_> = counter.view.merchants.iter().filter(|merchant| merchant.sells).collect();
    if sellers.is_empty() {
        all.push(El::text("shop.none", "No shop is known here yet."));
        let text = "Whoever runs the enabler connects shops to it; they are looked for each time this window opens.";
        all.push(El::small("shop.how", text));
    }
    all.extend(sellers.into_iter().filter_map(agreement));
    let view = counter.view;
    all.extend(view.unanswered.iter().enumerate().map(|(place, (name, why))| {
        El::small(format!("unanswered.{place}"), format!("{name} did not answer: {why}")).colored(style::WRONG)
    }));
    if view.searching {
        all.push(El::small("shop.searching", "Asking the shops ..."));
    } else if view.goods.is_empty() && !view.words.is_empty() && view.unanswered.is_empty() && view.problem.is_none() {
        all.push(El::text("shop.nothing", format!("Nothing was found for \"{}\".", view.words)));
    }
    all.extend(view.goods.iter().map(|good| row(counter, good)));
    all
}

fn search(counter: &Counter<'_>) -> El {
    let write = widgets::press("What to look for", HudAction::PrepareShop(PrepareShop::Write(ShopField::Words)));
    let mut field = widgets::field("shop.words", counter.desk.words.clone(), counter.writing(ShopField::Words), write);
    field.node.flex_grow = 1.0;
    let why = (!counter.connected).then_some("the enabler cannot be reached");
    let look = unless("Look for it", HudAction::PrepareShop(PrepareShop::Search), why);
    El::row("shop.search", style::GAP)
        .node(|node| {
            node.flex_shrink = 0.0;
            node.align_items = AlignItems::FlexStart;
        })
        .with(field)
        .with(widgets::button("shop.look", look, None, Tone::Main))
}

/// A merchant that is not agreed with yet, and what agreeing means.
pub(super) fn agreement(merchant: &ShopMerchant) -> Option<El> {
    if merchant.agreed && merchant.why_not.is_none() {
        return None;
    }
    let why = merchant.why_not.as_deref().or_else(|| merchant.asking.then_some("asked, waiting for its answer"));
    let agree =
        unless(format!("Agree with {}", merchant.name), HudAction::Shop(Shop::Agree(merchant.system.clone())), why);
    let what = if merchant.makes { "the designs you have quoted" } else { "what you look for" };
    let text = format!(
        "It will hear {what} and what you put into its cart, under a pseudonym, for 30 days. Your name and address go to it \
         only when you send them."
    );
    let mut place = block(format!("agree.{}", merchant.system)).with(El::text("name", merchant.name.clone()).strong());
    if !merchant.agreed {
        let tone = if why.is_none() { Tone::Main } else { Tone::Plain };
        place = place.with(El::small("what", text)).with(
            wrapped("row")
                .with(widgets::button("agree", agree, None, tone))
                .with_all(why.map(|why| El::small("why", why.to_owned()))),
        );
    } else {
        place = place.with_all(why.map(|why| El::small("why", format!("Not now: {why}."))));
    }
    Some(place)
}

fn row(counter: &Counter<'_>, good: &ShopGoods) -> El {
    let merchant = counter.view.merchants.iter().find(|merchant| merchant.system == good.system);
    let away = merchant.and_then(|merchant| merchant.why_not.as_deref());
    let why = good.why_not.as_deref().or(away);
    let add = Shop::Add { system: good.system.clone(), items: vec![(good.item.clone(), good.least.max(1))] };
    let name = merchant.map_or_else(|| good.system.to_string(), |merchant| merchant.name.clone());
    let words = El::column("words", 2.0)
        .node(|node| {
            node.flex_grow = 1.0;
            node.flex_shrink = 1.0;
        })
        .with(El::text("title", good.title.clone()).strong())
        .with_all((!good.says.is_empty()).then(|| El::small("says", good.says.clone())))
        .with(El::small(
            "who",
            match good.measure.is_empty() {
                true => name,
                false => format!("{name} · {}", good.measure),
            },
        ));
    let press = unless("Add to cart", HudAction::Shop(add), why);
    let buy = El::column("buy", 3.0)
        .node(|node| {
            node.align_items = AlignItems::FlexEnd;
            node.flex_shrink = 0.0;
        })
        .with(El::text("price", good.price.to_string()).strong().words(|words| words.wrap = false))
        .with(widgets::button("add", press, None, Tone::Plain))
        .with_all(why.map(|why| El::small("why", why.to_owned())));
    let row = El::row("row", style::GAP).node(|node| node.align_items = AlignItems::FlexStart);
    block(format!("good.{}.{}", good.system, good.item)).with(row.with(words).with(buy))
}
