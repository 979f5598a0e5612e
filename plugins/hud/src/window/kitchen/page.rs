use bevy::prelude::*;
use vestibule_twin::{Cook, KitchenInstructions, KitchenMadePart, KitchenRecipe};

use super::{KitchenPage, PrepareKitchen, ask, small};
use crate::{
    action::{HudAction, PrepareShop},
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

/// Instructions to read, with what is missing for them.
pub(super) fn made(made: &KitchenInstructions) -> El {
    let lacks = made.parts.iter().filter(|part| part.missing > 0).count();
    let all = match lacks {
        0 => "Everything for it is there.".to_owned(),
        1 => "One thing for it is missing, or nobody has said that it is there.".to_owned(),
        many => format!("{many} things for it are missing, or nobody has said that they are there."),
    };
    let about = [El::text("about", made.description.clone()), El::small("lacks", all)];
    // A part may stand in two lines: what there has to be of it is what both need. A tool is used by both.
    let all_of = |part: &KitchenMadePart| {
        let same = made.parts.iter().filter(|other| other.name == part.name && other.tool == part.tool);
        let needed = same.map(|other| other.needed);
        if part.tool { needed.max().unwrap_or(1) } else { needed.fold(0, u32::saturating_add) }
    };
    let rows = made.parts.iter().enumerate().map(|(place, one)| part(place, one, all_of(one)));
    let parts = El::column("parts", 4.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::heading("title", "What is needed"))
        .with_all(rows);
    let steps = list("steps", "What is done", &made.steps, |number| format!("{}.", number + 1));
    let forget = made.own.then(|| {
        let wish = ask(Cook::Forget(made.key.clone()));
        small("forget", "Forget it", format!("Forget {}", made.name), wish, Tone::Plain)
    });
    page(&made.name, forget, about.into_iter().chain([parts, steps]))
}

/// A part: whether it is there, and what can be done about it.
fn part(place: usize, part: &KitchenMadePart, all: u32) -> El {
    let name = &part.name;
    let count = |count: u32| ask(Cook::CountParts { part: name.clone(), count });
    let (state, color) = match (part.missing, part.how) {
        (0, Some(how)) => (format!("there, {how}"), style::GOOD),
        (0, None) => ("there".to_owned(), style::GOOD),
        (missing, _) if missing < part.needed => (format!("{missing} missing"), style::MIND),
        (_, _) => ("missing".to_owned(), style::MIND),
    };
    let have = (part.missing > 0 && part.how != Some("told"))
        .then(|| small("have", "I have it", format!("I have {name}"), count(all), Tone::Plain));
    let gone = (part.how == Some("counted"))
        .then(|| small("gone", "Not there", format!("There is no {name}"), count(0), Tone::Plain));
    let find = (part.missing > 0).then(|| {
        let look = HudAction::PrepareShop(PrepareShop::Find(searched(name)));
        small("find", "Look in the shops", format!("Look in the shops for {name}"), look, Tone::Plain)
    });
    El::row(format!("part.{place}"), style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(El::text("words", part.words.clone()).node(|node| node.flex_shrink = 1.0))
        .with(El::small("state", state).colored(color))
        .with(widgets::spring())
        .with_all(have)
        .with_all(gone)
        .with_all(find)
}

/// What shops are asked for: `screws` for `screws, 4 × 40 mm`.
fn searched(name: &str) -> String {
    let parts = name.split([',', '(', ')']).map(str::trim);
    parts.into_iter().find(|part| part.chars().any(char::is_alphabetic)).unwrap_or(name).to_lowercase()
}
