use manifold_rust::{
    linalg::{Mat3x4, Vec3},
    types::{cosd, sind},
};

use crate::design::{Axis, Feature, Placement, Repeat, check_whole as whole};

/// A movement: where X, Y and Z go, and where the origin goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Movement(pub [[f64; 3]; 4]);

impl Movement {
    const NONE: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0; 3]]);

    fn by(offset: [f64; 3]) -> Self {
        Self([Self::NONE.0[0], Self::NONE.0[1], Self::NONE.0[2], offset])
    }

    /// About an axis through the origin. The kernel's own sine is the same on every machine; the system's is not.
    fn turn(axis: Axis, degrees: f64) -> Self {
        let (sin, cos) = (sind(degrees), cosd(degrees));
        let none = [0.0; 3];
        Self(match axis {
            Axis::X => [[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos], none],
            Axis::Y => [[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos], none],
            Axis::Z => [[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0], none],
        })
    }

    fn mirror(axis: Axis) -> Self {
        let mut columns = Self::NONE.0;
        let at = axis as usize;
        columns[at][at] = -1.0;
        Self(columns)
    }

    /// First `self`, then `outer`.
    fn then(self, outer: &Self) -> Self {
        let [x, y, z, origin] = &outer.0;
        let turned = |v: [f64; 3]| -> [f64; 3] { std::array::from_fn(|n| x[n] * v[0] + y[n] * v[1] + z[n] * v[2]) };
        let moved = turned(self.0[3]);
        Self([turned(self.0[0]), turned(self.0[1]), turned(self.0[2]), std::array::from_fn(|n| moved[n] + origin[n])])
    }

    /// Where a point of its own frame is.
    pub(crate) fn point(&self, at: [f64; 3]) -> [f64; 3] {
        let moved = self.direction(at);
        std::array::from_fn(|axis| moved[axis] + self.0[3][axis])
    }

    /// Where a direction of its own frame goes.
    pub(crate) fn direction(&self, along: [f64; 3]) -> [f64; 3] {
        let [x, y, z, _] = &self.0;
        std::array::from_fn(|axis| x[axis] * along[0] + y[axis] * along[1] + z[axis] * along[2])
    }

    pub(crate) fn matrix(&self) -> Mat3x4 {
        let [x, y, z, origin] = self.0.map(|[x, y, z]| Vec3::new(x, y, z));
        Mat3x4::from_cols(x, y, z, origin)
    }
}

/// From a feature's own frame to the design's.
pub(crate) fn placed(at: &Placement) -> Movement {
    let [x, y, z] = [0, 1, 2].map(|n| at.turn[n].number());
    // About its own axes in this order is about fixed ones in the other.
    Movement::turn(Axis::Z, z)
        .then(&Movement::turn(Axis::Y, y))
        .then(&Movement::turn(Axis::X, x))
        .then(&Movement::by([0, 1, 2].map(|n| at.position[n].number())))
}

/// Everywhere that a feature is.
pub(crate) fn pieces(feature: &Feature) -> Vec<Movement> {
    let first = placed(&feature.at);
    let mut all: Vec<_> = repeated(feature.repeat.as_ref()).iter().map(|outer| first.then(outer)).collect();
    if let Some(plane) = feature.mirror {
        let mirror = Movement::mirror(plane);
        all.extend(all.clone().iter().map(|piece| piece.then(&mirror)));
    }
    all
}

fn repeated(repeat: Option<&Repeat>) -> Vec<Movement> {
    #[expect(clippy::cast_precision_loss, reason = "at most 2,000")]
    let times = |step: &[crate::design::Amount; 3], n: usize| -> [f64; 3] {
        std::array::from_fn(|axis| step[axis].number() * n as f64)
    };
    match repeat {
        None => vec![Movement::NONE],
        Some(Repeat::Line { count, step }) => {
            (0..whole(count.number())).map(|n| Movement::by(times(step, n))).collect()
        }
        Some(Repeat::Grid { counts: [columns, rows], steps: [right, down] }) => {
            let cells = (0..whole(rows.number())).flat_map(|row| (0..whole(columns.number())).map(move |n| (row, n)));
            cells.map(|(row, n)| Movement::by(times(right, n)).then(&Movement::by(times(down, row)))).collect()
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 2,000")]
        Some(Repeat::Circle { count, axis, angle }) => {
            let count = whole(count.number());
            let step = angle.number() / count as f64;
            (0..count).map(|n| Movement::turn(*axis, step * n as f64)).collect()
        }
    }
}
