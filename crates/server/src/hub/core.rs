//! The hub's task.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot, watch};
use vestibule_enabler_core::{
    Changes, Hot, Identity, LogEvent, Offer, Pairing, PairingCode, State, Steps, all_leases, execution_failed,
    system_health, token::RootKey,
};
use vestibule_model::{
    CallId, CommandId, Commitment, NameBook, PurchaseId, Refusal, RefusalCode, SystemId, Timestamp, TwinId,
};
use vestibule_protocol::{Disclosures, Party, Response};
use vestibule_store::{DataFolder, EventLog, Head};

use crate::ops::lines;

use super::{
    Clock, HubConfig, HubError, Keeping, Loaded, MOST_MEASURED, MOST_SESSIONS, Trade,
    batch::{Batch, InFlight},
    deferred::Deferred,
    given::Given,
    handle::{Control, HotMessage, Opened, SessionId, Work},
    history::Historian,
    keeper::Keeper,
    kept::Things,
    recent::Recent,
    session::Session,
    subscription::World,
    write::Pace,
};

/// Requests that are decided together: at most so many share one write.
const MOST_TOGETHER: usize = 256;
/// Hot messages that are taken before anything else has its turn.
const HOT_TOGETHER: usize = 256;
/// How long a stop waits for a snapshot that is being written.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// The longest sleep: nothing waits for it, it only bounds what a mistake could cost.
const LONGEST_SLEEP_MS: u64 = 60_000;

/// Where the hub is spoken to.
pub(super) struct Inbox {
    pub(super) control: mpsc::Receiver<Control>,
    pub(super) decide: mpsc::Receiver<Work>,
    pub(super) hot: mpsc::Receiver<HotMessage>,
}

/// Everything that the hub owns.
pub(super) struct Core {
    pub(super) name: String,
    pub(super) clock: Clock,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) head: Head,
    /// With the decisions of the batch that is being written and of the next one: undone where they cannot be.
    pub(super) state: State,
    pub(super) hot: Hot,
    pub(super) pairing: Pairing,
    /// Signs tokens.
    pub(super) token_key: RootKey,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    /// Which session speaks for a system.
    pub(super) systems: BTreeMap<SystemId, SessionId>,
    /// Ends of commands that are not written yet: at most one for each open command and each lasting wish.
    pub(super) backlog: Vec<LogEvent>,
    /// Twins that became reachable and may have commands waiting.
    pub(super) to_dispatch: BTreeSet<TwinId>,
    /// Calls for which something may follow: at most the open ones.
    pub(super) to_advance: BTreeSet<CallId>,
    /// Purchases for which something may follow: at most the open ones.
    pub(super) to_trade: BTreeSet<PurchaseId>,
    /// Takes what users give.
    pub(super) given: Arc<Given>,
    /// Products without electronics, for whoever maintains their twins.
    pub(super) things: watch::Sender<Things>,
    /// Speaks to merchants.
    pub(super) trade: Option<Arc<dyn Trade>>,
    /// Something may follow for leases; whether it changes who may do what.
    pub(super) to_settle: Option<bool>,
    /// Work that goes before what comes new: at most one batch.
    pub(super) carried: VecDeque<Work>,
    pub(super) commit: Option<InFlight>,
    /// Whether this thread itself waits for the disk.
    pub(super) pace: Pace,
    /// Decided on top of what is being written; there is none where nothing is.
    pub(super) next: Option<Batch>,
    /// Questions to systems that somebody waits for.
    pub(super) deferred: Deferred,
    /// What happened, as steps of P1 and P2.
    pub(super) steps: Steps,
    /// Why the last write failed.
    pub(super) storage: Option<String>,
    /// The next attempt to write what nobody waits for.
    pub(super) retry_at: Timestamp,
    pub(super) names: NameBook,
    pub(super) keeping: Keeping,
    pub(super) past: Past,
    /// Lines since the last snapshot.
    pub(super) written: u64,
    /// A snapshot is being written.
    pub(super) snapshotting: bool,
    /// Whose name is destroyed, but still in what is being written.
    pub(super) forgotten: Vec<Forgotten>,
    /// What happened of late, for whoever was not there.
    recent: Recent,
    next_session: SessionId,
    folder: Option<DataFolder>,
}

type Forgotten = (Commitment, Disclosures, oneshot::Sender<Response>);

