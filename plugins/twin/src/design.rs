//! Designs: what a person asks for while they design a thing in the world, and what is known of the open design.
//!
//! The plugin that designs writes [`DesignView`]; screens only read it. Lengths are millimetres in the design's own
//! frame (X right, Y up, Z towards the viewer, the origin where it touches the floor or the wall).

use bevy_app::App;
use bevy_ecs::prelude::*;
use vestibule_model::{ContentHash, Money};

/// Request: something about designing. What cannot be done is said in [`DesignView::problem`].
#[derive(Message, Clone, Debug, PartialEq)]
pub enum EditDesign {
    /// Begin a new design from a starting point, by its id in [`DesignView::starts`].
    Start(String),
    /// Go on with a design that was kept, by its id in [`DesignView::saved`].
    Open(String),
    /// Choose a part by its key, or none.
    Select(Option<String>),
    /// Show a field's other value while a hand still moves it. Nothing is kept.
    Try {
        /// The field's id.
        field: String,
        /// Its value.
        value: f64,
    },
    /// Give a field another value.
    Set {
        /// The field's id.
        field: String,
        /// Its value.
        value: f64,
    },
    /// Write another text into a field of [`DesignView::texts`].
    Write {
        /// The field's id.
        field: String,
        /// The text.
        text: String,
    },
    /// Give a material another colour.
    Colour {
        /// The material's key.
        material: String,
        /// Red, green, blue.
        rgb: [u8; 3],
    },
    /// Make a material of something else, by its id in [`DesignView::kinds`].
    Kind {
        /// The material's key.
        material: String,
        /// The kind's id.
        kind: String,
    },
    /// Take hold of a handle, by its place in [`DesignView::handles`].
    Grab(usize),
    /// The hand that holds the handle is so many millimetres from where it took hold, in the design's frame.
    Drag([f32; 3]),
    /// Only this axis counts for what is held; none: all of them.
    Lock(Option<DesignAxis>),
    /// Let go of the handle: what it was drawn to counts from now on.
    Drop,
    /// Let go of the handle: it was as before.
    LetGo,
    /// Add a part: `block`, `cylinder`, `ball`, `ring`, `extrusion`, `revolution`, `text`, `hole`.
    Add(String),
    /// Copy the chosen part.
    Copy,
    /// Have the chosen part a second time on the other side, or no longer.
    Mirror,
    /// Have the chosen part three times in a row (its fields say how often and how far), or once.
    Repeat,
    /// Let the chosen part take away instead of adding, or add instead of taking away.
    Cut,
    /// Take the chosen part away.
    Remove,
    /// Take the last change back.
    Undo,
    /// Do again what was last taken back.
    Redo,
    /// Look at it as made by this machine, by its id in [`DesignView::machines`].
    Machine(String),
    /// Show where a finding is, by its place in [`DesignView::findings`]; none: show all that block.
    Point(Option<usize>),
    /// Turn it where it stands, by radians about the upright.
    Turn(f32),
    /// Write it into a file for others.
    Export(DesignFormat),
    /// Take it in hand to leave it standing in the room.
    Place,
    /// Put it away. It stays among the kept ones.
    Close,
}

/// An axis of a design's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DesignAxis {
    /// To the right.
    X,
    /// Up.
    Y,
    /// Towards the viewer.
    Z,
}

impl DesignAxis {
    /// X, Y and Z.
    pub const ALL: [Self; 3] = [Self::X, Self::Y, Self::Z];

    /// What people call it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::X => "X",
            Self::Y => "Y",
            Self::Z => "Z",
        }
    }

    /// Its place in a vector.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::X => 0,
            Self::Y => 1,
            Self::Z => 2,
        }
    }
}

/// A file format for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DesignFormat {
    /// For printers and makers: bodies, materials, picture and the design itself.
    ThreeMf,
    /// For viewers and worlds.
    Glb,
    /// For old printers: triangles only.
    Stl,
}

impl DesignFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ThreeMf, Self::Glb, Self::Stl];

    /// How names of such files end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::ThreeMf => "3mf",
            Self::Glb => "glb",
            Self::Stl => "stl",
        }
    }
}

/// Something to choose, by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesignChoice {
    /// What requests say.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Asset path of its picture (PNG, square).
    pub picture: Option<String>,
}

/// A colour to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesignColour {
    /// What people call it.
    pub name: &'static str,
    /// Red, green, blue.
    pub rgb: [u8; 3],
}

/// A part of the open design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesignPart {
    /// What requests say.
    pub key: String,
    /// What its maker calls it.
    pub name: String,
    /// What it is and does, in words: `block, cut from Pot`.
    pub what: String,
    /// Whether it takes something away.
    pub cuts: bool,
    /// Whether it is there a second time on the other side.
    pub mirrored: bool,
    /// Whether it is there several times.
    pub repeated: bool,
    /// Whether it is a body, to which others are added and from which they are cut.
    pub body: bool,
}

/// A number that can be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct DesignField {
    /// What requests say.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Its value.
    pub value: f64,
    /// `mm`, `°` or nothing where it counts.
    pub unit: &'static str,
    /// The least that makes sense.
    pub least: f64,
    /// The most that makes sense.
    pub most: f64,
    /// By how much a key changes it.
    pub step: f64,
    /// The formula that gives the value now; a number takes its place.
    pub formula: Option<String>,
    /// The part that it belongs to; none: the whole design.
    pub part: Option<String>,
}

