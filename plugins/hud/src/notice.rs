//! Notifications: what is still to be read, what was read, and how it is shown.

use std::collections::VecDeque;

use bevy::prelude::*;
use vestibule_input::{Control, Controls, KeyBindings};
use vestibule_twin::{EnablerLink, FurnitureRefused, Notify, Urgency, model::TwinId};

use crate::{
    action::{HudAction, HudWindow},
    banner,
    el::El,
    format,
    render::{Screen, Surface},
    style,
    widgets::{self, Tone},
    window::{Capturing, OpenWindow},
};

/// Notifications that are kept one by one until they are read; older ones become a count.
const MAX_LIVE: usize = 50;
/// Notifications that the history keeps: a day of a busy home.
const MAX_PAST: usize = 200;
/// Notifications on the screen at once: more would cover the world.
const MAX_SHOWN: usize = 4;
/// Seconds for which an `Info` is shown before it becomes a count.
const INFO_S: f64 = 8.0;
/// Seconds within which the same notification is the same.
const MERGE_S: f64 = 2.0;

/// One notification.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice {
    pub id: u64,
    pub what: Notify,
    /// How often it was sent.
    pub count: u32,
    /// Only an answer to what the person just did: it goes by itself.
    passing: bool,
    /// Seconds of `Time<Real>` at which it was last sent.
    pub at: f64,
}

/// Every notification that is not forgotten.
#[derive(Resource, Debug, Default)]
pub(crate) struct Notices {
    live: VecDeque<Notice>,
    past: VecDeque<Notice>,
    /// Unread ones that became a count.
    folded: usize,
    ids: u64,
}

impl Notices {
    /// Takes a notification.
    pub(crate) fn push(&mut self, what: Notify, now: f64) {
        self.take(what, now, false);
    }

    fn take(&mut self, what: Notify, now: f64, passing: bool) {
        let same = self.live.iter_mut().find(|notice| notice.what == what && now - notice.at <= MERGE_S);
        if let Some(notice) = same {
            notice.count = notice.count.saturating_add(1);
            notice.at = now;
            let (id, count) = (notice.id, notice.count);
            if let Some(past) = self.past.iter_mut().find(|past| past.id == id) {
                (past.count, past.at) = (count, now);
            }
            return;
        }
        self.ids += 1;
        let notice = Notice { id: self.ids, what, count: 1, at: now, passing };
        self.past.push_back(notice.clone());
        self.live.push_back(notice);
        if self.past.len() > MAX_PAST {
            self.past.pop_front();
        }
        if self.live.len() > MAX_LIVE {
            // The least urgent of the old ones becomes a count.
            let at = self.live.iter().position(|notice| notice.what.urgency == Urgency::Info).unwrap_or(0);
            let gone = self.live.remove(at);
            self.folded += usize::from(gone.is_some_and(|notice| !notice.passing));
        }
    }

    /// Folds the `Info` whose time is over: it makes room on the screen and stays counted until it was read.
    pub(crate) fn expire(&mut self, now: f64) {
        let over = |notice: &Notice| notice.what.urgency == Urgency::Info && now - notice.at >= INFO_S;
        self.folded += self.live.iter().filter(|notice| over(notice) && !notice.passing).count();
        self.live.retain(|notice| !over(notice));
    }

    /// One was read.
    pub(crate) fn dismiss(&mut self, id: u64) {
        self.live.retain(|notice| notice.id != id);
    }

    /// The one that the key dismisses.
    fn oldest(&self) -> Option<&Notice> {
        self.live.front()
    }

    /// The newest one that somebody waits for.
    fn request(&self) -> Option<&Notice> {
        self.live.iter().rev().find(|notice| notice.what.urgency == Urgency::Request && notice.what.twin.is_some())
    }

    /// The twin to look at: of the newest unread request, else of the newest unread notification about a twin, else
    /// of the last request at all.
    pub(crate) fn attended(&self) -> Option<TwinId> {
        let about = |notice: &Notice| notice.what.twin.clone();
        let last = || self.past.iter().rev().find(|n| n.what.urgency == Urgency::Request && n.what.twin.is_some());
        self.request()
            .and_then(about)
            .or_else(|| self.live.iter().rev().find_map(about))
            .or_else(|| last().and_then(about))
    }

