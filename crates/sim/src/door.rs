//! The front door: a motorised leaf, a bolt, a bell with a camera, and their settings.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;

use crate::blinds::cover_state;
use crate::camera;
use crate::glide::{Glide, Heading};
use crate::hand::{DoorTruth, Guest};
use crate::model::{Happening, Happenings, Kind, Model, Touch, on_off, percent, text};

/// Time of the motor for the whole way, in simulated milliseconds.
pub(crate) const TRAVEL_MS: u64 = 3_000;
/// Time of a hand for the whole way.
const PUSH_MS: u64 = 1_000;
/// Time the bolt takes.
pub(crate) const BOLT_MS: u64 = 600;
/// How long the motor pushes against a jam before it gives up.
const GIVES_UP_MS: u64 = 800;
/// How often the camera publishes a picture of its own accord.
const PICTURE_EVERY_MS: u64 = 30_000;
/// Chimes to choose from.
pub(crate) const CHIMES: [&str; 3] = ["classic", "melody", "silent"];
/// Longest auto-lock delay, in seconds.
pub(crate) const MAX_AUTO_LOCK_S: u16 = 300;
/// Charge that one movement of leaf or bolt costs, in percent.
const CHARGE_PER_MOVE: f64 = 0.02;

/// Where the bolt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bolt {
    Locked,
    Unlocked,
    Locking {
        until_ms: u64,
    },
    Unlocking {
        until_ms: u64,
    },
    /// Bound by the jam, thrown or not.
    Stuck {
        thrown: bool,
    },
}

impl Bolt {
    /// Whether the bolt holds the leaf: it does until it is wholly drawn.
    fn holds(self) -> bool {
        !matches!(self, Bolt::Unlocked | Bolt::Stuck { thrown: false })
    }
}

/// The door.
pub(crate) struct Door {
    leaf: Glide,
    bolt: Bolt,
    /// Where the leaf goes once the bolt is drawn.
    then_to: Option<u8>,
    jammed: bool,
    /// The motor pushes in vain until then.
    stalls: Option<(u64, Heading)>,
    auto_lock_s: u16,
    auto_lock_ms: Option<u64>,
    chime: &'static str,
    charge: f64,
    guest: Option<Guest>,
    picture_ms: u64,
    restarts: bool,
    powered: bool,
    happenings: Happenings,
}

impl Door {
    pub(crate) fn new(mut rng: StdRng) -> Door {
        Door {
            leaf: Glide::at(0),
            bolt: Bolt::Locked,
            then_to: None,
            jammed: false,
            stalls: None,
            auto_lock_s: 0,
            auto_lock_ms: None,
            chime: CHIMES[0],
            charge: f64::from(rng.random_range(85..=100_u8)),
            guest: None,
            picture_ms: PICTURE_EVERY_MS,
            restarts: false,
            powered: true,
            happenings: Happenings::default(),
        }
    }

    fn spend(&mut self) {
        self.charge = (self.charge - CHARGE_PER_MOVE).max(1.0);
    }

    fn unlock(&mut self, now_ms: u64) {
        match self.bolt {
            Bolt::Locked | Bolt::Locking { .. } if self.jammed => {
                self.bolt = Bolt::Stuck { thrown: true };
            }
            Bolt::Locked | Bolt::Locking { .. } => {
                self.bolt = Bolt::Unlocking { until_ms: now_ms + BOLT_MS };
                self.spend();
            }
            _ => self.say_lock_again(),
        }
    }

    fn lock(&mut self, now_ms: u64) {
        self.then_to = None;
        self.auto_lock_ms = None;
        match self.bolt {
            // The bolt has nowhere to go while the leaf is not in its frame.
            _ if !self.leaf.is_zero() || self.leaf.moving() => self.say_lock_again(),
            Bolt::Unlocked | Bolt::Unlocking { .. } if self.jammed => {
                self.bolt = Bolt::Stuck { thrown: false };
            }
            Bolt::Unlocked | Bolt::Unlocking { .. } => {
                self.bolt = Bolt::Locking { until_ms: now_ms + BOLT_MS };
                self.spend();
            }
            _ => self.say_lock_again(),
        }
    }

    /// A refused command is answered with the state there is.
    fn say_lock_again(&mut self) {
        self.happenings.push("lock/state", self.lock_state(), Kind::State);
    }

