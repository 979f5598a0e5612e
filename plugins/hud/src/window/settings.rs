use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};

use super::Capturing;
use crate::{
    action::{HudAction, SlideTarget},
    el::{El, Slide},
    interact::Drag,
    settings::{Knob, Quality, SettingChange, Settings},
    style,
    widgets::{self, Tone},
};

/// Everything that can be set, and every key.
pub(super) fn window(settings: &Settings, keys: &KeyBindings, capturing: &Capturing, drag: Option<&Drag>) -> El {
    let body = widgets::scroll("settings.body", style::GAP)
        .with(widgets::heading("settings.view", "View"))
        .with_all(view(settings, drag))
        .with(widgets::rule("settings.rule"))
        .with(key_list(keys, capturing));
    super::frame("settings", "Settings", &keys.label(Control::Settings), 620.0, body)
}

fn view(settings: &Settings, drag: Option<&Drag>) -> Vec<El> {
    let clock = |hour: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "minutes of a day")]
        let minutes = (hour * 60.0).round() as i64;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    };
    let quality = |label: &'static str, quality: Quality| {
        let press = widgets::press(label, HudAction::Set(SettingChange::Quality(quality)));
        let tone = if settings.quality == quality { Tone::Chosen } else { Tone::Plain };
        widgets::button(format!("settings.quality.{label}"), press, None, tone)
    };
    let invert = HudAction::Set(SettingChange::InvertY(!settings.invert_y));
    let follow = HudAction::Set(SettingChange::FollowClock(!settings.follow_clock));
    let times = |value: f64| format!("{value:.2} x");
    vec![
        knob("Mouse sensitivity", Knob::MouseSensitivity, (0.1, 5.0, 0.05), settings.mouse_sensitivity, drag, times),
        named("Mouse upside down").with(widgets::toggle(
            "settings.invert",
            Some(settings.invert_y),
            widgets::press("Mouse upside down", invert),
        )),
        knob("Field of view", Knob::FieldOfView, (40.0, 110.0, 1.0), settings.field_of_view, drag, |value| {
            format!("{value:.0} degrees")
        }),
        named("Quality").with(quality("Low", Quality::Low)).with(quality("High", Quality::High)),
        named("Time of day follows the clock").with(widgets::toggle(
            "settings.clock",
            Some(settings.follow_clock),
            widgets::press("Follow the clock", follow),
        )),
        knob("Hour", Knob::Hour, (0.0, 24.0, 0.25), settings.hour, drag, clock),
        knob("Size of text and buttons", Knob::UiScale, (0.75, 2.0, 0.05), settings.ui_scale, drag, times),
    ]
}

fn named(name: &'static str) -> El {
    let row = El::row(format!("settings.{name}"), 12.0).node(|node| {
        node.min_height = px(30);
        node.flex_shrink = 0.0;
    });
    row.with(boxed("name.box", 230.0, El::text("name", name)))
}

/// A text in a column of its own: the text itself keeps its natural size.
fn boxed(key: &'static str, width: f32, text: El) -> El {
    let cell = El::row(key, 0.0).node(|node| {
        node.width = px(width);
        node.flex_shrink = 0.0;
    });
    cell.with(text)
}

fn knob(
    name: &'static str,
    knob: Knob,
    (min, max, step): (f64, f64, f64),
    value: f32,
    drag: Option<&Drag>,
    text: impl Fn(f64) -> String,
) -> El {
    let target = SlideTarget::Setting(knob);
    let hand = drag.filter(|drag| drag.target == target).map(|drag| drag.value);
    let at = f64::from(value);
    let slide = Slide { min, max, step, at, target, enabled: true };
    let shown = boxed("value.box", 96.0, El::text("value", text(hand.unwrap_or(at))));
    named(name).with(widgets::slider("settings.slider", slide, Some(hand.unwrap_or(at)))).with(shown)
}

fn key_list(keys: &KeyBindings, capturing: &Capturing) -> El {
    let reset = widgets::press("Reset keys", HudAction::ResetKeys);
    let head = El::row("keys.head", style::GAP)
        .with(widgets::heading("keys.title", "Keys"))
        .with(El::small(
            "keys.how",
            "Press a key's button, then the new key. Pressing the button again keeps the old one.",
        ))
        .with(widgets::spring())
        .with(widgets::button("keys.reset", reset, None, Tone::Plain));
    let conflict = capturing.lost.map(|(loser, winner)| {
        let text = format!(
            "{} is now for \"{}\". \"{}\" has no key any more.",
            keys.label(winner),
            winner.what(),
            loser.what()
        );
        El::small("keys.conflict", text).colored(style::WRONG)
    });
    let rows = Control::ALL.map(|control| key_row(keys, control, capturing.control() == Some(control)));
    El::column("keys", 5.0).node(|node| node.flex_shrink = 0.0).with(head).with_all(conflict).with_all(rows)
}

fn key_row(keys: &KeyBindings, control: Control, waiting: bool) -> El {
    let label = if waiting { "press a key ...".to_owned() } else { keys.label(control) };
    let press = widgets::press(label, HudAction::Capture(control));
    let tone = if waiting { Tone::Chosen } else { Tone::Plain };
    let mut button = widgets::button("key", press, None, tone);
    button.node.min_width = px(120);
    let name = boxed("name.box", 330.0, El::text("name", control.what()));
    let none = keys.get(control).is_none() && !waiting;
    let mark = none.then(|| El::small("none", "no key").colored(style::WRONG));
    El::row(format!("keys.{control:?}"), 12.0).with(name).with(button).with_all(mark)
}
