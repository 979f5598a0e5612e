//! What the screen shows, for tests and tours.

use bevy::{prelude::*, ui::InteractionDisabled};

use crate::{
    el::Press,
    render::{Screen, Surface},
};

/// Every text that the person could read now, in the order of reading.
#[must_use]
pub fn hud_texts(world: &World) -> Vec<String> {
    let mut texts = Vec::new();
    for entity in shown(world) {
        if let Some(text) = world.get::<Text>(entity) {
            texts.push(text.0.clone());
        }
    }
    texts
}

/// The button with this label, or with one that begins with what stands before a `*`; one that can be used rather than
/// one that cannot. Trigger
/// `bevy::ui_widgets::Activate` on it, or point and click at it.
#[must_use]
pub fn find_button(world: &World, label: &str) -> Option<Entity> {
    let fits = |known: &str| label.strip_suffix('*').map_or(known == label, |begin| known.starts_with(begin));
    let named = |entity: &Entity| world.get::<Press>(*entity).is_some_and(|press| fits(&press.label));
    let all: Vec<_> = shown(world).into_iter().filter(named).collect();
    let ready = all.iter().find(|entity| world.get::<InteractionDisabled>(**entity).is_none());
    ready.or(all.first()).copied()
}

/// The shown thing with this `Name`, such as `card`, `card.action.unlock` or `banner`.
#[must_use]
pub fn find_named(world: &World, name: &str) -> Option<Entity> {
    shown(world).into_iter().find(|entity| world.get::<Name>(*entity).is_some_and(|own| own.as_str() == name))
}

fn shown(world: &World) -> Vec<Entity> {
    let Some(screen) = world.get_resource::<Screen>() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut stack: Vec<Entity> = Surface::ALL.iter().rev().filter_map(|surface| screen.root(*surface)).collect();
    while let Some(entity) = stack.pop() {
        all.push(entity);
        if let Some(children) = world.get::<Children>(entity) {
            stack.extend(children.iter().rev());
        }
    }
    all
}
