//! What is agreed with a system, and what can be.

use std::collections::{BTreeMap, BTreeSet};

use bevy::prelude::*;
use vestibule_twin::{
    KnownSystem, UseServices,
    model::{Authorization, ServiceId, Sharing, TwinId},
};

use super::{Draft, Room, answer::cut};
use crate::{
    action::{HudAction, Prepare},
    el::{El, Press},
    format, style,
    widgets::{self, Tone},
    window::careful,
};

const HOUR_MS: u64 = 3_600_000;
/// How long one may agree.
const TIMES: [(&str, u64); 3] = [("1 hour", HOUR_MS), ("1 day", 24 * HOUR_MS), ("30 days", 30 * 24 * HOUR_MS)];

/// A part of what stands below a system.
pub(super) fn block(key: &'static str) -> El {
    El::column(key, 6.0)
        .node(|node| {
            node.padding = UiRect::axes(px(10), px(8));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
}

/// How long an agreement goes on, in a few words.
fn term(agreed: &Authorization, room: &Room<'_>) -> String {
    let left = room.clock.left_ms(agreed.until, room.now);
    let left = left.map_or_else(String::new, |left| format!(" for {} more", format::span(left)));
    let account = agreed.account.as_ref().map(|account| format!(", as its \"{}\"", cut(account, 60)));
    format!("Agreed{left}{}", account.unwrap_or_default())
}

/// An agreement in one line.
pub(super) fn line(agreed: &Authorization, room: &Room<'_>) -> El {
    El::row("agreed", 6.0).with(widgets::dot(style::ACCENT, 8.0)).with(El::small("term", term(agreed, room)))
}

/// An agreement: until when, as whom, what it knows, and how to end it.
pub(super) fn agreed(system: &KnownSystem, agreed: &Authorization, room: &Room<'_>) -> El {
    let id = &system.info.id;
    let mut change = widgets::press(
        if room.desk.changing { "Keep it" } else { "Change" },
        HudAction::Prepare(Prepare::Change(id.clone())),
    );
    change.enabled = room.connected;
    let end = HudAction::Use(UseServices::End(id.clone()));
    let head = El::row("agreed", style::GAP)
        .with(widgets::dot(style::ACCENT, 8.0))
        .with(El::text("term", term(agreed, room)).strong())
        .with(widgets::spring())
        .with(widgets::button("change", change, None, Tone::Plain))
        .with(careful("end", ("End", "Press again to end"), end, room.confirming, room.connected));
    let offline = (!room.connected).then(|| El::small("why", "the enabler cannot be reached: nothing can be changed"));
    block("agreement").with(head).with(El::small("knows", knows(&agreed.share, room))).with_all(offline)
}

/// What a system knows, as a sentence.
fn knows(share: &Sharing, room: &Room<'_>) -> String {
    let mut words =
        if share.name { "It knows your name".to_owned() } else { "It knows you by a pseudonym only".to_owned() };
    let names: Vec<_> = share.twins.keys().map(|twin| (room.name)(twin).unwrap_or_else(|| twin.to_string())).collect();
    if names.is_empty() {
        words += ", and none of your things.";
    } else {
        let when = if share.standing { "at any time" } else { "while it works for you" };
        words += &format!(", and may see {} {when}.", names.join(", "));
    }
    words
}

/// A switch with words beside it.
fn switch(key: String, on: bool, title: String, words: Vec<String>, does: Prepare) -> El {
    let press = Press { label: title.clone(), action: HudAction::Prepare(does), enabled: true };
    let words = words.into_iter().enumerate().map(|(at, words)| El::small(format!("words.{at}"), words));
    let text =
        El::column("about", 0.0).node(|node| node.flex_shrink = 1.0).with(El::text("title", title)).with_all(words);
    let mut toggle = widgets::toggle("toggle", Some(on), press);
    toggle.node.width = px(70);
    toggle.node.flex_shrink = 0.0;
    El::row(key, 10.0).node(|node| node.flex_shrink = 0.0).with(toggle).with(text)
}

/// What can be agreed: which services, what the system may know, for how long.
pub(super) fn draft(system: &KnownSystem, room: &Room<'_>) -> El {
    let draft = &room.desk.draft;
    let services = system.usable.keys().filter_map(|id| Some((id, system.info.services.get(id)?)));
    let services = services.map(|(id, about)| {
        let mut words = vec![about.charge.as_ref().map_or_else(|| "no charge".to_owned(), ToString::to_string)];
        words.extend((!about.description.is_empty()).then(|| cut(&about.description, 200)));
        let on = draft.services.contains(id);
        switch(format!("choose.{id}"), on, cut(&about.name, 60), words, Prepare::Choose(id.clone()))
    });
    block("draft")
        .with(widgets::heading("what", "What do you want to use?"))
        .with_all(services)
        .with(widgets::heading("share", "What may it know? It calls you by a pseudonym that nobody else knows."))
        .with_all(shares(system, room))
        .with(widgets::heading("time", "For how long? You can end it at any moment."))
        .with_all(times(system, room))
}

/// Why each thing is needed, by what it is: `name`, `twin:home/door`, `address`.
fn needs(system: &KnownSystem, services: &BTreeSet<ServiceId>) -> BTreeMap<String, Vec<String>> {
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for about in services.iter().filter_map(|id| system.info.services.get(id)) {
        for need in &about.needs {
            needs.entry(need.clone()).or_default().push(cut(&about.name, 60));
        }
    }
    needs
}

fn shares(system: &KnownSystem, room: &Room<'_>) -> Vec<El> {
    let draft = &room.desk.draft;
    let needs = needs(system, &draft.services);
    let why = |need: &str| needs.get(need).map(|services| format!("needed for {}", services.join(", ")));
    let reason = why("name").unwrap_or_else(|| "none of these services asks for it".to_owned());
    let mut all = vec![switch("name".to_owned(), draft.name, "Your name".to_owned(), vec![reason], Prepare::ShareName)];
    let needed = needs.keys().filter_map(|need| TwinId::new(need.strip_prefix("twin:")?).ok());
    let twins: BTreeSet<TwinId> = needed.chain(room.about.clone()).chain(draft.twins.iter().cloned()).collect();
    for twin in twins {
        let Some(name) = (room.name)(&twin) else {
            // Nobody shares what they may not see, nor learns here that it is there.
            continue;
        };
        let reason =
            why(&format!("twin:{twin}")).unwrap_or_else(|| "where you are; what you may read of it".to_owned());
        let on = draft.twins.contains(&twin);
        all.push(switch(format!("twin.{twin}"), on, name, vec![reason], Prepare::ShareTwin(twin)));
    }
    if !draft.twins.is_empty() {
        let words = vec!["off: only while it works for you".to_owned()];
        all.push(switch("always".to_owned(), draft.always, "At any time".to_owned(), words, Prepare::ShareAlways));
    }
    let others = needs.iter().filter(|(need, _)| *need != "name" && !need.starts_with("twin:"));
    all.extend(others.map(|(need, services)| {
        let words = format!("{} wants your {}: you give it each time, or not.", services.join(", "), cut(need, 60));
        El::small(format!("need.{need}"), words)
    }));
    all
}

/// The request for what is prepared.
fn wish(system: &KnownSystem, draft: &Draft, for_ms: u64) -> UseServices {
    let twins = draft.twins.iter().map(|twin| (twin.clone(), BTreeSet::new())).collect();
    let standing = draft.always && !draft.twins.is_empty();
    let share = Sharing { name: draft.name, standing, twins, ..Sharing::default() };
    UseServices::Agree { system: system.info.id.clone(), services: draft.services.clone(), share, for_ms }
}

fn times(system: &KnownSystem, room: &Room<'_>) -> Vec<El> {
    let draft = &room.desk.draft;
    let why = if room.known.asking.contains(&system.info.id) {
        Some(format!("asked, waiting for {}", system.info.name))
    } else if draft.services.is_empty() {
        Some("choose at least one service".to_owned())
    } else {
        room.away(system)
    };
    let button = |(label, for_ms): (&str, u64)| {
        let mut press = widgets::press(format!("Agree for {label}"), HudAction::Use(wish(system, draft, for_ms)));
        press.enabled = why.is_none();
        widgets::button(format!("agree.{label}"), press, None, Tone::Plain)
    };
    let row = El::row("times", style::GAP).node(|node| {
        node.flex_wrap = FlexWrap::Wrap;
        node.row_gap = px(6);
    });
    let buttons = row.with_all(TIMES.map(button));
    [buttons].into_iter().chain(why.as_ref().map(|why| El::small("why", why.clone()))).collect()
}
