//! Starting points: things that people want, to be turned and changed.

mod home;
mod small;
mod wall;

use std::collections::{BTreeMap, BTreeSet};

use crate::design::{
    Amount, Anchor, Design, Does, Expression, Feature, FeatureKey, Material, MaterialKey, MaterialKind, Param,
    ParamKey, Placement, Repeat, Shape,
};

/// A starting point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Start {
    /// A shelf on a wall.
    Shelf,
    /// A lamp on a table; its twin is a lamp.
    Lamp,
    /// A hook on a wall.
    Hook,
    /// A pot for a plant, with holes for water.
    Planter,
    /// What a phone leans on.
    PhoneStand,
    /// A frame on a wall.
    PictureFrame,
    /// A side table.
    Table,
    /// A sign beside a door. Its text needs a font.
    HouseNumber,
}

impl Start {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 8] = [
        Self::Shelf,
        Self::Lamp,
        Self::Hook,
        Self::Planter,
        Self::PhoneStand,
        Self::PictureFrame,
        Self::Table,
        Self::HouseNumber,
    ];

    /// What it is called in files and commands.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Shelf => "shelf",
            Self::Lamp => "lamp",
            Self::Hook => "hook",
            Self::Planter => "planter",
            Self::PhoneStand => "phone_stand",
            Self::PictureFrame => "picture_frame",
            Self::Table => "table",
            Self::HouseNumber => "house_number",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|start| start.id() == id)
    }

    /// Its design, as it is before anybody turned anything.
    #[must_use]
    pub fn design(self) -> Design {
        match self {
            Self::Shelf => wall::shelf(),
            Self::Lamp => home::lamp(),
            Self::Hook => wall::hook(),
            Self::Planter => home::planter(),
            Self::PhoneStand => small::phone_stand(),
            Self::PictureFrame => wall::picture_frame(),
            Self::Table => home::table(),
            Self::HouseNumber => small::house_number(),
        }
    }
}

fn design(
    name: &str,
    params: impl IntoIterator<Item = (&'static str, Param)>,
    materials: impl IntoIterator<Item = (&'static str, Material)>,
    features: Vec<Feature>,
) -> Design {
    let params: BTreeMap<_, _> = params.into_iter().map(|(key, param)| (ParamKey::known(key), param)).collect();
    let materials = materials.into_iter().map(|(key, material)| (MaterialKey::known(key), material)).collect();
    Design { name: name.to_owned(), params, materials, features, role: None }
}

fn plastic(name: &str, colour: [u8; 3]) -> Material {
    Material { name: name.to_owned(), kind: MaterialKind::Pla, colour, roughness_permille: 550, metallic: false }
}

/// A formula; a test resolves every one that is written in this folder.
fn f(text: &str) -> Amount {
    Amount::Formula(Expression::known(text))
}

fn at(x: impl Written, y: impl Written, z: impl Written) -> Placement {
    Placement::at(x.amount(), y.amount(), z.amount())
}

/// A number, or a formula as text.
trait Written {
    fn amount(self) -> Amount;
}

impl Written for f64 {
    fn amount(self) -> Amount {
        Amount::Value(self)
    }
}

impl Written for &str {
    fn amount(self) -> Amount {
        f(self)
    }
}

fn block(x: impl Written, y: impl Written, z: impl Written, round: f64, anchor: Anchor) -> Shape {
    Shape::Block { size: [x.amount(), y.amount(), z.amount()], round: Amount::Value(round), anchor }
}

fn cylinder(low: impl Written, high: impl Written, height: impl Written, sides: u16) -> Shape {
    Shape::Cylinder { low: low.amount(), high: high.amount(), height: height.amount(), sides }
}

fn feature(key: &str, name: &str, material: &str, does: Does, shape: Shape, at: Placement) -> Feature {
    let (key, material) = (FeatureKey::known(key), MaterialKey::known(material));
    Feature { key, name: name.to_owned(), shape, at, does, repeat: None, mirror: None, material }
}

fn to(body: &str) -> Does {
    Does::Add { to: FeatureKey::known(body) }
}

fn from<const N: usize>(bodies: [&str; N]) -> Does {
    Does::Cut { from: bodies.into_iter().map(FeatureKey::known).collect::<BTreeSet<_>>() }
}

fn row(count: impl Written, step: [Amount; 3]) -> Option<Repeat> {
    Some(Repeat::Line { count: count.amount(), step })
}

fn zero() -> Amount {
    Amount::Value(0.0)
}