/// What looks after the past.
pub(super) struct Past {
    /// How the hub hears what its background tasks did.
    pub(super) control: mpsc::WeakSender<Control>,
    pub(super) keeper: Option<Keeper>,
    pub(super) historian: Historian,
    /// The line that the log begins behind.
    pub(super) begins: u64,
    /// Why the log is not as it was written. Stays until somebody has looked after it.
    pub(super) damage: Option<String>,
    /// Places for questions.
    pub(super) questions: Arc<tokio::sync::Semaphore>,
}

impl Core {
    pub(super) fn new(
        config: HubConfig,
        log: Arc<dyn EventLog>,
        loaded: Loaded,
        hot: Hot,
        folder: Option<DataFolder>,
        past: Past,
        token_key: RootKey,
        given: Arc<Given>,
    ) -> Self {
        let Loaded { state, head, names, snapshot, .. } = loaded;
        let things = Things::of(&state);
        Self {
            name: config.name,
            clock: config.clock,
            log,
            head,
            state,
            hot,
            pairing: Pairing::default(),
            token_key,
            sessions: BTreeMap::new(),
            systems: BTreeMap::new(),
            backlog: Vec::new(),
            to_dispatch: BTreeSet::new(),
            to_advance: BTreeSet::new(),
            to_trade: BTreeSet::new(),
            given,
            things: watch::Sender::new(things),
            trade: None,
            // A lease may have ended while nothing ran.
            to_settle: Some(true),
            carried: VecDeque::new(),
            commit: None,
            pace: Pace::default(),
            next: None,
            deferred: Deferred::default(),
            steps: Steps::default(),
            storage: None,
            retry_at: Timestamp(0),
            names,
            keeping: config.keeping,
            past,
            written: head.sequence - snapshot,
            snapshotting: false,
            forgotten: Vec::new(),
            recent: Recent::default(),
            next_session: 1,
            folder,
        }
    }

    /// What was decided and written.
    pub(super) fn committed(&self) -> &State {
        self.commit.as_ref().map_or(&self.state, InFlight::base)
    }

    pub(super) async fn run(mut self, mut inbox: Inbox) {
        self.begin_keeping();
        self.refer();
        loop {
            let wake = self.clock.until(self.next_wakeup());
            let idle = self.commit.is_none();
            tokio::select! {
                control = inbox.control.recv() => match control {
                    Some(Control::Shutdown(reply)) => {
                        self.stop().await;
                        // Nobody waits for it any more: stopped all the same.
                        let _ = reply.send(());
                        return;
                    }
                    Some(control) => self.control(control),
                    None => return self.stop().await,
                },
                written = InFlight::written(&mut self.commit) => self.finish(written),
                Some(message) = inbox.hot.recv() => {
                    self.hot_message(message);
                    for _ in 1..HOT_TOGETHER {
                        let Ok(message) = inbox.hot.try_recv() else { break };
                        self.hot_message(message);
                    }
                }
                Some(work) = inbox.decide.recv(), if self.carried.is_empty() && (idle || self.has_room_ahead()) => {
                    if !idle {
                        // Nobody waits for it yet: whoever is about to ask comes with it.
                        tokio::task::yield_now().await;
                    }
                    let mut works = VecDeque::from([work]);
                    while works.len() < MOST_TOGETHER && let Ok(work) = inbox.decide.try_recv() {
                        works.push_back(work);
                    }
                    if !idle {
                        self.decide_ahead(works);
                        // What is told to sessions is told when it is written.
                        continue;
                    }
                    self.decide_together(works);
                }
                () = tokio::time::sleep(wake) => {}
            }
            self.turn();
            if self.commit.as_ref().is_some_and(InFlight::is_to_wait_for) {
                // Who has just been answered goes on first.
                tokio::task::yield_now().await;
                self.wait_here();
            }
        }
    }

    /// What time and room allow, after each message.
    fn turn(&mut self) {
        let now = self.clock.now();
        let (changes, events) = self.hot.due(now);
        self.backlog.extend(events);
        self.distribute(changes);
        self.answers_due(now);
        self.expire_tokens(now);
        let waits = self.waits();
        if self.commit.is_none() {
            for (person, told, reply) in std::mem::take(&mut self.forgotten) {
                self.forgotten(person, Ok(told), reply);
            }
        }
        let mut due = waits && now >= self.retry_at;
        // More than once: a write that was waited for here is over, and who is behind it has their turn.
        while self.commit.is_none() && (std::mem::take(&mut due) || !self.carried.is_empty()) {
            let works = std::mem::take(&mut self.carried);
            self.decide_together(works);
        }
        let now = self.clock.now();
        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
        let world = World { state, hot: &self.hot, now };
        for (id, session) in &mut self.sessions {
            session.pump(world);
            session.catch_up(*id, world, &mut self.recent);
        }
    }

