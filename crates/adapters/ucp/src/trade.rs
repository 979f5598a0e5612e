//! The adapter at work: a queue and a task for each merchant.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use thiserror::Error;
use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinHandle, JoinSet},
};
use vestibule_model::{ContentHash, DesignHash, LineId, OrderId, PurchaseId, Serial, SystemId, SystemInfo, Timestamp};
use vestibule_protocol::{CallResult, Certified, NotCertified, Told, TradeAsk, TradeUp};
use vestibule_ucp::{Certificate, CertificateError, Endpoint, Parts, Trouble, moment};

use crate::{
    PinsError, Platform,
    buy::Buying,
    call::{Call, Outcome},
    clock::now,
    courier::Courier,
    hooks::Hooks,
    limits::{self, AT_ONCE, MERCHANTS, QUEUE},
    packages::Packages,
    pins::Pins,
    services,
    shop::Shop,
    tokens::Tokens,
};

/// A merchant that the owner has bound: nobody else says which addresses are spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// What it is called here.
    pub system: SystemId,
    /// Where its profile is.
    pub profile: Endpoint,
}

/// What the adapter needs.
pub struct UcpConfig {
    /// Who is bought from.
    pub merchants: Vec<Merchant>,
    /// Who buys.
    pub platform: Platform,
    /// Certificates that are trusted beside the machine's.
    pub roots: Vec<CertificateDer<'static>>,
    /// The file with what merchants are known by; `None`: nothing outlives the process.
    pub pins: Option<PathBuf>,
    /// How long an answer may take; [`UcpConfig::PATIENCE`] unless there is a reason. Quotes take six times as long.
    pub patience: Duration,
}

impl UcpConfig {
    /// How long people wait for a shop.
    pub const PATIENCE: Duration = limits::ANSWER;
}

/// Why the adapter does not begin.
#[derive(Debug, Error)]
pub enum UcpError {
    /// More than are watched over.
    #[error("at most {MERCHANTS} merchants can be bound")]
    TooMany,
    /// One id for two.
    #[error("two merchants are both called {0}")]
    Twice(SystemId),
    /// What they are known by.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// TLS.
    #[error("no connections can be made: {0}")]
    Tls(String),
}

/// Why a question was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Busy {
    /// Its merchant has more waiting than it can answer soon.
    #[error("too many questions wait for this merchant")]
    Full,
    /// Nobody has bound such a merchant.
    #[error("no such merchant is bound")]
    NotBound,
}

/// Where packages lie that manufacturers are handed.
pub trait Contents: Send + Sync + 'static {
    /// The bytes of a hash, where they are kept.
    fn get(&self, hash: ContentHash) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send + '_>>;
}

struct Lane {
    worker: Arc<Worker>,
    queue: mpsc::Sender<TradeAsk>,
    task: JoinHandle<()>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Speaks to bound merchants, as long as it lives.
///
/// Nothing is repeated here: whoever asks and hears nothing asks again. What was under way when it ends is known to
/// merchants by its key.
pub struct UcpTrade {
    lanes: BTreeMap<SystemId, Lane>,
    platform: Arc<Platform>,
    hooks: Hooks,
    up: mpsc::Sender<TradeUp>,
}

impl UcpTrade {
    /// Begins, on the current tokio runtime. Answers come by `up`; one that nobody takes makes its merchant wait.
    ///
    /// A merchant that is away is no error here: it is asked when something is wanted of it.
    ///
    /// # Errors
    /// [`UcpError`].
    pub fn spawn(config: UcpConfig, contents: Arc<dyn Contents>, up: mpsc::Sender<TradeUp>) -> Result<Self, UcpError> {
        if config.merchants.len() > MERCHANTS {
            return Err(UcpError::TooMany);
        }
        let courier = Arc::new(Courier::new(&config.roots).map_err(UcpError::Tls)?);
        let (platform, pins) = (Arc::new(config.platform), Arc::new(Pins::load(config.pins)?));
        let packages = Arc::new(Packages::default());
        let mut lanes = BTreeMap::new();
        for Merchant { system, profile } in config.merchants {
            let known = (courier.clone(), platform.clone(), pins.clone());
            let shop = Shop::new(system.clone(), profile, known, config.patience);
            let worker = Arc::new(Worker {
                shop,
                packages: packages.clone(),
                contents: contents.clone(),
                up: up.clone(),
                tokens: Tokens::default(),
                placing: Mutex::default(),
            });
            let (queue, asks) = mpsc::channel(QUEUE);
            let task = tokio::spawn(work(worker.clone(), asks));
            if lanes.insert(system.clone(), Lane { worker, queue, task }).is_some() {
                return Err(UcpError::Twice(system));
            }
        }
        Ok(Self { lanes, platform, hooks: Hooks::default(), up })
    }

    /// Who is bound.
    pub fn merchants(&self) -> impl Iterator<Item = &SystemId> {
        self.lanes.keys()
    }

    /// What this platform says of itself.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Asks a merchant. The answer comes by the channel that this began with.
    ///
    /// # Errors
    /// [`Busy`]: it was not asked.
    pub fn ask(&self, ask: TradeAsk) -> Result<(), Busy> {
        let lane = self.lanes.get(system(&ask)).ok_or(Busy::NotBound)?;
        lane.queue.try_send(ask).map_err(|_| Busy::Full)
    }

    /// Takes what a merchant tells without being asked, as [`TradeUp::Pushed`]. Whether it is new: the same that came
    /// before is only answered again.
    ///
    /// # Errors
    /// What is to be answered: it is not from whom it says, too old, no order, or nobody has room for it now.
    pub async fn webhook(&self, parts: &Parts<'_>, now: Timestamp) -> Result<bool, Trouble> {
        let shops = self.lanes.values().map(|lane| &lane.worker.shop);
        let Some(told) = self.hooks.read(&self.platform, shops, parts, now).await? else { return Ok(false) };
        if self.up.try_send(told.pushed.clone()).is_err() {
            self.hooks.forget(&told);
            return Err(Trouble::Unavailable);
        }
        Ok(true)
    }

