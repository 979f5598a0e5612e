use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    Reading, TwinState, TwinTurn,
    model::{ActionId, ActionInfo, Expect, FeatureId, FeatureInfo, PropertyId, Truth, TwinInfo, Value, ValueType},
};

use crate::{
    action::{HudAction, SlideTarget},
    availability::{self, Availability, Waiting, available, is_actuator},
    el::{El, Press, Slide},
    format,
    interact::Drag,
    style,
    track::{Mood, Tracks},
    widgets::{self, Tone},
};

/// Buttons with a key of their own.
const KEYS: [Control; 4] = [Control::Action1, Control::Action2, Control::Action3, Control::Action4];

/// Colours to choose from, with their names.
const COLORS: [(&str, [u8; 3]); 8] = [
    ("warm white", [255, 214, 170]),
    ("red", [255, 64, 48]),
    ("orange", [255, 150, 40]),
    ("yellow", [255, 230, 70]),
    ("green", [80, 220, 100]),
    ("cyan", [70, 220, 230]),
    ("blue", [70, 110, 255]),
    ("violet", [190, 90, 255]),
];

/// What the features of one card are made of; collects what its buttons do.
pub(super) struct Sheet<'a> {
    pub info: &'a TwinInfo,
    pub state: &'a TwinState,
    pub turn: Option<&'a TwinTurn>,
    pub waiting: Vec<Waiting>,
    pub tracks: &'a Tracks,
    pub connected: bool,
    pub keys: &'a KeyBindings,
    pub drag: Option<&'a Drag>,
    pub pinned: bool,
    pub now: f64,
    pub slots: Vec<HudAction>,
}

impl Sheet<'_> {
    fn can(&self, feature: &FeatureId, action: &ActionId) -> Availability {
        if self.connected {
            available(self.info, self.state, self.turn, feature, action, &self.waiting, self.now)
        } else {
            Availability::Disabled("the home is not reachable".to_owned())
        }
    }

    fn ask(&self, feature: &FeatureId, action: &ActionId, input: Option<Value>) -> HudAction {
        let (twin, feature, action) = (self.info.id.clone(), feature.clone(), action.clone());
        HudAction::Actuate { twin, feature, action, input }
    }
}

/// One feature: what it reported, what is wanted, what can be done.
pub(super) fn feature(sheet: &mut Sheet<'_>, feature: &FeatureId, about: &FeatureInfo) -> El {
    let mut block = El::column(format!("card.feature.{feature}"), 6.0).node(|node| node.flex_shrink = 0.0);
    if sheet.pinned {
        block = block.fill(style::RAISED).round(9.0).node(|node| node.padding = UiRect::all(px(10)));
    }
    let actions = availability::actions(feature, about, sheet.state);
    let inputs: Vec<_> = actions.iter().filter_map(|(id, does)| Some((*id, *does, does.input.as_ref()?))).collect();
    let settable: Vec<_> = inputs.iter().map(|(id, does, _)| property_of(about, id, does)).collect();
    block.children.extend(readings(sheet, feature, about, if sheet.pinned { &settable } else { &[] }));
    let mut reasons = Vec::new();
    let mut buttons = Vec::new();
    for (action, _) in actions.iter().filter(|(_, does)| does.input.is_none()) {
        // At a glance, only what has a key: the mouse is not free there.
        if sheet.pinned || sheet.slots.len() < KEYS.len() {
            buttons.push(action_button(sheet, feature, about, action, &mut reasons));
        }
    }
    if !buttons.is_empty() {
        let row = El::row("actions", 6.0).node(|node| {
            node.flex_wrap = FlexWrap::Wrap;
            node.row_gap = px(6);
        });
        block.children.push(row.with_all(buttons));
    }
    // What waits says so itself, below.
    reasons.retain(|(_, reason)| !reason.starts_with("waiting for"));
    block.children.extend(why_not(&reasons));
    if sheet.pinned {
        for (action, does, takes) in inputs {
            block.children.push(input(sheet, feature, about, (action, does, takes), &reasons));
        }
    }
    if actions.is_empty() && is_actuator(about.kind) {
        block.children.push(El::small("look", "nothing that you can do"));
    }
    block.children.extend(progress(sheet, feature, about));
    block
}