    /// Whether more can be decided while a batch is being written. Names are forgotten and snapshots taken while nothing is.
    fn has_room_ahead(&self) -> bool {
        let few = self.next.as_ref().is_none_or(|next| next.len() < MOST_TOGETHER);
        few && self.forgotten.is_empty() && !self.wants_snapshot()
    }

    /// Whether something is to be decided that nobody asked for.
    fn waits(&self) -> bool {
        !self.backlog.is_empty()
            || !self.to_dispatch.is_empty()
            || !self.to_advance.is_empty()
            || !self.to_trade.is_empty()
            || self.to_settle.is_some()
    }

    fn next_wakeup(&self) -> Timestamp {
        let now = self.clock.now();
        let (waits, idle) = (self.waits(), self.commit.is_none());
        let retry = (waits && idle).then_some(self.retry_at);
        let carried = (!self.carried.is_empty() && idle).then_some(now);
        let sessions = self.sessions.values().filter_map(|session| session.next_wakeup(now));
        let due = self.hot.next_wakeup().into_iter().chain(self.deferred.next_deadline());
        let wakeups = due.chain(retry).chain(carried).chain(sessions);
        wakeups.min().unwrap_or(Timestamp(u64::MAX)).min(now.plus(LONGEST_SLEEP_MS))
    }

    fn control(&mut self, control: Control) {
        // A reply that nobody waits for any more is no loss: what was asked is done.
        match control {
            Control::Open { identity, party, reply } => {
                let opened = self.open(identity, party);
                if let Err(Ok(Opened { id, .. })) = reply.send(opened) {
                    self.close(id, "nobody is there");
                }
            }
            Control::Closed(id) => self.close(id, "the connection ended"),
            Control::PairingCode { offer, reply } => {
                let _ = reply.send(self.pairing_code(&offer).map(|(code, _)| code).map_err(HubError::from));
            }
            Control::NewestCode(reply) => {
                let _ = reply.send(self.pairing.newest(self.clock.now()));
            }
            Control::Status(reply) => {
                let _ = reply.send(self.status());
            }
            Control::Forgotten { person, done, reply } => self.forgotten(person, done, reply),
            Control::Cut { at, snapshot, reply } => self.cut(at, snapshot, reply),
            Control::Kept { lines, done } => self.snapshot_kept(lines, done),
            Control::Verified(found) => self.verified(found),
            Control::Begins(line) => self.past.begins = line,
            Control::NotInvoked { call, step, undo } => self.not_invoked([(call, step, undo)]),
            Control::Trade { trade, reply } => {
                self.hot.expect(trade.themselves());
                self.trade = Some(trade);
                let _ = reply.send(());
            }
            Control::Leases(reply) => {
                let _ = reply.send(all_leases(self.committed(), self.clock.now()));
            }
            Control::Systems(reply) => {
                let (state, now) = (self.committed(), self.clock.now());
                let health = |system: &SystemId| {
                    system_health(state, &self.hot, system, now).map(|health| (system.clone(), health))
                };
                let _ = reply.send(state.systems.keys().filter_map(health).take(MOST_MEASURED).collect());
            }
            Control::Shutdown(_) => {}
        }
    }

    fn open(&mut self, identity: Identity, party: Option<Party>) -> Result<Opened, HubError> {
        if self.sessions.len() >= MOST_SESSIONS {
            return Err(HubError::TooManySessions);
        }
        let id = self.next_session;
        self.next_session += 1;
        let (mut session, opened) = Session::open(id, identity, self.committed(), self.clock.now());
        if let Some(party) = party {
            session.greeted(party);
        }
        self.sessions.insert(id, session);
        Ok(opened)
    }

    /// Ends a session and what hangs on it.
    pub(super) fn close(&mut self, id: SessionId, words: &str) {
        let Some(session) = self.sessions.remove(&id) else { return };
        let system = session.actor.system.clone();
        let steps = session.untold_steps();
        let untold = session.close(words);
        self.not_invoked(steps);
        self.undelivered(untold, "its system went away before it could be told");
        self.deferred.nobody_waits(id);
        self.recent.closed(id, self.clock.now());
        self.watch_purchases();
        if let Some(system) = system.filter(|system| self.systems.get(system) == Some(&id)) {
            self.systems.remove(&system);
            self.unanswerable(&system);
            let changes = self.hot.detach(&system, self.clock.now());
            self.distribute(changes);
        }
    }

