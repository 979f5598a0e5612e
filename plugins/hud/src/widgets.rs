//! The small kit that every surface is made of.

use std::borrow::Cow;

use bevy::prelude::*;
use vestibule_twin::model::Truth;

use crate::{
    action::HudAction,
    el::{El, Press, Slide, What},
    style,
};

/// A dark, round, translucent panel of children below each other.
pub(crate) fn panel(key: impl Into<Cow<'static, str>>) -> El {
    let mut el = El::column(key, style::GAP)
        .node(|node| node.padding = UiRect::all(px(style::PAD)))
        .fill(style::PANEL)
        .line(style::LINE)
        .round(style::ROUND);
    el.shadow = true;
    el
}

/// The name of a panel.
pub(crate) fn title(key: impl Into<Cow<'static, str>>, text: impl Into<String>) -> El {
    El::text(key, text).strong().words(|words| words.size = style::TITLE)
}

/// A heading inside a panel.
pub(crate) fn heading(key: impl Into<Cow<'static, str>>, text: impl Into<String>) -> El {
    El::small(key, text).strong()
}

/// The picture of a key: its label in a small frame.
pub(crate) fn keycap(label: &str) -> El {
    let text = El::small("label", label).words(|words| {
        words.wrap = false;
        words.color = style::TEXT;
    });
    El::row("key", 0.0)
        .node(|node| {
            node.padding = UiRect::axes(px(6), px(1));
            node.min_width = px(20);
            node.justify_content = JustifyContent::Center;
            node.flex_shrink = 0.0;
        })
        .line(Color::srgba(1.0, 1.0, 1.0, 0.28))
        .round(5.0)
        .with(text)
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// The most useful one of its group.
    Main,
    /// One of several, and it is this one.
    Chosen,
}

/// A button with a label, the key that does the same, and what pressing does.
pub(crate) fn button(key: impl Into<Cow<'static, str>>, press: Press, hint: Option<&str>, tone: Tone) -> El {
    let filled = press.enabled && tone != Tone::Plain;
    let color = match (press.enabled, filled) {
        (false, _) => style::FAINT,
        (true, true) => style::ON_ACCENT,
        (true, false) => style::TEXT,
    };
    let fill = match (press.enabled, tone) {
        (false, _) => style::RAISED,
        (true, Tone::Plain) => style::BUTTON,
        (true, Tone::Main | Tone::Chosen) => style::ACCENT,
    };
    let label = El::text("text", press.label.clone()).colored(color).words(|words| {
        words.wrap = false;
        words.strong = filled;
    });
    let cap = hint.map(|hint| {
        let mut cap = keycap(hint);
        cap.line = color.with_alpha(0.5);
        cap.children = cap.children.into_iter().map(|child| child.colored(color).strong()).collect();
        cap
    });
    let mut el = El::row(key, 7.0)
        .node(|node| {
            node.padding = UiRect::axes(px(11), px(5));
            node.min_height = px(30);
            node.justify_content = JustifyContent::Center;
        })
        .fill(fill)
        .round(style::ROUND_SMALL)
        .with_all(cap)
        .with(label);
    el.press = Some(press);
    el
}

/// A press that can be used.
pub(crate) fn press(label: impl Into<String>, action: HudAction) -> Press {
    Press { label: label.into(), action, enabled: true }
}

/// A switch: a knob in a channel, and the word beside it.
pub(crate) fn toggle(key: impl Into<Cow<'static, str>>, on: Option<bool>, press: Press) -> El {
    let yes = on == Some(true);
    let color = if press.enabled { style::TEXT } else { style::FAINT };
    let knob = El::new("knob")
        .node(|node| {
            node.width = px(14);
            node.height = px(14);
        })
        .fill(if yes && press.enabled { style::ON_ACCENT } else { color })
        .round(7.0);
    let channel = El::row("channel", 0.0)
        .node(|node| {
            node.width = px(36);
            node.height = px(20);
            node.padding = UiRect::horizontal(px(3));
            node.justify_content = match on {
                Some(true) => JustifyContent::FlexEnd,
                Some(false) => JustifyContent::FlexStart,
                None => JustifyContent::Center,
            };
        })
        .fill(if yes && press.enabled { style::ACCENT } else { style::BUTTON })
        .round(10.0)
        .with(knob);
    let word = match on {
        Some(true) => "on",
        Some(false) => "off",
        None => "not known",
    };
    let mut el = El::row(key, 8.0).with(channel).with(El::text("word", word).colored(color));
    el.press = Some(press);
    el
}

