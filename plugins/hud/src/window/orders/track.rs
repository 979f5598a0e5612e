//! How far an order is: one row of steps, those that are done before the one that is under way.

use bevy::prelude::*;
use vestibule_twin::model::{Carrying, Making, OrderLine, PurchaseState, PurchaseUpdate};

use super::super::shop::Counter;
use crate::{el::El, style, widgets};

const GOOD: Color = Color::srgb(0.45, 0.83, 0.55);

/// Steps of something that is made to order.
const MADE: [&str; 7] = ["Ordered", "Checked", "Queued", "In production", "Made", "On its way", "Delivered"];
/// Steps of something that is there already.
const SOLD: [&str; 3] = ["Ordered", "On its way", "Delivered"];

/// How a purchase is, in a word or two, and its colour.
pub(super) fn state(update: &PurchaseUpdate) -> (String, Color) {
    let (word, color) = match &update.state {
        PurchaseState::Confirmed => ("confirmed", style::ACCENT),
        PurchaseState::Placing { .. } => ("in doubt", style::PAST),
        PurchaseState::Canceling { .. } => ("being cancelled", style::PAST),
        PurchaseState::NotPlaced { .. } => ("not ordered", style::WRONG),
        PurchaseState::Canceled { .. } => ("cancelled", style::MUTED),
        PurchaseState::Disputed { .. } => ("not what you confirmed", style::WRONG),
        PurchaseState::Placed { .. } | PurchaseState::Completed { .. } => return of_lines(update),
    };
    (word.to_owned(), color)
}

fn of_lines(update: &PurchaseUpdate) -> (String, Color) {
    let lines = update.order.as_ref().map(|order| order.lines.as_slice()).unwrap_or_default();
    let behind = lines.iter().filter(|line| line.total > 0).min_by_key(|line| step(line));
    match behind {
        None if lines.is_empty() => ("ordered".to_owned(), style::ACCENT),
        None => ("taken back".to_owned(), style::MUTED),
        Some(line) => says(line),
    }
}

/// How a line is.
fn says(line: &OrderLine) -> (String, Color) {
    let plain = |word: &str| (word.to_owned(), style::ACCENT);
    match (&line.carrying, &line.making) {
        (Carrying::Delivered, _) => ("delivered".to_owned(), GOOD),
        (Carrying::Shipped { .. } | Carrying::InTransit, _) => plain("on its way"),
        (Carrying::FailedAttempt, _) => ("nobody was there".to_owned(), style::PAST),
        (Carrying::Returned, _) => ("went back".to_owned(), style::WRONG),
        (Carrying::Lost, _) => ("lost".to_owned(), style::WRONG),
        (Carrying::Nothing, None) => plain("ordered"),
        (Carrying::Nothing, Some(making)) => match making {
            Making::Accepted => plain("accepted"),
            Making::Checked => plain("checked"),
            Making::Queued { ahead: 0 } => plain("next in the queue"),
            Making::Queued { ahead } => (format!("queued, {ahead} before it"), style::ACCENT),
            Making::InProduction { percent } => (format!("in production, {percent} %"), style::ACCENT),
            Making::QualityCheck => plain("being looked at"),
            Making::Made => plain("made"),
            Making::Rejected { .. } => ("cannot be made".to_owned(), style::WRONG),
        },
    }
}

/// Which step a line is at, of [`MADE`] or [`SOLD`].
fn step(line: &OrderLine) -> usize {
    let made = line.making.is_some();
    match (&line.carrying, &line.making) {
        (Carrying::Delivered, _) => {
            if made {
                6
            } else {
                2
            }
        }
        (Carrying::Nothing, None | Some(Making::Accepted | Making::Rejected { .. })) => 0,
        (Carrying::Nothing, Some(Making::Checked)) => 1,
        (Carrying::Nothing, Some(Making::Queued { .. })) => 2,
        (Carrying::Nothing, Some(Making::InProduction { .. } | Making::QualityCheck)) => 3,
        (Carrying::Nothing, Some(Making::Made)) => 4,
        _ => {
            if made {
                5
            } else {
                1
            }
        }
    }
}