    /// Commands that were to be given to a system and were not: they are never given again.
    pub(super) fn undelivered(&mut self, commands: impl IntoIterator<Item = CommandId>, why: &str) {
        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
        let ends = commands.into_iter().filter_map(|command| execution_failed(state, command, why));
        self.backlog.extend(ends);
    }

    /// A new code, and until when it can be used.
    pub(super) fn pairing_code(&mut self, offer: &Offer) -> Result<(PairingCode, Timestamp), Refusal> {
        let now = self.clock.now();
        // Another code where this very one is open already.
        for _ in 0..8 {
            let code = PairingCode::of(rand::random_range(0..1_000_000));
            match self.pairing.open(code.clone(), offer.clone(), now) {
                Ok(until) => return Ok((code, until)),
                Err(refusal) if refusal.code != RefusalCode::Conflict => return Err(refusal),
                Err(_) => {}
            }
        }
        Err(Refusal::new(RefusalCode::Overloaded, "no pairing code is free"))
    }

    /// Notes for every session what it has to be told.
    pub(super) fn distribute(&mut self, changes: Changes) {
        if changes.is_empty() {
            return;
        }
        changes.commands.iter().for_each(lines::further);
        self.distribute_calls(&changes);
        self.distribute_purchases(&changes);
        if changes.things {
            self.things_changed();
        }
        if changes.things || changes.refers {
            self.refer();
        }
        let now = self.clock.now();
        if changes.access {
            self.end_unknown(now);
        }
        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
        let world = World { state, hot: &self.hot, now };
        for session in self.sessions.values_mut() {
            if let Some(subscription) = &mut session.subscription {
                if changes.access {
                    subscription.access_changed(state);
                }
                changes.twins.iter().for_each(|twin| subscription.twin_changed(twin));
                changes.systems.iter().for_each(|system| subscription.system_changed(system));
                changes.readings.iter().for_each(|(twin, place)| subscription.reading_changed(world, twin, *place));
            }
            if let Some(subscription) = &mut session.subscription {
                changes.leases.iter().for_each(|lease| subscription.lease_changed(*lease));
            }
            changes.commands.iter().for_each(|update| session.command(state, now, update));
        }
        for occurrence in changes.occurred {
            let told = self.sessions.iter_mut().filter_map(|(id, s)| Some((s.occurred(state, now, &occurrence)?, *id)));
            self.recent.keep(occurrence.clone(), now, told.collect());
        }
        self.to_dispatch.extend(changes.reachable);
        if changes.settle || changes.access {
            self.unsettle(changes.access);
        }
    }

    /// Something may follow for leases.
    pub(super) fn unsettle(&mut self, access: bool) {
        self.to_settle = Some(access || self.to_settle.unwrap_or_default());
    }

    /// Ends the sessions of whoever was known and is not any more: their user was removed, their device revoked, their
    /// token has ended.
    pub(super) fn end_unknown(&mut self, now: Timestamp) {
        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
        let lost = |(id, session): (&SessionId, &Session)| (!session.access_changed(state, now)).then_some(*id);
        let ended: Vec<SessionId> = self.sessions.iter().filter_map(lost).collect();
        ended
            .into_iter()
            .for_each(|id| self.close(id, "you are not known here any more: pair again, or present a token"));
    }

    /// Tokens end by themselves: who has lost one sees another world.
    fn expire_tokens(&mut self, now: Timestamp) {
        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
        let expired = self.sessions.values_mut().map(|session| session.expire_tokens(state, now));
        if expired.fold(false, |any, one| any | one) {
            self.end_unknown(now);
        }
    }

    /// Writes what is decided, says goodbye, lets go of the disk.
    async fn stop(mut self) {
        while self.commit.is_some() {
            let written = InFlight::written(&mut self.commit).await;
            self.finish(written);
        }
        self.backlog.extend(self.hot.measured(self.clock.now()));
        if !self.backlog.is_empty() {
            self.decide_together(VecDeque::new());
            if self.commit.is_some() {
                let written = InFlight::written(&mut self.commit).await;
                self.finish(written);
            }
        }
        for session in std::mem::take(&mut self.sessions).into_values() {
            session.close("the enabler stops");
        }
        if let Some(keeper) = self.past.keeper.clone().filter(|_| self.snapshotting) {
            // A snapshot that is nearly written saves the next start time; one that is not is tried again then.
            let _ = tokio::time::timeout(PATIENCE, keeper.idle()).await;
        }
        self.past.historian.stop().await;
        self.log.close().await;
        drop(self.folder.take());
    }
}
