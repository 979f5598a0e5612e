//! Who may start a handshake: handshakes cost the server more than the client, so they are rationed by address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

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

#[derive(Debug)]
struct Visitor {
    open: usize,
    tokens: f64,
    at: Instant,
}

#[derive(Debug, Default)]
struct Book {
    visitors: HashMap<IpAddr, Visitor>,
    open: usize,
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
    address: IpAddr,
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
        self.book().open
    }

    /// Lets a handshake begin, or not.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Place> {
        let address = network(address);
        let ServerLimits { connections, connections_each, rate_each, burst_each, .. } = self.limits;
        let mut book = self.book();
        let book = &mut *book;
        if book.visitors.len() >= ADDRESSES && !book.visitors.contains_key(&address) {
            book.visitors.retain(|_, visitor| visitor.open > 0);
        }
        if book.open >= connections || book.visitors.len() > ADDRESSES + connections {
            return None;
        }
        let visitor = book.visitors.entry(address).or_insert(Visitor { open: 0, tokens: burst_each, at: now });
        let waited = now.saturating_duration_since(visitor.at).as_secs_f64();
        visitor.tokens = waited.mul_add(rate_each, visitor.tokens).min(burst_each);
        visitor.at = now;
        if visitor.tokens < 1.0 || visitor.open >= connections_each {
            return None;
        }
        visitor.tokens -= 1.0;
        visitor.open += 1;
        book.open += 1;
        Some(Place { gate: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut book = self.gate.book();
        book.open = book.open.saturating_sub(1);
        if let Some(visitor) = book.visitors.get_mut(&self.address) {
            visitor.open = visitor.open.saturating_sub(1);
        }
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

    #[test]
    fn one_address_cannot_take_all_places() {
        let limits = ServerLimits { connections: 3, connections_each: 2, burst_each: 10.0, ..ServerLimits::default() };
        let (gate, now) = (Gate::new(limits), Instant::now());
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let first = gate.enter(a, now).unwrap();
        let _second = gate.enter(a, now).unwrap();
        assert!(gate.enter(a, now).is_none());
        let _other = gate.enter(b, now).unwrap();
        assert!(gate.enter(b, now).is_none(), "all places are taken");
        drop(first);
        assert!(gate.enter(a, now).is_some());
        assert_eq!(gate.open(), 2);
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
