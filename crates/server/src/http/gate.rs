//! Who may hold a connection: places are few, and whoever has not shown who they are gives theirs up first.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// Connections at the same time: well below the 1024 files that a process may commonly open, which the log, QUIC and
/// brokers share.
const PLACES: usize = 512;
/// Of them from one address (IPv6: from one /64).
const PLACES_EACH: usize = 256;

/// Whether whoever was shown to ask is still somebody.
type Known = Box<dyn Fn() -> bool + Send>;

struct Visitor {
    address: IpAddr,
    /// Who asked last on this connection, of those who have shown who they are.
    known: Option<Known>,
    leave: Arc<Notify>,
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Visitor {
    fn is_stranger(&self) -> bool {
        self.known.as_ref().is_none_or(|known| !known())
    }
}

#[derive(Debug, Default)]
struct Book {
    next: u64,
    /// By age.
    visitors: BTreeMap<u64, Visitor>,
}

impl Book {
    /// The stranger who has been here longest.
    fn oldest_stranger(&self, from: Option<IpAddr>) -> Option<u64> {
        let mut strangers = self.visitors.iter().filter(|(_, visitor)| visitor.is_stranger());
        strangers.find(|(_, visitor)| from.is_none_or(|address| visitor.address == address)).map(|(id, _)| *id)
    }
}

/// Gives out places. When all are taken, a newcomer gets that of the stranger who has been here longest: 10,000 slow
/// connections crowd out each other, and whoever asks something within a moment is served.
#[derive(Debug)]
pub(crate) struct Gate {
    places: usize,
    places_each: usize,
    book: Mutex<Book>,
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    gate: Arc<Gate>,
    id: u64,
    leave: Arc<Notify>,
}

impl Gate {
    pub(crate) fn new() -> Arc<Self> {
        Self::with(PLACES, PLACES_EACH)
    }

    fn with(places: usize, places_each: usize) -> Arc<Self> {
        Arc::new(Self { places, places_each, book: Mutex::default() })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // The book stays true whoever panicked.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from `address`; `None` where everybody here has shown who they are.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut book = self.book();
        let each = book.visitors.values().filter(|visitor| visitor.address == address).count();
        if each >= self.places_each || book.visitors.len() >= self.places {
            let oldest = book.oldest_stranger((each >= self.places_each).then_some(address))?;
            book.visitors.remove(&oldest)?.leave.notify_one();
        }
        let (id, leave) = (book.next, Arc::new(Notify::new()));
        book.next += 1;
        book.visitors.insert(id, Visitor { address, known: None, leave: leave.clone() });
        Some(Place { gate: self.clone(), id, leave })
    }
}

impl Place {
    /// A request on this connection has shown who asks: it keeps its place for as long as `known` says that they are
    /// somebody here and not long gone.
    pub(crate) fn admit(&self, known: impl Fn() -> bool + Send + 'static) {
        if let Some(visitor) = self.gate.book().visitors.get_mut(&self.id) {
            visitor.known = Some(Box::new(known));
        }
    }

    /// Waits until somebody else needs the place.
    pub(crate) async fn given_away(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.book().visitors.remove(&self.id);
    }
}

/// Whoever has one address of an IPv6 /64 has all of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => {
            v6.to_ipv4_mapped().map_or_else(|| IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()), IpAddr::V4)
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_told(place: &Place) -> bool {
        let mut told = std::pin::pin!(place.given_away());
        told.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn strangers_crowd_out_each_other() {
        let (gate, a, b) = (Gate::with(3, 2), [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let known = gate.enter(a).unwrap();
        known.admit(|| true);
        let slow = gate.enter(a).unwrap();
        let next = gate.enter(a).unwrap();
        assert!(is_told(&slow) && !is_told(&known) && !is_told(&next), "the oldest stranger of that address goes");
        let other = gate.enter(b).unwrap();
        let last = gate.enter(b).unwrap();
        assert!(is_told(&next) && !is_told(&other), "all places are taken: the oldest stranger of all goes");
        assert_eq!(gate.book().visitors.len(), 3);
        other.admit(|| true);
        last.admit(|| true);
        assert!(gate.enter(a).is_none(), "nobody who showed who they are is sent away");
        drop(known);
        assert!(gate.enter(a).is_some());
    }

    #[test]
    fn whoever_is_nobody_any_more_is_a_stranger_again() {
        let (gate, a) = (Gate::with(1, 1), [10, 0, 0, 1].into());
        let (revoked, place) = (Arc::new(std::sync::atomic::AtomicBool::new(false)), gate.enter(a).unwrap());
        let told = revoked.clone();
        place.admit(move || !told.load(std::sync::atomic::Ordering::SeqCst));
        assert!(gate.enter(a).is_none());
        revoked.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(gate.enter(a).is_some() && is_told(&place));
    }
}
