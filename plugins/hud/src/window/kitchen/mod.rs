//! The kitchen: what is planned and what could be, and for each food why it is bought or not.

mod cooks;
mod dishes;
mod food;
mod foods;
mod orders;
mod page;
#[cfg(test)]
pub(crate) mod tests;

use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    Cook, KitchenView, OverruleFood,
    model::{FeatureId, Timestamp, TwinId},
};

use super::{Capturing, OpenWindow};
use crate::{
    action::{HudAction, HudWindow, LineField},
    el::{El, Press},
    line::Line,
    moment::Zone,
    style,
    widgets::{self, Tone},
};

/// How wide it is: all of a picture of 16 to 9 but its edges.
const WIDTH: f32 = 1_196.0;
/// How wide what is planned is.
const SIDE: f32 = 344.0;
/// Letters of an amount or a name.
const LETTERS: usize = 60;
/// Letters of a recipe that is pasted: a long page.
const RECIPE_LETTERS: usize = 400_000;
/// Letters of it that are shown.
const SHOWN_LETTERS: usize = 40;

/// A field of the kitchen's window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KitchenField {
    /// A recipe, the address of a page or the path of a file with one.
    Import,
    /// How much of a food a person counted, by its id.
    Count(String),
    /// A food and how much of it a person counted: `salt 200 g`.
    CountNew,
    /// How much of a food has to stay, by its id.
    Keep(String),
    /// How much of a food is ordered whatever is missing, by its id.
    Order(String),
    /// What lies at a place.
    Lies(TwinId, FeatureId),
}

/// What the right side of the window shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KitchenPage {
    /// Foods, and why each is bought or not.
    #[default]
    Foods,
    /// A recipe, by its key.
    Recipe(String),
    /// Instructions for another thing, by their key.
    Made(String),
}

/// What a person prepares in the kitchen's window. Nothing of it leaves the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrepareKitchen {
    /// Show everything about a food, by its id, or no longer.
    Unfold(String),
    /// Turn to a page.
    Turn(KitchenPage),
    /// Write into a field by keyboard.
    Write(KitchenField),
}

/// What is prepared.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KitchenDesk {
    page: KitchenPage,
    /// The food that is unfolded, by its id.
    open: Option<String>,
    field: Option<KitchenField>,
    text: String,
}

/// What the window needs to know.
pub(super) struct Counter<'a> {
    pub view: &'a KitchenView,
    pub desk: &'a KitchenDesk,
    pub line: Option<(&'a KitchenField, &'a Line)>,
    pub zone: &'a Zone,
    pub clipboard: bool,
}

impl Counter<'_> {
    /// A place to write in.
    fn field(&self, key: &'static str, label: &str, text: String, field: KitchenField) -> El {
        let writing = self.line.filter(|(other, _)| **other == field).map(|(_, line)| shown(&line.with_caret()));
        let action = HudAction::PrepareKitchen(PrepareKitchen::Write(field));
        widgets::field(key, text, writing, Press { label: label.to_owned(), action, enabled: true })
    }

    fn now(&self) -> Timestamp {
        self.view.now.unwrap_or_default()
    }
}

/// The end of what was written, where it is long: a pasted recipe.
fn shown(text: &str) -> String {
    let letters = text.chars().count();
    let end: String = text.chars().skip(letters.saturating_sub(SHOWN_LETTERS)).collect();
    if letters > SHOWN_LETTERS { format!("... {end}") } else { end }
}

/// A button that shows less than its label says.
fn small(key: &'static str, shown: &str, label: String, action: HudAction, tone: Tone) -> El {
    let mut el = widgets::button(key, Press { label, action, enabled: true }, None, tone);
    el.node.padding = UiRect::axes(px(9), px(2));
    (el.node.min_height, el.node.flex_shrink) = (px(26), 0.0);
    for child in &mut el.children {
        *child = child.clone().words(|words| shown.clone_into(&mut words.text));
    }
    el
}

fn ask(wish: Cook) -> HudAction {
    HudAction::Cook(wish)
}

