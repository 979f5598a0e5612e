//! What one connection is told of twins: conflated, bounded, cut by permission.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;
use vestibule_enabler_core::{Hot, State, Viewer, lease_update, may_read, may_see_system, system_view, view};
use vestibule_model::{ContentHash, LeaseId, LeaseUpdate, SystemId, Timestamp, TwinId};
use vestibule_protocol::{Event, HotAck, HotSender, Interest, MAX_DATAGRAM, TwinView, encode};

use super::{OUTBOX, Outgoing};

/// Milliseconds between two rounds of datagrams: one frame of a screen.
const FLUSH_MS: u64 = 16;
/// Places in the outbox that datagrams leave to events.
const KEPT_FOR_EVENTS: usize = OUTBOX / 2;
/// Bytes of a reading beyond which it goes as an event: with its header and mask it might fit no datagram.
const LONGEST_HOT: usize = MAX_DATAGRAM - 300;

/// What a view is made of.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) state: &'a State,
    pub(super) hot: &'a Hot,
    pub(super) now: Timestamp,
}

/// How far a synchronization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It has to begin (again) as soon as there is room.
    Behind,
    /// Twins are being sent.
    Syncing,
    /// Only changes are sent.
    Live,
}

/// A twin as this session knows it.
#[derive(Debug)]
struct Known {
    short: u32,
    epoch: u32,
    /// The place in the whole description of each property that the user sees.
    places: Vec<u16>,
    /// What was sent, without readings.
    shape: ContentHash,
}

/// A subscription. Everything that waits in it is a set of names: the newest truth is looked up when there is room.
#[derive(Debug)]
pub(super) struct Subscription {
    interest: Interest,
    phase: Phase,
    known: BTreeMap<TwinId, Known>,
    next_short: u32,
    epochs: u32,
    twins: BTreeSet<TwinId>,
    systems: BTreeSet<SystemId>,
    long: BTreeSet<(TwinId, u16)>,
    // As many as the enabler knows: bounded there.
    leases: BTreeSet<LeaseId>,
    /// What was last told of each that is live, so that nothing is told twice.
    told: BTreeMap<LeaseId, LeaseUpdate>,
    datagrams: HotSender,
    flushed: Option<Timestamp>,
    /// A synchronization has just ended.
    caught_up: bool,
}

impl Subscription {
    /// Begins with a synchronization. `before`: what it replaces on the same connection, whose receiver counts on.
    pub(super) fn new(interest: Interest, before: Option<Self>) -> Self {
        let (mut datagrams, next_short, epochs, known) =
            before.map(|old| (old.datagrams, old.next_short, old.epochs, old.known)).unwrap_or_default();
        known.values().for_each(|twin| datagrams.forget(twin.short));
        Self {
            interest,
            phase: Phase::Behind,
            known: BTreeMap::new(),
            next_short: next_short.max(1),
            epochs,
            twins: BTreeSet::new(),
            systems: BTreeSet::new(),
            long: BTreeSet::new(),
            leases: BTreeSet::new(),
            told: BTreeMap::new(),
            datagrams,
            flushed: None,
            caught_up: false,
        }
    }

    pub(super) fn is_interested(&self, twin: &TwinId) -> bool {
        match &self.interest {
            Interest::All => true,
            Interest::Systems(systems) => systems.contains(&twin.system()),
            Interest::Twins(twins) => twins.contains(twin),
        }
    }

    fn is_interested_in_system(&self, system: &SystemId) -> bool {
        match &self.interest {
            Interest::All => true,
            Interest::Systems(systems) => systems.contains(system),
            Interest::Twins(twins) => twins.iter().any(|twin| twin.system() == *system),
        }
    }

    /// Whether a synchronization has ended since this was asked last.
    pub(super) const fn has_caught_up(&mut self) -> bool {
        std::mem::replace(&mut self.caught_up, false)
    }

    /// Something was lost that cannot be told again: synchronize anew.
    pub(super) const fn fall_behind(&mut self) {
        self.phase = Phase::Behind;
    }

    /// A twin may look different now.
    pub(super) fn twin_changed(&mut self, twin: &TwinId) {
        if self.phase != Phase::Behind && self.is_interested(twin) {
            self.twins.insert(twin.clone());
        }
    }

