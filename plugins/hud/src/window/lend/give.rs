//! What can be lent of the thing that the person is at, and the token that comes of it.

use std::collections::BTreeSet;

use bevy::prelude::*;
use vestibule_twin::{
    KnownUser, LendRights,
    model::{ActionId, FeatureId, Limits, TwinInfo, TwinSelector, UserId},
};

use super::{Counter, HOUR_MS, block, words};
use crate::{
    action::{HudAction, LendField, PrepareLoan},
    availability::ordered,
    el::{El, Press},
    format, style,
    widgets::{self, Tone},
    window::{careful, services::cut},
};

/// How long one may lend.
const TIMES: [(&str, u64); 5] = [
    ("10 minutes", HOUR_MS / 6),
    ("1 hour", HOUR_MS),
    ("1 day", 24 * HOUR_MS),
    ("1 week", 7 * 24 * HOUR_MS),
    ("30 days", 30 * 24 * HOUR_MS),
];
/// How urgent somebody may be.
const PRIORITIES: [(&str, Option<u8>); 5] =
    [("0", Some(0)), ("1", Some(1)), ("3", Some(3)), ("10", Some(10)), ("as yours", None)];
/// Letters that a lender's and a guest's name have together, with what stands between them in the log.
const MOST_NAMES: usize = 63;
/// People that are offered to choose from; others are written.
const MOST_PEOPLE: usize = 12;
const NAME_WIDTH: f32 = 120.0;

type Chosen = BTreeSet<(FeatureId, ActionId)>;

/// What a token for these actions gives: it names features and actions apart, so it may give more pairs than were chosen.
fn given(info: &TwinInfo, chosen: &Chosen) -> Chosen {
    let features: BTreeSet<_> = chosen.iter().map(|(feature, _)| feature).collect();
    let actions: BTreeSet<_> = chosen.iter().map(|(_, action)| action).collect();
    let all = info.features.iter().filter(|(feature, _)| features.contains(feature));
    let pairs = all.flat_map(|(feature, about)| {
        let names = about.actions.keys().filter(|action| actions.contains(action));
        names.map(move |action| (feature.clone(), action.clone()))
    });
    pairs.collect()
}

fn limits(info: &TwinInfo, counter: &Counter<'_>) -> Limits {
    let desk = counter.desk;
    let features: BTreeSet<_> = desk.actions.iter().map(|(feature, _)| feature.clone()).collect();
    let actions: BTreeSet<_> = desk.actions.iter().map(|(_, action)| action.clone()).collect();
    Limits {
        twins: Some(vec![TwinSelector::Twin(info.id.clone())]),
        features: (!features.is_empty()).then(|| features.into_iter().collect()),
        actions: Some(actions.into_iter().collect()),
        until: None,
        priority: desk.priority,
        device: desk.device,
    }
}

/// Buttons beside each other, as many rows as they need.
fn choices(key: &'static str, buttons: impl IntoIterator<Item = El>) -> El {
    let row = El::row(key, 6.0).node(|node| {
        node.flex_wrap = FlexWrap::Wrap;
        node.row_gap = px(6);
        node.flex_shrink = 1.0;
    });
    row.with_all(buttons)
}

fn choice(key: String, label: &str, chosen: bool, what: PrepareLoan) -> El {
    let press = widgets::press(label, HudAction::PrepareLoan(what));
    widgets::button(key, press, None, if chosen { Tone::Chosen } else { Tone::Plain })
}

/// What is asked on the left, the answers on the right.
fn line(key: &'static str, name: &str, right: Vec<El>) -> El {
    let name = widgets::asked(NAME_WIDTH).with(El::text("name", name));
    let right = El::column("right", style::TIGHT)
        .node(|node| {
            node.flex_grow = 1.0;
            node.flex_shrink = 1.0;
        })
        .with_all(right);
    widgets::answer(key).with(name).with(right)
}

/// What can be lent of the thing, to whom, for how long; or why nothing can.
pub(super) fn form(counter: &Counter<'_>) -> El {
    let place = block("lend.form");
    let Some((info, _)) = counter.about else {
        let text = "To lend something, open its card and press the button there.";
        return place.with(El::text("lend.none", text));
    };
    let desk = counter.desk;
    let times = TIMES.map(|(label, ms)| choice(format!("for.{ms}"), label, desk.for_ms == ms, PrepareLoan::For(ms)));
    let urgent = PRIORITIES.map(|(label, most)| {
        choice(format!("priority.{label}"), label, desk.priority == most, PrepareLoan::Priority(most))
    });
    let when_several = "Of those who want the thing for themselves, the most urgent is next.";
    place
        .with_all(actions(info, counter))
        .with(line("lend.to", "To whom", to(counter)))
        .with(line("lend.for", "For how long", vec![choices("times", times)]))
        .with(line(
            "lend.urgent",
            "Priority at most",
            vec![choices("priorities", urgent), El::small("words", when_several)],
        ))
        .with_all(decide(info, counter))
}