/// A part of the window.
fn block(key: &'static str, title: &str) -> El {
    El::column(key, 6.0)
        .node(|node| {
            node.padding = UiRect::axes(px(10), px(8));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
        .with(widgets::heading("title", title))
}

/// What a line wants, and whether an empty one wants anything.
fn wish(field: &KitchenField, text: &str) -> Option<Cook> {
    let text = text.trim().to_owned();
    match field {
        KitchenField::Import => (!text.is_empty()).then_some(Cook::Import(text)),
        KitchenField::Count(ingredient) => Some(Cook::Count { ingredient: ingredient.clone(), amount: text }),
        KitchenField::CountNew => {
            // What is not understood is sent on, so that whoever cooks says why.
            let (ingredient, amount) = counted(&text).unwrap_or_else(|| (text.clone(), text.clone()));
            (!text.is_empty()).then_some(Cook::Count { ingredient, amount })
        }
        KitchenField::Keep(ingredient) => Some(Cook::Keep { ingredient: ingredient.clone(), amount: text }),
        KitchenField::Order(ingredient) => {
            let by = (!text.is_empty()).then_some(OverruleFood::Order(text));
            Some(Cook::Overrule { ingredient: ingredient.clone(), by })
        }
        KitchenField::Lies(twin, feature) => {
            Some(Cook::Lies { twin: twin.clone(), feature: feature.clone(), food: text })
        }
    }
}

/// `salt 200 g`, `200 g salt` or `3 onions`: a food and how much of it.
fn counted(text: &str) -> Option<(String, String)> {
    let begins = text.find(char::is_numeric)?;
    let (before, rest) = text.split_at(begins);
    if !before.trim().is_empty() {
        return Some((before.trim().to_owned(), rest.trim().to_owned()));
    }
    let words: Vec<&str> = rest.split_whitespace().collect();
    let split = words.len().saturating_sub(1).min(2);
    let (amount, food) = words.split_at(split);
    (!food.is_empty() && !amount.is_empty()).then(|| (food.join(" "), amount.join(" ")))
}

/// What a field says before somebody writes into it, and how much it may say.
fn before(view: &KitchenView, field: &KitchenField) -> (String, usize) {
    let food = |id: &String| view.foods.iter().find(|food| food.id == *id);
    let text = match field {
        KitchenField::Import => return (String::new(), RECIPE_LETTERS),
        KitchenField::Keep(id) => food(id).map(|food| food.keep.clone()),
        KitchenField::Order(id) => food(id).and_then(food::said),
        KitchenField::Count(id) => food(id).and_then(food::counted),
        KitchenField::CountNew | KitchenField::Lies(..) => None,
    };
    (text.unwrap_or_default(), LETTERS)
}

/// Passes on what the person asks for, at once or when a line is written.
pub(crate) fn act(
    mut actions: MessageReader<HudAction>,
    (view, window): (Res<KitchenView>, Res<OpenWindow>),
    (mut capturing, mut desk): (ResMut<Capturing>, ResMut<KitchenDesk>),
    mut wishes: MessageWriter<Cook>,
) {
    // Whoever pressed something else has written what they wanted: the line of before ends first.
    let mine = |field: &LineField| if let LineField::Kitchen(field) = field { Some(field.clone()) } else { None };
    if let Some((_, text)) = capturing.take_written(mine) {
        desk.text = text;
    }
    let closed = window.get() != Some(HudWindow::Kitchen);
    let writes = capturing.line().is_some_and(|(field, _)| mine(field) == desk.field);
    if closed && desk.field.take().is_some() && writes {
        capturing.end_line();
    } else if let Some(field) = desk.field.clone().filter(|_| !writes) {
        desk.field = None;
        let text = std::mem::take(&mut desk.text);
        if text.trim() != before(&view, &field).0 {
            wishes.write_batch(wish(&field, &text));
        }
    }
    for action in actions.read() {
        match action {
            HudAction::Cook(wish) => {
                // Whoever plans a dish wants to know what is missing.
                if matches!(wish, Cook::Choose { .. }) {
                    desk.page = KitchenPage::Foods;
                }
                wishes.write(wish.clone());
            }
            HudAction::PrepareKitchen(PrepareKitchen::Turn(page)) => desk.page = page.clone(),
            HudAction::PrepareKitchen(PrepareKitchen::Unfold(id)) => {
                desk.open = if desk.open.as_ref() == Some(id) { None } else { Some(id.clone()) };
            }
            HudAction::PrepareKitchen(PrepareKitchen::Write(field)) => {
                let (text, most) = before(&view, field);
                capturing.begin_line(LineField::Kitchen(field.clone()), Line::new(text.clone(), most));
                (desk.field, desk.text) = (Some(field.clone()), text);
            }
            _ => {}
        }
    }
}

/// The window.
pub(super) fn window(counter: &Counter<'_>, keys: &KeyBindings) -> El {
    let view = counter.view;
    let side = widgets::scroll("kitchen.side", 8.0)
        .node(|node| {
            node.width = px(SIDE);
            node.flex_shrink = 0.0;
        })
        .with(dishes::planned(counter))
        .with(dishes::recipes(counter))
        .with_all(dishes::others(counter))
        .with(cooks::take_in(counter))
        .with(cooks::offered(counter));
    let page = match &counter.desk.page {
        KitchenPage::Recipe(key) => view.recipes.iter().find(|recipe| recipe.key == *key).map(page::recipe),
        KitchenPage::Made(key) => view.instructions.iter().find(|made| made.key == *key).map(page::made),
        KitchenPage::Foods => None,
    };
    let page = page.unwrap_or_else(|| foods::page(counter));
    let sides = El::new("kitchen.sides")
        .node(|node| {
            node.column_gap = px(12);
            node.min_height = px(0);
            node.flex_shrink = 1.0;
        })
        .with(side)
        .with(page);
    let problem =
        view.problem.as_ref().map(|problem| El::text("kitchen.problem", problem.clone()).colored(style::WRONG));
    let body = El::column("kitchen.body", 8.0)
        .node(|node| {
            node.min_height = px(0);
            node.flex_shrink = 1.0;
        })
        .with_all(problem)
        .with(sides);
    super::frame("kitchen", "Kitchen", &keys.label(Control::Kitchen), WIDTH, body)
}
