//! Decide, write, then act: many requests share one write.
//!
//! While a batch is being written the next one is decided on top of it, as if it were more of the same batch: it is
//! begun as soon as that one is written, and falls with it where it cannot be. So the disk and the hub wait less for
//! each other. Who has something in what is being written waits for that first, and so does who asks how things are.

use std::{
    collections::{BTreeSet, VecDeque},
    pin::Pin,
    task::{Context, Waker},
    time::Instant,
};

use futures_util::future::{FutureExt, MaybeDone, maybe_done};
use vestibule_enabler_core::{
    Changes, Decision, Effect, LogEvent, State, advance, decide, delegate, dispatch, enroll, log_in, may_delegate,
    may_open_pairing, pair, settle, settle_purchases, still_counts, token::mint, undelivered, unsettles,
};
use vestibule_model::{CallId, CommandStatus, Name, PurchaseId, Refusal, RefusalCode, Timestamp, TwinId};
use vestibule_protocol::{DiiUp, Request, Response, SiiUp};
use vestibule_store::{Head, Line, NewLine, StoreError};

use crate::ops::{lines, metrics};

use super::{
    act::Answer,
    core::Core,
    handle::{SessionId, Work, is_hot},
    write::{Written, write},
};

/// Milliseconds until what nobody waits for is written again after a failure.
pub(super) const RETRY_MS: u64 = 1_000;

/// A request with what was decided about it.
struct Item {
    work: Work,
    outcome: Result<Decision, Refusal>,
    /// Its decision is in the batch's lines.
    writes: bool,
}

/// Decisions that are written together.
pub(super) struct Batch {
    /// When the last of it was decided.
    at: Timestamp,
    /// What was decided before.
    base: State,
    /// The events as a restart will read them.
    events: Vec<LogEvent>,
    lines: Vec<NewLine>,
    /// Names that were not written before.
    names: Vec<Name>,
    /// Ends of commands that are in it.
    ends: Vec<LogEvent>,
    /// Twins whose waiting commands are in it, and what they are given.
    twins: BTreeSet<TwinId>,
    /// Calls for which something may follow.
    calls: BTreeSet<CallId>,
    /// Purchases for which something may follow.
    purchases: BTreeSet<PurchaseId>,
    effects: Vec<Effect>,
    items: Vec<Item>,
    /// Questions that came while the batch before was being written: answered from what is so after it.
    asked: Vec<Work>,
    /// Whose decisions are in it.
    writers: BTreeSet<SessionId>,
}

impl Batch {
    /// This one and what was decided on top of it, where nothing can be written.
    fn with(mut self, next: Option<Self>) -> Self {
        let Some(next) = next else { return self };
        self.ends.extend(next.ends);
        self.twins.extend(next.twins);
        self.calls.extend(next.calls);
        self.purchases.extend(next.purchases);
        let asked = |work| Item { work, outcome: Ok(Decision::default()), writes: false };
        self.items.extend(next.items.into_iter().chain(next.asked.into_iter().map(asked)));
        self
    }

    /// How many requests it has.
    pub(super) fn len(&self) -> usize {
        self.items.len() + self.asked.len()
    }
}

/// A batch on its way to the disk.
pub(super) struct InFlight {
    batch: Batch,
    write: MaybeDone<Pin<Box<dyn Future<Output = Result<Written, StoreError>> + Send>>>,
    /// The hub's own thread waits for it, and has not begun to.
    to_wait_for: bool,
    since: Instant,
}

impl InFlight {
    pub(super) const fn base(&self) -> &State {
        &self.batch.base
    }

    /// Whether the hub's own thread is to wait for the disk.
    pub(super) const fn is_to_wait_for(&self) -> bool {
        self.to_wait_for
    }

    /// Begins to write; the hub's loop waits for the end.
    fn begin(&mut self) {
        self.to_wait_for = false;
        let _ = self.write.poll_unpin(&mut Context::from_waker(Waker::noop()));
    }

