//! Where recipes of others come in: pasted, from a file, a page, or somebody who has them.

use bevy::prelude::*;
use vestibule_twin::{Cook, KitchenCook, KitchenOffered};

use super::{Counter, KitchenField, ask, block, small};
use crate::{
    action::HudAction,
    el::El,
    style,
    widgets::{self, Tone},
};

/// A recipe, a file or a page.
pub(super) fn take_in(counter: &Counter<'_>) -> El {
    let how = if counter.clipboard {
        "Paste a recipe (JSON-LD, or a page's source) with Ctrl+V, or write the address of a page or the path of a file \
         that has it."
    } else {
        "Write the address of a page that has a recipe, or the path of a file: JSON-LD, or a page as it was saved."
    };
    let reading = counter.view.reading.as_ref().map(|address| {
        El::row("reading", style::GAP)
            .with(El::small("address", format!("Reading {address} ...")).node(|node| node.flex_shrink = 1.0))
            .with(widgets::spring())
            .with(small("stop", "Stop", "Stop reading the page".to_owned(), ask(Cook::StopReading), Tone::Plain))
    });
    block("kitchen.take_in", "Take a recipe in")
        .with(counter.field("import", "A recipe, its page or its file", String::new(), KitchenField::Import))
        .with_all(reading)
        .with(El::small("how", how))
}

/// Who has recipes for others, and which.
pub(super) fn offered(counter: &Counter<'_>) -> El {
    let label = "Who has recipes?";
    let look = small("look", label, label.to_owned(), ask(Cook::LookForRecipes), Tone::Plain);
    let none = counter.view.cooks.is_empty().then(|| {
        El::small("none", "Nobody that your enabler has told of. Shops that are registered with it may have some.")
    });
    block("kitchen.offered", "Recipes of others")
        .with_all(counter.view.cooks.iter().map(cook))
        .with_all(none)
        .with(El::row("look", 0.0).with(look))
}

fn cook(cook: &KitchenCook) -> El {
    let name = &cook.name;
    let asks = ask(Cook::AskForRecipes(cook.system.clone()));
    let mut button = small("ask", "Ask", format!("Ask {name} for recipes"), asks, Tone::Main);
    if cook.asking {
        button = small("ask", "Asked", format!("Ask {name} for recipes"), HudAction::Nothing, Tone::Plain);
        button.press.iter_mut().for_each(|press| press.enabled = false);
    }
    let told = match &cook.recipes {
        _ if cook.asking => Some("It was asked; its answer is on its way.".to_owned()),
        Some(recipes) if recipes.is_empty() => Some("It has none now.".to_owned()),
        None if !cook.agreed => Some("Asking it agrees with it. It is told nothing new about you.".to_owned()),
        _ => None,
    };
    let problem = cook.problem.as_ref().map(|why| El::small("problem", why.clone()).colored(style::WRONG));
    let rows = cook.recipes.iter().flatten().enumerate().map(|(place, one)| recipe(place, one));
    El::column(format!("cook.{}", cook.system), 4.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(
            El::row("head", 6.0)
                .with(El::text("name", name.clone()).strong().node(|node| node.flex_shrink = 1.0))
                .with(widgets::spring())
                .with(button),
        )
        .with_all(told.map(|words| El::small("told", words)))
        .with_all(problem)
        .with_all(rows)
}

fn recipe(place: usize, recipe: &KitchenOffered) -> El {
    let label = format!("Take in {}", recipe.name);
    let mut take = small("take", "Take in", label.clone(), ask(Cook::Import(recipe.text.clone())), Tone::Plain);
    if recipe.taken {
        take = small("take", "Taken in", label, HudAction::Nothing, Tone::Plain);
        take.press.iter_mut().for_each(|press| press.enabled = false);
    }
    let words = El::column("words", 0.0)
        .node(|node| {
            node.flex_grow = 1.0;
            node.flex_shrink = 1.0;
        })
        .with(El::text("name", recipe.name.clone()))
        .with_all((!recipe.description.is_empty()).then(|| El::small("about", recipe.description.clone())));
    El::row(format!("offered.{place}"), 6.0).node(|node| node.flex_shrink = 0.0).with(words).with(take)
}
