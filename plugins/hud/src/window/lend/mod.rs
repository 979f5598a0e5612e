//! Lending a part of one's rights to somebody by a token, taking it back, and using what others lent.

mod files;
mod give;
mod got;
mod words;

use std::{collections::BTreeSet, path::PathBuf};

use bevy::{prelude::*, window::FileDragAndDrop};
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    EnablerClock, EndedToken, KnownLending, KnownPeople, LendRights, Notify, TokenText, TwinAccess, Urgency,
    model::{ActionId, FeatureId, Fingerprint, TwinId, TwinInfo},
};

pub use files::TokenFiles;
pub(crate) use files::{begin, keep};
pub(crate) use words::span;

use super::{Capturing, OpenWindow};
use crate::{
    action::{HudAction, HudWindow, LendField, LineField, PrepareLoan},
    clipboard::Clipboard,
    el::El,
    line::Line,
    style, widgets,
};

const HOUR_MS: u64 = 3_600_000;
/// Letters of a name; with the lender's it has to fit an id.
const NAME_LETTERS: usize = 48;
/// Letters of a token or of a path, as the enabler and most systems have them.
const TOKEN_LETTERS: usize = 4_096;

/// What is prepared: what to lend, to whom, for how long; and the token that is about to be used.
#[derive(Resource, Clone, Debug, PartialEq)]
pub(crate) struct LoanDesk {
    about: Option<TwinId>,
    actions: BTreeSet<(FeatureId, ActionId)>,
    for_ms: u64,
    priority: Option<u8>,
    guest: String,
    device: Option<Fingerprint>,
    /// A token, or the name of a file with one.
    given: String,
    /// Why what was given is no token.
    unreadable: Option<String>,
    /// The token that was written into a file last, and how that went.
    written: Option<(TokenText, Result<PathBuf, String>)>,
    /// The token that was copied last, and how that went.
    copied: Option<(TokenText, Result<(), String>)>,
}

impl Default for LoanDesk {
    fn default() -> Self {
        Self {
            about: None,
            actions: BTreeSet::new(),
            for_ms: HOUR_MS,
            priority: Some(0),
            guest: String::new(),
            device: None,
            given: String::new(),
            unreadable: None,
            written: None,
            copied: None,
        }
    }
}

impl LoanDesk {
    /// What was chosen for one thing says nothing about another.
    fn turn_to(&mut self, about: Option<&TwinId>) {
        if self.about.as_ref() != about {
            self.about = about.cloned();
            self.actions.clear();
        }
    }

    fn prepare(&mut self, what: &PrepareLoan) {
        match what {
            PrepareLoan::Switch(feature, action) => {
                let one = (feature.clone(), action.clone());
                if !self.actions.remove(&one) {
                    self.actions.insert(one);
                }
            }
            PrepareLoan::For(ms) => self.for_ms = *ms,
            PrepareLoan::Priority(most) => self.priority = *most,
            PrepareLoan::To(guest) => (self.guest, self.device) = (guest.clone(), None),
            PrepareLoan::On(device) => self.device = *device,
            PrepareLoan::Write(_) | PrepareLoan::UseToken | PrepareLoan::Copy => {}
        }
    }

    fn enter(&mut self, field: LendField, text: String) {
        match field {
            // A device belongs to somebody.
            LendField::Guest => (self.guest, self.device) = (text, None),
            LendField::Token => (self.given, self.unreadable) = (text, None),
        }
    }
}