    /// Waits for the write, for ever where there is none.
    pub(super) async fn written(commit: &mut Option<Self>) -> Result<Written, StoreError> {
        match commit {
            Some(commit) => {
                let mut write = Pin::new(&mut commit.write);
                write.as_mut().await;
                write.take_output().unwrap_or_else(|| Err(StoreError::Io("the write has no end".to_owned())))
            }
            None => std::future::pending().await,
        }
    }
}

impl Core {
    /// Decides these in order, each against what those before it decided, and begins to write.
    pub(super) fn decide_together(&mut self, works: VecDeque<Work>) {
        let mut batch = self.open_batch();
        self.decide_into(&mut batch, works);
        if let Some(batch) = self.begin_write(batch) {
            self.act(batch);
        }
        self.wait_here();
    }

    /// The same while a batch is being written, on top of it.
    pub(super) fn decide_ahead(&mut self, works: VecDeque<Work>) {
        let next = self.next.take();
        let mut batch = next.unwrap_or_else(|| self.open_batch());
        self.decide_into(&mut batch, works);
        self.next = Some(batch);
    }

    /// A batch with what is to be decided and nobody asked for.
    fn open_batch(&mut self) -> Batch {
        let now = self.clock.now();
        let mut batch = Batch {
            at: now,
            base: self.state.clone(),
            events: Vec::new(),
            lines: Vec::new(),
            names: Vec::new(),
            ends: Vec::new(),
            twins: std::mem::take(&mut self.to_dispatch),
            calls: std::mem::take(&mut self.to_advance),
            // What a merchant is asked in the batch before is known to have been asked when that is written.
            purchases: if self.commit.is_none() { std::mem::take(&mut self.to_trade) } else { BTreeSet::new() },
            effects: Vec::new(),
            items: Vec::new(),
            asked: Vec::new(),
            writers: BTreeSet::new(),
        };
        for event in std::mem::take(&mut self.backlog) {
            if still_open(&self.state, now, &event) && self.stage(&mut batch, &event).is_ok() {
                batch.ends.push(event);
            }
        }
        let access = self.to_settle.take().or_else(|| unsettled(&batch.ends));
        batch.effects = self.settle_now(&mut batch, access);
        let waiting = dispatch(&self.state, &self.hot, now, &batch.twins);
        self.follows(&mut batch, waiting);
        let following = advance(&self.state, &self.hot, now, &batch.calls);
        self.follows(&mut batch, following);
        let trading = settle_purchases(&self.state, &self.hot, now, &batch.purchases);
        self.follows(&mut batch, trading);
        batch
    }

    fn decide_into(&mut self, batch: &mut Batch, mut works: VecDeque<Work>) {
        let now = self.clock.now();
        batch.at = now;
        while let Some(work) = works.pop_front() {
            if self.follows_from_unwritten(batch, &work) {
                // It waits, and all behind it.
                works.push_front(work);
                break;
            }
            let work = match work {
                Work::Ask(ask) if is_hot(&ask.request) => {
                    self.hot_ask(ask);
                    continue;
                }
                work if self.commit.is_some() && asks_how_things_are(&work) => {
                    batch.asked.push(work);
                    continue;
                }
                work => work,
            };
            let outcome = self.decide_one(&batch.base, now, &work).and_then(|mut decision| {
                decision.events.iter().try_for_each(|event| self.stage(batch, event))?;
                // Before anything else is decided: nobody acts on a lease that this has ended.
                let follows = self.settle_now(batch, unsettled(&decision.events));
                decision.effects.extend(follows);
                Ok(decision)
            });
            let writes = outcome.as_ref().is_ok_and(|decision| !decision.events.is_empty());
            if let (Work::Ask(ask), Ok(decision)) = (&work, &outcome)
                && (writes || !decision.effects.is_empty())
            {
                batch.writers.insert(ask.session);
            }
            batch.items.push(Item { work, outcome, writes });
        }
        self.carried = works;
    }

