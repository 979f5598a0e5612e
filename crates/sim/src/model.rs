//! What every device model is: pure state, moved by time, commands and hands, read as publishes.
//!
//! A model does no IO and reads no clock: `now_ms` is simulated milliseconds since the home's start.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::hand::{DoorTruth, Guest, LightTruth};
use crate::parcel::Goods;

/// First level of every topic that is not discovery: `home/<device>/<tail>`.
pub(crate) const BASE: &str = "home";

/// Most happenings a device keeps while it cannot publish them.
const MAX_HAPPENINGS: usize = 16;

/// What a publish is, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A discovery document.
    Config,
    /// `online` or `offline`.
    Availability,
    /// A retained state.
    State,
    /// A momentary event.
    Event,
    /// A camera picture.
    Picture,
}

/// One message a device wants on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    /// Whole topic.
    pub topic: String,
    /// Payload as sent.
    pub payload: Bytes,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// What it is.
    pub kind: Kind,
}

/// What a person does to a device without any network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Somebody stands at the door and presses the bell.
    Ring(Guest),
    /// Whoever stood at the door goes away.
    GuestLeaves,
    /// Something blocks the leaf and the bolt, or blocks them no more.
    Jam(bool),
    /// The lock is turned by hand: true locks.
    Lock(bool),
    /// The leaf is pushed by hand to this position, 0 closed, 100 open.
    Push(u8),
    /// Somebody walks past the sensor.
    Walk,
}

/// Something that happened and is published once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    /// Topic after `home/<device>/`.
    pub tail: &'static str,
    /// Payload as sent.
    pub payload: Bytes,
    /// Event, picture or a repeated state.
    pub kind: Kind,
}

/// A device, free of IO.
pub(crate) trait Model: Send {
    /// Topic tails this device listens on.
    fn listens(&self) -> &'static [&'static str];
    /// A command arrived on one of them; what does not parse changes nothing.
    fn on_command(&mut self, now_ms: u64, tail: &str, payload: &[u8]);
    /// A person does something; what does not concern this device changes nothing.
    fn on_touch(&mut self, _now_ms: u64, _touch: Touch) {}
    /// The power goes (false) or comes back (true).
    fn on_power(&mut self, now_ms: u64, on: bool);
    /// Time passes up to `now_ms`.
    fn step(&mut self, now_ms: u64);
    /// Every retained state, as topic tail and payload.
    fn states(&self) -> Vec<(&'static str, String)>;
    /// What happened since the last call.
    fn take_happenings(&mut self) -> Vec<Happening> {
        Vec::new()
    }
    /// True once after the device was told to restart.
    fn take_restart(&mut self) -> bool {
        false
    }
    /// The device has just connected: it may publish more than its states.
    fn on_connected(&mut self) {}
    /// What is physically true of a door.
    fn door(&self) -> Option<DoorTruth> {
        None
    }
    /// What is physically true of a light.
    fn light(&self) -> Option<LightTruth> {
        None
    }
    /// Somebody puts goods away into or onto it; false where it holds no such thing, and nothing changes.
    fn put_away(&mut self, _now_ms: u64, _goods: &Goods) -> bool {
        false
    }
}

/// A bounded queue of happenings: the oldest gives way.
#[derive(Debug, Default)]
pub(crate) struct Happenings(VecDeque<Happening>);

impl Happenings {
    pub(crate) fn push(&mut self, tail: &'static str, payload: impl Into<Bytes>, kind: Kind) {
        if self.0.len() == MAX_HAPPENINGS {
            self.0.pop_front();
        }
        let payload = payload.into();
        self.0.push_back(Happening { tail, payload, kind });
    }

    pub(crate) fn take(&mut self) -> Vec<Happening> {
        self.0.drain(..).collect()
    }
}

/// A model with its name on the wire, its power, and what it last said.
pub(crate) struct Unit {
    id: Arc<str>,
    serial: Option<Arc<str>>,
    model: Box<dyn Model>,
    said: HashMap<&'static str, String>,
    powered: bool,
    lost_power: bool,
    connected: bool,
}

impl Unit {
    pub(crate) fn new(id: &str, model: Box<dyn Model>) -> Unit {
        let said = HashMap::new();
        Unit { id: id.into(), serial: None, model, said, powered: true, lost_power: false, connected: false }
    }