/// A text that can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesignText {
    /// What requests say.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// The text.
    pub text: String,
    /// Letters that it may have.
    pub most: usize,
    /// The part that it belongs to; none: the whole design.
    pub part: Option<String>,
}

/// What something is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesignMaterial {
    /// What requests say.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Its kind's id.
    pub kind: String,
    /// Red, green, blue.
    pub colour: [u8; 3],
}

/// Something in the world that a hand can draw to change a number, or a part's place.
#[derive(Clone, Debug, PartialEq)]
pub struct DesignHandle {
    /// The field that it changes; none: it moves the chosen part.
    pub field: Option<String>,
    /// What people call what it changes.
    pub label: String,
    /// Where it begins, in the design's frame.
    pub at: [f32; 3],
    /// Where it points, one long; nothing where it goes anywhere.
    pub along: [f32; 3],
}

/// What a hand holds right now.
#[derive(Clone, Debug, PartialEq)]
pub struct DesignHeld {
    /// The handle's place in [`DesignView::handles`].
    pub handle: usize,
    /// What it shows: `Width 260 mm`.
    pub says: String,
    /// The only axis that counts.
    pub axis: Option<DesignAxis>,
    /// What it was drawn to: `as wide as the Desk`.
    pub snapped: Option<String>,
}

/// What speaks against making it.
#[derive(Clone, Debug, PartialEq)]
pub struct DesignFinding {
    /// For people.
    pub says: String,
    /// Whether it cannot be made because of this.
    pub blocks: bool,
    /// The name of the part where it is.
    pub part: Option<String>,
    /// Where, in the design's frame, the worst first.
    pub places: Vec<[f32; 3]>,
}

/// What making one takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesignTakes {
    /// What it weighs with its supports.
    pub milligrams: u64,
    /// How long the machine works.
    pub seconds: u64,
    /// What it costs; an estimate.
    pub price: Money,
}

/// The open design, and what designing can begin with. Written by the plugin that designs.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct DesignView {
    /// Where one can begin.
    pub starts: Vec<DesignChoice>,
    /// What was kept, the newest first.
    pub saved: Vec<DesignChoice>,
    /// Machines that can make things.
    pub machines: Vec<DesignChoice>,
    /// What things can be made of.
    pub kinds: Vec<DesignChoice>,
    /// Colours to choose from.
    pub colours: Vec<DesignColour>,
    /// The machine that is looked at, by its id.
    pub machine: String,
    /// Whether a design stands on the work stand.
    pub open: bool,
    /// Which, among the kept ones.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
    /// What is shown is exactly this design; none until it was computed.
    pub hash: Option<ContentHash>,
    /// Its parts in order.
    pub parts: Vec<DesignPart>,
    /// The chosen part.
    pub selected: Option<String>,
    /// Its numbers: the design's own, then those of the chosen part.
    pub fields: Vec<DesignField>,
    /// Its texts.
    pub texts: Vec<DesignText>,
    /// Its materials.
    pub materials: Vec<DesignMaterial>,
    /// What hands can draw.
    pub handles: Vec<DesignHandle>,
    /// The handle that is pointed at, by its place.
    pub hovered: Option<usize>,
    /// What a hand holds.
    pub held: Option<DesignHeld>,
    /// What Undo takes back.
    pub undo: Option<String>,
    /// What Redo does again.
    pub redo: Option<String>,
    /// What speaks against making it.
    pub findings: Vec<DesignFinding>,
    /// The finding that is shown in the world.
    pub pointed: Option<usize>,
    /// Whether it was looked at by the machine's rules since the last change.
    pub checked: bool,
    /// Whether a newer picture is being computed.
    pub busy: bool,
    /// What went wrong last, for a person.
    pub problem: Option<String>,
    /// Width, height and depth.
    pub size_mm: Option<[f64; 3]>,
    /// Cubic millimetres.
    pub volume_mm3: Option<f64>,
    /// What making one takes.
    pub takes: Option<DesignTakes>,
    /// Where it is kept; none: nowhere.
    pub kept: Option<String>,
    /// The file that was written last for others, or why it was not.
    pub exported: Option<Result<String, String>>,
    /// Why it cannot be written into a file or put into the room; none: it can.
    pub not_ready: Option<String>,
}

/// Whether the person is at the window for designing: keys for undoing and removing are then for the design. Written by
/// the screen.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtDesign(pub bool);

/// What the room around the person measures, to make things that fit. Written by the world.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomMeasures {
    /// The room itself and what stands in it.
    pub measures: Vec<RoomMeasure>,
}

/// Something that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomMeasure {
    /// What people call it.
    pub name: String,
    /// Width, height and depth in millimetres.
    pub size_mm: [u32; 3],
}

pub(crate) fn register(app: &mut App) {
    app.init_resource::<DesignView>()
        .init_resource::<AtDesign>()
        .init_resource::<RoomMeasures>()
        .add_message::<EditDesign>();
}