    /// Whether what somebody says may follow from a decision of theirs that is not written yet.
    fn follows_from_unwritten(&self, batch: &Batch, work: &Work) -> bool {
        let Work::Ask(ask) = work else { return false };
        let writing = self.commit.as_ref().is_some_and(|commit| commit.batch.writers.contains(&ask.session));
        writing || is_hot(&ask.request) && batch.writers.contains(&ask.session)
    }

    /// What follows by itself is written, then done.
    fn follows(&mut self, batch: &mut Batch, decision: Decision) {
        if decision.events.iter().all(|event| self.stage(batch, event).is_ok()) {
            batch.effects.extend(decision.effects);
        }
    }

    /// What follows for leases is written with what it follows from.
    fn settle_now(&mut self, batch: &mut Batch, access: Option<bool>) -> Vec<Effect> {
        let Some(access) = access else { return Vec::new() };
        let settled = settle(&self.state, &self.hot, batch.at, access);
        let staged = settled.events.iter().try_for_each(|event| self.stage(batch, event));
        if staged.is_ok() { settled.effects } else { Vec::new() }
    }

    /// Begins to write a batch while nothing else is being written. Gives it back where there is nothing to write.
    fn begin_write(&mut self, mut batch: Batch) -> Option<Batch> {
        for work in std::mem::take(&mut batch.asked) {
            let outcome = self.decide_one(&batch.base, self.clock.now(), &work);
            batch.items.push(Item { work, outcome, writes: false });
        }
        if batch.events.is_empty() {
            return Some(batch);
        }
        let (log, after) = (self.log.clone(), self.head);
        let lines = std::mem::take(&mut batch.lines);
        let here = self.pace.waits_for(lines.len());
        batch.names = self.names.take_fresh();
        let names = batch.names.clone();
        let write: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { write(log.as_ref(), after, lines, names, here).await });
        // Not a task of its own: each hand-over to another thread costs as much as a tenth of the write.
        let mut commit = InFlight { batch, write: maybe_done(write), to_wait_for: here, since: Instant::now() };
        if !here {
            // Before anything else is done.
            commit.begin();
        }
        self.commit = Some(commit);
        None
    }

    /// Writes what this thread itself waits for, and says so where that is all.
    pub(super) fn wait_here(&mut self) {
        let Some(commit) = self.commit.as_mut().filter(|commit| commit.to_wait_for) else { return };
        commit.since = Instant::now();
        commit.begin();
        self.pace.waited(commit.since.elapsed());
        if let Some(written) = Pin::new(&mut commit.write).take_output() {
            self.finish(written);
        }
    }

    fn stage(&mut self, batch: &mut Batch, event: &LogEvent) -> Result<(), Refusal> {
        let (payload, event) = self
            .names
            .scope(|| event.written())
            .map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))?;
        self.state.apply(batch.at, &event);
        batch.events.push(event);
        batch.lines.push(NewLine { at: batch.at, payload });
        Ok(())
    }

    fn decide_one(&mut self, base: &State, now: Timestamp, work: &Work) -> Result<Decision, Refusal> {
        let ask = match work {
            Work::Ask(ask) => ask,
            Work::Enroll { certificate, user, roles, .. } => {
                return enroll(&self.state, *certificate, user, roles, user.as_str());
            }
            Work::Write { events, .. } => return Ok(Decision::done(events.clone())),
            Work::Told { said, .. } => return self.decide_told(base, now, said),
            Work::LogIn { certificate, login, name, roles, until, .. } => {
                return log_in(&self.state, now, *certificate, login, name, roles, *until);
            }
        };
        let session = self.sessions.get(&ask.session);
        let session = session.ok_or_else(|| Refusal::new(RefusalCode::Unavailable, "the connection is closed"))?;
        let decision = match &ask.request {
            Request::Pair { code, name } => {
                let offer = self.pairing.redeem(code, now)?;
                pair(&self.state, now, &session.actor.identity, &offer, name)
            }
            Request::OpenPairing { role, user } => {
                let offer = may_open_pairing(&self.state, now, &session.actor, role, user.as_ref())?;
                let (code, until) = self.pairing_code(&offer)?;
                Ok(Decision::reply(Response::Code { digits: code.as_str().to_owned(), until }))
            }
            Request::Delegate(delegation) => {
                let by = may_delegate(&self.state, now, &session.actor, delegation)?;
                delegate(&self.state, mint(&self.token_key, rand::random(), &by, now, delegation)?)
            }
            Request::Erase { user } => {
                let decision = decide(&self.state, &self.hot, now, &session.actor, &ask.request)?;
                // Writing it would make a name.
                self.names.user(user.as_str()).map(|_| decision).ok_or_else(|| {
                    Refusal::new(RefusalCode::NotFound, format!("nothing is written about anybody called {user}"))
                })
            }
            Request::Dii(DiiUp::Inquired { inquiry, answer }) => self.inquired(session, *inquiry, answer),
            Request::Sii(SiiUp::Authorized { inquiry, answer }) => self.authorized(session, now, *inquiry, answer),
            // Readings belong to the descriptions that they were told with, not to one that is being written.
            Request::DiscoverSystems(_) | Request::ListTwins { .. } | Request::DescribeTwin(_) => {
                decide(base, &self.hot, now, &session.actor, &ask.request)
            }
            request => decide(&self.state, &self.hot, now, &session.actor, request),
        }?;
        // Last: whoever may not ask for it learns nothing of what is so.
        ask.condition.as_ref().map_or(Ok(()), |condition| condition.check(&self.state))?;
        Ok(decision)
    }

    /// The write is over.
    pub(super) fn finish(&mut self, written: Result<Written, StoreError>) {
        let Some(InFlight { batch, since, .. }) = self.commit.take() else { return };
        let next = self.next.take();
        metrics::written(batch.events.len(), since.elapsed(), matches!(written, Ok(Written::Done(_))));
        match written {
            Ok(Written::Done(head)) => self.done(batch, next, head),
            Ok(Written::Moved(lines)) => self.moved(batch.with(next), &lines),
            Err(error) => self.not_written(batch.with(next), &error),
        }
    }

    /// The batch is durable: begins to write what was decided meanwhile, then does what was decided.
    fn done(&mut self, batch: Batch, next: Option<Batch>, head: Head) {
        self.past.historian.written(self.head.sequence + 1, &batch.events);
        self.head = head;
        if self.storage.take().is_some() {
            tracing::info!("the log can be written again");
        }
        let state = next.as_ref().map_or(&self.state, |next| &next.base);
        let mut changes = Changes::default();
        for event in &batch.events {
            self.hot.follow_into(state, batch.at, event, &mut changes);
        }
        let unwritten = next.and_then(|next| self.begin_write(next));
        self.distribute(changes);
        self.written += batch.events.len() as u64;
        self.act(batch);
        if let Some(batch) = unwritten {
            self.act(batch);
        }
        self.keep_snapshot();
    }

    /// Takes lines that were in the log already, then decides everything again.
    fn moved(&mut self, batch: Batch, lines: &[Line]) {
        tracing::warn!(lines = lines.len(), "the log had lines that were not known here");
        self.undo(&batch);
        self.names.return_fresh(batch.names.clone());
        for line in lines {
            let event = match self.names.scope(|| LogEvent::read(&line.payload)) {
                Ok(event) => event,
                Err(error) => return self.not_written(batch, &StoreError::Damaged(error.to_string())),
            };
            self.state.apply(line.at, &event);
            self.head = Head { sequence: line.sequence, hash: line.hash };
            let changes = self.hot.follow(&self.state, line.at, &event);
            self.distribute(changes);
        }
        let works: Vec<Work> = batch.items.into_iter().map(|item| item.work).collect();
        works.into_iter().rev().for_each(|work| self.carried.push_front(work));
        self.backlog.extend(batch.ends);
        self.to_dispatch.extend(batch.twins);
        self.to_advance.extend(batch.calls);
        self.to_trade.extend(batch.purchases);
        self.unsettle(true);
    }

    fn undo(&mut self, batch: &Batch) {
        self.state = batch.base.clone();
    }

    /// Nothing of it happened: whoever asked for something that had to be written is told so.
    fn not_written(&mut self, batch: Batch, error: &StoreError) {
        tracing::error!(%error, "nothing can be written");
        self.undo(&batch);
        self.names.return_fresh(batch.names.clone());
        let words = error.to_string();
        self.retry_at = self.clock.now().plus(RETRY_MS);
        // What was measured goes on being measured, and is written another time.
        let ends = batch.ends.into_iter().filter(|event| !matches!(event, LogEvent::SystemMeasured { .. }));
        self.backlog.extend(ends);
        self.to_dispatch.extend(batch.twins);
        self.to_advance.extend(batch.calls);
        self.to_trade.extend(batch.purchases);
        self.unsettle(true);
        let mut again = Vec::new();
        for item in batch.items {
            if item.writes {
                self.answer_not_kept(&item.work, &words);
                reply(item.work, Err(Refusal::new(RefusalCode::Storage, words.clone())));
            } else {
                // It may have been decided on what was not written.
                again.push(item.work);
            }
        }
        again.into_iter().rev().for_each(|work| self.carried.push_front(work));
        self.storage = Some(words);
    }

    /// What was decided is written, or had nothing to write: do it and say so.
    fn act(&mut self, batch: Batch) {
        for effect in batch.effects {
            self.give(effect);
        }
        for Item { work, outcome, .. } in batch.items {
            self.note_decided(&work, &outcome);
            match outcome.map(|decision| self.perform(&work, decision)) {
                Ok(Answer::Now(response)) => reply(work, Ok(response)),
                Ok(Answer::Log) => self.read_log(work),
                Ok(Answer::Forget(user)) => self.forget(work, user),
                Ok(Answer::Part(user)) => self.take_part(work, user),
                Ok(Answer::Past(viewer)) => self.read_past(work, *viewer),
                Ok(Answer::Later { system, question }) => self.defer(work, &system, question),
                Err(refusal) => {
                    self.answer_not_kept(&work, &refusal.message);
                    reply(work, Err(refusal));
                }
            }
        }
    }
}

