//! One task that owns what was decided, what things say and the log.

mod act;
mod batch;
mod clock;
mod codes;
mod contents;
mod core;
mod deferred;
mod given;
mod handle;
mod history;
mod hot;
mod inquiry;
mod keeper;
mod keeping;
mod kept;
mod keys;
mod load;
mod past;
mod persons;
mod procedure;
mod recent;
mod session;
mod shelf;
mod sii;
mod status;
mod subscription;
mod topics;
mod trade;
mod write;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use thiserror::Error;
use tokio::sync::mpsc;
use vestibule_enabler_core::{
    EventError, Hot, LogEvent, State, default_rules,
    token::{RootKey, TokenError},
};
use vestibule_model::{ContentHash, Refusal, SystemId, Timestamp};
use vestibule_protocol::Event;
use vestibule_store::{
    ContentStore, DataFolder, EventLog, Head, History, MemoryLog, NewLine, Snapshots, SqliteLog, StoreError,
};

pub(crate) use act::in_words;
pub use clock::Clock;
pub use codes::PairingCodes;
pub use handle::{HubHandle, SessionHandle};
pub(crate) use kept::Things;
pub(crate) use load::{Loaded, Until, load, names};
pub use trade::Trade;

use contents::Contents;
use given::Given;
use history::Historian;
use keeper::Keeper;
use persons::PersonStore;
use shelf::{Room, Shelf};

/// The log's file in a data folder.
pub const LOG_FILE: &str = "log.sqlite";
/// The folder of snapshots in a data folder.
pub const SNAPSHOT_FOLDER: &str = "snapshots";
/// The index of the log and what things said, in a data folder.
const HISTORY_FILE: &str = "history.sqlite";

/// Requests that wait for the hub: at a commit of 5 ms and 256 a batch a fifth of a second of work; more is refused.
const WAITING: usize = 1_024;
/// Messages that wait for one connection; a receiver further behind is resynchronized instead.
const OUTBOX: usize = 256;
/// Systems whose measures operators are told: what one page of metrics can carry, some hundred kilobytes.
const MOST_MEASURED: usize = 1_000;
/// Connections at once: people, headsets and twin systems of a large house.
const MOST_SESSIONS: usize = 1_024;
/// Requests that one connection can have waiting.
const MOST_IN_FLIGHT: usize = 256;
/// Questions about the past that are answered at once: each folds a part of the log.
const MOST_QUESTIONS: usize = 4;
/// Requests that a third-party system can have waiting: sixteen that flood take a quarter of the hub's queue.
const MOST_OF_A_THIRD_PARTY: usize = 16;
/// Bytes of models on disk.
const CONTENT_LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// How long what was is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Days of the log; `None`: for ever.
    pub log_days: Option<u32>,
    /// Days of what things said.
    pub history_days: u32,
    /// Bytes of what things said; the oldest goes first.
    pub history_bytes: u64,
    /// Lines after which a snapshot is written, at least; a large state waits for half as many as it has twins.
    pub snapshot_lines: u64,
}

impl Default for Keeping {
    fn default() -> Self {
        // A week of what a busy house says, and restarts within a second.
        Self { log_days: None, history_days: 7, history_bytes: 256 * 1024 * 1024, snapshot_lines: 10_000 }
    }
}

/// Where a hub keeps its data, and what it is called.
#[derive(Clone)]
pub struct HubConfig {
    /// The folder for log and content; `None`: in memory, gone at the end.
    pub data: Option<PathBuf>,
    /// The enabler's name, told to whoever connects.
    pub name: String,
    /// What time it is.
    pub clock: Clock,
    /// Another log than that of `data`: for tests with a disk that fails.
    pub log: Option<Arc<dyn EventLog>>,
    /// How long what was is kept.
    pub keeping: Keeping,
}

impl HubConfig {
    /// Keeps its data in a folder.
    pub fn new(data: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        Self { data: Some(data.into()), ..Self::in_memory(name) }
    }

    /// Keeps its data in memory.
    pub fn in_memory(name: impl Into<String>) -> Self {
        Self { data: None, name: name.into(), clock: Clock::system(), log: None, keeping: Keeping::default() }
    }
}

