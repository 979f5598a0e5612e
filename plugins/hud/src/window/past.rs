//! How a twin was at a moment, and what was decided around then. Nothing here looks like what is so now.

use std::collections::{BTreeMap, BTreeSet};

use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    LookBack, PastMoment, PastReading, TwinPast,
    model::{
        ActionId, CommandId, CommandStatus, FeatureId, FeatureInfo, LeaseStatus, LeaseUpdate, PastEntry, PastFact,
        PropertyId, Timestamp, TwinId, TwinInfo, Value,
    },
};

use crate::{
    action::{HudAction, SlideTarget, moment},
    availability::ordered,
    el::{El, Press, Slide},
    format,
    interact::Drag,
    moment::Zone,
    style,
    widgets::{self, Tone},
};

const HOUR_MS: u64 = 3_600_000;

/// What the window shows.
pub(super) struct View<'a> {
    pub past: &'a TwinPast,
    /// What the twin is called now.
    pub name: Option<String>,
    pub connected: bool,
    pub zone: &'a Zone,
    pub drag: Option<&'a Drag>,
}

/// A twin's past, or why there is none to show.
pub(super) fn window(view: &View<'_>, keys: &KeyBindings) -> El {
    let past = view.past;
    let mut body = El::column("past.body", 10.0).node(|node| node.min_height = px(0));
    if let Some(problem) = &past.problem {
        body.children.push(El::text("past.problem", problem.to_string()).colored(style::WRONG));
    }
    if !view.connected {
        body.children
            .push(El::small("past.offline", "The enabler cannot be reached: it has to be asked for the past."));
    }
    let name = view.name.as_deref().unwrap_or_default();
    if let Some(twin) = &past.twin {
        body.children.push(banner(view));
        body.children.push(time_line(twin, view));
        body.children.push(steps(twin, view));
        let columns = El::new("past.columns")
            .node(|node| {
                node.column_gap = px(14);
                node.min_height = px(0);
                node.flex_shrink = 1.0;
            })
            .with(column("past.then", 330.0, as_it_was(view)))
            .with(column("past.decided", 360.0, decided(twin, view)));
        body.children.push(columns);
    }
    let mut window = super::frame("past", format!("{name}: the past"), &keys.label(Control::Past), 760.0, body);
    // Whoever looks up sees at once that this is not the present.
    window.line = style::PAST.with_alpha(0.75);
    window.node.border = UiRect::all(px(2));
    window
}

fn column(key: &'static str, width: f32, children: Vec<El>) -> El {
    let mut list = widgets::scroll(key, 6.0).node(|node| {
        node.width = px(width);
        node.flex_grow = 1.0;
    });
    list.children = children;
    list
}

/// The moment under the hand, else the one that is shown.
fn shown_at(view: &View<'_>) -> Timestamp {
    let under_hand = view.drag.and_then(|drag| match &drag.target {
        SlideTarget::Past { until, .. } => Some(moment(*until, drag.value)),
        _ => None,
    });
    under_hand.unwrap_or(view.past.at)
}

