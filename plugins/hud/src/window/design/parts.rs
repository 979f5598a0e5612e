use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{DesignMaterial, DesignPart, DesignView, EditDesign};

use super::{Table, block, button, fields, pressed, wrapped};
use crate::{
    action::HudAction,
    el::El,
    style,
    widgets::{self, Tone},
};

/// What can be added, and what the button says.
const ADDED: [(&str, &str); 8] = [
    ("block", "Block"),
    ("cylinder", "Cylinder"),
    ("ball", "Ball"),
    ("ring", "Ring"),
    ("extrusion", "Prism"),
    ("revolution", "Turned"),
    ("text", "Text"),
    ("hole", "Hole"),
];

/// The parts, and what can be done with the chosen one.
pub(super) fn block_of(table: &Table<'_>, keys: &KeyBindings) -> El {
    let view = table.view;
    let why = view.selected.is_none().then_some("Choose a part here or in the room to copy, mirror or remove it.");
    let key = |control| keys.label(control);
    let chosen = view.parts.iter().find(|part| Some(&part.key) == view.selected.as_ref());
    let is = |what: fn(&DesignPart) -> bool| chosen.is_some_and(what);
    let mirror = if is(|part| part.mirrored) { "No mirror" } else { "Mirror" };
    let repeat = if is(|part| part.repeated) { "Only once" } else { "Repeat" };
    let cut = if is(|part| part.cuts) { "Add it" } else { "Cut with it" };
    let body = is(|part| part.body).then_some("A body is what others are added to and cut from.");
    let (copy, turn, remove) = (key(Control::CopyPart), key(Control::MirrorPart), key(Control::Remove));
    let tools = wrapped("tools")
        .with(button("copy", "Copy", EditDesign::Copy, why, Some(&copy)))
        .with(button("mirror", mirror, EditDesign::Mirror, why, Some(&turn)))
        .with(button("repeat", repeat, EditDesign::Repeat, why, None))
        .with(button("cut", cut, EditDesign::Cut, why.or(body), None))
        .with(button("remove", "Remove", EditDesign::Remove, why, Some(&remove)));
    let add = |(shape, label): (&str, &str)| {
        let press = widgets::press(
            format!("Add {}", label.to_lowercase()),
            HudAction::Design(EditDesign::Add(shape.to_owned())),
        );
        let mut el = widgets::button(format!("add.{shape}"), press, None, Tone::Plain);
        el.node.padding = UiRect::axes(px(8), px(4));
        for child in &mut el.children {
            *child = child.clone().words(|words| label.clone_into(&mut words.text));
        }
        el
    };
    let adds = wrapped("adds").with(El::small("word", "Add")).with_all(ADDED.map(add));
    let rows = view.parts.iter().map(|part| row(view, part));
    let numbers = view.fields.iter().filter(|field| field.part.is_some() && field.part == view.selected);
    block("design.parts", "Parts")
        .with_all(rows)
        .with(adds)
        .with(tools)
        .with_all(why.or(body).map(|why| El::small("why", why)))
        .with_all(view.texts.iter().filter(|text| text.part.is_some()).map(|text| fields::text(table, text)))
        .with_all(numbers.map(|field| fields::row(table, field)))
}

fn row(view: &DesignView, part: &DesignPart) -> El {
    let chosen = view.selected.as_ref() == Some(&part.key);
    let wish = EditDesign::Select(if chosen { None } else { Some(part.key.clone()) });
    let line = if chosen { style::ACCENT } else { style::LINE };
    let name = El::text("name", part.name.clone()).colored(if part.cuts { style::MUTED } else { style::TEXT });
    let mut el = El::row(format!("part.{}", part.key), style::GAP)
        .node(|node| {
            node.padding = UiRect::axes(px(8), px(3));
            node.min_height = px(26);
            node.justify_content = JustifyContent::SpaceBetween;
            node.flex_shrink = 0.0;
        })
        .fill(style::BUTTON)
        .line(line)
        .round(style::ROUND_SMALL)
        .with(name)
        .with(El::small("what", part.what.clone()));
    el.press = Some(pressed(part.name.clone(), HudAction::Design(wish), true));
    el
}

/// What it is made of, and in which colour.
pub(super) fn materials(view: &DesignView) -> El {
    block("design.materials", "Material and colour").with_all(view.materials.iter().map(|material| one(view, material)))
}

fn one(view: &DesignView, material: &DesignMaterial) -> El {
    let kinds = view.kinds.iter().map(|kind| {
        let wish = EditDesign::Kind { material: material.key.clone(), kind: kind.id.clone() };
        let tone = if kind.id == material.kind { Tone::Chosen } else { Tone::Plain };
        let mut el = widgets::button(
            format!("kind.{}", kind.id),
            widgets::press(kind.name.clone(), HudAction::Design(wish)),
            None,
            tone,
        );
        el.node.padding = UiRect::axes(px(8), px(4));
        el
    });
    let colours = view.colours.iter().map(|colour| {
        let wish = EditDesign::Colour { material: material.key.clone(), rgb: colour.rgb };
        let mut el = widgets::swatch(format!("colour.{}", colour.name), colour.rgb);
        (el.node.width, el.node.height) = (px(24), px(24));
        if colour.rgb == material.colour {
            el.line = style::ACCENT;
            el.node.border = UiRect::all(px(2));
        }
        el.press = Some(pressed(format!("{}: {}", material.key, colour.name), HudAction::Design(wish), true));
        el
    });
    El::column(format!("material.{}", material.key), 6.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(
            El::row("name", style::GAP)
                .with(widgets::swatch("now", material.colour))
                .with(El::text("text", material.name.clone())),
        )
        .with(wrapped("colours").with_all(colours))
        .with(wrapped("kinds").with_all(kinds))
}
