//! Buying: goods, the open design's price, carts with everything that is chosen for them, addresses, and orders.

mod address;
mod cart;
mod desk;
mod goods;
mod quote;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod told_tests;

use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    AddressBook, DesignView, KeepingProducts, KnownPurchases, ProductRow, ShopView, model::Timestamp,
};

use super::orders;
use crate::{
    action::{HudAction, PrepareShop, ShopField, ShopPart},
    el::{El, Press},
    line::Line,
    moment::Zone,
    style,
    widgets::{self, Tone},
};

pub(crate) use desk::{ShopDesk, act, leave};

/// What the window needs to know.
pub(in crate::window) struct Counter<'a> {
    pub connected: bool,
    pub view: &'a ShopView,
    pub purchases: &'a KnownPurchases,
    /// What came and has a serial number.
    pub products: Vec<ProductRow>,
    /// What of that is being kept right now.
    pub keeping: &'a KeepingProducts,
    pub addresses: &'a AddressBook,
    pub designed: &'a DesignView,
    pub desk: &'a ShopDesk,
    pub line: Option<(ShopField, &'a Line)>,
    pub confirming: Option<&'a HudAction>,
    pub zone: &'a Zone,
    /// By the enabler's clock.
    pub now: Timestamp,
    /// Whether something can be copied, and written into a file.
    pub out: (bool, bool),
}

impl Counter<'_> {
    /// What is written into a field right now.
    fn writing(&self, field: ShopField) -> Option<String> {
        self.line.filter(|(other, _)| *other == field).map(|(_, line)| line.with_caret())
    }
}

/// The window.
pub(in crate::window) fn window(counter: &Counter<'_>, keys: &KeyBindings) -> El {
    let mut body = widgets::scroll("shop.body", 8.0).node(|node| node.flex_grow = 1.0);
    if !counter.connected {
        let text = "The enabler cannot be reached: what is shown is what was known, and nothing can be bought now.";
        body.children.push(El::small("shop.offline", text).colored(style::PAST));
    }
    if let Some(problem) = &counter.view.problem {
        body.children.push(El::text("shop.problem", problem.clone()).colored(style::WRONG));
    }
    match counter.desk.part {
        ShopPart::Goods => body.children.extend(goods::list(counter)),
        ShopPart::Design => body.children.extend(quote::list(counter)),
        ShopPart::Carts => body.children.extend(cart::list(counter)),
        ShopPart::Addresses => body.children.extend(address::list(counter)),
        ShopPart::Orders => body.children.extend(orders::list(counter)),
    }
    let whole = El::column("shop.whole", 8.0)
        .node(|node| {
            node.min_height = px(0);
            node.flex_shrink = 1.0;
            node.flex_grow = 1.0;
        })
        .with(parts(counter))
        .with(body)
        // What it costs, and the click that costs money, are always in sight.
        .with_all(cart::foot(counter));
    let mut panel = super::frame("shop", "Shop", &keys.label(Control::Shop), 760.0, whole);
    // The window keeps its size while one looks through its parts.
    panel.node.height = percent(100);
    panel
}

/// What one can look at.
fn parts(counter: &Counter<'_>) -> El {
    let lines: usize = counter.view.carts.values().filter(|cart| cart.purchase.is_none()).map(|c| c.lines.len()).sum();
    let open = counter.purchases.by_id.values().filter(|known| !known.state.is_final()).count();
    let counted = |word: &str, count: usize| if count == 0 { word.to_owned() } else { format!("{word} ({count})") };
    let all = [
        (ShopPart::Goods, "Goods".to_owned()),
        (ShopPart::Design, "Your design".to_owned()),
        (ShopPart::Carts, counted("Cart", lines)),
        (ShopPart::Orders, counted("Orders", open + counter.purchases.in_doubt.len())),
        (ShopPart::Addresses, "Addresses".to_owned()),
    ];
    let tab = |(part, label): (ShopPart, String)| {
        let chosen = counter.desk.part == part;
        let tone = if chosen { Tone::Chosen } else { Tone::Plain };
        let press = widgets::press(label, HudAction::PrepareShop(PrepareShop::Show(part)));
        widgets::button(format!("part.{part:?}"), press, None, tone)
    };
    wrapped("shop.parts").with_all(all.map(tab))
}

/// A row of buttons that goes on in the next line where there are many.
pub(in crate::window) fn wrapped(key: &'static str) -> El {
    El::row(key, 6.0).node(|node| {
        node.flex_wrap = FlexWrap::Wrap;
        node.row_gap = px(6);
        node.flex_shrink = 0.0;
    })
}

/// A part of the window.
pub(in crate::window) fn block(key: impl Into<std::borrow::Cow<'static, str>>) -> El {
    El::column(key, 7.0)
        .node(|node| {
            node.padding = UiRect::axes(px(10), px(8));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
}

/// A press that cannot be used while `why` says why.
pub(in crate::window) fn unless(label: impl Into<String>, action: HudAction, why: Option<&str>) -> Press {
    Press { label: label.into(), action, enabled: why.is_none() }
}

/// A name on the left and an amount on the right, in a column of amounts.
pub(in crate::window) fn sum(
    key: impl Into<std::borrow::Cow<'static, str>>,
    name: &str,
    amount: String,
    strong: bool,
) -> El {
    let (mut name, mut amount) = (El::text("name", name), El::text("amount", amount));
    amount = amount.words(|words| words.wrap = false);
    if strong {
        (name, amount) = (name.strong(), amount.strong());
    } else {
        name = name.colored(style::MUTED);
    }
    El::row(key, style::GAP).node(|node| node.flex_shrink = 0.0).with(name).with(widgets::spring()).with(amount)
}

/// Seconds as people say them.
pub(in crate::window) fn duration(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        minutes @ 0..60 => format!("{minutes} min"),
        minutes @ 60..2_880 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        minutes => format!("{} days", minutes.div_ceil(1_440)),
    }
}