/// Prepares what the person asks for, and sends what they decide.
pub(crate) fn act(
    mut actions: MessageReader<HudAction>,
    (window, files): (Res<OpenWindow>, Option<Res<TokenFiles>>),
    (mut desk, mut capturing): (ResMut<LoanDesk>, ResMut<Capturing>),
    (known, mut clipboard): (Res<KnownLending>, Option<ResMut<Clipboard>>),
    mut wishes: MessageWriter<LendRights>,
) {
    let mine = |field: &LineField| match field {
        LineField::Lend(field) => Some(*field),
        _ => None,
    };
    if let Some((field, text)) = capturing.take_written(mine) {
        desk.enter(field, text);
    }
    for action in actions.read() {
        match action {
            HudAction::Open(HudWindow::Lending) => desk.turn_to(window.about.as_ref()),
            HudAction::PrepareLoan(PrepareLoan::Write(field)) => {
                let (text, most) = match field {
                    LendField::Guest => (desk.guest.clone(), NAME_LETTERS),
                    LendField::Token => (desk.given.clone(), TOKEN_LETTERS),
                };
                capturing.begin_line(LineField::Lend(*field), Line::new(text, most));
            }
            HudAction::PrepareLoan(PrepareLoan::UseToken) => match files::given(&desk.given, files.as_deref()) {
                Ok(text) => {
                    (desk.given, desk.unreadable) = (String::new(), None);
                    wishes.write(LendRights::Use(text));
                }
                Err(why) => desk.unreadable = Some(why),
            },
            HudAction::PrepareLoan(PrepareLoan::Copy) => {
                if let (Some(signed), Some(clipboard)) = (&known.signed, &mut clipboard) {
                    let text = signed.text.clone();
                    desk.copied = Some((text.clone(), clipboard.0.copy(text.0)));
                }
            }
            HudAction::PrepareLoan(what) => desk.prepare(what),
            HudAction::Lend(wish) => drop(wishes.write(wish.clone())),
            _ => {}
        }
    }
}

/// A file that is dropped on the window is a token that somebody handed over.
pub(crate) fn drop_in(
    mut drops: MessageReader<FileDragAndDrop>,
    mut desk: ResMut<LoanDesk>,
    mut actions: MessageWriter<HudAction>,
) {
    for drop in drops.read() {
        if let FileDragAndDrop::DroppedFile { path_buf, .. } = drop {
            desk.enter(LendField::Token, path_buf.display().to_string());
            actions.write(HudAction::Open(HudWindow::Lending));
            actions.write(HudAction::PrepareLoan(PrepareLoan::UseToken));
        }
    }
}

/// Tells of what was lent and is no more.
pub(crate) fn tell(known: Res<KnownLending>, mut told: Local<Vec<EndedToken>>, mut notify: MessageWriter<Notify>) {
    if !known.is_changed() || *told == known.ended {
        return;
    }
    for ended in known.ended.iter().filter(|ended| !told.contains(ended)) {
        let who = ended.token.as_ref().map_or_else(|| "somebody".to_owned(), |token| token.by.to_string());
        let title = format!("What {who} lent you has ended");
        notify.write(Notify { urgency: Urgency::Problem, title, text: ended.why.message.clone(), twin: None });
    }
    told.clone_from(&known.ended);
}

/// What the window needs to know.
pub(super) struct Counter<'a> {
    pub connected: bool,
    pub people: &'a KnownPeople,
    pub known: &'a KnownLending,
    pub desk: &'a LoanDesk,
    pub clock: EnablerClock,
    /// Seconds of `Time<Real>`.
    pub now: f64,
    /// The twin that the person was at when they opened the window.
    pub about: Option<(&'a TwinInfo, Option<&'a TwinAccess>)>,
    /// What people call a twin that the person may see.
    pub name: &'a dyn Fn(&TwinId) -> Option<String>,
    pub line: Option<(LendField, &'a Line)>,
    /// Whether there is a clipboard.
    pub clipboard: bool,
    pub confirming: Option<&'a HudAction>,
}

impl Counter<'_> {
    /// The field in which somebody writes right now.
    fn writing(&self, field: LendField) -> Option<String> {
        self.line.filter(|(other, _)| *other == field).map(|(_, line)| line.with_caret())
    }
}

/// What can be lent, what is lent, what others lent.
pub(super) fn window(counter: &Counter<'_>, keys: &KeyBindings) -> El {
    let mut body = widgets::scroll("lend.body", 8.0);
    if !counter.connected {
        let text = "The enabler cannot be reached: nothing can be lent, taken back or used now.";
        body.children.push(El::small("lend.offline", text));
    }
    for problem in counter.people.problem.iter().chain(&counter.known.problem) {
        body.children.push(El::text("lend.problem", problem.to_string()).colored(style::WRONG));
    }
    body.children.extend(give::signed(counter));
    body.children.push(give::form(counter));
    body.children.push(got::lent(counter));
    body.children.push(got::borrowed(counter));
    let title = match counter.about {
        Some((info, _)) => format!("Lend {}, and what is lent", info.name),
        None => "What is lent".to_owned(),
    };
    super::frame("lend", title, &keys.label(Control::Lend), 720.0, body)
}

/// A part of the window.
fn block(key: &'static str) -> El {
    El::column(key, 7.0)
        .node(|node| {
            node.padding = UiRect::axes(px(10), px(8));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
}

#[cfg(test)]
mod tests;
