//! Event streams that outlive their connections: a bounded buffer from which whoever comes back goes on.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, mpsc},
    time::{sleep, timeout},
};
use vestibule_enabler_core::Fingerprint;
use vestibule_protocol::{Request, Response, encode};

use super::{
    Problem,
    sessions::{self, Held, Shown},
    share::Account,
    view::{Follower, Told},
};
use crate::{HubHandle, Outgoing};

/// Streams at the same time: each is a session of the hub, which has 1024.
const MOST: usize = 192;
/// Of them for one user, or all who bear tokens of one user: some windows of one person.
const MOST_EACH: usize = 16;
/// Messages that are kept for whoever comes back: some seconds of a busy house.
const KEPT: usize = 1_024;
/// Bytes of them.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
/// Messages that a connected reader has not read; then the hub waits, and conflates what it has.
const AHEAD: usize = 128;
/// Nobody reads for so long: the stream ends.
const LINGER: Duration = Duration::from_secs(60);

/// Names a message of a stream: what `Last-Event-ID` brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    stream: u64,
    sequence: u64,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}-{}", self.stream, self.sequence)
    }
}

impl std::str::FromStr for Mark {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (stream, sequence) = text.trim().split_once('-').ok_or(())?;
        let stream = u64::from_str_radix(stream, 16).map_err(|_| ())?;
        Ok(Self { stream, sequence: sequence.parse().map_err(|_| ())? })
    }
}

#[derive(Debug, Default)]
struct Ring {
    items: VecDeque<(u64, Told)>,
    bytes: usize,
    last: u64,
    /// What the reader has read.
    read: u64,
    /// Which reader counts: a newer one takes over.
    reader: u64,
    /// Since when nobody reads.
    left: Option<Instant>,
    ended: bool,
}

impl Ring {
    fn push(&mut self, told: Told) {
        self.last += 1;
        self.bytes += told.data.len();
        self.items.push_back((self.last, told));
        while self.items.len() > KEPT || self.bytes > KEPT_BYTES && self.items.len() > 1 {
            let dropped = self.items.pop_front();
            self.bytes -= dropped.map_or(0, |(_, told)| told.data.len());
        }
    }

    fn is_full(&self) -> bool {
        self.left.is_none() && self.last.saturating_sub(self.read) >= AHEAD as u64
    }

    fn has_all_after(&self, sequence: u64) -> bool {
        sequence <= self.last && self.items.front().is_none_or(|(first, _)| *first <= sequence + 1)
    }

    fn after(&self, sequence: u64) -> Option<(u64, Told)> {
        let place = self.items.partition_point(|(number, _)| *number <= sequence);
        self.items.get(place).cloned()
    }
}

/// A stream of events for one identity.
#[derive(Debug)]
pub(crate) struct Stream {
    id: u64,
    owner: Fingerprint,
    account: Account,
    ring: Mutex<Ring>,
    news: Notify,
    room: Notify,
}

impl Stream {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message; waits where a reader is connected and behind. `false`: nobody has read for too long.
    async fn put(&self, told: Told) -> bool {
        let behind = async {
            loop {
                let mut room = std::pin::pin!(self.room.notified());
                room.as_mut().enable();
                if !self.ring().is_full() {
                    return;
                }
                room.await;
            }
        };
        if timeout(LINGER, behind).await.is_err() {
            return false;
        }
        self.ring().push(told);
        self.news.notify_waiters();
        true
    }

    fn end(&self) {
        self.ring().ended = true;
        self.news.notify_waiters();
    }

    fn is_left(&self) -> bool {
        self.ring().left.is_some_and(|left| left.elapsed() >= LINGER)
    }

    /// Reads on after `sequence`; whoever read before reads no longer.
    fn reader(self: &Arc<Self>, sequence: u64) -> Reader {
        let mut ring = self.ring();
        ring.reader += 1;
        (ring.read, ring.left) = (sequence, None);
        let reader = Reader { stream: self.clone(), number: ring.reader, read: sequence };
        drop(ring);
        self.news.notify_waiters();
        reader
    }
}

/// Whoever reads a stream at the moment.
pub(crate) struct Reader {
    stream: Arc<Stream>,
    number: u64,
    read: u64,
}

impl Reader {
    /// The next message; `None`: the stream has ended, or another reader took over.
    pub(crate) async fn next(&mut self) -> Option<(Mark, Told)> {
        loop {
            let mut news = std::pin::pin!(self.stream.news.notified());
            news.as_mut().enable();
            {
                let mut ring = self.stream.ring();
                // A reader that is overtaken by the buffer's end would miss something without noticing.
                if ring.reader != self.number || !ring.has_all_after(self.read) {
                    return None;
                }
                if let Some((sequence, told)) = ring.after(self.read) {
                    (self.read, ring.read) = (sequence, sequence);
                    drop(ring);
                    self.stream.room.notify_waiters();
                    return Some((Mark { stream: self.stream.id, sequence }, told));
                }
                if ring.ended {
                    return None;
                }
            }
            news.await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut ring = self.stream.ring();
        if ring.reader == self.number {
            ring.left = Some(Instant::now());
        }
        drop(ring);
        self.stream.room.notify_waiters();
    }
}

/// All streams.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: Arc<Mutex<HashMap<u64, Arc<Stream>>>>,
}

