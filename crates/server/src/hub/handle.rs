//! What the rest of the process holds of the hub.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use vestibule_enabler_core::{Condition, Fingerprint, Identity, LogEvent, Offer, PairingCode};
use vestibule_model::{
    CallId, Commitment, ContentHash, LeaseUpdate, Login, Refusal, RefusalCode, RoleId, StepKey, SystemHealth, SystemId,
    Timestamp, UserId,
};
use vestibule_protocol::{DiiUp, Disclosures, Party, Request, Response, SiiUp, TradeUp};
use vestibule_store::{Head, StoreError};

use super::{
    HubError, HubStatus, MOST_IN_FLIGHT, MOST_OF_A_THIRD_PARTY, Outgoing, PairingCodes, Peer, Trade,
    contents::Contents, kept::Things,
};

/// Tells connections apart.
pub(super) type SessionId = u64;

/// What the hub is asked for besides requests.
pub(super) enum Control {
    Open {
        identity: Identity,
        /// The part that it takes without a hello, where that is not what its identity says.
        party: Option<Party>,
        reply: oneshot::Sender<Result<Opened, HubError>>,
    },
    Closed(SessionId),
    PairingCode {
        offer: Offer,
        reply: oneshot::Sender<Result<PairingCode, HubError>>,
    },
    NewestCode(oneshot::Sender<Option<PairingCode>>),
    Status(oneshot::Sender<HubStatus>),
    /// The name of whoever is to be forgotten is destroyed, or could not be.
    Forgotten {
        person: Commitment,
        done: Result<Disclosures, StoreError>,
        reply: oneshot::Sender<Response>,
    },
    /// Lines up to `at` are about to be cut off.
    Cut {
        at: Head,
        snapshot: ContentHash,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// A snapshot is written, or could not be.
    Kept {
        lines: u64,
        done: Result<(), StoreError>,
    },
    /// What a snapshot stood for at the start was looked at.
    Verified(Result<(), StoreError>),
    /// Lines up to this one are cut off.
    Begins(u64),
    /// A step that a merchant was to be asked for and was not.
    NotInvoked {
        call: CallId,
        step: StepKey,
        undo: bool,
    },
    /// This speaks to merchants from now on.
    Trade {
        trade: Arc<dyn Trade>,
        reply: oneshot::Sender<()>,
    },
    Leases(oneshot::Sender<Vec<LeaseUpdate>>),
    Systems(oneshot::Sender<Vec<(SystemId, SystemHealth)>>),
    Shutdown(oneshot::Sender<()>),
}

pub(super) struct Opened {
    pub(super) id: SessionId,
    pub(super) outgoing: mpsc::Receiver<Outgoing>,
    /// The hub's sender, to notice that nobody listens any more.
    pub(super) watched: mpsc::Sender<Outgoing>,
    pub(super) flags: Arc<Flags>,
}

/// What the hub tells a session's handle.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// The peer is a known user or an adapter of this process.
    pub(super) known: AtomicBool,
    /// The session speaks for a registered system.
    pub(super) is_system: AtomicBool,
    /// The session took the part of a third-party system.
    pub(super) is_third_party: AtomicBool,
}

/// Counts something for as long as it lives.
#[derive(Debug)]
pub(super) struct Ticket(Arc<AtomicUsize>);

