//! Furniture: what the catalogue offers, requests in the imperative and facts in the past tense.

use std::fmt;

use bevy_app::App;
use bevy_ecs::prelude::*;

/// Where a model may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FurnitureSnap {
    /// Anywhere on the floor.
    #[default]
    Floor,
    /// With its back against a wall.
    Wall,
    /// On whatever is pointed at from above: a table, a shelf, the floor.
    Top,
    /// On a wall, as high as it is pointed at.
    Hang,
}

/// One model of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// Tells it apart from the others, and is what requests and files say: `sofa`.
    pub key: String,
    /// Its name for people: `Sofa, three seats`.
    pub name: String,
    /// Where it may stand.
    pub snap: FurnitureSnap,
    /// Asset path of its picture (PNG, square).
    pub thumb: String,
    /// Asset path of its glTF binary.
    pub model: String,
}

/// The furniture that can be put into the house, in the order to show it. Empty until it is read.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The models.
    pub entries: Vec<CatalogueEntry>,
}

impl Catalogue {
    /// The model with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&CatalogueEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// One piece of furniture in this world: keeps its number through undo, redo and restarts.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[component(immutable)]
pub struct FurnitureId(pub u64);

impl fmt::Display for FurnitureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "furniture {}", self.0)
    }
}

/// What the person holds right now, written by the plugin that furnishes.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct HeldFurniture {
    /// The catalogue key of the model in hand; `None`: empty hands.
    pub model: Option<String>,
    /// Why it cannot be put down here, in a person's words; `None`: it can.
    pub blocked: Option<String>,
    /// The piece that the person points at with empty hands: what Remove would remove.
    pub pointed: Option<FurnitureId>,
    /// How many changes Undo can take back.
    pub undoable: usize,
    /// How many changes Redo can do again.
    pub redoable: usize,
}

/// Request: take a model from the catalogue in hand. What was held before is dropped.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct HoldFurniture {
    /// Its key in the [`Catalogue`].
    pub model: String,
}

/// Request: put down what is held, where it is shown.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceHeld;

/// Request: turn what is held about the vertical.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct TurnHeld {
    /// Radians about +Y, counter-clockwise from above.
    pub radians: f32,
}

/// Request: let go of what is held without putting it down.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CancelHeld;

/// Request: take a piece away.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoveFurniture {
    /// Which.
    pub piece: FurnitureId,
}

/// Request: take the last change of furniture back.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UndoFurnishing;

/// Request: do again what was last taken back.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedoFurnishing;

/// Fact: a piece stands in the world, put down just now, again after undo or redo, or as the world file says.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct FurniturePlaced {
    /// Which.
    pub piece: FurnitureId,
    /// Its key in the [`Catalogue`].
    pub model: String,
    /// Metres in the world's frame: the middle of its foot, or the middle of its back's foot for a wall piece.
    pub position: [f32; 3],
    /// Radians about +Y.
    pub yaw: f32,
}

/// Fact: a piece is gone.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct FurnitureRemoved {
    /// Which.
    pub piece: FurnitureId,
    /// Its key in the [`Catalogue`].
    pub model: String,
}

/// Fact: a request about furniture was not followed, and why.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct FurnitureRefused {
    /// One sentence for the person.
    pub reason: String,
}

pub(crate) fn register(app: &mut App) {
    app.init_resource::<Catalogue>()
        .init_resource::<HeldFurniture>()
        .add_message::<HoldFurniture>()
        .add_message::<PlaceHeld>()
        .add_message::<TurnHeld>()
        .add_message::<CancelHeld>()
        .add_message::<RemoveFurniture>()
        .add_message::<UndoFurnishing>()
        .add_message::<RedoFurnishing>()
        .add_message::<FurniturePlaced>()
        .add_message::<FurnitureRemoved>()
        .add_message::<FurnitureRefused>();
}
