use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_input::Control;
use vestibule_model::{IdError, TwinId};

/// A written tour.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tour {
    /// What it shows.
    pub title: String,
    /// How many times faster than the real one the clock of the client's own makers and carriers goes in it, unless a
    /// flag says so.
    #[serde(default)]
    pub speed: Option<u32>,
    /// Its steps, in order.
    pub step: Vec<Step>,
}

/// One step: deeds in order, then expectations, then a picture.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it is about; becomes part of the picture's file name.
    pub name: String,
    /// Which step of which scenario it plays, such as `S4.6`.
    #[serde(default)]
    pub plays: Option<String>,
    /// What is done, in order.
    #[serde(default, rename = "do")]
    pub deeds: Vec<Deed>,
    /// What must then be so, all of it at one moment.
    #[serde(default)]
    pub expect: Vec<Expectation>,
    /// Seconds that it may take to become so.
    #[serde(default = "ten")]
    pub within: f64,
    /// Whether to take a picture at the end.
    #[serde(default = "yes")]
    pub picture: bool,
}

const fn ten() -> f64 {
    10.0
}

const fn yes() -> bool {
    true
}

/// Something that is done, by hand or at the physical side.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// Walk to a waypoint of the world, by mouse and keys.
    Walk(String),
    /// Look at a twin's visible part, or at a waypoint or anchor of the world.
    Look(String),
    /// Look at the floor at a waypoint or anchor of the world.
    LookDown(String),
    /// Press a control's key once.
    Press(Control),
    /// Hold a control's key for so many seconds.
    Hold(Control, f64),
    /// Move the free mouse pointer to the button with this label and click; `Order for *` is one that begins so.
    Click(String),
    /// Draw a handle of what is designed, by its label, by so many millimetres in the design's frame: right, up, forward.
    Draw(String, [f32; 3]),
    /// Write into the line that waits, and end it.
    Type(String),
    /// Do nothing for so many seconds.
    Wait(f64),
    /// Physical: a guest rings.
    Ring(String),
    /// Physical: the guest goes away.
    GuestLeaves(bool),
    /// Physical: the door's leaf is stuck, or no longer.
    Jam(bool),
    /// Physical: a device loses its power.
    CutPower(String),
    /// Physical: a device gets its power back.
    RestorePower(String),
    /// Physical: somebody turns the door's lock by hand: true locks.
    TurnLock(bool),
    /// Physical: somebody pushes the door to so many percent.
    PushDoor(u8),
    /// Physical: the broker stops (true) or starts again (false).
    StopBroker(bool),
}

impl Deed {
    /// Whether something follows from it at once, so that the time from it to its effect says something.
    pub(super) const fn is_cause(&self) -> bool {
        !matches!(self, Self::Walk(_) | Self::Look(_) | Self::LookDown(_) | Self::Hold(..) | Self::Wait(_))
    }
}

/// Something that must be so.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expectation {
    /// Some text on the screen contains this, in any case.
    Shows(String),
    /// No text on the screen contains this.
    Hides(String),
    /// The app's copy of a twin's property.
    Reads {
        /// The twin.
        twin: TwinId,
        /// `feature.property`.
        property: String,
        /// Its reported value, as text.
        #[serde(default)]
        is: Option<String>,
        /// Its reported value is at least this.
        #[serde(default)]
        at_least: Option<f64>,
        /// Its reported value is at most this.
        #[serde(default)]
        at_most: Option<f64>,
        /// Its truth, as a word.
        #[serde(default)]
        truth: Option<String>,
    },
    /// The real door, seen at the physical side.
    Door {
        /// Least position, percent.
        #[serde(default)]
        at_least: Option<u8>,
        /// Greatest position, percent.
        #[serde(default)]
        at_most: Option<u8>,
        /// Whether it is locked.
        #[serde(default)]
        locked: Option<bool>,
    },
    /// The door's leaf as drawn: 0 closed to 1 open.
    Leaf {
        /// Least position.
        #[serde(default)]
        at_least: Option<f32>,
        /// Greatest position.
        #[serde(default)]
        at_most: Option<f32>,
    },
    /// The person points at this twin.
    Points(TwinId),
    /// The twin's camera shows a picture of this guest.
    Sees {
        /// The twin.
        twin: TwinId,
        /// The guest.
        guest: String,
    },
    /// So many pieces of furniture stand in the world.
    Furniture(usize),
    /// The walker stands in this zone.
    In(String),
    /// So many twins are mirrored, at least.
    Twins(usize),
    /// What is designed was looked at, and this many things are in the way of making it.
    InTheWay(usize),
    /// What is designed measures so many millimetres: width, height, depth.
    Measures([f64; 3]),
    /// A file with a name that ends so was written, and is there.
    Written(String),
    /// The newest purchase, as the enabler has it.
    Purchase {
        /// How far it is: `confirmed`, `in doubt`, `placed`, `not placed`, `canceled`, `delivered` or `disputed`.
        is: String,
        /// What was confirmed, such as `33.80 EUR`.
        #[serde(default)]
        total: Option<String>,
    },
    /// So many things that were bought are the twins that they came with.
    Bound(usize),
    /// A head is tracked in stereo: two eyes render.
    Stereo(bool),
}

