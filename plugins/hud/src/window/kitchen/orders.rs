use bevy::prelude::*;
use vestibule_twin::{Cook, KitchenOrder, KitchenSupplier};

use super::{Counter, ask, small};
use crate::{
    action::{HudAction, PrepareShop},
    el::El,
    style,
    widgets::{self, Tone},
};

/// How far away, as people say it.
fn far(metres: u64) -> String {
    match metres {
        0..950 => format!("{} m away", metres / 10 * 10),
        #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
        _ => format!("{:.1} km away", metres as f64 / 1_000.0),
    }
}

/// What is ordered at one supplier, in two lines.
fn order(counter: &Counter<'_>, order: &KitchenOrder) -> El {
    let between = format!(
        "brings it {} to {}",
        counter.zone.hour(order.between.0, counter.now()),
        counter.zone.hour(order.between.1, order.between.0)
    );
    let about = order.distance_m.map(far).into_iter().chain([between]);
    let about: Vec<String> = about.chain(order.in_cart.then(|| "in its cart".to_owned())).collect();
    let at_most = (order.at_most != order.total).then(|| format!(", at most {} once it is weighed", order.at_most));
    let sum = format!("{} with {} for bringing it{}", order.total, order.delivery, at_most.unwrap_or_default());
    let goods: Vec<String> = order.goods.iter().map(|goods| format!("{} {}", goods.words, goods.price)).collect();
    let head = El::row("head", style::GAP)
        .with(El::text("name", order.name.clone()).strong().words(|words| words.wrap = false))
        .with(El::small("about", about.join(" · ")).node(|node| node.flex_shrink = 1.0))
        .with(widgets::spring())
        .with(El::text("sum", sum).strong())
        .with_all(order.in_cart.then(|| {
            let cart = HudAction::PrepareShop(PrepareShop::Cart(order.system.clone()));
            small("cart", "To its cart", format!("To the cart at {}", order.name), cart, Tone::Plain)
        }));
    El::column(format!("order.{}", order.system), 1.0).with(head).with(El::small("goods", goods.join(" · ")))
}

/// A supplier that could be asked if it were agreed with.
fn agree(supplier: &KitchenSupplier) -> El {
    let label = format!("Agree with {}", supplier.name);
    let text =
        format!("{} sells food. Agreed with, it is asked what it has; it is told nothing about you.", supplier.name);
    El::row(format!("agree.{}", supplier.system), style::GAP)
        .with(El::small("text", text).node(|node| node.flex_shrink = 1.0))
        .with(widgets::spring())
        .with(small("agree", &label, label.clone(), ask(Cook::Agree(supplier.system.clone())), Tone::Main))
}

/// What is ordered where, what it costs, and the way there: always in sight.
pub(super) fn foot(counter: &Counter<'_>) -> El {
    let view = counter.view;
    let strangers = view.suppliers.iter().filter(|supplier| !supplier.agreed).map(agree);
    let mut press = widgets::press("Put it into the cart", HudAction::Cook(Cook::Order));
    press.enabled = view.not_ready.is_none();
    let button = widgets::button("order", press, None, Tone::Main).node(|node| node.flex_shrink = 0.0);
    let why = match &view.not_ready {
        Some(why) => El::small("why", why.clone()),
        None => El::small("why", "Nothing is bought by this: the cart is confirmed for exactly what it costs."),
    };
    let line =
        El::row("line", style::GAP).with(why.node(|node| node.flex_shrink = 1.0)).with(widgets::spring()).with(button);
    El::column("foods.foot", 5.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::rule("rule"))
        .with_all(view.orders.iter().map(|known| order(counter, known)))
        .with_all(strangers)
        .with(line)
}