    /// Everything may look different now.
    pub(super) fn access_changed(&mut self, state: &State) {
        if self.phase != Phase::Behind {
            let twins = state.twins.keys().filter(|twin| self.is_interested(twin)).chain(self.known.keys());
            self.twins = twins.cloned().collect();
            self.leases.extend(state.leases.live().map(|lease| lease.request.id));
        }
    }

    /// A lease came further, or its place in a queue changed.
    pub(super) fn lease_changed(&mut self, lease: LeaseId) {
        if self.phase != Phase::Behind {
            self.leases.insert(lease);
        }
    }

    /// A system's information or health changed.
    pub(super) fn system_changed(&mut self, system: &SystemId) {
        if self.phase != Phase::Behind && self.is_interested_in_system(system) {
            self.systems.insert(system.clone());
        }
    }

    /// A property's reading changed.
    pub(super) fn reading_changed(&mut self, world: World<'_>, twin: &TwinId, place: u16) {
        // One that is to be looked at anew may have its properties in other places by now.
        if self.twins.contains(twin) {
            return;
        }
        let Some(known) = self.known.get(twin) else { return };
        let Ok(index) = known.places.binary_search(&place) else { return };
        let (Ok(index), Some(reading)) = (u16::try_from(index), world.hot.reading(twin, place, world.now)) else {
            return;
        };
        if encode(&reading).map_or(usize::MAX, |bytes| bytes.len()) > LONGEST_HOT {
            self.long.insert((twin.clone(), place));
        } else {
            self.datagrams.update(known.short, known.epoch, index, reading, world.now.0);
        }
    }

    /// Whether the user sees this property of a twin.
    pub(super) fn shows(&self, twin: &TwinId, place: u16) -> bool {
        self.known.get(twin).is_some_and(|known| known.places.binary_search(&place).is_ok())
    }

    pub(super) fn acknowledge(&mut self, ack: HotAck) {
        self.datagrams.acknowledge(ack);
    }

    /// The names by which this session's datagrams know a twin.
    pub(super) fn names(&self, twin: &TwinId) -> Option<(u32, u32)> {
        self.known.get(twin).map(|known| (known.short, known.epoch))
    }

    /// When [`pump`](Self::pump) has something to do although nothing new comes.
    pub(super) fn next_pump(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = self.phase != Phase::Live
            || !self.twins.is_empty()
            || !self.systems.is_empty()
            || !self.leases.is_empty()
            || !self.long.is_empty();
        let soon = waits.then(|| now.plus(FLUSH_MS));
        let flush = self.datagrams.next_wakeup().map(|at| {
            // What is due at this very moment has just been tried.
            let earliest = self.flushed.map_or(now, |flushed| flushed.plus(FLUSH_MS)).max(now.plus(1));
            Timestamp(at).max(earliest)
        });
        soon.into_iter().chain(flush).min()
    }

    /// Sends as much as there is room for.
    pub(super) fn pump(&mut self, world: World<'_>, viewer: &Viewer, outbox: &mpsc::Sender<Outgoing>) {
        if self.phase == Phase::Behind && outbox.capacity() >= OUTBOX / 2 {
            self.begin(world.state, viewer, outbox);
        }
        if self.phase == Phase::Behind {
            return;
        }
        while outbox.capacity() > 0
            && let Some(system) = self.systems.pop_first()
        {
            if may_see_system(world.state, viewer, &system)
                && let Some(view) = system_view(world.state, world.hot, viewer, &system, world.now)
            {
                send(outbox, Event::System(Box::new(view)));
            }
        }
        while outbox.capacity() > 0
            && let Some(twin) = self.twins.pop_first()
        {
            self.send_twin(world, viewer, twin, outbox);
        }
        while outbox.capacity() > 0
            && self.twins.is_empty()
            && let Some(lease) = self.leases.pop_first()
        {
            self.send_lease(world, viewer, lease, outbox);
        }
        while outbox.capacity() > 0
            && let Some((twin, place)) = self.long.pop_first()
        {
            self.send_long(world, &twin, place, outbox);
        }
        let told = self.twins.is_empty() && self.systems.is_empty() && self.leases.is_empty();
        if self.phase == Phase::Syncing && told && outbox.capacity() > 0 {
            self.phase = Phase::Live;
            self.caught_up = true;
            send(outbox, Event::Synchronized);
        }
        self.flush(world.now, outbox);
    }