    /// A bound merchant as a third-party system, where it does not register itself: with the services that it has by
    /// its profile, or with all that there are while that cannot be had.
    pub async fn describe(&self, system: &SystemId) -> Option<SystemInfo> {
        let shop = &self.lanes.get(system)?.worker.shop;
        let deal = shop.deal(now()).await;
        let active = deal.as_ref().ok().map(|deal| &deal.active);
        Some(services::describe(system.clone(), shop.profile.host(), active))
    }
}

fn system(ask: &TradeAsk) -> &SystemId {
    match ask {
        TradeAsk::Complete(ask) => &ask.system,
        TradeAsk::Invoke { system, .. }
        | TradeAsk::Look { system, .. }
        | TradeAsk::Session { system, .. }
        | TradeAsk::CancelSession { system, .. }
        | TradeAsk::Cancel { system, .. }
        | TradeAsk::Certify { system, .. } => system,
    }
}

/// Takes questions in their order, a few at once.
async fn work(worker: Arc<Worker>, mut asks: mpsc::Receiver<TradeAsk>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    while let Some(ask) = asks.recv().await {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        while running.try_join_next().is_some() {}
        let worker = worker.clone();
        running.spawn(async move {
            worker.answer(ask).await;
            drop(place);
        });
    }
}

/// What answers for one merchant.
struct Worker {
    shop: Shop,
    packages: Arc<Packages>,
    contents: Arc<dyn Contents>,
    up: mpsc::Sender<TradeUp>,
    tokens: Tokens,
    /// Purchases that are being placed: asked twice at once, a merchant would be asked about itself.
    placing: Mutex<BTreeSet<PurchaseId>>,
}

/// Being placed, as long as it lives.
struct Placing<'a>(&'a Worker, PurchaseId);

impl Drop for Placing<'_> {
    fn drop(&mut self) {
        self.0.placing().remove(&self.1);
    }
}

impl Worker {
    fn placing(&self) -> MutexGuard<'_, BTreeSet<PurchaseId>> {
        self.placing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, ask: TradeAsk) {
        let system = self.shop.system.clone();
        let buying = |purchase| Buying { shop: &self.shop, tokens: &self.tokens, purchase };
        let (purchase, told) = match ask {
            TradeAsk::Invoke { invocation, twins, persons, .. } => {
                let (packages, contents) = (&*self.packages, &*self.contents);
                let call = Call {
                    shop: &self.shop,
                    packages,
                    contents,
                    invocation: &invocation,
                    twins: &twins,
                    persons: &persons,
                };
                let result = match call.run().await {
                    Outcome::Done(json) => CallResult::Done((&json).into()),
                    Outcome::Failed(reason) => CallResult::Failed { reason },
                    Outcome::Unknown(reason) => {
                        tracing::info!(%system, call = %invocation.call, reason, "a call has no answer");
                        return;
                    }
                };
                let (call, step, undo) = (invocation.call, invocation.step.clone(), invocation.undo);
                return self.tell(TradeUp::Result { system, call, step, undo, result }).await;
            }
            TradeAsk::Certify { inquiry, certificate, .. } => {
                let answer = self.certify(&certificate).await;
                return self.tell(TradeUp::Certified { inquiry, answer }).await;
            }
            TradeAsk::Complete(ask) => {
                if !self.placing().insert(ask.purchase) {
                    // The answer to the first time is on its way.
                    return;
                }
                let _placing = Placing(self, ask.purchase);
                (ask.purchase, buying(ask.purchase).complete(&ask).await)
            }
            TradeAsk::Look { purchase, order, .. } => (purchase, buying(purchase).look(&order).await),
            TradeAsk::Session { purchase, checkout, .. } => (purchase, buying(purchase).session(&checkout).await),
            TradeAsk::CancelSession { purchase, checkout, .. } => {
                (purchase, buying(purchase).cancel_session(&checkout).await)
            }
            TradeAsk::Cancel { purchase, order, .. } => (purchase, buying(purchase).cancel(&order).await),
        };
        if let Told::Unknown { reason } = &told {
            tracing::info!(%system, %purchase, reason, "nothing is known of a purchase");
        }
        self.tell(TradeUp::Told { purchase, system, told }).await;
    }

    async fn tell(&self, up: TradeUp) {
        // Nobody is left to be told where the enabler ends.
        let _ = self.up.send(up).await;
    }

    /// Whether this merchant has signed a certificate. Its address may have changed since: its key has not.
    async fn certify(&self, text: &str) -> Result<Certified, NotCertified> {
        let deal = self.shop.deal(now()).await;
        let deal = deal.map_err(|closed| NotCertified::Unavailable { reason: closed.to_string() })?;
        let mut read = Certificate::read(text, &deal.keys);
        if read == Err(CertificateError::KeyNotFound)
            && let Some(deal) = self.shop.deal_anew(now()).await
        {
            read = Certificate::read(text, &deal.keys);
        }
        read.ok().and_then(certified).ok_or(NotCertified::Forged)
    }
}

fn certified(said: Certificate) -> Option<Certified> {
    Some(Certified {
        order: OrderId::new(said.order.as_str()).ok()?,
        line: LineId::new(said.line.as_str()).ok()?,
        serial: Serial::new(said.serial.as_str()).ok()?,
        design: said.design.map(DesignHash),
        made: moment(&said.at),
    })
}
