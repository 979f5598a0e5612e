//! Answers about the past: folds what it depends on, under the rules of then and now.

use std::sync::Arc;

use vestibule_enabler_core::{LogEvent, Past, State, Viewer};
use vestibule_model::{NameBook, Refusal, RefusalCode, Timestamp, TwinId};
use vestibule_protocol::{PastReading, PastReadings, Request, Response, TwinHistory};
use vestibule_store::{EventLog, KeptReading, Line, Snapshots, StoreError};

use super::{
    history::{Historian, closed},
    keeper,
};

/// Entries on a page, unless asked otherwise, and at most.
const ENTRIES: (u16, u16) = (100, 500);
/// Readings on a page, unless asked otherwise, and at most.
const READINGS: (u16, u16) = (200, 1_000);
/// Lines of the index that are read at once.
const PAGE: u32 = 512;

/// A question about the past, with everything that its answer depends on.
pub(super) struct Question {
    pub(super) request: Request,
    pub(super) viewer: Viewer,
    /// What is decided by now.
    pub(super) now: State,
    pub(super) names: NameBook,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) snapshots: Option<Snapshots>,
    pub(super) historian: Historian,
    pub(super) asked: Timestamp,
}

const fn page((usual, most): (u16, u16), asked: u16) -> usize {
    let count = if asked == 0 {
        usual
    } else if asked < most {
        asked
    } else {
        most
    };
    count as usize
}

/// The lines about a twin, one after the other.
struct Lines<'a> {
    question: &'a Question,
    twin: TwinId,
    waiting: std::collections::VecDeque<u64>,
    after: u64,
}

impl<'a> Lines<'a> {
    async fn begin(question: &'a Question, twin: &TwinId) -> Result<Self, StoreError> {
        question.historian.shared.catch_up().await?;
        let after = question.log.anchor().await?.sequence;
        Ok(Self { question, twin: twin.clone(), waiting: std::collections::VecDeque::new(), after })
    }

    async fn next(&mut self) -> Result<Option<Line>, StoreError> {
        if self.waiting.is_empty() {
            let mut guard = self.question.historian.shared.history.lock().await;
            let history = guard.as_mut().ok_or_else(closed)?;
            self.waiting = history.lines(&self.twin, self.after, PAGE).await?.into();
        }
        let Some(sequence) = self.waiting.pop_front() else { return Ok(None) };
        self.after = sequence;
        let line = self.question.log.read(sequence.saturating_sub(1), 1).await?;
        let line = line.into_iter().next().filter(|line| line.sequence == sequence);
        // Cut off while we read: what comes now begins elsewhere.
        line.map(Some).ok_or_else(|| StoreError::Io("the log was cut meanwhile: ask again".to_owned()))
    }
}

fn told(reading: KeptReading) -> PastReading {
    let KeptReading { feature, property, value, at, .. } = reading;
    PastReading { feature, property, value, at }
}

impl Question {
    /// The answer.
    pub(super) async fn answer(self) -> Response {
        self.historian.flush().await;
        let answered = match self.request.clone() {
            Request::History { twin, after, limit } => self.history(&twin, after, page(ENTRIES, limit)).await,
            Request::Readings { twin, from, until, limit } => {
                self.readings(&twin, from, until, page(READINGS, limit)).await
            }
            Request::PastTwin { twin, at } => self.twin_at(&twin, at).await,
            _ => return Response::Refused(Refusal::new(RefusalCode::Invalid, "that is no question about the past")),
        };
        answered.unwrap_or_else(|error| Response::Refused(Refusal::new(RefusalCode::Storage, error.to_string())))
    }

    async fn past(&self, twin: &TwinId) -> Result<Past, StoreError> {
        let base = keeper::base(self.log.as_ref(), self.snapshots.as_ref(), &self.names).await?;
        Ok(Past::new(&base, self.now.clone(), self.viewer.clone(), twin.clone()))
    }