/// A slider: the bar is what is reported, the handle is where the hand or the wish is.
pub(crate) fn slider(key: impl Into<Cow<'static, str>>, slide: Slide, reported: Option<f64>) -> El {
    let color = if slide.enabled { style::ACCENT } else { style::FAINT };
    #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
    let share = reported.map_or(0.0, |value| slide.share(value) as f32 * 100.0);
    let bar = |key: &'static str, width: Val, fill: Color| {
        El::new(key)
            .node(|node| {
                node.position_type = PositionType::Absolute;
                node.left = px(0);
                node.top = px(7);
                node.width = width;
                node.height = px(6);
            })
            .fill(fill)
            .round(3.0)
    };
    let mut thumb = El::new("thumb")
        .node(|node| {
            node.position_type = PositionType::Absolute;
            node.top = px(2);
            node.width = px(16);
            node.height = px(16);
        })
        .fill(if slide.enabled { style::TEXT } else { style::FAINT })
        .round(8.0);
    thumb.what = What::Thumb;
    let travel = El::new("travel")
        .node(|node| {
            node.position_type = PositionType::Absolute;
            node.left = px(0);
            node.right = px(16);
            node.height = px(20);
        })
        .with(thumb);
    let mut el = El::new(key)
        .node(|node| {
            node.height = px(20);
            node.min_width = px(80);
            node.flex_grow = 1.0;
        })
        .with(bar("rail", percent(100), style::BUTTON))
        .with(bar("reported", percent(share), color.with_alpha(0.75)))
        .with(travel);
    el.what = What::Slider(slide);
    el
}

/// A place to write in: what stands there, or what is being written with the mark where letters go.
pub(crate) fn field(key: impl Into<Cow<'static, str>>, text: String, writing: Option<String>, press: Press) -> El {
    let (shown, color) = match (&writing, text.is_empty()) {
        (Some(line), _) => (line.clone(), style::TEXT),
        (None, true) => ("press to write".to_owned(), style::FAINT),
        (None, false) => (text, style::TEXT),
    };
    let edge = if writing.is_some() { style::ACCENT } else { Color::srgba(1.0, 1.0, 1.0, 0.22) };
    let mut el = El::row(key, 0.0)
        .node(|node| {
            node.padding = UiRect::axes(px(9), px(5));
            node.min_height = px(30);
            node.min_width = px(160);
            node.align_self = AlignSelf::Stretch;
        })
        .fill(style::FIELD)
        .line(edge)
        .round(style::ROUND_SMALL)
        .with(El::text("text", shown).colored(color));
    el.press = Some(press);
    let how = writing.is_some().then(|| El::small("how", "Enter: ready. Escape: as it was."));
    El::column("written", 2.0).with(el).with_all(how)
}

/// A coloured dot.
pub(crate) fn dot(color: Color, size: f32) -> El {
    El::new("dot")
        .node(|node| {
            node.width = px(size);
            node.height = px(size);
            node.flex_shrink = 0.0;
        })
        .fill(color)
        .round(size / 2.0)
}

/// How far something is to be believed: colour and word.
pub(crate) fn truth_chip(key: impl Into<Cow<'static, str>>, truth: Truth) -> El {
    let color = style::truth_color(truth);
    let word = El::small("word", truth.word()).strong().colored(color).words(|words| words.wrap = false);
    El::row(key, 6.0)
        .node(|node| {
            node.padding = UiRect::axes(px(8), px(2));
            node.flex_shrink = 0.0;
        })
        .line(color.with_alpha(0.45))
        .fill(color.with_alpha(0.13))
        .round(9.0)
        .with(dot(color, 8.0))
        .with(word)
}

/// A small field of a colour.
pub(crate) fn swatch(key: impl Into<Cow<'static, str>>, [r, g, b]: [u8; 3]) -> El {
    El::new(key)
        .node(|node| {
            node.width = px(18);
            node.height = px(18);
            node.flex_shrink = 0.0;
        })
        .fill(Color::srgb_u8(r, g, b))
        .line(Color::srgba(1.0, 1.0, 1.0, 0.35))
        .round(5.0)
}

/// A thin line across.
pub(crate) fn rule(key: impl Into<Cow<'static, str>>) -> El {
    El::new(key)
        .node(|node| {
            node.height = px(1);
            node.flex_shrink = 0.0;
        })
        .fill(style::LINE)
}

/// Name on the left, the rest on the right.
pub(crate) fn row(key: impl Into<Cow<'static, str>>, name: impl Into<String>) -> El {
    let name = El::text("name", name).colored(style::MUTED);
    El::row(key, style::GAP).node(|node| node.justify_content = JustifyContent::SpaceBetween).with(name)
}

/// A question and its answer, which may take several lines: they begin at one height.
pub(crate) fn answer(key: impl Into<Cow<'static, str>>) -> El {
    El::row(key, style::GAP).node(|node| {
        node.align_items = AlignItems::FlexStart;
        node.flex_shrink = 0.0;
    })
}

/// The place of a question: its first line stands beside the words of a button.
pub(crate) fn asked(width: f32) -> El {
    El::column("name.box", 0.0).node(|node| {
        node.width = px(width);
        node.flex_shrink = 0.0;
        node.padding = UiRect::top(px(6));
    })
}

/// A part that takes what room is left.
pub(crate) fn spring() -> El {
    El::new("spring").node(|node| node.flex_grow = 1.0)
}

/// An area that scrolls where its content is longer than the room.
pub(crate) fn scroll(key: impl Into<Cow<'static, str>>, gap: f32) -> El {
    let mut el = El::column(key, gap).node(|node| {
        node.overflow = Overflow::scroll_y();
        node.min_height = px(0);
        node.flex_shrink = 1.0;
    });
    el.what = What::Scroll;
    el
}
