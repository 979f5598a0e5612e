//! Sessions of the hub that outlive single requests: one for each identity and part, until nobody has asked for a while.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use vestibule_enabler_core::Fingerprint;
use vestibule_model::{CommandStatus, Refusal, RefusalCode, UserId};
use vestibule_protocol::{
    CallResult, DiiDown, DiiUp, Event, Hello, Invocation, Party, Request, Response, SiiDown, SiiUp, protocol_hash,
};

use super::{Api, Problem, inbox::Inbox, share::Account};
use crate::{HubError, HubHandle, Outgoing, Peer, SessionHandle};

/// Sessions at the same time. With event streams and things HTTP has 704 of the hub's 1024, the rest is QUIC's.
const MOST: usize = 384;
/// A session that nobody asks anything for so long has ended. For a twin system this is what a broken connection is
/// over QUIC: its twins are unreachable from then on. A waiting inbox counts as asking.
const IDLE: Duration = Duration::from_secs(60);
/// What became of what nobody came for.
const NOT_FETCHED: &str = "its system did not fetch it";
/// How often idle ones are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// What somebody shows of who they are.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Names what was shown: a certificate's hash, or a token's, or that of both.
    pub(crate) fingerprint: Fingerprint,
    /// What the hub knows them by: a certificate's hash, or a token's.
    pub(crate) identity: Fingerprint,
    /// The token, where it is one: somebody may have delegated it.
    pub(crate) token: Option<Arc<str>>,
}

/// A session that is kept between requests.
#[derive(Debug)]
pub(crate) struct Held {
    handle: SessionHandle,
    user: UserId,
    /// What the hub told it and nobody has fetched.
    pub(crate) inbox: Inbox,
    /// What one system says is taken in the order in which it came.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// The newest revision that was given to a report without one.
    pub(crate) revision: AtomicU64,
    shown: Shown,
    uses: AtomicUsize,
    used: Mutex<Instant>,
    ended: AtomicBool,
}

impl Held {
    /// The hub's side.
    pub(crate) const fn handle(&self) -> &SessionHandle {
        &self.handle
    }

    /// What was shown.
    pub(crate) const fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Whose session it is.
    pub(crate) const fn user(&self) -> &UserId {
        &self.user
    }

    /// On whose account it goes what they hold for long.
    pub(crate) fn account(&self) -> Account {
        Account::of(&self.user)
    }

    fn used(&self) -> MutexGuard<'_, Instant> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when nobody has asked; `None` where somebody is asking.
    fn idle(&self, now: Instant) -> Option<Duration> {
        (self.uses.load(Ordering::SeqCst) == 0).then(|| now.saturating_duration_since(*self.used()))
    }

    /// The hub has ended it, or does not know any more whose it is: then nobody is asked by it.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst) || !self.handle.is_known()
    }
}

/// Somebody is asking.
pub(crate) struct Use(Arc<Held>);

impl Use {
    fn of(held: &Arc<Held>) -> Self {
        held.uses.fetch_add(1, Ordering::SeqCst);
        Self(held.clone())
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        *self.0.used() = Instant::now();
        self.0.uses.fetch_sub(1, Ordering::SeqCst);
    }
}

type Key = (Fingerprint, u8);

/// All sessions over HTTP.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    held: Mutex<HashMap<Key, Arc<Held>>>,
}

impl Sessions {
    fn held(&self) -> MutexGuard<'_, HashMap<Key, Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session of this identity in this part, opened where there is none.
    pub(crate) async fn get(&self, hub: &HubHandle, shown: &Shown, party: Party) -> Result<(Arc<Held>, Use), Problem> {
        let key = (shown.fingerprint, party as u8);
        if let Some(held) = self.held().get(&key).filter(|held| !held.has_ended()) {
            return Ok((held.clone(), Use::of(held)));
        }
        let (held, outgoing) = open(hub, shown, party).await?;
        self.keep(key, held, outgoing)
    }

    /// Keeps a new session, unless another request was first: then theirs, and the new one ends.
    fn keep(&self, key: Key, new: Held, outgoing: mpsc::Receiver<Outgoing>) -> Result<(Arc<Held>, Use), Problem> {
        let mut all = self.held();
        if let Some(held) = all.get(&key).filter(|held| !held.has_ended()) {
            return Ok((held.clone(), Use::of(held)));
        }
        if all.len() >= MOST && !all.contains_key(&key) {
            let now = Instant::now();
            let idle = all.iter().filter_map(|(key, held)| Some((held.idle(now)?, *key)));
            let metaverse = idle.filter(|(_, (_, party))| *party == Party::Metaverse as u8);
            let Some((_, longest)) = metaverse.max_by_key(|(idle, _)| *idle) else {
                return Err(Problem::unavailable(format!("{MOST} sessions are open already")));
            };
            // Nothing is lost with it: the next request opens another one.
            all.remove(&longest);
        }
        let held = Arc::new(new);
        let used = Use::of(&held);
        all.insert(key, held.clone());
        tokio::spawn(listen(Arc::downgrade(&held), outgoing));
        Ok((held, used))
    }