/// Properties with the main one of their kind first.
fn main_first(about: &FeatureInfo) -> Vec<&PropertyId> {
    let mut all: Vec<_> = about.properties.keys().collect();
    all.sort_by_key(|property| match property.as_str() {
        "state" | "on" | "current" => 0,
        "value" | "mode" | "picture" => 1,
        _ => 2,
    });
    all
}

fn readings(sheet: &Sheet<'_>, feature: &FeatureId, about: &FeatureInfo, elsewhere: &[Option<PropertyId>]) -> Vec<El> {
    let mut rows = Vec::new();
    let main = main_first(about);
    let Some(first) = main.first() else {
        return vec![widgets::row("reading", about.name.clone())];
    };
    rows.extend(reading(sheet, feature, about, first, about.name.clone(), true));
    for property in main.iter().skip(1) {
        let shown_with_control = elsewhere.iter().flatten().any(|other| other == *property);
        let known = sheet.state.reading(feature.as_str(), property.as_str());
        let known = known.is_some_and(|r| r.value.is_some() || r.desired.is_some());
        if !shown_with_control && known && sheet.pinned {
            rows.extend(reading(sheet, feature, about, property, format::property(property), false));
        }
    }
    rows
}

/// A reported value with how far to believe it, and below it what is wanted: never one in the other's place.
fn reading(
    sheet: &Sheet<'_>,
    feature: &FeatureId,
    about: &FeatureInfo,
    property: &PropertyId,
    name: String,
    main: bool,
) -> Vec<El> {
    let known = sheet.state.reading(feature.as_str(), property.as_str());
    let told = known.and_then(|reading| reading.value.as_ref());
    // A thing may also report that it does not know.
    let none = if known.is_some_and(|reading| reading.revision > 0) { "unknown" } else { "no report yet" };
    let text = told.map_or_else(|| none.to_owned(), |value| format::value(about, property, value));
    let mut words = El::text("value", text).node(|node| node.flex_shrink = 1.0);
    words = if told.is_none() { words.colored(style::FAINT) } else { words.strong() };
    let mut right = El::row("right", 7.0);
    if let Some(Value::Color(color)) = told {
        right = right.with(widgets::swatch("swatch", *color));
    }
    right = right.with(words);
    if let Some(reading) = known {
        right.children.extend(truth_mark(reading, sheet));
    }
    let mut row = widgets::row(format!("reading.{property}"), name);
    if main {
        row.children = row.children.into_iter().map(|name| name.colored(style::TEXT)).collect();
    }
    let mut rows = vec![row.with(right)];
    rows.extend(known.and_then(|reading| wanted(about, property, reading)));
    rows
}

/// Without a link nobody knows whether it is still so.
pub(crate) fn believed(truth: Truth, connected: bool) -> Truth {
    if connected || truth != Truth::Live { truth } else { Truth::Stale }
}

fn truth_mark(reading: &Reading, sheet: &Sheet<'_>) -> Vec<El> {
    let truth = believed(reading.truth, sheet.connected);
    if truth == Truth::Live {
        return Vec::new();
    }
    let mut marks = vec![widgets::truth_chip("truth", truth)];
    if truth == Truth::Stale && sheet.pinned {
        marks.extend(reading.age(sheet.now).map(|age| El::small("age", format::age(age)).words(|w| w.wrap = false)));
    }
    marks
}

fn wanted(about: &FeatureInfo, property: &PropertyId, reading: &Reading) -> Option<El> {
    let desired = reading.desired.as_ref()?;
    let text = format!("wanted: {}", format::value(about, property, desired));
    let color = style::truth_color(if reading.truth == Truth::Live { Truth::Pending } else { reading.truth });
    let row = El::row(format!("wanted.{property}"), 6.0).node(|node| node.justify_content = JustifyContent::FlexEnd);
    let swatch = if let Value::Color(color) = desired { Some(widgets::swatch("swatch", *color)) } else { None };
    Some(row.with_all(swatch).with(El::small("text", text).colored(color)))
}

