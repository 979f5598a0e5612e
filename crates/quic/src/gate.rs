//! Who may start a handshake: handshakes cost the server more than the client, so they are rationed by address. Places
//! are few, and whoever has not shown who they are gives theirs up first.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

/// What a server allows.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections at the same time.
    pub connections: usize,
    /// Connections at the same time from one address (IPv6: from one /64).
    pub connections_each: usize,
    /// Handshakes that may be going on; above half of it clients must show that they are where they say.
    pub handshakes: usize,
    /// Handshakes a second from one address, in the long run.
    pub rate_each: f64,
    /// Handshakes from one address at once.
    pub burst_each: f64,
}

impl Default for ServerLimits {
    /// A large household, or a small site, behind one address.
    fn default() -> Self {
        Self { connections: 1024, connections_each: 512, handshakes: 128, rate_each: 20.0, burst_each: 400.0 }
    }
}

/// Addresses that are remembered. More at once: those without connections are forgotten.
const ADDRESSES: usize = 4096;

/// What is known of an address.
#[derive(Debug)]
struct Visitor {
    open: usize,
    tokens: f64,
    at: Instant,
}

/// A connection that has a place.
#[derive(Debug)]
struct Guest {
    address: IpAddr,
    /// The server knows whose it is.
    admitted: bool,
    leave: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Book {
    visitors: HashMap<IpAddr, Visitor>,
    next: u64,
    /// By age.
    guests: BTreeMap<u64, Guest>,
}

impl Book {
    /// Sends away the stranger who has been here longest; `false` where there is none.
    fn send_away(&mut self, from: Option<IpAddr>) -> bool {
        let mut strangers = self.guests.iter().filter(|(_, guest)| !guest.admitted);
        let oldest = strangers.find(|(_, guest)| from.is_none_or(|address| guest.address == address));
        let Some(id) = oldest.map(|(id, _)| *id) else { return false };
        self.leave(id).inspect(|guest| guest.leave.notify_one()).is_some()
    }

    fn leave(&mut self, id: u64) -> Option<Guest> {
        let guest = self.guests.remove(&id)?;
        if let Some(visitor) = self.visitors.get_mut(&guest.address) {
            visitor.open = visitor.open.saturating_sub(1);
        }
        Some(guest)
    }
}

#[derive(Debug)]
pub(crate) struct Gate {
    limits: ServerLimits,
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
    pub(crate) fn new(limits: ServerLimits) -> Arc<Self> {
        Arc::new(Self { limits, book: Mutex::default() })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Counters stay true whoever panicked.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections, handshakes included.
    pub(crate) fn open(&self) -> usize {
        self.book().guests.len()
    }

    /// Lets a handshake begin, or not. Where all places are taken, a stranger's is given away.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Place> {
        let address = network(address);
        let ServerLimits { connections, connections_each, rate_each, burst_each, .. } = self.limits;
        let mut book = self.book();
        let book = &mut *book;
        if book.visitors.len() >= ADDRESSES && !book.visitors.contains_key(&address) {
            book.visitors.retain(|_, visitor| visitor.open > 0);
        }
        if book.visitors.len() > ADDRESSES + connections {
            return None;
        }
        let visitor = book.visitors.entry(address).or_insert(Visitor { open: 0, tokens: burst_each, at: now });
        let waited = now.saturating_duration_since(visitor.at).as_secs_f64();
        visitor.tokens = waited.mul_add(rate_each, visitor.tokens).min(burst_each);
        visitor.at = now;
        if visitor.tokens < 1.0 {
            return None;
        }
        visitor.tokens -= 1.0;
        let is_own_full = visitor.open >= connections_each;
        if (is_own_full || book.guests.len() >= connections) && !book.send_away(is_own_full.then_some(address)) {
            return None;
        }
        let (id, leave) = (book.next, Arc::new(Notify::new()));
        book.next += 1;
        book.guests.insert(id, Guest { address, admitted: false, leave: leave.clone() });
        if let Some(visitor) = book.visitors.get_mut(&address) {
            visitor.open += 1;
        }
        Some(Place { gate: self.clone(), id, leave })
    }
}

impl Place {
    /// The server knows whose connection it is: it keeps its place.
    pub(crate) fn admit(&self) {
        if let Some(guest) = self.gate.book().guests.get_mut(&self.id) {
            guest.admitted = true;
        }
    }

    /// Told once when somebody else needs the place.
    pub(crate) fn leave(&self) -> Arc<Notify> {
        self.leave.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Gone already where it was given away.
        self.gate.book().leave(self.id);
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
    use std::time::Duration;

    use super::*;

    fn is_told(place: &Place) -> bool {
        let leave = place.leave();
        let mut told = std::pin::pin!(leave.notified());
        told.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let limits = ServerLimits { connections: 3, connections_each: 2, burst_each: 10.0, ..ServerLimits::default() };
        let (gate, now) = (Gate::new(limits), Instant::now());
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let enter = |address| gate.enter(address, now).inspect(Place::admit);
        let first = enter(a).unwrap();
        let _second = enter(a).unwrap();
        assert!(enter(a).is_none());
        let _other = enter(b).unwrap();
        assert!(enter(b).is_none(), "all places are taken");
        drop(first);
        assert!(enter(a).is_some());
        assert_eq!(gate.open(), 2);
    }

    #[test]
    fn strangers_crowd_out_each_other() {
        let limits = ServerLimits { connections: 3, connections_each: 2, burst_each: 99.0, ..ServerLimits::default() };
        let (gate, now) = (Gate::new(limits), Instant::now());
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let enter = |address| gate.enter(address, now);
        let known = enter(a).unwrap();
        known.admit();
        let slow = enter(a).unwrap();
        let next = enter(a).unwrap();
        assert!(is_told(&slow) && !is_told(&known) && !is_told(&next), "the oldest stranger of that address goes");
        let other = enter(b).unwrap();
        let last = enter(b).unwrap();
        assert!(is_told(&next) && !is_told(&other), "all places are taken: the oldest stranger of all goes");
        assert_eq!(gate.open(), 3);
        drop((slow, next));
        assert_eq!(gate.open(), 3, "whoever was sent away frees no second place");
        other.admit();
        last.admit();
        assert!(enter(a).is_none(), "nobody who is known is sent away");
        drop(known);
        assert!(enter(a).is_some());
    }

    #[test]
    fn handshakes_are_rationed() {
        let limits = ServerLimits { rate_each: 1.0, burst_each: 2.0, ..ServerLimits::default() };
        let (gate, now) = (Gate::new(limits), Instant::now());
        let address = "fe80::1".parse().unwrap();
        assert!(gate.enter(address, now).is_some() && gate.enter(address, now).is_some());
        assert!(gate.enter("fe80::2".parse().unwrap(), now).is_none(), "the same /64");
        assert!(gate.enter(address, now + Duration::from_millis(1100)).is_some());
        assert!(gate.enter("2001:db8::1".parse().unwrap(), now).is_some());
    }
}
