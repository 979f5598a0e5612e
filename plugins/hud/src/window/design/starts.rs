use bevy::prelude::*;
use vestibule_twin::{DesignChoice, DesignView, EditDesign};

use super::wrapped;
use crate::{
    action::HudAction,
    el::{El, What},
    style,
    widgets::{self, Tone},
};

/// What a starting point is good for, by its id.
fn about(id: &str) -> &'static str {
    match id {
        "shelf" => "boards and sides for a wall",
        "lamp" => "foot, stem and shade",
        "hook" => "for a wall, with two screws",
        "planter" => "a pot that lets water out",
        "phone_stand" => "leans as you like it",
        "picture_frame" => "for any size of picture",
        "table" => "a top on four legs",
        "house_number" => "your number beside the door",
        _ => "",
    }
}

/// What one can begin with, and what was begun before.
pub(super) fn list(view: &DesignView, assets: Option<&AssetServer>) -> El {
    let intro = "Choose something to begin with. It stands in front of you at its true size.";
    let grid = wrapped("starts")
        .node(|node| node.align_items = AlignItems::Stretch)
        .with_all(view.starts.iter().map(|choice| start(choice, assets)));
    let mut body = widgets::scroll("design.body", 10.0)
        .node(|node| node.flex_grow = 1.0)
        .with(El::small("intro", intro))
        .with(grid)
        .with(widgets::heading("saved.title", "Go on with"));
    if view.saved.is_empty() {
        body.children.push(El::small("saved.none", "Nothing was kept yet: a design is kept when you change it."));
    }
    body.children.extend(view.saved.iter().map(saved));
    body
}

fn start(choice: &DesignChoice, assets: Option<&AssetServer>) -> El {
    let mut picture = El::new("picture").node(|node| {
        (node.width, node.height) = (px(72), px(72));
        node.flex_shrink = 0.0;
    });
    if let (Some(assets), Some(path)) = (assets, &choice.picture) {
        picture.what = What::Image(assets.load(path.clone()));
    }
    let press = widgets::press(choice.name.clone(), HudAction::Design(EditDesign::Start(choice.id.clone())));
    let words = El::column("words", style::TIGHT)
        .node(|node| node.flex_shrink = 1.0)
        .with(El::text("name", choice.name.clone()).strong())
        .with(El::small("about", about(&choice.id)));
    let mut el = El::row(format!("start.{}", choice.id), style::GAP)
        .node(|node| {
            node.width = px(182);
            node.padding = UiRect::axes(px(7), px(5));
        })
        .fill(style::BUTTON)
        .round(style::ROUND_SMALL)
        .with(picture)
        .with(words);
    el.press = Some(press);
    el
}

fn saved(choice: &DesignChoice) -> El {
    let press = widgets::press(choice.name.clone(), HudAction::Design(EditDesign::Open(choice.id.clone())));
    let mut el = widgets::button(format!("saved.{}", choice.id), press, None, Tone::Plain)
        .with(widgets::spring())
        .with(El::small("id", choice.id.clone()));
    el.node.justify_content = JustifyContent::FlexStart;
    el.node.flex_shrink = 0.0;
    el
}
