//! What all parts of a running merchant share.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::{Notify, Semaphore};
use vestibule_model::{ContentHash, Timestamp};
use vestibule_ucp::{Active, Endpoint, Kept, Known, Profile, SigningKey, Trouble, ask, is_kept};

use crate::{
    Clock,
    gate::Profiles,
    maker::Maker,
    room::Answers,
    rules::book::Book,
    said::Said,
    sii::Enabler,
    store::{Store, StoreError, known},
};

/// A running merchant.
pub(crate) struct App {
    pub(crate) book: Book,
    /// Where it is reached, without a slash at its end.
    pub(crate) base: String,
    pub(crate) profile_url: Endpoint,
    pub(crate) profile: Profile,
    pub(crate) key: SigningKey,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) speed: u64,
    pub(crate) seed: u64,
    pub(crate) folder: PathBuf,
    pub(crate) profiles: Profiles,
    /// What makes things, where it is a manufacturer.
    pub(crate) maker: Option<Maker>,
    /// Thumbprints of who is let in; everybody where there are none.
    pub(crate) let_in: BTreeSet<String>,
    /// What tests of platforms know, where there is such.
    pub(crate) simulation: Option<String>,
    /// Requests at once.
    pub(crate) places: Semaphore,
    /// Where platforms were when they were last heard.
    pub(crate) platforms: Mutex<HashMap<String, (String, Option<String>)>>,
    in_flight: Mutex<HashSet<known::Which>>,
    answers: Answers,
    /// The enabler that knows this merchant, where one does.
    enabler: Mutex<Option<Arc<Enabler>>>,
    /// Something may be due earlier than was known.
    pub(crate) due: Notify,
    /// Something has to be told.
    pub(crate) ring: Notify,
}

/// What a merchant begins with.
pub(crate) struct Begin {
    pub(crate) book: Book,
    pub(crate) base: String,
    pub(crate) profile_url: Endpoint,
    pub(crate) profile: Profile,
    pub(crate) key: SigningKey,
    pub(crate) store: Store,
    pub(crate) profiles: Profiles,
    pub(crate) maker: Option<Maker>,
}

/// Requests at once: what one core answers within a second.
const AT_ONCE: usize = 256;

impl App {
    pub(crate) fn new(begin: Begin, config: &crate::Config) -> Self {
        let Begin { book, base, profile_url, profile, key, store, profiles, maker } = begin;
        Self {
            book,
            base,
            profile_url,
            profile,
            key,
            store,
            clock: config.clock.clone(),
            speed: config.speed.max(1).into(),
            seed: config.seed,
            folder: config.data.clone(),
            profiles,
            maker,
            let_in: config.platform_keys.iter().cloned().collect(),
            simulation: config.simulation_secret.clone(),
            places: Semaphore::new(AT_ONCE),
            platforms: Mutex::default(),
            in_flight: Mutex::default(),
            answers: Answers::default(),
            enabler: Mutex::default(),
            due: Notify::new(),
            ring: Notify::new(),
        }
    }
}

/// Who asks, and what both sides can do.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// The thumbprint of the key that signed.
    pub(crate) platform: String,
    pub(crate) active: Active,
}

/// A request that changes something.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) asker: Asker,
    pub(crate) which: known::Which,
    pub(crate) hash: ContentHash,
}

/// Takes its key out of those that are being worked on.
pub(crate) struct InFlight<'a> {
    app: &'a App,
    which: known::Which,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.app.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.which);
    }
}

impl App {
    /// From now on this enabler is asked for what users share.
    pub(crate) fn is_known_to(&self, enabler: &Arc<Enabler>) {
        *self.enabler.lock().unwrap_or_else(PoisonError::into_inner) = Some(enabler.clone());
    }

    /// The enabler that knows this merchant.
    pub(crate) fn enabler(&self) -> Option<Arc<Enabler>> {
        self.enabler.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins a request. `None` where the same one is being worked on. A merchant that was killed knows of none:
    /// what it had not committed was not done.
    pub(crate) fn begin(&self, which: &known::Which) -> Option<InFlight<'_>> {
        let new = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).insert(which.clone());
        new.then(|| InFlight { app: self, which: which.clone() })
    }

    /// Does what is asked once, however often it is asked: the answer and everything it says is one transaction.
    pub(crate) async fn once<W>(self: &Arc<Self>, asked: Asked, work: W) -> Said
    where
        W: for<'c> FnOnce(Work<'c>) -> BoxFuture<'c, Result<Said, StoreError>> + Send + 'static,
    {
        let Some(_working) = self.begin(&asked.which) else { return Said::trouble(Trouble::InProgress) };
        let app = self.clone();
        let said = self.store.write(move |connection| {
            Box::pin(async move {
                let now = app.clock.now();
                let known = known::find(connection, &asked.which).await?;
                match ask(known.as_ref(), asked.hash, now) {
                    Known::New => {}
                    Known::Replay(kept) => return Ok(Said::again(kept)),
                    Known::Conflict => return Ok(Said::trouble(Trouble::IdempotencyConflict)),
                    Known::InFlight => return Ok(Said::trouble(Trouble::InProgress)),
                }
                if !app.answers.have_room(connection, &asked.which.platform, now).await? {
                    return Ok(Said::trouble(Trouble::RateLimited));
                }
                let said = work(Work { app: &app, connection, asker: &asked.asker, now }).await?;
                if is_kept(said.status) {
                    let kept = Kept::new(asked.hash, said.status, said.body.clone(), now);
                    known::keep(connection, &asked.which, &kept).await?;
                    app.answers.add(&asked.which.platform, &said.body);
                }
                Ok(said)
            })
        });
        let said = self.answered(said.await);
        // An order may have been placed, or something else become due.
        self.due.notify_one();
        self.ring.notify_one();
        said
    }

    /// What is answered, or that it is not possible now.
    pub(crate) fn answered(&self, said: Result<Said, StoreError>) -> Said {
        said.unwrap_or_else(|error| {
            tracing::error!(%error, "a request could not be answered");
            Said::trouble(Trouble::Unavailable)
        })
    }
}

/// What a request is worked on with.
pub(crate) struct Work<'c> {
    pub(crate) app: &'c App,
    pub(crate) connection: &'c mut SqliteConnection,
    pub(crate) asker: &'c Asker,
    pub(crate) now: Timestamp,
}
