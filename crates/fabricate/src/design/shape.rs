use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Amount, FeatureKey};

/// Millimetres.
pub type Length = Amount;
/// Degrees.
pub type Angle = Amount;
/// How many; rounded to the nearest whole number.
pub type Count = Amount;

/// Where a block's origin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// In its middle.
    Middle,
    /// In the middle of what it stands on.
    Foot,
    /// At its lowest, leftmost, rearmost corner.
    Corner,
}

/// What a feature is, before it is placed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A cuboid, along the axes.
    Block {
        /// Along X, Y and Z.
        size: [Length; 3],
        /// The radius of all its edges.
        round: Length,
        /// Where its origin is.
        anchor: Anchor,
    },
    /// A cylinder or cone that stands on the origin and goes up.
    Cylinder {
        /// Its radius below.
        low: Length,
        /// Its radius above.
        high: Length,
        /// Along Y.
        height: Length,
        /// Of the polygon that stands for its circle.
        sides: u16,
    },
    /// A ball around the origin.
    Ball {
        /// Its radius.
        radius: Length,
        /// Of its equator; a multiple of four.
        sides: u16,
    },
    /// A ring around Y.
    Ring {
        /// From the origin to the middle of the tube.
        radius: Length,
        /// The tube's radius.
        tube: Length,
        /// Of the ring and of its tube.
        sides: u16,
    },
    /// A profile in X and Y that is drawn out along Z.
    Extrusion {
        /// What is drawn out.
        profile: Profile,
        /// Along Z.
        height: Length,
        /// How far the end is turned.
        twist: Angle,
        /// How wide the end is, along X and Y: 1 as the beginning.
        taper: [Amount; 2],
        /// How much of the edge at the beginning and at the end is taken off, at 45°.
        chamfer: [Length; 2],
    },
    /// A profile in X and Y, turned around Y. What lies at negative X is cut away before.
    Revolution {
        /// What is turned.
        profile: Profile,
        /// How far, up to 360.
        angle: Angle,
        /// Of a whole turn.
        sides: u16,
    },
    /// A line of text in X and Y that is drawn out along Z; its middle is the origin.
    Text {
        /// The text.
        text: String,
        /// Of capital letters.
        height: Length,
        /// Along Z.
        depth: Length,
        /// How much bolder than the font.
        spread: Length,
    },
    /// The convex hull of other features, which stand before this one.
    Hull {
        /// Which.
        of: BTreeSet<FeatureKey>,
    },
}

/// An area in X and Y.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// A rectangle around the origin.
    Rect {
        /// Along X and Y.
        size: [Length; 2],
        /// The radius of its corners.
        round: Length,
    },
    /// A circle around the origin.
    Circle {
        /// Its radius.
        radius: Length,
        /// Of the polygon that stands for it.
        sides: u16,
    },
    /// A regular polygon around the origin, a corner on X.
    Polygon {
        /// How many corners.
        sides: u16,
        /// From the origin to a corner.
        radius: Length,
    },
    /// Lines and arcs, and what is left out of them.
    Path {
        /// The outline; its end is joined to its beginning.
        segments: Vec<Segment>,
        /// What is left out.
        holes: Vec<Vec<Segment>>,
    },
    /// Another profile, grown or shrunk, with round corners where it grows.
    Offset {
        /// Which.
        of: Box<Profile>,
        /// By how much; shrunk where it is negative.
        by: Length,
    },
}

/// A piece of an outline. The first one of an outline says where it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Straight.
    Line {
        /// Where it ends.
        to: [Length; 2],
    },
    /// A part of a circle.
    Arc {
        /// Where it ends.
        to: [Length; 2],
        /// The tangent of a quarter of the angle that it turns by; counter-clockwise where it is positive.
        bulge: Amount,
    },
}

/// What an amount is for, and so which values it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A size: 0.01 to 100,000 mm.
    Size,
    /// A size that may be nothing.
    Optional,
    /// A place or a step: any sign.
    Offset,
    /// An angle.
    Angle,
    /// A factor: 0 to 100.
    Factor,
    /// How many: 1 to 2,000.
    Count,
}

