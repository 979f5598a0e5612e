//! What the person has lent, and what others lent to them.

use bevy::prelude::*;
use vestibule_twin::{HeldToken, KnownToken, LendRights};

use super::{Counter, block, words};
use crate::{
    action::{HudAction, LendField, PrepareLoan},
    el::El,
    style,
    widgets::{self, Tone},
    window::{careful, services::cut},
};

/// Letters of a long text that is being written, from its end: there is what one writes.
const SEEN_LETTERS: usize = 140;
/// What ended is told of the last few.
const MOST_ENDED: usize = 4;

fn item(key: String) -> El {
    El::row(key, style::GAP).node(|node| node.flex_shrink = 0.0)
}

fn sentence(text: String) -> El {
    El::text("text", text).node(|node| node.flex_shrink = 1.0)
}

/// Tokens that were signed and hold, each with the button that ends it.
pub(super) fn lent(counter: &Counter<'_>) -> El {
    let me = counter.people.me.as_ref().map(|(me, _)| me);
    let mut place = block("lend.lent").with(widgets::heading("heading", "What you have lent"));
    let line = |token: &KnownToken| {
        let by = if Some(&token.by) == me { String::new() } else { format!(", lent by {}", token.by) };
        let leaves = words::leaves(&token.limits, counter.name);
        let span = words::span(token.limits.until, counter.clock, counter.now);
        let text = format!("{} may {leaves}, {span}{by}", cut(&token.guest, 60));
        let end = HudAction::Lend(LendRights::TakeBack(token.id));
        let labels = ("Take back", "Press again to take back");
        item(format!("lent.{}", token.id)).with(sentence(text)).with(widgets::spring()).with(careful(
            "back",
            labels,
            end,
            counter.confirming,
            counter.connected,
        ))
    };
    // One's own first: owners see what everybody lent.
    let (own, others): (Vec<_>, Vec<_>) = counter.known.lent.iter().partition(|token| Some(&token.by) == me);
    place.children.extend(own.into_iter().chain(others).map(line));
    if counter.known.lent.is_empty() {
        let text = if counter.people.me.is_some() { "Nothing." } else { "Asking the enabler ..." };
        place.children.push(El::small("nothing", text));
    }
    place
}

/// What others lent: each token with how far it goes, and the place where another one is given.
pub(super) fn borrowed(counter: &Counter<'_>) -> El {
    let mut place = block("lend.borrowed").with(widgets::heading("heading", "What others lent you"));
    place.children.extend(counter.known.held.iter().enumerate().map(|(at, held)| line(at, held, counter)));
    let ended = counter.known.ended.iter().rev().take(MOST_ENDED).rev().enumerate().map(|(at, ended)| {
        let who = ended.token.as_ref().map_or_else(|| "somebody".to_owned(), |token| token.by.to_string());
        let text = format!("What {who} lent you has ended: {}", ended.why.message);
        El::small(format!("ended.{at}"), text).colored(style::PAST)
    });
    place.children.extend(ended);
    if counter.known.held.is_empty() {
        place.children.push(El::small("nothing", "Nothing that holds."));
    }
    place.with_all(take_in(counter))
}

fn line(at: usize, held: &HeldToken, counter: &Counter<'_>) -> El {
    let Some(token) = &held.token else {
        let text = format!("A token of {}: it is read once that answers.", held.enabler);
        return item(format!("held.{at}")).with(sentence(text));
    };
    let leaves = words::leaves(&token.limits, counter.name);
    let span = words::span(token.limits.until, counter.clock, counter.now);
    let text =
        format!("{} lets you {leaves}, {span}; the log calls you {}:{}", token.by, token.by, cut(&token.guest, 60));
    let forget = HudAction::Lend(LendRights::Forget(token.id));
    item(format!("held.{}", token.id)).with(sentence(text)).with(widgets::spring()).with(careful(
        "forget",
        ("Forget", "Press again to forget"),
        forget,
        counter.confirming,
        true,
    ))
}

/// The place where a token is given, and what became of the last one.
fn take_in(counter: &Counter<'_>) -> Vec<El> {
    let desk = counter.desk;
    let write = widgets::press("Token or file", HudAction::PrepareLoan(PrepareLoan::Write(LendField::Token)));
    let writing = counter.writing(LendField::Token).map(|text| end(&text));
    let why = match (counter.connected, counter.known.trying, desk.given.trim().is_empty()) {
        (false, ..) => Some("the enabler cannot be reached"),
        (true, true, _) => Some("asked, waiting for the enabler"),
        (true, false, true) => Some("write or paste the token, or the name of its file"),
        (true, false, false) => None,
    };
    let mut press = widgets::press("Use it", HudAction::PrepareLoan(PrepareLoan::UseToken));
    press.enabled = why.is_none();
    let row = El::row("use", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::button("lend.use", press, None, if why.is_none() { Tone::Main } else { Tone::Plain }))
        .with_all(why.map(|why| El::small("why", why)));
    let how = if counter.clipboard { ", with Ctrl V" } else { "" };
    let text = format!(
        "Did somebody give you a token? Drop its file on this window, or write it here{how}, or where its file is."
    );
    let wrong = desk.unreadable.clone().or_else(|| counter.known.refused.as_ref().map(ToString::to_string));
    let field = widgets::field("lend.token", end(&desk.given), writing, write);
    let wrong = wrong.map(|why| El::text("wrong", format!("It cannot be used: {why}")).colored(style::WRONG));
    [El::small("words", text), field].into_iter().chain(wrong).chain([row]).collect()
}

/// The end of a text.
fn end(text: &str) -> String {
    let letters = text.chars().count();
    match letters.checked_sub(SEEN_LETTERS) {
        None | Some(0) => text.to_owned(),
        Some(more) => format!("... {}", text.chars().skip(more).collect::<String>()),
    }
}
