//! Decide, write, then act: many requests share one write.

use std::collections::{BTreeSet, VecDeque};

use tokio::task::JoinHandle;
use vestibule_enabler_core::{
    Changes, Decision, Effect, LogEvent, State, decide, delegate, dispatch, enroll, log_in, may_delegate,
    may_open_pairing, pair, settle, still_counts, token::mint, unsettles,
};
use vestibule_model::{CommandStatus, Refusal, RefusalCode, SystemId, SystemInfo, Timestamp, TwinId};
use vestibule_protocol::{DiiDown, Execution, LogLine, MAX_FRAME, Request, Response};
use vestibule_store::{Head, Line, NewLine, StoreError};

use super::{
    core::Core,
    handle::{SessionId, Work, is_hot},
    subscription::Subscription,
    write::{Written, write},
};

/// Milliseconds until what nobody waits for is written again after a failure.
const RETRY_MS: u64 = 1_000;

/// A request with what was decided about it.
struct Item {
    work: Work,
    outcome: Result<Decision, Refusal>,
    /// Its decision is in the batch's lines.
    writes: bool,
}

/// Decisions that are written together.
struct Batch {
    at: Timestamp,
    /// What was decided before.
    base: State,
    /// The events as a restart will read them.
    events: Vec<LogEvent>,
    lines: Vec<NewLine>,
    /// Ends of commands that are in it.
    ends: Vec<LogEvent>,
    /// Twins whose waiting commands are in it, and what they are given.
    twins: BTreeSet<TwinId>,
    effects: Vec<Effect>,
    items: Vec<Item>,
}

/// A batch on its way to the disk.
pub(super) struct InFlight {
    batch: Batch,
    task: JoinHandle<Result<Written, StoreError>>,
}

impl InFlight {
    pub(super) const fn base(&self) -> &State {
        &self.batch.base
    }

    /// Waits for the write, for ever where there is none.
    pub(super) async fn written(commit: &mut Option<Self>) -> Result<Written, StoreError> {
        match commit {
            Some(commit) => (&mut commit.task)
                .await
                .unwrap_or_else(|error| Err(StoreError::Io(format!("the writer broke: {error}")))),
            None => std::future::pending().await,
        }
    }
}

impl Core {
    /// Decides these in order, each against what those before it decided, and begins to write.
    pub(super) fn decide_together(&mut self, mut works: VecDeque<Work>) {
        let now = self.clock.now();
        let mut batch = Batch {
            at: now,
            base: self.state.clone(),
            events: Vec::new(),
            lines: Vec::new(),
            ends: Vec::new(),
            twins: std::mem::take(&mut self.to_dispatch),
            effects: Vec::new(),
            items: Vec::new(),
        };
        for event in std::mem::take(&mut self.backlog) {
            if still_open(&self.state, now, &event) && self.stage(&mut batch, &event).is_ok() {
                batch.ends.push(event);
            }
        }
        let access = self.to_settle.take().or_else(|| unsettled(&batch.ends));
        batch.effects = self.settle_now(&mut batch, access);
        let waiting = dispatch(&self.state, &self.hot, now, &batch.twins);
        if waiting.events.iter().all(|event| self.stage(&mut batch, event).is_ok()) {
            batch.effects.extend(waiting.effects);
        }
        let mut writers: BTreeSet<SessionId> = BTreeSet::new();
        while let Some(work) = works.pop_front() {
            let work = match work {
                Work::Ask(ask) if is_hot(&ask.request) => {
                    if writers.contains(&ask.session) {
                        // It follows from what is not written yet: it waits, and all behind it.
                        works.push_front(Work::Ask(ask));
                        break;
                    }
                    self.hot_ask(ask);
                    continue;
                }
                work => work,
            };
            let outcome = self.decide_one(&batch, now, &work).and_then(|mut decision| {
                decision.events.iter().try_for_each(|event| self.stage(&mut batch, event))?;
                // Before anything else is decided: nobody acts on a lease that this has ended.
                let follows = self.settle_now(&mut batch, unsettled(&decision.events));
                decision.effects.extend(follows);
                Ok(decision)
            });
            let writes = outcome.as_ref().is_ok_and(|decision| !decision.events.is_empty());
            if let (Work::Ask(ask), Ok(decision)) = (&work, &outcome)
                && (writes || !decision.effects.is_empty())
            {
                writers.insert(ask.session);
            }
            batch.items.push(Item { work, outcome, writes });
        }
        self.carried = works;
        self.begin_write(batch);
    }

