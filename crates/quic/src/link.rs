use std::{fmt, sync::Arc};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use vestibule_protocol::{Link, LinkBusy, LinkCommand, LinkEvent, MAX_FRAME};

use crate::{Fingerprint, Identity, driver};

/// Commands that wait for the driver, which never rests while there are any: a frame's worth of clicks and
/// acknowledgements.
const COMMANDS: usize = 256;
/// Things that happened and were not polled: several frames of a large home's changes. Then QUIC holds the rest back.
const EVENTS: usize = 1024;
/// Bytes in those: frames of the longest kind, four of them.
const EVENT_BYTES: usize = 4 * MAX_FRAME;

/// Called, from a runtime's thread, after something happened that [`QuicLink`] can be polled for. Must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Where a link goes, and as whom.
#[derive(Clone)]
pub struct LinkConfig {
    /// `host:port`; looked up at each attempt to connect.
    pub target: String,
    /// The enabler's certificate, learnt by [`pair`](crate::pair) or from an embedded enabler. Nobody else is talked to.
    pub server: Fingerprint,
    /// Who this side is.
    pub identity: Identity,
    /// For programs that sleep; a game polls each frame and needs none.
    pub wake: Option<Wake>,
}

impl fmt::Debug for LinkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, server, identity, .. } = self;
        let me = identity.fingerprint();
        f.debug_struct("LinkConfig")
            .field("target", target)
            .field("server", server)
            .field("me", &me)
            .finish_non_exhaustive()
    }
}

/// A [`Link`] over QUIC: queues towards a task of a tokio runtime. Dropped, it closes.
#[derive(Debug)]
pub struct QuicLink {
    commands: mpsc::Sender<LinkCommand>,
    events: mpsc::Receiver<Item>,
    ended: bool,
}

/// Something that happened, and the bytes that it holds of the queue's.
pub(crate) type Item = (LinkEvent, Option<OwnedSemaphorePermit>);

impl QuicLink {
    /// A link that waits for [`LinkCommand::Connect`].
    #[must_use]
    pub fn spawn(runtime: &Handle, config: LinkConfig) -> Self {
        let (commands, taken) = mpsc::channel(COMMANDS);
        let (happened, events) = mpsc::channel(EVENTS);
        let out = Out { events: happened, bytes: Arc::new(Semaphore::new(EVENT_BYTES)), wake: config.wake.clone() };
        runtime.spawn(driver::run(config, taken, out));
        Self { commands, events, ended: false }
    }
}

impl Link for QuicLink {
    fn send(&mut self, command: LinkCommand) -> Result<(), LinkBusy> {
        // A runtime that has ended is busy for ever; `poll` says so.
        self.commands.try_send(command).map_err(|_| LinkBusy)
    }

    fn poll(&mut self) -> Option<LinkEvent> {
        match self.events.try_recv() {
            Ok((event, _held)) => Some(event),
            Err(mpsc::error::TryRecvError::Empty) => None,
            Err(mpsc::error::TryRecvError::Disconnected) => {
                let reason = "the network part of this program has ended".to_owned();
                (!std::mem::replace(&mut self.ended, true)).then_some(LinkEvent::Closed { reason, retry: false })
            }
        }
    }
}

/// Whoever drives the link is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abandoned;

/// Where things that happened go.
#[derive(Clone)]
pub(crate) struct Out {
    events: mpsc::Sender<Item>,
    bytes: Arc<Semaphore>,
    wake: Option<Wake>,
}

impl Out {
    /// Waits until there is room for so many bytes, before they are read.
    pub(crate) async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Abandoned> {
        let bytes = u32::try_from(bytes.min(EVENT_BYTES)).unwrap_or(u32::MAX);
        self.bytes.clone().acquire_many_owned(bytes).await.map_err(|_| Abandoned)
    }

    /// Says what happened; waits while the queue is full.
    pub(crate) async fn say(&self, event: LinkEvent, held: Option<OwnedSemaphorePermit>) -> Result<(), Abandoned> {
        self.events.send((event, held)).await.map_err(|_| Abandoned)?;
        self.wake();
        Ok(())
    }

    /// Says what is worth nothing later; drops it while the queue is full.
    pub(crate) fn offer(&self, event: LinkEvent) {
        if self.events.try_send((event, None)).is_ok() {
            self.wake();
        }
    }

    /// Resolves when whoever drives the link is gone.
    pub(crate) async fn abandoned(&self) {
        self.events.closed().await;
    }

    fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }
}
