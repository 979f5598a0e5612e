use std::collections::BTreeSet;

use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    EnablerClock, EnablerLink, FeatureRules, KnownLending, LookBack, TwinAccess, TwinState, TwinTurn,
    model::{FeatureId, FeatureKind, RuleId, Truth, TwinId, TwinInfo},
};

use super::{
    controls::{self, Sheet},
    picture::Decoded,
    turn,
};
use crate::{
    action::{HudAction, HudWindow},
    availability::{is_actuator, ordered},
    banner,
    el::El,
    format,
    interact::Drag,
    style,
    track::{Mood, Tracks},
    widgets::{self, Tone},
    window::lent_for,
};

/// Features on a card that is not pinned.
const GLANCE: usize = 2;
/// Greatest height of a picture.
const PICTURE_HEIGHT: f32 = 150.0;

/// Everything that the card is made of.
pub(super) struct CardInput<'a> {
    pub twin: &'a TwinId,
    pub info: Option<&'a TwinInfo>,
    pub state: Option<&'a TwinState>,
    pub access: Option<&'a TwinAccess>,
    pub turn: Option<&'a TwinTurn>,
    pub shots: Vec<Shot<'a>>,
    pub tracks: &'a Tracks,
    pub link: &'a EnablerLink,
    pub lending: &'a KnownLending,
    pub clock: EnablerClock,
    pub keys: &'a KeyBindings,
    pub drag: Option<&'a Drag>,
    pub pinned: bool,
    pub now: f64,
}

/// A decoded picture and the feature that took it.
pub(super) struct Shot<'a> {
    pub image: &'a Decoded,
    pub feature: &'a FeatureId,
}

/// The card, and what its first four buttons do.
pub(super) fn card(input: &CardInput<'_>) -> (El, Vec<HudAction>) {
    let mut panel = widgets::panel("card").node(|node| place(node, input.pinned, banner::room(input.link)));
    panel = panel.with(header(input));
    let Some(info) = input.info else {
        let text = "Nothing is known of it yet: its system has not been found.";
        return (panel.with(El::small("card.nothing", text)), Vec::new());
    };
    let fallback = TwinState::default();
    let state = input.state.unwrap_or(&fallback);
    panel = panel.with(status(input, state));
    let can = input.pinned && input.link.state.is_connected();
    panel.children.extend(turn::line(input.twin, info, input.turn, can));
    let mut sheet = Sheet {
        info,
        state,
        turn: input.turn,
        waiting: input.tracks.waiting(input.twin),
        tracks: input.tracks,
        connected: input.link.state.is_connected(),
        keys: input.keys,
        drag: input.drag,
        pinned: input.pinned,
        now: input.now,
        slots: Vec::new(),
    };
    let mut body = widgets::scroll("card.body", style::GAP);
    body.children.extend(input.shots.iter().filter(|_| input.pinned).map(|shot| picture(input, info, shot)));
    let features = ordered(info);
    let mut left_out = 0;
    for (at, (feature, about)) in features.iter().enumerate() {
        let glance = at < GLANCE && (is_actuator(about.kind) || features.len() <= GLANCE || at == 0);
        if !input.pinned && !glance {
            left_out += 1;
            continue;
        }
        let is_seen = input.shots.iter().any(|shot| shot.feature == *feature);
        if about.kind == FeatureKind::Camera && is_seen && input.pinned {
            continue;
        }
        body.children.push(controls::feature(&mut sheet, feature, about));
    }
    if features.is_empty() {
        body.children.push(El::small("card.empty", "It offers nothing to read and nothing to do."));
    }
    body.children.extend(problems(info).filter(|_| input.pinned));
    if input.pinned && !info.features.is_empty() {
        body.children.push(rights(input, info));
    }
    panel = panel.with(body);
    panel.children.extend(footer(input, left_out));
    (panel, sheet.slots)
}

