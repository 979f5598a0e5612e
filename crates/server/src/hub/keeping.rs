//! What the hub's task does for the past: has snapshots written, lines cut off, names destroyed, readings kept.

use std::{collections::VecDeque, time::Duration};

use tokio::sync::oneshot;
use vestibule_enabler_core::{DisclosureReader, LogEvent, Viewer};
use vestibule_model::{Commitment, ContentHash, NameBook, Refusal, RefusalCode, Timestamp, UserId};
use vestibule_protocol::{DiiUp, Disclosures, Response};
use vestibule_store::{EventLog, Head, KeptReading, StoreError};

use super::{
    core::Core,
    handle::{Control, Work},
    load::{read, renamed},
    past::Question,
};

/// Lines that are read at once.
const PAGE: u32 = 1_000;
/// How often old lines are looked for.
const RETENTION: Duration = Duration::from_secs(60 * 60);
/// After a start, before what a snapshot stands for is read whole: those who wait to connect come first.
const IDLE: Duration = Duration::from_secs(20);
const DAY_MS: u64 = 86_400_000;

impl Core {
    /// Begins what goes on in the background.
    pub(super) fn begin_keeping(&self) {
        let (log, control) = (self.log.clone(), self.past.control.clone());
        if self.written < self.head.sequence {
            tokio::spawn(async move {
                tokio::time::sleep(IDLE).await;
                let found = log.verify().await.map(|_| ());
                if let Some(control) = control.upgrade() {
                    // A hub that has stopped needs to know nothing.
                    let _ = control.send(Control::Verified(found)).await;
                }
            });
        }
        let (Some(days), Some(keeper)) = (self.keeping.log_days, self.past.keeper.clone()) else { return };
        let (log, control, clock) = (self.log.clone(), self.past.control.clone(), self.clock.clone());
        tokio::spawn(async move {
            let mut round = tokio::time::interval(RETENTION);
            loop {
                round.tick().await;
                let oldest = Timestamp(clock.now().0.saturating_sub(u64::from(days) * DAY_MS));
                let Some(control) = control.upgrade() else { return };
                match keeper.retain(&log, oldest, &control).await {
                    Ok(Some(begins)) => {
                        let _ = control.send(Control::Begins(begins)).await;
                    }
                    Ok(None) => {}
                    Err(error) => tracing::error!(%error, "old lines of the log stay for now"),
                }
            }
        });
    }

    /// Whether there is enough to save a restart time.
    pub(super) fn wants_snapshot(&self) -> bool {
        // Half as many lines as twins: what is written grows with what was decided, not with its square.
        let enough = self.keeping.snapshot_lines.max(self.state.twins.len() as u64 / 2);
        !self.snapshotting && self.written >= enough && self.past.keeper.is_some()
    }

    /// Has a snapshot written where it is time.
    pub(super) fn keep_snapshot(&mut self) {
        if !self.forgotten.is_empty() || self.commit.is_some() || !self.wants_snapshot() {
            return;
        }
        let Some(keeper) = self.past.keeper.clone() else { return };
        // Where old lines are being cut off, the next decision asks again. Taken here, so that a stop waits for it.
        let Some(turn) = keeper.try_turn() else { return };
        self.snapshotting = true;
        let (log, state, head, names) = (self.log.clone(), self.state.clone(), self.head, self.names.clone());
        let (at, lines, control) = (self.clock.now(), self.written, self.past.control.clone());
        tokio::spawn(async move {
            let done = keeper.write(turn, log.as_ref(), state, head, at, names).await;
            if let Some(control) = control.upgrade() {
                // A hub that has stopped needs to know nothing.
                let _ = control.send(Control::Kept { lines, done }).await;
            }
        });
    }

    pub(super) fn snapshot_kept(&mut self, lines: u64, done: Result<(), StoreError>) {
        self.snapshotting = false;
        match done {
            Ok(()) => self.written -= lines.min(self.written),
            Err(error) => {
                tracing::warn!(%error, "no snapshot was written; a restart takes longer");
                // Tried again after as many lines as it takes for one.
                self.written = 0;
            }
        }
    }

    pub(super) fn verified(&mut self, found: Result<(), StoreError>) {
        match found {
            Ok(()) => tracing::info!("the whole log is as it was written"),
            Err(error) => {
                tracing::error!(%error, "the log is not as it was written");
                self.past.damage = Some(error.to_string());
            }
        }
    }

