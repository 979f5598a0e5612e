//! A service that is agreed: what it wants to be told, what it costs, how to use it, and what came of that.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde_json::{Value, json};
use vestibule_twin::{
    KnownSystem, UseServices,
    model::{Json, ServiceId, TwinId},
};

use super::{
    Room, agree,
    answer::{cut, words},
    call,
    form::{self, Field, Form, Takes},
    told,
};
use crate::{
    action::{HudAction, Prepare, ServiceField, SlideTarget},
    el::{El, Press, Slide},
    format, style,
    widgets::{self, Tone},
};

/// Calls of one service that are shown.
const SHOWN_CALLS: usize = 3;
/// Width of a field's name.
const NAME_WIDTH: f32 = 150.0;

/// A service with its form.
pub(super) fn service(system: &KnownSystem, id: &ServiceId, room: &Room<'_>) -> El {
    let mut place = agree::block("service");
    place.key = format!("offer.{id}").into();
    let Some(about) = system.info.services.get(id) else {
        return place.with(El::small("gone", format!("{id} is not offered any more")));
    };
    let title = El::text("name", cut(&about.name, 60)).strong();
    let words = (!about.description.is_empty()).then(|| El::small("words", cut(&about.description, 200)));
    let form = form::form(about.input.as_ref());
    let entered = room.entered(&system.info.id, id);
    let field = |field: &Field| {
        let name = field.name.clone();
        let target = ServiceField { system: system.info.id.clone(), service: id.clone(), name };
        field_row(field, &target, &entered, room)
    };
    let (fields, left_out): (Vec<El>, _) = match &form {
        Form::Fields { fields, left_out } => (fields.iter().map(field).collect(), left_out.as_slice()),
        Form::Nothing | Form::TooMuch(_) => (Vec::new(), &[][..]),
    };
    let left_out = (!left_out.is_empty()).then(|| {
        El::small("left_out", format!("It could also be told what this panel cannot ask: {}", left_out.join(", ")))
    });
    let calls = room.calls(&system.info.id, id, SHOWN_CALLS);
    place
        .with(title)
        .with_all(words)
        .with_all(fields)
        .with_all(left_out)
        .with_all(use_it(system, id, told::input(&form, &entered), room))
        .with_all(calls.into_iter().map(|known| call::view(known, room)))
}

/// The button, its price, and why it cannot be pressed.
fn use_it(system: &KnownSystem, id: &ServiceId, input: Result<Json, String>, room: &Room<'_>) -> Vec<El> {
    let about = system.info.services.get(id);
    let open = room.known.newest(&system.info.id, id).is_some_and(|call| call.is_open());
    let why = room.away(system).or_else(|| match (system.usable.contains_key(id), open, &input) {
        (false, ..) => Some("you may not use it any more".to_owned()),
        (true, true, _) => Some("still under way".to_owned()),
        (true, false, Err(why)) => Some(why.clone()),
        (true, false, Ok(_)) => None,
    });
    let call = |input| UseServices::Call { system: system.info.id.clone(), service: id.clone(), input };
    let action = input.map_or(HudAction::Nothing, |input| HudAction::Use(call(input)));
    let label = about.map_or_else(|| id.to_string(), |about| cut(&about.name, 60));
    let press = Press { label, action, enabled: why.is_none() };
    let cost =
        about.and_then(|about| about.charge.as_ref()).map_or_else(|| "no charge".to_owned(), ToString::to_string);
    let row = El::row("use", 10.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::button("button", press, None, Tone::Main))
        .with(El::text("price", cost).colored(style::MUTED));
    [row].into_iter().chain(why.map(|why| El::small("why", why))).collect()
}

/// A field: its name on the left, what can be told on the right.
fn field_row(field: &Field, target: &ServiceField, entered: &BTreeMap<String, Value>, room: &Room<'_>) -> El {
    let optional = (!field.required).then(|| El::small("optional", "need not be told"));
    let name = widgets::asked(NAME_WIDTH).with(El::text("name", field.title.clone())).with_all(optional);
    let value = field.value(entered);
    let enter = |value: Option<&Value>| {
        let value = value.and_then(|value| Json::of(value).ok());
        HudAction::Prepare(Prepare::Enter(target.clone(), value))
    };
    let control = match &field.takes {
        Takes::Choice(choices) => choice(choices, value.as_ref(), field.required, &enter),
        Takes::YesNo => {
            let on = value.as_ref().and_then(Value::as_bool).unwrap_or(false);
            let press = widgets::press(field.title.clone(), enter(Some(&json!(!on))));
            widgets::toggle("toggle", Some(on), press).node(|node| node.min_height = px(30))
        }
        Takes::Range { min, max, step, whole } => {
            range((*min, *max, *step, *whole), value.as_ref().and_then(Value::as_f64), target, room)
        }
        Takes::Twin => things(value.as_ref(), target, room),
        Takes::Number { .. } => written(field, entered, target, 24, room),
        Takes::Text { most, .. } => written(field, entered, target, *most, room),
    };
    let examples = (!field.examples.is_empty())
        .then(|| choice(&field.examples, value.as_ref(), field.required, &enter))
        .map(|mut row| {
            row.key = "examples".into();
            row
        });
    let words = (!field.words.is_empty()).then(|| El::small("words", field.words.clone()));
    let right = El::column("right", style::TIGHT)
        .node(|node| {
            node.flex_grow = 1.0;
            node.flex_shrink = 1.0;
        })
        .with(control)
        .with_all(examples)
        .with_all(words);
    widgets::answer(format!("field.{}", field.name)).with(name).with(right)
}