    fn event(&self, names: &mut NameBook, line: &Line) -> Result<LogEvent, StoreError> {
        let read = names.scope(|| LogEvent::read(&line.payload));
        read.map_err(|error| StoreError::Damaged(format!("line {}: {error}", line.sequence)))
    }

    async fn history(&self, twin: &TwinId, after: u64, limit: usize) -> Result<Response, StoreError> {
        let mut past = self.past(twin).await?;
        let mut names = self.names.clone();
        let mut lines = Lines::begin(self, twin).await?;
        let begins = lines.after;
        let mut entries = Vec::new();
        let mut next = None;
        while let Some(line) = lines.next().await? {
            let event = self.event(&mut names, &line)?;
            let entry = past.take(line.sequence, line.at, &event);
            entries.extend(entry.filter(|entry| entry.sequence > after));
            if entries.len() >= limit {
                next = Some(line.sequence);
                break;
            }
        }
        Ok(Response::History(TwinHistory { entries, next, begins }))
    }

    async fn readings(
        &self,
        twin: &TwinId,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Response, StoreError> {
        let (mut kept, covered) = {
            let mut guard = self.historian.shared.history.lock().await;
            let history = guard.as_mut().ok_or_else(closed)?;
            let most = u32::try_from(limit).unwrap_or(u32::MAX);
            (history.readings(twin, from, until, most).await?, history.covered(from, until).await?)
        };
        let mut next = None;
        if kept.len() >= limit {
            // Several of one moment stay together, unless they fill a page alone.
            let last = kept.last().map_or(from, |reading| reading.at);
            let whole = kept.iter().filter(|reading| reading.at < last).count();
            if whole > 0 {
                kept.truncate(whole);
            }
            next = Some(if whole > 0 { last } else { last.plus(1) });
        }
        let readings = self.readable(twin, kept).await?;
        let end = next.unwrap_or(until);
        let covered = covered.into_iter().filter(|(since, _)| *since <= end).map(|(a, b)| (a, b.min(end))).collect();
        Ok(Response::Readings(PastReadings { readings, next, covered }))
    }

    /// Those that the asker may read, and might have when they were said.
    async fn readable(&self, twin: &TwinId, kept: Vec<KeptReading>) -> Result<Vec<PastReading>, StoreError> {
        let mut past = self.past(twin).await?;
        let mut names = self.names.clone();
        let mut lines = Lines::begin(self, twin).await?;
        let mut ahead = lines.next().await?;
        let mut readings = Vec::new();
        for reading in kept {
            while let Some(line) = ahead.take_if(|line| line.at <= reading.at) {
                let event = self.event(&mut names, &line)?;
                let _ = past.take(line.sequence, line.at, &event);
                ahead = lines.next().await?;
            }
            if past.may_read(Some(&reading.feature), reading.at) {
                readings.push(told(reading));
            }
        }
        Ok(readings)
    }

    async fn twin_at(&self, twin: &TwinId, at: Timestamp) -> Result<Response, StoreError> {
        let mut past = self.past(twin).await?;
        let mut names = self.names.clone();
        let mut lines = Lines::begin(self, twin).await?;
        while let Some(line) = lines.next().await?.filter(|line| line.at <= at) {
            let event = self.event(&mut names, &line)?;
            let _ = past.take(line.sequence, line.at, &event);
        }
        let (kept, covered) = {
            let mut guard = self.historian.shared.history.lock().await;
            let history = guard.as_mut().ok_or_else(closed)?;
            let kept = history.readings_at(twin, at).await?;
            let oldest = kept.iter().map(|reading| reading.at).min().unwrap_or(at);
            let covered = history.covered(oldest, at).await?;
            let end = at.min(self.asked);
            (kept, covered.iter().any(|(since, until)| *since <= oldest && *until >= end))
        };
        let readings: Vec<PastReading> = kept.into_iter().map(told).collect();
        Ok(Response::Past(Box::new(past.twin_at(at, &readings, covered))))
    }
}