/// Who a connection is, as its transport has proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Holds the key of the certificate with this hash. Always the same hash function.
    Certificate([u8; 32]),
    /// An adapter in this process that maintains the twins of this system. It needs no hello.
    Local(SystemId),
    /// A part of this process that speaks for this third-party system, which does not do so itself. It needs no hello.
    LocalThirdParty(SystemId),
    /// The enabler's own program, proven by the data folder's key. It needs no hello and may what owners may.
    Console,
}

/// What a connection is to be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing {
    /// On the reliable stream of events.
    Event(Box<Event>),
    /// As a datagram, which may be lost.
    Datagram(Vec<u8>),
    /// Close, and why. Nothing follows.
    Close(String),
}

/// Why the hub does not do something.
#[derive(Debug, Error)]
pub enum HubError {
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line of the log that this program cannot read.
    #[error("line {sequence} of the log cannot be read ({source}): use the program that wrote it")]
    Line {
        /// Its number.
        sequence: u64,
        /// What is wrong with it.
        source: EventError,
    },
    /// An event that cannot be written.
    #[error(transparent)]
    Event(#[from] EventError),
    /// A refusal of the enabler's own.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// More connections than there may be.
    #[error("{MOST_SESSIONS} connections are open already")]
    TooManySessions,
    /// The key that signs tokens.
    #[error(transparent)]
    Key(#[from] TokenError),
    /// The file with that key.
    #[error("{0}: {1}")]
    KeyFile(PathBuf, std::io::Error),
    /// The hub was shut down.
    #[error("the enabler has stopped")]
    Stopped,
}

/// How the hub is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubStatus {
    /// Whether it runs; where not, nothing else here means anything.
    pub running: bool,
    /// Its name.
    pub name: String,
    /// Open connections.
    pub sessions: usize,
    /// The same by the part that they take.
    pub parties: BTreeMap<&'static str, usize>,
    /// Registered systems.
    pub systems: usize,
    /// Those of them that are connected.
    pub systems_online: usize,
    /// Described twins.
    pub twins: usize,
    /// Devices that were paired or enrolled.
    pub devices: usize,
    /// Commands that have not ended.
    pub open_commands: usize,
    /// Leases that are held or waited for.
    pub leases: usize,
    /// Where the log ends.
    pub head: Head,
    /// Why nothing can be written at the moment, or what is wrong with what was written, and what to do.
    pub storage: Option<String>,
    /// The line that the log begins behind; 0: it is whole.
    pub begins: u64,
}

impl HubStatus {
    pub(crate) fn stopped() -> Self {
        Self {
            running: false,
            name: String::new(),
            sessions: 0,
            parties: BTreeMap::new(),
            systems: 0,
            systems_online: 0,
            twins: 0,
            devices: 0,
            open_commands: 0,
            leases: 0,
            head: Head::EMPTY,
            storage: None,
            begins: 0,
        }
    }
}

/// The integration enabler: decides, writes, then acts. Held by whoever runs it.
pub type Hub = HubHandle;

impl HubHandle {
    /// Reads the log (or a snapshot and the lines behind it), checks the chain, folds it and starts the hub's task on
    /// the current tokio runtime. What a snapshot stands for is checked afterwards, in the background.
    ///
    /// # Errors
    /// [`HubError`] where the folder is in use, the log is damaged or of a newer program.
    pub async fn start(config: HubConfig) -> Result<Self, HubError> {
        let Places { folder, log, disk, snapshots, history } = open(&config).await?;
        let data = folder.as_ref().map(DataFolder::path);
        let (contents, persons) = (Arc::new(Contents::new(disk)), PersonStore::new(data));
        let shelf = Shelf::open(data, Room::USUAL).map_err(StoreError::from)?;
        persons.keep_sweeping();
        let given = Arc::new(Given::new(contents.clone(), persons, shelf));
        let mut loaded = load::load_and_forget(&log, snapshots.as_ref(), &given).await?;
        if loaded.snapshot == 0 {
            // The file below the lines as well. Behind a snapshot the hub's task does it later.
            log.verify().await?;
        }
        if loaded.head.sequence == 0 {
            write_down(log.as_ref(), &mut loaded, default_rules(), config.clock.now()).await?;
        }
        if loaded.state.salt.is_none() {
            let salt = LogEvent::PseudonymsSalted { salt: ContentHash(rand::random()) };
            write_down(log.as_ref(), &mut loaded, vec![salt], config.clock.now()).await?;
        }
        let token_key = keys::token_key(data)?;
        announce_key(log.as_ref(), &mut loaded, &token_key, config.clock.now()).await?;
        let State { devices, users, rules, delegated, agreements, .. } = &loaded.state;
        let people = (devices, users, rules, delegated, agreements.values().collect::<Vec<_>>());
        if let Err(error) = loaded.names.scope(|| serde_json::to_writer(std::io::sink(), &people)) {
            // Only names from before they were kept apart would have been new here.
            tracing::debug!(%error, "names are kept apart from the next line on");
        }
        let hot = Hot::restore(&loaded.state, config.clock.now());
        let (lines, from, twins) = (loaded.head.sequence, loaded.snapshot, loaded.state.twins.len());
        tracing::info!(lines, from, twins, "the log was read");
        let (control, control_inbox) = mpsc::channel(64);
        let (decide, decide_inbox) = mpsc::channel(WAITING);
        let (hot_sender, hot_inbox) = mpsc::channel(WAITING);
        let historian = Historian::start(history, log.clone(), &loaded.state, config.clock.clone(), config.keeping);
        let past = core::Past {
            control: control.downgrade(),
            keeper: snapshots.map(Keeper::new),
            historian,
            begins: log.anchor().await?.sequence,
            damage: None,
            questions: Arc::new(tokio::sync::Semaphore::new(MOST_QUESTIONS)),
        };
        let core = core::Core::new(config, log, loaded, hot, folder, past, token_key, given);
        let handle = Self::new(control, decide, hot_sender, contents, core.things.subscribe());
        tokio::spawn(core.run(core::Inbox { control: control_inbox, decide: decide_inbox, hot: hot_inbox }));
        Ok(handle)
    }
}

/// What a hub has on the disk, or in memory.
struct Places {
    folder: Option<DataFolder>,
    log: Arc<dyn EventLog>,
    disk: Option<ContentStore>,
    snapshots: Option<Snapshots>,
    history: History,
}

async fn open(config: &HubConfig) -> Result<Places, HubError> {
    let Some(path) = &config.data else {
        let log = config.log.clone().unwrap_or_else(|| Arc::new(MemoryLog::default()));
        let history = History::open(None).await?;
        return Ok(Places { folder: None, log, disk: None, snapshots: None, history });
    };
    let folder = DataFolder::open(path)?;
    let disk = ContentStore::open(folder.path().join("content"), CONTENT_LIMIT)?;
    let log: Arc<dyn EventLog> = match &config.log {
        Some(log) => log.clone(),
        None => Arc::new(SqliteLog::open(folder.path().join(LOG_FILE)).await?),
    };
    let snapshots = Snapshots::open(folder.path().join(SNAPSHOT_FOLDER))?;
    let history = History::open(Some(&folder.path().join(HISTORY_FILE))).await?;
    Ok(Places { folder: Some(folder), log, disk: Some(disk), snapshots: Some(snapshots), history })
}

/// Writes down which key signs tokens, where it is another one than before: those of the older one are void.
async fn announce_key(log: &dyn EventLog, loaded: &mut Loaded, key: &RootKey, now: Timestamp) -> Result<(), HubError> {
    let key = key.public()?;
    if loaded.state.token_key == Some(key) {
        return Ok(());
    }
    write_down(log, loaded, vec![LogEvent::TokenKeySet { key }], now).await
}

/// Writes what a house begins with.
async fn write_down(
    log: &dyn EventLog,
    loaded: &mut Loaded,
    events: Vec<LogEvent>,
    now: Timestamp,
) -> Result<(), HubError> {
    let mut lines = Vec::new();
    for event in events {
        let (payload, event) = loaded.names.scope(|| event.written())?;
        loaded.state.apply(now, &event);
        lines.push(NewLine { at: now, payload });
    }
    loaded.head = log.append(loaded.head, lines, loaded.names.take_fresh()).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