fn place(node: &mut Node, pinned: bool, room: f32) {
    node.position_type = PositionType::Absolute;
    if pinned {
        node.left = px(style::EDGE);
        node.top = px(style::EDGE + room);
        node.width = px(360);
        node.max_height = percent(if room > 0.0 { 70 } else { 84 });
    } else {
        // Beside the middle of the view, where the person looks; the other side belongs to notifications.
        node.right = percent(50);
        node.top = percent(50);
        node.margin = UiRect { right: px(36), top: px(-100), ..default() };
        node.width = px(340);
        node.max_height = percent(60);
    }
}

fn header(input: &CardInput<'_>) -> El {
    let name = input.info.map_or(input.twin.as_str(), |info| info.name.as_str());
    let title = widgets::title("card.name", name).node(|node| node.flex_shrink = 1.0);
    let mut head = El::row("card.head", style::GAP).with(title).with(widgets::spring());
    if input.pinned {
        let close = widgets::press("Close", HudAction::CloseCard);
        let key = input.keys.label(Control::Cancel);
        head = head.with(widgets::button("card.close", close, Some(&key), Tone::Plain));
    }
    let mut column = El::column("card.top", 2.0).with(head);
    if let Some(info) = input.info {
        let first = ordered(info).first().map(|(_, about)| format::kind(about.kind).to_owned());
        let parts: Vec<_> = first.into_iter().chain(info.manufacturer.clone()).chain(info.model.clone()).collect();
        if !parts.is_empty() {
            column = column.with(El::small("card.kind", parts.join(" · ")));
        }
    }
    column
}

fn status(input: &CardInput<'_>, state: &TwinState) -> El {
    let newest = state.readings.values().filter_map(|reading| reading.age(input.now)).reduce(f64::min);
    // A broker may have kept what was said at a time that nobody knows.
    let kept = state.readings.values().any(|reading| reading.value.is_some());
    let none = if kept { "reported, nobody knows when" } else { "no report yet" };
    let age = newest.map_or_else(|| none.to_owned(), |age| format!("reported {}", format::age(age)));
    let mut row = El::row("card.status", style::GAP)
        .node(|node| {
            node.flex_wrap = FlexWrap::Wrap;
            node.row_gap = px(2);
            node.flex_shrink = 0.0;
        })
        .with(widgets::truth_chip("card.truth", controls::believed(state.truth(), input.link.state.is_connected())))
        .with(El::small("card.age", age).words(|words| words.wrap = false));
    if !input.link.state.is_connected() {
        row = row.with(El::small("card.reach", "the home is not reachable").colored(style::WRONG));
    } else if input.state.is_none() {
        row = row.with(El::small("card.reach", "waiting for its first news"));
    } else if !state.reachable {
        row = row.with(El::small("card.reach", "not reachable").colored(style::WRONG));
    }
    // Not for what was never described: nothing of it is kept.
    if input.pinned && input.info.is_some() {
        let past = widgets::press("Past", HudAction::LookBack(LookBack::Open(input.twin.clone())));
        let key = input.keys.label(Control::Past);
        row = row.with(widgets::spring()).with(widgets::button("card.past", past, Some(&key), Tone::Plain));
    }
    row
}

fn picture(input: &CardInput<'_>, info: &TwinInfo, shot: &Shot<'_>) -> El {
    let feature = shot.feature;
    let name = info.features.get(feature).map_or("Camera", |about| about.name.as_str());
    let reading = input.state.and_then(|state| state.reading(feature.as_str(), "picture"));
    let age = reading.and_then(|reading| reading.age(input.now)).map(format::age);
    let caption = age.map_or_else(|| name.to_owned(), |age| format!("{name}, {age}"));
    let mut line = El::row("card.caption", style::GAP).with(El::small("text", caption));
    let truth = reading.map(|reading| controls::believed(reading.truth, input.link.state.is_connected()));
    line.children.extend(truth.filter(|truth| *truth != Truth::Live).map(|truth| widgets::truth_chip("truth", truth)));
    let frame = match (&shot.image.image, &shot.image.problem) {
        (Some(image), _) => {
            let mut el = El::new("card.picture").round(style::ROUND_SMALL).node(|node| {
                // Wide pictures fill the card, tall ones leave room for the buttons.
                node.width = px((PICTURE_HEIGHT * shot.image.aspect).min(332.0));
                node.aspect_ratio = Some(shot.image.aspect);
                node.align_self = AlignSelf::Center;
                node.flex_shrink = 0.0;
            });
            el.what = crate::el::What::Image(image.clone());
            el
        }
        (None, problem) => {
            let text = problem.clone().unwrap_or_else(|| "no picture".to_owned());
            El::small("card.picture.problem", text).colored(style::WRONG)
        }
    };
    El::column(format!("card.shot.{feature}"), style::TIGHT).node(|node| node.flex_shrink = 0.0).with(frame).with(line)
}