type Open = HashMap<u64, Arc<Stream>>;

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    /// Goes on where a reader was; `None` where that is out of reach, or somebody else's.
    pub(crate) fn resume(&self, owner: Fingerprint, mark: Mark) -> Option<Reader> {
        let stream = lock(&self.open).get(&mark.stream).filter(|stream| stream.owner == owner).cloned()?;
        let reaches = {
            let ring = stream.ring();
            !ring.ended && ring.has_all_after(mark.sequence)
        };
        reaches.then(|| stream.reader(mark.sequence))
    }

    /// Begins a stream with what `requests` subscribe to. `first` comes before everything else.
    pub(crate) async fn begin(
        &self,
        hub: &HubHandle,
        shown: &Shown,
        requests: Vec<Request>,
        first: Option<Told>,
    ) -> Result<Reader, Problem> {
        let (held, outgoing) = sessions::open(hub, shown, vestibule_protocol::Party::Metaverse).await?;
        let account = held.account();
        for request in requests {
            if let Response::Refused(refusal) = held.handle().request(request).await {
                return Err(refusal.into());
            }
        }
        let stream = Arc::new(Stream {
            id: rand::random(),
            owner: shown.fingerprint,
            account,
            ring: Mutex::default(),
            news: Notify::new(),
            room: Notify::new(),
        });
        first.into_iter().for_each(|told| stream.ring().push(told));
        {
            let mut open = lock(&self.open);
            make_room(&mut open, &stream.account)?;
            open.insert(stream.id, stream.clone());
        }
        let reader = stream.reader(0);
        let open = self.open.clone();
        tokio::spawn(async move {
            follow(&held, outgoing, &stream).await;
            stream.end();
            lock(&open).remove(&stream.id);
        });
        Ok(reader)
    }
}

/// A place for one more stream on this account, or why there is none.
fn make_room(open: &mut Open, account: &Account) -> Result<(), Problem> {
    let mine = |stream: &Arc<Stream>| stream.account == *account;
    if open.values().filter(|stream| mine(stream)).count() >= MOST_EACH {
        // One that nobody reads makes room; its reader, should it come back, begins anew.
        let left = open.values().filter(|stream| mine(stream) && stream.ring().left.is_some());
        let Some(oldest) = left.min_by_key(|stream| stream.ring().left).map(|stream| stream.id) else {
            let words = format!("{MOST_EACH} event streams of this user, or with tokens of theirs, are open");
            return Err(Problem::overloaded(words));
        };
        if let Some(stream) = open.remove(&oldest) {
            stream.end();
        }
    }
    if open.len() >= MOST {
        return Err(Problem::unavailable(format!("{MOST} event streams are open already")));
    }
    Ok(())
}

/// Carries what the hub says into the stream for as long as somebody reads or may come back.
async fn follow(held: &Held, mut outgoing: mpsc::Receiver<Outgoing>, stream: &Stream) {
    let mut follower = Follower::default();
    loop {
        let news = tokio::select! {
            news = outgoing.recv() => news,
            () = sleep(LINGER / 12) => {
                if stream.is_left() || stream.ring().ended {
                    return;
                }
                continue;
            }
        };
        let told: Vec<Told> = match news {
            Some(Outgoing::Event(event)) => follower.event(*event).into_iter().collect(),
            Some(Outgoing::Datagram(bytes)) => match follower.datagram(&bytes) {
                Some((ack, told)) => {
                    // An acknowledgement that cannot be written is one that was lost.
                    held.handle().datagram(encode(&ack).unwrap_or_default());
                    told
                }
                None => Vec::new(),
            },
            Some(Outgoing::Close(words)) => {
                tracing::info!(%words, "an event stream has ended");
                return;
            }
            None => return,
        };
        for told in told {
            if stream.is_left() || stream.ring().ended || !stream.put(told).await {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Arc<Stream> {
        Arc::new(Stream {
            id: 7,
            owner: Fingerprint([1; 32]),
            account: Account::of(&vestibule_model::UserId::slug("ada")),
            ring: Mutex::default(),
            news: Notify::new(),
            room: Notify::new(),
        })
    }

    fn told(number: usize) -> Told {
        Told { name: "readings", data: number.to_string() }
    }

    #[test]
    fn marks_are_read_as_written() {
        let mark = Mark { stream: 0xabc, sequence: 12 };
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for wrong in ["", "-", "x-1", "1", "1-x", "1-2-3"] {
            assert!(wrong.parse::<Mark>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn whoever_comes_back_misses_nothing_or_is_told() {
        let (stream, streams) = (stream(), Streams::default());
        lock(&streams.open).insert(7, stream.clone());
        let mut reader = stream.reader(0);
        for number in 1..=10 {
            assert!(stream.put(told(number)).await);
        }
        let (mark, first) = reader.next().await.unwrap();
        assert_eq!(first, told(1));
        drop(reader);
        assert!(streams.resume(Fingerprint([2; 32]), mark).is_none(), "somebody else's");
        let mut again = streams.resume(Fingerprint([1; 32]), mark).unwrap();
        for number in 2..=10 {
            assert_eq!(again.next().await.unwrap().1, told(number));
        }
        drop(again);
        for number in 11..=KEPT + 12 {
            stream.put(told(number)).await;
        }
        assert!(streams.resume(Fingerprint([1; 32]), mark).is_none(), "out of reach");
        let ahead = Mark { stream: 7, sequence: 1 << 40 };
        assert!(streams.resume(Fingerprint([1; 32]), ahead).is_none(), "never told");
    }

    #[tokio::test]
    async fn a_slow_reader_holds_up_the_hub_and_a_new_one_takes_over() {
        let stream = stream();
        let mut reader = stream.reader(0);
        for number in 1..=AHEAD {
            stream.put(told(number)).await;
        }
        let mut put = std::pin::pin!(stream.put(told(AHEAD + 1)));
        assert!(timeout(Duration::from_millis(30), put.as_mut()).await.is_err());
        reader.next().await.unwrap();
        assert!(put.await);
        let mut newer = stream.reader(1);
        assert!(reader.next().await.is_none());
        drop(reader);
        assert!(!stream.is_left() && newer.next().await.is_some());
    }
}
