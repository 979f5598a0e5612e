//! The window beside what is designed: what to begin with, its measures, parts and materials, what speaks against making
//! it, what it takes, and where it goes.

mod fields;
mod findings;
mod finish;
mod parts;
mod starts;
#[cfg(test)]
pub(crate) mod tests;

use bevy::prelude::*;
use vestibule_input::{Attention, Control, Controls, KeyBindings};
use vestibule_twin::{AtDesign, DesignView, EditDesign, HeldFurniture};

use super::{Capturing, OpenWindow};
use crate::{
    action::{HudAction, HudWindow, LineField, SlideTarget},
    el::{El, Press},
    interact::{Drag, Dragging},
    line::Line,
    style,
    widgets::{self, Tone},
};

/// How wide it is.
pub(crate) const WIDTH: f32 = 404.0;
/// Radians by which a key turns what is designed: fifteen degrees, as furniture.
const TURN: f32 = std::f32::consts::PI / 12.0;
/// Letters of a number.
const NUMBER_LETTERS: usize = 12;

/// What is being written, and into which field.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DesignLine {
    field: Option<String>,
    text: String,
}

/// What the window needs to know.
pub(super) struct Table<'a> {
    pub view: &'a DesignView,
    pub line: Option<(&'a str, &'a Line)>,
    pub drag: Option<&'a Drag>,
    pub confirming: Option<&'a HudAction>,
    pub assets: Option<&'a AssetServer>,
}

impl Table<'_> {
    /// What is written into a field right now.
    fn writing(&self, field: &str) -> Option<String> {
        self.line.filter(|(other, _)| *other == field).map(|(_, line)| line.with_caret())
    }
}

/// Keys that are for the design while its window is open.
pub(crate) fn keys(
    controls: Controls<'_>,
    (window, view, held): (Res<OpenWindow>, Res<DesignView>, Res<HeldFurniture>),
    capturing: Res<Capturing>,
    mut actions: MessageWriter<HudAction>,
) {
    let here = window.get() == Some(HudWindow::Design) && view.open && held.model.is_none();
    if !here || capturing.is_active() || view.held.is_some() {
        return;
    }
    let wishes = [
        (Control::Undo, EditDesign::Undo),
        (Control::Redo, EditDesign::Redo),
        (Control::CopyPart, EditDesign::Copy),
        (Control::MirrorPart, EditDesign::Mirror),
        (Control::Remove, EditDesign::Remove),
        (Control::Turn, EditDesign::Turn(TURN)),
    ];
    let pressed = wishes.into_iter().filter(|(control, _)| controls.just_pressed(*control));
    actions.write_batch(pressed.map(|(_, wish)| HudAction::Design(wish)));
}

