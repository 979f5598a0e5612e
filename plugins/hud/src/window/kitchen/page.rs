use bevy::prelude::*;
use vestibule_twin::{Cook, KitchenInstructions, KitchenRecipe};

use super::{KitchenPage, PrepareKitchen, ask, small};
use crate::{
    action::HudAction,
    el::El,
    style,
    widgets::{self, Tone},
};

fn back() -> El {
    let turn = HudAction::PrepareKitchen(PrepareKitchen::Turn(KitchenPage::Foods));
    small("back", "Back to the foods", "Back to the foods".to_owned(), turn, Tone::Plain)
}

fn page(title: &str, buttons: impl IntoIterator<Item = El>, parts: impl IntoIterator<Item = El>) -> El {
    let head = El::row("head", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::title("title", title).node(|node| node.flex_shrink = 1.0))
        .with(widgets::spring())
        .with_all(buttons)
        .with(back());
    widgets::scroll("kitchen.page", 8.0)
        .node(|node| {
            node.flex_grow = 1.0;
            node.flex_basis = px(0);
        })
        .with(head)
        .with_all(parts)
}

fn list(key: &'static str, title: &str, lines: &[String], mark: impl Fn(usize) -> String) -> El {
    let lines = lines.iter().enumerate().map(|(number, line)| {
        let mark = El::row("mark", 0.0)
            .node(|node| {
                node.width = px(24);
                node.flex_shrink = 0.0;
            })
            .with(El::text("text", mark(number)).colored(style::MUTED));
        El::new(format!("line.{number}"))
            .node(|node| node.flex_shrink = 0.0)
            .with(mark)
            .with(El::text("text", line.clone()).node(|node| node.flex_shrink = 1.0))
    });
    El::column(key, 4.0).node(|node| node.flex_shrink = 0.0).with(widgets::heading("title", title)).with_all(lines)
}

/// A recipe to read.
pub(super) fn recipe(recipe: &KitchenRecipe) -> El {
    let minutes = recipe.minutes.map(|minutes| format!("{minutes} min"));
    let about: Vec<String> =
        Some(recipe.serves.clone()).filter(|serves| !serves.is_empty()).into_iter().chain(minutes).collect();
    let unclear = recipe.unclear.iter().enumerate().map(|(number, line)| {
        let text = format!("Not understood, and not reckoned: {line}");
        El::small(format!("unclear.{number}"), text).colored(style::MIND)
    });
    let forget = recipe.own.then(|| {
        let wish = ask(Cook::Forget(recipe.key.clone()));
        small("forget", "Forget it", format!("Forget {}", recipe.name), wish, Tone::Plain)
    });
    let parts = [
        El::text("about", recipe.description.clone()),
        El::small("more", about.join(" · ")),
        list("lines", "What is needed", &recipe.lines, |_| "-".to_owned()),
    ];
    let steps = list("steps", "What is done", &recipe.steps, |number| format!("{}.", number + 1));
    page(&recipe.name, forget, parts.into_iter().chain(unclear).chain([steps]))
}

/// Instructions to read.
pub(super) fn made(made: &KitchenInstructions) -> El {
    let parts = list("parts", "What is needed", &made.parts, |_| "-".to_owned());
    let steps = list("steps", "What is done", &made.steps, |number| format!("{}.", number + 1));
    page(&made.name, None, [parts, steps])
}