/// What is done with every amount: its field's name, what it is for.
pub(crate) type Visit<'a, E> = &'a mut dyn FnMut(&'static str, Use, &mut Amount) -> Result<(), E>;

impl Shape {
    /// Every amount in it.
    pub(crate) fn visit<E>(&mut self, each: Visit<'_, E>) -> Result<(), E> {
        match self {
            Self::Block { size, round, .. } => {
                size.iter_mut().try_for_each(|size| each("size", Use::Size, size))?;
                each("round", Use::Optional, round)
            }
            Self::Cylinder { low, high, height, .. } => {
                each("low", Use::Optional, low)?;
                each("high", Use::Optional, high)?;
                each("height", Use::Size, height)
            }
            Self::Ball { radius, .. } => each("radius", Use::Size, radius),
            Self::Ring { radius, tube, .. } => {
                each("radius", Use::Size, radius)?;
                each("tube", Use::Size, tube)
            }
            Self::Extrusion { profile, height, twist, taper, chamfer } => {
                profile.visit(each)?;
                each("height", Use::Size, height)?;
                each("twist", Use::Angle, twist)?;
                taper.iter_mut().try_for_each(|taper| each("taper", Use::Factor, taper))?;
                chamfer.iter_mut().try_for_each(|chamfer| each("chamfer", Use::Optional, chamfer))
            }
            Self::Revolution { profile, angle, .. } => {
                profile.visit(each)?;
                each("angle", Use::Angle, angle)
            }
            Self::Text { height, depth, spread, .. } => {
                each("height", Use::Size, height)?;
                each("depth", Use::Size, depth)?;
                each("spread", Use::Offset, spread)
            }
            Self::Hull { .. } => Ok(()),
        }
    }

    /// Numbers of sides in it.
    pub(crate) fn sides(&self) -> Vec<u16> {
        match self {
            Self::Cylinder { sides, .. } | Self::Ball { sides, .. } | Self::Ring { sides, .. } => vec![*sides],
            Self::Extrusion { profile, .. } => profile.sides(),
            Self::Revolution { profile, sides, .. } => [vec![*sides], profile.sides()].concat(),
            Self::Block { .. } | Self::Text { .. } | Self::Hull { .. } => Vec::new(),
        }
    }

    pub(crate) fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Extrusion { profile, .. } | Self::Revolution { profile, .. } => Some(profile),
            _ => None,
        }
    }
}

impl Profile {
    fn visit<E>(&mut self, each: Visit<'_, E>) -> Result<(), E> {
        match self {
            Self::Rect { size, round } => {
                size.iter_mut().try_for_each(|size| each("profile.size", Use::Size, size))?;
                each("profile.round", Use::Optional, round)
            }
            Self::Circle { radius, .. } | Self::Polygon { radius, .. } => each("profile.radius", Use::Size, radius),
            Self::Path { segments, holes } => {
                std::iter::once(segments).chain(holes).flatten().try_for_each(|segment| segment.visit(each))
            }
            Self::Offset { of, by } => {
                of.visit(each)?;
                each("profile.by", Use::Offset, by)
            }
        }
    }

    fn sides(&self) -> Vec<u16> {
        match self {
            Self::Circle { sides, .. } | Self::Polygon { sides, .. } => vec![*sides],
            Self::Offset { of, .. } => of.sides(),
            Self::Rect { .. } | Self::Path { .. } => Vec::new(),
        }
    }

    /// How many points its outlines name, and how deep it goes.
    pub(crate) fn points_and_depth(&self) -> (usize, usize) {
        match self {
            Self::Path { segments, holes } => (segments.len() + holes.iter().map(Vec::len).sum::<usize>(), 1),
            Self::Offset { of, .. } => {
                let (points, depth) = of.points_and_depth();
                (points, depth + 1)
            }
            _ => (0, 1),
        }
    }
}

impl Segment {
    fn visit<E>(&mut self, each: Visit<'_, E>) -> Result<(), E> {
        match self {
            Self::Line { to } => to.iter_mut().try_for_each(|to| each("profile.to", Use::Offset, to)),
            Self::Arc { to, bulge } => {
                to.iter_mut().try_for_each(|to| each("profile.to", Use::Offset, to))?;
                each("profile.bulge", Use::Offset, bulge)
            }
        }
    }
}
