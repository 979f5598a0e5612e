//! The physical side of the home: what a person there does and sees, without any network.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::{runtime::Handle, sync::watch, task::JoinHandle};

use crate::broker::EmbeddedBroker;
use crate::client::{Endpoint, Runner};
use crate::clock::Clock;
use crate::counters::{Counters, Published};
use crate::error::SimError;
use crate::model::{Touch, Unit};
use crate::parcel::Parcels;

/// Who stands at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guest {
    /// Somebody expected.
    Friend,
    /// Somebody with a parcel.
    Courier,
    /// Somebody from next door.
    Neighbour,
}

impl Guest {
    /// The name on the wire and in commands: `friend`, `courier` or `neighbour`.
    pub fn name(self) -> &'static str {
        match self {
            Guest::Friend => "friend",
            Guest::Courier => "courier",
            Guest::Neighbour => "neighbour",
        }
    }
}

impl FromStr for Guest {
    type Err = SimError;

    fn from_str(name: &str) -> Result<Guest, SimError> {
        let all = [Guest::Friend, Guest::Courier, Guest::Neighbour];
        let found = all.into_iter().find(|guest| guest.name() == name);
        found.ok_or_else(|| SimError::NoSuchGuest(name.to_owned()))
    }
}

/// What is physically true of the front door, whatever was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorTruth {
    /// The bolt holds the leaf; true until it is wholly drawn.
    pub locked: bool,
    /// How far the leaf is open: 0 is closed, 100 is wide open.
    pub position: u8,
    /// The leaf moves right now; false while the motor pushes against a jam.
    pub moving: bool,
    /// Something blocks leaf and bolt.
    pub jammed: bool,
    /// Who stands before it.
    pub guest: Option<Guest>,
}

/// What is physically true of a lamp: what a person in the room sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LightTruth {
    /// It shines; false without power.
    pub on: bool,
    /// How bright it is right now, 0..=255; 0 where it does not shine.
    pub brightness: u8,
    /// Its colour (red, green, blue), where it is in colour mode.
    pub rgb: Option<[u8; 3]>,
    /// Its white, in mireds, where it is in white mode; `None` for lamps without colour.
    pub color_temp_mireds: Option<u16>,
}

/// What all handles of a home share.
pub(crate) struct Shared {
    /// Devices by their ids: those of the home, and what was unpacked.
    pub(crate) units: RwLock<HashMap<Arc<str>, Arc<Mutex<Unit>>>>,
    pub(crate) broker: Option<Mutex<EmbeddedBroker>>,
    pub(crate) clock: Clock,
    pub(crate) counters: Arc<Counters>,
    pub(crate) parcels: Mutex<Parcels>,
    pub(crate) wire: Wire,
}

impl Shared {
    /// Every device there is.
    pub(crate) fn units(&self) -> Vec<Arc<Mutex<Unit>>> {
        let units = self.units.read().unwrap_or_else(PoisonError::into_inner);
        units.values().map(Arc::clone).collect()
    }

    /// One more device, which connects in the background. One that is there already stays.
    pub(crate) fn install(&self, unit: Unit) {
        let id = unit.id().clone();
        let mut units = self.units.write().unwrap_or_else(PoisonError::into_inner);
        units.entry(id).or_insert_with(|| {
            let unit = Arc::new(Mutex::new(unit));
            self.wire.run(&unit, self.clock, &self.counters);
            unit
        });
    }
}

/// What every device is connected with, also one that comes later.
pub(crate) struct Wire {
    runtime: Handle,
    endpoint: Arc<Endpoint>,
    stopped: watch::Receiver<bool>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

impl Wire {
    /// On the runtime that this is called on, until `stopped` says so.
    pub(crate) fn new(endpoint: Endpoint, stopped: watch::Receiver<bool>) -> Wire {
        Wire { runtime: Handle::current(), endpoint: Arc::new(endpoint), stopped, running: Mutex::default() }
    }

    fn run(&self, unit: &Arc<Mutex<Unit>>, clock: Clock, counters: &Arc<Counters>) {
        let runner = Runner::new(Arc::clone(unit), Arc::clone(&self.endpoint), clock, Arc::clone(counters));
        let task = self.runtime.spawn(runner.run(self.stopped.clone()));
        locked(&self.running).push(task);
    }

    /// The devices' tasks, for whoever waits for their end.
    pub(crate) fn take_running(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *locked(&self.running))
    }
}

/// Hands and eyes in the simulated home.
///
/// Everything takes effect at once and is reported over MQTT within some 20 ms. Nothing blocks but
/// for the short time another thread holds the same device; only [`PhysicalHand::stop_broker`] and
/// [`PhysicalHand::start_broker`] wait some milliseconds for a thread. A hand outlives its home: it
/// then moves things that nobody reports.
#[derive(Clone)]
pub struct PhysicalHand {
    pub(crate) shared: Arc<Shared>,
}

