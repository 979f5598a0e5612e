use crate::design::{Amount, Anchor, Profile, Shape};

/// A shape's name, without its sizes: what people pick from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShapeKind {
    /// A cuboid.
    Block,
    /// A cylinder, or a cone.
    Cylinder,
    /// A ball.
    Ball,
    /// A ring.
    Ring,
    /// A hexagon that is drawn out.
    Extrusion,
    /// A profile that is turned.
    Revolution,
    /// A text.
    Text,
}

impl ShapeKind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 7] =
        [Self::Block, Self::Cylinder, Self::Ball, Self::Ring, Self::Extrusion, Self::Revolution, Self::Text];

    /// What it is called in documents and commands.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Cylinder => "cylinder",
            Self::Ball => "ball",
            Self::Ring => "ring",
            Self::Extrusion => "extrusion",
            Self::Revolution => "revolution",
            Self::Text => "text",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Block => "Block",
            Self::Cylinder => "Cylinder",
            Self::Ball => "Ball",
            Self::Ring => "Ring",
            Self::Extrusion => "Prism",
            Self::Revolution => "Turned",
            Self::Text => "Text",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// One that is about `size` millimetres wide.
    #[must_use]
    pub fn shape(self, size: f64) -> Shape {
        let of = |factor: f64| Amount::Value((size * factor * 1_000.0).round() / 1_000.0);
        let (none, same) = (Amount::Value(0.0), Amount::Value(1.0));
        match self {
            Self::Block => Shape::Block { size: [of(1.0), of(1.0), of(1.0)], round: none, anchor: Anchor::Foot },
            Self::Cylinder => Shape::Cylinder { low: of(0.5), high: of(0.5), height: of(1.0), sides: 64 },
            Self::Ball => Shape::Ball { radius: of(0.5), sides: 64 },
            Self::Ring => Shape::Ring { radius: of(0.4), tube: of(0.1), sides: 64 },
            Self::Extrusion => Shape::Extrusion {
                profile: Profile::Polygon { sides: 6, radius: of(0.5) },
                height: of(0.5),
                twist: none.clone(),
                taper: [same.clone(), same],
                chamfer: [none.clone(), none],
            },
            Self::Revolution => Shape::Revolution {
                profile: Profile::Rect { size: [of(1.0), of(0.5)], round: none },
                angle: Amount::Value(360.0),
                sides: 64,
            },
            Self::Text => Shape::Text { text: "Text".to_owned(), height: of(0.5), depth: of(0.1), spread: none },
        }
    }
}