    /// Ends what nobody has used for long; what a system was never told has failed.
    fn sweep(&self) {
        let now = Instant::now();
        let mut gone = Vec::new();
        self.held().retain(|_, held| {
            let stays = !held.has_ended() && held.idle(now).is_none_or(|idle| idle < IDLE);
            if !stays {
                gone.push(held.clone());
            }
            stays
        });
        gone.into_iter().for_each(|held| drop(tokio::spawn(untold(held))));
    }
}

/// Says of commands and invocations that a system never fetched that it did not do them, and lets the session end.
async fn untold(held: Arc<Held>) {
    for event in held.inbox.undelivered() {
        // Where even that is refused it ends with its validity.
        let _ = match event {
            Event::Dii(DiiDown::Execute(execution)) => {
                let status = CommandStatus::Failed { reason: NOT_FETCHED.to_owned() };
                held.handle.request(Request::Dii(DiiUp::Outcome { command: execution.command, status })).await
            }
            Event::Sii(SiiDown::Invoke(invocation)) => {
                let Invocation { call, step, undo, .. } = *invocation;
                let result = CallResult::Failed { reason: NOT_FETCHED.to_owned() };
                held.handle.request(Request::Sii(SiiUp::Result { call, step, undo, result })).await
            }
            _ => continue,
        };
    }
}

/// Opens a session for a known identity.
pub(crate) async fn open(
    hub: &HubHandle,
    shown: &Shown,
    party: Party,
) -> Result<(Held, mpsc::Receiver<Outgoing>), Problem> {
    let (handle, outgoing) = hub.open(Peer::Certificate(shown.identity.0)).await.map_err(hub_problem)?;
    // A token of pairing is known by itself. One that somebody delegated is presented; where it comes with a certificate,
    // it is that of somebody known or not.
    let is_bound = shown.identity != shown.fingerprint;
    let delegated = shown.token.as_deref().filter(|_| party == Party::Metaverse && (is_bound || !handle.is_known()));
    if is_bound && delegated.is_none() {
        return Err(Problem::unauthenticated());
    }
    if !handle.is_known() && delegated.is_none() {
        return Err(Problem::unauthenticated());
    }
    let software = format!("HTTP {}", env!("CARGO_PKG_VERSION"));
    let hello = Hello { protocol: protocol_hash(), party, software };
    let welcome = match handle.request(Request::Hello(hello)).await {
        Response::Welcome(welcome) => welcome,
        Response::Refused(refusal) => return Err(refusal.into()),
        _ => return Err(Problem::strange()),
    };
    let user = match delegated {
        Some(token) => present(&handle, token).await?,
        None => welcome.user.ok_or_else(Problem::unauthenticated)?,
    };
    let held = Held {
        handle,
        user,
        inbox: Inbox::default(),
        turn: tokio::sync::Mutex::default(),
        revision: AtomicU64::new(0),
        shown: shown.clone(),
        uses: AtomicUsize::new(0),
        used: Mutex::new(Instant::now()),
        ended: AtomicBool::new(false),
    };
    Ok((held, outgoing))
}

/// Shows a delegated token; who its bearer is.
async fn present(handle: &SessionHandle, token: &str) -> Result<UserId, Problem> {
    match handle.request(Request::Present { token: token.to_owned() }).await {
        Response::Me(me) => Ok(me.user),
        Response::Refused(refusal) => Err(Refusal::new(RefusalCode::Unauthenticated, refusal.message).into()),
        _ => Err(Problem::strange()),
    }
}

/// A hub that does not open a session, as a problem.
pub(crate) fn hub_problem(error: HubError) -> Problem {
    match error {
        HubError::Refused(refusal) => refusal.into(),
        other => Problem::unavailable(other.to_string()),
    }
}

/// Takes what the hub tells a session until one of them ends.
async fn listen(held: Weak<Held>, mut outgoing: mpsc::Receiver<Outgoing>) {
    while let Some(news) = outgoing.recv().await {
        match news {
            Outgoing::Event(event) if matches!(*event, Event::Dii(_) | Event::Sii(_)) => {
                let Some(room) = held.upgrade().map(|held| held.inbox.room()) else { return };
                // Without room it waits here, and then the hub knows that nobody listens.
                let Ok(room) = room.acquire_owned().await else { return };
                let Some(held) = held.upgrade() else { return };
                held.inbox.put(room, *event);
            }
            // A user is told over event streams, which have sessions of their own.
            Outgoing::Event(_) | Outgoing::Datagram(_) => {}
            Outgoing::Close(words) => {
                tracing::info!(%words, "a session over HTTP has ended");
                break;
            }
        }
    }
    if let Some(held) = held.upgrade() {
        held.ended.store(true, Ordering::SeqCst);
        held.inbox.end();
    }
}

/// Ends idle sessions for as long as there is an API.
pub(crate) async fn sweep(api: Weak<Api>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(api) = api.upgrade() else { return };
        api.sessions.sweep();
    }
}