    fn drive(&mut self, now_ms: u64, to: u8) {
        self.then_to = None;
        self.stalls = None;
        self.auto_lock_ms = None;
        if to > 0 && self.bolt.holds() {
            self.then_to = Some(to);
            if !matches!(self.bolt, Bolt::Unlocking { .. }) {
                self.unlock(now_ms);
            }
        } else if to == self.leaf.value() && !self.leaf.moving() {
            self.happenings.push("door/position", to.to_string(), Kind::State);
        } else if self.jammed {
            let up = to > self.leaf.value();
            let heading = if up { Heading::Up } else { Heading::Down };
            self.stalls = Some((now_ms + GIVES_UP_MS, heading));
        } else {
            self.leaf.travel(now_ms, to, TRAVEL_MS);
            self.spend();
        }
    }

    fn stop(&mut self, now_ms: u64) {
        self.then_to = None;
        self.stalls = None;
        self.leaf.stop(now_ms);
        self.shut(now_ms);
    }

    /// The leaf has come to rest: it may be in its frame.
    fn shut(&mut self, now_ms: u64) {
        if self.leaf.is_zero() && self.auto_lock_s > 0 && !self.bolt.holds() {
            self.auto_lock_ms = Some(now_ms + u64::from(self.auto_lock_s) * 1000);
        }
    }

    fn jam(&mut self, now_ms: u64, jammed: bool) {
        self.jammed = jammed;
        if jammed {
            if let Some(heading) = self.leaf.heading() {
                self.stalls = Some((now_ms + GIVES_UP_MS, heading));
                self.leaf.stop(now_ms);
            }
            self.bolt = match self.bolt {
                Bolt::Locking { .. } => Bolt::Stuck { thrown: false },
                Bolt::Unlocking { .. } => Bolt::Stuck { thrown: true },
                other => other,
            };
        } else if let Bolt::Stuck { thrown } = self.bolt {
            self.bolt = if thrown { Bolt::Locked } else { Bolt::Unlocked };
        }
        if jammed {
            self.then_to = None;
        }
    }

    fn turn(&mut self, locks: bool) {
        let in_frame = self.leaf.is_zero() && !self.leaf.moving();
        if !self.jammed && (!locks || in_frame) {
            self.bolt = if locks { Bolt::Locked } else { Bolt::Unlocked };
            self.then_to = None;
            self.auto_lock_ms = None;
        }
    }

    fn picture(&mut self) {
        self.happenings.push("camera/image", camera::picture(self.guest), Kind::Picture);
    }

    fn ring(&mut self, guest: Guest) {
        self.guest = Some(guest);
        if self.powered {
            let body = json!({ "event_type": "press", "guest": guest.name() });
            self.happenings.push("doorbell", body.to_string(), Kind::Event);
            self.picture();
        }
    }

    fn settle(&mut self, now_ms: u64) {
        match self.bolt {
            Bolt::Locking { until_ms } if now_ms >= until_ms => self.bolt = Bolt::Locked,
            Bolt::Unlocking { until_ms } if now_ms >= until_ms => {
                self.bolt = Bolt::Unlocked;
                if let Some(to) = self.then_to.take() {
                    // From the moment the bolt was drawn, not from when it was noticed.
                    self.drive(until_ms, to);
                }
            }
            _ => {}
        }
    }

    fn lock_state(&self) -> &'static str {
        match self.bolt {
            Bolt::Locked => "LOCKED",
            Bolt::Unlocked => "UNLOCKED",
            Bolt::Locking { .. } => "LOCKING",
            Bolt::Unlocking { .. } => "UNLOCKING",
            Bolt::Stuck { .. } => "JAMMED",
        }
    }

    fn set_auto_lock(&mut self, now_ms: u64, payload: &[u8]) {
        let seconds = text(payload).and_then(|t| t.parse::<f64>().ok());
        let range = 0.0..=f64::from(MAX_AUTO_LOCK_S);
        if let Some(seconds) = seconds.filter(|s| range.contains(s)) {
            self.auto_lock_s = seconds.round() as u16;
            self.auto_lock_ms = None;
            if !self.leaf.moving() {
                self.shut(now_ms);
            }
        }
    }
}

