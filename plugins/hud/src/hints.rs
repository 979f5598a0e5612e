//! The middle of the view, and the few keys that matter now.

use bevy::prelude::*;
use vestibule_input::{Attention, Control, KeyBindings};
use vestibule_twin::{AtDesign, DesignView, HeldFurniture, PointedTwin};

use crate::{
    card::CardPin,
    el::El,
    render::{Screen, Surface},
    style, widgets,
    window::DESIGN_WIDTH,
};

/// Shows a dot in the middle, with a ring where something is pointed at.
pub(crate) fn crosshair(
    attention: Res<State<Attention>>,
    pointed: Res<PointedTwin>,
    held: Res<HeldFurniture>,
    mut screen: ResMut<Screen>,
) {
    if *attention.get() != Attention::Walk {
        screen.show(Surface::Crosshair, Vec::new());
        return;
    }
    let over = (pointed.target.is_some() || held.pointed.is_some()) && held.model.is_none();
    let middle = |key: &'static str, size: f32| {
        El::new(key)
            .node(|node| {
                node.position_type = PositionType::Absolute;
                node.left = percent(50);
                node.top = percent(50);
                node.width = px(size);
                node.height = px(size);
                node.margin = UiRect { left: px(-size / 2.0), top: px(-size / 2.0), ..default() };
            })
            .round(size / 2.0)
    };
    let dark = Color::srgba(0.0, 0.0, 0.0, 0.45);
    let color = if over { style::ACCENT } else { style::TEXT };
    // A dark rim keeps the dot visible before a bright wall.
    let mut all = vec![middle("crosshair.rim", 8.0).fill(dark), middle("crosshair", 5.0).fill(color)];
    if over {
        let mut ring = middle("crosshair.ring", 22.0).line(color.with_alpha(0.9));
        ring.node.border = UiRect::all(px(2));
        all.push(ring);
    }
    screen.show(Surface::Crosshair, all);
}

/// What the person is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Situation {
    attention: Attention,
    pointing: bool,
    pinned: bool,
    holding: bool,
    furniture: bool,
    designing: Designing,
}

/// What the person does with a design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Designing {
    #[default]
    No,
    /// Nothing stands there yet.
    Choosing,
    /// Its window is open.
    Looking,
    /// A handle is under the hand.
    Over,
    /// A handle is in the hand.
    Drawing,
}

/// The keys that matter in a situation, most important first.
const fn keys_for(now: Situation) -> &'static [(Control, &'static str)] {
    use Control as C;
    match now {
        Situation { attention: Attention::Panel, .. } => &[],
        Situation { designing: Designing::Drawing, .. } => {
            &[(C::Run, "millimetre by millimetre"), (C::Axis, "one axis only"), (C::Cancel, "let go")]
        }
        Situation { designing: Designing::Over, attention: Attention::Walk, .. } => {
            &[(C::Interact, "hold and look around: draw"), (C::Pointer, "free the mouse")]
        }
        Situation { designing: Designing::Over, .. } => &[(C::Use, "hold and draw"), (C::Pointer, "look around")],
        Situation { designing: Designing::Looking, .. } => &[
            (C::Undo, "undo"),
            (C::Redo, "redo"),
            (C::Turn, "turn it"),
            (C::Pointer, "look around"),
            (C::Design, "close"),
        ],
        Situation { designing: Designing::Choosing, .. } => &[(C::Pointer, "look around"), (C::Design, "close")],
        Situation { holding: true, .. } => {
            &[(C::Interact, "put down"), (C::Turn, "turn"), (C::Catalogue, "another one"), (C::Cancel, "let go")]
        }
        Situation { attention: Attention::Point, pinned: true, .. } => &[
            (C::Action1, "first button"),
            (C::Cancel, "close the card"),
            (C::Pointer, "look around"),
            (C::Help, "all keys"),
        ],
        Situation { attention: Attention::Point, .. } => {
            &[(C::Pointer, "look around"), (C::Settings, "settings"), (C::Help, "all keys")]
        }
        Situation { pointing: true, .. } => {
            &[(C::Interact, "open the card"), (C::Action1, "first button"), (C::Help, "all keys")]
        }
        Situation { furniture: true, .. } => {
            &[(C::Interact, "take"), (C::Remove, "remove"), (C::Undo, "undo"), (C::Help, "all keys")]
        }
        _ => {
            &[(C::Catalogue, "furniture"), (C::Design, "design"), (C::Pointer, "free the mouse"), (C::Help, "all keys")]
        }
    }
}