impl PhysicalHand {
    /// Somebody stands at the door and presses the bell; without power only stands there.
    pub fn ring(&self, guest: Guest) {
        self.touch("front_door", Touch::Ring(guest));
    }

    /// Whoever stands at the door goes away.
    pub fn guest_leaves(&self) {
        self.touch("front_door", Touch::GuestLeaves);
    }

    /// Blocks the door's leaf and bolt (true), or frees them.
    pub fn jam_door(&self, jammed: bool) {
        self.touch("front_door", Touch::Jam(jammed));
    }

    /// Turns the door's lock by hand, true locks; does nothing to an open door's lock or a jammed one.
    pub fn turn_lock(&self, locks: bool) {
        self.touch("front_door", Touch::Lock(locks));
    }

    /// Pushes the leaf to `position`, 0 closed to 100 open (more counts as 100), within a second;
    /// a locked or jammed door stays.
    pub fn push_door(&self, position: u8) {
        self.touch("front_door", Touch::Push(position));
    }

    /// Takes a device's power: its connection vanishes without a goodbye, so that its will fires.
    ///
    /// # Errors
    ///
    /// [`SimError::NoSuchDevice`].
    pub fn cut_power(&self, device: &str) -> Result<(), SimError> {
        self.power(device, false)
    }

    /// Gives a device its power back: it connects within some 200 ms and says everything again.
    ///
    /// # Errors
    ///
    /// [`SimError::NoSuchDevice`].
    pub fn restore_power(&self, device: &str) -> Result<(), SimError> {
        self.power(device, true)
    }

    /// Walks past the motion sensor of a room: `hall` or `lounge`.
    ///
    /// # Errors
    ///
    /// [`SimError::NoSuchRoom`].
    pub fn walk_into(&self, room: &str) -> Result<(), SimError> {
        let sensor = match room {
            "hall" => "hall_motion",
            "lounge" => "lounge_motion",
            _ => return Err(SimError::NoSuchRoom(room.to_owned())),
        };
        self.touch(sensor, Touch::Walk);
        Ok(())
    }

    /// The front door as it is now.
    pub fn door(&self) -> DoorTruth {
        let truth = self.unit("front_door").ok().and_then(|unit| {
            let mut unit = locked(&unit);
            unit.step(self.shared.clock.now_ms());
            unit.door()
        });
        // Every home has this door; a closed one is the answer that claims least.
        truth.unwrap_or(DoorTruth { locked: true, position: 0, moving: false, jammed: false, guest: None })
    }

    /// A lamp as it is now; `None` where no lamp has this id.
    pub fn light(&self, device: &str) -> Option<LightTruth> {
        let unit = self.unit(device).ok()?;
        let mut unit = locked(&unit);
        unit.step(self.shared.clock.now_ms());
        unit.light()
    }

    /// What the home has published since it started.
    pub fn published(&self) -> Published {
        self.shared.counters.read()
    }

    /// Whether a device's client is connected to the broker.
    ///
    /// # Errors
    ///
    /// [`SimError::NoSuchDevice`].
    pub fn connected(&self, device: &str) -> Result<bool, SimError> {
        Ok(locked(&*self.unit(device)?).connected())
    }

    /// Stops the embedded broker: its listener and every connection close, its retained messages
    /// are lost. Devices try again until it is back.
    ///
    /// # Errors
    ///
    /// [`SimError::NotOurBroker`].
    pub fn stop_broker(&self) -> Result<(), SimError> {
        let broker = self.shared.broker.as_ref().ok_or(SimError::NotOurBroker)?;
        locked(broker).stop();
        Ok(())
    }

    /// Starts the embedded broker again at its address, with nothing retained.
    ///
    /// # Errors
    ///
    /// [`SimError::NotOurBroker`]; [`SimError::Listen`] where the port was taken meanwhile.
    pub fn start_broker(&self) -> Result<(), SimError> {
        let broker = self.shared.broker.as_ref().ok_or(SimError::NotOurBroker)?;
        locked(broker).resume()
    }

    fn unit(&self, device: &str) -> Result<Arc<Mutex<Unit>>, SimError> {
        let units = self.shared.units.read().unwrap_or_else(PoisonError::into_inner);
        units.get(device).map(Arc::clone).ok_or_else(|| SimError::NoSuchDevice(device.to_owned()))
    }

    fn touch(&self, device: &str, touch: Touch) {
        if let Ok(unit) = self.unit(device) {
            locked(&unit).on_touch(self.shared.clock.now_ms(), touch);
        }
    }

    fn power(&self, device: &str, on: bool) -> Result<(), SimError> {
        locked(&*self.unit(device)?).set_power(self.shared.clock.now_ms(), on);
        Ok(())
    }
}

/// Locks, also after a panic elsewhere: models are valid between any two of their operations.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