/// Readings belong to the descriptions that they were told with, not to one that is being written.
const fn asks_how_things_are(work: &Work) -> bool {
    let Work::Ask(ask) = work else { return false };
    matches!(ask.request, Request::DiscoverSystems(_) | Request::ListTwins { .. } | Request::DescribeTwin(_))
}

/// Whether the end of a command is still to be written.
fn still_open(state: &State, now: Timestamp, event: &LogEvent) -> bool {
    match event {
        LogEvent::CommandEnded { command, status, .. } => {
            debug_assert!(CommandStatus::is_final(status), "an end is an end");
            state.open.contains_key(command)
        }
        LogEvent::StepEnded { call, step, undo, .. } => undelivered(state, *call, step, *undo).is_some(),
        event => still_counts(state, now, event),
    }
}

/// Whether something may follow for leases from one of these, and whether they change who may do what.
fn unsettled(events: &[LogEvent]) -> Option<bool> {
    events.iter().filter_map(unsettles).reduce(|one, other| one || other)
}

pub(super) fn reply(work: Work, outcome: Result<Response, Refusal>) {
    // Who asked may be gone: what was decided holds.
    match work {
        Work::Ask(ask) => {
            let response = outcome.unwrap_or_else(Response::Refused);
            metrics::decided(&ask.request, &response);
            lines::answered(&ask.request, &response);
            let _ = ask.reply.send(response);
        }
        Work::Enroll { reply, .. }
        | Work::LogIn { reply, .. }
        | Work::Write { reply, .. }
        | Work::Told { reply, .. } => {
            let _ = reply.send(outcome.map(|_| ()));
        }
    }
}