/// Shows the keys that matter now.
pub(crate) fn show(
    (attention, pointed, held, pin): (Res<State<Attention>>, Res<PointedTwin>, Res<HeldFurniture>, Res<CardPin>),
    (keys, at, design): (Res<KeyBindings>, Res<AtDesign>, Res<DesignView>),
    mut screen: ResMut<Screen>,
) {
    let designing = match (at.0, design.open) {
        (false, _) => Designing::No,
        (true, false) => Designing::Choosing,
        (true, true) if design.held.is_some() => Designing::Drawing,
        (true, true) if design.hovered.is_some() => Designing::Over,
        (true, true) => Designing::Looking,
    };
    let now = Situation {
        designing,
        attention: *attention.get(),
        pointing: pointed.target.is_some(),
        pinned: pin.is_pinned(),
        holding: held.model.is_some(),
        furniture: held.pointed.is_some(),
    };
    let blocked = held.blocked.as_deref().filter(|_| now.holding);
    let mut shown = line(now, blocked, &keys);
    if let Some(place) = shown.as_mut().filter(|_| at.0) {
        // Beside the window.
        place.node.left = px(DESIGN_WIDTH + 2.0 * style::EDGE);
    }
    screen.show(Surface::Hints, shown.into_iter().collect());
}

fn line(now: Situation, blocked: Option<&str>, keys: &KeyBindings) -> Option<El> {
    let walking = now == Situation::default();
    let steps = walking.then(|| {
        let label = [Control::Forward, Control::Left, Control::Back, Control::Right].map(|c| keys.label(c)).join(" ");
        hint(&label, "walk")
    });
    let hints = keys_for(now).iter().map(|(control, what)| hint(&keys.label(*control), what));
    let all: Vec<_> = steps.into_iter().chain(hints).collect();
    if all.is_empty() {
        return None;
    }
    let bar = El::row("hints", 14.0)
        .node(|node| node.padding = UiRect::axes(px(10), px(5)))
        .fill(style::PANEL.with_alpha(0.62))
        .round(9.0)
        .with_all(all);
    let why = blocked.map(|reason| {
        El::row("hints.blocked", 7.0)
            .node(|node| node.padding = UiRect::axes(px(10), px(5)))
            .fill(style::PANEL)
            .round(9.0)
            .with(widgets::dot(style::WRONG, 8.0))
            .with(El::text("text", format!("Not here: {reason}")))
    });
    let place = El::column("hints.place", 6.0).node(|node| {
        node.position_type = PositionType::Absolute;
        node.left = px(style::EDGE);
        node.bottom = px(style::EDGE - 4.0);
        node.align_items = AlignItems::FlexStart;
    });
    Some(place.with_all(why).with(bar))
}

fn hint(key: &str, what: &str) -> El {
    El::row(format!("hint.{what}"), 6.0)
        .with(widgets::keycap(key))
        .with(El::small("what", what).words(|words| words.wrap = false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule_input::Binding;

    fn texts(now: Situation, keys: &KeyBindings) -> String {
        line(now, None, keys).map(|el| el.texts().join(" ")).unwrap_or_default()
    }

    #[test]
    fn the_keys_that_matter_are_shown_with_their_labels() {
        let mut keys = KeyBindings::default();
        let walking = Situation::default();
        assert!(texts(walking, &keys).starts_with("W A S D walk"));
        assert!(texts(Situation { pointing: true, ..walking }, &keys).starts_with("E open the card"));
        keys.bind(Control::Interact, Binding::Key(KeyCode::KeyF));
        assert!(texts(Situation { holding: true, pointing: true, ..walking }, &keys).starts_with("F put down"));
        assert_eq!(texts(Situation { attention: Attention::Panel, ..walking }, &keys), "");
    }

    #[test]
    fn why_it_cannot_stand_here_is_said() {
        let now = Situation { holding: true, ..Situation::default() };
        let el = line(now, Some("a wall is in the way"), &KeyBindings::default()).unwrap();
        assert_eq!(el.texts()[0], "Not here: a wall is in the way");
    }
}