    /// The ones on the screen: the oldest first, and always the newest request.
    fn shown(&self) -> Vec<&Notice> {
        let mut shown: Vec<_> = self.live.iter().take(MAX_SHOWN).collect();
        if let Some(request) = self.request()
            && !shown.iter().any(|notice| notice.id == request.id)
        {
            shown.pop();
            shown.push(request);
        }
        shown
    }

    /// Past ones, newest first.
    pub(crate) fn past(&self) -> impl Iterator<Item = &Notice> {
        self.past.iter().rev()
    }

    #[cfg(test)]
    pub(crate) fn unread(&self) -> usize {
        self.live.len() + self.folded
    }
}

/// Takes notifications and forgets old ones.
pub(crate) fn collect(
    mut sent: MessageReader<Notify>,
    mut refused: MessageReader<FurnitureRefused>,
    time: Res<Time<Real>>,
    mut notices: ResMut<Notices>,
) {
    let now = time.elapsed_secs_f64();
    for notify in sent.read() {
        notices.push(notify.clone(), now);
    }
    for fact in refused.read() {
        let (title, text) = ("That cannot be done here".to_owned(), fact.reason.clone());
        notices.take(Notify { urgency: Urgency::Info, title, text, twin: None }, now, true);
    }
    notices.expire(now);
}

/// Dismisses what was read.
pub(crate) fn dismiss(
    controls: Controls<'_>,
    capturing: Res<Capturing>,
    mut actions: MessageReader<HudAction>,
    mut notices: ResMut<Notices>,
) {
    for action in actions.read() {
        match action {
            HudAction::Dismiss(id) => notices.dismiss(*id),
            HudAction::DismissFolded | HudAction::Open(HudWindow::History) => notices.folded = 0,
            _ => {}
        }
    }
    if controls.just_pressed(Control::Notification) && !capturing.is_active() {
        match notices.oldest().map(|notice| notice.id) {
            Some(id) => notices.dismiss(id),
            None => notices.folded = 0,
        }
    }
}

/// Shows what is to be read.
pub(crate) fn show(
    (notices, keys, link): (Res<Notices>, Res<KeyBindings>, Res<EnablerLink>),
    window: Res<OpenWindow>,
    time: Res<Time<Real>>,
    mut screen: ResMut<Screen>,
) {
    // An open window shows the newest request itself: nothing covers it.
    let stack = window.get().is_none().then(|| stack(&notices, &keys, time.elapsed_secs_f64()));
    let room = style::EDGE + banner::room(&link);
    let stack = stack.flatten().map(|stack| stack.node(|node| node.top = px(room)));
    screen.show(Surface::Notices, stack.into_iter().collect());
}

/// The newest unread request in one line, for windows.
pub(crate) fn request_line(notices: &Notices, keys: &KeyBindings) -> Option<El> {
    let request = notices.request()?;
    let look = widgets::press("Look", HudAction::OpenCard(request.what.twin.clone()?));
    let bar = widgets::panel("request")
        .node(|node| {
            node.flex_direction = FlexDirection::Row;
            node.align_items = AlignItems::Center;
            node.padding = UiRect::axes(px(12), px(7));
            node.column_gap = px(12);
            node.flex_shrink = 0.0;
        })
        .line(style::ACCENT.with_alpha(0.6))
        .with(widgets::dot(style::ACCENT, 9.0))
        .with(El::text("title", request.what.title.clone()).strong())
        .with(widgets::button("request.look", look, Some(&keys.label(Control::Attend)), Tone::Main));
    Some(bar)
}