fn action_button(
    sheet: &mut Sheet<'_>,
    feature: &FeatureId,
    about: &FeatureInfo,
    action: &ActionId,
    reasons: &mut Vec<(String, String)>,
) -> El {
    let label = format::action(about, action);
    let can = sheet.can(feature, action);
    let asks = sheet.ask(feature, action, None);
    let slot = sheet.slots.len();
    let hint = KEYS.get(slot).map(|control| sheet.keys.label(*control));
    if hint.is_some() {
        sheet.slots.push(asks.clone());
    }
    if let Some(reason) = can.reason() {
        reasons.push((label.clone(), reason.to_owned()));
    }
    let tone = if slot == 0 { Tone::Main } else { Tone::Plain };
    let press = Press { label, action: asks, enabled: can.is_ready() };
    widgets::button(format!("card.action.{action}"), press, hint.as_deref(), tone)
}

/// Why controls are disabled: once where all have one reason, else for each.
fn why_not(reasons: &[(String, String)]) -> Vec<El> {
    let Some((_, first)) = reasons.first() else {
        return Vec::new();
    };
    if reasons.iter().all(|(_, reason)| reason == first) && reasons.len() > 1 {
        return vec![El::small("why", first.clone())];
    }
    let line = |(label, reason): &(String, String)| El::small(format!("why.{label}"), format!("{label}: {reason}"));
    reasons.iter().map(line).collect()
}

/// The property that an action with an input sets.
fn property_of(about: &FeatureInfo, action: &ActionId, does: &ActionInfo) -> Option<PropertyId> {
    let effect = does.effects.iter().find(|effect| effect.expect == Expect::Input).map(|e| e.property.clone());
    let by_name = || match action.as_str() {
        "set" => PropertyId::new("value").ok(),
        other => other.strip_prefix("set_").and_then(|name| PropertyId::new(name).ok()),
    };
    effect.or_else(by_name).filter(|property| about.properties.contains_key(property))
}

fn input(
    sheet: &Sheet<'_>,
    feature: &FeatureId,
    about: &FeatureInfo,
    (action, does, takes): (&ActionId, &ActionInfo, &ValueType),
    told: &[(String, String)],
) -> El {
    let label = format::action(about, action);
    let can = sheet.can(feature, action);
    let property = property_of(about, action, does);
    let mut block = El::column(format!("card.input.{action}"), style::TIGHT);
    // The value under the hand stands beside the name: the slider must not change its length while it is dragged.
    let hand = hand(sheet, feature, about, action, property.as_ref());
    let name = hand.map_or_else(|| label.clone(), |value| format!("{label}: set to {value}"));
    match &property {
        Some(property) => block.children.extend(reading(sheet, feature, about, property, name, false)),
        None => block.children.push(widgets::row("name", name)),
    }
    let known = property.as_ref().and_then(|p| sheet.state.reading(feature.as_str(), p.as_str()));
    let control = match takes {
        ValueType::Number { min, max, step } => {
            number(sheet, feature, action, (*min, *max, *step), known, can.is_ready())
        }
        ValueType::OneOf(options) => {
            let choice = |option: &String| (option.replace('_', " "), Value::Text(option.clone()), None);
            choices(sheet, feature, action, options.iter().map(choice), known, can.is_ready())
        }
        ValueType::Bool => {
            let told = known.and_then(|r| r.value.as_ref()).and_then(Value::as_bool);
            let asks = sheet.ask(feature, action, Some(Value::Bool(told != Some(true))));
            widgets::toggle("toggle", told, Press { label: label.clone(), action: asks, enabled: can.is_ready() })
        }
        ValueType::Color => {
            let colors = COLORS.iter().map(|(name, rgb)| ((*name).to_owned(), Value::Color(*rgb), Some(*rgb)));
            choices(sheet, feature, action, colors, known, can.is_ready())
        }
        ValueType::AnyNumber | ValueType::Text { .. } | ValueType::Blob { .. } => {
            El::small("cannot", format!("takes {takes}, which cannot be given here"))
        }
    };
    // One reason for everything is told once, beside the buttons.
    let why = can.reason().filter(|reason| !told.iter().any(|(_, other)| other == reason));
    block.with(control).with_all(why.map(|reason| El::small("why", reason)))
}

