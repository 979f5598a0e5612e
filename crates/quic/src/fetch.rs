//! Content that a link fetches: checked, bounded, taken up again after a loss.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quinn::{Connection, RecvStream};
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time::{sleep, timeout},
};
use vestibule_model::ContentHash;
use vestibule_protocol::LinkEvent;

use crate::{
    link::Out,
    wire::{ContentHead, FETCH, FrameError, read_array, within, write, write_frame},
};

/// The most bytes that content may have: a scanned room.
pub const MAX_CONTENT: u64 = 256 * 1024 * 1024;
/// Fetched at the same time; the others wait.
const CONCURRENT: usize = 4;
/// Fetches that wait. More are refused: nobody looks at so many things.
const WAITING: usize = 256;
/// Attempts without a single new byte.
const ATTEMPTS: u32 = 5;
/// Between attempts over one connection.
const PAUSE: Duration = Duration::from_millis(250);
/// Without a connection for so long a fetch fails; longer than a session's longest pause between attempts.
const NO_CONNECTION: Duration = Duration::from_secs(60);
/// For the next bytes. The enabler may have others before us in its queue.
const BYTES: Duration = Duration::from_secs(15);
/// Read at once.
const CHUNK: usize = 256 * 1024;

type Arrival = (ContentHead, RecvStream);

/// A connection, and who waits for content in it.
#[derive(Debug)]
pub(crate) struct Live {
    connection: Connection,
    waiting: Mutex<HashMap<ContentHash, oneshot::Sender<Arrival>>>,
}

impl Live {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, waiting: Mutex::default() }
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<ContentHash, oneshot::Sender<Arrival>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever waits for this content.
    pub(crate) fn take(&self, hash: ContentHash) -> Option<oneshot::Sender<Arrival>> {
        self.waiting().remove(&hash)
    }
}

/// All fetches of a link. They live longer than its connections.
pub(crate) struct Fetches {
    live: watch::Sender<Option<Arc<Live>>>,
    active: Arc<Mutex<HashSet<ContentHash>>>,
    turns: Arc<Semaphore>,
    out: Out,
}

/// Why an attempt brought no content.
enum Failure {
    /// Another attempt may.
    Again(String),
    /// None will.
    Never(String),
}

impl From<FrameError> for Failure {
    fn from(error: FrameError) -> Self {
        Self::Again(error.to_string())
    }
}

impl Fetches {
    pub(crate) fn new(out: Out) -> Self {
        Self {
            live: watch::Sender::new(None),
            active: Arc::default(),
            turns: Arc::new(Semaphore::new(CONCURRENT)),
            out,
        }
    }

    /// There is a connection, or none any more.
    pub(crate) fn connected(&self, live: Option<Arc<Live>>) {
        self.live.send_replace(live);
    }

    /// Starts a fetch; one that is under way is not started twice, and answers both.
    pub(crate) fn start(&self, hash: ContentHash, size: u64) {
        let refusal = {
            let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
            if active.contains(&hash) {
                return;
            }
            if size > MAX_CONTENT {
                Some(format!("{size} bytes are more than content may have ({MAX_CONTENT})"))
            } else if active.len() >= WAITING {
                Some("too much is being fetched already".to_owned())
            } else {
                active.insert(hash);
                None
            }
        };
        let (turns, active, out, mut live) =
            (self.turns.clone(), self.active.clone(), self.out.clone(), self.live.subscribe());
        tokio::spawn(async move {
            let fetched = match refusal {
                Some(refusal) => Err(refusal),
                None => tokio::select! {
                    fetched = fetch(hash, size, &mut live, &turns) => {
                        active.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash);
                        fetched
                    }
                    () = out.abandoned() => return,
                },
            };
            let held = match &fetched {
                Ok(bytes) => out.room(bytes.len()).await.ok(),
                Err(_) => None,
            };
            let _ = out.say(LinkEvent::Content { hash, bytes: fetched }, held).await;
        });
    }
}

async fn fetch(
    hash: ContentHash,
    size: u64,
    live: &mut watch::Receiver<Option<Arc<Live>>>,
    turns: &Semaphore,
) -> Result<Vec<u8>, String> {
    let _turn = turns.acquire().await.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let mut failures = 0;
    loop {
        let before = bytes.len();
        let connection = connection(live).await.ok_or("there is no connection to fetch it over")?;
        let why = match attempt(&connection, hash, size, &mut bytes).await {
            Ok(()) if ContentHash::of(&bytes) == hash => return Ok(bytes),
            Ok(()) => return Err("what came is not what was asked for: its hash is another one".to_owned()),
            Err(Failure::Never(why)) => return Err(why),
            Err(Failure::Again(why)) => why,
        };
        connection.take(hash);
        failures = if bytes.len() > before { 0 } else { failures + 1 };
        if failures >= ATTEMPTS {
            return Err(why);
        }
        sleep(PAUSE).await;
    }
}

/// The connection, as soon as there is one.
async fn connection(live: &mut watch::Receiver<Option<Arc<Live>>>) -> Option<Arc<Live>> {
    timeout(NO_CONNECTION, live.wait_for(Option::is_some)).await.ok()?.ok()?.clone()
}

/// Fetches what is missing of `bytes`.
async fn attempt(live: &Live, hash: ContentHash, size: u64, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let (sender, arrival) = oneshot::channel();
    live.waiting().insert(hash, sender);
    let lost = |error: quinn::ConnectionError| FrameError::Lost(error.to_string());
    let (mut send, mut recv) = within(BYTES, live.connection.open_bi()).await?.map_err(lost)?;
    let offset = bytes.len() as u64;
    write(&mut send, &[FETCH]).await?;
    write_frame(&mut send, &ContentHead { hash, offset, total: size }.to_bytes()).await?;
    let _ = send.finish();
    let [there, total @ ..]: [u8; 9] = within(BYTES, read_array(&mut recv)).await??;
    let total = u64::from_le_bytes(total);
    if there == 0 {
        return Err(Failure::Never("the enabler does not have it for you".to_owned()));
    }
    if total != size {
        return Err(Failure::Never(format!("it has {total} bytes where {size} were promised")));
    }
    let (head, mut stream) =
        within(BYTES, arrival).await?.map_err(|_| Failure::Again("the connection was lost".to_owned()))?;
    if head != (ContentHead { hash, offset, total }) {
        return Err(Failure::Again("other content came than was asked for".to_owned()));
    }
    while (bytes.len() as u64) < total {
        let missing = usize::try_from(total - bytes.len() as u64).unwrap_or(CHUNK);
        match within(BYTES, stream.read_chunk(missing.min(CHUNK), true)).await? {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk.bytes),
            Ok(None) => return Err(FrameError::Truncated.into()),
            Err(error) => return Err(Failure::Again(error.to_string())),
        }
    }
    Ok(())
}