    pub(super) fn cut(&mut self, at: Head, snapshot: ContentHash, reply: oneshot::Sender<Result<(), Refusal>>) {
        let event = LogEvent::LogCut { through: at.sequence, hash: at.hash, snapshot };
        self.carry(Work::Write { events: vec![event], reply });
    }

    fn carry(&mut self, work: Work) {
        self.carried.push_back(work);
        if self.commit.is_none() {
            let works: VecDeque<Work> = std::mem::take(&mut self.carried);
            self.decide_together(works);
        }
    }

    /// It is written that a person is forgotten: has the name destroyed, and says who was told of them.
    pub(super) fn forget(&self, work: Work, user: UserId) {
        let Work::Ask(ask) = work else { return };
        let (reply, person) = (ask.reply, self.names.user(user.as_str()));
        let Some(person) = person else {
            // Forgotten by another request meanwhile. Who asked may be gone.
            let _ = reply.send(Response::Erased(Disclosures::default()));
            return;
        };
        let (log, names, control) = (self.log.clone(), self.names.clone(), self.past.control.clone());
        let given = self.given.clone();
        tokio::spawn(async move {
            let forgotten = given.forget(&user).await;
            let told = match forgotten {
                Ok(()) => told(log.as_ref(), names, user).await,
                Err(error) => Err(error),
            };
            let done = match told {
                Ok(told) => log.forget(person).await.map(|()| told),
                // The name is still there: to be tried again, and made good at the next start.
                Err(error) => Err(error),
            };
            if let Some(control) = control.upgrade() {
                // A hub that has stopped does it at its next start.
                let _ = control.send(Control::Forgotten { person, done, reply }).await;
            }
        });
    }

    pub(super) fn forgotten(
        &mut self,
        person: Commitment,
        done: Result<Disclosures, StoreError>,
        reply: oneshot::Sender<Response>,
    ) {
        let told = match done {
            Ok(told) if self.commit.is_some() => {
                // What is being written has the old names in memory: after it, and nothing else before.
                self.forgotten.push((person, told, reply));
                return;
            }
            done => done,
        };
        let renamed = told.and_then(|told| Ok((told, renamed(&self.state, &mut self.names, person)?)));
        let response = match renamed {
            Ok((told, state)) => {
                self.state = state;
                Response::Erased(told)
            }
            Err(error) => Response::Refused(Refusal::new(RefusalCode::Storage, error.to_string())),
        };
        // Who asked may be gone: what was decided is done.
        let _ = reply.send(response);
    }

    /// Keeps a report that changed something.
    pub(super) fn keep_reading(&self, message: &DiiUp, now: Timestamp) {
        let DiiUp::Report(report) = message else { return };
        if self.hot.changed_revision(&report.twin, &report.feature, &report.property) == report.revision {
            self.past.historian.keep(KeptReading {
                twin: report.twin.clone(),
                feature: report.feature.clone(),
                property: report.property.clone(),
                value: report.value.clone(),
                at: now,
            });
        }
    }

    pub(super) fn read_past(&self, work: Work, viewer: Viewer) {
        let Work::Ask(ask) = work else { return };
        let Ok(permit) = self.past.questions.clone().try_acquire_owned() else {
            let refusal = Refusal::new(RefusalCode::Overloaded, "too many look at the past; try again in a moment");
            // Who asked may be gone.
            let _ = ask.reply.send(Response::Refused(refusal));
            return;
        };
        let question = Question {
            request: ask.request,
            viewer,
            now: self.committed().clone(),
            names: self.names.clone(),
            log: self.log.clone(),
            snapshots: self.past.keeper.as_ref().map(|keeper| keeper.snapshots().clone()),
            historian: self.past.historian.clone(),
            asked: self.clock.now(),
        };
        let reply = ask.reply;
        tokio::spawn(async move {
            let response = question.answer().await;
            drop(permit);
            // Who asked may be gone.
            let _ = reply.send(response);
        });
    }
}

/// Who was told what of a person.
async fn told(log: &dyn EventLog, mut names: NameBook, user: UserId) -> Result<Disclosures, StoreError> {
    let begins = log.anchor().await?.sequence;
    let (mut reader, mut after) = (DisclosureReader::new(user), begins);
    loop {
        let lines = log.read(after, PAGE).await?;
        let Some(last) = lines.last() else { return Ok(reader.report(begins)) };
        after = last.sequence;
        for line in &lines {
            // What this program cannot read says nothing to it.
            if let Ok(event) = read(&mut names, line) {
                reader.take(line.at, &event);
            }
        }
    }
}