impl Ticket {
    fn take(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(counter.clone())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A request with the way back.
pub(super) struct Ask {
    pub(super) session: SessionId,
    pub(super) request: Request,
    /// Where this is not so when it is decided, it is refused.
    pub(super) condition: Option<Box<Condition>>,
    pub(super) reply: oneshot::Sender<Response>,
    /// While it lives, what the session says later waits behind it.
    pub(super) _order: Option<Ticket>,
    pub(super) _in_flight: Ticket,
}

/// What is decided in order.
pub(super) enum Work {
    Ask(Ask),
    /// The enabler's own decisions.
    Write {
        events: Vec<LogEvent>,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// A merchant says something.
    Told {
        said: TradeUp,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    Enroll {
        certificate: Fingerprint,
        user: UserId,
        roles: Vec<RoleId>,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    LogIn {
        certificate: Fingerprint,
        login: Login,
        name: String,
        roles: Vec<RoleId>,
        until: Timestamp,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
}

/// What is taken at once.
pub(super) enum HotMessage {
    Ask(Box<Ask>),
    Datagram { session: SessionId, bytes: Vec<u8> },
}

/// The hub, for whoever runs it: opens sessions, pairs devices, shuts down.
#[derive(Clone, Debug)]
pub struct HubHandle {
    control: mpsc::Sender<Control>,
    decide: mpsc::Sender<Work>,
    hot: mpsc::Sender<HotMessage>,
    contents: Arc<Contents>,
    things: watch::Receiver<Things>,
}

impl HubHandle {
    pub(super) const fn new(
        control: mpsc::Sender<Control>,
        decide: mpsc::Sender<Work>,
        hot: mpsc::Sender<HotMessage>,
        contents: Arc<Contents>,
        things: watch::Receiver<Things>,
    ) -> Self {
        Self { control, decide, hot, contents, things }
    }

    async fn ask<T>(&self, control: Control, reply: oneshot::Receiver<T>) -> Result<T, HubError> {
        self.control.send(control).await.map_err(|_| HubError::Stopped)?;
        reply.await.map_err(|_| HubError::Stopped)
    }

    /// Opens a session for a peer whose identity its transport has proven.
    ///
    /// Dropping the receiver, or every clone of the handle, closes it.
    ///
    /// # Errors
    /// [`HubError::TooManySessions`], [`HubError::Stopped`].
    pub async fn open(&self, peer: Peer) -> Result<(SessionHandle, mpsc::Receiver<Outgoing>), HubError> {
        let (identity, party) = match peer {
            Peer::Certificate(hash) => (Identity::Certificate(Fingerprint(hash)), None),
            Peer::Local(system) => (Identity::Local(system), None),
            Peer::LocalThirdParty(system) => (Identity::Local(system), Some(Party::ThirdParty)),
            Peer::Console => (Identity::Console, None),
        };
        let (reply, answer) = oneshot::channel();
        let Opened { id, outgoing, watched, flags } =
            self.ask(Control::Open { identity, party, reply }, answer).await??;
        let (alive, gone) = oneshot::channel::<()>();
        let control = self.control.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = watched.closed() => {}
                _ = gone => {}
            }
            drop(watched);
            // Where the hub has stopped there is nothing left to close.
            let _ = control.send(Control::Closed(id)).await;
        });
        let inner = Inner {
            id,
            decide: self.decide.clone(),
            hot: self.hot.clone(),
            contents: self.contents.clone(),
            flags,
            deciding: Arc::default(),
            in_flight: Arc::default(),
            _alive: alive,
        };
        Ok((SessionHandle(Arc::new(inner)), outgoing))
    }

    /// Shows a code with which one device of somebody new can pair within five minutes and then has `role`.
    ///
    /// # Errors
    /// [`HubError::Refused`] where too many codes are open, [`HubError::Stopped`].
    pub async fn pairing_code(&self, role: RoleId) -> Result<PairingCode, HubError> {
        super::codes::pairing_code(&self.control, role).await
    }

    /// Where pairing codes are shown, for whoever may outlive the hub.
    #[must_use]
    pub fn pairing_codes(&self) -> PairingCodes {
        PairingCodes::of(&self.control)
    }

    /// The code that was shown last and can still be used: the one that a device has to prove.
    ///
    /// # Errors
    /// [`HubError::Stopped`].
    pub async fn newest_code(&self) -> Result<Option<PairingCode>, HubError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Control::NewestCode(reply), answer).await
    }

    /// Makes a device known until `until` for whoever a provider says that `login` is, with these roles.
    ///
    /// # Errors
    /// [`HubError::Refused`] where nothing here is for them, [`HubError::Stopped`].
    pub async fn log_in(
        &self,
        certificate: [u8; 32],
        login: Login,
        name: String,
        roles: Vec<RoleId>,
        until: Timestamp,
    ) -> Result<(), HubError> {
        let (reply, answer) = oneshot::channel();
        let work = Work::LogIn { certificate: Fingerprint(certificate), login, name, roles, until, reply };
        self.decide.send(work).await.map_err(|_| HubError::Stopped)?;
        Ok(answer.await.map_err(|_| HubError::Stopped)??)
    }

    /// Makes a device known without a code: the client that runs in this very process, whose user owns it.
    ///
    /// # Errors
    /// [`HubError::Refused`] where it could not be written, [`HubError::Stopped`].
    pub async fn enroll(&self, certificate: [u8; 32], user: UserId, roles: Vec<RoleId>) -> Result<(), HubError> {
        let (reply, answer) = oneshot::channel();
        let certificate = Fingerprint(certificate);
        let work = Work::Enroll { certificate, user, roles, reply };
        self.decide.send(work).await.map_err(|_| HubError::Stopped)?;
        Ok(answer.await.map_err(|_| HubError::Stopped)??)
    }

    /// Keeps bytes that descriptions or reports refer to, of any size that content may have.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn put_content(&self, bytes: Bytes, media: &str) -> Result<ContentHash, HubError> {
        Ok(self.contents.put(bytes, media).await?)
    }