fn stack(notices: &Notices, keys: &KeyBindings, now: f64) -> Option<El> {
    if notices.live.is_empty() && notices.folded == 0 {
        return None;
    }
    let mut column = El::column("notices", style::GAP).node(|node| {
        node.position_type = PositionType::Absolute;
        node.right = px(style::EDGE);
        node.width = px(330);
    });
    let shown = notices.shown();
    let oldest = notices.oldest().map(|notice| notice.id);
    let request = notices.request().map(|notice| notice.id);
    for notice in &shown {
        let dismiss = (oldest == Some(notice.id)).then(|| keys.label(Control::Notification));
        let attend = (request == Some(notice.id)).then(|| keys.label(Control::Attend));
        column = column.with(card(notice, dismiss.as_deref(), attend.as_deref(), now));
    }
    let more = notices.live.len() - shown.len() + notices.folded;
    if more > 0 {
        let press = widgets::press("Show all", HudAction::Open(HudWindow::History));
        let row = widgets::panel("notices.more").node(|node| {
            node.flex_direction = FlexDirection::Row;
            node.align_items = AlignItems::Center;
            node.justify_content = JustifyContent::SpaceBetween;
            node.padding = UiRect::all(px(8));
        });
        let row = row.with(El::small("count", format!("{more} more to read")));
        let row = row.with(widgets::button("notices.all", press, None, Tone::Plain));
        let fold = widgets::press("Read", HudAction::DismissFolded);
        let fold = (notices.folded > 0).then(|| widgets::button("notices.folded", fold, None, Tone::Plain));
        column = column.with(row.with_all(fold));
    }
    Some(column)
}

/// The word that stands beside the colour of an urgency.
const fn urgency_word(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Info => "note",
        Urgency::Problem => "problem",
        Urgency::Request => "somebody waits",
    }
}

fn card(notice: &Notice, dismiss: Option<&str>, attend: Option<&str>, now: f64) -> El {
    let color = style::urgency_color(notice.what.urgency);
    let count = if notice.count > 1 { format!("{} times, ", notice.count) } else { String::new() };
    let when = format!("{}, {count}{}", urgency_word(notice.what.urgency), format::age(now - notice.at));
    let head = El::row("head", style::GAP)
        .with(widgets::dot(color, 9.0))
        .with(El::small("when", when).colored(color))
        .with(widgets::spring());
    let mut buttons = El::row("buttons", style::GAP).node(|node| node.margin.top = px(2));
    if let (Some(twin), true) = (&notice.what.twin, notice.what.urgency != Urgency::Info || attend.is_some()) {
        let look = widgets::press("Look", HudAction::OpenCard(twin.clone()));
        let tone = if notice.what.urgency == Urgency::Request { Tone::Main } else { Tone::Plain };
        buttons = buttons.with(widgets::button("notice.look", look, attend, tone));
    }
    let read = widgets::press("Dismiss", HudAction::Dismiss(notice.id));
    buttons = buttons.with(widgets::button("notice.dismiss", read, dismiss, Tone::Plain));
    let mut panel = widgets::panel(format!("notice.{}", notice.id))
        .node(|node| {
            node.padding = UiRect::axes(px(12), px(10));
            node.row_gap = px(style::TIGHT);
        })
        .with(head)
        .with(El::text("title", notice.what.title.clone()).strong());
    if !notice.what.text.is_empty() {
        panel = panel.with(El::small("text", notice.what.text.clone()));
    }
    panel.with(buttons)
}

/// A line of the history.
pub(crate) fn line(notice: &Notice, now: f64) -> El {
    let color = style::urgency_color(notice.what.urgency);
    let count = if notice.count > 1 { format!(" ({} times)", notice.count) } else { String::new() };
    let title = El::text("title", format!("{}{count}", notice.what.title)).node(|node| node.flex_shrink = 1.0);
    let head = El::row("head", style::GAP)
        .with(widgets::dot(color, 8.0))
        .with(title)
        .with(widgets::spring())
        .with(El::small("age", format::age(now - notice.at)).words(|words| words.wrap = false));
    let mut column = El::column(format!("past.{}", notice.id), 2.0).node(|node| node.flex_shrink = 0.0).with(head);
    if !notice.what.text.is_empty() {
        column = column.with(El::small("text", notice.what.text.clone()));
    }
    column
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