/// The number that somebody wrote: with a point or a comma, with its unit or without.
fn number(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches("mm").trim_end_matches('°').trim().replace(',', ".");
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// What a field says now, as it is written.
fn written(view: &DesignView, field: &str) -> Option<(String, usize, bool)> {
    let number = view.fields.iter().find(|known| known.id == field);
    let text = view.texts.iter().find(|known| known.id == field);
    number
        .map(|known| (fields::plain(known.value), NUMBER_LETTERS, true))
        .or_else(|| text.map(|known| (known.text.clone(), known.most, false)))
}

/// Passes on what the person asks for: at once, while a slider moves, and when a line is written.
pub(crate) fn act(
    mut actions: MessageReader<HudAction>,
    (view, dragging): (Res<DesignView>, Res<Dragging>),
    (mut capturing, mut line): (ResMut<Capturing>, ResMut<DesignLine>),
    mut tried: Local<Option<(String, f64)>>,
    mut window: ResMut<OpenWindow>,
    mut next: ResMut<NextState<Attention>>,
    mut wishes: MessageWriter<EditDesign>,
) {
    for action in actions.read() {
        match action {
            HudAction::Design(wish) => {
                wishes.write(wish.clone());
                // It is put where one looks.
                if *wish == EditDesign::Place && view.not_ready.is_none() {
                    window.leave();
                    next.set(Attention::Walk);
                }
            }
            HudAction::WriteDesign(field) => {
                if let Some((text, most, _)) = written(&view, field) {
                    capturing.begin_line(LineField::Design(field.clone()), Line::new(text.clone(), most));
                    *line = DesignLine { field: Some(field.clone()), text };
                }
            }
            _ => {}
        }
    }
    let sliding = dragging.0.as_ref().and_then(|drag| match &drag.target {
        SlideTarget::Design(field) => Some((field.clone(), drag.value)),
        _ => None,
    });
    if sliding.is_some() && *tried != sliding {
        wishes.write_batch(sliding.clone().map(|(field, value)| EditDesign::Try { field, value }));
    }
    *tried = sliding;
    // Whoever closes the window writes no more.
    if window.get() != Some(HudWindow::Design) && line.field.take().is_some() {
        capturing.end_line();
    }
    take_line(&view, &mut capturing, &mut line, &mut wishes);
}

/// A line that is ready counts.
fn take_line(
    view: &DesignView,
    capturing: &mut Capturing,
    line: &mut DesignLine,
    wishes: &mut MessageWriter<'_, EditDesign>,
) {
    let mine = |field: &LineField| if let LineField::Design(field) = field { Some(field.clone()) } else { None };
    if let Some((_, text)) = capturing.take_written(mine) {
        line.text = text;
    }
    let open = capturing.line().is_some_and(|(field, _)| mine(field) == line.field);
    let Some(field) = line.field.clone().filter(|_| !open) else { return };
    line.field = None;
    let text = std::mem::take(&mut line.text);
    let Some((before, _, is_number)) = written(view, &field) else { return };
    if text.trim() == before {
        return;
    }
    if !is_number {
        wishes.write(EditDesign::Write { field, text });
    } else if let Some(value) = number(&text) {
        wishes.write(EditDesign::Set { field, value });
    } else {
        // A field that cannot be read sets nothing, and whoever designs says so.
        wishes.write(EditDesign::Set { field, value: f64::NAN });
    }
}

/// Says whether the person is at it; while they write, nobody walks.
pub(crate) fn attend(
    window: Res<OpenWindow>,
    line: Res<DesignLine>,
    attention: Res<State<Attention>>,
    mut at: ResMut<AtDesign>,
    mut wrote: Local<bool>,
    mut next: ResMut<NextState<Attention>>,
) {
    let here = window.get() == Some(HudWindow::Design);
    at.set_if_neq(AtDesign(here));
    let writes = here && line.field.is_some();
    if writes != *wrote {
        *wrote = writes;
        match (writes, attention.get()) {
            (true, _) => next.set(Attention::Panel),
            (false, Attention::Panel) if here => next.set(Attention::Point),
            (false, _) => {}
        }
    }
}

/// The window.
pub(super) fn window(table: &Table<'_>, keys: &KeyBindings) -> El {
    let view = table.view;
    let (name, body, foot) = if view.open {
        (view.name.clone(), open(table, keys), Some(finish::foot(view)))
    } else {
        ("Design something".to_owned(), starts::list(view, table.assets), None)
    };
    let press = widgets::press("Close", HudAction::CloseWindow);
    let head = El::row("window.head", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::title("window.title", name))
        .with(widgets::spring())
        .with(widgets::button("window.close", press, Some(&keys.label(Control::Design)), Tone::Plain));
    let mut panel = widgets::panel("design")
        .node(|node| {
            node.position_type = PositionType::Absolute;
            node.left = px(style::EDGE);
            node.top = px(style::EDGE);
            node.bottom = px(style::EDGE);
            node.width = px(WIDTH);
            node.min_height = px(0);
            node.row_gap = px(10);
        })
        .with(head);
    panel.children.extend(view.open.then(|| tools(table, keys)));
    panel.children.extend((view.open || view.problem.is_some()).then(|| state(view)));
    panel.children.push(body);
    panel.children.extend(foot);
    panel
}

/// A button for a wish; disabled where `why` says why.
fn button(key: &'static str, label: &str, wish: EditDesign, why: Option<&str>, hint: Option<&str>) -> El {
    let mut press = widgets::press(label, HudAction::Design(wish));
    press.enabled = why.is_none();
    widgets::button(key, press, hint, Tone::Plain)
}

/// A part of the window.
fn block(key: &'static str, title: &str) -> El {
    El::column(key, 7.0)
        .node(|node| {
            node.padding = UiRect::axes(px(10), px(8));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
        .with(widgets::heading("title", title))
}

/// A row of buttons that goes on in the next line where there are many.
fn wrapped(key: &'static str) -> El {
    El::row(key, 6.0).node(|node| {
        node.flex_wrap = FlexWrap::Wrap;
        node.row_gap = px(6);
        node.flex_shrink = 0.0;
    })
}

/// Back and forth, another one, and why not.
fn tools(table: &Table<'_>, keys: &KeyBindings) -> El {
    let view = table.view;
    let no_undo = view.undo.is_none().then_some("nothing was changed yet");
    let no_redo = view.redo.is_none().then_some("nothing was undone");
    let (undo_key, redo_key) = (keys.label(Control::Undo), keys.label(Control::Redo));
    let row = El::row("design.tools", 6.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(button("undo", "Undo", EditDesign::Undo, no_undo, Some(&undo_key)))
        .with(button("redo", "Redo", EditDesign::Redo, no_redo, Some(&redo_key)))
        .with(widgets::spring())
        .with(put_away(table));
    let says = |word: &str, what: &Option<String>, why: Option<&str>| match (what, why) {
        (Some(what), _) => format!("{word}: {what}."),
        (None, why) => format!("{word}: {}.", why.unwrap_or_default()),
    };
    let why = format!("{} {}", says("Undo", &view.undo, no_undo), says("Redo", &view.redo, no_redo));
    El::column("design.steps", style::TIGHT).node(|node| node.flex_shrink = 0.0).with(row).with(El::small("why", why))
}

/// What was kept can be opened again; what was not is asked about.
fn put_away(table: &Table<'_>) -> El {
    let lost = table.view.kept.is_none() && table.view.undo.is_some();
    if lost {
        let does = HudAction::Design(EditDesign::Close);
        return super::careful("away", ("Put away", "Really? It is not kept"), does, table.confirming, true);
    }
    button("away", "Put away", EditDesign::Close, None, None)
}

/// What goes on right now, in one line.
fn state(view: &DesignView) -> El {
    let (text, color) = match (&view.held, &view.problem) {
        (Some(held), _) => {
            let axis = held.axis.map(|axis| format!(", along {} only", axis.word())).unwrap_or_default();
            let snapped = held.snapped.as_ref().map(|what| format!(", {what}")).unwrap_or_default();
            (format!("{}{snapped}{axis}", held.says), style::ACCENT)
        }
        (None, Some(problem)) => (problem.clone(), style::WRONG),
        (None, None) if view.open && view.busy => ("Computing ...".to_owned(), style::MUTED),
        (None, None) => match view.hovered.and_then(|place| view.handles.get(place)) {
            Some(handle) if handle.field.is_none() => {
                (format!("Draw it: {} goes elsewhere.", handle.label), style::MUTED)
            }
            Some(handle) => (format!("Draw it: {} changes.", handle.label), style::MUTED),
            None => (String::new(), style::MUTED),
        },
    };
    El::row("design.state", 0.0)
        .node(|node| {
            node.min_height = px(18);
            node.flex_shrink = 0.0;
        })
        .with(El::small("text", text).colored(color))
}

/// Everything about the open design.
fn open(table: &Table<'_>, keys: &KeyBindings) -> El {
    widgets::scroll("design.body", 8.0)
        .node(|node| node.flex_grow = 1.0)
        .with(fields::block_of(table))
        .with(findings::block_of(table.view))
        .with(parts::block_of(table, keys))
        .with(parts::materials(table.view))
        .with(finish::block_of(table))
}

/// A press that says more than its label.
fn pressed(label: impl Into<String>, action: HudAction, enabled: bool) -> Press {
    Press { label: label.into(), action, enabled }
}