    /// The same with a serial number, which it tells in its discovery.
    pub(crate) fn with_serial(self, serial: &str) -> Unit {
        Unit { serial: Some(serial.into()), ..self }
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    pub(crate) fn serial(&self) -> Option<&Arc<str>> {
        self.serial.as_ref()
    }

    pub(crate) fn powered(&self) -> bool {
        self.powered
    }

    pub(crate) fn connected(&self) -> bool {
        self.connected
    }

    /// Whole topics of the commands.
    pub(crate) fn listens(&self) -> Vec<String> {
        let tails = self.model.listens().iter();
        tails.map(|tail| topic(&self.id, tail)).collect()
    }

    /// A command on a whole topic.
    pub(crate) fn on_command(&mut self, now_ms: u64, topic: &str, payload: &[u8]) {
        let tail = topic
            .strip_prefix(BASE)
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.strip_prefix(&*self.id))
            .and_then(|rest| rest.strip_prefix('/'));
        if let Some(tail) = tail
            && self.powered
        {
            self.model.step(now_ms);
            self.model.on_command(now_ms, tail, payload);
        }
    }

    pub(crate) fn on_touch(&mut self, now_ms: u64, touch: Touch) {
        self.model.step(now_ms);
        self.model.on_touch(now_ms, touch);
    }

    pub(crate) fn set_power(&mut self, now_ms: u64, on: bool) {
        if on != self.powered {
            self.powered = on;
            self.lost_power |= !on;
            self.model.step(now_ms);
            self.model.on_power(now_ms, on);
        }
    }

    pub(crate) fn step(&mut self, now_ms: u64) {
        self.model.step(now_ms);
    }

    pub(crate) fn take_restart(&mut self) -> bool {
        self.model.take_restart()
    }

    /// True once after the power was gone, be it back or not.
    pub(crate) fn take_power_loss(&mut self) -> bool {
        std::mem::take(&mut self.lost_power)
    }

    /// The client is connected (or not any more). On connection everything is said anew; events
    /// that nobody could hear are gone, as with a real device.
    pub(crate) fn set_connected(&mut self, connected: bool) {
        self.connected = connected;
        if connected {
            self.model.take_happenings();
            self.said.clear();
            self.model.on_connected();
        }
    }

    /// Says every state again at the next [`Unit::reports`].
    pub(crate) fn forget(&mut self) {
        self.said.clear();
    }

    /// States that differ from what was last said, then what happened.
    pub(crate) fn reports(&mut self) -> Vec<Publish> {
        let mut out = Vec::new();
        for (tail, payload) in self.model.states() {
            if self.said.get(tail) != Some(&payload) {
                out.push(Publish {
                    topic: topic(&self.id, tail),
                    payload: Bytes::from(payload.clone()),
                    retain: true,
                    kind: Kind::State,
                });
                self.said.insert(tail, payload);
            }
        }
        let happenings = self.model.take_happenings().into_iter();
        out.extend(happenings.map(|h| Publish {
            topic: topic(&self.id, h.tail),
            payload: h.payload,
            retain: h.kind == Kind::State,
            kind: h.kind,
        }));
        out
    }

    pub(crate) fn door(&self) -> Option<DoorTruth> {
        self.model.door()
    }

    pub(crate) fn light(&self) -> Option<LightTruth> {
        self.model.light()
    }

    pub(crate) fn put_away(&mut self, now_ms: u64, goods: &Goods) -> bool {
        self.model.step(now_ms);
        self.model.put_away(now_ms, goods)
    }
}

/// `home/<device>/<tail>`.
pub(crate) fn topic(id: &str, tail: &str) -> String {
    format!("{BASE}/{id}/{tail}")
}

/// The random source of one device: the home's seed and the device's id (FNV-1a), so that adding a
/// device does not change what the others do.
pub(crate) fn rng_for(seed: u64, id: &str) -> StdRng {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in id.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    StdRng::seed_from_u64(seed ^ hash)
}

/// `ON` or `OFF`, as Home Assistant spells them.
pub(crate) fn on_off(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

/// The payload as trimmed text; `None` where it is not UTF-8.
pub(crate) fn text(payload: &[u8]) -> Option<&str> {
    std::str::from_utf8(payload).ok().map(str::trim)
}

/// A whole percentage 0..=100 in a payload; anything else is refused.
pub(crate) fn percent(payload: &[u8]) -> Option<u8> {
    let value: f64 = text(payload)?.parse().ok()?;
    (0.0..=100.0).contains(&value).then(|| value.round() as u8)
}
