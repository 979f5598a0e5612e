use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};

use crate::{
    action::{HudAction, HudWindow},
    el::El,
    style,
    widgets::{self, Tone},
};

/// Every control with its key, and a few words on what the colours mean.
pub(super) fn window(keys: &KeyBindings) -> El {
    let half = Control::ALL.len().div_ceil(2);
    let column = |name: &'static str, controls: &[Control]| {
        let lines = controls.iter().map(|control| line(keys, *control));
        El::column(name, 5.0).node(|node| node.flex_grow = 1.0).with_all(lines)
    };
    let (first, second) = Control::ALL.split_at(half);
    let columns = El::new("help.columns")
        .node(|node| {
            node.column_gap = px(28);
            node.flex_shrink = 0.0;
        })
        .with(column("help.first", first))
        .with(column("help.second", second));
    let arrows = "Buttons of an open card or window are chosen and pressed by keys, too.";
    let buttons = El::row("help.more", style::GAP)
        .with(open("All devices", HudWindow::Devices))
        .with(open("Systems", HudWindow::Systems))
        .with(open("People", HudWindow::People))
        .with(open("What happened", HudWindow::Procedures))
        .with(open("Notifications", HudWindow::History))
        .with(open("Settings and keys", HudWindow::Settings));
    let body = widgets::scroll("help.body", 12.0)
        .with(columns)
        .with(El::small("help.arrows", arrows))
        .with(truths())
        .with(buttons);
    super::frame("help", "Keys", &keys.label(Control::Help), 740.0, body)
}

fn open(label: &str, window: HudWindow) -> El {
    let press = widgets::press(label, HudAction::Open(window));
    widgets::button(format!("help.open.{label}"), press, None, Tone::Plain)
}

fn line(keys: &KeyBindings, control: Control) -> El {
    let key = El::row("keys", 0.0)
        .node(|node| {
            node.width = px(78);
            node.flex_shrink = 0.0;
        })
        .with(widgets::keycap(&keys.label(control)));
    El::row(format!("help.{control:?}"), style::GAP).with(key).with(El::text("what", control.what()))
}

fn truths() -> El {
    use vestibule_twin::model::Truth;
    let all = [
        (Truth::Live, "the thing says so, and lately"),
        (Truth::Pending, "wanted, not confirmed yet"),
        (Truth::Stale, "the last report is too old"),
        (Truth::Diverged, "the thing says something else than it should"),
        (Truth::Commanded, "told; the thing cannot report"),
    ];
    let line = |(truth, text): (Truth, &str)| {
        let chip = El::row("chip", 0.0)
            .node(|node| {
                node.width = px(112);
                node.flex_shrink = 0.0;
            })
            .with(widgets::truth_chip("truth", truth));
        El::row(format!("help.{}", truth.word()), style::GAP).with(chip).with(El::small("text", text))
    };
    El::column("help.truths", 5.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::heading("help.truths.title", "What the marks on a card mean"))
        .with_all(all.map(line))
}
