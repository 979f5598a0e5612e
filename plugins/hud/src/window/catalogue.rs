use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{Catalogue, CatalogueEntry, FurnitureSnap, HeldFurniture};

use crate::{
    action::HudAction,
    el::{El, Press, What},
    style, widgets,
};

/// Models beside each other.
pub(super) const COLUMNS: usize = 5;

/// Every model with its picture and name.
pub(super) fn window(
    catalogue: &Catalogue,
    held: &HeldFurniture,
    keys: &KeyBindings,
    assets: Option<&AssetServer>,
) -> El {
    let mut body = widgets::scroll("catalogue.body", 10.0);
    let intro = format!(
        "Choose what to put into the room. {} puts it down, {} turns it, {} lets go of it.",
        keys.label(Control::Interact),
        keys.label(Control::Turn),
        keys.label(Control::Cancel)
    );
    body = body.with(El::small("catalogue.intro", intro));
    if catalogue.entries.is_empty() {
        body = body.with(El::text("catalogue.empty", "The catalogue is empty: no furniture was found."));
    }
    let grid = El::new("catalogue.grid").node(|node| {
        node.flex_wrap = FlexWrap::Wrap;
        node.column_gap = px(10);
        node.row_gap = px(10);
        node.flex_shrink = 0.0;
    });
    let entries = catalogue.entries.iter().map(|entry| model(entry, held, assets));
    super::frame("catalogue", "Furniture", &keys.label(Control::Catalogue), 712.0, body.with(grid.with_all(entries)))
}

fn model(entry: &CatalogueEntry, held: &HeldFurniture, assets: Option<&AssetServer>) -> El {
    let mut picture = El::new("picture")
        .node(|node| {
            node.width = px(104);
            node.height = px(84);
        })
        .fill(style::RAISED)
        .round(6.0);
    if let Some(assets) = assets {
        picture.what = What::Image(assets.load(entry.thumb.clone()));
        picture.fill = Color::NONE;
        picture.node.width = px(84);
    }
    let name = El::small("name", entry.name.clone()).colored(style::TEXT);
    let place = match entry.snap {
        FurnitureSnap::Floor => "on the floor",
        FurnitureSnap::Wall => "at a wall",
        FurnitureSnap::Top => "on a table or floor",
        FurnitureSnap::Hang => "hangs on a wall",
    };
    let chosen = held.model.as_ref() == Some(&entry.key);
    let mut el = El::column(format!("catalogue.{}", entry.key), style::TIGHT)
        .node(|node| {
            node.width = px(128);
            node.padding = UiRect::all(px(8));
            node.align_items = AlignItems::Center;
        })
        .fill(style::RAISED)
        .line(if chosen { style::ACCENT } else { style::LINE })
        .round(9.0)
        .with(picture)
        .with(name)
        .with(El::small("place", if chosen { "in your hand" } else { place }));
    el.press = Some(Press { label: entry.name.clone(), action: HudAction::Hold(entry.key.clone()), enabled: true });
    el
}