    /// Has merchants spoken to by `trade` from now on. Purchases that are open are asked for at once.
    ///
    /// # Errors
    /// [`HubError::Stopped`].
    pub async fn trade(&self, trade: Arc<dyn Trade>) -> Result<(), HubError> {
        // Requests come by a queue of their own: what is asked after this returns must find the merchant.
        let (reply, done) = oneshot::channel();
        self.control.send(Control::Trade { trade, reply }).await.map_err(|_| HubError::Stopped)?;
        done.await.map_err(|_| HubError::Stopped)
    }

    /// Takes what a merchant says. Waits until what follows is written down, and for room where there is none.
    ///
    /// # Errors
    /// [`HubError::Refused`] where it could not be written or nobody waits for it, [`HubError::Stopped`].
    pub async fn told(&self, said: TradeUp) -> Result<(), HubError> {
        let (reply, answer) = oneshot::channel();
        self.decide.send(Work::Told { said, reply }).await.map_err(|_| HubError::Stopped)?;
        Ok(answer.await.map_err(|_| HubError::Stopped)??)
    }

    /// Content by its hash: what is uploaded to merchants.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn content(&self, hash: ContentHash) -> Result<Option<Bytes>, HubError> {
        Ok(self.contents.get(hash).await?)
    }

    /// Products without electronics that are twins, whenever they are others.
    pub(crate) fn things(&self) -> watch::Receiver<Things> {
        self.things.clone()
    }

    /// How the hub is.
    pub async fn status(&self) -> HubStatus {
        let (reply, answer) = oneshot::channel();
        self.ask(Control::Status(reply), answer).await.unwrap_or_else(|_| HubStatus::stopped())
    }

    /// Who holds what and who waits, object by object, with everybody's names.
    ///
    /// # Errors
    /// [`HubError::Stopped`].
    pub async fn leases(&self) -> Result<Vec<LeaseUpdate>, HubError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Control::Leases(reply), answer).await
    }

    /// What was measured of registered systems, of the first ones where there are very many.
    pub(crate) async fn systems(&self) -> Vec<(SystemId, SystemHealth)> {
        let (reply, answer) = oneshot::channel();
        self.ask(Control::Systems(reply), answer).await.unwrap_or_default()
    }

    /// The hub's queues: what they are for, how much waits in them, how much can.
    pub(crate) fn queues(&self) -> [(&'static str, usize, usize); 3] {
        let queue = |name, capacity: usize, most: usize| (name, most - capacity, most);
        [
            queue("control", self.control.capacity(), self.control.max_capacity()),
            queue("decide", self.decide.capacity(), self.decide.max_capacity()),
            queue("hot", self.hot.capacity(), self.hot.max_capacity()),
        ]
    }

    /// Writes what is decided, closes every session, lets go of the data folder. Returns when that is done.
    pub async fn shutdown(self) {
        let (reply, answer) = oneshot::channel();
        // Stopped already: as wished.
        let _ = self.ask(Control::Shutdown(reply), answer).await;
    }
}

#[derive(Debug)]
struct Inner {
    id: SessionId,
    decide: mpsc::Sender<Work>,
    hot: mpsc::Sender<HotMessage>,
    contents: Arc<Contents>,
    flags: Arc<Flags>,
    deciding: Arc<AtomicUsize>,
    in_flight: Arc<AtomicUsize>,
    _alive: oneshot::Sender<()>,
}

/// One connection's side of the hub.
#[derive(Clone, Debug)]
pub struct SessionHandle(Arc<Inner>);

