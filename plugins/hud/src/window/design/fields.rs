use bevy::prelude::*;
use vestibule_twin::{DesignField, DesignText, EditDesign};

use super::{Table, block, pressed};
use crate::{
    action::{HudAction, SlideTarget},
    el::{El, Slide},
    style,
    widgets::{self, Tone},
};

/// A number without what it does not need.
pub(super) fn plain(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "" => plain(value),
        "°" => format!("{}°", plain(value)),
        unit => format!("{} {unit}", plain(value)),
    }
}

/// The design's own numbers.
pub(super) fn block_of(table: &Table<'_>) -> El {
    let own: Vec<_> = table.view.fields.iter().filter(|field| field.part.is_none()).collect();
    let none = own.is_empty().then(|| El::small("none", "It has no measures of its own: change its parts."));
    block("design.fields", "Measures")
        .with_all(own.into_iter().map(|field| row(table, field)))
        .with_all(
            table.view.texts.iter().filter(|text| text.id != "name" && text.part.is_none()).map(|it| text(table, it)),
        )
        .with_all(none)
}

/// A number: its name, a slider, steps, and the value that one can write.
pub(super) fn row(table: &Table<'_>, field: &DesignField) -> El {
    let target = SlideTarget::Design(field.id.clone());
    let hand = table.drag.filter(|drag| drag.target == target).map(|drag| drag.value);
    let value = hand.unwrap_or(field.value);
    let set = |value: f64| HudAction::Design(EditDesign::Set { field: field.id.clone(), value });
    let step = |key: &'static str, shown: &str, label: &str, to: f64| {
        let enabled = (field.least..=field.most).contains(&to);
        let mut el =
            widgets::button(key, pressed(format!("{} {label}", field.label), set(to), enabled), None, Tone::Plain);
        el.node.padding = UiRect::ZERO;
        (el.node.width, el.node.min_height, el.node.flex_shrink) = (px(24), px(26), 0.0);
        for child in &mut el.children {
            *child = child.clone().words(|words| shown.clone_into(&mut words.text));
        }
        el
    };
    let over = table.view.hovered.and_then(|place| table.view.handles.get(place));
    let lit = over.is_some_and(|handle| handle.field.as_ref() == Some(&field.id));
    let name = El::text("name", field.label.clone()).colored(if lit { style::ACCENT } else { style::MUTED });
    let name = El::row("name.box", 0.0)
        .node(|node| {
            node.width = px(116);
            node.flex_shrink = 0.0;
        })
        .with(name);
    let slide = Slide { min: field.least, max: field.most, step: field.step, at: field.value, target, enabled: true };
    let line = El::row("line", 6.0)
        .with(name)
        .with(step("less", "-", "less", field.value - field.step))
        .with(widgets::slider("slider", slide, Some(value)))
        .with(step("more", "+", "more", field.value + field.step))
        .with(number(table, field, value));
    let formula = field.formula.as_ref().map(|formula| El::small("formula", format!("by its formula: {formula}")));
    El::column(format!("field.{}", field.id), 1.0).node(|node| node.flex_shrink = 0.0).with(line).with_all(formula)
}

/// The value; pressed, it is written.
fn number(table: &Table<'_>, field: &DesignField, value: f64) -> El {
    let writing = table.writing(&field.id);
    let shown = writing.clone().unwrap_or_else(|| with_unit(value, field.unit));
    let press = pressed(field.label.clone(), HudAction::WriteDesign(field.id.clone()), true);
    let edge = if writing.is_some() { style::ACCENT } else { Color::srgba(1.0, 1.0, 1.0, 0.22) };
    let mut el = El::row("value", 0.0)
        .node(|node| {
            node.width = px(76);
            node.min_height = px(26);
            node.padding = UiRect::horizontal(px(6));
            node.justify_content = JustifyContent::FlexEnd;
            node.flex_shrink = 0.0;
        })
        .fill(style::FIELD)
        .line(edge)
        .round(style::ROUND_SMALL)
        .with(El::text("text", shown).words(|words| words.wrap = false));
    el.press = Some(press);
    el
}

/// A text that one can write.
pub(super) fn text(table: &Table<'_>, field: &DesignText) -> El {
    let press = pressed(field.label.clone(), HudAction::WriteDesign(field.id.clone()), true);
    let line = widgets::field("text", field.text.clone(), table.writing(&field.id), press);
    widgets::row(format!("text.{}", field.id), field.label.clone()).node(|node| node.flex_shrink = 0.0).with(line)
}