impl Model for Door {
    fn listens(&self) -> &'static [&'static str] {
        &["lock/set", "door/set", "door/position/set", "auto_lock/set", "chime/set", "restart", "camera/request"]
    }

    fn on_command(&mut self, now_ms: u64, tail: &str, payload: &[u8]) {
        self.step(now_ms);
        match (tail, text(payload)) {
            ("lock/set", Some("LOCK")) => self.lock(now_ms),
            ("lock/set", Some("UNLOCK")) => {
                self.then_to = None;
                self.unlock(now_ms);
            }
            ("lock/set" | "door/set", Some("OPEN")) => self.drive(now_ms, 100),
            ("door/set", Some("CLOSE")) => self.drive(now_ms, 0),
            ("door/set", Some("STOP")) => self.stop(now_ms),
            ("door/position/set", _) => {
                if let Some(to) = percent(payload) {
                    self.drive(now_ms, to);
                }
            }
            ("auto_lock/set", _) => self.set_auto_lock(now_ms, payload),
            ("chime/set", Some(asked)) => {
                if let Some(chime) = CHIMES.into_iter().find(|c| *c == asked) {
                    self.chime = chime;
                }
            }
            ("restart", Some("PRESS")) => self.restarts = true,
            ("camera/request", _) => self.picture(),
            _ => {}
        }
    }

    fn on_touch(&mut self, now_ms: u64, touch: Touch) {
        match touch {
            Touch::Ring(guest) => self.ring(guest),
            Touch::GuestLeaves => self.guest = None,
            Touch::Jam(jammed) => self.jam(now_ms, jammed),
            Touch::Lock(locks) => self.turn(locks),
            Touch::Push(to) if !self.bolt.holds() && !self.jammed => {
                self.auto_lock_ms = None;
                self.leaf.travel(now_ms, to.min(100), PUSH_MS);
            }
            Touch::Push(_) | Touch::Walk => {}
        }
    }

    fn on_power(&mut self, now_ms: u64, on: bool) {
        self.powered = on;
        if !on {
            self.stop(now_ms);
            self.auto_lock_ms = None;
            // Without power a bolt on its way springs back.
            self.bolt = match self.bolt {
                Bolt::Locking { .. } => Bolt::Unlocked,
                Bolt::Unlocking { .. } => Bolt::Locked,
                other => other,
            };
        }
        self.picture_ms = now_ms + PICTURE_EVERY_MS;
    }

    fn step(&mut self, now_ms: u64) {
        self.settle(now_ms);
        if self.leaf.step(now_ms) {
            self.shut(now_ms);
        }
        if self.stalls.is_some_and(|(until_ms, _)| now_ms >= until_ms) {
            self.stalls = None;
        }
        if self.powered && self.auto_lock_ms.is_some_and(|at| now_ms >= at) {
            self.lock(now_ms);
        }
        if self.powered && now_ms >= self.picture_ms {
            self.picture_ms = now_ms + PICTURE_EVERY_MS;
            self.picture();
        }
    }

    fn states(&self) -> Vec<(&'static str, String)> {
        let stalls = self.stalls.map(|(_, heading)| heading);
        let heading = self.leaf.heading().or(stalls);
        let telemetry = json!({
            "contact": on_off(!self.leaf.is_zero()),
            "problem": on_off(self.jammed),
            "battery": self.charge.floor() as u8,
        });
        vec![
            ("lock/state", self.lock_state().to_owned()),
            ("door/state", cover_state(heading, self.leaf.is_zero()).to_owned()),
            ("door/position", self.leaf.shown().to_string()),
            ("telemetry", telemetry.to_string()),
            ("auto_lock/state", self.auto_lock_s.to_string()),
            ("chime/state", json!({ "chime": self.chime }).to_string()),
        ]
    }

    fn take_happenings(&mut self) -> Vec<Happening> {
        self.happenings.take()
    }

    fn take_restart(&mut self) -> bool {
        std::mem::take(&mut self.restarts)
    }

    fn on_connected(&mut self) {
        self.picture();
    }

    fn door(&self) -> Option<DoorTruth> {
        Some(DoorTruth {
            locked: self.bolt.holds(),
            position: self.leaf.value(),
            moving: self.leaf.moving(),
            jammed: self.jammed,
            guest: self.guest,
        })
    }
}

#[cfg(test)]
#[path = "door_tests.rs"]
mod tests;