fn problems(info: &TwinInfo) -> Option<El> {
    if info.problems.is_empty() {
        return None;
    }
    let lines =
        info.problems.iter().enumerate().map(|(at, problem)| {
            El::small(format!("problem.{at}"), format!("{}: {}", problem.feature, problem.message))
        });
    let heading = widgets::heading("card.problems.title", "Cannot be offered").colored(style::WRONG);
    Some(El::column("card.problems", style::TIGHT).with(heading).with_all(lines))
}

/// What the user may do with the twin and why, and the way to lend some of it.
fn rights(input: &CardInput<'_>, info: &TwinInfo) -> El {
    let why = El::small("card.rules", permission(input, info)).node(|node| node.flex_shrink = 1.0);
    let lend = widgets::press("Lend ...", HudAction::Open(HudWindow::Lending));
    let key = input.keys.label(Control::Lend);
    let mut button = widgets::button("card.lend", lend, Some(&key), Tone::Plain);
    button.node.flex_shrink = 0.0;
    El::row("card.rights", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(why)
        .with(widgets::spring())
        .with(button)
}

/// What the user may do with the twin, and what says so: rules, or what somebody lent them. What they may not do is not known
/// here.
fn permission(input: &CardInput<'_>, info: &TwinInfo) -> String {
    let rules = |pick: &dyn Fn(&FeatureRules) -> Vec<RuleId>| -> String {
        let all: BTreeSet<_> = input.access.into_iter().flat_map(|access| access.0.values()).flat_map(pick).collect();
        let lent = all.iter().filter_map(|rule| input.lending.by_rule(rule)).map(|token| {
            let span = lent_for(token.limits.until, input.clock, input.now);
            format!("lent to you by {} {span}", token.by)
        });
        let lent: Vec<_> = lent.collect();
        let names: Vec<_> =
            all.iter().filter(|rule| input.lending.by_rule(rule).is_none()).map(|rule| rule.as_str()).collect();
        let named = (!names.is_empty()).then(|| format!("rule {}", names.join(", ")));
        let why: Vec<_> = named.into_iter().chain(lent).collect();
        if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) }
    };
    let look = rules(&|rules| rules.read.iter().cloned().collect());
    let act = rules(&|rules| rules.act.values().cloned().collect());
    if info.features.values().all(|about| about.actions.is_empty()) {
        format!("You may look{look}; there is nothing here that you can do.")
    } else if look == act {
        format!("You may look and act{look}.")
    } else {
        format!("You may look{look} and act{act}.")
    }
}

fn footer(input: &CardInput<'_>, left_out: usize) -> Vec<El> {
    let mut lines = Vec::new();
    if !input.pinned {
        let bad = input.tracks.of(input.twin).any(|track| track.mood() == Mood::Bad);
        let more = match (left_out, bad) {
            (0, _) => "open".to_owned(),
            (n, _) => format!("open, {n} more"),
        };
        let hint = El::row("card.more", 6.0)
            .with(widgets::keycap(&input.keys.label(Control::Interact)))
            .with(El::small("text", more));
        lines.push(hint);
    }
    lines
}
