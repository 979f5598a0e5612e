//! What was: the index of the log by twin, and what things said. Beside the way of a decision, never on it.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex, mpsc, oneshot};
use vestibule_enabler_core::{LogEvent, State};
use vestibule_model::Timestamp;
use vestibule_store::{EventLog, History, KeptReading, Line, StoreError};

use super::{
    Clock, Keeping,
    topics::{About, Behind, Known, Note, Topics},
};

/// Readings on their way to the history: some seconds of a busy house. More, and it has a gap, which it shows.
const WAITING: usize = 8_192;
/// Readings that are written together.
const TOGETHER: usize = 1_024;
/// How often what came is written, and how much a kill can cost.
const FLUSH: Duration = Duration::from_secs(1);
/// Rounds without a reading after which the history notes that there was nothing to keep.
const QUIET_ROUNDS: u32 = 10;
/// Rounds between two looks at what is too old or too much.
const TRIM_ROUNDS: u32 = 600;
/// Lines of the log that are read at once.
const PAGE: u32 = 1_000;

/// What the task is told.
enum Told {
    /// A property's value became another one.
    Reading(Box<KeptReading>),
    /// Write what came before this.
    Flush(oneshot::Sender<()>),
    /// Write what came and let go of the file.
    Stop(oneshot::Sender<()>),
}

/// The hub's side.
#[derive(Clone, Debug)]
pub(super) struct Historian {
    tell: mpsc::Sender<Told>,
    missed: Arc<AtomicBool>,
    pub(super) shared: Arc<Shared>,
}

/// What questions about the past need.
pub(super) struct Shared {
    pub(super) history: Mutex<Option<History>>,
    log: Arc<dyn EventLog>,
    known: Mutex<Known>,
    /// The newest lines: never held while anything is waited for.
    topics: std::sync::Mutex<Topics>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::Io("the history was closed".to_owned())
}

impl Historian {
    /// Starts the task.
    pub(super) fn start(
        history: History,
        log: Arc<dyn EventLog>,
        state: &State,
        clock: Clock,
        keeping: Keeping,
    ) -> Self {
        let (tell, told) = mpsc::channel(WAITING);
        let missed = Arc::new(AtomicBool::new(false));
        let known = Mutex::new(Known::of(state));
        let shared =
            Arc::new(Shared { history: Mutex::new(Some(history)), log, known, topics: std::sync::Mutex::default() });
        let now = clock.now();
        let task = Task {
            shared: shared.clone(),
            missed: missed.clone(),
            keeping,
            pending: Vec::new(),
            since: now,
            until: now,
            clock,
            rounds: 0,
        };
        tokio::spawn(task.run(told));
        Self { tell, missed, shared }
    }

    /// Keeps a reading; where there is no room, there is a gap.
    pub(super) fn keep(&self, reading: KeptReading) {
        if self.tell.try_send(Told::Reading(Box::new(reading))).is_err() {
            self.missed.store(true, Ordering::SeqCst);
        }
    }

    /// Says what lines are about that were written just now, from line `first` on.
    pub(super) fn written(&self, first: u64, events: &[LogEvent]) {
        self.shared.topics().note(first, events);
    }

    /// Writes what came before this call.
    pub(super) async fn flush(&self) {
        let (reply, flushed) = oneshot::channel();
        if self.tell.send(Told::Flush(reply)).await.is_ok() {
            // A task that has broken has nothing more to write.
            let _ = flushed.await;
        }
    }

    /// Writes what came and lets go of the file.
    pub(super) async fn stop(&self) {
        let (reply, stopped) = oneshot::channel();
        if self.tell.send(Told::Stop(reply)).await.is_ok() {
            // A task that has broken has nothing more to write.
            let _ = stopped.await;
        }
    }
}

impl Shared {
    /// Brings the index up to the log's end.
    pub(super) async fn catch_up(&self) -> Result<(), StoreError> {
        let mut known = self.known.lock().await;
        let mut guard = self.history.lock().await;
        let history = guard.as_mut().ok_or_else(closed)?;
        let (anchor, head) = (self.log.anchor().await?.sequence, self.log.head().await?.sequence);
        if history.indexed().await? > head {
            // Another log than the one that was indexed: an older copy was put back.
            history.reset_index().await?;
        }
        loop {
            let indexed = history.indexed().await?.max(anchor);
            let behind = self.topics().behind(indexed, PAGE as usize);
            let (notes, last) = match behind {
                Behind::Here(notes) => {
                    let last = indexed + notes.len() as u64;
                    ((indexed + 1..).zip(notes.into_iter().map(Some)).collect(), last)
                }
                Behind::Log(until) => match self.read(indexed, until).await? {
                    Some(read) => read,
                    None => return Ok(()),
                },
            };
            let mut about = Vec::new();
            for (sequence, note) in notes {
                match note.map(|note| known.about(note)) {
                    Some(About::Nothing) => {}
                    Some(About::Twin(twin)) => about.push((sequence, Some(twin))),
                    Some(About::Everything) | None => about.push((sequence, None)),
                }
            }
            history.index(&about, last).await?;
        }
    }

