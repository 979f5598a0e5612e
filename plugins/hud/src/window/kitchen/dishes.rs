use bevy::prelude::*;
use vestibule_twin::{Cook, KitchenDish, KitchenRecipe, Readiness, model::Timestamp};

use super::{Counter, KitchenPage, PrepareKitchen, ask, block, small};
use crate::{
    action::HudAction,
    el::El,
    style,
    widgets::{self, Tone},
};

const HOUR_MS: u64 = 60 * 60 * 1_000;
/// When people eat, where nothing else was said.
const DINNER: i8 = 19;
/// How long before that somebody has to begin.
const COOKING_MS: u64 = 2 * HOUR_MS;
/// Foods that are named where many are missing.
const NAMED: usize = 4;

/// Whether something can be cooked, in few words and a colour.
fn ready(counter: &Counter<'_>, ready: &Readiness) -> El {
    let (text, color) = match ready {
        Readiness::Unknown => ("waits for the enabler".to_owned(), style::MUTED),
        Readiness::Now => ("everything is there".to_owned(), style::GOOD),
        Readiness::Understood => ("all that is understood is there".to_owned(), style::MIND),
        Readiness::Over => ("its time is over: nothing is kept for it".to_owned(), style::MUTED),
        Readiness::Coming(Some(at)) => {
            (format!("all there by {}", counter.zone.hour(*at, counter.now())), style::ACCENT)
        }
        Readiness::Coming(None) => ("the rest is on its way".to_owned(), style::ACCENT),
        Readiness::Missing(names) => {
            let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
            let more = names.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            (format!("missing: {}{more}", named.join(", ")), style::MIND)
        }
    };
    El::small("ready", text).colored(color)
}

/// What is planned.
pub(super) fn planned(counter: &Counter<'_>) -> El {
    let dishes = counter.view.dishes.iter().map(|planned| dish(counter, planned));
    let none =
        counter.view.dishes.is_empty().then(|| {
            El::small("none", "Nothing yet. Plan a dish below: then you see what is missing for it, and why.")
        });
    block("kitchen.planned", "Planned").with_all(none).with_all(dishes)
}

fn dish(counter: &Counter<'_>, dish: &KitchenDish) -> El {
    let title = &dish.title;
    let turn = HudAction::PrepareKitchen(PrepareKitchen::Turn(KitchenPage::Recipe(dish.recipe.clone())));
    let at = |at: Timestamp| ask(Cook::When { dish: dish.id, at });
    let serves = |servings: u32| ask(Cook::Servings { dish: dish.id, servings });
    let head = El::row("head", 6.0)
        .with(El::text("name", title.clone()).strong().node(|node| node.flex_shrink = 1.0))
        .with(widgets::spring())
        .with(small("read", "Recipe", format!("Recipe of {title}"), turn, Tone::Plain))
        .with(small("drop", "Drop", format!("Drop {title}"), ask(Cook::Drop(dish.id)), Tone::Plain));
    let earlier = Timestamp(dish.at.0.saturating_sub(HOUR_MS));
    let when = El::row("when", 4.0)
        .with(El::small("at", counter.zone.hour(dish.at, counter.now())).colored(style::TEXT))
        .with(widgets::spring())
        .with(small("sooner", "-1 h", format!("{title} an hour sooner"), at(earlier), Tone::Plain))
        .with(small("later", "+1 h", format!("{title} an hour later"), at(dish.at.plus(HOUR_MS)), Tone::Plain))
        .with(small("day", "+1 day", format!("{title} a day later"), at(dish.at.plus(24 * HOUR_MS)), Tone::Plain));
    let fewer = serves(dish.servings.saturating_sub(1));
    let many = El::row("many", 4.0)
        .with(El::small("for", format!("for {}", dish.servings)).colored(style::TEXT))
        .with(widgets::spring())
        .with(small("fewer", "-", format!("{title} for one less"), fewer, Tone::Plain))
        .with(small(
            "more",
            "+",
            format!("{title} for one more"),
            serves(dish.servings.saturating_add(1)),
            Tone::Plain,
        ));
    let notes = dish.notes.iter().enumerate().map(|(number, note)| El::small(format!("note.{number}"), note.clone()));
    El::column(format!("dish.{}", dish.id), 3.0)
        .node(|node| {
            node.padding = UiRect::axes(px(8), px(6));
            node.flex_shrink = 0.0;
        })
        .fill(style::BUTTON)
        .round(style::ROUND_SMALL)
        .with(head)
        .with(when)
        .with(many)
        .with(ready(counter, &dish.ready))
        .with_all(notes)
}

/// What could be cooked.
pub(super) fn recipes(counter: &Counter<'_>) -> El {
    let rows = counter.view.recipes.iter().map(|known| recipe(counter, known));
    let none = counter.view.recipes.is_empty().then(|| El::small("none", "There is no recipe yet."));
    block("kitchen.recipes", "Recipes").with_all(none).with_all(rows)
}

fn recipe(counter: &Counter<'_>, recipe: &KitchenRecipe) -> El {
    let turn = HudAction::PrepareKitchen(PrepareKitchen::Turn(KitchenPage::Recipe(recipe.key.clone())));
    let at = counter.zone.next(counter.now().plus(COOKING_MS), DINNER);
    let plan = ask(Cook::Choose { recipe: recipe.key.clone(), at });
    let mut plan = small("plan", "Plan", format!("Plan {}", recipe.name), plan, Tone::Main);
    if counter.view.now.is_none() {
        // Nobody knows when tonight is.
        plan = small("plan", "Plan", format!("Plan {}", recipe.name), HudAction::Nothing, Tone::Plain);
        plan.press.iter_mut().for_each(|press| press.enabled = false);
    }
    let words = El::column("words", 0.0)
        .node(|node| {
            node.flex_grow = 1.0;
            node.flex_shrink = 1.0;
        })
        .with(El::text("name", recipe.name.clone()))
        .with(ready(counter, &recipe.ready));
    let read = small("read", "Read", recipe.name.clone(), turn, Tone::Plain);
    El::row(format!("recipe.{}", recipe.key), 6.0).node(|node| node.flex_shrink = 0.0).with(words).with(read).with(plan)
}

/// How other things are made.
pub(super) fn others(counter: &Counter<'_>) -> Option<El> {
    let all = &counter.view.instructions;
    let rows = all.iter().map(|made| {
        let turn = HudAction::PrepareKitchen(PrepareKitchen::Turn(KitchenPage::Made(made.key.clone())));
        El::row(format!("made.{}", made.key), 6.0)
            .with(El::text("name", made.name.clone()).node(|node| node.flex_shrink = 1.0))
            .with(widgets::spring())
            .with(small("read", "Read", made.name.clone(), turn, Tone::Plain))
    });
    (!all.is_empty()).then(|| block("kitchen.others", "Other things to make").with_all(rows))
}