fn refused(code: RefusalCode, message: &str) -> Response {
    Response::Refused(Refusal::new(code, message))
}

impl SessionHandle {
    /// Asks, and waits for the answer. Too much at once is answered with a refusal.
    ///
    /// What one session asks is decided in the order of these calls, as far as the caller polls them in order.
    pub async fn request(&self, request: Request) -> Response {
        self.request_if(request, None).await
    }

    /// The same, where `condition` still holds when it is decided. What twin systems say all the time has none.
    pub async fn request_if(&self, request: Request, condition: Option<Condition>) -> Response {
        let inner = &self.0;
        let third_party = inner.flags.is_third_party.load(Ordering::SeqCst);
        let most = if third_party { MOST_OF_A_THIRD_PARTY } else { MOST_IN_FLIGHT };
        if inner.in_flight.load(Ordering::SeqCst) >= most {
            return refused(RefusalCode::Overloaded, "too many requests at once on this connection");
        }
        let in_flight = Ticket::take(&inner.in_flight);
        let request = match request {
            Request::Dii(DiiUp::Blob { bytes, media }) => match self.blob(bytes, &media).await {
                // A sign of life like any other.
                Ok(()) => Request::Dii(DiiUp::Heartbeat),
                Err(refusal) => return Response::Refused(refusal),
            },
            other => other,
        };
        let (reply, answer) = oneshot::channel();
        let is_hot = is_hot(&request) && inner.deciding.load(Ordering::SeqCst) == 0;
        let order = (!is_hot).then(|| Ticket::take(&inner.deciding));
        let condition = condition.map(Box::new);
        let ask = Ask { session: inner.id, request, condition, reply, _order: order, _in_flight: in_flight };
        let sent = if is_hot {
            inner
                .hot
                .try_send(HotMessage::Ask(Box::new(ask)))
                .map_err(|error| matches!(error, mpsc::error::TrySendError::Full(_)))
        } else {
            inner.decide.try_send(Work::Ask(ask)).map_err(|error| matches!(error, mpsc::error::TrySendError::Full(_)))
        };
        match sent {
            Ok(()) => answer.await.unwrap_or_else(|_| refused(RefusalCode::Unavailable, "the enabler has stopped")),
            Err(true) => refused(RefusalCode::Overloaded, "the enabler has too much to do; try again in a moment"),
            Err(false) => refused(RefusalCode::Unavailable, "the enabler has stopped"),
        }
    }

    async fn blob(&self, bytes: Vec<u8>, media: &str) -> Result<(), Refusal> {
        if !self.0.flags.is_system.load(Ordering::SeqCst) {
            let message = "only a registered twin system brings content";
            return Err(Refusal::new(RefusalCode::Forbidden, message));
        }
        let put = self.0.contents.put(Bytes::from(bytes), media).await;
        put.map(|_| ()).map_err(|error| Refusal::new(RefusalCode::Storage, error.to_string()))
    }

    /// Whether the peer is a known user at this moment.
    pub(crate) fn is_known(&self) -> bool {
        self.0.flags.known.load(Ordering::SeqCst)
    }

    /// Takes a datagram of the peer: an acknowledgement of hot state. One more or less makes no difference.
    pub fn datagram(&self, bytes: Vec<u8>) {
        let _ = self.0.hot.try_send(HotMessage::Datagram { session: self.0.id, bytes });
    }

    /// Content by its hash, for known peers. Whoever may not read what refers to it does not know the hash.
    pub async fn content(&self, hash: ContentHash) -> Option<Bytes> {
        if !self.0.flags.known.load(Ordering::SeqCst) {
            return None;
        }
        match self.0.contents.get(hash).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "content cannot be read");
                None
            }
        }
    }

    /// Closes the session once every clone of the handle is gone.
    pub fn close(self) {
        drop(self);
    }
}

/// Whether a request is taken at once and never waits for the disk.
pub(super) const fn is_hot(request: &Request) -> bool {
    matches!(
        request,
        Request::Sii(SiiUp::Heartbeat)
            | Request::Dii(
                DiiUp::Heartbeat
                    | DiiUp::Reachable { .. }
                    | DiiUp::Report(_)
                    | DiiUp::Occurred(_)
                    | DiiUp::Outcome { .. }
                    | DiiUp::Integrated { .. }
                    | DiiUp::NotIntegrated { .. }
            )
    )
}