    /// The same of lines that only the log has, and the number of the last one; `None`: there are none.
    async fn read(&self, after: u64, until: Option<u64>) -> Result<Option<Noted>, StoreError> {
        let room = until.map_or(u64::MAX, |until| until.saturating_sub(after));
        let lines = self.log.read(after, u32::try_from(room).map_or(PAGE, |room| room.min(PAGE))).await?;
        let Some(last) = lines.last().map(|line| line.sequence) else { return Ok(None) };
        // A line that this program cannot read may be about anything.
        let note = |line: &Line| (line.sequence, LogEvent::read(&line.payload).ok().as_ref().map(Note::of));
        Ok(Some((lines.iter().map(note).collect(), last)))
    }

    fn topics(&self) -> std::sync::MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lines by their numbers, with what they are about where that is known, and the number of the last of them.
type Noted = (Vec<(u64, Option<Note>)>, u64);

struct Task {
    shared: Arc<Shared>,
    missed: Arc<AtomicBool>,
    keeping: Keeping,
    pending: Vec<KeptReading>,
    /// Since when nothing was missed.
    since: Timestamp,
    /// The last moment of which that is certain.
    until: Timestamp,
    clock: Clock,
    rounds: u32,
}

impl Task {
    async fn run(mut self, mut told: mpsc::Receiver<Told>) {
        let mut round = tokio::time::interval(FLUSH);
        round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // What came before the round is written in it: it says until when nothing was missed.
                biased;
                message = told.recv() => match message {
                    Some(Told::Reading(reading)) => {
                        let at = reading.at;
                        self.pending.push(*reading);
                        if self.pending.len() >= TOGETHER {
                            // More may be waiting.
                            self.flush(at).await;
                        }
                    }
                    Some(Told::Flush(reply)) => {
                        self.flush(self.clock.now()).await;
                        // Who asked may be gone.
                        let _ = reply.send(());
                    }
                    Some(Told::Stop(reply)) => {
                        self.close().await;
                        // Nobody waits for it any more: closed all the same.
                        let _ = reply.send(());
                        return;
                    }
                    None => return self.close().await,
                },
                _ = round.tick() => self.round().await,
            }
        }
    }

    async fn round(&mut self) {
        self.rounds = self.rounds.wrapping_add(1);
        if !self.pending.is_empty() || self.rounds.is_multiple_of(QUIET_ROUNDS) {
            self.flush(self.clock.now()).await;
        }
        if let Err(error) = self.shared.catch_up().await {
            tracing::debug!(%error, "the index of the log is behind");
        }
        if self.rounds % TRIM_ROUNDS == 1 {
            self.trim().await;
        }
    }

    /// Writes what came, which is everything up to `now`.
    async fn flush(&mut self, now: Timestamp) {
        let missed = self.missed.swap(false, Ordering::SeqCst);
        // What was missed came after the last write: until then nothing was.
        let until = if missed { self.until } else { now };
        let mut guard = self.shared.history.lock().await;
        let Some(history) = guard.as_mut() else { return };
        let kept = history.keep(&self.pending, (self.since, until)).await;
        self.pending.clear();
        if let Err(error) = &kept {
            tracing::warn!(%error, "what things said is not kept at the moment");
        }
        if missed || kept.is_err() {
            self.since = now;
        }
        self.until = now;
    }

    async fn trim(&self) {
        let oldest = Timestamp(self.clock.now().0.saturating_sub(u64::from(self.keeping.history_days) * 86_400_000));
        if let Some(history) = self.shared.history.lock().await.as_mut()
            && let Err(error) = history.trim(oldest, self.keeping.history_bytes).await
        {
            tracing::warn!(%error, "the history is not cut to its size at the moment");
        }
    }

    async fn close(mut self) {
        self.flush(self.clock.now()).await;
        let _ = self.shared.catch_up().await.inspect_err(|error| tracing::debug!(%error, "the index is behind"));
        if let Some(history) = self.shared.history.lock().await.take() {
            history.close().await;
        }
    }
}
