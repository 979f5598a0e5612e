use bevy::prelude::*;
use vestibule_twin::{Cook, KitchenDecision, KitchenFood, KitchenLost, KitchenPlace};

use super::{Counter, KitchenField, PrepareKitchen, ask, block, food, orders, small};
use crate::{
    action::HudAction,
    el::{El, Press},
    style,
    widgets::{self, Tone},
};

/// Widths of the columns but the last one: food, needed, there, on its way, has to stay, missing.
const COLUMNS: [f32; 6] = [168.0, 84.0, 84.0, 90.0, 84.0, 84.0];

fn cell(width: f32, el: El) -> El {
    El::row("cell", 0.0)
        .node(|node| {
            node.width = px(width);
            node.flex_shrink = 0.0;
        })
        .with(el)
}

/// What becomes of a food, in few words, and its colour.
pub(super) fn verdict(food: &KitchenFood) -> (String, Color) {
    match food.decision {
        KitchenDecision::Order | KitchenDecision::Said if !food.goods.is_empty() => (food.goods.clone(), style::ACCENT),
        KitchenDecision::Order => (format!("buy {}", food.order), style::ACCENT),
        KitchenDecision::Said => (format!("buy {}, as you say", food.order), style::ACCENT),
        KitchenDecision::Enough => ("enough".to_owned(), style::GOOD),
        KitchenDecision::Coming => ("on its way".to_owned(), style::GOOD),
        KitchenDecision::Optional => ("only if you like".to_owned(), style::MUTED),
        KitchenDecision::Unmeasured => ("look whether there is some".to_owned(), style::MIND),
        KitchenDecision::NoSupplier => ("nobody brings it in time".to_owned(), style::WRONG),
        KitchenDecision::Have => ("you have it".to_owned(), style::MUTED),
        KitchenDecision::Without => ("you do without".to_owned(), style::MUTED),
    }
}

fn head() -> El {
    let names = ["Food", "needed", "there", "on its way", "stays", "missing"];
    let cells = COLUMNS.iter().zip(names).map(|(width, name)| cell(*width, El::small("text", name)));
    El::row("foods.head", 4.0)
        .node(|node| {
            node.padding = UiRect::horizontal(px(8));
            node.flex_shrink = 0.0;
        })
        .with_all(cells)
        .with(El::small("text", "and so"))
}

fn row(counter: &Counter<'_>, known: &KitchenFood) -> El {
    let open = counter.desk.open.as_ref() == Some(&known.id);
    let (words, color) = verdict(known);
    let dash = |text: &String| if text.is_empty() { "-".to_owned() } else { text.clone() };
    let plain = |text: &String| {
        let color = if text.is_empty() { style::FAINT } else { style::TEXT };
        El::text("text", dash(text)).colored(color).words(|words| words.wrap = false)
    };
    let missing = El::text("text", dash(&known.missing));
    let missing = if known.missing.is_empty() { missing.colored(style::FAINT) } else { missing.strong() };
    let [food, need, there, way, keep, lack] = COLUMNS;
    let mut line = El::row("line", 4.0)
        .node(|node| {
            node.padding = UiRect::axes(px(8), px(3));
            node.min_height = px(28);
            node.flex_shrink = 0.0;
        })
        .fill(if open { style::BUTTON } else { style::RAISED })
        .round(style::ROUND_SMALL)
        .with(cell(food, El::text("text", known.name.clone())))
        .with(cell(need, plain(&known.need)))
        .with(cell(there, plain(&known.there)))
        .with(cell(way, plain(&known.way)))
        .with(cell(keep, plain(&known.keep)))
        .with(cell(lack, missing))
        .with(El::text("verdict", words).colored(color).node(|node| node.flex_shrink = 1.0))
        .with_all(known.price.map(|price| El::text("price", price.to_string()).strong()));
    let action = HudAction::PrepareKitchen(PrepareKitchen::Unfold(known.id.clone()));
    line.press = Some(Press { label: format!("Why {}", known.name), action, enabled: true });
    El::column(format!("food.{}", known.id), 0.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(line)
        .with_all(open.then(|| food::why(counter, known)))
}

/// All foods, what is counted by hand, and what nobody knows.
pub(super) fn page(counter: &Counter<'_>) -> El {
    let view = counter.view;
    let rows = view.foods.iter().map(|known| row(counter, known));
    let none = view.foods.is_empty().then(|| {
        let text = match view.now {
            None => "The enabler was not reached yet: nobody knows what is there.",
            Some(_) => "Nothing is planned, and nothing at home tells of food.",
        };
        El::text("none", text).colored(style::MUTED)
    });
    let list = widgets::scroll("foods.list", 3.0)
        .node(|node| {
            node.flex_grow = 1.0;
            node.flex_basis = px(0);
        })
        .with_all(none)
        .with_all(rows)
        .with(by_hand(counter))
        .with_all(view.places.iter().enumerate().map(|(number, known)| place(counter, number, known)))
        .with_all(view.lost.iter().enumerate().map(|(number, known)| lost(number, known)))
        .with_all(view.overdue.iter().enumerate().map(|(number, known)| overdue(number, known)));
    El::column("foods", 6.0)
        .node(|node| {
            node.flex_grow = 1.0;
            node.flex_basis = px(0);
            node.min_height = px(0);
        })
        .with(head())
        .with(list)
        .with(orders::foot(counter))
}

/// What no thing tells, and what is bought beyond need.
fn by_hand(counter: &Counter<'_>) -> El {
    let on = counter.view.buy_optional;
    let press =
        Press { label: "Buy what no dish insists on".to_owned(), action: ask(Cook::BuyOptional(!on)), enabled: true };
    block("foods.by_hand", "By hand")
        .with(El::small("how", "Count a jar that nothing weighs: its food and how much is in it, as salt 200 g."))
        .with(counter.field("count", "Count a jar", String::new(), KitchenField::CountNew))
        .with(widgets::row("optional", "Buy what no dish insists on").with(widgets::toggle("toggle", Some(on), press)))
}

/// A scale with nobody knows what on it.
fn place(counter: &Counter<'_>, number: usize, place: &KitchenPlace) -> El {
    let field = KitchenField::Lies(place.twin.clone(), place.feature.clone());
    El::column(format!("place.{number}"), 2.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(El::small("what", format!("{} tells {}: of what?", place.name, place.amount)).colored(style::MIND))
        .with(counter.field("lies", &format!("What lies on {}", place.name), String::new(), field))
}

/// A delivery that nobody has put away.
fn lost(number: usize, lost: &KitchenLost) -> El {
    let wish = ask(Cook::PutAway { purchase: lost.purchase, line: lost.line.clone() });
    El::row(format!("lost.{number}"), style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(El::text("what", format!("{} was delivered, and no stock has grown.", lost.name)).colored(style::MIND))
        .with(small("away", "It is put away", format!("{} is put away", lost.name), wish, Tone::Plain))
}

/// What was bought and has not come.
fn overdue(number: usize, late: &KitchenLost) -> El {
    let wish = ask(Cook::NotCome { purchase: late.purchase, line: late.line.clone() });
    El::row(format!("overdue.{number}"), style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(El::text("what", format!("{} should have come more than a day ago.", late.name)).colored(style::MIND))
        .with(small("gone", "It did not come", format!("{} did not come", late.name), wish, Tone::Plain))
}