fn choice(choices: &[Value], value: Option<&Value>, required: bool, enter: &dyn Fn(Option<&Value>) -> HudAction) -> El {
    let button = |choice: &Value| {
        let chosen = value == Some(choice);
        // What need not be told can be taken back.
        let next = if chosen && !required { None } else { Some(choice) };
        let press = widgets::press(cut(&words(choice).replace('_', " "), 40), enter(next));
        widgets::button(
            format!("choice.{}", words(choice)),
            press,
            None,
            if chosen { Tone::Chosen } else { Tone::Plain },
        )
    };
    El::row("choices", 6.0)
        .node(|node| {
            node.flex_wrap = FlexWrap::Wrap;
            node.row_gap = px(6);
        })
        .with_all(choices.iter().map(button))
}

/// The things that the person shares with the system: it may be told of no other.
fn things(value: Option<&Value>, target: &ServiceField, room: &Room<'_>) -> El {
    let shared = room.agreed(&target.system).into_iter().flat_map(|agreed| agreed.share.twins.keys());
    let button = |twin: &TwinId| {
        let chosen = value.and_then(Value::as_str) == Some(twin.as_str());
        let enter = Prepare::Enter(target.clone(), Json::of(&twin.as_str()).ok());
        let label = (room.name)(twin).unwrap_or_else(|| twin.to_string());
        let press = widgets::press(label, HudAction::Prepare(enter));
        widgets::button(format!("thing.{twin}"), press, None, if chosen { Tone::Chosen } else { Tone::Plain })
    };
    let buttons: Vec<El> = shared.map(button).collect();
    if buttons.is_empty() {
        return El::small("none", "Share a thing with it first: open its card, then Change what is agreed.");
    }
    El::row("things", 6.0)
        .node(|node| {
            node.flex_wrap = FlexWrap::Wrap;
            node.row_gap = px(6);
        })
        .with_all(buttons)
}

fn range(
    (min, max, step, whole): (f64, f64, f64, bool),
    value: Option<f64>,
    field: &ServiceField,
    room: &Room<'_>,
) -> El {
    let target = SlideTarget::Service { field: field.clone(), whole };
    let hand = room.drag.filter(|drag| drag.target == target).map(|drag| drag.value);
    let slide = Slide { min, max, step, at: value.unwrap_or(min), target, enabled: true };
    let nudge = |label: &str, by: f64| {
        let to = value.map_or(min, |value| slide.nearest(value + by));
        let press = Press { label: label.to_owned(), action: slide.target.action(to), enabled: value != Some(to) };
        widgets::button(format!("nudge.{label}"), press, None, Tone::Plain)
    };
    let (less, more) = (nudge("-", -step), nudge("+", step));
    let shown = hand.or(value).map_or_else(|| "not chosen".to_owned(), |value| format::number(value, None));
    let shown = El::row("value.box", 0.0)
        .node(|node| {
            node.width = px(86);
            node.flex_shrink = 0.0;
        })
        .with(El::text("value", shown));
    El::row("slide", style::GAP).with(less).with(widgets::slider("slider", slide, value)).with(more).with(shown)
}

fn written(
    field: &Field,
    entered: &BTreeMap<String, Value>,
    target: &ServiceField,
    most: usize,
    room: &Room<'_>,
) -> El {
    let text = entered.get(&field.name).or(field.default.as_ref());
    let text = text.map(|value| value.as_str().map_or_else(|| words(value), str::to_owned)).unwrap_or_default();
    let line = room.line.filter(|(other, _)| *other == target).map(|(_, line)| line);
    let write = Prepare::Write { field: target.clone(), text: text.clone(), most };
    let press = widgets::press(field.title.clone(), HudAction::Prepare(write));
    widgets::field("field", text, line.map(super::Line::with_caret), press)
}