/// The actions to choose from, by feature.
fn actions(info: &TwinInfo, counter: &Counter<'_>) -> Vec<El> {
    let desk = counter.desk;
    let (mut rows, mut borrowed) = (Vec::new(), false);
    let given = given(info, &desk.actions);
    for (feature, about) in ordered(info) {
        let buttons: Vec<El> = about
            .actions
            .keys()
            .map(|action| {
                let one = (feature.clone(), action.clone());
                let what = PrepareLoan::Switch(feature.clone(), action.clone());
                let mut el =
                    choice(format!("{feature}.{action}"), &format::action(about, action), given.contains(&one), what);
                if is_borrowed(counter, feature, action) {
                    borrowed = true;
                    let press =
                        Press { label: format::action(about, action), action: HudAction::Nothing, enabled: false };
                    el = widgets::button(format!("{feature}.{action}"), press, None, Tone::Plain);
                }
                el
            })
            .collect();
        if !buttons.is_empty() {
            let mut row = line("lend.feature", &cut(&about.name, 40), vec![choices("actions", buttons)]);
            row.key = format!("lend.feature.{feature}").into();
            rows.push(row);
        }
    }
    let mut all = vec![widgets::heading("lend.what", "What may they do? To see these parts belongs to it.")];
    if rows.is_empty() {
        all.push(El::small("lend.look", "There is nothing that it can do for you: they may look at it."));
    }
    all.extend(rows);
    let more = given.difference(&desk.actions).filter_map(|(feature, action)| {
        let about = info.features.get(feature)?;
        Some(format!("{} ({})", format::action(about, action), cut(&about.name, 40)))
    });
    let more: Vec<_> = more.collect();
    if !more.is_empty() {
        let text = format!("Comes with it, since a token names parts and deeds apart: {}.", more.join(", "));
        all.push(El::small("lend.more", text).colored(style::PAST));
    }
    if borrowed {
        let text = "What was lent to you is not yours to lend: hand on the token that you got, or a part of it.";
        all.push(El::small("lend.borrowed", text));
    }
    all
}

/// Whether the person may do it only because somebody lent it to them.
fn is_borrowed(counter: &Counter<'_>, feature: &FeatureId, action: &ActionId) -> bool {
    let access = counter.about.and_then(|(_, access)| access);
    let rule = access.and_then(|access| access.0.get(feature)).and_then(|rules| rules.act.get(action));
    rule.is_some_and(|rule| rule.as_str().starts_with("token:"))
}

/// Whom to lend to: somebody known, or a name for the log.
fn to(counter: &Counter<'_>) -> Vec<El> {
    let desk = counter.desk;
    let me = counter.people.me.as_ref().map(|(me, _)| me);
    let others = counter.people.users.iter().filter(|user| Some(&user.info.id) != me).take(MOST_PEOPLE);
    let chips: Vec<El> = others
        .map(|user| {
            let id = user.info.id.to_string();
            let label = if user.info.name.is_empty() { id.clone() } else { cut(&user.info.name, 40) };
            choice(format!("to.{id}"), &label, desk.guest == id, PrepareLoan::To(id))
        })
        .collect();
    let write = widgets::press("To whom", HudAction::PrepareLoan(PrepareLoan::Write(LendField::Guest)));
    let mut right = Vec::new();
    if !chips.is_empty() {
        right.push(choices("people", chips));
    }
    right.push(widgets::field("lend.guest", desk.guest.clone(), counter.writing(LendField::Guest), write));
    let text = "Any name will do: whoever has the token is who may. The name stands in the log.";
    right.push(El::small("words", text));
    right.extend(devices(counter));
    right
}