/// The rows of an order that is under way or has arrived: one for each line that is another than those before.
pub(super) fn rows(counter: &Counter<'_>, update: &PurchaseUpdate) -> Vec<El> {
    let runs = matches!(
        update.state,
        PurchaseState::Placed { .. } | PurchaseState::Completed { .. } | PurchaseState::Disputed { .. }
    );
    let Some(order) = update.order.as_ref().filter(|_| runs) else { return Vec::new() };
    let mut shown: Vec<(usize, bool)> = Vec::new();
    let mut all = Vec::new();
    for line in order.lines.iter().filter(|line| line.total > 0) {
        let at = (step(line), line.making.is_some());
        if shown.contains(&at) {
            continue;
        }
        shown.push(at);
        all.push(row(line));
        all.extend(production(line));
        all.extend(carried(line));
    }
    if let Some((from, to)) = order.expected.filter(|_| !order.is_fulfilled()) {
        let (from, to) = (counter.zone.day(from), counter.zone.day(to));
        let text = if from == to { format!("Expected {from}") } else { format!("Expected {from} to {to}") };
        all.push(El::small("expected", text));
    }
    all
}

fn row(line: &OrderLine) -> El {
    let steps: &[&str] = if line.making.is_some() { &MADE } else { &SOLD };
    let (at, color) = (step(line), says(line).1);
    let last = at + 1 == steps.len();
    let chip = |(n, name): (usize, &&str)| {
        let (dot, words) = match n {
            n if n < at || n == at && last => (GOOD, style::TEXT),
            n if n == at => (color, style::TEXT),
            _ => (style::BUTTON, style::FAINT),
        };
        let mut word = El::small("word", *name).colored(words).words(|words| words.wrap = false);
        if n == at {
            word = word.strong();
        }
        El::row(format!("step.{n}"), 5.0).node(|node| node.flex_shrink = 0.0).with(widgets::dot(dot, 8.0)).with(word)
    };
    El::row(format!("track.{}", line.id), 12.0)
        .node(|node| {
            node.flex_wrap = FlexWrap::Wrap;
            node.flex_shrink = 0.0;
        })
        .with_all(steps.iter().enumerate().map(chip))
}

/// A bar of how much is made.
fn production(line: &OrderLine) -> Option<El> {
    let Some(Making::InProduction { percent }) = line.making else { return None };
    let done = El::new("done").node(|node| {
        node.width = Val::Percent(f32::from(percent.min(100)));
        node.height = px(6);
    });
    let bar = El::new("bar")
        .node(|node| {
            node.height = px(6);
            node.flex_grow = 1.0;
        })
        .fill(style::BUTTON)
        .round(3.0)
        .with(done.fill(style::ACCENT).round(3.0));
    let words = El::small("percent", format!("{percent} %")).words(|words| words.wrap = false);
    Some(El::row(format!("bar.{}", line.id), style::GAP).node(|node| node.flex_shrink = 0.0).with(bar).with(words))
}

fn carried(line: &OrderLine) -> Option<El> {
    if let Some(Making::Rejected { reason }) = &line.making {
        return Some(
            El::small(format!("why.{}", line.id), format!("It cannot be made: {reason}")).colored(style::WRONG),
        );
    }
    let Carrying::Shipped { carrier, tracking, url } = &line.carrying else { return None };
    let url = url.as_ref().map(|url| format!(", {url}")).unwrap_or_default();
    let carrier = if carrier.is_empty() { "A carrier" } else { carrier };
    let text = if tracking.is_empty() {
        format!("{carrier} has it{url}")
    } else {
        format!("{carrier} has it under {tracking}{url}")
    };
    Some(El::small(format!("carried.{}", line.id), text))
}