/// The value to which somebody drags the slider of an action right now.
fn hand(
    sheet: &Sheet<'_>,
    feature: &FeatureId,
    about: &FeatureInfo,
    action: &ActionId,
    property: Option<&PropertyId>,
) -> Option<String> {
    let drag = sheet.drag?;
    let SlideTarget::Actuate { twin, feature: dragged, action: does, .. } = &drag.target else { return None };
    let own = *twin == sheet.info.id && dragged == feature && does == action;
    let text = || match property {
        Some(property) => format::value(about, property, &Value::Float(drag.value)),
        None => format::number(drag.value, None),
    };
    own.then(text)
}

fn number(
    sheet: &Sheet<'_>,
    feature: &FeatureId,
    action: &ActionId,
    (min, max, step): (f64, f64, f64),
    known: Option<&Reading>,
    enabled: bool,
) -> El {
    let whole = |n: f64| n.fract().abs() < 1e-9;
    let whole = step > 0.0 && whole(step) && whole(min);
    let told = known.and_then(|r| r.value.as_ref()).and_then(Value::as_f64);
    let wish = known.and_then(|r| r.desired.as_ref()).and_then(Value::as_f64);
    let (twin, id, does) = (sheet.info.id.clone(), feature.clone(), action.clone());
    let target = SlideTarget::Actuate { twin, feature: id, action: does, whole };
    let step = if step > 0.0 { step } else { (max - min) / 100.0 };
    let slide = Slide { min, max, step, at: wish.or(told).unwrap_or(min), target, enabled };
    // A slider is quick and a step is exact.
    let nudge = |label: &str, by: f64| {
        let to = slide.nearest(wish.or(told).unwrap_or(min) + by);
        let moves = enabled && Some(to) != wish.or(told);
        let press = Press { label: label.to_owned(), action: slide.target.action(to), enabled: moves };
        widgets::button(format!("card.step.{action}.{label}"), press, None, Tone::Plain)
    };
    let (less, more) = (nudge("-", -step), nudge("+", step));
    El::row("slide", style::GAP)
        .with(less)
        .with(widgets::slider(format!("card.slider.{action}"), slide, told))
        .with(more)
}

fn choices(
    sheet: &Sheet<'_>,
    feature: &FeatureId,
    action: &ActionId,
    options: impl Iterator<Item = (String, Value, Option<[u8; 3]>)>,
    known: Option<&Reading>,
    enabled: bool,
) -> El {
    let told = known.and_then(|reading| reading.value.as_ref());
    let buttons = options.map(|(label, value, color)| {
        let chosen = told == Some(&value);
        let asks = sheet.ask(feature, action, Some(value));
        let press = Press { label: label.clone(), action: asks, enabled };
        let key = format!("card.choice.{action}.{}", label.replace(' ', "_"));
        match color {
            None => widgets::button(key, press, None, if chosen { Tone::Chosen } else { Tone::Plain }),
            Some(color) => {
                let edge = if chosen { style::TEXT } else { style::LINE };
                let mut el = widgets::swatch(key, color).line(edge).node(|node| {
                    node.width = px(28);
                    node.height = px(28);
                    node.border = UiRect::all(px(2));
                });
                el.press = Some(press);
                el
            }
        }
    });
    let row = El::row("choices", 6.0).node(|node| {
        node.flex_wrap = FlexWrap::Wrap;
        node.row_gap = px(6);
    });
    row.with_all(buttons)
}

fn progress(sheet: &Sheet<'_>, feature: &FeatureId, about: &FeatureInfo) -> Vec<El> {
    let own = sheet.tracks.of(&sheet.info.id).filter(|track| track.feature == *feature);
    own.map(|track| {
        let color = match track.mood() {
            Mood::Waiting => style::truth_color(Truth::Pending),
            Mood::Good => style::truth_color(Truth::Live),
            Mood::Bad => style::WRONG,
        };
        let text = track.text(&format::action(about, &track.action), &sheet.info.name, sheet.now);
        let text = El::small("text", text).colored(color).node(|node| node.flex_shrink = 1.0);
        El::row(format!("card.track.{}", track.ticket.0), 7.0).with(widgets::dot(color, 7.0)).with(text)
    })
    .collect()
}