/// The devices of whom is known, to bind a token to one of them.
fn devices(counter: &Counter<'_>) -> Option<El> {
    let desk = counter.desk;
    let known = |user: &&KnownUser| user.info.id.as_str() == desk.guest;
    let user = counter.people.users.iter().find(known).filter(|user| !user.devices.is_empty())?;
    let any = choice("device.any".to_owned(), "any device", desk.device.is_none(), PrepareLoan::On(None));
    let each = user.devices.iter().map(|device| {
        let label = format!("only {}", cut(&device.name, 40));
        let what = PrepareLoan::On(Some(device.id));
        choice(format!("device.{}", device.id), &label, desk.device == Some(device.id), what)
    });
    Some(choices("devices", [any].into_iter().chain(each)))
}

/// Why nothing can be lent now.
fn why_not(counter: &Counter<'_>) -> Option<String> {
    let guest = counter.desk.guest.trim();
    let me = counter.people.me.as_ref().map(|(me, _)| me.as_str());
    match me {
        _ if !counter.connected => Some("the enabler cannot be reached".to_owned()),
        _ if counter.known.asking => Some("asked, waiting for the enabler".to_owned()),
        None => Some("asking the enabler who you are".to_owned()),
        Some(_) if guest.is_empty() => Some("say to whom".to_owned()),
        Some(_) if guest.contains(':') || UserId::new(guest).is_err() => {
            Some("a name has letters, digits, _ . and - only".to_owned())
        }
        Some(me) if me.len() + guest.len() > MOST_NAMES => Some("that name is too long".to_owned()),
        Some(_) => None,
    }
}

/// What will be lent in one sentence, the button, and why it cannot be pressed.
fn decide(info: &TwinInfo, counter: &Counter<'_>) -> Vec<El> {
    let desk = counter.desk;
    let limits = limits(info, counter);
    let guest = desk.guest.trim().to_owned();
    let why = why_not(counter);
    let who = if guest.is_empty() { "They".to_owned() } else { cut(&guest, 60) };
    let sentence = format!("{who} may {}, for {}.", words::leaves(&limits, counter.name), format::span(desk.for_ms));
    let lend = HudAction::Lend(LendRights::Lend { guest, limits, for_ms: desk.for_ms });
    let labels = ("Lend", "Press again to lend");
    let row = El::row("lend.decide", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(careful("lend.lend", labels, lend, counter.confirming, why.is_none()))
        .with_all(why.map(|why| El::small("why", why)));
    vec![El::text("lend.sentence", sentence).strong(), row]
}

/// The token that was signed last: what to give to whom.
pub(super) fn signed(counter: &Counter<'_>) -> Option<El> {
    let signed = counter.known.signed.as_ref()?;
    let file = counter.desk.written.as_ref().filter(|(text, _)| *text == signed.text).map(|(_, file)| file);
    let place = match file {
        Some(Ok(path)) => El::text("file", format!("It is in the file {}", path.display())),
        Some(Err(why)) => El::text("file", format!("It could not be written into a file: {why}")).colored(style::WRONG),
        None => El::text("file", "It stands here only."),
    };
    let leaves = words::leaves(&signed.limits, counter.name);
    let span = words::span(signed.limits.until, counter.clock, counter.now);
    let text = El::row("token.box", 0.0)
        .node(|node| {
            node.padding = UiRect::axes(px(9), px(6));
            node.flex_shrink = 0.0;
        })
        .fill(style::FIELD)
        .round(style::ROUND_SMALL)
        .with(El::small("token", signed.text.0.clone()).node(|node| node.flex_shrink = 1.0));
    let copied = counter.desk.copied.as_ref().filter(|(text, _)| *text == signed.text).map(|(_, how)| how);
    let copy = counter.clipboard.then(|| {
        let press = widgets::press("Copy", HudAction::PrepareLoan(PrepareLoan::Copy));
        let how = copied.map(|how| match how {
            Ok(()) => El::small("copied", "It is in the clipboard for as long as this program runs."),
            Err(why) => El::small("copied", format!("It could not be copied: {why}")).colored(style::WRONG),
        });
        El::row("copy", style::GAP)
            .node(|node| node.flex_shrink = 0.0)
            .with(widgets::button("lend.copy", press, None, Tone::Plain))
            .with_all(how)
    });
    let careful = "Whoever has this text or file may do that. Give it to them and to nobody else.";
    let mut block = block("lend.signed")
        .line(style::ACCENT.with_alpha(0.55))
        .with(El::text("whom", format!("For {}: give them this token", cut(&signed.guest, 60))).strong())
        .with(El::small("what", format!("It lets them {leaves}, {span}.")))
        .with(place)
        .with(text)
        .with_all(copy)
        .with(El::small("careful", careful));
    block.node.border = UiRect::all(px(1));
    Some(block)
}
