//! The numbers of a part, by names that people understand.

use vestibule_fabricate::design::{Amount, Feature, Profile, Repeat, Shape};

/// What a number is for, and so which values it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// A size: never nothing.
    Size,
    /// A size that may be nothing.
    Optional,
    /// A place or a step.
    Offset,
    /// Degrees.
    Angle,
    /// How many.
    Count,
}

impl Measure {
    /// The least, the most and the step that make sense for something that is had in hands.
    pub(crate) const fn bounds(self) -> (f64, f64, f64) {
        match self {
            Self::Size => (0.2, 3_000.0, 1.0),
            Self::Optional => (0.0, 1_000.0, 0.5),
            Self::Offset => (-3_000.0, 3_000.0, 1.0),
            Self::Angle => (-360.0, 360.0, 5.0),
            Self::Count => (1.0, 100.0, 1.0),
        }
    }

    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Size | Self::Optional | Self::Offset => "mm",
            Self::Angle => "°",
            Self::Count => "",
        }
    }
}

/// What is done with every number: its name in requests, what people call it, what it is for.
pub(crate) type Each<'a> = &'a mut dyn FnMut(&'static str, &'static str, Measure, &mut Amount);

/// Every number of a part that a person changes by itself: its size, its place, how often it is there.
pub(crate) fn visit(feature: &mut Feature, each: Each<'_>) {
    shape(&mut feature.shape, each);
    let [right, up, front] = &mut feature.at.position;
    each("right", "To the right", Measure::Offset, right);
    each("up", "Up", Measure::Offset, up);
    each("front", "To the front", Measure::Offset, front);
    let [x, y, z] = &mut feature.at.turn;
    each("tilt", "Tilted", Measure::Angle, x);
    each("turn", "Turned", Measure::Angle, y);
    each("roll", "Rolled", Measure::Angle, z);
    match &mut feature.repeat {
        Some(Repeat::Line { count, .. } | Repeat::Circle { count, .. }) => {
            each("count", "How many", Measure::Count, count);
        }
        Some(Repeat::Grid { counts: [across, along], .. }) => {
            each("across", "How many across", Measure::Count, across);
            each("along", "How many along", Measure::Count, along);
        }
        None => {}
    }
}

fn shape(shape: &mut Shape, each: Each<'_>) {
    match shape {
        Shape::Block { size: [width, height, depth], round, .. } => {
            each("width", "Width", Measure::Size, width);
            each("height", "Height", Measure::Size, height);
            each("depth", "Depth", Measure::Size, depth);
            each("round", "Edges rounded by", Measure::Optional, round);
        }
        Shape::Cylinder { low, high, height, .. } => {
            each("low", "Radius below", Measure::Optional, low);
            each("high", "Radius above", Measure::Optional, high);
            each("height", "Height", Measure::Size, height);
        }
        Shape::Ball { radius, .. } => each("radius", "Radius", Measure::Size, radius),
        Shape::Ring { radius, tube, .. } => {
            each("radius", "Radius", Measure::Size, radius);
            each("tube", "Radius of the tube", Measure::Size, tube);
        }
        Shape::Extrusion { profile, height, twist, .. } => {
            outline(profile, each);
            each("length", "Drawn out by", Measure::Size, height);
            each("twist", "Twisted", Measure::Angle, twist);
        }
        Shape::Revolution { profile, angle, .. } => {
            outline(profile, each);
            each("angle", "Turned round by", Measure::Angle, angle);
        }
        Shape::Text { height, depth, .. } => {
            each("height", "Height of capitals", Measure::Size, height);
            each("depth", "Depth", Measure::Size, depth);
        }
        Shape::Hull { .. } => {}
    }
}

fn outline(profile: &mut Profile, each: Each<'_>) {
    match profile {
        Profile::Rect { size: [width, height], round } => {
            each("width", "Width", Measure::Size, width);
            each("height", "Height", Measure::Size, height);
            each("round", "Corners rounded by", Measure::Optional, round);
        }
        Profile::Circle { radius, .. } | Profile::Polygon { radius, .. } => {
            each("radius", "Radius", Measure::Size, radius);
        }
        Profile::Path { .. } => {}
        Profile::Offset { of, by } => {
            outline(of, each);
            each("by", "Grown by", Measure::Offset, by);
        }
    }
}
