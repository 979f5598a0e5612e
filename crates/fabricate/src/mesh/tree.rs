use super::{Mesh, cross, dot, minus};

/// How many triangles are looked at one by one.
const LEAF: usize = 4;
/// Deeper than any tree of 2^32 triangles that is halved.
const STACK: usize = 64;

/// Finds quickly what a ray meets first.
#[derive(Debug)]
pub struct Tree<'a> {
    mesh: &'a Mesh,
    nodes: Vec<Node>,
    /// Triangles, in the order of the leaves.
    order: Vec<u32>,
}

#[derive(Debug)]
struct Node {
    low: [f32; 3],
    high: [f32; 3],
    /// Of a leaf: its first triangle. Else: its second child; the first one stands right behind it.
    at: u32,
    /// How many triangles a leaf has; zero in a node that has children.
    count: u32,
}

/// What a ray meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// How far away, in lengths of the ray's direction.
    pub distance: f64,
    /// Which triangle.
    pub triangle: u32,
}

impl<'a> Tree<'a> {
    /// A tree over a mesh.
    #[must_use]
    pub fn new(mesh: &'a Mesh) -> Self {
        let count = u32::try_from(mesh.triangles.len()).unwrap_or(u32::MAX);
        let mut tree = Self { mesh, nodes: Vec::new(), order: (0..count).collect() };
        let length = tree.order.len();
        if length > 0 {
            tree.split(0, length);
        }
        tree
    }

    /// Halves by the longest axis. Goes as deep as the logarithm of the count, which a stack can bear.
    fn split(&mut self, from: usize, to: usize) -> u32 {
        let (low, high) = self.around(from, to);
        let here = self.nodes.len();
        let index = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        self.nodes.push(Node { low, high, at: index(from), count: index(to - from) });
        if to - from > LEAF {
            let size: [f32; 3] = std::array::from_fn(|axis| high[axis] - low[axis]);
            let axis = (0..3).max_by(|a, b| size[*a].total_cmp(&size[*b])).unwrap_or_default();
            let mesh = self.mesh;
            let middle = |triangle: &u32| -> f32 {
                mesh.triangles[*triangle as usize].iter().map(|point| mesh.points[*point as usize][axis]).sum()
            };
            let half = (to - from) / 2;
            self.order[from..to].select_nth_unstable_by(half, |a, b| middle(a).total_cmp(&middle(b)).then(a.cmp(b)));
            self.split(from, from + half);
            let second = self.split(from + half, to);
            self.nodes[here].at = second;
            self.nodes[here].count = 0;
        }
        index(here)
    }

    fn around(&self, from: usize, to: usize) -> ([f32; 3], [f32; 3]) {
        let (mut low, mut high) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
        for triangle in &self.order[from..to] {
            for point in self.mesh.triangles[*triangle as usize] {
                let point = self.mesh.points[point as usize];
                for axis in 0..3 {
                    low[axis] = low[axis].min(point[axis]);
                    high[axis] = high[axis].max(point[axis]);
                }
            }
        }
        (low, high)
    }

    /// The first triangle that a ray meets between `least` and `most` and that `counts`, which is asked with its number.
    pub fn first(
        &self,
        from: [f64; 3],
        direction: [f64; 3],
        (least, most): (f64, f64),
        counts: impl Fn(u32) -> bool,
    ) -> Option<Hit> {
        let mut best: Option<Hit> = None;
        let mut stack = [0_u32; STACK];
        let mut left = usize::from(!self.nodes.is_empty());
        while left > 0 {
            left -= 1;
            let at = stack[left];
            let node = &self.nodes[at as usize];
            let furthest = best.map_or(most, |hit| hit.distance);
            if !passes(node, from, direction, furthest) {
                continue;
            }
            if node.count == 0 {
                if left + 2 <= STACK {
                    stack[left] = at + 1;
                    stack[left + 1] = node.at;
                    left += 2;
                }
                continue;
            }
            for triangle in &self.order[node.at as usize..(node.at + node.count) as usize] {
                let furthest = best.map_or(most, |hit| hit.distance);
                let found = meets(self.mesh.corners(*triangle as usize), from, direction);
                let found = found.filter(|distance| (least..=furthest).contains(distance));
                if let Some(distance) = found.filter(|_| counts(*triangle)) {
                    best = Some(Hit { distance, triangle: *triangle });
                }
            }
        }
        best
    }
}

fn passes(node: &Node, from: [f64; 3], direction: [f64; 3], furthest: f64) -> bool {
    let (mut near, mut far) = (0.0_f64, furthest);
    for axis in 0..3 {
        // A little more than the box, so that a flat one is not missed by rounding.
        let low = f64::from(node.low[axis]) - 1e-6;
        let high = f64::from(node.high[axis]) + 1e-6;
        if direction[axis].abs() < 1e-15 {
            if from[axis] < low || from[axis] > high {
                return false;
            }
            continue;
        }
        let one = (low - from[axis]) / direction[axis];
        let other = (high - from[axis]) / direction[axis];
        near = near.max(one.min(other));
        far = far.min(one.max(other));
    }
    near <= far
}

/// How far along a ray a triangle is met.
fn meets([a, b, c]: [[f64; 3]; 3], from: [f64; 3], direction: [f64; 3]) -> Option<f64> {
    let (ab, ac) = (minus(b, a), minus(c, a));
    let side = cross(direction, ac);
    let determinant = dot(ab, side);
    if determinant.abs() < 1e-18 {
        return None;
    }
    let start = minus(from, a);
    let u = dot(start, side) / determinant;
    let turned = cross(start, ab);
    let v = dot(direction, turned) / determinant;
    let inside = u >= -1e-9 && v >= -1e-9 && u + v <= 1.0 + 1e-9;
    inside.then(|| dot(ac, turned) / determinant)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::along, *};

    fn point() -> impl Strategy<Value = [f32; 3]> {
        [-10.0_f32..10.0, -10.0_f32..10.0, -10.0_f32..10.0]
    }

    proptest! {
        /// As looking at every triangle says.
        #[test]
        fn a_tree_finds_what_looking_at_all_finds(
            points in prop::collection::vec(point(), 3..90),
            from in point(),
            to in point(),
        ) {
            let count = u32::try_from(points.len() / 3).unwrap();
            let triangles = (0..count).map(|n| [3 * n, 3 * n + 1, 3 * n + 2]).collect();
            let mesh = Mesh { points, triangles, of: Vec::new() };
            let (from, to) = (from.map(f64::from), to.map(f64::from));
            let direction = minus(to, from);
            prop_assume!(dot(direction, direction) > 1e-6);
            let hit = Tree::new(&mesh).first(from, direction, (0.0, 100.0), |_| true);
            let all = (0..mesh.triangles.len()).filter_map(|n| meets(mesh.corners(n), from, direction));
            let nearest = all.filter(|distance| (0.0..=100.0).contains(distance)).min_by(f64::total_cmp);
            prop_assert_eq!(hit.map(|hit| hit.distance), nearest);
            if let Some(hit) = hit {
                let at = along(from, hit.distance, direction);
                let [a, ..] = mesh.corners(hit.triangle as usize);
                let off = dot(minus(at, a), mesh.normal(hit.triangle as usize).unwrap_or_default());
                prop_assert!(off.abs() < 1e-3, "{off}");
            }
        }
    }
}