    fn begin(&mut self, state: &State, viewer: &Viewer, outbox: &mpsc::Sender<Outgoing>) {
        for known in std::mem::take(&mut self.known).into_values() {
            self.datagrams.forget(known.short);
        }
        self.phase = Phase::Syncing;
        self.long.clear();
        self.twins = state.twins.keys().filter(|twin| self.is_interested(twin)).cloned().collect();
        self.systems = state.systems.keys().filter(|system| self.is_interested_in_system(system)).cloned().collect();
        // Also how their own ended while they did not listen.
        let leases = state.leases.known().filter(|lease| lease.is_live() || lease.user == viewer.user);
        self.leases = leases.map(|lease| lease.request.id).collect();
        self.told.clear();
        send(outbox, Event::Begin);
    }

    /// To whom it concerns, and to whoever may read the twin.
    fn send_lease(&mut self, world: World<'_>, viewer: &Viewer, id: LeaseId, outbox: &mpsc::Sender<Outgoing>) {
        let Some(lease) = world.state.leases.get(&id) else {
            self.told.remove(&id);
            return;
        };
        let twin = &lease.request.twin;
        let may = || self.is_interested(twin) && may_read(world.state, viewer, twin, None);
        if lease.user != viewer.user && !may() {
            return;
        }
        let update = lease_update(world.state, viewer, world.now, lease);
        let before = if lease.is_live() { self.told.insert(id, update.clone()) } else { self.told.remove(&id) };
        if before.as_ref() != Some(&update) {
            send(outbox, Event::Lease(update));
        }
    }

    fn send_twin(&mut self, world: World<'_>, viewer: &Viewer, id: TwinId, outbox: &mpsc::Sender<Outgoing>) {
        let Some((mut view, places)) = view(world.state, world.hot, viewer, &id, world.now) else {
            if let Some(known) = self.known.remove(&id) {
                self.datagrams.forget(known.short);
                send(outbox, Event::Gone(id));
            }
            return;
        };
        let shape = shape(&view);
        self.long.retain(|(twin, _)| *twin != id);
        if let Some(known) = self.known.get_mut(&id).filter(|known| known.shape == shape) {
            // It looks the same, but parts that this user does not see may have moved the others; and what was
            // reported while it waited here has not been told.
            known.places.clone_from(&places);
            places.iter().for_each(|place| self.reading_changed(world, &id, *place));
            return;
        }
        let known = self.known.get(&id);
        // A new epoch for every view that is sent: datagrams about the one before are told apart by it.
        self.epochs = self.epochs.wrapping_add(1);
        let short = known.map_or(self.next_short, |known| known.short);
        self.next_short = self.next_short.max(short.wrapping_add(1));
        self.datagrams.forget(short);
        (view.short, view.epoch) = (short, self.epochs);
        self.known.insert(id, Known { short, epoch: self.epochs, places, shape });
        send(outbox, Event::Twin(Box::new(view)));
    }

    fn send_long(&self, world: World<'_>, twin: &TwinId, place: u16, outbox: &mpsc::Sender<Outgoing>) {
        let Some(known) = self.known.get(twin) else { return };
        let Ok(index) = known.places.binary_search(&place) else { return };
        let (Ok(index), Some(reading)) = (u16::try_from(index), world.hot.reading(twin, place, world.now)) else {
            return;
        };
        send(outbox, Event::Reading { short: known.short, epoch: known.epoch, index, reading });
    }

    fn flush(&mut self, now: Timestamp, outbox: &mpsc::Sender<Outgoing>) {
        if self.flushed.is_some_and(|flushed| now.since(flushed) < FLUSH_MS) {
            return;
        }
        while outbox.capacity() > KEPT_FOR_EVENTS {
            // Nothing to send: the next reading goes at once.
            let Some(bytes) = self.datagrams.poll(now.0) else { return };
            self.flushed = Some(now);
            // Full or closed since: as good as lost on the way.
            let _ = outbox.try_send(Outgoing::Datagram(bytes));
        }
        self.flushed = Some(now);
    }
}

/// What a view looks like apart from readings and names.
fn shape(view: &TwinView) -> ContentHash {
    let bytes = encode(&(&view.info, &view.access, view.reachable, &view.away)).unwrap_or_default();
    ContentHash::of(&bytes)
}

/// The caller has seen room; only a closed outbox takes nothing, and that session is about to end.
fn send(outbox: &mpsc::Sender<Outgoing>, event: Event) {
    let _ = outbox.try_send(Outgoing::Event(Box::new(event)));
}