/// Which moment it is, with the word that it is over.
fn banner(view: &View<'_>) -> El {
    let at = shown_at(view);
    let word = El::small("word", "past").strong().colored(style::PAST).words(|words| words.wrap = false);
    let chip = El::row("chip", 6.0)
        .node(|node| {
            node.padding = UiRect::axes(px(8), px(2));
            node.flex_shrink = 0.0;
        })
        .line(style::PAST.with_alpha(0.45))
        .fill(style::PAST.with_alpha(0.13))
        .round(9.0)
        .with(widgets::dot(style::PAST, 8.0))
        .with(word);
    #[expect(clippy::cast_precision_loss, reason = "an age in seconds")]
    let ago = format::age(view.past.until.since(at) as f64 / 1_000.0);
    let ago = if at == view.past.until {
        "when you opened this".to_owned()
    } else {
        format!("{ago}, seen from when you opened this")
    };
    El::row("past.banner", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(chip)
        .with(El::text("moment", view.zone.day_and_time(at)).strong().words(|words| words.size = style::TITLE))
        .with(El::small("ago", ago))
}

#[expect(clippy::cast_precision_loss, reason = "seconds on a slider")]
fn seconds_before(until: Timestamp, at: Timestamp) -> f64 {
    -(until.since(at) as f64 / 1_000.0)
}

/// The slider from the first moment that is kept until when the window was opened.
fn time_line(twin: &TwinId, view: &View<'_>) -> El {
    let past = view.past;
    let Some(begins) = past.begins.filter(|begins| *begins < past.until) else {
        let text = if past.problem.is_some() || !view.connected { "" } else { "Asking how far back it goes ..." };
        return El::small("past.begins", text);
    };
    let (min, at) = (seconds_before(past.until, begins), seconds_before(past.until, past.at));
    let target = SlideTarget::Past { twin: twin.clone(), until: past.until };
    // Keys go through it in some hundred steps.
    let step = (-min / 500.0).floor().max(1.0);
    let slide = Slide { min, max: 0.0, step, at, target, enabled: view.connected };
    let end = |key: &'static str, text: String| El::small(key, text).words(|words| words.wrap = false);
    El::row("past.time", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(end("first", view.zone.time(begins, past.until)))
        .with(widgets::slider("past.slider", slide, Some(seconds_before(past.until, shown_at(view)))))
        .with(end("last", view.zone.time(past.until, past.until)))
}

/// Buttons for exact steps.
fn steps(twin: &TwinId, view: &View<'_>) -> El {
    let past = view.past;
    let first = past.begins.unwrap_or(past.until).min(past.until);
    let to = |label: &str, at: Timestamp| {
        let at = at.clamp(first, past.until);
        let action = HudAction::LookBack(LookBack::At(twin.clone(), at));
        let enabled = view.connected && at != past.at;
        let press = Press { label: label.to_owned(), action, enabled };
        widgets::button(format!("past.step.{label}"), press, None, Tone::Plain)
    };
    let back = |ms: u64| Timestamp(past.at.0.saturating_sub(ms));
    let mut now = widgets::press("Now", HudAction::LookBack(LookBack::Open(twin.clone())));
    now.enabled = view.connected;
    let why = match (past.at <= first, past.at >= past.until) {
        _ if past.begins.is_none() => None,
        (true, _) => Some("nothing was kept before this"),
        (false, true) => Some("to see later news, press Now"),
        _ => None,
    };
    El::row("past.steps", 6.0)
        .node(|node| {
            node.flex_wrap = FlexWrap::Wrap;
            node.row_gap = px(6);
            node.flex_shrink = 0.0;
        })
        .with(to("A day back", back(24 * HOUR_MS)))
        .with(to("An hour back", back(HOUR_MS)))
        .with(to("A minute back", back(60_000)))
        .with(to("A minute on", past.at.plus(60_000)))
        .with(to("An hour on", past.at.plus(HOUR_MS)))
        .with(to("A day on", past.at.plus(24 * HOUR_MS)))
        .with(widgets::button("past.now", now, None, Tone::Plain))
        .with_all(why.map(|why| El::small("why", why)))
}

/// The twin at that moment.
fn as_it_was(view: &View<'_>) -> Vec<El> {
    let past = view.past;
    let mut all = vec![widgets::heading("heading", "As it was")];
    let Some(then) = past.moment.as_ref().filter(|then| then.at == past.at) else {
        let waits = past.problem.is_none() && view.connected;
        all.extend(waits.then(|| El::small("asking", "Asking the enabler ...")));
        return all;
    };
    let Some(info) = &then.info else {
        all.push(El::small("nothing", "There was nothing of it then that you may see."));
        return all;
    };
    if !then.covered {
        let text = "Not every change was kept until then: these are the last values known, and may have been old.";
        all.push(El::small("gap", text).colored(style::PAST));
    }
    let features = ordered(info);
    all.extend(features.iter().map(|(feature, about)| feature_block(feature, about, then, view)));
    if features.is_empty() {
        all.push(El::small("empty", "It offered nothing to read."));
    }
    let waiting = then.open.iter().enumerate().map(|(place, (user, feature, action))| {
        let what = asked(Some(info.as_ref()), feature, action, None);
        El::small(format!("open.{place}"), format!("Under way then: {user} had asked for {what}"))
    });
    all.extend(waiting);
    all
}

fn feature_block(feature: &FeatureId, about: &FeatureInfo, then: &PastMoment, view: &View<'_>) -> El {
    let lines = about.properties.keys().filter_map(|property| {
        let reading = then.readings.get(&(feature.clone(), property.clone()))?;
        Some(reading_line(about, property, reading, view))
    });
    let lines: Vec<_> = lines.collect();
    let none = lines.is_empty().then(|| El::small("none", "nothing reported"));
    El::column(format!("past.feature.{feature}"), 3.0)
        .node(|node| {
            node.padding = UiRect::axes(px(9), px(6));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
        .with(El::text("name", about.name.clone()))
        .with_all(lines)
        .with_all(none)
}

fn reading_line(about: &FeatureInfo, property: &PropertyId, reading: &PastReading, view: &View<'_>) -> El {
    let text =
        reading.value.as_ref().map_or_else(|| "not known".to_owned(), |value| format::value(about, property, value));
    let since = reading.since.map(|since| format!("since {}", view.zone.time(since, view.past.at)));
    widgets::row(format!("reading.{property}"), format::property(property)).with(
        El::column("right", 0.0)
            .node(|node| node.align_items = AlignItems::FlexEnd)
            .with(El::text("value", text).colored(style::PAST))
            .with_all(since.map(|since| El::small("since", since).words(|words| words.wrap = false))),
    )
}

/// What somebody asked for, in words.
fn asked(info: Option<&TwinInfo>, feature: &FeatureId, action: &ActionId, input: Option<&Value>) -> String {
    let about = info.and_then(|info| info.features.get(feature));
    let mut words = match about {
        Some(about) => {
            let what = format::action(about, action);
            if what == about.name { what } else { format!("{what} ({})", about.name) }
        }
        None => format!("{} ({feature})", format::plain(action.as_str())),
    };
    if let Some(input) = input {
        let property = PropertyId::slug(action.as_str().strip_prefix("set_").unwrap_or("value"));
        words +=
            &format!(": {}", about.map_or_else(|| input.to_string(), |about| format::value(about, &property, input)));
    }
    words
}

/// What was decided around then: a command with how it ended is one line.
fn decided(twin: &TwinId, view: &View<'_>) -> Vec<El> {
    let past = view.past;
    let mut all = vec![widgets::heading("heading", "What was decided around then")];
    if past.moment.is_some() && past.problem.is_none() && !past.decided {
        all.push(El::small("asking", "Asking the enabler ..."));
    }
    if past.decided && past.decisions.is_empty() {
        all.push(El::small("nothing", "Nothing that you may see."));
    }
    let mut ends: BTreeMap<CommandId, (&CommandStatus, Timestamp)> = BTreeMap::new();
    let mut begun: BTreeSet<CommandId> = BTreeSet::new();
    for decision in &past.decisions {
        match &decision.what {
            PastFact::Came { command, status } => drop(ends.insert(*command, (status, decision.at))),
            PastFact::Accepted { command, .. } => drop(begun.insert(*command)),
            _ => {}
        }
    }
    let told =
        |decision: &&PastEntry| !matches!(&decision.what, PastFact::Came { command, .. } if begun.contains(command));
    let mut here = false;
    for decision in past.decisions.iter().filter(told) {
        if decision.at > past.at && !here {
            here = true;
            all.push(marker());
        }
        all.push(line(twin, decision, &ends, view));
    }
    if !here && past.decided && !past.decisions.is_empty() {
        all.push(marker());
    }
    all
}

/// Who had it, who waited, and why not any more.
fn turn(lease: &LeaseUpdate) -> String {
    let who = lease.user.as_ref().map_or("Somebody", |user| user.as_str());
    match &lease.status {
        LeaseStatus::Waiting { position, .. } => format!("{who} asked for it: place {position} in the queue"),
        LeaseStatus::Granted => format!("It was {who}'s turn"),
        LeaseStatus::Integrated => format!("It was integrated with {who}"),
        LeaseStatus::Ended { reason } => {
            format!("{who}: {} is over, {reason}", if lease.fence.is_some() { "the turn" } else { "the wait" })
        }
    }
}

/// Where the moment is among what was decided.
fn marker() -> El {
    El::row("here", 6.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::dot(style::PAST, 8.0))
        .with(El::small("word", "the moment that you see").colored(style::PAST))
}

fn line(
    twin: &TwinId,
    decision: &PastEntry,
    ends: &BTreeMap<CommandId, (&CommandStatus, Timestamp)>,
    view: &View<'_>,
) -> El {
    let info = view.past.moment.as_ref().and_then(|then| then.info.as_deref());
    let (words, more) = match &decision.what {
        PastFact::Described => ("It was described, or described differently".to_owned(), None),
        PastFact::Gone => ("It was gone".to_owned(), None),
        PastFact::Came { status, .. } => (format!("A command: {status}"), None),
        PastFact::Lease(lease) => (turn(lease), Some(format!("with priority {}", lease.priority))),
        PastFact::Other(words) => (super::services::cut(words, 160), None),
        PastFact::Accepted { command, user, device, rule, feature, action, input } => {
            let what = asked(info, feature, action, input.as_ref());
            let end = match ends.get(command) {
                Some((status, at)) => format!("{status}, {}", view.zone.time(*at, view.past.at)),
                None => "no end is known".to_owned(),
            };
            let from = device.as_ref().map(|device| format!(" from {device}")).unwrap_or_default();
            (format!("{user}{from}: {what}"), Some(format!("{end} · allowed by rule {rule}")))
        }
    };
    let look = HudAction::LookBack(LookBack::At(twin.clone(), decision.at));
    let mut press = widgets::press(view.zone.time(decision.at, view.past.until), look);
    press.enabled = view.connected && decision.at != view.past.at;
    let mut button = widgets::button("look", press, None, Tone::Plain);
    button.node.min_width = px(92);
    button.node.flex_shrink = 0.0;
    let text = El::column("text", 0.0)
        .node(|node| node.flex_shrink = 1.0)
        .with(El::text("words", words))
        .with_all(more.map(|more| El::small("more", more)));
    El::row(format!("decision.{}", decision.sequence), style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(button)
        .with(text)
}

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