    /// What follows for leases is written with what it follows from.
    fn settle_now(&mut self, batch: &mut Batch, access: Option<bool>) -> Vec<Effect> {
        let Some(access) = access else { return Vec::new() };
        let settled = settle(&self.state, &self.hot, batch.at, access);
        let staged = settled.events.iter().try_for_each(|event| self.stage(batch, event));
        if staged.is_ok() { settled.effects } else { Vec::new() }
    }

    fn begin_write(&mut self, mut batch: Batch) {
        if batch.events.is_empty() {
            return self.act(batch);
        }
        let (log, after) = (self.log.clone(), self.head);
        let lines = std::mem::take(&mut batch.lines);
        let task = tokio::spawn(async move { write(log.as_ref(), after, lines).await });
        self.commit = Some(InFlight { batch, task });
    }

    fn stage(&mut self, batch: &mut Batch, event: &LogEvent) -> Result<(), Refusal> {
        let (payload, event) =
            event.written().map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))?;
        self.state.apply(batch.at, &event);
        batch.events.push(event);
        batch.lines.push(NewLine { at: batch.at, payload });
        Ok(())
    }

    fn decide_one(&mut self, batch: &Batch, now: Timestamp, work: &Work) -> Result<Decision, Refusal> {
        let ask = match work {
            Work::Ask(ask) => ask,
            Work::Enroll { certificate, user, roles, .. } => {
                return enroll(&self.state, *certificate, user, roles, user.as_str());
            }
            Work::LogIn { certificate, login, name, roles, until, .. } => {
                return log_in(&self.state, now, *certificate, login, name, roles, *until);
            }
        };
        let session = self.sessions.get(&ask.session);
        let session = session.ok_or_else(|| Refusal::new(RefusalCode::Unavailable, "the connection is closed"))?;
        match &ask.request {
            Request::Pair { code, name } => {
                let offer = self.pairing.redeem(code, now)?;
                pair(&self.state, &session.actor.identity, &offer, name)
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
            // Readings belong to the descriptions that they were told with, not to one that is being written.
            Request::DiscoverSystems(_) | Request::ListTwins { .. } | Request::DescribeTwin(_) => {
                decide(&batch.base, &self.hot, now, &session.actor, &ask.request)
            }
            request => decide(&self.state, &self.hot, now, &session.actor, request),
        }
    }

    /// The write is over.
    pub(super) fn finish(&mut self, written: Result<Written, StoreError>) {
        let Some(InFlight { batch, .. }) = self.commit.take() else { return };
        match written {
            Ok(Written::Done(head)) => {
                self.head = head;
                if self.storage.take().is_some() {
                    tracing::info!("the log can be written again");
                }
                let mut changes = Changes::default();
                for event in &batch.events {
                    changes.merge(self.hot.follow(&self.state, batch.at, event));
                }
                self.distribute(changes);
                self.act(batch);
            }
            Ok(Written::Moved(lines)) => self.moved(batch, &lines),
            Err(error) => self.not_written(batch, &error),
        }
    }

    /// Takes lines that were in the log already, then decides everything again.
    fn moved(&mut self, batch: Batch, lines: &[Line]) {
        tracing::warn!(lines = lines.len(), "the log had lines that were not known here");
        self.undo(&batch);
        for line in lines {
            let event = match LogEvent::read(&line.payload) {
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
        self.unsettle(true);
    }

    fn undo(&mut self, batch: &Batch) {
        self.state = batch.base.clone();
    }

    /// Nothing of it happened: whoever asked for something that had to be written is told so.
    fn not_written(&mut self, batch: Batch, error: &StoreError) {
        tracing::error!(%error, "nothing can be written");
        self.undo(&batch);
        let words = error.to_string();
        self.retry_at = self.clock.now().plus(RETRY_MS);
        self.backlog.extend(batch.ends);
        self.to_dispatch.extend(batch.twins);
        self.unsettle(true);
        let mut again = Vec::new();
        for item in batch.items {
            if item.writes {
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
            let outcome = outcome.map(|decision| self.perform(&work, decision));
            match outcome {
                Ok(Some(response)) => reply(work, Ok(response)),
                Ok(None) => self.read_log(work),
                Err(refusal) => reply(work, Err(refusal)),
            }
        }
    }

    fn perform(&mut self, work: &Work, decision: Decision) -> Option<Response> {
        let mut response = decision.reply;
        if let Work::Ask(ask) = work {
            if let (Request::Dii(_), Some(system)) =
                (&ask.request, self.sessions.get(&ask.session).and_then(|session| session.actor.system.clone()))
            {
                let changes = self.hot.heard(&system, self.clock.now());
                self.distribute(changes);
            }
            for effect in decision.effects {
                match effect {
                    Effect::Greeted(party) => {
                        if let Some(session) = self.sessions.get_mut(&ask.session) {
                            session.actor.party = Some(party);
                        }
                    }
                    Effect::Attach(info) => self.attach(ask.session, &info),
                    Effect::Bear(grant) => {
                        let (now, state) = (self.clock.now(), &self.state);
                        if let Some(session) = self.sessions.get_mut(&ask.session) {
                            session.bear(grant, state, now);
                        }
                    }
                    Effect::Subscribe(interest) => {
                        if let Some(session) = self.sessions.get_mut(&ask.session) {
                            let before = session.subscription.take();
                            session.subscription = Some(Subscription::new(interest, before));
                        }
                    }
                    Effect::ReadLog { .. } => return None,
                    effect => self.give(effect),
                }
            }
            self.name_twins(ask.session, &mut response);
        } else {
            decision.effects.into_iter().for_each(|effect| self.give(effect));
        }
        if let Some(Response::Welcome(welcome)) = &mut response {
            welcome.enabler.clone_from(&self.name);
        }
        Some(response.unwrap_or(Response::Done))
    }

    /// In answers, twins have the names that this session's datagrams know them by.
    fn name_twins(&self, session: SessionId, response: &mut Option<Response>) {
        let subscription = self.sessions.get(&session).and_then(|session| session.subscription.as_ref());
        if let (Some(Response::Twins(views)), Some(subscription)) = (response, subscription) {
            for view in views {
                (view.short, view.epoch) = subscription.names(&view.info.id).unwrap_or_default();
            }
        }
    }

    fn attach(&mut self, id: SessionId, info: &SystemInfo) {
        if let Some(old) = self.systems.get(&info.id).copied().filter(|old| *old != id) {
            self.close(old, "the same system has connected anew");
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        // A session speaks for one system: whoever registers as another one has left the first.
        let left = session.actor.system.clone().filter(|left| *left != info.id);
        session.attach(info.id.clone());
        session.tell(DiiDown::Registered);
        let now = self.clock.now();
        if let Some(left) = left {
            self.systems.remove(&left);
            let changes = self.hot.detach(&left, now);
            self.distribute(changes);
        }
        self.systems.insert(info.id.clone(), id);
        let changes = self.hot.attach(&info.id, info.heartbeat_ms, now);
        self.distribute(changes);
    }

    fn give(&mut self, effect: Effect) {
        match effect {
            Effect::Execute { system, execution } => self.execute(&system, execution),
            Effect::Refresh { system, twin } => {
                // A system that is behind will report anyway.
                let _ = self.tell_system(&system, DiiDown::Refresh(twin));
            }
            Effect::Integrate { system, twin, lease, fence, until } => {
                let message = DiiDown::Integrate { twin: twin.clone(), lease, fence, until };
                self.insist(&system, twin, message);
            }
            Effect::Released { system, twin, fence } => {
                self.insist(&system, twin.clone(), DiiDown::Released { twin, fence });
            }
            _ => {}
        }
    }

    /// Tells a system who holds a twin, later where it is behind. One that is away is told when it is there again.
    fn insist(&mut self, system: &SystemId, twin: TwinId, message: DiiDown) {
        if !self.tell_system(system, message) && self.systems.contains_key(system) {
            self.to_dispatch.insert(twin);
            self.retry_at = self.retry_at.max(self.clock.now().plus(RETRY_MS));
        }
    }

    fn tell_system(&mut self, system: &SystemId, message: DiiDown) -> bool {
        let session = self.systems.get(system).and_then(|id| self.sessions.get_mut(id));
        session.is_some_and(|session| session.tell(message))
    }

    fn execute(&mut self, system: &SystemId, execution: Execution) {
        let command = execution.command;
        if self.clock.now() > execution.not_after {
            // Writing took too long. It is never executed late, and the thing owes nothing.
            self.backlog.push(LogEvent::CommandEnded { command, status: CommandStatus::Expired, unmet: Vec::new() });
            return;
        }
        if !self.tell_system(system, DiiDown::Execute(execution)) {
            self.undelivered([command], "its system is away or does not listen");
        }
    }

    fn read_log(&self, work: Work) {
        let Work::Ask(ask) = work else { return };
        let Request::Log { after, limit } = ask.request else { return };
        let log = self.log.clone();
        let limit = if limit == 0 { 100 } else { limit.min(500) };
        tokio::spawn(async move {
            let response = match log.read(after, u32::from(limit)).await {
                Ok(lines) => Response::Log(page(lines)),
                Err(error) => Response::Refused(Refusal::new(RefusalCode::Storage, error.to_string())),
            };
            // Who asked may be gone.
            let _ = ask.reply.send(response);
        });
    }
}

/// As many lines as fit a frame, one at least: only an empty page is the last one.
fn page(lines: Vec<Line>) -> Vec<LogLine> {
    let mut bytes = 0;
    let fits = lines.into_iter().take_while(|line| {
        let first = bytes == 0;
        bytes += line.payload.len() + 64;
        first || bytes <= MAX_FRAME / 2
    });
    let words = |line: Line| LogLine {
        sequence: line.sequence,
        at: line.at,
        event: String::from_utf8_lossy(&line.payload).into_owned(),
        hash: line.hash,
    };
    fits.map(words).collect()
}

/// Whether the end of a command is still to be written.
fn still_open(state: &State, now: Timestamp, event: &LogEvent) -> bool {
    match event {
        LogEvent::CommandEnded { command, status, .. } => {
            debug_assert!(CommandStatus::is_final(status), "an end is an end");
            state.open.contains(command)
        }
        event => still_counts(state, now, event),
    }
}

/// Whether something may follow for leases from one of these, and whether they change who may do what.
fn unsettled(events: &[LogEvent]) -> Option<bool> {
    events.iter().filter_map(unsettles).reduce(|one, other| one || other)
}

fn reply(work: Work, outcome: Result<Response, Refusal>) {
    // Who asked may be gone: what was decided holds.
    match work {
        Work::Ask(ask) => {
            let _ = ask.reply.send(outcome.unwrap_or_else(Response::Refused));
        }
        Work::Enroll { reply, .. } | Work::LogIn { reply, .. } => {
            let _ = reply.send(outcome.map(|_| ()));
        }
    }
}