/// Why a tour cannot be played.
#[derive(Debug, Error)]
pub enum TourError {
    /// Its file cannot be read.
    #[error("there is no tour {0:?}: neither one of {1} nor a file that can be read ({2})")]
    Unreadable(String, String, std::io::Error),
    /// It is written wrongly.
    #[error("the tour {0} cannot be understood: {1}")]
    Malformed(String, toml::de::Error),
    /// It has no steps.
    #[error("the tour {0} has no steps")]
    Empty(String),
    /// A name in it is none.
    #[error("the tour names what cannot be: {0}")]
    Name(#[from] IdError),
}

const BUILT_IN: [(&str, &str); 6] = [
    ("home", include_str!("../../assets/tours/home.toml")),
    ("cook", include_str!("../../assets/tours/cook.toml")),
    ("design", include_str!("../../assets/tours/design.toml")),
    ("shelf", include_str!("../../assets/tours/shelf.toml")),
    ("faults", include_str!("../../assets/tours/faults.toml")),
    ("xr", include_str!("../../assets/tours/xr.toml")),
];

impl Tour {
    /// The built-in tour of this name, or the one in this file.
    ///
    /// # Errors
    /// [`TourError`] where there is none, or it is written wrongly.
    pub fn find(name: &str) -> Result<Self, TourError> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text);
        }
        let text = std::fs::read_to_string(PathBuf::from(name)).map_err(|error| {
            let known: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            TourError::Unreadable(name.to_owned(), known.join(", "), error)
        })?;
        let stem = Path::new(name).file_stem().map_or(name.into(), |stem| stem.to_string_lossy());
        Self::parse(&stem, &text)
    }

    /// Reads a tour.
    ///
    /// # Errors
    /// [`TourError::Malformed`] says where.
    pub fn parse(name: &str, text: &str) -> Result<Self, TourError> {
        let tour: Self = toml::from_str(text).map_err(|error| TourError::Malformed(name.to_owned(), error))?;
        if tour.step.is_empty() { Err(TourError::Empty(name.to_owned())) } else { Ok(tour) }
    }
}

/// How an expectation reads in a report.
impl Expectation {
    /// One line for people.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Shows(text) => format!("the screen says {text:?}"),
            Self::Hides(text) => format!("the screen does not say {text:?}"),
            Self::Reads { twin, property, is, at_least, at_most, truth } => {
                let bounds = [
                    is.as_ref().map(|is| format!("is {is}")),
                    at_least.map(|n| format!("at least {n}")),
                    at_most.map(|n| format!("at most {n}")),
                    truth.clone(),
                ];
                format!("{twin} {property} {}", bounds.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            Self::Door { at_least, at_most, locked } => {
                format!("the real door: at least {at_least:?} %, at most {at_most:?} %, locked {locked:?}")
            }
            Self::Leaf { at_least, at_most } => format!("the drawn door: at least {at_least:?}, at most {at_most:?}"),
            Self::Points(twin) => format!("the person points at {twin}"),
            Self::Sees { twin, guest } => format!("the camera of {twin} shows {guest}"),
            Self::Furniture(count) => format!("{count} pieces of furniture stand in the world"),
            Self::In(zone) => format!("the walker is in {zone}"),
            Self::Twins(count) => format!("at least {count} twins are here"),
            Self::InTheWay(count) => format!("{count} things are in the way of making it"),
            Self::Measures([width, height, depth]) => format!("it measures {width} × {height} × {depth} mm"),
            Self::Written(ending) => format!("a file …{ending} is written"),
            Self::Purchase { is, total } => {
                let total = total.as_ref().map(|total| format!(" for {total}")).unwrap_or_default();
                format!("what was bought last is {is}{total}")
            }
            Self::Bound(count) => format!("{count} things that were bought are twins"),
            Self::Stereo(_) => "two tracked eyes render".to_owned(),
        }
    }
}

/// A step's outcome, for files and people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Observation {
    pub(crate) expected: String,
    pub(crate) observed: String,
    pub(crate) ok: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_tours_can_be_read() {
        for (name, _) in BUILT_IN {
            assert!(!Tour::find(name).unwrap().step.is_empty());
        }
    }

    #[test]
    fn home_plays_all_nine_steps_of_s4() {
        let tour = Tour::find("home").unwrap();
        let played: Vec<_> = tour.step.iter().filter_map(|step| step.plays.as_deref()).collect();
        for step in 1..=9 {
            assert!(played.iter().any(|p| p.split(' ').any(|p| p == format!("S4.{step}"))), "S4.{step}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(matches!(Tour::find("/nowhere/at/all.toml"), Err(TourError::Unreadable(..))));
        let error = Tour::parse("x", "title='x'\n[[step]]\nname='a'\ndo=[{fly='up'}]").unwrap_err();
        assert!(error.to_string().contains("fly"), "{error}");
        assert!(matches!(Tour::parse("x", "title='x'\nstep=[]"), Err(TourError::Empty(_))));
    }
}
