//! A twin's past: how far back it goes, how it was at a moment, what was decided around then.

use std::collections::BTreeMap;

use vestibule_model::{PastEntry, Refusal, RefusalCode, Timestamp, TwinId};
use vestibule_protocol::{PastTwin, Request, Response, TwinHistory, TwinView};
use vestibule_twin::{LookBack, PastMoment, PastReading, TwinPast};

/// Decisions of one answer.
const PAGE: u16 = 500;
/// Decisions that are kept before a moment and after it: what a person reads.
const BEFORE: usize = 24;
const AFTER: usize = 12;
/// Decisions before a moment that make looking further back needless.
const ENOUGH: usize = 8;
/// Lines of the log before a moment among which its decisions are looked for at first; more where there are few.
const FIRST_WIDTH: u64 = 1_000;
const WIDER: u64 = 16;
/// Answers that one moment may take: each has the enabler read its log.
const MOST_ASKED: u8 = 8;

/// A question about a twin's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PastQuestion {
    /// Since when anything was reported.
    FirstReading(TwinId),
    /// Since when anything was decided.
    FirstDecision(TwinId),
    Moment(TwinId, Timestamp),
    Decisions(Search),
}

/// What was decided around a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    twin: TwinId,
    at: Timestamp,
    /// The last line of the log that counts for the moment.
    last: u64,
    /// Lines before that one that are looked at.
    width: u64,
    asked: u8,
}

type Asked = (PastQuestion, Request);

/// What to ask the enabler for it.
pub(crate) fn requests(wish: &LookBack, past: &mut TwinPast, now: Timestamp) -> Vec<Asked> {
    match wish.clone() {
        LookBack::Open(twin) => {
            let same = past.twin.as_ref() == Some(&twin);
            let begins = past.begins.filter(|_| same);
            *past = TwinPast { twin: Some(twin.clone()), until: now, at: now, begins, ..TwinPast::default() };
            let from = Timestamp(0);
            let readings = Request::Readings { twin: twin.clone(), from, until: now, limit: 1 };
            let history = Request::History { twin: twin.clone(), after: 0, limit: 1 };
            vec![
                (PastQuestion::FirstReading(twin.clone()), readings),
                (PastQuestion::FirstDecision(twin.clone()), history),
                moment(twin, now),
            ]
        }
        LookBack::At(twin, at) => {
            (past.twin, past.at, past.moment) = (Some(twin.clone()), at, None);
            (past.decided, past.problem) = (false, None);
            past.decisions.clear();
            vec![moment(twin, at)]
        }
    }
}

fn moment(twin: TwinId, at: Timestamp) -> Asked {
    (PastQuestion::Moment(twin.clone(), at), Request::PastTwin { twin, at })
}

/// Keeps an answer, where it is still asked for. Gives what to ask next.
pub(crate) fn take(past: &mut TwinPast, question: PastQuestion, answer: Result<Response, Refusal>) -> Option<Asked> {
    let (twin, at) = match &question {
        PastQuestion::FirstReading(twin) | PastQuestion::FirstDecision(twin) => (twin, None),
        PastQuestion::Moment(twin, at) => (twin, Some(*at)),
        PastQuestion::Decisions(search) => (&search.twin, Some(search.at)),
    };
    // Somebody who scrubs is further on by the time that an answer comes.
    if past.twin.as_ref() != Some(twin) || at.is_some_and(|at| at != past.at) {
        return None;
    }
    match (question, answer) {
        (PastQuestion::FirstReading(_), Ok(Response::Readings(kept))) => {
            let covered = kept.covered.first().map(|(since, _)| *since);
            begins(past, covered.into_iter().chain(kept.readings.first().map(|reading| reading.at)).min());
        }
        (PastQuestion::FirstDecision(_), Ok(Response::History(kept))) => {
            begins(past, kept.entries.first().map(|entry| entry.at));
        }
        (PastQuestion::Moment(twin, at), Ok(Response::Past(then))) => {
            let search = Search { twin, at, last: then.sequence, width: FIRST_WIDTH, asked: 1 };
            past.moment = Some(as_moment(*then));
            return Some(search.ask(None));
        }
        (PastQuestion::Decisions(search), Ok(Response::History(page))) => return decisions(past, search, page),
        (_, answer) => {
            let wrong = || Refusal::new(RefusalCode::Invalid, "an answer to another question");
            past.problem = Some(answer.err().unwrap_or_else(wrong));
        }
    }
    None
}

fn begins(past: &mut TwinPast, at: Option<Timestamp>) {
    past.begins = past.begins.into_iter().chain(at).min();
}

impl Search {
    /// Asks for the lines after `after`, or from the beginning of the width.
    fn ask(self, after: Option<u64>) -> Asked {
        let after = after.unwrap_or_else(|| self.last.saturating_sub(self.width));
        let request = Request::History { twin: self.twin.clone(), after, limit: PAGE };
        (PastQuestion::Decisions(self), request)
    }
}

/// Keeps those nearest to the moment, and looks further where they are few.
fn decisions(past: &mut TwinPast, mut search: Search, page: TwinHistory) -> Option<Asked> {
    let mut known: BTreeMap<u64, PastEntry> =
        past.decisions.drain(..).map(|decision| (decision.sequence, decision)).collect();
    known.extend(page.entries.into_iter().map(|entry| (entry.sequence, entry)));
    let (before, after): (Vec<_>, Vec<_>) = known.into_values().partition(|decision| decision.at <= search.at);
    let (found, beyond) = (before.len(), after.len());
    past.decisions =
        before.into_iter().skip(found.saturating_sub(BEFORE)).chain(after.into_iter().take(AFTER)).collect();
    let reached = search.last.saturating_sub(search.width) <= page.begins;
    search.asked += 1;
    if search.asked <= MOST_ASKED {
        if let Some(next) = page.next.filter(|_| beyond < AFTER) {
            return Some(search.ask(Some(next)));
        }
        if found < ENOUGH && !reached {
            search.width = search.width.saturating_mul(WIDER);
            return Some(search.ask(None));
        }
    }
    past.decided = true;
    None
}

fn as_moment(then: PastTwin) -> PastMoment {
    let PastTwin { at, view, commands, covered, .. } = then;
    let open = commands.into_iter().map(|update| (update.user, update.feature, update.action)).collect();
    let (info, readings) = view.map_or((None, BTreeMap::new()), |view| {
        let TwinView { info, readings, .. } = view;
        let names = info.properties().map(|(feature, property, _)| (feature.clone(), property.clone()));
        let since = |age: u64| Timestamp(at.0.saturating_sub(age));
        let known = readings.into_iter();
        let known = known.map(|reading| PastReading { value: reading.value, since: reading.age_ms.map(since) });
        let readings = names.zip(known).collect();
        (Some(info), readings)
    });
    PastMoment { at, info, readings, open, covered }
}
