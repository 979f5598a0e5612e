//! Triangles of a solid: closedness, shells, rays.

mod closed;
mod parts;
mod tree;

use crate::design::FeatureKey;

pub use closed::OpenEdge;
pub(crate) use parts::{Groups, neighbours, shells};
pub use tree::{Hit, Tree};

/// Triangles that share their points. Millimetres, in the design's frame; seen from outside, a triangle's corners run
/// counter-clockwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    /// The points.
    pub points: Vec<[f32; 3]>,
    /// Three points each.
    pub triangles: Vec<[u32; 3]>,
    /// From which triangle on they come from which feature.
    pub of: Vec<(u32, FeatureKey)>,
}

/// What something lies between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The least of each coordinate.
    pub low: [f64; 3],
    /// The most of each coordinate.
    pub high: [f64; 3],
}

impl Bounds {
    /// Of nothing.
    pub(crate) const NOTHING: Self = Self { low: [f64::INFINITY; 3], high: [f64::NEG_INFINITY; 3] };

    /// How long it is along each axis; nothing is zero long.
    #[must_use]
    pub fn size(&self) -> [f64; 3] {
        std::array::from_fn(|axis| (self.high[axis] - self.low[axis]).max(0.0))
    }

    /// Its middle.
    #[must_use]
    pub fn middle(&self) -> [f64; 3] {
        std::array::from_fn(|axis| (self.high[axis] + self.low[axis]) / 2.0)
    }

    pub(crate) fn with(mut self, point: [f64; 3]) -> Self {
        for (axis, value) in point.into_iter().enumerate() {
            self.low[axis] = self.low[axis].min(value);
            self.high[axis] = self.high[axis].max(value);
        }
        self
    }

    /// What both lie in.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        self.with(other.low).with(other.high)
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        (0..3).all(|axis| self.low[axis] <= other.high[axis] && other.low[axis] <= self.high[axis])
    }
}

pub(crate) fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|axis| a[axis] - b[axis])
}

pub(crate) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn along(from: [f64; 3], by: f64, direction: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|axis| from[axis] + by * direction[axis])
}

/// For pictures and findings, whose points are as fine as a mesh's.
#[expect(clippy::cast_possible_truncation, reason = "a mesh has no more digits")]
pub(crate) fn narrow(point: [f64; 3]) -> [f32; 3] {
    point.map(|value| value as f32)
}

impl Mesh {
    /// The corners of a triangle.
    #[must_use]
    pub fn corners(&self, triangle: usize) -> [[f64; 3]; 3] {
        self.triangles[triangle].map(|point| self.points[point as usize].map(f64::from))
    }

    /// Square to a triangle and as long as twice its area.
    pub(crate) fn twice_area(&self, triangle: usize) -> [f64; 3] {
        let [a, b, c] = self.corners(triangle);
        cross(minus(b, a), minus(c, a))
    }

    /// Away from the solid, one long; nothing where the triangle has no area.
    pub(crate) fn normal(&self, triangle: usize) -> Option<[f64; 3]> {
        let square = self.twice_area(triangle);
        let length = dot(square, square).sqrt();
        (length > 1e-12).then(|| square.map(|value| value / length))
    }

    /// Square millimetres of a triangle.
    pub(crate) fn area_of(&self, triangle: usize) -> f64 {
        let square = self.twice_area(triangle);
        dot(square, square).sqrt() / 2.0
    }

    /// Cubic millimetres; negative where it is inside out.
    #[must_use]
    pub fn volume(&self) -> f64 {
        (0..self.triangles.len()).map(|triangle| self.signed_volume(triangle)).sum()
    }

    /// Between a triangle and the origin.
    pub(crate) fn signed_volume(&self, triangle: usize) -> f64 {
        let [a, b, c] = self.corners(triangle);
        dot(a, cross(b, c)) / 6.0
    }

    /// What it lies between.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.points.iter().fold(Bounds::NOTHING, |bounds, point| bounds.with(point.map(f64::from)))
    }

    /// The feature that a triangle comes from.
    #[must_use]
    pub fn feature(&self, triangle: u32) -> Option<&FeatureKey> {
        let after = self.of.partition_point(|(first, _)| *first <= triangle);
        self.of.get(after.checked_sub(1)?).map(|(_, key)| key)
    }
}
